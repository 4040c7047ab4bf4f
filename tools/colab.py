"""Run chapters as Colab does: from the wheel, with Colab's versions, in an empty folder, without the repository.

``python tools/colab.py --all`` builds the wheel, makes an environment of the versions in ``tests/colab`` (CUDA's
libraries come along, 5 GB, unless ``UV_TORCH_BACKEND=cpu`` is set where uv reaches PyTorch's own index), and executes
each chapter there, its bootstrap cell included, in which only the package's address is replaced by the wheel's. It
fails if a cell fails, or if what the bootstrap cell installs changes a package that was there.
"""

import argparse
import ast
import json
import os
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.colab_versions import ColabError, call, python_version, uv, versions_file

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("segtut", "pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT")
ADDRESS = re.compile(r'"segtut @ git\+[^"]+"')

FROM_THE_WHEEL = """\
import os, sys
from importlib.metadata import distribution
assert segtut.__file__.startswith(sys.prefix), f"{segtut.__file__} is not the wheel's"
assert "WHEEL" in distribution("segtut").read_text("direct_url.json"), "another wheel is installed"
assert not os.listdir(), f"the folder is not empty: {os.listdir()}"
"""


@dataclass
class Outcome:
    """What came of a chapter.

    Attributes
    ----------
    seconds : float
        That it took.
    error : str
        Of the cell that failed, empty if none did.
    noise : list of str
        First lines of what cells wrote to standard error.
    """

    seconds: float
    error: str
    noise: list[str]


