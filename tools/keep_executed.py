"""A pytest plugin: what nbmake has executed without error is kept, so that the book need not execute it again.

``pytest --nbmake -p keep_executed``, with the folder in ``SEGTUT_KEEP``; see `tools/book.py`, ``chapters``.
"""

import os
import time
from pathlib import Path

import nbformat
from nbmake.nb_run import NotebookRun

_execute = NotebookRun.execute


def execute_and_keep(run):
    """Execute a notebook as nbmake does, and write it down with the seconds that it took."""
    start = time.perf_counter()
    result = _execute(run)
    if result.error is None:
        path = Path(run.filename).resolve()
        result.nb.metadata["segtut_executed"] = {"path": str(path), "seconds": time.perf_counter() - start}
        folder = Path(os.environ["SEGTUT_KEEP"])
        folder.mkdir(parents=True, exist_ok=True)
        # names of chapters and of their solutions are the same
        nbformat.write(result.nb, folder / f"{path.parent.name}-{path.name}")
    return result


def pytest_configure(config):
    """Put it in the place of nbmake's own."""
    NotebookRun.execute = execute_and_keep
