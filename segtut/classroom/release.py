"""Release an assignment: the students' version, and one with own numbers for each student."""

import copy
import posixpath
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import metadata
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from segtut.classroom.folder import ClassFolder, ClassroomError, open_folder, safe_name, source_notebook
from segtut.classroom.leaks import prove_nothing_leaked
from segtut.classroom.roster import read_roster
from segtut.classroom.steps import generate_assignment, need_nbgrader
from segtut.classroom.tables import write_csv
from segtut.classroom.variants import choices, choose, variant_cell, write_variant
from segtut.files import write_atomically

BADGE = re.compile(r"\n*^\[!\[Open in Colab\]\(.*\)\]\(.*\)$\n*", re.MULTILINE)
"""It would open the source, with the solutions."""

LINK = re.compile(r"\]\((\.\.?/[^)\s]+)\)")
"""A link to a file beside the source; a notebook that is handed out lies alone."""


@dataclass(frozen=True)
class Released:
    """What `release` wrote."""

    notebook: Path
    variants: dict[str, dict] = field(default_factory=dict)


def student_version(source: NotebookNode, name: str) -> NotebookNode:
    """Strip solutions, hidden tests and mark schemes from an assignment, and prove that nothing of them is left.

    Parameters
    ----------
    source : NotebookNode
        With nbgrader's metadata; unchanged.
    name : str
        Of the assignment.

    Returns
    -------
    NotebookNode
        Without outputs, with the first choice of each number in the variant cell.

    Raises
    ------
    ClassroomError
        nbgrader refuses the notebook, something leaked, or nbgrader is missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        there = ClassFolder(Path(folder).resolve())
        _write(there.source(name), source)
        return _strip(there, name, source, gradebook=False)


def release(
    name: str,
    folder: str | Path = "class",
    source: str | Path | None = None,
    students: str | Path | None = None,
    seed: str | None = None,
    again: bool = False,
) -> Released:
    """Make the students' version of an assignment, and enter it in the class's grade book.

    Parameters
    ----------
    name : str
        The assignment, a file ``name.ipynb`` of `source`.
    folder : path
        The class's; made if it isn't there.
    source : path, optional
        Folder of the assignments with solutions; default ``notebooks/assignments``, here or of an editable install.
    students : path, optional
        List of students, as `read_roster` takes it: each gets a notebook with own numbers.
    seed : str, optional
        Of the choice of numbers; default a random one that the class keeps.
    again : bool
        Replace a release whose questions changed although answers to it were collected; their grades are forgotten.

    Returns
    -------
    Released
        The path of the notebook and each student's numbers.

    Raises
    ------
    ClassroomError
        There is no such assignment, something would leak, or the questions changed and `again` is not set.
    """
    need_nbgrader()
    path = source_notebook(name, source)
    there = open_folder(folder)
    with there.alone():
        roster = read_roster(students) if students else None
        notebook = nbformat.read(path, as_version=4)
        blank = student_version(notebook, name)  # so that what cannot be released changes nothing
        _refuse_changed_questions(there, name, blank, again)
        settings = there.keep(**({"seed": seed} if seed else {}), **({"students": roster} if roster else {}))
        _write(there.source(name), notebook)
        blank = _strip(there, name, notebook, gradebook=True)
        _write(there.release(name), blank)
        variants = {}
        if of := choices(notebook):
            names = [safe_name(student["name"]) for student in settings.get("students", [])]
            variants = {student: choose(settings["seed"], name, student, of) for student in names}
            for student, values in variants.items():
                _write(there.students(name) / f"{student}.ipynb", with_variant(blank, values))
            if variants:
                write_csv(there.variants(name), [{"student": key, **values} for key, values in variants.items()])
    return Released(there.release(name), variants)


def with_variant(notebook: NotebookNode, values: dict) -> NotebookNode:
    """Return a copy whose variant cell holds these values."""
    mine = copy.deepcopy(notebook)
    cell = variant_cell(mine)
    cell.source = write_variant(cell.source, values)
    return mine


def _strip(there: ClassFolder, name: str, source: NotebookNode, gradebook: bool) -> NotebookNode:
    """Let nbgrader make the release of ``there.source(name)``, and look at it before anyone else does."""
    need_nbgrader()
    scratch = there.root / ".release" / name / f"{name}.ipynb"
    generate_assignment(there, name, scratch.parts[-3], gradebook)
    blank = nbformat.read(scratch, as_version=4)
    scratch.unlink()
    for cell in blank.cells:
        cell.metadata.pop("segtut", None)  # the other students' choices
        if cell.cell_type == "markdown" and "nbgrader" not in cell.metadata:  # which has checksums of its cells
            cell.source = from_anywhere(BADGE.sub("\n\n", cell.source).strip())
    prove_nothing_leaked(source, blank)
    return blank


def from_anywhere(text: str) -> str:
    """Let links to the book's files, written for ``notebooks/assignments``, lead to the project's home on the web."""
    [home] = [
        url.partition(", ")[2] for url in metadata("segtut").get_all("Project-URL") if url.startswith("Repository")
    ]
    return LINK.sub(lambda link: f"]({home}/blob/main/{posixpath.normpath('notebooks/assignments/' + link[1])})", text)


def _refuse_changed_questions(there: ClassFolder, name: str, blank: NotebookNode, again: bool) -> None:
    if not there.release(name).is_file() or not there.collected(name).is_file():
        return
    if _questions(nbformat.read(there.release(name), as_version=4)) == _questions(blank):
        return
    if not again:
        raise ClassroomError(
            f"the questions of {name!r} are not those that were handed out, and answers were collected; release it "
            "with --again if the new ones shall count (the grades so far, also nbgrader's by hand, are then forgotten)"
        )
    from nbgrader.api import Gradebook, MissingEntry

    with Gradebook(there.gradebook) as book, suppress(MissingEntry):
        book.remove_assignment(name)


def _questions(notebook: NotebookNode) -> set:
    marks = [(cell.cell_type, cell.metadata.nbgrader) for cell in notebook.cells if "nbgrader" in cell.metadata]
    return {(kind, mark["grade_id"], mark["grade"], mark["solution"]) for kind, mark in marks}


def _write(path: Path, notebook: NotebookNode) -> None:
    write_atomically(path, lambda file: file.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8"))
