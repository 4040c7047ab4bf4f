"""Print the built book into one PDF: ``python tools/pdf.py``, after ``python tools/book.py build``.

The articles of all pages, in the order of ``_toc.yml``, become one page, which headless Chromium prints: formulas and
drawings stay vectors, links between pages become links inside the document, headings its bookmarks. It is printed
twice, since only the first print says on which page a chapter begins, which the contents have to say.
"""

import argparse
import html as markup
import io
import logging
import mimetypes
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pikepdf
import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, TextStringObject

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOME = "http://book.invalid"  # where the browser believes the book is; no request leaves it
# What paper cannot do.
USELESS = "script, .headerlink, .copybtn, input.segtut-fold, label.segtut-unfold, .segtut-widget > :not(img)"

SHORT = 24  # lines of code that no page break may tear apart
STYLE = Path(__file__).with_suffix(".css")


def chapters(toc):
    """List what the table of contents holds, in order: pairs of a part's caption or ``None``, and a page's name."""
    pages = [(None, toc["root"])]

    def add(entries, caption):
        for entry in entries:
            if "file" in entry:
                pages.append((caption, entry["file"]))
            add(entry.get("sections", []), caption)

    for part in toc.get("parts", [{"chapters": toc.get("chapters", [])}]):
        add(part["chapters"], part.get("caption"))
    return pages


def prefixed(page, fragment):
    """Name an element of a page so that no other page has the name."""
    return f"{page}--{fragment}" if fragment else f"{page}--"


def adapt(article, page, pages, home):
    """Make one page's article a part of the whole: names, links, levels of headings, and everything open.

    Links to pages in `pages` stay inside; links to other files of the book lead to its site, `home`.
    """
    for element in article.select(USELESS):
        element.decompose()
    for element in article.select("noscript, canvas"):
        element.unwrap()
    for code in article.select("div.highlight"):
        if code.get_text().count("\n") <= SHORT:
            code["class"].append("short")
    for details in article.select("details"):
        details["open"] = ""
    for element in article.select("[id]"):
        element["id"] = prefixed(page, element["id"])
    for element in article.select("[src]"):
        if not element["src"].startswith("data:"):
            element["src"] = urljoin(f"/{page}.html", element["src"])
    for link in article.select("a[href]"):
        if urlsplit(link["href"]).scheme:
            continue
        path, _, fragment = urljoin(f"/{page}.html", link["href"]).partition("#")
        target = unquote(path).removeprefix("/").removesuffix(".html")
        inside = target in pages
        link["href"] = f"#{prefixed(target, fragment)}" if inside else urljoin(home, path.removeprefix("/"))
    for heading in article.select("h5, h4, h3, h2, h1"):
        if heading.name == "h1":
            heading["class"] = ["chapter"]
        heading.name = f"h{int(heading.name[1]) + 1}"
    article["id"] = prefixed(page, "")
    return article


def inside(heading):
    """Return what is written in a heading, as HTML."""
    return heading.decode_contents().strip()


def head(soups, names):
    """Return the style sheets and MathJax's scripts that any of the pages loads, once each, in order."""
    found = {}
    for name in names:
        for element in soups[name].select("head link[rel=stylesheet], head script"):
            source = "href" if element.name == "link" else "src"
            if element.name == "script" and "mathjax" not in f"{element.get('src')}{element.get_text()}".lower():
                continue
            if element.get(source):
                element[source] = urljoin(f"/{name}.html", element[source])
            found[str(element)] = None
    return "".join(found)


