"""Run a hand-in in a process of its own: whatever it does, a notebook comes back and the batch goes on.

Here stands what happens to the notebook. `kernel_client` speaks with the process, `fork_server` makes it and watches
over it, `confine` takes from it what it could do harm with, `kernel` runs the cells in it.
"""

import copy
import time

import nbformat
from nbformat import NotebookNode

from segtut.classroom.confine import Limits
from segtut.classroom.kernel_client import DeathError, KernelClient, error, stop, stream, writable

__all__ = ["Limits", "execute", "stop"]


def execute(notebook: NotebookNode, limits: Limits = Limits()) -> NotebookNode:  # noqa: B008 (it is frozen)
    """Run a notebook in a process that can do no harm.

    A cell that goes on for too long is interrupted, and the next ones run. A cell that ends the process is left out
    when the others run again in a new one, so that answers before and after it still count.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        A notebook of format 4, which stays as it is.
    limits : Limits
        What it may take.

    Returns
    -------
    nbformat.NotebookNode
        A copy in which each code cell has its outputs, with one of the type ``error`` where it failed, was stopped or
        was not reached. ``metadata["segtut"]["execution"]`` has the ``seconds`` that it took, without the wait for
        its process, and ``notes``: sentences about what happened on the way.

    Raises
    ------
    RuntimeError
        No process can be started on this machine. Nothing that a hand-in does raises an error here.
    KeyboardInterrupt
        Ctrl-C, or a call of `stop`.
    """
    notebook = nbformat.from_dict(writable(notebook))
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in cells:
        cell.execution_count, cell.outputs = None, [error("NotReached", "This cell was not executed.")]
    run = _Run(cells, limits)
    for _ in range(limits.restarts + 1):
        if run.once():
            break
    else:
        run.not_reached(f"the cells before it ended Python {limits.restarts + 1} times")
    if not isinstance(notebook.metadata.get("segtut"), dict):
        notebook.metadata["segtut"] = NotebookNode()
    notebook.metadata["segtut"]["execution"] = NotebookNode(seconds=round(run.seconds, 2), notes=run.notes)
    return notebook


class _Run:
    """The cells of one hand-in on their way through one process, or through several."""

    def __init__(self, cells: list[NotebookNode], limits: Limits):
        self.cells, self.limits = cells, limits
        self.notes: list[str] = []
        self.seconds = 0.0
        self.reached = 0  # the cells before this one have their outputs, and keep them when they run again
        self.fatal: set[int] = set()  # cells that ended the process
        self.slow: set[int] = set()

    def once(self) -> bool:
        """Run the cells in a new process; False where one of them ended it."""
        with KernelClient(self.limits) as kernel:
            began = time.monotonic()
            end = began + self.limits.notebook_s - self.seconds
            try:
                for index, cell in enumerate(self.cells):
                    if index in self.fatal:
                        continue
                    if time.monotonic() > end:
                        self.not_reached(f"the notebook had used up its {self.limits.notebook_s:g} s")
                        return True
                    again = index < self.reached
                    self.reached = max(self.reached, index + 1)
                    try:
                        self.cell(kernel, index, copy.deepcopy(cell) if again else cell, end)
                    except DeathError as death:
                        self.fatal.add(index)
                        if not again:
                            cell.outputs.append(error("PythonEnded", f"This cell ended Python: {death}."))
                        self.note(index, f"ended Python: {death}")
                        return False
                return True
            finally:
                self.seconds += time.monotonic() - began

    def cell(self, kernel: KernelClient, index: int, cell: NotebookNode, end: float) -> None:
        """Run one cell."""
        seconds = self.limits.cell_s / (10 if index in self.slow else 1)  # once more, for what it defines first
        seconds = min(seconds, max(0.0, end - time.monotonic()))
        in_time = kernel.run(cell, seconds)
        if not in_time:
            if index not in self.slow:
                self.note(index, f"was stopped after {seconds:.3g} s")
            self.slow.add(index)
            cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
            sentence = f"This cell did not finish within {seconds:.3g} s, so it was stopped. Does a loop never end?"
            cell.outputs.append(error("TimeLimit", sentence))
        if kernel.cut:
            cell.outputs.append(stream(f"\n(The output of this cell was cut by {kernel.cut:,} characters.)\n"))
            if cell is self.cells[index]:
                self.note(index, f"printed or showed {kernel.cut:,} characters too many")

    def not_reached(self, why: str) -> None:
        for cell in self.cells[self.reached :]:
            cell.outputs = [error("NotReached", f"This cell was not executed, because {why}.")]
        if self.reached < len(self.cells):
            self.notes.append(f"From code cell {self.reached + 1} on, nothing was executed, because {why}.")
        self.reached = len(self.cells)

    def note(self, index: int, what: str) -> None:
        self.notes.append(f"Code cell {index + 1} {what}.")
