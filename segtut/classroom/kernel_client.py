"""The process of a hand-in, seen from the grader: started, asked to run cells, stopped."""

import atexit
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from segtut.classroom import fork_server
from segtut.classroom.confine import Limits

_START_S = 120  # the first process of a batch imports torch, and a busy machine takes its time
_GRACE_S = 2  # from the interrupt to the kill
_ENVIRONMENT = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONPATH": str(Path(__file__).parents[2]),
}
_KEPT = ("HOME", "TMPDIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "LD_LIBRARY_PATH")

_lock = threading.Lock()
_server: tuple[subprocess.Popen, socket.socket] | None = None


def _start(limits: Limits) -> tuple[socket.socket, socket.socket, subprocess.Popen]:
    """Start a process for a hand-in.

    Parameters
    ----------
    limits : Limits
        What it may take.

    Returns
    -------
    channel : socket.socket
        The way to `segtut.classroom.kernel.serve`.
    control : socket.socket
        Takes ``b"I"`` (interrupt) and ``b"K"`` (kill); gives one line, why the process ended, then closes. Closing
        it kills the process.
    server : subprocess.Popen
        The fork server, whose exit status says whether it was stopped.

    Raises
    ------
    RuntimeError
        The operating system has no fork.
    """
    if not hasattr(os, "fork"):
        raise RuntimeError("Hand-ins are run on Linux and macOS only; on Windows, use WSL.")
    channel, kernels_channel = socket.socketpair()
    control, servers_control = socket.socketpair()
    control.sendall(json.dumps(asdict(limits)).encode() + b"\n")
    with kernels_channel, servers_control, _lock:
        server, requests = _running()
        with suppress(BrokenPipeError):  # it has ended this moment: then both sockets close, which says so
            socket.send_fds(requests, [b"+"], [kernels_channel.fileno(), servers_control.fileno()])
    return channel, control, server


def stop() -> None:
    """End the fork server with all its processes and folders; what waits for them raises KeyboardInterrupt."""
    global _server
    with _lock:
        if _server is not None:
            process, requests = _server
            requests.close()
            process.wait()
            _server = None


def _running() -> tuple[subprocess.Popen, socket.socket]:
    global _server
    if _server is None or _server[0].poll() is not None:
        requests, servers = socket.socketpair()
        with servers:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", f"from {fork_server.__name__} import main; main()", str(servers.fileno())],
                env=_ENVIRONMENT | {name: os.environ[name] for name in _KEPT if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[servers.fileno()],
            )
        _server = process, requests
    return _server


atexit.register(stop)


class DeathError(Exception):
    """The process of the hand-in has ended; the message says why."""


class KernelClient:
    """The hand-in's process, seen from outside."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self.channel, self.control, self.server = _start(limits)
        self.channel.settimeout(10)  # for a cell's source; what comes back is waited for elsewhere
        self.buffer, self.received, self.cut = bytearray(), 0, 0
        self.displays: dict[str, list[NotebookNode]] = {}
        try:
            record = self._receive(time.monotonic() + _START_S)
        except (DeathError, TimeoutError) as failure:
            record = {"why": str(failure) or f"it took more than {_START_S} s"}
        if record.get("type") != "ready":
            self.__exit__()
            raise RuntimeError(f"The sandbox did not start: {record.get('why')}. Python's own message stands above.")

    def __enter__(self) -> "KernelClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.control.close()  # upon which the server kills the process
        self.channel.close()

    def run(self, cell: NotebookNode, seconds: float) -> bool:
        """Run a cell and put its outputs into it; False where it had to be interrupted."""
        cell.outputs, cell.execution_count, self.received, self.cut = [], None, 0, 0
        end = time.monotonic() + seconds
        self.token = secrets.token_hex()
        try:
            self.channel.sendall(json.dumps({"source": cell.source, "token": self.token}).encode() + b"\n")
        except OSError:
            self._end("it stopped listening")
        try:
            self._collect(cell, end)
            return True
        except TimeoutError:
            with suppress(OSError):
                self.control.sendall(b"I")
        try:
            self._collect(cell, time.monotonic() + _GRACE_S)
        except TimeoutError:
            self._end(f"it did not finish within {seconds:.3g} s and could not be interrupted")
        return False

    def _collect(self, cell: NotebookNode, end: float) -> None:
        """Take the cell's records in, up to the one that it is done."""
        clear = False
        while (record := self._receive(end)).get("token") != self.token:
            try:
                if record["type"] == "clear":
                    clear = record["wait"]
                    cell.outputs = cell.outputs if clear else []
                    continue
                if clear:
                    cell.outputs, clear = [], False
                self._add(cell, record)
            except DeathError:
                raise
            except Exception:  # not one of the kernel's records: the hand-in wrote it
                self._end("it sent what is not an output")
        self.cut, cell.execution_count = (
            value if isinstance(value := record.get(key), int) else 0 for key in ("cut", "execution_count")
        )
        if not record.get("success") and all(output.output_type != "error" for output in cell.outputs):
            cell.outputs.append(error("Failed", "This cell failed without a message."))

    def _add(self, cell: NotebookNode, record: dict[str, Any]) -> None:
        kind, shown = record.pop("type"), record.pop("display_id", None)
        last = cell.outputs[-1] if cell.outputs else {}
        if kind == "failed":
            self._end(f"what runs its cells was broken ({record['why']})")
        elif kind == "update":
            new = _output("display_data", record)
            for output in self.displays.get(shown, []):
                output.update({key: new[key] for key in ("data", "metadata") if "data" in new})
        elif kind == "stream" and last.get("name") == record["name"]:
            last.text += record["text"]
        else:
            cell.outputs.append(_output(kind, record))
            if shown is not None:
                self.displays.setdefault(shown, []).append(cell.outputs[-1])

    def _receive(self, end: float) -> dict[str, Any]:
        """The next record; one without a type where it is none of the kernel's."""
        while b"\n" not in self.buffer:
            ready = wait([self.channel, self.control], max(0.0, end - time.monotonic()))
            if not ready:
                raise TimeoutError
            data = self.channel.recv(2**20) if self.channel in ready else b""
            self.buffer += data
            self.received += len(data)
            if not data:
                self._end("it closed its way to the grader", patience=0.5)
            if self.received > 4 * self.limits.output + 2 * self.limits.display + 10**6:
                self._end("it sent far more than outputs may hold")
        line, _, self.buffer = self.buffer.partition(b"\n")
        try:
            record = writable(json.loads(line, parse_constant=str))
            return record if isinstance(record, dict) else {}
        except Exception:  # no JSON, or nested more deeply than Python goes
            return {}

    def _end(self, why: str, patience: float = 0) -> None:
        """Make sure that the process has ended, and raise why; the server knows better where it ended by itself."""
        if not wait([self.control], patience):
            with suppress(OSError):
                self.control.sendall(b"K")
        self.control.settimeout(30)
        with suppress(OSError, subprocess.TimeoutExpired), self.control.makefile("rb") as lines:
            reason = lines.read().decode()
            if not reason and self.server.wait(10) in (0, 129, 130, 143):  # closed, hung up, Ctrl-C, terminated
                raise KeyboardInterrupt
            why = reason if reason not in ("", fork_server.STOPPED) else why
        raise DeathError(why)


def writable(value: Any) -> Any:
    """Return the same JSON without the halves of characters that UTF-8 cannot hold."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _output(kind: str, fields: dict[str, Any]) -> NotebookNode:
    try:
        output = nbformat.v4.new_output(kind, **nbformat.from_dict(fields))
        nbformat.validate(output, ref="output", version=4)
        return output
    except nbformat.ValidationError:  # say, of an object that gives a wrong representation of itself
        return stream("(One output of this cell cannot be shown.)\n")


def error(name: str, sentence: str) -> NotebookNode:
    """Return an output for a cell that failed for another reason than its own code's error."""
    return nbformat.v4.new_output("error", ename=name, evalue=sentence, traceback=[f"{name}: {sentence}"])


def stream(text: str) -> NotebookNode:
    """Return an output that says something beside the cell's own."""
    return nbformat.v4.new_output("stream", name="stderr", text=text)
