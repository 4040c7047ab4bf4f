"""The way out of a hand-in's process: records as lines of JSON, each cell's within bounds."""

import base64
import contextlib
import io
import json
import signal
import socket
import sys
import threading
from typing import Any

from segtut.classroom.confine import Limits

_SMALLEST = 5000  # what a rich output counts at least, so that a cell can't have a million empty ones


def _encode(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else repr(value)


def short(text: Any, length: int) -> str:
    """Return the start of a text, with a word about the rest."""
    text = str(text)
    return text if len(text) <= length else f"{text[:length]} … (cut: {len(text):,} characters)"


class Outputs:
    """The way out: sends records and keeps each cell within its bounds.

    Parameters
    ----------
    channel : socket.socket
        Takes one JSON record a line.
    limits : Limits
        `output` and `display` bound what is sent of a cell.
    """

    def __init__(self, channel: socket.socket, limits: Limits):
        self.channel, self.limits = channel, limits
        self.lock = threading.RLock()
        self.dumps = json.dumps  # held here, since a hand-in may put its own in place
        self.sending = self.interrupted = False
        self.notebook_left = 5 * limits.display
        self.begin()

    def begin(self) -> None:
        """Start a new cell: full bounds, new standard streams, Ctrl-C as Python has it."""
        self.text_left, self.cut = self.limits.output, 0
        self.display_left = min(self.limits.display, self.notebook_left)
        sys.stdout = io.TextIOWrapper(_Text(self, "stdout"), "utf-8", "backslashreplace")
        sys.stderr = io.TextIOWrapper(_Text(self, "stderr"), "utf-8", "backslashreplace", line_buffering=True)
        self.interrupted = False
        signal.signal(signal.SIGINT, self._interrupt)

    def end(self) -> None:
        """End a cell: a late Ctrl-C no longer counts."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.flush()

    def flush(self) -> None:
        """Send what the streams still hold."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # the hand-in may have put something else in its place
                stream.flush()

    def _interrupt(self, number: int, frame: Any) -> None:
        if self.sending:  # else half a record would be sent
            self.interrupted = True
        else:
            raise KeyboardInterrupt

    def send(self, **record: Any) -> None:
        """Send a record."""
        line = self.dumps(record, default=_encode, skipkeys=True, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        with self.lock:
            main = threading.current_thread() is threading.main_thread()
            self.sending = self.sending or main
            try:
                self.channel.sendall(line)
            finally:
                self.sending = self.sending and not main
        if main and self.interrupted:
            self.interrupted = False
            raise KeyboardInterrupt

    def stream(self, name: str, data: bytes) -> None:
        """Send what was written to a standard stream, as far as the bounds allow."""
        left = self.text_left
        text = bytes(data[: 4 * left]).decode("utf-8", "backslashreplace")[:left] if left else ""
        self.text_left -= len(text)
        if len(text) < len(data):
            self.cut += max(0, len(data) - len(text.encode("utf-8", "replace")))
        if text:
            self.send(type="stream", name=name, text=text)

    def rich(self, data: dict[str, Any], **fields: Any) -> None:
        """Send a rich output; beyond the bounds, the start of its text."""
        self.flush()
        size = sum(len(value) if isinstance(value, str | bytes) else len(repr(value)) for value in data.values())
        if size > self.display_left:
            self.cut += size
            if self.text_left <= 0:
                return
            data = {"text/plain": short(data.get("text/plain", ""), min(1000, self.text_left))}
            self.text_left -= len(data["text/plain"]) + 100
            size = 0
        self.display_left -= max(size, _SMALLEST)
        self.notebook_left -= max(size, _SMALLEST)
        self.send(data=data, **fields)


class _Text(io.BufferedIOBase):
    """What lies under sys.stdout and sys.stderr."""

    closed = False  # whatever a hand-in does to it

    def __init__(self, outputs: Outputs, name: str):
        self.outputs, self.name = outputs, name

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        if self.name == "stderr":  # in the order in which they were written
            with contextlib.suppress(Exception):
                sys.stdout.flush()
        self.outputs.stream(self.name, data)
        return len(data)
