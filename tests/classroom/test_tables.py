import pytest
from openpyxl import Workbook, load_workbook

from segtut.classroom.folder import ClassroomError, safe_name
from segtut.classroom.roster import match, read_roster
from segtut.classroom.tables import read_records, write_csv, write_excel


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_of_any_spreadsheet_are_read(tmp_path, encoding, separator):
    path = tmp_path / "t.csv"
    path.write_bytes(f'name{separator}note\r\n王伟{separator}"two\r\nlines"\r\n\r\n'.encode(encoding))
    assert read_records(path) == [{"name": "王伟", "note": "two\r\nlines"}]


def test_what_is_written_comes_back_and_is_no_formula(tmp_path):
    rows = [{"student": "=1+1", "points": 2.5, "notes": None}, {"student": "王伟", "points": -1, "notes": "@x\x07"}]
    write_csv(tmp_path / "t.csv", rows)
    assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_records(tmp_path / "t.csv")[0] == {"student": "=1+1", "points": "2.5", "notes": ""}
    write_excel(tmp_path / "t.xlsx", rows, ["student", "points", "notes"])
    sheet = load_workbook(tmp_path / "t.xlsx").active
    assert [cell.value for cell in sheet[2]] == ["'=1+1", 2.5, None] and sheet["A2"].data_type == "s"
    assert [cell.value for cell in sheet[3]] == ["王伟", -1, "'@x"]


def test_rosters(tmp_path):
    def roster(text, name="r.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return [(student["name"], student["id"]) for student in read_roster(tmp_path / name)]

    assert roster("name,id,E-Mail\nAda Lovelace,7,a@b.c\n") == [("Ada Lovelace", "7")]
    assert roster("First name;Surname;ID number\nAda;Lovelace;7\n") == [("Ada Lovelace", "7")]
    assert roster("姓名,学号\n王伟,7\n") == [("王伟", "7")]
    assert roster("Ada Lovelace\n王伟\n", "r.txt") == [("Ada Lovelace", ""), ("王伟", "")]
    assert roster("Lovelace, Ada\nMu\u0308ller, Bo\n") == [("Lovelace Ada", ""), ("Müller Bo", "")]
    assert roster("Ada,17\nBo,18\n") == [("Ada", "17"), ("Bo", "18")]
    assert roster("name,id\n王伟,1\n王伟,2\n") == [("王伟 1", "1"), ("王伟 2", "2")]
    with pytest.raises(ClassroomError, match="two students are called"):
        roster("name\nAda\nada\n")
    with pytest.raises(ClassroomError, match="no student"):
        roster("name,id\n")
    book = Workbook()
    book.active.append(["Name", "ID"])
    book.active.append(["Ada", 17.0])
    book.save(tmp_path / "r.xlsx")
    assert read_roster(tmp_path / "r.xlsx") == [{"name": "Ada", "id": "17"}]
    (tmp_path / "broken.xlsx").write_bytes(b"PK")
    with pytest.raises(ClassroomError, match="no Excel file"):
        read_roster(tmp_path / "broken.xlsx")


def test_whose_hand_in_it_is():
    students = [
        {"name": name, "id": number} for name, number in (("Ada Lovelace", "7"), ("Jürgen Müller", ""), ("李 娜", ""))
    ]
    for who in ("ada lovelace", "Lovelace, Ada", "lovelaceada", "Ada_Lovelace", "7"):
        assert match(who, students) == "Ada Lovelace"
    assert match("Ju\u0308rgen Mu\u0308ller", students) == "Jürgen Müller"
    assert match("李娜", students) == "李 娜"
    assert match("Ada", students) is None and match("", students) is None
    turned = [{"name": "Wang Li", "id": ""}, {"name": "Li Wang", "id": ""}, {"name": "Li Na Wu", "id": ""}]
    assert match("li wang", turned) == "Li Wang" and match("Wu, Li Na", turned) == "Li Na Wu"
    turned.append({"name": "Wu Li Na", "id": ""})
    assert match("Na Wu Li", turned) is None


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a/b\\c:d*?", "a_b_c_d__"),
        ("..", "unnamed"),
        (" 王  伟 ", "王 伟"),
        ("x" * 300, "x" * 80),
        ("[1]{2}", "_1__2_"),
    ],
)
def test_names_of_folders(name, safe):
    assert safe_name(name) == safe
