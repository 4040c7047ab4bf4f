"""The template of an assignment: what a hand-in is brought onto."""

import copy
from dataclasses import dataclass
from functools import cached_property

import nbformat
from nbformat import NotebookNode

from segtut.classroom.cells import names_defined
from segtut.classroom.folder import ClassFolder
from segtut.classroom.reading import grade_id
from segtut.classroom.variants import variant_cell


@dataclass(frozen=True)
class Template:
    """The cells of an assignment in three forms, all in one order.

    Attributes
    ----------
    source : NotebookNode
        The teacher's, with solutions.
    blank : NotebookNode
        The students' version.
    """

    source: NotebookNode
    blank: NotebookNode

    @cached_property
    def cells(self) -> list[NotebookNode]:
        """Cells to grade with: the blank ones, but tests with their hidden parts."""
        cells = copy.deepcopy(self.blank.cells)
        for cell, source in zip(cells, self.source.cells):
            if is_test(cell):
                cell.source = source.source
        return cells

    @cached_property
    def by_grade_id(self) -> dict[str, int]:
        """Position of each cell that nbgrader has a name for."""
        return {grade_id(cell): number for number, cell in enumerate(self.blank.cells) if grade_id(cell)}

    @cached_property
    def answers(self) -> list[int]:
        """Positions of the cells that students write in."""
        return [number for number, cell in enumerate(self.blank.cells) if is_answer(cell)]

    @cached_property
    def wanted(self) -> dict[int, set[str]]:
        """The names that each answer has to define, as far as they are that answer's alone."""
        code = [number for number in self.answers if self.blank.cells[number].cell_type == "code"]
        own = {
            number: names_defined(self.blank.cells[number].source) or names_defined(self.source.cells[number].source)
            for number in code
        }
        return {
            number: own[number] - set().union(*(own[other] for other in code if other != number)) for number in code
        }

    @cached_property
    def variant(self) -> int | None:
        """Position of the cell with the students' own numbers."""
        cell = variant_cell(self.blank)
        return next((number for number, other in enumerate(self.blank.cells) if other is cell), None)

    @cached_property
    def questions(self) -> dict[str, list[NotebookNode]]:
        """The graded cells of each question, by the name of the answer that they stand below."""
        groups: dict[str, list[NotebookNode]] = {}
        current = None
        for cell in self.blank.cells:
            if is_answer(cell):
                current = grade_id(cell)
            if cell.metadata.get("nbgrader", {}).get("grade"):
                groups.setdefault(current or grade_id(cell), []).append(cell)
        return groups

    def points(self, question: str) -> float:
        """How many points a question gives at most."""
        return sum(float(cell.metadata.nbgrader.points) for cell in self.questions[question])

    def is_essay(self, question: str) -> bool:
        """Whether a teacher has to read the answer."""
        return any(is_answer(cell) for cell in self.questions[question])


def read_template(there: ClassFolder, name: str) -> Template:
    """Read the template of a released assignment."""
    read = lambda path: nbformat.read(path, as_version=4)  # noqa: E731
    return Template(read(there.source(name)), read(there.release(name)))


def is_answer(cell: NotebookNode) -> bool:
    """Whether students write in the cell."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def is_test(cell: NotebookNode) -> bool:
    """Whether the cell gives points by itself."""
    return bool(cell.metadata.get("nbgrader", {}).get("grade")) and not is_answer(cell)


def is_locked(cell: NotebookNode) -> bool:
    """Whether students were asked not to change the cell."""
    return bool(cell.metadata.get("nbgrader", {}).get("locked")) or is_test(cell)


def title(cell: NotebookNode) -> str:
    """How to speak of a cell: nbgrader's name of it, or its first line."""
    if "bootstrap" in cell.metadata.get("tags", []):
        return "that sets up"
    return grade_id(cell) or next((line.strip()[:40] for line in cell.source.splitlines() if line.strip()), "empty")
