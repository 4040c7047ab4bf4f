import copy
import json
import random
import string

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from segtut.classroom.reading import Unreadable, read_hand_in
from segtut.classroom.repair import repair
from segtut.classroom.template import is_answer, is_test
from tests.classroom.common import ANSWERS, answered, by_id, run_here

FULL = {"area-test", "area-hidden", "box-test", "box-hidden", "own-test"}


def passed(notebook):
    """Names of the tests that pass."""
    executed = run_here(notebook)
    return {
        cell.metadata.nbgrader.grade_id
        for cell in executed.cells
        if is_test(cell) and not any(output.output_type == "error" for output in cell.outputs)
    }


def mended(hand_in, template, mine=None, variants=None):
    """Write, read and repair."""
    read, _ = read_hand_in(json.dumps(hand_in).encode())
    return repair(read, template, mine, variants)


def position(notebook, grade_id):
    return notebook.cells.index(by_id(notebook, grade_id))


def strip_metadata(notebook, ids=True):
    for number, cell in enumerate(notebook.cells):
        cell.metadata.clear()
        if ids:
            cell["id"] = f"{number * 7919 % 104729:08x}"
    return notebook


def test_an_untouched_answer_needs_no_repair(template, blank):
    notebook, notes = mended(answered(blank), template)
    assert notes == [] and passed(notebook) == FULL
    assert [cell.source for cell in notebook.cells if is_test(cell)] == [
        cell.source for cell in template.source.cells if is_test(cell)
    ]


def test_the_blank_release_passes_nothing(template, blank):
    notebook, notes = mended(blank, template)
    assert passed(notebook) == set()
    assert [note for note in notes if "not filled in" in note] == notes and len(notes) == 4


def test_a_deleted_test_comes_back(template, blank):
    hand_in = answered(blank)
    del hand_in.cells[position(hand_in, "area-hidden")], hand_in.cells[position(hand_in, "box-test")]
    notebook, notes = mended(hand_in, template)
    assert passed(notebook) == FULL
    assert sum("had been deleted" in note for note in notes) == 2


def test_a_changed_test_is_restored(template, blank):
    hand_in = answered(blank, area="def area(height, width):\n    return 6")
    by_id(hand_in, "area-test").source = "assert True"
    by_id(hand_in, "area-hidden").source = ""
    notebook, notes = mended(hand_in, template)
    assert passed(notebook) == FULL - {"area-hidden"}
    assert "The test area-test had been changed; it was restored." in notes


def test_cells_go_back_to_their_order(template, blank):
    hand_in = answered(blank)
    random.Random(0).shuffle(hand_in.cells)
    notebook, notes = mended(hand_in, template)
    assert passed(notebook) == FULL and "Cells had been moved; they were put back in their order." in notes


def test_of_copies_the_edited_one_counts(template, blank):
    for first in (True, False):
        hand_in = answered(blank)
        stub = copy.deepcopy(by_id(blank, "area"))
        where = position(hand_in, "area") + (0 if first else 1)
        hand_in.cells.insert(where, stub)
        notebook, notes = mended(hand_in, template)
        assert passed(notebook) == FULL
        assert any("there 2 times; the one that you worked on counts" in note for note in notes)


def test_of_two_edited_copies_the_last_counts(template, blank):
    hand_in = answered(blank, area="def area(height, width):\n    return 0")
    again = copy.deepcopy(by_id(hand_in, "area"))
    again.source = ANSWERS["area"]
    hand_in.cells.insert(position(hand_in, "area") + 1, again)
    notebook, notes = mended(hand_in, template)
    assert passed(notebook) == FULL and any("the last one counts" in note for note in notes)
    assert sum(cell.metadata.get("nbgrader", {}).get("grade_id") == "area" for cell in notebook.cells) == 1


