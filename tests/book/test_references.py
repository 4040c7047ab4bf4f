"""The bibliography: every entry is whole, and holds what pages and chapters cite."""

import re
from pathlib import Path

import nbformat
import pytest
from pybtex.database import parse_file, parse_string

ROOT = Path(__file__).parents[2]
ENTRIES = parse_file(ROOT / "book/references.bib").entries
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "book").glob("*.md"))}
CHAPTERS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
CITED = re.compile(r"arxiv\.org/(?:abs|pdf)/([\w./-]+\d)|doi\.org/([^\s)\]>\"']+)", re.IGNORECASE)


def faults(entry):
    """Return what an entry lacks, one word each."""
    fields = entry.fields
    checks = {
        "author": entry.persons.get("author"),
        "title": fields.get("title"),
        "venue": entry.type == "misc" or any(key in fields for key in ("booktitle", "journal", "publisher")),
        "year": re.fullmatch(r"(19|20)\d\d", fields.get("year", "")),
        "link": "doi" in fields or fields.get("url", "").startswith("https://"),
    }
    return [name for name, found in checks.items() if not found]


def identifiers(text):
    """Return the arXiv numbers, without version, and the DOIs that a text links to."""
    return {re.sub(r"v\d+$", "", arxiv) or doi.rstrip(".,;").lower() for arxiv, doi in CITED.findall(text)}


def known():
    """Return the arXiv numbers and DOIs of the bibliography."""
    fields = [entry.fields for entry in ENTRIES.values()]
    links = [field.get("url", "") for field in fields] + [
        f"doi.org/{field['doi']}" for field in fields if "doi" in field
    ]
    return [number for link in links for number in identifiers(link)]


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_is_whole(key):
    assert faults(ENTRIES[key]) == []


def test_no_paper_is_there_twice():
    assert len(known()) == len(set(known()))
    titles = [
        re.sub(r"\W", "", entry.fields["title"]).lower() for key, entry in ENTRIES.items() if key != "ccnetjournal"
    ]
    assert len(titles) == len(set(titles))


def test_cited_keys_exist():
    cited = {
        key.strip()
        for text in PAGES.values()
        for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text)
        for key in keys.split(",")
    }
    assert {"ccnet", "danet", "gcnet"} <= cited <= ENTRIES.keys()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.relative_to(ROOT / "notebooks").as_posix())
def test_papers_that_a_chapter_links_to_are_in_the_bibliography(path):
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    assert sorted(identifiers(text) - set(known())) == []


def test_the_page_shows_all_entries():
    assert "{bibliography}\n:all:" in PAGES["references.md"]


def test_faults_and_links_are_found():
    broken = parse_string("@article{a, title={T}, year={20}}", "bibtex").entries["a"]
    assert faults(broken) == ["author", "venue", "year", "link"]
    text = "(https://arxiv.org/abs/1811.11721v2), https://arxiv.org/pdf/1809.02983 [x](https://doi.org/10.1214/aos/1176344552)."
    assert identifiers(text) == {"1811.11721", "1809.02983", "10.1214/aos/1176344552"}
