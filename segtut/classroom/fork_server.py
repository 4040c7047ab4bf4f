"""A process that has imported torch already, forks one process for each hand-in, and watches over them.

It is started once for a batch. It ends, and leaves nothing behind, as soon as the process that started it closes
its socket or dies.
"""

import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

import psutil

from segtut.classroom.confine import Limits

# What hand-ins import. Elsewhere than on Linux, a process that has imported these cannot be forked safely.
_PRELOADED = """torch torch.nn.functional numpy pandas matplotlib.pyplot matplotlib_inline.backend_inline PIL.Image
    einops segtut.checks"""
_WATCH_S = 0.1
STOPPED = "it was stopped"
_CHANNEL = 3  # its number in the process of the hand-in


@dataclass
class _Kernel:
    pid: int
    folder: Path
    limits: Limits
    memory: int  # bytes that it had at its start
    reason: str = ""

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)  # it is a child that was not waited for, so the number is still its own

    def kill(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.signal(signal.SIGKILL)

    def watch(self) -> None:
        """Kill it where it takes too much of what the operating system doesn't bound."""
        with suppress(psutil.Error):  # it has ended meanwhile
            process = psutil.Process(self.pid)
            if process.num_threads() > self.limits.threads:
                self.kill(f"it started more than {self.limits.threads} threads")
            elif process.memory_info().rss > self.memory + self.limits.memory:
                self.kill(f"it took more than {self.limits.memory / 2**30:.1f} GiB of memory")
            elif _too_full(self.folder, self.limits):
                self.kill(f"it wrote more than {self.limits.folder / 2**20:.0f} MiB or {self.limits.files} files")

    def ended(self) -> str:
        """Why it ended, empty as long as it runs."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return ""
        code = os.waitstatus_to_exitcode(status)
        if self.reason and code == -signal.SIGKILL:
            return self.reason
        return f"it left with exit status {code}" if code >= 0 else f"it got the signal “{signal.strsignal(-code)}”"


def _too_full(folder: Path, limits: Limits) -> bool:
    size = number = 0
    folders = [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    number += 1
                    if number > limits.files:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
        except (FileNotFoundError, NotADirectoryError):  # removed meanwhile
            continue
        except OSError:  # nested so deeply that its path is too long
            return True
    return size > limits.folder


def _fork(channel: int, control: socket.socket) -> _Kernel:
    with control.makefile("r") as lines:
        limits = Limits(**json.loads(lines.readline()))
    memory = psutil.Process().memory_info().rss
    folder = Path(tempfile.mkdtemp(prefix="segtut-"))
    pid = os.fork()
    if pid:
        return _Kernel(pid, folder, limits, memory)
    try:
        _become_kernel(channel, folder, limits)
    except BaseException as error:  # a hand-in broke the machinery it runs in: the record says so
        with suppress(Exception):
            os.write(_CHANNEL, json.dumps({"type": "failed", "why": repr(error)[:2000]}).encode() + b"\n")
    finally:
        os._exit(1)


def _become_kernel(channel: int, folder: Path, limits: Limits) -> None:
    from segtut.classroom import kernel

    os.setsid()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG: it dies with the server
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.dup2(channel, _CHANNEL)
    os.closerange(_CHANNEL + 1, 4096)
    kernel.serve(socket.socket(fileno=_CHANNEL), folder, limits)


def _serve(requests: socket.socket) -> None:
    kernels: dict[socket.socket, _Kernel] = {}
    try:
        while True:
            for ready in wait([requests, *kernels], _WATCH_S if kernels else None):
                if ready is requests:
                    byte, descriptors, _, _ = socket.recv_fds(requests, 1, 2)
                    if not byte:
                        return
                    channel, control = descriptors[0], socket.socket(fileno=descriptors[1])
                    try:
                        kernels[control] = _fork(channel, control)
                    except OSError as error:  # no memory, no room on the disk: the next one may have more luck
                        _send(control, str(error))
                    os.close(channel)
                elif _command(ready) == b"I":
                    kernels[ready].signal(signal.SIGINT)
                else:
                    kernels[ready].kill(STOPPED)
            for control, kernel in list(kernels.items()):
                if reason := kernel.ended():
                    _remove(kernel.folder)
                    _send(control, reason)
                    del kernels[control]
                else:
                    kernel.watch()
    finally:
        for kernel in kernels.values():
            kernel.kill("")
            os.waitpid(kernel.pid, 0)
            _remove(kernel.folder)


def _command(control: socket.socket) -> bytes:
    try:
        return control.recv(1)
    except OSError:
        return b""


def _send(control: socket.socket, reason: str) -> None:
    with control, suppress(OSError):
        control.sendall(reason.encode())


def _remove(folder: Path) -> None:
    subprocess.run(["rm", "-rf", "--", folder], stderr=subprocess.DEVNULL, check=False)  # of any depth, unlike shutil's


def _leave(number: int, frame: object) -> None:
    sys.exit(128 + number)


def main() -> None:
    """Import what hand-ins need, then serve."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    if sys.platform == "linux":
        with suppress(ImportError):
            importlib.import_module("cv2").setNumThreads(0)  # a pool of threads would not survive a fork
        for name in ("segtut.classroom.kernel", *_PRELOADED.split()):
            with suppress(Exception):  # the hand-in that imports it will say so
                importlib.import_module(name)
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
