"""Bring a hand-in onto its assignment's template, and say what had to be mended."""

import copy
from collections.abc import Mapping

import nbformat
from nbformat import NotebookNode

from segtut.classroom.assign import find_owners
from segtut.classroom.cells import names_defined, plain, without_commands
from segtut.classroom.shield import shield
from segtut.classroom.template import Template, is_answer, is_locked, is_test, title
from segtut.classroom.variants import read_variant, write_variant


def repair(
    hand_in: NotebookNode,
    template: Template,
    mine: Mapping | None = None,
    variants: Mapping[str, Mapping] | None = None,
) -> tuple[NotebookNode, list[str]]:
    """Return the notebook to execute: the template's cells in their order, with the student's answers and own cells.

    Parameters
    ----------
    hand_in : NotebookNode
        As `read_hand_in` returns it; unchanged.
    template : Template
        Of the assignment.
    mine : dict, optional
        The student's numbers; if they aren't known, those in the hand-in are kept as long as they are among the
        choices, and else those of the published version hold.
    variants : dict, optional
        Every student's numbers, to say whose were found.

    Returns
    -------
    notebook : NotebookNode
    notes : list of str
        A sentence for each thing that was mended, addressed to the student.
    """
    cells = hand_in.cells
    owners = find_owners(cells, template)
    copies: dict[int, list[int]] = {}
    for here, owner in enumerate(owners):
        if owner is not None:
            copies.setdefault(owner, []).append(here)
    notes: list[str] = []
    variant_of: list[str] = []
    own = [here for here, owner in enumerate(owners) if owner is None and cells[here].source.strip()]
    repaired = copy.deepcopy(template.cells)
    chosen = {number: _choose(number, copies.get(number, []), cells, template, notes) for number in template.answers}
    for number, source in _answers(chosen, own, cells, template, notes).items():
        repaired[number].source = source
    for number, cell in enumerate(repaired):
        if not is_answer(cell) and number != template.variant:
            own += _check_given(number, copies.get(number, []), cells, template, notes)
    if template.variant is not None:
        found = [read_variant(cells[here].source) for here in copies.get(template.variant, [])]
        repaired[template.variant].source, variant_of = _variant(found, template, mine, variants or {}, notes)
    order = [copies[number][0] for number in sorted(copies)]
    if order != sorted(order):
        notes.append("Cells had been moved; they were put back in their order.")

    after: dict[int, list[NotebookNode]] = {}
    for here in sorted(own):
        anchor = next((owners[back] for back in range(here, -1, -1) if owners[back] is not None), -1)
        after.setdefault(anchor, []).append(_own_cell(cells[here], f"own-{here}"))
    ordered = after.get(-1, [])
    for number, cell in enumerate(repaired):
        ordered += [cell, *after.get(number, [])]
    for cell in ordered:
        if cell.cell_type == "code" and (is_answer(cell) or cell.id.startswith("own-")):
            cell.source, commands = without_commands(cell.source)
            notes += [f"The line `{command[:60]}` is a command, not Python; it was not run." for command in commands]
    ordered = shield(ordered, template, notes)
    metadata = copy.deepcopy(template.blank.metadata) | {"segtut": {"variant_of": variant_of}}
    return nbformat.v4.new_notebook(cells=ordered, metadata=metadata), notes


def _choose(number: int, copies: list[int], cells, template: Template, notes: list[str]) -> int | None:
    """Of the copies of an answer's cell the one that counts: the last that was worked on."""
    blank = template.blank.cells[number]
    edited = [here for here in copies if plain(cells[here].source) not in (plain(blank.source), "")]
    if len(copies) > 1 and len({plain(cells[here].source) for here in copies}) > 1:
        which = "the last one counts" if len(edited) > 1 else "the one that you worked on counts"
        notes.append(f"The answer {title(blank)} was there {len(copies)} times; {which}.")
    if edited and cells[edited[-1]].cell_type != blank.cell_type:
        notes.append(
            f"The answer {title(blank)} had become a {cells[edited[-1]].cell_type} cell; it was turned back into "
            f"{'text' if blank.cell_type == 'markdown' else 'code'}."
        )
    return edited[-1] if edited else None


def _answers(chosen: dict, own: list[int], cells, template: Template, notes: list[str]) -> dict[int, str]:
    """The text of each answer; what was written into another cell is found by the name that it defines."""
    sources = {}
    given = {plain(blank.source) for blank in template.blank.cells}
    texts = {here: names_defined(cell.source) for here, cell in enumerate(cells) if plain(cell.source) not in given}
    for number, here in chosen.items():
        blank, wanted = template.blank.cells[number], template.wanted.get(number, set())
        mine = cells[here].source if here is not None else None
        if mine is not None and (not wanted or wanted & texts[here]):
            sources[number] = mine
            continue
        elsewhere = [other for other, names in texts.items() if other != here and wanted & names]
        if elsewhere:
            other = max(elsewhere)
            if other in own:
                own.remove(other)
            earlier = next((before for before, there in chosen.items() if there == other and before < number), None)
            moved = cells[other].source if earlier is None else f"# answered in {title(template.blank.cells[earlier])}"
            sources[number] = f"{mine}\n\n{moved}" if mine else moved
            notes.append(
                f"The answer {title(blank)} was found in another cell, by the name {min(wanted & texts[other])}."
            )
        elif mine is not None:
            sources[number] = mine
        else:
            notes.append(f"The answer {title(blank)} is not filled in.")
    return sources


def _check_given(number: int, copies: list[int], cells, template: Template, notes: list[str]) -> list[int]:
    """Note what became of a cell that was not to be filled in; return the changed one if it may run after ours."""
    blank = template.blank.cells[number]
    if blank.cell_type != "code":
        return []
    what = "test" if is_test(blank) else "cell"
    if not copies:
        notes.append(f"The {what} {title(blank)} had been deleted; it was put back.")
        return []
    if any(plain(cells[here].source) == plain(blank.source) for here in copies):
        return []
    if is_locked(blank) or "bootstrap" in blank.metadata.get("tags", []):
        notes.append(f"The {what} {title(blank)} had been changed; it was restored.")
        return []
    if cells[copies[-1]].source.strip():
        notes.append(f"The cell {title(blank)} had been changed; yours runs after the original.")
        return [copies[-1]]
    return []


def _variant(found: list, template: Template, mine, variants: Mapping, notes: list[str]) -> tuple[str, list[str]]:
    """The text of the cell with the student's own numbers, and whose were found in its place."""
    source = template.blank.cells[template.variant].source
    published = read_variant(source)
    held, others = next((values for values in reversed(found) if values), None), []
    if mine is None:
        of = template.source.cells[template.variant].metadata.get("segtut", {}).get("variant", {})
        fits = held is not None and held.keys() == of.keys() and all(held[key] in of[key] for key in of)
        mine = held if fits else published
    if held is None:
        notes.append("The cell with your own numbers had been deleted or broken; it was put back.")
    elif held != mine:
        others = [student for student, values in variants.items() if values == held]
        whose = "those of the published version" if held == published else "nobody's"
        whose = f"those of {', '.join(others[:3])}{' and others' if len(others) > 3 else ''}" if others else whose
        notes.append(f"The numbers in MINE were not yours but {whose}; yours were put back: {dict(mine)}.")
    return write_variant(source, mine) if mine else source, others


def _own_cell(cell: NotebookNode, name: str) -> NotebookNode:
    make = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
    return make(cell.source, id=name)
