"""A released class, made once: nbgrader takes its time."""

import shutil

import nbformat
import pytest

pytest.importorskip("nbgrader")

from segtut.classroom import release
from segtut.classroom.folder import ClassFolder
from segtut.classroom.template import read_template
from tests.classroom.common import NAME, assignment, write

STUDENTS = "name,id,e-mail\nAda Lovelace,11,a@b.c\n王伟,12,\nJürgen Müller,13,\nLi Na,14,\n"


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """Folder with ``class``, released for four students with a fixed seed, and ``source``."""
    root = tmp_path_factory.mktemp("released")
    write(root / "source" / f"{NAME}.ipynb", assignment())
    (root / "students.csv").write_text(STUDENTS, encoding="utf-8")
    release(NAME, root / "class", root / "source", root / "students.csv", seed="seed 0")
    return root


@pytest.fixture(scope="session")
def template(released):
    """The small assignment's."""
    return read_template(ClassFolder(released / "class"), NAME)


@pytest.fixture
def blank(template):
    """What students get."""
    return nbformat.from_dict(template.blank)


@pytest.fixture
def room(released, tmp_path):
    """A copy of the released folder, to work in."""
    shutil.copytree(released, tmp_path / "room")
    return tmp_path / "room"