@pytest.mark.parametrize("ids", [True, False])
def test_stripped_metadata_is_found_again(template, blank, ids):
    notebook, notes = mended(strip_metadata(answered(blank), ids), template)
    assert passed(notebook) == FULL and notes == []
    assert by_id(notebook, "essay").source == ANSWERS["essay"]
    assert len(notebook.cells) == len(template.cells)


def test_stripped_metadata_with_own_cells_and_an_essay_without_the_question(template, blank):
    hand_in = answered(blank, essay="完全不同的文字 and nothing of the prompt.")
    strip_metadata(hand_in)
    hand_in.cells.insert(3, new_code_cell("import itertools"))
    hand_in.cells.insert(7, new_code_cell("area(1, 1)"))
    notebook, notes = mended(hand_in, template)
    assert passed(notebook) == FULL and by_id(notebook, "essay").source.startswith("完全")
    assert any(cell.source == "import itertools" for cell in notebook.cells) and notes == []


def test_stripped_and_shifted_ids_do_not_mislead(template, blank):
    """nbstripout numbers the cells anew, so that after a deletion every id is that of another cell."""
    hand_in = answered(blank)
    del hand_in.cells[4]
    for number, cell in enumerate(hand_in.cells):
        cell.metadata.clear()
        cell["id"] = str(number)
    notebook, _ = mended(hand_in, template)
    assert passed(notebook) == FULL and by_id(notebook, "essay").source == ANSWERS["essay"]


def test_an_answer_in_another_cell_is_found_by_its_name(template, blank):
    hand_in = answered(blank, area=None)
    hand_in.cells.append(new_code_cell(ANSWERS["area"]))
    notebook, notes = mended(hand_in, template)
    assert passed(notebook) == FULL
    assert any("area was found in another cell" in note for note in notes)


@pytest.mark.parametrize("where", ["area", "box"])
def test_merged_answers_are_found(template, blank, where):
    other = "box" if where == "area" else "area"
    for delete in (True, False):
        hand_in = answered(blank, **{where: f"{ANSWERS['area']}\n\n{ANSWERS['box']}", other: None})
        if delete:
            del hand_in.cells[position(hand_in, other)]
        assert passed(mended(hand_in, template)[0]) == FULL


def test_an_answer_in_a_test_cell_is_found(template, blank):
    hand_in = answered(blank, area=None)
    cell = by_id(hand_in, "area-test")
    cell.source = f"{ANSWERS['area']}\n\n{cell.source}"
    assert passed(mended(hand_in, template)[0]) == FULL


def test_a_split_answer_keeps_both_parts(template, blank):
    hand_in = answered(blank, area="def multiplied(a, b):\n    return a * b")
    where = position(hand_in, "area") + 1
    hand_in.cells.insert(where, new_code_cell("def area(height, width):\n    return multiplied(height, width)"))
    assert passed(mended(hand_in, template)[0]) == FULL


def test_a_deleted_answer_is_a_stub(template, blank):
    hand_in = answered(blank)
    del hand_in.cells[position(hand_in, "box")]
    notebook, notes = mended(hand_in, template)
    assert passed(notebook) == FULL - {"box-test", "box-hidden"} and "The answer box is not filled in." in notes


def test_own_cells_stay_after_the_cell_that_they_followed(template, blank):
    hand_in = answered(blank, area="def area(height, width):\n    return helper(height, width)")
    hand_in.cells.insert(0, new_code_cell("import operator"))
    hand_in.cells.insert(position(hand_in, "area"), new_code_cell("def helper(a, b):\n    return operator.mul(a, b)"))
    hand_in.cells.insert(position(hand_in, "box") + 1, new_markdown_cell("my thoughts"))
    notebook, notes = mended(hand_in, template)
    assert passed(notebook) == FULL and notes == []
    assert notebook.cells[0].source == "import operator"
    assert notebook.cells[position(notebook, "box") + 1].source == "my thoughts"


