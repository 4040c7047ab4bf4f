import json
import os
import unicodedata
import zipfile

import nbformat
import pytest

from segtut.classroom import collect
from segtut.classroom.folder import ClassFolder, ClassroomError
from segtut.classroom.release import release
from segtut.classroom.tables import read_records
from tests.classroom.common import NAME, answered, assignment, by_id, write


def collected(room):
    """Collect ``room/in``; return the rows by file."""
    return {row["file"]: row for row in collect(NAME, room / "in", room / "class")}


def taken(room):
    there = ClassFolder(room / "class").handed_in(NAME)
    return {path.parent.name: path for path in there.rglob("*.ipynb")}


def dated(path, seconds):
    os.utime(path, (seconds, seconds))
    return path


@pytest.mark.parametrize(
    ("file", "student"),
    [
        ("Ada Lovelace/homework.ipynb", "Ada Lovelace"),
        ("Ada Lovelace/repo/notebooks/x.ipynb", "Ada Lovelace"),
        ("Ada Lovelace.ipynb", "Ada Lovelace"),
        ("lovelace_ada.ipynb", "Ada Lovelace"),
        ("Ada Lovelace (1).ipynb", "Ada Lovelace"),
        ("1_small_Ada Lovelace.ipynb", "Ada Lovelace"),
        ("Ada Lovelace_1234_assignsubmission_file_/x.ipynb", "Ada Lovelace"),
        ("Ada Lovelace_1234_assignsubmission_file_1_small.ipynb", "Ada Lovelace"),
        ("lovelaceada_123_456_1_small.ipynb", "Ada Lovelace"),
        ("lovelaceada_LATE_123_456_1_small-2.ipynb", "Ada Lovelace"),
        ("week 1/Ada Lovelace.ipynb", "Ada Lovelace"),
        ("11.ipynb", "Ada Lovelace"),
        ("王伟/作业.ipynb", "王伟"),
        (f"{unicodedata.normalize('NFD', 'Jürgen Müller')}.ipynb", "Jürgen Müller"),
        ("Ada Lovelace/x.ipynb.txt", "Ada Lovelace"),
        ("Some One/x.ipynb", "Some One"),
    ],
)
def test_whose_a_file_is(room, blank, file, student):
    original = write(room / "in" / file, answered(blank))
    (room / "in" / "other.txt").write_text("")
    row = collected(room)[file]
    assert row["student"] == student and row["taken"] == "yes"
    assert ("not on the list" in row["remark"]) == (student == "Some One")
    copy = next((ClassFolder(room / "class").handed_in(NAME) / student).iterdir())
    assert copy.read_bytes() == original.read_bytes() and copy.name == original.name


def test_hostile_files_are_listed_and_stop_nothing(room, blank):
    write(room / "in" / "Li Na" / "x.ipynb", answered(blank))
    other = assignment()
    for cell in other.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.grade_id = f"other-{cell.metadata.nbgrader.grade_id}"
        cell.source = cell.source.replace("area", "length").replace("Box", "Ball").replace("mine", "ours")
    other.cells[4].source = "## The length"
    write(room / "source" / "2_other.ipynb", other)
    release("2_other", room / "class", room / "source")
    empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print('hello')")])
    big = answered(blank)
    big.cells[2].outputs = [nbformat.v4.new_output("stream", text="x" * 21_000_000)]
    text = json.dumps(answered(blank, area="# größer\nx"), ensure_ascii=False)
    files = {
        "a.ipynb": (b"", "The file is empty."),
        "b.ipynb": (b"<html>", "not JSON"),
        "c.ipynb": (b"{}", "not a notebook"),
        "d.ipynb": (nbformat.writes(other).encode(), "a notebook of the assignment 2_other"),
        "e.ipynb": (nbformat.writes(empty).encode(), "Nothing of the assignment"),
        "f.zip": (b"PK\x03\x04 broken", "cannot be unpacked"),
        "g.rar": (b"Rar!", "ask for a zip"),
        "report.pdf": (b"%PDF", "not a notebook"),
        "h.ipynb": (text.encode("latin-1"), "read as latin-1"),
        "i.ipynb": (nbformat.writes(big).encode(), "outputs are dropped"),
    }
    for name, (content, _) in files.items():
        (room / "in" / name).write_bytes(content)
    (room / "in" / "link.ipynb").symlink_to("/etc/passwd")
    rows = collected(room)
    for name, (_, says) in files.items():
        assert says in rows[name]["remark"], name
        assert (rows[name]["taken"] == "yes") == (name in ("h.ipynb", "i.ipynb"))
    assert "link" in rows["link.ipynb"]["remark"] and rows["Li Na/x.ipynb"]["taken"] == "yes"
    assert set(taken(room)) == {"Li Na", "h", "i"}
    assert len(read_records(ClassFolder(room / "class").collected(NAME))) == len(rows) == 12


