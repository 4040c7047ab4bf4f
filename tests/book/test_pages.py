"""The sources of the book: the table of contents, the form of every chapter, and what pages claim about other files."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOLUTIONS = sorted((ROOT / "notebooks/solutions").glob("*.ipynb"))
MYST = re.compile(r"^\s*(:{3,}|`{3,}|~{3,})\{|\{[a-z][\w:+-]*\}`|^\([\w-]+\)=$", re.MULTILINE)


def contents():
    """Return the pages of the table of contents, in order, without suffix."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    entries = [entry for part in toc["parts"] for entry in part["chapters"]]
    return [toc["root"], *(page["file"] for entry in entries for page in (entry, *entry.get("sections", [])))]


def faults_of_chapter(notebook):
    """Return what a chapter's committed form must not have, one phrase each."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    first = notebook.cells[0].source.splitlines()
    bootstraps = [cell for cell in notebook.cells if "bootstrap" in cell.metadata.get("tags", [])]
    checks = {
        "no title in its first line": not first[0].startswith("# "),
        "no Colab badge below the title": not (len(first) > 2 and first[2].startswith("[![Open in Colab](../")),
        "not one bootstrap cell as second cell": bootstraps != notebook.cells[1:2],
        "outputs or execution counts": any(cell.outputs or cell.execution_count for cell in code),
        "MyST that Colab and GitHub do not render": MYST.search(text),
        "no assertion": not any(re.search(r"^\s*assert |\bassert_close\(", cell.source, re.MULTILINE) for cell in code),
        "an image without words": re.search(r"!\[\s*\]\(", text),
        "an image from another host": re.search(r"!\[[^\]]*\]\(https?:", text),
    }
    return [fault for fault, found in checks.items() if found]


def test_contents_and_files_are_the_same():
    pages = contents()
    assert len(pages) == len(set(pages))
    on_disk = [*(ROOT / "book").glob("*.md"), *CHAPTERS, *SOLUTIONS]
    assert sorted(pages) == sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in on_disk)


def test_chapters_stand_in_the_order_of_their_numbers():
    chapters = [page for page in contents() if page.startswith("notebooks/")]
    assert chapters == [f"notebooks/{path.stem}" for path in CHAPTERS] + [
        f"notebooks/solutions/{path.stem}" for path in SOLUTIONS
    ]


@pytest.mark.parametrize("path", [*CHAPTERS, *SOLUTIONS], ids=lambda path: f"{path.parent.stem}/{path.stem}")
def test_chapter_has_the_committed_form(path):
    assert faults_of_chapter(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda n: n.cells[0].update(source=n.cells[0].source[2:]), "no title"),
        (lambda n: n.cells[0].update(source="# Title\n\nText"), "no Colab badge"),
        (lambda n: n.cells.pop(1), "bootstrap"),
        (lambda n: n.cells.append(n.cells[1]), "bootstrap"),
        (lambda n: n.cells[1].update(execution_count=3), "execution counts"),
        (lambda n: n.cells[2].update(source="x = 'assert'"), "no assertion"),
        (lambda n: n.cells[3].update(source="```{note}\nWords\n```"), "MyST"),
        (lambda n: n.cells[3].update(source=":::{figure} x.png\n:::"), "MyST"),
        (lambda n: n.cells[3].update(source="See {eq}`affinity`."), "MyST"),
        (lambda n: n.cells[3].update(source="(label)=\n# Heading"), "MyST"),
        (lambda n: n.cells[3].update(source="![](x.png)"), "without words"),
        (lambda n: n.cells[3].update(source="![x](https://example.org/x.png)"), "another host"),
    ],
)
def test_each_fault_of_a_chapter_is_found(change, fault):
    new = nbformat.v4
    cells = [
        new.new_markdown_cell("# Title\n\n[![Open in Colab](../book/static/colab-badge.png)](there)"),
        new.new_code_cell("import segtut", metadata={"tags": ["bootstrap"]}),
        new.new_code_cell("assert 1 + 1 == 2"),
        new.new_markdown_cell("Words, $x_{i}$, `{}`, ```code```, ![words](x.png)"),
    ]
    notebook = new.new_notebook(cells=cells)
    assert faults_of_chapter(notebook) == []
    change(notebook)
    assert [fault in found for found in faults_of_chapter(notebook)] == [True]


def test_everything_is_as_derived():
    checked = subprocess.run([sys.executable, "tools/derive.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_messages_quoted_in_the_setup_page_exist():
    page = (ROOT / "book/setup.md").read_text()
    table = page[page.index("| What it says |") :]
    quoted = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    sources = [ROOT / "tools/environment.sh", ROOT / "tools/book.py", *(ROOT / "segtut").rglob("*.py")]
    text = "\n".join(path.read_text() for path in sources)
    assert len(quoted) >= 5
    assert [words for words in quoted if words not in text] == []


def test_make_targets_named_in_the_pages_exist():
    text = "\n".join(path.read_text() for path in (ROOT / "book").glob("*.md"))
    named = set(re.findall(r"\bmake ([a-z]+)(?=`| PYTHON=|$)", text, re.MULTILINE))
    defined = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"book", "test", "serve"} <= named <= defined


def test_the_introduction_leads_to_every_chapter():
    page = (ROOT / "book/intro.md").read_text()
    assert [path.name for path in CHAPTERS if f"(../notebooks/{path.name})" not in page] == []
