"""The process in which a hand-in runs: IPython without programs, windows and questions."""

import builtins
import contextlib
import json
import os
import random
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from segtut.classroom.confine import Limits, confine
from segtut.classroom.outputs import Outputs, short


class _Publisher(DisplayPublisher):
    def publish(self, data, metadata=None, *, transient=None, update=False, **_) -> None:
        kind = "update" if update else "display_data"
        shown = (transient or {}).get("display_id")
        self.shell.outputs.rich(data, type=kind, metadata=metadata or {}, display_id=shown)

    def clear_output(self, wait=False) -> None:
        self.shell.outputs.flush()
        self.shell.outputs.send(type="clear", wait=bool(wait))


class _Result(DisplayHook):
    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict, md_dict=None) -> None:
        self.shell.outputs.rich(
            format_dict, type="execute_result", metadata=md_dict or {}, execution_count=self.prompt_count
        )

    def finish_displayhook(self) -> None:
        self._is_active = False


class Shell(InteractiveShell):
    """IPython that answers in records, as a notebook's kernel does, and starts no programs."""

    def showtraceback(self, exc_tuple=None, *arguments, **options) -> None:
        error = sys.exc_info()[1] if exc_tuple is None else exc_tuple[1]
        for _ in range(5):  # the error, what caused it, …
            frames = [trace := getattr(error, "__traceback__", None)]
            while trace is not None:
                frames.append(trace := trace.tb_next)
            if len(frames) > 30:  # of a recursion without end; IPython would look at each frame, for 20 s
                frames[10].tb_next = frames[-10]
            error = getattr(error, "__cause__", None) or getattr(error, "__context__", None)
        super().showtraceback(exc_tuple, *arguments, **options)

    def _showtraceback(self, etype, evalue, stb) -> None:
        self.outputs.flush()
        try:
            value = str(evalue)
        except BaseException:
            value = "(its message raised an error itself)"
        lines = short(self.InteractiveTB.stb2text(stb), self.outputs.limits.output)
        self.outputs.send(type="error", ename=short(etype.__name__, 200), evalue=short(value, 2000), traceback=[lines])

    def system(self, command) -> None:
        """Say that a command is not run, and go on, as a notebook does after a command that failed."""
        print(f"!{command} was not run: no programs are started while a hand-in is graded.")
        self.user_ns["_exit_code"] = 1

    system_raw = system_piped = system

    def getoutput(self, command, split=True, depth=0):
        self.system(command)
        return [] if split else ""

    def _tee(self, channel):  # IPython 9 keeps a copy of all that is printed, at five times the time of printing
        return contextlib.nullcontext()

    def enable_gui(self, gui=None) -> None:
        """There is no window to open."""

    def ask_exit(self) -> None:
        print("exit and quit do nothing while a hand-in is graded.")


def _no_input(prompt: Any = "") -> str:
    raise EOFError("Nobody is there to answer input() while a hand-in is graded: put the value into the code.")


def serve(channel: socket.socket, folder: Path, limits: Limits) -> None:
    """Run the cells that come in, one JSON line each, until the channel closes.

    Parameters
    ----------
    channel : socket.socket
        Cells come in as ``{"source": …, "token": …}``; records go out, for each cell a last one of the type ``done``
        with its token, which a hand-in that writes to the channel cannot easily know.
    folder : pathlib.Path
        The working folder, and the only one to write to.
    limits : Limits
        What the hand-in may take.
    """
    outputs = Outputs(channel, limits)
    os.environ.update(HOME=str(folder), TMPDIR=str(folder), IPYTHONDIR=str(folder / ".ipython"))
    tempfile.tempdir = str(folder)
    os.chdir(folder)
    sys.argv = [""]
    builtins.input = _no_input
    confine(folder, limits)
    config = Config({"HistoryManager": {"enabled": False}, "Completer": {"use_jedi": False}})
    Shell.outputs = outputs
    shell = Shell.instance(config=config, display_pub_class=_Publisher, displayhook_class=_Result)
    shell.run_line_magic("matplotlib", "inline")
    random.seed(0)  # the same hand-in gets the same points twice; torch starts from a constant anyway
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    loads, run = json.loads, shell.run_cell
    outputs.end()
    outputs.send(type="ready")
    for line in channel.makefile("r", encoding="utf-8"):
        request = loads(line)
        count, right = shell.execution_count, False
        try:
            try:
                Path.cwd()
            except OSError:  # the cell before deleted it
                folder.mkdir(parents=True, exist_ok=True)
                os.chdir(folder)
            outputs.begin()
            right = run(request["source"], store_history=True).success
        except BaseException as error:
            outputs.send(type="error", ename=type(error).__name__, evalue=short(repr(error), 2000), traceback=[])
        outputs.end()
        outputs.send(type="done", token=request["token"], success=bool(right), execution_count=count, cut=outputs.cut)