def test_of_several_files_the_newest_that_fits_is_taken(room, blank):
    dated(write(room / "in" / "Li Na" / "old.ipynb", answered(blank)), 1_000_000)
    dated(write(room / "in" / "Li Na" / "new.ipynb", answered(blank)), 2_000_000)
    dated(write(room / "in" / "Li Na" / "untouched.ipynb", blank), 3_000_000)
    dated(write(room / "in" / "Li Na" / "mine.ipynb", nbformat.v4.new_notebook()), 4_000_000)
    rows = collected(room)
    assert [name for name, row in rows.items() if row["taken"] == "yes"] == ["Li Na/new.ipynb"]
    assert "new.ipynb is newer and counts" in rows["Li Na/old.ipynb"]["remark"]
    assert "holds answers and counts" in rows["Li Na/untouched.ipynb"]["remark"]


def test_collecting_again_takes_newer_versions(room, blank):
    path = dated(write(room / "in" / "Li Na" / "x.ipynb", answered(blank)), 2_000_000)
    collected(room)
    assert collected(room)["Li Na/x.ipynb"]["taken"] == "yes"
    dated(write(path, answered(blank, area="def area(a, b):\n    return 0")), 1_000_000)
    assert "newer one was collected before" in collected(room)["Li Na/x.ipynb"]["remark"]
    assert "return 0" not in taken(room)["Li Na"].read_text()
    path.rename(path.with_name("y.ipynb"))
    dated(path.with_name("y.ipynb"), 3_000_000)
    assert "takes the place" in collected(room)["Li Na/y.ipynb"]["remark"]
    assert "return 0" in taken(room)["Li Na"].read_text() and len(taken(room)) == 1
    table = {row["file"]: row["taken"] for row in read_records(ClassFolder(room / "class").collected(NAME))}
    assert table == {"Li Na/x.ipynb": "no", "Li Na/y.ipynb": "yes"}


def test_zips_are_opened_wherever_they_are(room, blank):
    text = nbformat.writes(answered(blank))
    (room / "in").mkdir()
    with zipfile.ZipFile(room / "in" / "Li Na.zip", "w") as archive:
        archive.writestr("deep/er/x.ipynb", text)
        archive.writestr("__MACOSX/._x.ipynb", "x")
    with zipfile.ZipFile(room / "all.zip", "w") as archive:
        archive.write(room / "in" / "Li Na.zip", "All hand-ins/Li Na.zip")
        archive.writestr("All hand-ins/王伟/x.ipynb", text)
        archive.writestr("All hand-ins/../../../evil/x.ipynb", text)
    rows = {row["student"]: row["taken"] for row in collect(NAME, room / "all.zip", room / "class")}
    assert rows["Li Na"] == rows["王伟"] == "yes" and set(taken(room)) >= {"Li Na", "王伟"}
    assert not (room.parent / "evil").exists()


def test_names_in_zips_of_old_windows(room, blank):
    (room / "in").mkdir()
    with zipfile.ZipFile(room / "in" / "w.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("xx.ipynb"), nbformat.writes(answered(blank)))
    packed = (room / "in" / "w.zip").read_bytes()
    (room / "in" / "w.zip").write_bytes(packed.replace(b"xx.ipynb", "王.ipynb".encode("gb18030")))
    assert list(collected(room)) == ["w.zip/王.ipynb"]


def test_spellings_of_one_name_are_one_student(room, blank):
    write(room / "in" / "Zoë Ng" / "x.ipynb", answered(blank))
    write(room / "in" / unicodedata.normalize("NFD", "zoë ng") / "y.ipynb", answered(blank))
    assert len({row["student"] for row in collected(room).values()}) == 1 and len(taken(room)) == 1


def test_errors_say_what_to_do(room, tmp_path):
    for hand_ins, says in ((room / "nowhere", "no folder"), (room / "empty", "no file"), (room / "x.zip", "no zip")):
        (room / "empty").mkdir(exist_ok=True)
        (room / "x.zip").write_text("x")
        with pytest.raises(ClassroomError, match=says):
            collect(NAME, hand_ins, room / "class")
    with pytest.raises(ClassroomError, match=rf"'3_x' was not released in .* \(there is: {NAME}\)"):
        collect("3_x", room / "empty", room / "class")
    with pytest.raises(ClassroomError, match="release an assignment first"):
        collect(NAME, room / "empty", tmp_path / "no class")


def test_two_commands_do_not_meet(room):
    with ClassFolder(room / "class").alone(), pytest.raises(ClassroomError, match="another `segtut class`"):
        collect(NAME, room, room / "class")


def test_answers_under_other_names_are_recognised(room, blank):
    hand_in = answered(blank)
    hand_in.cells = [nbformat.v4.new_code_cell(by_id(hand_in, name).source) for name in ("area", "box")]
    write(room / "in" / "Li Na.ipynb", hand_in)
    assert collected(room)["Li Na.ipynb"]["taken"] == "yes"