def test_a_changed_import_cell_runs_after_the_original(template, blank):
    hand_in = answered(blank, area="def area(height, width):\n    return operator.mul(height, width)")
    hand_in.cells[2].source = "import math\nimport operator"
    notebook, notes = mended(hand_in, template)
    assert passed(notebook) == FULL and any("yours runs after the original" in note for note in notes)


@pytest.mark.parametrize("make", [new_markdown_cell, new_raw_cell])
def test_a_changed_cell_type_is_undone(template, blank, make):
    hand_in = answered(blank)
    for name in ("area", "area-test"):
        cell = by_id(hand_in, name)
        hand_in.cells[hand_in.cells.index(cell)] = make(cell.source, metadata=cell.metadata)
    essay = by_id(hand_in, "essay")
    hand_in.cells[hand_in.cells.index(essay)] = new_code_cell(essay.source, metadata=essay.metadata)
    notebook, notes = mended(hand_in, template)
    assert passed(notebook) == FULL
    assert by_id(notebook, "essay").cell_type == "markdown" and by_id(notebook, "essay").source == ANSWERS["essay"]
    assert sum("turned back" in note for note in notes) == 2


def test_own_variant_comes_back_and_whose_it_was_is_said(template, blank):
    hand_in = answered(blank)
    hand_in.cells[3].source = 'MINE = {"H": 5, "W": 8}  # your own numbers'
    variants = {"Ada": {"H": 6, "W": 9}, "Li Na": {"H": 5, "W": 8}}
    notebook, notes = mended(hand_in, template, variants["Ada"], variants)
    assert notebook.cells[3].source == 'MINE = {"H": 6, "W": 9}  # your own numbers'
    assert notebook.metadata.segtut.variant_of == ["Li Na"]
    assert any("not yours but those of Li Na" in note for note in notes)
    assert mended(hand_in, template, variants["Li Na"], variants)[1] == []
    del hand_in.cells[3]
    assert mended(hand_in, template, variants["Ada"])[0].cells[3].source.startswith('MINE = {"H": 6, "W": 9}')


def test_numbers_of_an_unknown_student_are_kept_if_they_are_choices(template, blank):
    hand_in = answered(blank)
    for text, kept in (('{"H": 6, "W": 8}', True), ('{"H": 1, "W": 1}', False), ("{H: 1}", False), ("3", False)):
        hand_in.cells[3].source = f"MINE = {text}"
        source = mended(hand_in, template)[0].cells[3].source
        expected = text if kept else '{"H": 4, "W": 7}'
        assert source == f"MINE = {expected}  # your own numbers"


def test_redefined_names_do_not_reach_the_tests(template, blank):
    hand_in = answered(blank, area="def area(h, w):\n    return 0", own="MINE = {'H': 0, 'W': 0}\nnumber_of_mine = 0")
    hand_in.cells.insert(4, new_code_cell("isclose = lambda a, b: True"))
    notebook, notes = mended(hand_in, template)
    assert passed(notebook) == {"box-test", "box-hidden"}
    assert {"isclose", "MINE"} == {note.split()[3] for note in notes if "another meaning" in note}


def test_commands_are_commented_out(template, blank):
    area = "%pip install x\nif True:\n    !ls -l\ndef area(height, width):\n    return (height\n        * width)"
    hand_in = answered(blank, area=area, box=f"%%time\n{ANSWERS['box']}", own="x = (407\n% 1000)\nnumber_of_mine = x")
    hand_in.cells.append(new_code_cell("%%bash\nrm -r x"))
    notebook, notes = mended(hand_in, template)
    assert passed(notebook) == FULL
    assert sum("it was not run" in note for note in notes) == 4
    assert "\n% 1000" in by_id(notebook, "own").source


