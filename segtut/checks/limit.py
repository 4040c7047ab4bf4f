"""A limit of time for code that may never end."""

import ctypes
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN = 0.2
"""Seconds after which a loop that swallows the exception is told again."""


class TimeUp(BaseException):
    """The time is up. No `Exception`, so that a student's ``except Exception`` does not swallow it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeUp` in the body once it has run for so many seconds.

    In the main thread of a system with signals it ends waiting, too; elsewhere only what runs in Python. A single long
    call into a library ends first.
    """
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        yield from _by_signal(seconds)
    else:
        yield from _by_thread(seconds)


def _by_signal(seconds: float) -> Iterator[None]:
    def ring(number, frame):
        raise TimeUp

    before, start = signal.signal(signal.SIGALRM, ring), time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        try:
            yield
        finally:  # the next ring, which could come while this one is under way, is at least AGAIN seconds off
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:  # somebody else's alarm, a test runner's for instance, goes on
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - start), 0.01), interval)


def _by_thread(seconds: float) -> Iterator[None]:
    over, lock, here = threading.Event(), threading.Lock(), threading.get_ident()

    def watch():
        wait = seconds
        while not over.wait(wait):
            with lock:
                if not over.is_set():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(here), ctypes.py_object(TimeUp))
            wait = AGAIN

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        with lock:
            over.set()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(here), None)  # one that has not arrived yet
