"""Every link inside the built book leads to a file that is there, and to an anchor in it."""

import functools
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

pytestmark = pytest.mark.browser


@functools.cache
def parse(path):
    """Return the parsed page, and the anchors in it."""
    page = BeautifulSoup(path.read_bytes(), "html.parser")
    anchors = {tag["id"] for tag in page.find_all(id=True)}
    return page, anchors | {tag["name"] for tag in page.find_all("a", attrs={"name": True})}


def dead_links(folder):
    """Return ``page: link`` for every relative link or source in the folder's pages that leads nowhere."""
    dead = []
    for path in sorted(folder.rglob("*.html")):
        if path.relative_to(folder).parts[0] == "_static":  # templates of the theme
            continue
        for tag in parse(path)[0].find_all(lambda tag: tag.has_attr("href") or tag.has_attr("src")):
            link = tag.get("href", tag.get("src"))
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link == "#":
                continue
            # the page for wrong addresses may be shown at any depth, so its links start at the site's root
            root = parse(path)[0].html.get("data-content_root", "./") if path.name == "404.html" else None
            if root and parts.path.startswith(root):
                target = folder / unquote(parts.path.removeprefix(root))
            else:
                target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            if not target.is_file() or (anchor and target.suffix == ".html" and anchor not in parse(target)[1]):
                dead.append(f"{path.relative_to(folder)}: {link}")
    return dead


def test_no_link_in_the_book_is_dead(html):
    assert dead_links(html) == []


def test_the_book_is_small_enough_to_carry(html):
    files = [path for path in html.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 40e6
    assert [str(path) for path in files if path.suffix == ".html" and path.stat().st_size > 1.5e6] == []


def test_links_of_the_page_for_wrong_addresses_start_at_the_root(tmp_path):
    (tmp_path / "index.html").write_text("home")
    links = "".join(f'<a href="{link}">x</a>' for link in ("/site/index.html", "/site/none.html", "/index.html"))
    (tmp_path / "404.html").write_text(f'<html data-content_root="/site/">{links}</html>')
    assert dead_links(tmp_path) == ["404.html: /site/none.html", "404.html: /index.html"]


def test_dead_links_are_found(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/page two.html").write_text('<h1 id="here">Two</h1><a href="../one.html#old">back</a>')
    (tmp_path / "one.html").write_text(
        '<a name="old"></a><a href="#">top</a><a href="https://example.org/x">away</a><a href="mailto:a@b.c">mail</a>'
        '<a href="sub/page%20two.html#here">right</a><a href="sub/page%20two.html#there">no anchor</a>'
        '<a href="three.html">no file</a><a href="#nowhere">no anchor here</a><img src="no.png" alt="no image">'
    )
    assert dead_links(tmp_path) == [
        f"one.html: {link}" for link in ("sub/page%20two.html#there", "three.html", "#nowhere", "no.png")
    ]