def test_what_editors_add_is_dropped(template, blank):
    hand_in = answered(blank)
    hand_in.metadata = {"colab": {"provenance": []}, "widgets": {"x": 1}, "kernelspec": {"name": "julia"}}
    for cell in hand_in.cells:
        cell.metadata |= {"id": "abc", "outputId": "x", "colab": {"base_uri": "u"}}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [nbformat.v4.new_output("stream", text="leftover")], 7
    notebook, notes = mended(hand_in, template)
    text = nbformat.writes(notebook)
    assert notes == [] and not any(word in text for word in ("colab", "leftover", "julia", "outputId"))
    nbformat.validate(notebook)


def test_old_formats_are_read(template, blank):
    hand_in = answered(blank)
    old = nbformat.convert(nbformat.from_dict(json.loads(json.dumps(hand_in))), 3)
    notebook, _ = mended(old, template)
    assert passed(notebook) == FULL
    four = json.loads(json.dumps(hand_in)) | {"nbformat_minor": 0}
    for cell in four["cells"]:
        del cell["id"]
        cell["source"] = cell["source"].splitlines(keepends=True)
    assert passed(mended(four, template)[0]) == FULL


def test_encodings(template, blank):
    text = json.dumps(answered(blank, area=f"# größer\n{ANSWERS['area']}"), ensure_ascii=False)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "latin-1"):
        notebook, notes = read_hand_in(text.encode(encoding))
        assert by_id(notebook, "area").source.startswith("# größer")
        assert bool(notes) == (not encoding.startswith("utf-8"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"), (b"  \n\0", "empty"), (b"<html>", "not JSON"), (b"PK\x03\x04", "not JSON"), (b"[1]", "a note"),
        (b'{"a": 1}', "not a note"), (b"[" * 100_000, "not JSON"), (b'{"worksheets": 3}', "format"),
        (b'{"nbformat": 9, "cells": []}', "format"),
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_said(content, says):
    with pytest.raises(Unreadable, match=says):
        read_hand_in(content)


def test_broken_cells_do_no_harm(template, blank):
    hand_in = json.loads(json.dumps(answered(blank)))
    hand_in["cells"] += [
        None, 3, {}, {"cell_type": "heading", "source": "x"}, {"cell_type": "code", "metadata": None, "source": None},
        {"cell_type": "code", "metadata": {"nbgrader": "x", "tags": "variant"}, "source": ["a = '\ud83d'", 5]},
        {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": ["x"]}}, "source": "x ="},
    ]  # fmt: skip
    notebook, _ = mended(hand_in, template)
    assert passed(notebook) == FULL
    nbformat.writes(notebook).encode()


def test_any_damage_leaves_the_template_whole(template, blank):
    """Whatever happens to cells, each of the template is there once, in order, and nothing raises."""
    random_ = random.Random(1)
    order = [cell.metadata.nbgrader.grade_id for cell in template.cells if "nbgrader" in cell.metadata]
    for _ in range(40):
        hand_in = answered(blank)
        for _ in range(random_.randint(1, 8)):
            here = random_.randrange(len(hand_in.cells))
            damage = random_.choice(["delete", "copy", "move", "strip", "cut", "noise"])
            cell = hand_in.cells[here]
            if damage == "delete" and len(hand_in.cells) > 1:
                del hand_in.cells[here]
            elif damage == "copy":
                hand_in.cells.insert(random_.randrange(len(hand_in.cells)), copy.deepcopy(cell))
            elif damage == "move":
                hand_in.cells.insert(random_.randrange(len(hand_in.cells)), hand_in.cells.pop(here))
            elif damage == "strip":
                cell.metadata.clear()
            elif damage == "cut":
                cell.source = cell.source[: random_.randrange(len(cell.source) + 1)]
            else:
                cell.source = "".join(random_.choices(string.printable, k=30))
        notebook, _ = mended(hand_in, template)
        nbformat.validate(notebook)
        assert [cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata] == order
        given = [cell.source for cell in notebook.cells if is_test(cell)]
        assert given == [cell.source for cell in template.cells if is_test(cell)]
        assert sum(is_answer(cell) for cell in notebook.cells) == 4
