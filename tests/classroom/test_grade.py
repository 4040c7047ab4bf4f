import sqlite3
import threading
import time

import nbformat
import pytest
from openpyxl import load_workbook

from segtut.classroom import collect, grade
from segtut.classroom.book import read_marks, set_manual
from segtut.classroom.folder import ClassFolder, ClassroomError
from segtut.classroom.proof import ask_for_proof, check_proof
from segtut.classroom.release import with_variant
from segtut.classroom.tables import read_records, write_csv
from segtut.classroom.template import read_template
from segtut.classroom.variants import read_variants
from tests.classroom.common import ANSWERS, NAME, answered, own, run_here, write


def hand_in(room, student, blank, **answers):
    """Write a hand-in with right answers but for those named."""
    values = read_variants(ClassFolder(room / "class").variants(NAME)).get(student, {"H": 4, "W": 7})
    notebook = with_variant(answered(blank, **{"own": own(values)} | answers), values)
    write(room / "in" / student / "x.ipynb", notebook)


def graded(room, execute=run_here, **options):
    collect(NAME, room / "in", room / "class")
    return {row["student"]: row for row in grade(NAME, room / "class", execute=execute, **options)}


def essays(room):
    return ClassFolder(room / "class").grades(NAME, "-essays.csv")


def fill_in(room, **cells):
    rows = read_records(essays(room))
    write_csv(essays(room), [row | cells for row in rows])


REASON, EXAMPLE = "names the reason the teacher thinks of (of 2)", "gives an example (of 1)"


def test_a_class_is_graded(room, blank):
    hand_in(room, "Ada Lovelace", blank)
    hand_in(room, "王伟", blank, area="def area(height, width):\n    return int(height) * int(width)")
    hand_in(room, "Li Na", blank, area="def area(:", box="raise SystemExit", own=None)
    write(room / "in" / "Someone.ipynb", blank)
    (room / "in" / "Empty.ipynb").write_text("")
    rows = graded(room, jobs=1)
    points = {student: [row[question] for question in ("area", "box", "own", "essay")] for student, row in rows.items()}
    assert points == {
        "Ada Lovelace": [5, 2, 1, None],
        "王伟": [2, 2, 1, None],
        "Li Na": [0, 0, 0, None],
        "Jürgen Müller": [0, 0, 0, 0],
        "Someone": [0, 0, 0, 0],
        "Empty": [0, 0, 0, 0],
    }
    assert rows["Ada Lovelace"]["total"] == 8 and rows["Ada Lovelace"]["out of"] == 11
    assert rows["Jürgen Müller"]["notes"] == "Nothing was handed in." and "empty" in rows["Empty"]["notes"]
    there = ClassFolder(room / "class")
    table = there.grades(NAME, ".csv")
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")
    assert {row["student"]: row["total"] for row in read_records(table)}["王伟"] == "5.0"
    sheet = load_workbook(there.grades(NAME, ".xlsx")).active
    assert [cell.value for cell in sheet[1]][:6] == ["student", "area", "box", "own", "essay", "total"]


def test_what_is_graded_is_not_executed_again(room, blank):
    calls = []

    def counting(notebook):
        calls.append(1)
        return run_here(notebook)

    hand_in(room, "Ada Lovelace", blank)
    hand_in(room, "Li Na", blank)
    first = graded(room, counting)
    assert graded(room, counting) == first and len(calls) == 2
    hand_in(room, "Li Na", blank, area=None)
    assert graded(room, counting)["Li Na"]["area"] == 0 and len(calls) == 3


def test_an_interrupted_grading_goes_on(room, blank):
    calls = []

    def interrupted(notebook):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run_here(notebook)

    for student in ("Ada Lovelace", "Li Na", "王伟"):
        hand_in(room, student, blank)
    with pytest.raises(KeyboardInterrupt):
        graded(room, interrupted, jobs=1)
    done = len(list((room / "class" / "submitted").rglob("*.ipynb")))
    assert done >= 1
    before = len(calls)
    assert all(row["total"] == 8 for row in graded(room, interrupted).values() if row["student"] != "Jürgen Müller")
    assert len(calls) - before == 3 - done


def test_one_failure_stops_nobody(room, blank):
    def failing(notebook):
        if any("fail here" in cell.source for cell in notebook.cells):
            raise RuntimeError("no process")
        return run_here(notebook)

    hand_in(room, "Ada Lovelace", blank)
    hand_in(room, "Li Na", blank, area="# fail here")
    rows = graded(room, failing)
    assert rows["Ada Lovelace"]["total"] == 8
    assert rows["Li Na"]["total"] == 0 and "could not be graded (RuntimeError: no process)" in rows["Li Na"]["notes"]


def test_hand_ins_are_executed_side_by_side(room, blank):
    both = threading.Barrier(2, timeout=30)

    def meeting(notebook):
        both.wait()
        return _passing(notebook)

    hand_in(room, "Ada Lovelace", blank)
    hand_in(room, "Li Na", blank)
    rows = graded(room, meeting, jobs=2)
    assert [rows[student]["notes"] for student in ("Ada Lovelace", "Li Na")] == ["", ""]


