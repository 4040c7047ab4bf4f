"""A test counts as passed when it ran to its end, not when nobody heard of an error.

nbgrader gives a test cell its points if there is no error among its outputs, and none if a library wrote a warning
to stderr. So a hand-in that ends the kernel quietly would pass, and a right one that meets a warning fail. Here each
test prints a random word after its last line.
"""

import copy

import nbformat
from nbformat import NotebookNode

from segtut.classroom.template import is_test


def ask_for_proof(notebook: NotebookNode, token: str) -> NotebookNode:
    """Return a copy in which each test cell prints `token` at its end."""
    asked = copy.deepcopy(notebook)
    for cell in asked.cells:
        if is_test(cell) and cell.cell_type == "code":
            cell.source = f"{cell.source}\nprint({token!r})"
    return asked


def check_proof(executed: NotebookNode, asked: NotebookNode, token: str) -> NotebookNode:
    """Return a copy with the cells of `asked`, where a test has an error exactly if it did not run to its end.

    Parameters
    ----------
    executed : NotebookNode
        What came of ``ask_for_proof(asked, token)``.
    asked : NotebookNode
        Its sources and metadata are kept.
    token : str
        The word.
    """
    checked = copy.deepcopy(executed)
    if len(checked.cells) != len(asked.cells):
        raise ValueError("the executed notebook has other cells than the hand-in")
    facts = asked.metadata.get("segtut", {}) | executed.metadata.get("segtut", {})
    checked.metadata = copy.deepcopy(asked.metadata) | {"segtut": facts}
    for cell, original in zip(checked.cells, asked.cells):
        cell.source, cell.metadata, cell.cell_type = (
            original.source,
            copy.deepcopy(original.metadata),
            original.cell_type,
        )
        if not (is_test(cell) and cell.cell_type == "code"):
            continue
        text = "".join(output.text for output in cell.outputs if output.output_type == "stream")
        errors = [output for output in cell.outputs if output.output_type == "error"]
        proven = any(line.strip() == token for line in text.splitlines())
        kept = [output for output in cell.outputs if output.output_type in ("stream", "error")]
        if proven and not errors:
            kept = [output for output in kept if output.output_type == "stream"]
        elif not errors:
            kept.append(
                nbformat.v4.new_output(
                    "error", ename="NotFinished", evalue="The test did not run to its end.", traceback=[]
                )
            )
        for output in kept:
            if output.output_type == "stream":
                output.name = "stdout"  # nbgrader takes stderr, so every warning, for a failure
                output.text = output.text.replace(f"{token}\n", "")
            else:
                output.traceback = [line for part in output.traceback for line in part.split("\n") if token not in line]
        cell.outputs = kept
    return checked
