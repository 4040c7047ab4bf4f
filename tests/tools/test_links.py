"""tools/links.py: which links lead out, which of them are dead, with a server on this machine for the world."""

import http.server
import threading
from collections import Counter

import pytest
import requests

from tools import links

HOME = ("segtut", "segtut")


@pytest.fixture
def world():
    """A server whose paths answer as they are called, and how often each was asked for."""
    asked = Counter()

    class World(http.server.BaseHTTPRequestHandler):
        def answer(self):
            asked[self.command, self.path] += 1
            status = {"/gone": 404, "/people-only": 403, "/busy": 503, "/old": 301}.get(self.path, 200)
            if self.path == "/no-head" and self.command == "HEAD":
                status = 405
            if self.path == "/busy-at-first" and asked["GET", self.path] < 2:
                status = 503
            self.send_response(status)
            if self.path == "/old":
                self.send_header("Location", "/gone")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET = answer

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), World) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "wrong", "gets"),
    [
        ("/here", None, 0),
        ("/no-head", None, 1),
        ("/people-only", None, 0),
        ("/busy-at-first", None, 2),
        ("/gone", "404 Not Found", 1),
        ("/old", "404 Not Found", 1),
        ("/busy", "503 Service Unavailable", 3),
    ],
)
def test_a_link_is_asked_for_as_often_as_needed(world, path, wrong, gets):
    server, asked = world
    with requests.Session() as session:
        assert links.ask(session, server + path, pause=0) == wrong
    assert (asked["HEAD", path], asked["GET", path]) == (1, gets)


def test_a_host_that_is_not_there_is_dead():
    with requests.Session() as session:
        assert links.ask(session, "http://127.0.0.1:9/", tries=1) == "ConnectionError"


@pytest.fixture
def project(tmp_path):
    """A built book of one page, a README, and one file that both may mean."""
    html = tmp_path / "_build/html"
    (html / "_static").mkdir(parents=True)
    (html / "book").mkdir()
    (html / "book/faq.html").touch()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/05 one.ipynb").touch()
    (html / "_static/webpack-macros.html").write_text('<a href="https://template.example.org/no">x</a>')
    (html / "index.html").write_text(
        '<a href="book/faq.html">inside</a><a href="https://one.test/a#part">a</a><img src="https://one.test/b.png">'
        '<a href="https://github.com/segtut/segtut/issues/new?title=x">login</a><a href="mailto:a@b.test">mail</a>'
        '<a href="https://colab.research.google.com/github/segtut/segtut/blob/main/notebooks/05%20one.ipynb">Colab</a>'
        '<a href="https://github.com/segtut/segtut/blob/main/notebooks/06.ipynb">gone</a>'
    )
    (tmp_path / "README.md").write_text(
        "See [a](https://one.test/a), https://two.test. Also `https://example.org/x`\n"
        "and <https://segtut.github.io/segtut/book/faq.html#x>, https://segtut.github.io/segtut/book/none.html.\n"
    )
    return tmp_path


def test_links_out_of_book_and_readme_are_found(project):
    found = links.links_of(project, project / "_build/html")
    assert found["https://one.test/a"] == {"README.md", "_build/html/index.html"}
    assert {"https://one.test/b.png", "https://two.test", "https://segtut.github.io/segtut/book/faq.html"} <= set(found)
    assert not any("template" in link or "mailto" in link or "#" in link for link in found)


def test_own_files_need_no_network_and_what_is_ignored_is_not_asked_for(project, monkeypatch):
    asked = []
    monkeypatch.setattr(links, "ask", lambda session, link: asked.append(link))
    html = project / "_build/html"
    dead = links.dead_links(links.links_of(project, html), project, html, HOME)
    assert sorted(dead) == [
        "https://github.com/segtut/segtut/blob/main/notebooks/06.ipynb",
        "https://segtut.github.io/segtut/book/none.html",
    ]
    assert sorted(asked) == ["https://one.test/a", "https://one.test/b.png", "https://two.test"]


def test_the_report_names_link_reason_and_pages(project, monkeypatch, capsys):
    (project / "pyproject.toml").write_text(
        '[project.urls]\nRepository = "https://github.com/segtut/segtut"\n[project]\n'
    )
    monkeypatch.setattr(links, "ask", lambda session, link: "404 Not Found" if "two" in link else None)
    assert links.main([], project) == 1
    said = capsys.readouterr().out
    assert "- https://two.test: 404 Not Found; on README.md\n" in said and "3 of them dead" in said
    assert "no built book" in links.main([], project / "notebooks")
