"""Files that are whole or not there."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


class WriteError(RuntimeError):
    """A file cannot be written; the message says which and why."""


def write_atomically(path: str | Path, write: Callable[[Path], Any]) -> Path:
    """Call ``write(temporary)`` and move the result to `path` in one step.

    Whatever interrupts it, `path` holds the old content or the new, never a part.

    Raises
    ------
    WriteError
        The file cannot be written (disk full, no permission); the old content stays.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")  # the suffix tells Excel writers the format
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch.save turns a full disk into a RuntimeError
        raise WriteError(f"{path} could not be written ({error}); what was there before is unchanged") from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def write_json(path: str | Path, value: Any) -> Path:
    """Write a value as JSON by `write_atomically`; NaN is not JSON and is refused."""
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    return write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))
