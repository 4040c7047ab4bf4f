"""A zip archive from the network: fetched with patience, unpacked without trust."""

import math
import shutil
import stat
import sys
import time
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import pooch
import requests
from tqdm import tqdm
from tqdm.utils import CallbackIOWrapper


class DownloadError(RuntimeError):
    """CamVid could not be downloaded; the message says why, what remains (nothing half-done) and what to do."""


def failed(why: str, remedy: str) -> DownloadError:
    """The error to raise; `why` and `remedy` are clauses without a full stop."""
    return DownloadError(f"CamVid was not downloaded: {why}; nothing half-done remains on disk; {remedy}.")


MAKE_ROOM = "make room, or name a folder on another disk"
SCENES = 'or take the procedural scenes, which need no network: --data scenes, in Python open_splits("scenes")'


def fetch(
    url: str, archive: Path, data_bytes: int, progress: bool, timeout: float, retries: int, backoff: float
) -> None:
    """Download `url` to the file `archive`, trying again where that may help.

    Parameters
    ----------
    url : str
        An http or https address.
    archive : Path
        The file to write, in a folder that exists. After an error it may hold a part.
    data_bytes : int
        Room that must be left for what is in the archive, in bytes.
    progress : bool
        Whether to draw a progress bar on standard error.
    timeout : float
        Seconds of silence after which a connection counts as broken.
    retries : int
        Further attempts after a broken connection or HTTP 408, 429, 5xx.
    backoff : float
        Seconds before the first retry; doubled for each further one.

    Raises
    ------
    DownloadError
        If the last attempt fails, an attempt fails for good, or there is no room.
    OSError
        If `archive` cannot be written.
    """
    for attempt in range(retries + 1):
        try:
            return _get(url, archive, data_bytes, progress, timeout)
        except (requests.RequestException, ValueError) as error:
            why, remedy, may_pass = _diagnose(error, url, arrived=archive.stat().st_size)
            if attempt == retries or not may_pass:
                raise failed(why, remedy) from error
            pause = backoff * 2**attempt
            print(f"{why}; trying again in {pause:g} s ({attempt + 1} of {retries})", file=sys.stderr)
            time.sleep(pause)


def _get(url: str, archive: Path, data_bytes: int, progress: bool, timeout: float) -> None:
    """One attempt. Bytes are counted as they are written, since GitHub sends archives without a length."""
    bar = tqdm(
        desc="CamVid", unit="B", unit_scale=True, disable=not progress, delay=math.inf
    )  # hidden until bytes come
    with bar, archive.open("wb") as file:

        def before_body(response: requests.Response, **_) -> None:
            if response.status_code == 200:  # not for redirects
                bar.delay = 0
                bar.total = int(response.headers.get("Content-Length", 0)) or None
                # What is packed here (PNG) does not compress: an archive of unknown length is as large as its content.
                needed = (bar.total or data_bytes) + data_bytes
                free = shutil.disk_usage(archive.parent).free
                if free < needed:
                    room = f"{free / 1e6:.0f} MB free, {needed / 1e6:.0f} MB needed"
                    raise failed(f"there is too little room on the disk ({room})", MAKE_ROOM)

        options = {"hooks": {"response": before_body}, "headers": {"Accept-Encoding": "identity"}}
        download = pooch.HTTPDownloader(chunk_size=2**16, timeout=timeout, **options)
        download(url, CallbackIOWrapper(bar.update, file, "write"), None)


def _diagnose(error: requests.RequestException | ValueError, url: str, arrived: int) -> tuple[str, str, bool]:
    """What happened, what to do, and whether it may pass by itself; `arrived` is in bytes."""
    unusable = f"{url} cannot be downloaded ({error})", "check the address", False
    if isinstance(error, ValueError):  # no address, or an answer that makes no sense
        return unusable
    host = urlsplit(url).hostname
    again = f"try again later, {SCENES}"
    if isinstance(error, requests.HTTPError):
        status = error.response.status_code
        why = f"{host} answered HTTP {status} ({error.response.reason}) for {url}"
        may_pass = status in (408, 429) or status >= 500
        return why, again if may_pass else "check the address", may_pass
    if arrived or isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"the connection to {host} broke after {arrived / 1e6:,.1f} MB", again, True
    if isinstance(error, requests.ReadTimeout):
        return f"{host} does not answer in time", again, True
    if isinstance(error, requests.ConnectionError):
        why = f"{host} cannot be reached (no network, or a proxy, firewall or certificate in the way)"
        return why, f"try again with a network, {SCENES}", True
    return unusable


def unpack(archive: Path, folder: str, names: Collection[str], into: Path, max_bytes: int) -> None:
    """Write the files `names` of one folder of an archive to `into`, and nothing else.

    GitHub's archives hold a single folder, ``<repository>-<commit>/``; its name does not matter here.

    Parameters
    ----------
    archive : Path
        A file that should be a zip archive.
    folder : str
        The folder of the repository to take files from.
    names : collection of str
        The files wanted, relative to `folder`. Those that the archive lacks are passed over.
    into : Path
        Where the files go; made if it does not exist.
    max_bytes : int
        The largest size, unpacked, that a file may have.

    Raises
    ------
    DownloadError
        If `archive` is no zip archive, is damaged, or holds what no honest one does: a path that leads out of it, a
        link or the same file twice among the wanted, a file above `max_bytes`.
    OSError
        If `into` cannot be written.
    """
    if not zipfile.is_zipfile(archive):
        with archive.open("rb") as file:
            start = file.read(512).lstrip().lower()
        if start.startswith((b"<!doctype html", b"<html")):
            remedy = "open the address in a browser, the network may ask you to log in"
            raise failed("the server sent a web page (HTML) instead of a zip archive", remedy)
        raise failed("what the server sent is not a zip archive, or only a part of one", "try again")
    for name, content in _read(archive, folder, names, max_bytes):
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        (into / name).write_bytes(content)


def _read(archive: Path, folder: str, names: Collection[str], max_bytes: int) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(archive) as zipped:
            for name, member in _select(zipped, folder, names).items():
                with zipped.open(member) as source:
                    content = source.read(max_bytes + 1)  # never all of it: the size in the header may be a lie
                if len(content) > max_bytes:
                    raise _distrust(f"{member.filename} is larger than {max_bytes:,} bytes")
                yield name, content
    except DownloadError:
        raise
    # zipfile says OSError for an offset outside the file, RuntimeError for a password, and for methods that it
    # doesn't know NotImplementedError, which is a RuntimeError
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError) as error:
        raise failed(f"the archive is damaged ({error})", "try again") from error


def _select(zipped: zipfile.ZipFile, folder: str, names: Collection[str]) -> dict[str, zipfile.ZipInfo]:
    selected: dict[str, zipfile.ZipInfo] = {}
    for member in zipped.infolist():
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts:
            raise _distrust(f"{member.filename} leads out of it")
        if path.parts[1:2] != (folder,):
            continue
        name = "/".join(path.parts[2:])
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _distrust(f"{member.filename} is a link")
        if name in selected:
            raise _distrust(f"{member.filename} is in it twice")
        if name in names:
            selected[name] = member
    return selected


def _distrust(why: str) -> DownloadError:
    return failed(f"the archive is not to be trusted ({why})", "do not use this address")
