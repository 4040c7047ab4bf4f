"""A chapter runs from the wheel, in an environment and a folder without the repository.

On the versions that are installed here, which the environment borrows; ``python tools/colab.py --all`` takes Colab's.
"""

import zipfile
from pathlib import Path

import nbformat
import pytest

from tools import colab
from tools.derive import BOOTSTRAP

CHAPTER = colab.ROOT / "notebooks" / "03_scoring.ipynb"  # a quick one


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return colab.build_wheel(tmp_path_factory.mktemp("wheel") / "wheel")


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """Of an environment with the wheel."""
    return colab.borrowed_environment(tmp_path_factory.mktemp("colab") / "environment", wheel)


def chapter(folder, *cells):
    """A notebook of the bootstrap cell and others."""
    new = nbformat.v4
    source = BOOTSTRAP.format(home="https://github.com/someone/segtut", d2l="d2l==1.0.3")
    first = new.new_code_cell(source, metadata={"tags": ["bootstrap"]})
    path = folder / "chapter.ipynb"
    nbformat.write(new.new_notebook(cells=[first, *map(new.new_code_cell, cells)]), path)
    return path


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = colab.ROOT / "segtut"
    files = {path.relative_to(colab.ROOT).as_posix() for path in package.rglob("*") if path.is_file()}
    assert held == {name for name in files if "__pycache__" not in name and not Path(name).name.startswith(".")}


def test_a_chapter_runs_from_the_wheel(wheel, python):
    outcome = colab.execute(colab.prepare(CHAPTER, wheel), python)
    assert outcome.error == "" and outcome.noise == []


def test_a_cell_that_fails_is_reported_and_so_is_the_repository_in_place_of_the_wheel(wheel, python, tmp_path):
    path = chapter(tmp_path, "import sys; print('so so', file=sys.stderr)", "print(1 / 0)")
    outcome = colab.execute(colab.prepare(path, wheel), python)
    assert "ZeroDivisionError" in outcome.error and outcome.noise == ["so so"]
    assert "is not the wheel's" in colab.execute(colab.prepare(path, wheel), colab.sys.executable).error


def test_the_bootstrap_cell_gets_the_wheels_address(wheel, tmp_path):
    cells = colab.prepare(chapter(tmp_path, "1"), wheel).cells
    assert f'%pip install -q "segtut @ {wheel.as_uri()}"' in cells[0].source and "git+" not in cells[0].source
    assert "--no-deps d2l==1.0.3" in cells[0].source
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "again.ipynb")
    with pytest.raises(colab.ColabError, match=r"again\.ipynb: the bootstrap cell installs the package 0 times"):
        colab.prepare(tmp_path / "again.ipynb", wheel)


def test_changes_are_found():
    assert colab.changes({"numpy": "2.1.3", "torch": "2.11.0"}, {"numpy": "2.2.0", "d2l": "1.0.3"}) == [
        "numpy 2.1.3 -> 2.2.0", "torch 2.11.0 -> gone"
    ]  # fmt: skip
    assert colab.changes({"numpy": "2.1.3"}, {"numpy": "2.1.3", "jaxtyping": "0.3.11"}) == []