def combine(html, toc, title, author):
    """Return the whole book as one page of HTML, and the names of what its contents list, in order.

    Raises
    ------
    FileNotFoundError
        If a page of the table of contents is not in the folder `html`.
    ValueError
        If a page has no article or no title.
    """
    listed = chapters(toc)
    names = [name for _, name in listed]
    if missing := [name for name in names if not (html / f"{name}.html").is_file()]:
        raise FileNotFoundError(f"the built book lacks {', '.join(missing)}: run 'make book' first.")
    soups = {name: BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser") for name in names}
    if bare := [name for name in names if soups[name].select_one("article h1") is None]:
        raise ValueError(f"no article with a title in {', '.join(bare)}.")
    root = soups[names[0]]
    canonical = root.select_one("link[rel=canonical]")
    home = canonical["href"].removesuffix(f"{names[0]}.html") if canonical else "/"
    contents, body, part = [], [], None
    for caption, name in listed:
        article = adapt(soups[name].article, name, names, home)
        if caption and caption != part:
            identity, caption_html = f"part-{len(contents)}--", markup.escape(caption)
            body.append(f'<h1 class="part" id="{identity}">{caption_html}</h1>')
            contents.append((identity, caption_html, "of-part"))
        part = caption
        contents.append((article["id"], inside(article.h2), "below" if caption else "of-part"))
        body.append(str(article))
    lines = "".join(
        f'<p class="{kind}"><a href="#{identity}">{words}</a><span class="dots"></span>'
        f'<span class="number">000</span></p>'
        for identity, words, kind in contents
    )
    page = f"""<!doctype html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">
<title>{markup.escape(title)}</title>{head(soups, names)}<style>{STYLE.read_text(encoding="utf-8")}</style></head>
<body><div id="cover"><img src="/_static/logo.svg" alt=""><p class="title">{markup.escape(title)}</p>
<p class="subtitle">{inside(root.article.h2)}</p><p class="by">{markup.escape(author)}</p></div>
<div id="contents"><p class="heading">Contents</p>{lines}</div>
<div id="book" class="bd-content"><div class="bd-article-container">{"".join(body)}</div></div></body></html>"""
    return page, [identity for identity, _, _ in contents]


def find_chromium(playwright):
    """Return the system's Chromium, or the one that playwright has installed."""
    found = next(filter(None, map(shutil.which, NAMES)), playwright.chromium.executable_path)
    if not Path(found).is_file():
        raise FileNotFoundError(
            "there is no Chromium to print with: install it, or run '.venv/bin/python -m playwright install chromium'."
        )
    return found


def print_twice(browser, page, html, identities):
    """Print a page of HTML, whose files are in the folder `html`.

    Returns the PDF, its contents filled in, and the words of its headings.
    """

    def answer(route):
        path = unquote(urlsplit(route.request.url).path)
        file = html / path.removeprefix("/")
        if path == "/":
            route.fulfill(body=page, content_type="text/html")
        elif route.request.url.startswith(HOME) and file.is_file():
            route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(path)[0] or "text/plain")
        else:
            lacking.append(route.request.url.removeprefix(HOME))
            route.abort()

    lacking = []
    tab = browser.new_page()
    tab.set_default_timeout(600_000)
    tab.route("**/*", answer)
    tab.goto(HOME, wait_until="load")
    tab.emulate_media(media="print", color_scheme="light")
    tab.evaluate("() => window.MathJax?.startup?.promise")
    tab.evaluate("() => document.fonts.ready.then(() => 0)")
    if lacking:
        raise FileNotFoundError(f"the book asks for what it does not have: {', '.join(sorted(set(lacking)))}.")
    options = {"prefer_css_page_size": True, "print_background": True, "outline": True, "tagged": True}
    first = PdfReader(io.BytesIO(tab.pdf(**options)))
    places = {name.removeprefix("/"): place for name, place in first.named_destinations.items()}
    if unknown := [identity for identity in identities if identity not in places]:
        raise ValueError(f"the print lacks {', '.join(unknown)}.")
    numbers = [first.get_destination_page_number(places[identity]) + 1 for identity in identities]
    fill = "numbers => document.querySelectorAll('#contents .number').forEach((n, i) => n.textContent = numbers[i])"
    tab.evaluate(fill, numbers)
    printed = tab.pdf(**options)
    headings = tab.evaluate("() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => h.innerText)")
    tab.close()
    return printed, headings


def name_bookmarks(writer, headings):
    """Give the bookmarks the words of the headings: the browser forgets the space where a line ends."""
    words = {"".join(heading.split()): " ".join(heading.split()) for heading in headings}
    rest = [writer.root_object["/Outlines"]]
    while rest:
        bookmark = rest.pop().get_object()
        if "/Title" in bookmark:
            title = bookmark["/Title"]
            bookmark[NameObject("/Title")] = TextStringObject(words.get("".join(title.split()), title))
        rest += [bookmark[key] for key in ("/First", "/Next") if key in bookmark]


def make(browser, root, out):
    """Print the built book of the project in the folder `root` into the file `out`; return its number of pages."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    html = root / "_build/html"
    page, identities = combine(html, toc, config["title"], config["author"])
    printed, headings = print_twice(browser, page, html, identities)
    writer = PdfWriter(clone_from=io.BytesIO(printed))
    name_bookmarks(writer, headings)
    # No dates: the same book gives the same file.
    writer.metadata = {"/Title": config["title"], "/Author": config["author"]}
    out.parent.mkdir(parents=True, exist_ok=True)
    whole = io.BytesIO()
    writer.write(whole)
    with pikepdf.open(whole) as pdf:  # packs what describes the text to screen readers, two thirds of the file
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return len(writer.pages)


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Print the built book into one PDF.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder with _config.yml, _toc.yml and _build")
    parser.add_argument("--out", type=Path, help="default: _build/segtut.pdf")
    arguments = parser.parse_args()
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # Chromium counts one object too few
    out = arguments.out or arguments.root / "_build/segtut.pdf"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(playwright), args=["--no-sandbox"])
            pages = make(browser, arguments.root, out)
            browser.close()
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"segtut: {error}")
    print(f"The book is in {out}: {pages} pages, {out.stat().st_size / 1e6:.0f} MB.")


if __name__ == "__main__":
    main()
