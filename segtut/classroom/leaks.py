"""The proof that nothing of the solutions stands in what is handed out."""

import json
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from segtut.classroom.folder import ClassroomError

BEGIN, END = (
    re.compile(r"BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME)"),
    re.compile(r"END (SOLUTION|HIDDEN TESTS|MARK SCHEME)"),
)
MARKER = re.compile(r"^\W*(BEGIN|END)\s+[A-Z]{2,}", re.MULTILINE)  # also misspelled ones, which nbgrader ignores
PUBLIC = re.compile(r"\s*(import|from|def|class)\s")
"""Lines of which the like stands in any program."""
SHORTEST = {"SOLUTION": 24, "HIDDEN TESTS": 12, "MARK SCHEME": 24}
"""Shorter lines, without spaces, stand in every program."""


def prove_nothing_leaked(source: NotebookNode, release: NotebookNode) -> None:
    """Compare a release with its source.

    Raises
    ------
    ClassroomError
        A line of a solution, of hidden tests or of a mark scheme stands in the release; only a solution's may stand in
        a program that the source gives to read. Or there is a marker, an output, an attachment or other metadata that
        could hold it.
    """
    shown = "".join(_squeezed(json.dumps([cell.source, cell.metadata], ensure_ascii=False)) for cell in release.cells)
    shown += _squeezed(json.dumps(release.metadata, ensure_ascii=False))
    programs = (cell for cell in source.cells if cell.cell_type == "code" and "nbgrader" not in cell.metadata)
    given = {_squeezed(line) for cell in programs for line in cell.source.splitlines()}
    for cell in source.cells:
        for kind, line in secret_lines(cell.source):
            enough = len(_squeezed(line)) >= SHORTEST[kind] and not PUBLIC.match(line)
            if kind == "SOLUTION" and _squeezed(line) in given:
                continue  # a program to mend shares most of its lines with the right one
            if enough and _squeezed(json.dumps(line.strip(), ensure_ascii=False)[1:-1]) in shown:
                what = "hidden tests" if kind == "HIDDEN TESTS" else f"a {kind.lower()}"
                raise ClassroomError(
                    f"the release would show a line of {what}: {line.strip()!r}; it also stands outside its region"
                )
    if "notebooks/assignments/" in shown:
        raise ClassroomError("the release would hold a link to notebooks/assignments, where the solutions are")
    for cell in release.cells:
        if found := MARKER.search(cell.source):
            raise ClassroomError(f"the release would hold the marker {found[0].strip()!r}: spell it as nbgrader does")
        if cell.get("outputs") or cell.get("execution_count") or cell.get("attachments"):
            raise ClassroomError(f"the release would hold outputs or attachments, in the cell {cell.source[:40]!r}")


def secret_lines(source: str) -> Iterator[tuple[str, str]]:
    """Yield each line of a cell's marked regions, with the kind of its region."""
    kind = None
    for line in source.splitlines():
        if found := BEGIN.search(line):
            kind = found[1]
        elif END.search(line):
            kind = None
        elif kind:
            yield kind, line


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
