import re
import shutil
from html.parser import HTMLParser

import pytest
from PIL import Image

from segtut.classroom import collect, grade, report
from segtut.classroom.folder import ClassFolder, ClassroomError
from segtut.classroom.questions import question_statistics
from segtut.classroom.release import with_variant
from segtut.classroom.tables import read_records
from segtut.classroom.template import read_template
from segtut.classroom.tokens import grams, unusual
from segtut.classroom.variants import read_variants
from tests.classroom.common import ANSWERS, NAME, answered, own, run_here, write

STRANGE = (
    "def area(height, width):\n    # I could not think of anything shorter than this\n    total = 0.0\n"
    "    for row in range(int(height * 2)):\n        total += width / 2\n"
    "    if total == 0:\n        total = height * width\n"
    "    return total + 0 * len([height, width, total])"
)


@pytest.fixture(scope="module")
def graded(released, tmp_path_factory):
    """Folder of a graded class of seven, two of whom have much in common."""
    room = shutil.copytree(released, tmp_path_factory.mktemp("graded") / "room")
    blank = read_template(ClassFolder(room / "class"), NAME).blank
    there = ClassFolder(room / "class")
    variants = read_variants(there.variants(NAME))
    ada = own(variants["Ada Lovelace"])
    renamed = re.sub("height", "h", re.sub("width", "w", STRANGE.replace("total", "t").replace("row", "r")))
    hand_ins = {
        "Ada Lovelace": {"area": STRANGE, "own": ada},
        "Li Na": {"area": renamed, "own": ada},
        "王伟": {"area": "def area(height, width):\n    return 6"},
        "Jürgen Müller": {"essay": "<script>alert(1)</script> ![x](http://a.b/c.png) $x^2$", "own": "print('<b>')"},
        "Fifth": {},
        "Sixth": {"area": "def area(x, y):\n    return y * x"},
        "Seventh": {"area": "def area(h, w):\n    result = h * w\n    return result"},
    }
    for student, answers in hand_ins.items():
        held = variants.get("Ada Lovelace" if student == "Li Na" else student, {"H": 4, "W": 7})
        answers.setdefault("own", own(held))
        write(room / "in" / f"{student}.ipynb", with_variant(answered(blank, **answers), held))
    collect(NAME, room / "in", room / "class")
    grade(NAME, room / "class", execute=run_here)
    return room


@pytest.fixture(scope="module")
def reported(graded):
    """What `report` returned."""
    return report(NAME, graded / "class")


class Loads(HTMLParser):
    """Collects what a page makes a browser fetch or run."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        fetched = attributes.get("src") or (attributes.get("href") if tag == "link" else None)
        if tag == "script" or (fetched and not fetched.startswith("data:")):
            self.found.append((tag, fetched))


def test_feedback_is_whole_and_offline(graded, reported):
    assert len(reported.feedback) == 7 and reported.failed == []
    there = ClassFolder(graded / "class")
    for path in reported.feedback:
        page = path.read_text(encoding="utf-8")
        loads = Loads()
        loads.feed(page)
        assert loads.found == [] and "@import" not in page and "cdnjs" not in page
        assert "27000" not in page and "30.5" not in page  # the hidden tests
    page = there.feedback(NAME, "王伟").read_text(encoding="utf-8")
    assert page.index("3 of 5 points lost") < page.index("A small assignment")
    assert page.count("wrong for halves") == 2  # on top, and at the test
    assert "not read yet" in page and "most recent call last" not in page
    assert "not yours but those of Ada Lovelace" in there.feedback(NAME, "Li Na").read_text(encoding="utf-8")
    page = there.feedback(NAME, "Jürgen Müller").read_text(encoding="utf-8")
    assert "<script" not in page and "default-src 'none'" in page and "a.b/c.png" not in page and "$x^2$" in page
    assert not list(graded.glob("class/.feedback*/*"))


def test_statistics_and_figure(graded, reported):
    rows = {row["question"]: row for row in reported.questions}
    assert rows["area"]["full marks"] == round(6 / 7, 3) and rows["area"]["most frequent hint"] == "wrong for halves"
    assert rows["essay"]["graded"] == 0 and rows["essay"]["full marks"] is None
    there = ClassFolder(graded / "class")
    assert [row["question"] for row in read_records(there.grades(NAME, "-questions.csv"))] == list(rows)
    assert Image.open(there.grades(NAME, "-questions.png")).size[0] > 700


def test_statistics_of_nobody(template):
    assert {row["mean"] for row in question_statistics([], template, {})} == {None}


def test_who_shares_what_few_have_is_worth_a_look(graded, reported):
    look = [row for row in reported.pairs if row["worth a look"]]
    assert [(row["first"], row["second"]) for row in look] == [("Ada Lovelace", "Li Na")]
    (row,) = look
    assert row["alike"] > 0.9 and row["answers"] == "area"
    for sign in (
        "The hand-in of Li Na came with the numbers of Ada Lovelace.",
        "In own Li Na typed the numbers that are right for Ada Lovelace.",
        "I could not think of anything shorter",
    ):
        assert sign in row["signs"]
    page = ClassFolder(graded / "class").grades(NAME, "-similarity.html").read_text(encoding="utf-8")
    assert "worth a look" in page and "copied" not in page and "Only a talk" in page
    assert page.count("I could not think") == 3
    assert read_records(ClassFolder(graded / "class").grades(NAME, "-similarity.csv"))[0]["worth a look"] == "yes"


def test_grades_of_essays_reach_the_feedback_without_a_new_grading(graded, tmp_path):
    graded = shutil.copytree(graded, tmp_path / "room")
    path = ClassFolder(graded / "class").grades(NAME, "-essays.csv")
    rows = read_records(path)
    path.write_text(
        "student;question;answer;names the reason the teacher thinks of (of 2);gives an example (of 1);comment\n"
        + "".join(f'{row["student"]};essay;"{row["answer"]}";2;0,5;Look *closer*.\n' for row in rows),
        encoding="utf-8",
    )
    reported = report(NAME, graded / "class")
    assert {row["question"]: row for row in reported.questions}["essay"]["mean"] == 2.5
    page = ClassFolder(graded / "class").feedback(NAME, "Fifth").read_text(encoding="utf-8")
    assert "<td>2.5</td>" in page and "closer" in page
    table = {row["student"]: row for row in read_records(ClassFolder(graded / "class").grades(NAME, ".csv"))}
    assert table["Fifth"]["essay"] == "2.5" and table["Fifth"]["seconds"] == "0.1"


def test_not_graded_is_said(room):
    with pytest.raises(ClassroomError, match=f"segtut class grade {NAME}"):
        report(NAME, room / "class")


def test_runs_of_tokens_do_not_see_names_and_layout():
    renamed = ANSWERS["box"].replace("side", "edge").replace("Box", "Cube").replace("\n\n", "\n")
    assert grams(ANSWERS["area"], True) == grams("def f(a,b):  # short\n  return a*b", True)
    assert grams(ANSWERS["box"], True) != grams(renamed, True)  # attributes are another matter
    assert grams("x = torch.softmax(y, -1)", True) != grams("x = torch.sigmoid(y, -1)", True)
    assert len(grams("def broken(:\n  return 'x", True)) > 0
    assert grams("因为注意力看全部", False) and grams("a b c d e f", False) == {("a", "b", "c", "d", "e", "f")}
    assert unusual("x = 1  # that is my comment here\ny = 'short'\na_very_long_name = 2") == {
        "that is my comment here",
        "a_very_long_name",
    }
