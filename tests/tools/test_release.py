"""tools/release.py on a small project: what a release holds, and what keeps one from being made."""

import hashlib
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools import release

ROOT = Path(__file__).parents[2]
CHANGELOG = (
    "# Changelog\n\n## 0.2.0 - 2026-12-01\n\n### Added\n\n- A *second* thing.\n\n## 0.1.0 - 2026-11-01\n\n- One.\n"
)


@pytest.fixture
def project(tmp_path):
    """A project with a package, a built book and a PDF."""
    package = tmp_path / "segtut"
    (package / "runs").mkdir(parents=True)
    (package / "__init__.py").write_text('"""Small."""\n\n__version__ = "0.2.0"\n')
    (package / "runs/card.json").write_text("{}\n")
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "segtut"\nversion = "0.2.0"\n[tool.setuptools.packages.find]\ninclude = ["segtut*"]\n'
        '[tool.setuptools.package-data]\nsegtut = ["**/*.json"]\n'
    )
    (tmp_path / "CITATION.cff").write_text("title: segtut\nversion: 0.2.0\n")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    html = tmp_path / "_build/html"
    (html / "book").mkdir(parents=True)
    (html / "index.html").write_text("<a href='book/faq.html'>faq</a>")
    (html / "book/faq.html").write_text("faq")
    (html / ".buildinfo").write_text("when")
    (tmp_path / "_build/segtut.pdf").write_bytes(b"%PDF-")
    return tmp_path


def test_a_release_holds_wheel_source_book_pdf_and_their_sums(project, capsys):
    release.main(["build", "--tag", "v0.2.0"], project)
    assert "segtut-0.2.0-book.zip" in capsys.readouterr().out
    folder = project / "_build/release"
    sums = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert sorted(sums) == [
        "segtut-0.2.0-book.zip", "segtut-0.2.0-py3-none-any.whl", "segtut-0.2.0.pdf", "segtut-0.2.0.tar.gz",
    ]  # fmt: skip
    assert {*sums, "SHA256SUMS"} == {path.name for path in folder.iterdir()}
    assert all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == total for name, total in sums.items())
    assert (project / "_build/release-notes.md").read_text() == "### Added\n\n- A *second* thing.\n"
    assert "segtut/runs/card.json" in zipfile.ZipFile(folder / "segtut-0.2.0-py3-none-any.whl").namelist()
    with tarfile.open(folder / "segtut-0.2.0.tar.gz") as source:
        assert "segtut-0.2.0/segtut/runs/card.json" in source.getnames()
    book = zipfile.ZipFile(folder / "segtut-0.2.0-book.zip").namelist()
    assert book == ["segtut-0.2.0-book/book/faq.html", "segtut-0.2.0-book/index.html"]

    (project / "segtut/weights.bin").write_bytes(b"0")  # in no pattern of package-data
    with pytest.raises(release.ReleaseError, match=r"the wheel lacks segtut/weights\.bin"):
        release.check_wheel(project, folder / "segtut-0.2.0-py3-none-any.whl")


def test_the_same_book_gives_the_same_archive(project):
    first, second = (project / name / "book.zip" for name in ("one", "two"))
    for target in (first, second):
        target.parent.mkdir()
        release.pack_book(project / "_build/html", target)
        (project / "_build/html/index.html").touch()
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("CHANGELOG.md", "## 0.2.0 - 2026-12-01", "## 0.2.0 - unreleased", "as unreleased"),
        ("CHANGELOG.md", "0.2.0", "0.3.0", "no heading '## 0.2.0"),
        ("CHANGELOG.md", "\n### Added\n\n- A *second* thing.\n", "", "says nothing below"),
        ("CITATION.cff", "0.2.0", "0.1.0", "CITATION.cff has no line"),
        ("segtut/__init__.py", "0.2.0", "0.1.0", "segtut/__init__.py has no line"),
        ("pyproject.toml", "0.2.0", "0.2.1", "has no line"),
    ],
)
def test_what_is_not_ready_is_refused_in_one_sentence(project, name, old, new, words):
    path = project / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(SystemExit) as stop:
        release.main(["check", "--tag", "v0.2.0"], project)
    assert words in stop.value.code and stop.value.code.count("\n") == 0
    assert not (project / "_build/release").exists()


@pytest.mark.parametrize("tag", ["0.2.0", "v0.2.1", "v0.2.0rc1"])
def test_a_tag_that_is_not_the_version_is_refused(project, tag):
    with pytest.raises(release.ReleaseError, match=r"is not 'v0\.2\.0'"):
        release.check(project, tag)


@pytest.mark.parametrize(("missing", "words"), [("html", "run 'make book'"), ("segtut.pdf", "run 'make pdf'")])
def test_a_release_without_book_or_pdf_says_what_to_run(project, missing, words):
    path = project / "_build" / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(release.ReleaseError, match=words):
        release.build(project)


def test_this_project_could_be_released():
    version, notes = release.check(ROOT)
    assert version and len(notes) > 100
