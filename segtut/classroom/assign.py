"""Which cell of a hand-in is which of the template, also where names and order were lost."""

from collections.abc import Iterable

from nbformat import NotebookNode

from segtut.classroom.cells import names_defined, plain, similarity
from segtut.classroom.reading import grade_id
from segtut.classroom.template import Template

ALIKE, MUCH_ALIKE = 0.5, 0.75


def find_owners(cells: list[NotebookNode], template: Template) -> list[int | None]:
    """Find the template's cell that each cell of a hand-in comes from.

    nbgrader's names count first; then the same text; then the same id with a text that is alike; then, for answers,
    the names that they define; then texts that are much alike; last, for answers, the place between two known cells.

    Returns
    -------
    list of int or None
        A position in the template for each cell, the same for copies; None for a student's own cell.
    """
    blanks = template.blank.cells
    owners = [template.by_grade_id.get(grade_id(cell)) for cell in cells]
    answers = set(template.answers)
    texts: dict[str, list[int]] = {}
    for number, blank in enumerate(blanks):
        texts.setdefault(plain(blank.source), []).append(number)

    def free(number: int) -> bool:
        return number not in owners

    def left() -> Iterable[int]:
        return [here for here, owner in enumerate(owners) if owner is None and cells[here].source.strip()]

    for here in left():
        same = texts.get(plain(cells[here].source), [])
        owners[here] = next(filter(free, same), same[-1] if same else None)
    ids = {blank.get("id"): number for number, blank in enumerate(blanks)}
    for here in left():
        number = ids.get(cells[here].get("id"))
        if number is not None and free(number) and similarity(cells[here].source, blanks[number].source) >= ALIKE:
            owners[here] = number
    defined = {here: names_defined(cells[here].source) for here in left()}
    named = template.wanted | ({} if template.variant is None else {template.variant: {"MINE"}})
    for here in left():
        of = [number for number, names in named.items() if names & defined[here] and free(number)]
        if len(of) == 1:
            owners[here] = of[0]
    anyones = set().union(*template.wanted.values()) if template.wanted else set()
    for number in filter(free, range(len(blanks))):
        alike = {
            here: similarity(cells[here].source, blanks[number].source)
            for here in left()
            if cells[here].cell_type == blanks[number].cell_type and not (anyones & defined.get(here, set()))
        }
        best = max(alike, key=alike.get, default=None)
        if best is not None and alike[best] >= (ALIKE if number in answers else MUCH_ALIKE):
            owners[best] = number
    for number in filter(free, template.answers):
        if (here := _between(cells, owners, number, blanks[number].cell_type)) is not None:
            owners[here] = number
    return owners


def _between(cells: list[NotebookNode], owners: list[int | None], number: int, kind: str) -> int | None:
    """The one cell of a kind that stands between the known cells before and after a position of the template."""
    before = [here for here, owner in enumerate(owners) if owner is not None and owner < number]
    after = [here for here, owner in enumerate(owners) if owner is not None and owner > number]
    if not before and not after:
        return None
    start, end = (
        max(before, key=lambda here: owners[here], default=-1),
        min(after, key=lambda here: owners[here], default=len(cells)),
    )
    found = [
        here
        for here in range(start + 1, end)
        if owners[here] is None and cells[here].cell_type == kind and cells[here].source.strip()
    ]
    return found[0] if len(found) == 1 or (found and kind == "markdown") else None
