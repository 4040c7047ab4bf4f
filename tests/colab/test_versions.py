"""The package and the chapters fit to what Colab has, by the dated list: without network, and never skipped."""

import ast
import functools
import re
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import nbformat
import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools.colab_versions import FURTHER, GPU_LIBRARY, LINE, ROOT, python_version, versions, versions_file

COLAB = versions()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LACKING = ("jaxtyping", "wadler-lindig")  # with d2l, what the bootstrap cell adds
FREEZE = ROOT.parent / "shared/colab/pip-freeze.gpu.txt"
THERE = default_environment() | {
    "python_version": python_version(), "python_full_version": f"{python_version()}.0", "extra": "",
    "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix",
}  # fmt: skip
CHAPTERS = sorted(path for path in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)


def unmet(lines, colab):
    """What of these requirements an environment does not meet, and what it has not at all, there."""
    needed = [need for need in map(Requirement, lines) if not need.marker or need.marker.evaluate(THERE)]
    names = {need: canonicalize_name(need.name) for need in needed}
    wrong = [
        f"{need}, but Colab has {colab[names[need]]}"
        for need in needed
        if names[need] in colab and not need.specifier.contains(colab[names[need]], prereleases=True)
    ]
    return wrong, [names[need] for need in needed if names[need] not in colab]


def fits(lines, colab):
    """As `unmet`, of requirements and of those of whatever is missing, by the metadata of what is installed here."""
    wrong, lacking = unmet(lines, colab)
    for name in lacking:
        deeper, more = unmet(distribution(name).requires or (), colab)
        wrong += deeper
        lacking += [one for one in more if one not in lacking]
    return wrong, lacking


def test_nothing_that_colab_has_is_changed_and_little_is_added():
    assert SpecifierSet(PROJECT["requires-python"]).contains(python_version())
    wrong, lacking = fits(PROJECT["dependencies"], COLAB)
    assert wrong == []
    assert sorted(lacking) == list(LACKING)


def test_the_check_finds_a_bound_that_is_too_high_a_cap_and_a_new_package():
    assert fits(["numpy>=2.2"], COLAB) == ([f"numpy>=2.2, but Colab has {COLAB['numpy']}"], [])
    assert fits(["torch<2.5"], COLAB)[0] == [f"torch<2.5, but Colab has {COLAB['torch']}"]
    assert fits(["hypothesis"], COLAB)[1][0] == "hypothesis"
    assert fits(["jaxtyping"], COLAB | {"wadler-lindig": "0.0.1"})[0]  # a requirement of what is added
    assert fits(["pywin32; sys_platform == 'win32'"], COLAB) == ([], [])


def test_the_list_is_dated_and_holds_what_is_used_alone():
    head, lines = versions_file().read_text().split("\n")[0], versions_file().read_text().splitlines()[2:]
    date = re.search(r"GPU runtime of (\d{4}-\d\d)-\d\d, Python \d\.\d+", head)[1]
    assert versions_file().name == f"versions-{date}.txt"
    assert all(LINE.fullmatch(line) for line in lines) and 50 < len(lines) < 120
    assert list(COLAB) == sorted(COLAB) and len(COLAB) == len(lines)
    direct = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    assert direct | set(FURTHER) <= COLAB.keys() | {"jaxtyping"}
    assert not any(GPU_LIBRARY.match(name) for name in COLAB)
    assert not {"d2l", *LACKING} & COLAB.keys()


@pytest.mark.skipif(not FREEZE.is_file(), reason="the whole list of Colab's packages is not beside this checkout")
def test_the_list_is_colabs():
    whole = versions(FREEZE)
    assert COLAB.items() <= whole.items()
    assert not {"d2l", *LACKING} & whole.keys()


def imports(source):
    """Top-level modules that are imported outside of a ``try``; a cell's commands to IPython are left out."""
    lines = [re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in source.split("\n")]
    todo = [ast.parse("\n".join(lines))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]
        elif not isinstance(node, ast.Try):
            todo += ast.iter_child_nodes(node)


providers = functools.cache(packages_distributions)


def distributions(modules):
    """Normalised names of the packages that these modules are from; those of Python itself are left out."""
    known = providers()
    return {
        canonicalize_name(known.get(module, [module])[0])
        for module in modules
        if module not in sys.stdlib_module_names and module != "segtut"
    }


def test_chapters_import_what_is_there():
    seen = set()
    for path in CHAPTERS:
        cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        used = distributions(module for source in cells for module in imports(source))
        used = {"opencv-python-headless" if name.startswith("opencv") else name for name in used}
        assert used <= COLAB.keys() | {"d2l", "jaxtyping"}, path.name
        seen |= used
    assert {"torch", "numpy", "torchvision", "d2l"} <= seen


def test_d2l_needs_no_more_than_colab_has():
    """The bootstrap cell installs it without its dependencies, which are pinned to versions of 2022."""
    source = (Path(distribution("d2l").locate_file("d2l")) / "torch.py").read_text()
    first = [node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = set(imports("\n".join(map(ast.unparse, first))))
    assert "torchvision" in modules
    assert distributions(modules) - {"d2l"} <= COLAB.keys()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.relative_to(ROOT / "notebooks").as_posix())
def test_a_chapter_reads_well_in_colab(path):
    """Colab finds pictures of a notebook that it opens from GitHub by their relative path, and shows no attachments."""
    notebook = nbformat.read(path, as_version=4)
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert not any(cell.get("attachments") for cell in notebook.cells)
    for source in re.findall(r"!\[[^\]]*\]\(([^)\s]+)|<img[^>]*src=[\"']([^\"']+)", "\n".join(texts)):
        picture = "".join(source)
        assert not picture.startswith(("/", "attachment:", "data:")), picture
        assert "://" in picture or (path.parent / picture).is_file(), picture
    (link,) = re.findall(r"\(https://colab\.research\.google\.com/github/[^/]+/[^/]+/blob/main/([^)]+)\)", texts[0])
    assert link in (path.relative_to(ROOT).as_posix(), f"assignments/{path.name}") and (ROOT / link).is_file()
    # Whoever asks Colab for a GPU waits for one, and has only some hours of it: it must be one that Colab gives to all.
    wanted = notebook.metadata.get("accelerator"), notebook.metadata.get("colab", {}).get("gpuType")
    assert wanted in ((None, None), ("GPU", "T4"))
