"""tools/book.py on a small book of its own: what is wrong fails every time, and no stale result is used."""

import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
# A real figure, of one pixel: what counts is whether it has words.
FIGURE = (
    "from IPython.display import display\n"
    "PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=='\n"
    "display({'image/png': PNG}, raw=True, metadata={'image/png': {'alt': 'one grey pixel'}})"
)
READ = "from pathlib import Path\nprint('read', Path('../segtut/number.txt').read_text())"


@pytest.fixture
def book(tmp_path):
    """Make a book of one page and one chapter with the settings of the real one."""
    for name in ("book/_ext", "book/static"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tools/book.py", "tools/execute.py", "_config.yml", "book/references.bib"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in ("segtut", "notebooks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "segtut/number.txt").write_text("41")
    (tmp_path / "requirements.txt").write_text("nothing==1\n")
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/intro\nparts:\n  - caption: All\n    chapters:\n"
        "      - file: notebooks/chapter\n      - file: book/references\n"
    )
    (tmp_path / "book/intro.md").write_text("# Intro\n\n[](../notebooks/chapter.ipynb), {cite}`ccnet`\n")
    (tmp_path / "book/references.md").write_text("# References\n\n```{bibliography}\n```\n")
    write_chapter(tmp_path, READ, FIGURE)
    return tmp_path


def write_chapter(book, *code, name="chapter"):
    """Write a chapter with a formula of two tagged lines and these cells."""
    formula = "$$\n\\begin{aligned} a &= b \\\\ c &= d \\end{aligned} \\tag{1.1}\n$$"
    cells = [nbformat.v4.new_markdown_cell(f"# Chapter\n\n{formula}")]
    cells += [nbformat.v4.new_code_cell(source) for source in code]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), book / f"notebooks/{name}.ipynb")


def build(book, *options):
    """Build the book; return the exit status and everything that was printed."""
    done = subprocess.run(
        [sys.executable, "tools/book.py", "build", *options],
        cwd=book, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_solutions_of_assignments_are_in_the_teachers_edition_only(book):
    (book / "notebooks/assignments").mkdir()
    cells = [
        nbformat.v4.new_markdown_cell("# Assignment 1"),
        nbformat.v4.new_code_cell("answer = 6 * 7\nprint(answer)"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), book / "notebooks/assignments/1_one.ipynb")
    for options, pages in (((), "_build/html"), (("--teacher",), "_build/teacher/_build/html")):
        status, printed = build(book, *options)
        assert status == 0, printed
        assert f"{pages}/index.html" in printed
        assert (book / pages / "notebooks/chapter.html").is_file()
    assert "Executed notebooks/assignments/1_one.ipynb" in printed and "chapter.ipynb in" not in printed  # shared cache
    assert "6 * 7" not in "".join(p.read_text() for p in (book / "_build/html").rglob("*.html"))
    assert ">42\n" in (book / "_build/teacher/_build/html/notebooks/assignments/1_one.html").read_text()
    assert "s edition</title>" in (book / "_build/teacher/_build/html/book/intro.html").read_text()


def test_a_build_is_complete_cached_and_renewed(book):
    status, printed = build(book)
    assert status == 0, printed
    assert "Executed notebooks/chapter.ipynb" in printed and "Executing notebook" not in printed  # but once
    assert "_build/html/index.html" in printed and "make serve" in printed
    page = (book / "_build/html/notebooks/chapter.html").read_text()
    assert "read 41" in page
    assert 'alt="one grey pixel"' in page
    assert "split" not in page  # in which MathJax refuses the tag
    mathjax = book / "_build/html/_static/mathjax"
    assert sorted(path.name for path in mathjax.glob("*.js")) == ["core.js", "startup.js"]
    assert (mathjax / "output/chtml/fonts/woff-v2").is_dir()

    status, printed = build(book)
    assert status == 0 and "Executed" not in printed and "Executing notebook" not in printed

    # The chapter is the same; the package behind it is not. And a page that left the contents leaves the book.
    (book / "segtut/number.txt").write_text("42")
    toc = book / "_toc.yml"
    toc.write_text(toc.read_text().replace("  - file: book/references\n", ""))
    (book / "book/intro.md").write_text("# Intro\n")
    status, printed = build(book)
    assert status == 0, printed
    assert "read 42" in (book / "_build/html/notebooks/chapter.html").read_text()
    assert not (book / "_build/html/book/references.html").exists()


def test_a_failing_cell_fails_the_build(book):
    write_chapter(book, "raise RuntimeError('the chapter is wrong')")
    status, printed = build(book)
    assert status != 0 and "the chapter is wrong" in printed and "The book was not built" in printed


def test_warnings_fail_the_first_build_and_the_second(book):
    write_chapter(book, FIGURE.replace("'alt': 'one grey pixel'", ""), "import sys\nprint('noise', file=sys.stderr)")
    for _ in range(2):
        status, printed = build(book)
        assert status != 0 and "The book was not built" in printed
        assert "image without alternative text" in printed and "stderr was found in the cell outputs" in printed


@pytest.fixture
def serve(tmp_path):
    """Return a function that serves a book of one page from a port on and gives the process and its address."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/book.py", tmp_path / "tools")
    (tmp_path / "_build/html").mkdir(parents=True)
    (tmp_path / "_build/html/index.html").write_text("the book")
    started = []

    def start(port):
        process = subprocess.Popen(
            [sys.executable, "tools/book.py", "serve", "--port", str(port)],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            # Ctrl-C counts there even if whoever started the tests in the background made them deaf to it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        started.append(process)
        return process, process.stdout.readline().split()[4]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_serve_shows_the_book_on_this_machine_only_at_the_next_free_port(serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process, address = serve(port)
        assert address.startswith("http://127.0.0.1:") and f":{port}/" not in address
        with urllib.request.urlopen(address, timeout=10) as page:
            assert page.read() == b"the book"
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert process.stdout.read().strip() == ""  # no traceback, no log of requests


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["serve"], 1, "There is no book yet: run 'make book' first."),
        (["serve", "--port", "http"], 2, "'http' is no port"),
        (["serve", "--port", "70000"], 2, "'70000' is no port"),
    ],
)
def test_serve_says_what_is_missing_or_wrong(tmp_path, arguments, status, words):
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/book.py", tmp_path / "tools")
    done = subprocess.run([sys.executable, "tools/book.py", *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == status and words in done.stderr and "Traceback" not in done.stderr
