"""The built book and a browser, for tests marked `browser`.

Where one of them is missing the tests are skipped and say why; with SEGTUT_REQUIRE_BROWSER=1 they fail.
"""

import importlib.util
import os
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build/html"
NAMES = ("chromium", "chromium-browser", "google-chrome")


def missing(what):
    """Skip the test, or fail it where a browser and a book are required."""
    if os.environ.get("SEGTUT_REQUIRE_BROWSER") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def html():
    """Return the folder of the built book."""
    if not (HTML / "index.html").is_file():
        missing("there is no built book: run 'make book' first")
    return HTML


@pytest.fixture(scope="module")
def chromium():
    """Return a headless Chromium: the system's, or the one that playwright has installed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, NAMES)), playwright.chromium.executable_path)
        if not Path(found).is_file():
            missing("there is no Chromium: install it, or run '.venv/bin/python -m playwright install chromium'")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serving():
    """Return a context manager that serves a folder as `make serve` does the book, and gives its address."""
    spec = importlib.util.spec_from_file_location("book_tool", ROOT / "tools/book.py")
    book_tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(book_tool)

    @contextmanager
    def serve(folder):
        with book_tool.listen(0, folder) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()

    return serve
