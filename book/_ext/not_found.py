"""The page for addresses that lead nowhere: ``404.html`` at the root of the site, which GitHub Pages serves.

The server sends it for any address, at any depth, so all its links start at the root of the site: at the path of
``html_baseurl``. That also holds for a build that someone serves under that path; ``make serve``, which serves the
book from the root of its host, points them there.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

BODY = """\
<section class="segtut-not-found" id="not-found">
<h1>There is no such page</h1>
<p>The address may have a typing error, or the page has another name by now. Search the book:</p>
<form action="{home}search.html" method="get" role="search">
<input type="search" name="q" aria-label="Search this book">
<button type="submit" class="segtut-button">Search</button>
</form>
<p>Or start from <a href="{home}book/intro.html">the first page</a>, <a href="{home}book/notation.html">the notation</a>
or <a href="{home}book/api.html">the package</a>.</p>
</section>
"""
LINK = re.compile(r'(?P<before>\b(?:href|src|action|data-content_root)=")(?P<target>[^"]*)"')


def home_of(address):
    """Return the path of the site, with a slash at both ends, from its address: ``/`` if it has none."""
    path = urlsplit(address or "").path.strip("/")
    return f"/{path}/" if path else "/"


def from_root(html, home):
    """Let relative links of a page at the root of the site start with `home`; others stay."""

    def absolute(match):
        target = match["target"]
        if target.startswith(("#", "/", "//", "data:")) or urlsplit(target).scheme:
            return match[0]
        return f'{match["before"]}{home}{target.removeprefix("./")}"'

    return LINK.sub(absolute, html)


def page(app):
    """Give Sphinx the page to write."""
    yield (
        "404",
        {"title": "There is no such page", "body": BODY.format(home=home_of(app.config.html_baseurl))},
        "page.html",
    )


def write_absolute(app, error):
    """Make the links of the written page absolute."""
    path = Path(app.outdir) / "404.html"
    if error is None and path.is_file():
        html = from_root(path.read_text(encoding="utf-8"), home_of(app.config.html_baseurl))
        path.write_text(html, encoding="utf-8")


def setup(app):
    """Connect it to Sphinx."""
    app.connect("html-collect-pages", page)
    app.connect("build-finished", write_absolute)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
