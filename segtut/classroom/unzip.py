"""Unpack a zip that strangers made."""

import os
import shutil
import zipfile
from datetime import datetime
from pathlib import Path, PurePosixPath

LARGEST = 500_000_000
"""Bytes in all that a zip may unpack to."""


def unzip(path: Path, target: Path) -> None:
    """Unpack files with their dates; nothing is written outside of `target`.

    Raises
    ------
    zipfile.BadZipFile, OSError, RuntimeError
        It is broken, or needs a password.
    ValueError
        It would unpack to more than `LARGEST` bytes.
    """
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
            raise ValueError(f"it holds more than {LARGEST // 1_000_000} MB")
        for entry in archive.infolist():
            name = entry.filename if entry.flag_bits & 0x800 else _legacy_name(entry.filename)
            parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
            if entry.is_dir() or not parts or "__MACOSX" in parts:
                continue
            file = target.joinpath(*(part.replace(":", "_") for part in parts))
            file.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as content, file.open("wb") as out:
                shutil.copyfileobj(content, out)
            _set_date(file, entry.date_time)
        target.mkdir(parents=True, exist_ok=True)


def _legacy_name(name: str) -> str:
    """Names without the mark for UTF-8 are read as code page 437, yet are often UTF-8 or a Chinese code page."""
    try:
        raw = name.encode("cp437")
    except UnicodeError:
        return name
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeError:
            continue
    return name


def _set_date(file: Path, date: tuple) -> None:
    try:
        stamp = datetime(*date).timestamp()
    except (ValueError, OverflowError, OSError):
        return
    os.utime(file, (stamp, stamp))
