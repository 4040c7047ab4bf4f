"""Execute the book's notebooks, two at a time, into the cache from which the build takes them.

``python tools/execute.py _toc.yml``. Jupyter Book executes one notebook after the other, and most of what a chapter
computes is too small for a second core. What the cache holds is not executed again, nor what `make chapters` has just
executed from the same code. A notebook that fails is left out: the build meets it, and reports it.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from nbclient.exceptions import DeadKernelError

ROOT = Path(__file__).resolve().parents[1]


def notebooks(contents):
    """Yield the notebooks that a table of contents names, in its order."""
    if isinstance(contents, dict) and "file" in contents and (path := ROOT / f"{contents['file']}.ipynb").is_file():
        yield path
    for part in contents.values() if isinstance(contents, dict) else contents:
        if isinstance(part, dict | list):
            yield from notebooks(part)


def execute(path, timeout):
    """Return the executed notebook with the seconds that it took, or None if it failed."""
    notebook = nbformat.read(path, as_version=4)
    try:
        result = single_nb_execution(notebook, cwd=str(path.parent), timeout=timeout, allow_errors=False)
    except DeadKernelError:
        return None
    if result.err:
        return None
    print(f"Executed {path.relative_to(ROOT).as_posix()} in {result.time:.0f} s", flush=True)
    return CacheBundleIn(notebook, str(path), data={"execution_seconds": result.time})


def take_over(folder, cache):
    """Put into the cache what `keep_executed` left in a folder, and empty the folder."""
    for file in sorted(folder.glob("*.ipynb")):
        notebook = nbformat.read(file, as_version=4)
        done = notebook.metadata.pop("segtut_executed")
        for cell in notebook.cells:  # nbmake's clock times, which would make it another notebook
            cell.metadata.pop("execution", None)
        bundle = CacheBundleIn(notebook, done["path"], data={"execution_seconds": done["seconds"]})
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
        file.unlink()


def main(contents):
    """Execute what the cache does not hold of the notebooks that a table of contents, a file, names."""
    read = lambda name: yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))  # noqa: E731
    timeout = read("_config.yml")["execute"]["timeout"]
    cache = get_cache(ROOT / "_build" / ".jupyter_cache")
    take_over(ROOT / "_build" / "kept", cache)
    cached = {record.hashkey for record in cache.list_cache_records()}
    hashkey = lambda path: cache.create_hashed_notebook(nbformat.read(path, as_version=4))[1]  # noqa: E731
    stale = [path for path in notebooks(read(contents)) if hashkey(path) not in cached]
    with ThreadPoolExecutor(2) as pool:
        for bundle in pool.map(execute, stale, [timeout] * len(stale)):
            if bundle:
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


if __name__ == "__main__":
    main(sys.argv[1])
