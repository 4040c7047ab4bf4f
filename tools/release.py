"""Build a release, or see whether there can be one: ``python tools/release.py build`` and ``… check``.

``build`` writes into ``_build/release`` the wheel, the source distribution, the HTML book as a zip that opens without
network, the PDF, their SHA-256 sums, and beside that folder the notes: the version's section of ``CHANGELOG.md``. It
takes the book from ``_build/html`` and the PDF from ``_build/segtut.pdf``; ``make release`` builds both first.

``--tag vX.Y.Z`` asks for more: the tag must be the version in ``pyproject.toml``, and its section must have a date.
"""

import argparse
import hashlib
import itertools
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADING = re.compile(r"^## (\S+) - (\d{4}-\d{2}-\d{2}|unreleased)$", re.MULTILINE)


class ReleaseError(Exception):
    """There can be no release; the message says why and what to do."""


def read_version(root):
    """Return the version in ``pyproject.toml``; the package and ``CITATION.cff`` must have the same."""
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    for name, line in (("segtut/__init__.py", f'__version__ = "{version}"'), ("CITATION.cff", f"version: {version}")):
        if line not in (root / name).read_text(encoding="utf-8").splitlines():
            raise ReleaseError(
                f"{name} has no line {line!r}, and pyproject.toml says {version}: write the same in both"
            )
    return version


def read_notes(root, version):
    """Return date and text of the version's section in ``CHANGELOG.md``; the date may be ``unreleased``."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = [*HEADING.finditer(text), None]
    for heading, following in itertools.pairwise(headings):
        if heading[1] == version:
            notes = text[heading.end() : following.start() if following else None].strip()
            if not notes:
                raise ReleaseError(f"CHANGELOG.md says nothing below '{heading[0]}': write what is new")
            return heading[2], notes
    raise ReleaseError(f"CHANGELOG.md has no heading '## {version} - YYYY-MM-DD': add one, and below it what is new")


def check(root, tag=None):
    """Return version and notes of the release; with a tag, refuse one that is not ready."""
    version = read_version(root)
    date, notes = read_notes(root, version)
    if tag is not None:
        if tag != f"v{version}":
            raise ReleaseError(
                f"the tag {tag!r} is not 'v{version}', the version in pyproject.toml: change one of them"
            )
        if date == "unreleased":
            raise ReleaseError(f"CHANGELOG.md has {version} as unreleased: write the day of the release in its heading")
    return version, notes


def pack_book(html, target):
    """Zip the built book, in one folder, so that the same book gives the same bytes."""
    if not (html / "index.html").is_file():
        raise ReleaseError("there is no built book: run 'make book' first")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in html.rglob("*") if path.is_file() and path.name != ".buildinfo"):
            entry = zipfile.ZipInfo(f"{target.stem}/{path.relative_to(html).as_posix()}")
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())


def build_package(root, folder):
    """Build the source distribution, and from it the wheel, with what is installed; return the wheel."""
    command = [sys.executable, "-m", "uv", "build", "--quiet", "--no-build-isolation", "--python", sys.executable]
    done = subprocess.run([*command, "--out-dir", folder, root], capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(f"the package does not build:\n{done.stderr.strip()}")
    (folder / ".gitignore").unlink(missing_ok=True)  # uv's, for folders inside a repository
    return next(folder.glob("*.whl"))


def check_wheel(root, wheel):
    """Refuse a wheel that lacks a file of the package."""
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    files = [path.relative_to(root) for path in sorted((root / "segtut").rglob("*")) if path.is_file()]
    missing = [str(path) for path in files if "__pycache__" not in path.parts and path.as_posix() not in packed]
    if missing:
        raise ReleaseError(
            f"the wheel lacks {', '.join(missing)}: see [tool.setuptools.package-data] in pyproject.toml"
        )


def build(root, tag=None):
    """Write everything that a release has into ``_build/release``, and return those files."""
    version, notes = check(root, tag)
    folder = root / "_build" / "release"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pack_book(root / "_build" / "html", folder / f"segtut-{version}-book.zip")
    pdf = root / "_build" / "segtut.pdf"
    if not pdf.is_file():
        raise ReleaseError("there is no PDF of the book: run 'make pdf' first")
    shutil.copy(pdf, folder / f"segtut-{version}.pdf")
    check_wheel(root, build_package(root, folder))
    files = sorted(folder.iterdir())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    (folder.parent / "release-notes.md").write_text(f"{notes}\n", encoding="utf-8")
    return [*files, folder / "SHA256SUMS"]


def main(arguments=None, root=ROOT):
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Build a release, or see whether there can be one.")
    parser.add_argument("command", choices=["check", "build"])
    parser.add_argument("--tag", help="the git tag, which must be v and the version")
    arguments = parser.parse_args(arguments)
    try:
        if arguments.command == "check":
            print("segtut", check(root, arguments.tag or None)[0], "can be released.")
            return
        for path in build(root, arguments.tag or None):
            print(f"{path.stat().st_size / 1e6:7.2f} MB  {path.relative_to(root)}")
    except ReleaseError as error:
        sys.exit(f"segtut: {error}.")


if __name__ == "__main__":
    main()
