"""tools/pdf.py on a small built book: every page, in order, with links, bookmarks, page numbers and nothing cut off."""

import importlib.util
from pathlib import Path

import pytest
from pypdf import PdfReader

ROOT = Path(__file__).parents[2]
TOC = """format: jb-book
root: book/intro
parts:
  - caption: Before & after
    chapters:
      - file: notebooks/long
        sections:
          - file: notebooks/short
"""
LINE = "x = " + " + ".join(f"number_{n}" for n in range(30)) + "  # the end"
PAGES = {
    "book/intro": "<h1>All of it<a class='headerlink' href='#x'>#</a></h1><p><a href='../notebooks/short.html#deep'>"
    "there</a> <a href='../notebooks/long.html'>long</a> <a href='../_sources/x.ipynb'>file</a></p>",
    "notebooks/long": f"<h1>A long chapter</h1><section id='deep'><h2>Code</h2></section><pre>{LINE}</pre>"
    + "<p>words in a row</p>" * 120,
    "notebooks/short": "<h1>A short chapter</h1><h2 id='deep'>Deep</h2><details><summary>More</summary>"
    "<p>folded away</p></details><div class='segtut-widget'><img class='segtut-still' src='dot.svg' alt='still'>"
    "<button>turn</button><script>document.title = 'wrong'</script></div>",
}
HEAD = '<head><link rel="canonical" href="https://example.org/b/{name}.html"></head>'


@pytest.fixture
def pdf():
    """Return tools/pdf.py as a module."""
    spec = importlib.util.spec_from_file_location("pdf_tool", ROOT / "tools/pdf.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def book(tmp_path):
    """Write a built book of three pages."""
    html = tmp_path / "_build/html"
    for name, body in PAGES.items():
        (html / name).parent.mkdir(parents=True, exist_ok=True)
        (html / f"{name}.html").write_text(
            f"<html>{HEAD.format(name=name)}<body><nav>a menu</nav><article class='bd-article'>{body}</article></body>"
        )
    for name in ("_static/logo.svg", "notebooks/dot.svg"):
        (html / name).parent.mkdir(exist_ok=True)
        (html / name).write_text("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect/></svg>")
    (tmp_path / "_toc.yml").write_text(TOC)
    (tmp_path / "_config.yml").write_text("title: The book\nauthor: Its authors\n")
    return tmp_path


def bookmarks(reader, outline=None, depth=0):
    """List a PDF's bookmarks: depth, words, number of the page."""
    found = []
    for entry in reader.outline if outline is None else outline:
        if isinstance(entry, list):
            found += bookmarks(reader, entry, depth + 1)
        else:
            found.append((depth, entry.title, reader.get_destination_page_number(entry) + 1))
    return found


@pytest.mark.browser
def test_the_whole_book_is_printed(pdf, book, chromium):
    out = book / "_build/book.pdf"
    assert pdf.make(chromium, book, out) == len(PdfReader(out).pages)
    reader = PdfReader(out)
    texts = [page.extract_text() for page in reader.pages]
    last = len(texts)
    assert [line for line in texts[1].splitlines() if line[-1].isdigit() and not line.isdigit()] == [
        "All of it 3", "Before & after 4", "A long chapter 5", f"A short chapter {last}"
    ]  # fmt: skip
    assert bookmarks(reader) == [
        (0, "All of it", 3),
        (0, "Before & after", 4),
        (1, "A long chapter", 5),
        (2, "Code", 5),
        (1, "A short chapter", last),
        (2, "Deep", last),
    ]
    assert last > 7 and "The book" in texts[0] and "Its authors" in texts[0]
    assert [number for number, text in enumerate(texts[1:], start=2) if str(number) not in text.split()] == []
    assert "folded away" in texts[-1]
    assert not any(word in "".join(texts) for word in ("turn", "a menu", "of it#"))
    code = "".join(texts[4].split())
    assert "".join(LINE.split()).replace("#theend", "") in code  # wrapped, not cut off
    links = [note.get_object() for note in reader.pages[2]["/Annots"]]
    places = reader.named_destinations
    pages = [reader.get_destination_page_number(places[link["/Dest"]]) + 1 for link in links if "/Dest" in link]
    assert pages == [last, 5]
    assert [link["/A"]["/URI"] for link in links if "/A" in link] == ["https://example.org/b/_sources/x.ipynb"]
    assert reader.metadata.title == "The book"
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    assert fonts and all(embedded(font) for font in fonts)


def embedded(font):
    """Say whether a PDF carries a font itself."""
    if font["/Subtype"] == "/Type3":
        return True
    if "/DescendantFonts" in font:
        font = font["/DescendantFonts"][0].get_object()
    return any(key in font["/FontDescriptor"] for key in ("/FontFile", "/FontFile2", "/FontFile3"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda html: (html / "notebooks/short.html").unlink(), "lacks notebooks/short: run 'make book' first"),
        (
            lambda html: (html / "notebooks/long.html").write_text("<p>no article"),
            "no article with a title in notebooks/long",
        ),
    ],
)
def test_a_page_that_is_missing_fails(pdf, book, spoil, words):
    spoil(book / "_build/html")
    with pytest.raises((FileNotFoundError, ValueError), match=words):
        pdf.make(None, book, book / "_build/book.pdf")
    assert not (book / "_build/book.pdf").exists()


@pytest.mark.browser
def test_a_picture_that_is_missing_fails(pdf, book, chromium):
    (book / "_build/html/notebooks/dot.svg").unlink()
    with pytest.raises(FileNotFoundError, match=r"does not have: /notebooks/dot\.svg"):
        pdf.make(chromium, book, book / "_build/book.pdf")


def test_pages_come_in_the_order_of_the_contents(pdf):
    toc = {
        "root": "a",
        "parts": [
            {"caption": "P", "chapters": [{"file": "b", "sections": [{"file": "c"}]}, {"url": "https://example.org"}]},
            {"caption": "Q", "chapters": [{"file": "d"}]},
        ],
    }
    assert pdf.chapters(toc) == [(None, "a"), ("P", "b"), ("P", "c"), ("Q", "d")]
    assert pdf.chapters({"root": "a", "chapters": [{"file": "b"}]}) == [(None, "a"), (None, "b")]
