"""The dated list of Colab's versions, in ``tests/colab``: read it, or write it anew.

``python tools/colab_versions.py FREEZE --date 2026-08-19`` takes from ``pip freeze`` of Colab what the package and the
chapters use, directly or not. It fails where the package does not fit to what Colab has.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What runs a notebook there, and what chapters import besides the package's dependencies.
FURTHER = ("ipykernel", "ipython", "matplotlib-inline", "pip", "torchvision")
# Libraries for a GPU follow from PyTorch's build, which is another one in Colab than on the package index.
GPU_LIBRARY = re.compile(r"(nvidia|cuda|triton)\b")
LINE = re.compile(r"^([\w.-]+)==(\S+)$", re.MULTILINE)


class ColabError(Exception):
    """Something is missing, or a program failed; the message says what."""


def call(*command):
    """Run a program and return what it printed; ColabError with its last lines if it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-12:]
        raise ColabError("\n".join([f"{' '.join(map(str, command[:4]))} … failed:", *said]))
    return done.stdout


def uv():
    """Path of uv: that of this environment, else the one on the PATH."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if not found:
        raise ColabError("uv is not installed: pip install uv")
    return found


def versions_file():
    """Path of the newest list."""
    return sorted((ROOT / "tests" / "colab").glob("versions-*.txt"))[-1]


def python_version():
    """Colab's Python, such as ``3.13``."""
    return re.search(r"Python (\d+\.\d+)", versions_file().read_text(encoding="utf-8"))[1]


def versions(path=None):
    """Versions by normalised name, from a list or from ``pip freeze``; by default from the newest list."""
    text = (path or versions_file()).read_text(encoding="utf-8")
    return {re.sub("[-_.]+", "-", name).lower(): version for name, version in LINE.findall(text)}


def resolve(colab, python):
    """Versions of what the package and the chapters use, with those in `colab` as they are."""
    with tempfile.TemporaryDirectory() as temporary:
        constraints, further = Path(temporary) / "constraints.txt", Path(temporary) / "further.in"
        constraints.write_text("\n".join(f"{name}=={version}" for name, version in colab.items()), encoding="utf-8")
        further.write_text("\n".join(FURTHER), encoding="utf-8")
        options = ["--no-header", "--no-annotate", "--python-version", python, "--python-platform", "linux"]
        call(uv(), "pip", "compile", ROOT / "pyproject.toml", further, "-c", constraints, *options,
             "-o", Path(temporary) / "used.txt")  # fmt: skip
        return versions(Path(temporary) / "used.txt")


def main(arguments=None):
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Write the dated list of Colab's versions anew.")
    parser.add_argument("freeze", type=Path, help="'pip freeze' of Colab")
    parser.add_argument("--date", required=True, help="of the freeze, such as 2026-08-19")
    parser.add_argument("--python", default=python_version(), help="Colab's [default: as in the list so far]")
    given = parser.parse_args(arguments)
    colab = {name: version for name, version in versions(given.freeze).items() if not GPU_LIBRARY.match(name)}
    try:
        used = resolve(colab, given.python)
    except ColabError as error:
        sys.exit(f"segtut: {error}")
    kept = [f"{name}=={version}" for name, version in sorted(used.items()) if name in colab]
    head = f"""\
# Colab's GPU runtime of {given.date}, Python {given.python}: what the package and the chapters use,
# without CUDA's libraries. Written by tools/colab_versions.py from the list in github.com/googlecolab/backend-info.
"""
    old, new = versions_file(), ROOT / "tests" / "colab" / f"versions-{given.date[:7]}.txt"
    new.write_text(head + "\n".join(kept) + "\n", encoding="utf-8")
    if old != new:
        old.unlink()
    lacking = [name for name in used if name not in colab and not GPU_LIBRARY.match(name)]
    print(f"{new.relative_to(ROOT)}: {len(kept)} packages. Colab lacks: {', '.join(lacking)}")


if __name__ == "__main__":
    main()
