"""Follow every link that leads out of the built book and the pages on GitHub: ``python tools/links.py``, needs network.

Links inside the book are held by the tests. Of the links out, those to the project's own files need no network: the
file must be in the tree, or the page in the built book. The others are asked for, host by host, again if a server is
busy. It prints what leads nowhere with the pages that link to it, and fails if there is any.
"""

import argparse
import re
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from bs4 import BeautifulSoup

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for whoever runs this as a file
from tools.derive import read_home

ROOT = Path(__file__).resolve().parents[1]
MARKDOWN = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; segtut-links/1.0)"}
BUSY = {429, 500, 502, 503, 504}
REFUSED = {401, 403}  # people only: what is gone says 404 or 410
# What is not asked for, and why.
IGNORED = {
    r"https?://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)": "the reader's own machine",
    r"https?://([\w-]+\.)?example\.(org|com)([:/]|$)": "stands for any address",
    r"https://github\.com/[^/]+/[^/]+/issues/new": "asks for a login",
}


def links_of(root, html):
    """Return the pages, relative to `root`, on which each link out of the book stands."""
    found = defaultdict(set)
    for path in sorted(html.rglob("*.html")):
        if path.relative_to(html).parts[0] == "_static":  # templates of the theme
            continue
        for tag in BeautifulSoup(path.read_bytes(), "html.parser").find_all(["a", "img", "link", "script", "iframe"]):
            found[tag.get("href") or tag.get("src") or ""].add(path.relative_to(root).as_posix())
    for name in MARKDOWN:
        if (root / name).is_file():
            text = (root / name).read_text(encoding="utf-8")
            for link in re.findall(r"https?://[^\s)>\"'`]+", text):
                found[link.rstrip(".,;:")].add(name)
    out = defaultdict(set)
    for link, pages in found.items():
        if link.startswith(("http://", "https://")):
            out[link.partition("#")[0]] |= pages  # what comes after # never reaches a server
    return dict(out)


def own_file(link, root, html, home):
    """Return the file that a link into the project itself means, or None if it leads elsewhere."""
    owner, name = home
    parts = urlsplit(link)
    path = unquote(parts.path)
    if parts.netloc == f"{owner}.github.io" and (path + "/").startswith(f"/{name}/"):
        page = html / path.removeprefix(f"/{name}").strip("/")
        return page / "index.html" if page.is_dir() else page
    match = re.fullmatch(rf"(?:/github)?/{re.escape(owner)}/{re.escape(name)}/(?:blob|tree|edit|raw)/main/(.+)", path)
    if match and parts.netloc in ("github.com", "colab.research.google.com"):
        return root / match[1].rstrip("/")
    return None


def ask(session, link, tries=3, pause=2.0, timeout=20):
    """Ask for a link, first its head, then up to `tries` times the whole; return what is wrong with it, or None.

    A DOI that redirects is alive: publishers turn machines away, the register of DOIs does not.
    """
    doi = urlsplit(link).netloc in ("doi.org", "dx.doi.org")
    for attempt in range(tries + 1):
        method = "GET" if attempt else "HEAD"  # some servers know no HEAD, or answer it wrongly
        if attempt > 1:
            time.sleep(pause * 2 ** (attempt - 2))
        try:
            with session.request(method, link, timeout=timeout, allow_redirects=not doi, stream=True) as answer:
                if answer.ok or answer.status_code in REFUSED:
                    return None
                wrong = f"{answer.status_code} {answer.reason}"
                if method == "GET" and answer.status_code not in BUSY:
                    return wrong
        except requests.RequestException as error:
            wrong = type(error).__name__
    return wrong


def dead_links(links, root, html, home, **asking):
    """Return what is wrong with each link that leads nowhere."""
    dead, hosts = {}, defaultdict(list)
    for link in sorted(links):
        if any(re.match(pattern, link) for pattern in IGNORED):
            continue
        if (file := own_file(link, root, html, home)) is not None:
            if not file.exists():
                dead[link] = "no such file in the project"
        else:
            hosts[urlsplit(link).netloc].append(link)

    def ask_host(of_one_host):
        with requests.Session() as session:
            session.headers.update(HEADERS)
            return {link: wrong for link in of_one_host if (wrong := ask(session, link, **asking))}

    with ThreadPoolExecutor(8) as pool:  # one link of a host at a time
        for wrong in pool.map(ask_host, hosts.values()):
            dead |= wrong
    return dead


def main(arguments=None, root=ROOT):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description="Follow the links that lead out of the built book and off GitHub's pages."
    )
    parser.parse_args(arguments)
    html = root / "_build" / "html"
    if not (html / "index.html").is_file():
        return "segtut: there is no built book: run 'make book' first."
    links = links_of(root, html)
    dead = dead_links(links, root, html, read_home(root))
    for link, wrong in sorted(dead.items()):
        pages = sorted(links[link])
        more = f" and {len(pages) - 3} more" if len(pages) > 3 else ""
        print(f"- {link}: {wrong}; on {', '.join(pages[:3])}{more}")
    print(f"{len(links)} links, {len(dead)} of them dead.")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
