"""What nbmake executes is taken over by the book's build, and only that."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import nbformat
from jupyter_cache import get_cache

ROOT = Path(__file__).parents[2]


def execute_tool():
    spec = importlib.util.spec_from_file_location("execute_tool", ROOT / "tools/execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def notebook(path, code):
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [nbformat.v4.new_code_cell(code)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


def test_what_ran_is_kept_with_its_outputs_and_what_failed_is_not(tmp_path):
    notebook(tmp_path / "book/a.ipynb", "print('from', 6 * 7)")
    notebook(tmp_path / "book/solutions/a.ipynb", "1 / 0")
    kept = tmp_path / "kept"
    environment = os.environ | {"SEGTUT_KEEP": str(kept), "PYTHONPATH": str(ROOT / "tools")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "keep_executed", "--nbmake", "--rootdir", tmp_path, "book"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert [file.name for file in kept.iterdir()] == ["book-a.ipynb"]

    cache = get_cache(tmp_path / "cache")
    tool = execute_tool()
    tool.take_over(kept, cache)
    [record] = cache.list_cache_records()
    source = nbformat.read(tmp_path / "book/a.ipynb", as_version=4)
    assert record.hashkey == cache.create_hashed_notebook(source)[1]  # the build finds it
    assert record.data["execution_seconds"] > 0
    merged = cache.merge_match_into_notebook(source)[1]
    assert merged.cells[0].outputs[0].text == "from 42\n"
    assert not list(kept.iterdir())
