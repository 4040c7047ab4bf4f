"""tools/environment.sh: each way of failing is one sentence, and a finished environment is left alone."""

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path):
    """A repository without an environment."""
    folder = tmp_path / "segtut"
    (folder / "tools").mkdir(parents=True)
    for name in ("tools/environment.sh", "requirements.txt", "pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def script(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return path


def run(clone, path="", **environment):
    found = {"PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"], "HOME": str(clone.parent)}
    return subprocess.run(
        ["sh", "tools/environment.sh"], cwd=clone, env=found | environment, capture_output=True, text=True, timeout=120
    )


def sentence(done):
    """Return the one line that starts with the program's name."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("segtut: ")]
    assert done.returncode == 1 and len(lines) == 1 and "Traceback" not in done.stderr, done.stderr
    return lines[0]


def test_python_too_old(clone):
    old = script(clone / "bin/oldpython", 'case "$2" in *print*) echo 3.9 ;; *) exit 1 ;; esac\n')
    said = sentence(run(clone, PYTHON=str(old)))
    assert "Python 3.11 or newer is needed" in said and "3.9" in said
    assert not (clone / ".venv").exists()


def test_no_python_at_all(clone):
    assert "none that runs" in sentence(run(clone, PYTHON="/no/such/python"))


def test_a_newer_python_beside_an_old_one_is_found(clone):
    script(clone / "bin/python3", "exit 1\n")
    script(clone / "bin/python3.14", "exit 1\n")
    script(clone / "bin/python3.13", f'exec {sys.executable} "$@"\n')
    script(clone / "bin/df", "echo header; echo disk 1 1 1 1% /\n")
    done = run(clone, path=str(clone / "bin"))
    assert "0 GB" in sentence(done)  # it got past the Python check, to the disk


def test_no_disk(clone):
    script(clone / "bin/df", "echo header; echo /dev/disk 100 100 1048576 99% /\n")
    said = sentence(run(clone, path=str(clone / "bin"), PYTHON=sys.executable))
    assert "free disk" in said and "1 GB" in said and not (clone / ".venv").exists()


def test_no_venv_module(clone):
    bare = script(clone / "bin/python", f'[ "$2" = venv ] && exit 1; exec {sys.executable} "$@"\n')
    said = sentence(run(clone, PYTHON=str(bare)))
    assert "python3-venv" in said and not (clone / ".venv").exists()


def test_no_network(clone):
    offline = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_NO_INDEX": "0", "PIP_FIND_LINKS": ""}
    offline |= {"PIP_EXTRA_INDEX_URL": "", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
    done = run(clone, PYTHON=sys.executable, **offline)
    assert "cannot be reached" in sentence(done)
    assert not (clone / ".venv" / "segtut-stamp").exists()


def test_a_finished_environment_is_left_alone_in_no_time():
    if not (ROOT / ".venv" / "segtut-stamp").exists():
        pytest.skip("the tests run outside the project's own environment")
    start = time.perf_counter()
    done = run(ROOT)
    assert done.returncode == 0 and done.stderr == "" and time.perf_counter() - start < 2


def test_a_changed_requirement_is_noticed(clone):
    (clone / ".venv/bin").mkdir(parents=True)
    script(clone / ".venv/bin/python", "exit 1\n")
    (clone / ".venv/segtut-stamp").write_text("the stamp of other requirements")
    assert "none that runs" in sentence(run(clone, PYTHON="/no/such/python"))  # it set out to make a new one


def test_make_help_names_the_targets(clone):
    done = subprocess.run(["make", "help"], cwd=clone, capture_output=True, text=True, check=True)
    for target in ("book", "test", "serve", "lint", "clean"):
        assert f"make {target}" in done.stdout
