"""Check what a change touches: the tests of the changed parts, and the changed chapters from top to bottom.

``python tools/check.py [--since COMMIT] [--list]``; ``make check`` runs it after ``make lint``. Changed is what differs
from where the branch left ``main``, committed or not, and every file that git does not know yet. Other parts of the
project may depend on what changed: ``make test`` runs everything, as the project's checks do after a push.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Which tests hold what, where the names do not tell. A chapter's text is held by the tests of all pages.
PAGES = [f"tests/book/test_{name}.py" for name in ("pages", "references", "pitfalls", "ledger")]
AREAS = {
    r"(book|notebooks)/|_toc\.yml$|_config\.yml$": PAGES,
    r"notebooks/assignments/|assignments/": ["tests/classroom/test_assignments.py"],
    r"\.github/|\.devcontainer/|Makefile$": ["tests/book/test_workflows.py", "tests/tools/test_contributing.py"],
    r"(CONTRIBUTING|CHANGELOG)\.md$|\.pre-commit-config\.yaml$": ["tests/tools/test_contributing.py"],
    r"segtut/|tests/|README\.md$|CITATION\.cff$|pyproject\.toml$|requirements\.txt$": ["tests/test_package.py"],
}


class CheckError(Exception):
    """There is nothing to compare with; the message says what to do."""


def git(root, *arguments):
    """Return what a git command prints, or None if it fails."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


def changed_files(root, since=None):
    """Return the files, relative to `root`, that differ from `since` or from where the branch left ``main``."""
    if since is None:
        bases = (git(root, "merge-base", "HEAD", main) for main in ("origin/main", "main"))
        since = next(filter(None, bases), "HEAD").strip()
    differing = git(root, "diff", "--name-only", "--no-renames", "-z", since, "--")
    if differing is None:
        raise CheckError(f"git knows no commit {since!r} here: name one, as in 'make check SINCE=HEAD~3'")
    unknown = git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return sorted({*differing.split("\0"), *unknown.split("\0")} - {""})


def tests_of(name, root):
    """Return the tests of one changed file, by its name and by what `AREAS` says of it."""
    path = Path(name)
    found = [test for pattern, tests in AREAS.items() if re.match(pattern, name) for test in tests]
    if path.parts[0] == "segtut" and len(path.parts) > 1:
        part = path.parts[1].removesuffix(".py")
        found += [f"tests/{part}", *(test.relative_to(root) for test in root.glob(f"tests/**/test_{part}*.py"))]
    elif path.parts[0] == "tests" and path.suffix == ".py":
        found.append(name if path.name.startswith("test_") else path.parent)
    elif path.parts[0] == "tools":
        mention = re.compile(
            rf"\b(tools/{re.escape(path.name)}|tools\.{re.escape(path.stem)}|tools import {path.stem})\b"
        )
        tests = [test for test in root.glob("tests/**/test_*.py") if mention.search(test.read_text(encoding="utf-8"))]
        found += [test.relative_to(root) for test in tests]
    return {Path(test) for test in found if (root / test).exists()}


def selection(changed, root=ROOT):
    """Return the tests and the notebooks to run for the changed files, each a sorted list of paths in `root`."""
    tests = {test for name in changed for test in tests_of(name, root)}
    tests = {test for test in tests if not tests & {*test.parents}}  # a folder stands for what is in it
    notebooks = {Path(name) for name in changed if re.fullmatch(r"notebooks/(solutions/)?[^/]+\.ipynb", name)}
    return sorted(tests), sorted(path for path in notebooks if (root / path).exists())


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="Run the tests of what changed, and the changed chapters.")
    parser.add_argument("--since", metavar="COMMIT", help="compare with this commit (default: where main was left)")
    parser.add_argument("--list", action="store_true", help="run nothing, say what would run")
    arguments = parser.parse_args(arguments)
    try:
        changed = changed_files(ROOT, arguments.since or None)
    except CheckError as error:
        return f"segtut: {error}."
    tests, notebooks = selection(changed)
    print(f"{len(changed)} changed files. Their tests:", *tests or ["none"], sep="\n  ")
    print("Chapters to run:", *notebooks or ["none"], sep="\n  ", flush=True)
    if arguments.list:
        return 0
    # Chapters come first: they take longest, and the tests fill the second core meanwhile.
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-m", "not browser"]
    command += ["--nbmake", "--nbmake-timeout=300", "--timeout=600", *notebooks, *tests]
    environment = {"OMP_NUM_THREADS": "1"} | os.environ
    if (notebooks or tests) and subprocess.run(command, cwd=ROOT, env=environment).returncode:
        return "segtut: the change is not ready yet: the first failure above says why."
    print("What the change touches is in order. 'make test' runs the rest, 'make book' shows the pages.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