def build_wheel(folder):
    """Build the package's wheel in `folder`, from a copy: a build in place takes over what an older one left."""
    copy = folder / "source"
    copy.mkdir(parents=True)
    for name in SOURCES:
        here = ROOT / name
        if here.is_dir():
            shutil.copytree(here, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(here, copy / name)
    call(uv(), "build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder, copy)
    (wheel,) = folder.glob("segtut-*.whl")
    return wheel


def colab_environment(folder, python=None):
    """Make an environment with Colab's versions of what the project uses, and without what Colab lacks."""
    call(uv(), "venv", "--python", python or python_version(), folder)
    call(uv(), "pip", "install", "--python", folder / "bin" / "python", "-r", versions_file())
    return folder / "bin" / "python"


def borrowed_environment(folder, wheel):
    """Make an environment, in a second, with the wheel and the packages of the environment that runs this.

    The latter come from a path file, so that those which are installed as links, such as the repository's own
    package, are not among them.
    """
    call(uv(), "venv", "--python", sys.executable, folder)
    python = folder / "bin" / "python"
    site = Path(call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    here = Path(nbformat.__file__).parents[1]
    (site / "borrowed.pth").write_text(f"{here}\n", encoding="utf-8")
    call(uv(), "pip", "install", "--offline", "--no-deps", "--python", python, wheel)
    return python


def packages(python):
    """Return the versions of what is installed in an environment, by name."""
    code = "import importlib.metadata as m; print([(d.name.lower(), d.version) for d in m.distributions()])"
    return dict(ast.literal_eval(call(python, "-I", "-c", code)))


def changes(before, after):
    """Return what became of packages that were there before, in words."""
    return [f"{name} {old} -> {after.get(name, 'gone')}" for name, old in before.items() if after.get(name) != old]


def prepare(path, wheel):
    """Return a chapter whose bootstrap cell installs the wheel, followed by a check that it is in use."""
    notebook = nbformat.read(path, as_version=4)
    (index,) = [i for i, cell in enumerate(notebook.cells) if "bootstrap" in cell.metadata.get("tags", [])]
    cell = notebook.cells[index]
    cell.source, count = ADDRESS.subn(f'"segtut @ {wheel.as_uri()}"', cell.source)
    if count != 1:
        raise ColabError(f"{path.name}: the bootstrap cell installs the package {count} times, not once")
    notebook.cells.insert(index + 1, nbformat.v4.new_code_cell(FROM_THE_WHEEL.replace("WHEEL", wheel.as_uri())))
    return notebook


def execute(notebook, python, timeout=600):
    """Execute a chapter with a Python of another environment in an empty folder.

    Parameters
    ----------
    notebook : NotebookNode
        The chapter, from `prepare`; it keeps the outputs.
    python : Path
        The environment's.
    timeout : int
        Seconds that one cell may take.

    Returns
    -------
    Outcome
    """
    with tempfile.TemporaryDirectory() as temporary:
        specs, content, ipython = (Path(temporary) / name for name in ("kernels", "content", "ipython"))
        for folder in (specs / "elsewhere", content, ipython):
            folder.mkdir(parents=True)
        command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": command, "display_name": "elsewhere", "language": "python"}
        (specs / "elsewhere" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        manager = AsyncKernelManager(
            kernel_name="elsewhere", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(specs)])
        )
        ours = ("PYTHON", "VIRTUAL_ENV", "SEGTUT_", "MPLBACKEND", "JUPYTER_")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        environment |= {"PATH": f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}", "IPYTHONDIR": str(ipython)}
        environment |= {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # else Python 3.13 warns of it at every start
        client = NotebookClient(notebook, km=manager, timeout=timeout, resources={"metadata": {"path": str(content)}})
        start, error = time.perf_counter(), ""
        try:
            client.execute(env=environment)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as failure:
            error = re.sub(r"\x1b\[[\d;]*m", "", str(failure))  # without colours
        seconds = time.perf_counter() - start
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    noise = [output.text.strip().split("\n")[0] for output in outputs if output.get("name") == "stderr"]
    return Outcome(seconds, error, noise)


def run(chapters, python, environment, timeout):
    """Execute chapters, print what came of each, and return the number of faults."""
    faults = 0
    with tempfile.TemporaryDirectory(prefix="segtut-colab-") as temporary:
        wheel = build_wheel(Path(temporary) / "wheel")
        python = environment / "bin" / "python" if environment else colab_environment(Path(temporary) / "env", python)
        notebooks = [prepare(path, wheel) for path in chapters]  # now: they belong to this wheel
        before = packages(python)
        for path, notebook in zip(chapters, notebooks, strict=True):
            outcome = execute(notebook, python, timeout)
            after = packages(python)
            faults += bool(outcome.error)
            print(f"{path.stem}: {'FAILED' if outcome.error else 'ran'}, {outcome.seconds:.0f} s", flush=True)
            for line in outcome.noise:
                print(f"  stderr: {line[:150]}", flush=True)
            if outcome.error:
                print(outcome.error, flush=True)
        added = ", ".join(f"{name} {after[name]}" for name in sorted(after.keys() - before.keys()))
        changed = changes(before, after)
        print(f"The bootstrap cell added: {added or 'nothing'}; it changed: {', '.join(changed) or 'nothing'}")
    print(f"{len(chapters) - faults} passed, {faults} failed")
    return faults + len(changed)


def main(arguments=None):
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Run chapters as Colab does.")
    parser.add_argument("chapters", nargs="*", type=Path, help="notebooks")
    parser.add_argument("--all", action="store_true", help="all chapters")
    parser.add_argument("--python", help="for uv: a version or a path [default: Colab's version]")
    parser.add_argument("--environment", type=Path, help="use this environment instead of making one")
    parser.add_argument("--timeout", type=int, default=600, help="seconds that one cell may take")
    given = parser.parse_args(arguments)
    chapters = sorted((ROOT / "notebooks").glob("*.ipynb")) if given.all else given.chapters
    if not chapters:
        parser.error("name chapters, or --all")
    try:
        sys.exit(bool(run(chapters, given.python, given.environment, given.timeout)))
    except ColabError as error:
        sys.exit(f"segtut: {error}")


if __name__ == "__main__":
    main()