def _passing(notebook):
    """As if every test had passed, without executing: `run_here` redirects output for all threads."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and "print('" in cell.source:
            token = cell.source.rsplit("print('", 1)[1][:-2]
            cell.outputs = [nbformat.v4.new_output("stream", text=f"{token}\n")]
    return notebook


def test_a_test_passes_only_if_it_ran_to_its_end(template):
    notebook = nbformat.v4.new_notebook(cells=[cell for cell in template.cells if cell.source.startswith("assert")][:1])
    stream = lambda text, name="stdout": nbformat.v4.new_output("stream", name=name, text=text)  # noqa: E731
    error = nbformat.v4.new_output("error", ename="E", evalue="v", traceback=["a\nprint('secret')\nb"])
    result = nbformat.v4.new_output("execute_result", data={"text/plain": "2.0"})
    for outputs, passes in (
        ([stream("secret\n")], True),
        ([stream("right\nsecret\n"), stream("Warning\n", "stderr")], True),
        ([stream("secret\n"), error], False),
        ([error], False),
        ([result], False),
        ([], False),
        ([stream("not secret\n", "stderr")], False),
    ):
        executed = ask_for_proof(notebook, "secret")
        assert executed.cells[0].source.endswith("\nprint('secret')")
        executed.cells[0].outputs = outputs
        cell = check_proof(executed, notebook, "secret").cells[0]
        assert cell.source == notebook.cells[0].source and "'secret'" not in str(cell.outputs)
        assert any(output.output_type == "error" for output in cell.outputs) != passes
        assert all(output.get("name") != "stderr" for output in cell.outputs)


def test_essays_are_graded_in_the_table(room, blank):
    hand_in(room, "Ada Lovelace", blank)
    hand_in(room, "Li Na", blank, essay=None)
    graded(room)
    (row,) = read_records(essays(room))
    assert (
        row["student"] == "Ada Lovelace" and "Because it is so" in row["answer"] and row[REASON] == row[EXAMPLE] == ""
    )
    fill_in(room, **{REASON: "1,5", EXAMPLE: "1", "comment": "Fine."})
    assert graded(room)["Ada Lovelace"]["essay"] == 2.5
    assert read_records(essays(room))[0][REASON] == "1,5"
    for text, points, says in (("9", 3, "nearest"), ("-1", 1, "nearest"), ("two", 1, "no number"), ("", 1, None)):
        fill_in(room, **{REASON: text, EXAMPLE: "1"})
        row = graded(room)["Ada Lovelace"]
        assert row["essay"] == points and (says is None or says in row["notes"])
    hand_in(room, "Ada Lovelace", blank, essay="Something else.")
    row = graded(room)["Ada Lovelace"]
    assert row["essay"] == 1 and "changed after it was graded" in row["notes"]


def test_grades_given_in_nbgrader_survive(room, blank):
    hand_in(room, "Ada Lovelace", blank)
    graded(room)
    there = ClassFolder(room / "class")
    set_manual(there, NAME, "Ada Lovelace", "essay", 2.5)
    hand_in(room, "Ada Lovelace", blank, area=None)
    row = graded(room)["Ada Lovelace"]
    assert (row["essay"], row["area"]) == (2.5, 0)
    assert read_marks(there, NAME)["Ada Lovelace"].points["essay"] == 2.5


def test_a_locked_grade_book_is_one_sentence(room, blank, monkeypatch):
    hand_in(room, "Ada Lovelace", blank)
    book = sqlite3.connect(room / "class" / "gradebook.db")
    book.execute("BEGIN EXCLUSIVE")
    import sqlalchemy

    create = sqlalchemy.create_engine
    quick = lambda url, **options: create(url, connect_args={"timeout": 0.1}, **options)  # noqa: E731
    monkeypatch.setattr("nbgrader.api.create_engine", quick)
    try:
        with pytest.raises(ClassroomError, match="locked"):
            graded(room)
    finally:
        book.close()
    monkeypatch.undo()
    assert graded(room)["Ada Lovelace"]["total"] == 8


def test_nothing_collected_is_said(room):
    with pytest.raises(ClassroomError, match=f"segtut class collect {NAME}"):
        grade(NAME, room / "class", execute=run_here)


def test_questions_gather_public_and_hidden_tests(template, released):
    assert {name: template.points(name) for name in template.questions} == {"area": 5, "box": 2, "own": 1, "essay": 3}
    assert read_template(ClassFolder(released / "class"), NAME).is_essay("essay") and not template.is_essay("own")


def test_in_the_sandbox(room, blank):
    """The whole way, with hand-ins of which each would break a batch."""
    pytest.importorskip("IPython")
    hand_in(room, "Ada Lovelace", blank)
    hand_in(room, "王伟", blank, area="import os\nos._exit(0)")
    hand_in(room, "Li Na", blank, box="import sys\nsys.exit()", area="def area(h, w):\n    import sys\n    sys.exit(0)")
    careful = "import warnings\n" + ANSWERS["box"].replace("return", "warnings.warn('careful')\n        return")
    hand_in(room, "Jürgen Müller", blank, box=careful)
    began = time.monotonic()
    rows = graded(room, None, jobs=2)
    assert time.monotonic() - began < 120
    points = {student: [row["area"], row["box"], row["own"]] for student, row in rows.items()}
    assert points == {"Ada Lovelace": [5, 2, 1], "王伟": [0, 2, 1], "Li Na": [0, 0, 1], "Jürgen Müller": [5, 2, 1]}
