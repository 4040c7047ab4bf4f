"""tools/check.py: what changed, and which tests and chapters that means."""

import subprocess
from pathlib import Path

import pytest

from tools import check

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path):
    """A repository with a commit on main and one more on a branch."""

    def git(*words):
        identity = ("-c", "user.name=Reader", "-c", "user.email=r@example.org")
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--initial-branch", "main")
    for name in ("kept.py", "edited.py", "gone.py"):
        (tmp_path / name).write_text("1\n")
    (tmp_path / ".gitignore").write_text("ignored\n")
    git("add", "--all")
    git("commit", "--message", "one")
    git("switch", "--create", "branch")
    (tmp_path / "on branch.py").write_text("1\n")
    git("add", "--all")
    git("commit", "--message", "two")
    return tmp_path


def test_changed_is_what_the_branch_the_tree_and_nobody_yet_has(repository):
    (repository / "edited.py").write_text("2\n")
    (repository / "gone.py").unlink()
    (repository / "new.py").write_text("1\n")
    (repository / "ignored").write_text("1\n")
    assert check.changed_files(repository) == ["edited.py", "gone.py", "new.py", "on branch.py"]
    assert check.changed_files(repository, "HEAD") == ["edited.py", "gone.py", "new.py"]


def test_an_unknown_commit_is_one_sentence(monkeypatch):
    assert check.main(["--since", "no-such-commit", "--list"]).startswith(
        "segtut: git knows no commit 'no-such-commit'"
    )


@pytest.mark.parametrize(
    ("name", "tests", "chapters"),
    [
        ("segtut/attention/criss_cross.py", {"tests/attention", "tests/test_package.py"}, []),
        ("segtut/cli/app.py", {"tests/test_cli.py", "tests/test_package.py"}, []),
        ("segtut/bench/train.py", {"tests/test_bench.py", "tests/test_bench_train.py", "tests/test_package.py"}, []),
        ("tests/data/test_scenes.py", {"tests/data/test_scenes.py", "tests/test_package.py"}, []),
        ("tests/networks/common.py", {"tests/networks", "tests/test_package.py"}, []),
        ("notebooks/05_criss_cross.ipynb", {*check.PAGES}, ["notebooks/05_criss_cross.ipynb"]),
        ("notebooks/solutions/05_criss_cross.ipynb", {*check.PAGES}, ["notebooks/solutions/05_criss_cross.ipynb"]),
        ("notebooks/99_gone.ipynb", {*check.PAGES}, []),
        ("assignments/3_dual_attention.ipynb", {"tests/classroom/test_assignments.py"}, []),
        ("CHANGELOG.md", {"tests/tools/test_contributing.py"}, []),
    ],
)
def test_a_changed_file_means_its_tests(name, tests, chapters):
    found, notebooks = check.selection([name])
    assert {path.as_posix() for path in found} == tests
    assert [path.as_posix() for path in notebooks] == chapters


def test_a_changed_tool_means_the_tests_that_name_it():
    found, _ = check.selection(["tools/environment.sh"])
    names = {path.name for path in found}
    assert "test_environment.py" in names and "test_release.py" not in names
    found, _ = check.selection(["tools/release.py"])  # which is imported, and named with its folder elsewhere
    assert "test_release.py" in {path.name for path in found}


def test_a_folder_stands_for_its_tests():
    found, _ = check.selection(["segtut/data/scenes.py", "tests/data/test_scenes.py"])
    assert [path.as_posix() for path in found] == ["tests/data", "tests/test_package.py"]


def test_every_named_test_is_there():
    assert all((ROOT / test).is_file() for tests in check.AREAS.values() for test in tests)
