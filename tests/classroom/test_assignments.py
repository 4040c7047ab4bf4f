"""The assignments of this repository: the solution gets every point, what is handed out none."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from segtut.classroom import collect, grade, release
from segtut.classroom.folder import ClassFolder
from segtut.classroom.reading import read_hand_in
from segtut.classroom.recognise import ENOUGH, resemblance
from segtut.classroom.sandbox import execute
from segtut.classroom.template import read_template
from segtut.classroom.variants import choices, read_variants
from tools import assignments

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "notebooks" / "assignments").glob("*.ipynb"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_solution_gets_all_and_the_release_nothing(source, tmp_path):
    name = source.stem
    (tmp_path / "students.txt").write_text("Own\n", encoding="utf-8")
    released = release(name, tmp_path / "class", source.parent, tmp_path / "students.txt", seed="seed")
    (tmp_path / "in").mkdir()
    shutil.copy(source, tmp_path / "in" / "Solution.ipynb")
    shutil.copy(released.notebook, tmp_path / "in" / "Blank.ipynb")
    collect(name, tmp_path / "in", tmp_path / "class")
    rows = {row["student"]: row for row in grade(name, tmp_path / "class", jobs=2, execute=execute)}
    template = read_template(ClassFolder(tmp_path / "class"), name)
    others = [read_hand_in(path.read_bytes())[0] for path in SOURCES if path != source]
    assert all(resemblance(other, template) < ENOUGH for other in others)  # none is taken for another
    questions = [question for question in template.questions if not template.is_essay(question)]
    assert [rows["Solution"][question] for question in questions] == [
        template.points(question) for question in questions
    ]
    assert rows["Blank"]["total"] == 0, rows["Blank"]
    assert all(rows["Blank"][question] == 0 for question in template.questions)
    if of := choices(nbformat.read(source, as_version=4)):
        mine = read_variants(ClassFolder(tmp_path / "class").variants(name))["Own"]
        assert mine.keys() == of.keys() and all(mine[key] in of[key] for key in of)


@pytest.fixture
def project(tmp_path):
    """A copy of what the tool reads, with one assignment."""
    from tests.classroom.common import assignment, write

    for file in ("pyproject.toml", "requirements.txt", "_config.yml"):
        shutil.copy(ROOT / file, tmp_path)
    write(tmp_path / "notebooks" / "assignments" / "1_x.ipynb", assignment())
    return tmp_path


def test_the_tool_writes_the_student_versions(project, capsys):
    with pytest.raises(SystemExit, match="make derive"):
        assignments.main(["--check"], project)
    assert not (project / "assignments").exists() and "1_x.ipynb: is not as derived" in capsys.readouterr().out
    assignments.main([], project)
    path = project / "assignments" / "1_x.ipynb"
    text = path.read_text(encoding="utf-8")
    assert "/blob/main/assignments/1_x.ipynb" in text and "(../book/static/colab-badge.png)" in text
    assert "BEGIN" not in text and "610" not in text and "import segtut" in text
    nbformat.validate(json.loads(text))
    written = path.stat().st_mtime_ns
    assignments.main(["--check"], project)
    assignments.main([], project)
    assert path.stat().st_mtime_ns == written
    (project / "notebooks" / "assignments" / "1_x.ipynb").unlink()
    with pytest.raises(SystemExit):
        assignments.main(["--check"], project)
    assignments.main([], project)
    assert not path.exists()


def test_the_tool_refuses_a_leak_in_one_sentence(project):
    from tests.classroom.common import assignment, write

    leaky = assignment()
    leaky.cells[4].source = "assert isclose(area(20, 30.5), 610), 'wrong for halves'"
    write(project / "notebooks" / "assignments" / "1_x.ipynb", leaky)
    with pytest.raises(SystemExit, match="would show a line of hidden tests"):
        assignments.main([], project)
    assert not (project / "assignments").exists()


ALONE = """
import importlib.metadata as metadata, re, sys

wanted, allowed = ["segtut", "ipython"], set()  # and what runs a notebook
while wanted:
    name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
    if name not in allowed:
        allowed.add(name)
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # of another system
            continue
        wanted += [re.match(r"[\\w.-]+", need)[0] for need in needs if "extra ==" not in need]
normal = lambda name: re.sub(r"[-_.]+", "-", name).lower()
others = {
    module
    for module, names in metadata.packages_distributions().items()
    if not {normal(name) for name in names} & allowed
}


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in others:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


assert {"nbgrader", "pytest", "d2l", "jupyter_book"} <= others and "torch" not in others
sys.meta_path.insert(0, Absent())
exec(sys.stdin.read())
print("imported", len(sys.modules))
"""


def test_students_need_the_package_alone():
    imports = []
    for path in SOURCES:
        cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        for node in ast.walk(ast.parse("\n".join(cell for cell in cells if "%pip" not in cell))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports.append(ast.unparse(node))
    assert len(imports) > 20 and any("segtut.checks" in line for line in imports)
    done = subprocess.run([sys.executable, "-c", ALONE], input="\n".join(imports), capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("imported"), done.stderr
