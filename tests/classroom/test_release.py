import copy

import nbformat
import pytest

from segtut.classroom import collect, release
from segtut.classroom.folder import ClassFolder, ClassroomError
from segtut.classroom.leaks import prove_nothing_leaked
from segtut.classroom.release import from_anywhere, student_version
from segtut.classroom.variants import read_variant, read_variants, variant_cell
from tests.classroom.common import NAME, answered, assignment, by_id, write

SECRETS = ("float(height)", "610", "self.side * self.side", "number_of_mine = ", "model answer", "thinks of")


def test_nothing_of_the_solutions_is_handed_out(released):
    files = sorted((released / "class" / "release").rglob("*.ipynb"))
    assert len(files) == 5
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not any(secret in text for secret in SECRETS)
        assert not any(word in text for word in ("BEGIN", "END ", '"variant": {', "[\n      4,"))
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert by_id(notebook, "area").source.endswith('    raise NotImplementedError("your answer")')
        assert by_id(notebook, "essay").source == "**Why?** Say it in two sentences.\n\n*Your answer here.*\n"
        assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in notebook.cells)


def test_links_lead_somewhere_from_a_notebook_that_lies_alone():
    home = "https://github.com/segtut/segtut/blob/main"
    assert from_anywhere("[a](../05_x.ipynb#two) and ![b](../../book/static/b.png)") == (
        f"[a]({home}/notebooks/05_x.ipynb#two) and ![b]({home}/book/static/b.png)"
    )
    others = "[a](https://example.org/x) [b](#here) [c](mailto:x@example.org)"
    assert from_anywhere(others) == others


def test_each_student_has_own_numbers_that_stay(released, tmp_path):
    there = ClassFolder(released / "class")
    variants = read_variants(there.variants(NAME))
    assert set(variants) == {"Ada Lovelace", "王伟", "Jürgen Müller", "Li Na"}
    assert len({tuple(values.items()) for values in variants.values()}) > 1
    for student, values in variants.items():
        notebook = nbformat.read(there.students(NAME) / f"{student}.ipynb", as_version=4)
        assert read_variant(variant_cell(notebook).source) == values and values["H"] in (4, 5, 6)
    (tmp_path / "names.txt").write_text("Li Na\nSomebody Else\n", encoding="utf-8")
    again = release(NAME, tmp_path / "class", released / "source", tmp_path / "names.txt", seed="seed 0")
    assert again.variants["Li Na"] == variants["Li Na"]
    other = release(NAME, tmp_path / "class", released / "source", tmp_path / "names.txt", seed="another seed")
    assert any(other.variants[student] != again.variants[student] for student in again.variants)


def test_the_seed_is_drawn_once_and_kept(tmp_path):
    first = ClassFolder(tmp_path / "a").keep()["seed"]
    assert ClassFolder(tmp_path / "a").keep(students=[])["seed"] == first and len(first) == 32
    assert ClassFolder(tmp_path / "b").keep()["seed"] != first
    assert ClassFolder(tmp_path / "a").keep(seed="x")["seed"] == ClassFolder(tmp_path / "a").keep()["seed"] == "x"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda nb: nb.cells[4].__setitem__("source", "return float(height) * float(width)"), "line of a solution"),
        (lambda nb: nb.cells[4].__setitem__("source", "assert isclose(area(20, 30.5), 610)"), None),
        (lambda nb: nb.cells[2].update(source="def broken():\n    return float(height) * float(width)"), None),
        (lambda nb: nb.cells[2].update(source="assert isclose(area(20, 30.5), 610), 'wrong for halves'"), "hidden"),
        (lambda nb: nb.cells[4].update(source="assert isclose(area(20, 30.5), 610), 'wrong for halves'"), "hidden"),
        (lambda nb: nb.cells[4].__setitem__("source", "### BEGIN HIDDEN CHECKS\n### END HIDDEN CHECKS"), "marker"),
        (lambda nb: nb.cells[4].__setitem__("source", "see notebooks/assignments/x.ipynb"), "link"),
        (lambda nb: nb.cells[0].__setitem__("attachments", {"a.png": {"image/png": "eA=="}}), "attachments"),
        (lambda nb: nb.cells[4].metadata.update(note="assert Box(30).volume() == 27000, 'a larger box fails'"), "hid"),
    ],
)  # fmt: skip
def test_a_leak_is_refused(change, says):
    source = assignment()
    change(source)
    if says is None:
        student_version(source, NAME)
        return
    with pytest.raises(ClassroomError, match=says):
        student_version(source, NAME)


def test_the_proof_sees_what_stripping_missed():
    source = assignment()
    for number, says in ((5, "a solution"), (7, "hidden tests"), (15, "a (solution|mark scheme)")):
        leaky = student_version(source, NAME)
        leaky.cells[number].source = source.cells[number].source
        with pytest.raises(ClassroomError, match=f"would show a line of {says}"):
            prove_nothing_leaked(source, leaky)


def test_the_badge_that_opens_the_solutions_is_taken_off():
    source = assignment()
    source.cells[
        0
    ].source += "\n\n[![Open in Colab](../b.png)](https://x.org/blob/main/notebooks/assignments/a.ipynb)\n\nText."
    assert student_version(source, NAME).cells[0].source == "# A small assignment\n\nText."


def test_a_leak_leaves_the_earlier_release(room):
    there = ClassFolder(room / "class")
    before = there.release(NAME).read_text()
    leaky = assignment()
    leaky.cells[0].source = "# A\nreturn float(height) * float(width)"
    write(room / "source" / f"{NAME}.ipynb", leaky)
    with pytest.raises(ClassroomError, match="solution"):
        release(NAME, room / "class", room / "source")
    assert there.release(NAME).read_text() == before


def test_releasing_again_after_hand_ins(room, blank):
    write(room / "in" / "Li Na.ipynb", answered(blank))
    collect(NAME, room / "in", room / "class")
    changed = assignment()
    changed.cells[4].source = "Another text."
    by_id(changed, "area-test").metadata.nbgrader.points = 5
    write(room / "source" / f"{NAME}.ipynb", changed)
    assert release(NAME, room / "class", room / "source").variants  # the list of students is kept
    more = copy.deepcopy(changed)
    by_id(more, "area-test").metadata.nbgrader.grade_id = "area-other"
    write(room / "source" / f"{NAME}.ipynb", more)
    with pytest.raises(ClassroomError, match="--again"):
        release(NAME, room / "class", room / "source")
    release(NAME, room / "class", room / "source", again=True)
    assert "area-other" in ClassFolder(room / "class").release(NAME).read_text()


def test_errors_say_what_to_do(released, tmp_path, monkeypatch):
    with pytest.raises(ClassroomError, match=f"'2_other' is none of those in .*: {NAME}"):
        release("2_other", tmp_path / "class", released / "source")
    with pytest.raises(ClassroomError, match="--source"):
        release(NAME, tmp_path / "class", tmp_path / "nowhere")
    with pytest.raises(ClassroomError, match="no table"):
        release(NAME, tmp_path / "class", released / "source", tmp_path / "nobody.csv")
    assert not (tmp_path / "class" / "release").exists()
    monkeypatch.setitem(__import__("sys").modules, "nbgrader", None)
    with pytest.raises(ClassroomError, match=r'pip install "segtut\[class\]"'):
        release(NAME, tmp_path / "class", released / "source")
