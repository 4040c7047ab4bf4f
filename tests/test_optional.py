"""With the declared dependencies alone the package works; what needs more says which package, and how to install it."""

import ast
import subprocess
import sys
import tomllib
from functools import partial
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from segtut import classroom
from segtut.classroom.folder import ClassroomError
from segtut.data import NUM_CLASSES
from segtut.inference import ExportError, export_network
from segtut.networks import build_network
from segtut.plot import LiveCurves, show, table

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
STEPS = {
    "release": partial(classroom.release, "2_criss_cross_attention"),
    "collect": partial(classroom.collect, "2_criss_cross_attention", "downloads"),
    "grade": partial(classroom.grade, "2_criss_cross_attention"),
    "report": partial(classroom.report, "2_criss_cross_attention"),
}

# Packages that are not among the dependencies, and the parts of segtut that import them, each where it needs them.
EXTRA = {"onnx": "export", "onnxruntime": "export", "onnxscript": "export",
         "nbgrader": "class", "psutil": "class", "pyseccomp": "class"}  # fmt: skip
WITH_NBGRADER = {"nbconvert", "nbformat", "rapidfuzz", "sqlalchemy", "traitlets"}  # they come with it
NOTEBOOK = {"IPython"}  # is there wherever a notebook runs
BY_HAND = {"d2l"}  # cannot be a dependency: it pins a numpy of 2022
OPTIONAL = EXTRA.keys() | WITH_NBGRADER | NOTEBOOK | BY_HAND
PARTS = {"export": {"inference"}, "class": {"classroom"}}


def names(lines):
    return {canonicalize_name(Requirement(line).name) for line in lines}


def imports(path):
    """Pairs of a top-level module that a file imports, and whether it does so as soon as it is imported itself."""

    def walk(node, at_once):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0], at_once
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Try)
            for child in ast.iter_child_nodes(node):
                yield from walk(child, at_once and not inside)

    return walk(ast.parse(path.read_text(encoding="utf-8")), True)


def test_every_import_is_declared_or_known_to_be_optional():
    declared, providers, used = names(PROJECT["dependencies"]), packages_distributions(), set()
    for path in sorted((ROOT / "segtut").rglob("*.py")):
        part = path.relative_to(ROOT / "segtut").parts[0]
        for module, at_once in imports(path):
            if module in sys.stdlib_module_names or module == "segtut":
                continue
            if module in OPTIONAL:
                assert not at_once or part == "classroom", f"{path}: import {module} where it is used, not at the top"
                assert part in PARTS.get(EXTRA.get(module), {part}), f"{path} imports {module}"
                assert module not in WITH_NBGRADER or part == "classroom", f"{path} imports {module}"
            else:
                from_ = {canonicalize_name(name) for name in providers.get(module, [])}
                assert from_ & declared, f"{path} imports {module}, which [project].dependencies does not have"
            used.add(module)
    assert used >= OPTIONAL  # else the list above is longer than it must be


def test_the_extras_hold_what_they_promise():
    for module, extra in EXTRA.items():
        assert module in names(PROJECT["optional-dependencies"][extra])
    nbgrader = names(requires("nbgrader"))
    assert WITH_NBGRADER - {"nbformat", "traitlets"} <= nbgrader
    assert {"nbformat", "traitlets"} <= names(requires("nbconvert"))


ALONE = """
import pkgutil, sys
BLOCKED = set(sys.argv[1].split(","))

class Without:
    # finds what is installed, but for some packages
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] in BLOCKED else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
import segtut
for module in pkgutil.walk_packages(segtut.__path__, "segtut."):
    if module.name.startswith("segtut.classroom.") or module.name.endswith("__main__"):
        continue  # the parts of the classroom are its own affair
    __import__(module.name)
assert not BLOCKED & {name.split(".")[0] for name in sys.modules}

import matplotlib.pyplot as plt
from segtut import classroom, plot
plot.show(plt.figure(), "A line.")
plot.table(["a", "b"], [1, 2])
segtut.record_shapes()
segtut.shape_ledger()

from segtut import cli
STEPS = [["class", "release", "x"], ["class", "collect", "x", "."], ["class", "grade", "x"], ["class", "report", "x"]]
for words in (*STEPS, ["train", "unet", "--data", "scenes"]):
    sys.argv = ["segtut", *words]
    try:
        cli.main()
    except SystemExit as stop:
        print(*words[:2], "->", stop)
"""


def test_everything_imports_and_speaks_without_any_optional_package(tmp_path):
    """Matplotlib is without a screen here, too."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, ",".join(sorted(OPTIONAL))],
        capture_output=True, text=True, cwd=tmp_path, env={"PATH": "", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:4] == ["[figure: A line.]", "| a | b |", "| --- | --- |", "| 1 | 2 |"]
    assert "notebooks" in lines[4]
    for line, step in zip(lines[5:9], STEPS, strict=True):
        assert line == f'class {step} -> segtut: the classroom needs nbformat: pip install "segtut[class]"'
    assert "'unet' is none of" in lines[9] and len(lines) == 10


def absent(monkeypatch, name):
    """Let imports of a package fail as if it were not installed."""
    for loaded in list(sys.modules):
        if loaded == name or loaded.startswith(f"{name}."):
            monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("name", [name for name, extra in EXTRA.items() if extra == "export"])
def test_export_says_what_it_needs(name, monkeypatch, tmp_path):
    absent(monkeypatch, name)
    network = build_network("fcn", "resnet18", NUM_CLASSES)
    with pytest.raises(ExportError, match=rf'ONNX needs {name}: pip install "segtut\[export\]"'):
        export_network(network, tmp_path / "x.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", STEPS)
def test_the_classroom_says_that_it_needs_nbgrader(step, monkeypatch, tmp_path):
    """As in Colab, which has nbformat and psutil."""
    monkeypatch.chdir(tmp_path)
    absent(monkeypatch, "nbgrader")
    with pytest.raises(ClassroomError, match=r'the classroom needs nbgrader: pip install "segtut\[class\]"'):
        STEPS[step]()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["nbformat", "psutil"])
def test_what_stands_in_for_the_classroom_names_the_package(name, monkeypatch):
    from segtut.classroom import missing

    absent(monkeypatch, name)
    with pytest.raises(ClassroomError, match=rf'the classroom needs {name}: pip install "segtut\[class\]"'):
        missing.grade("x")


def test_live_curves_say_how_to_install_d2l(monkeypatch):
    absent(monkeypatch, "d2l")
    with pytest.raises(ImportError, match=r"pip install --no-deps d2l==1\.0\.3"):
        LiveCurves(3)


def test_figures_and_tables_do_without_ipython(monkeypatch, capsys):
    absent(monkeypatch, "IPython")
    show(plt.figure(), "A line.")
    table(["a", "b"], [1, 2])
    assert capsys.readouterr().out == "[figure: A line.]\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"
