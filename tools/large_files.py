"""Refuse files that do not belong into the repository, before a commit: ``python tools/large_files.py FILE …``."""

import sys
from pathlib import Path

LIMIT = 2**20  # bytes
WEIGHTS = {".pt", ".pth", ".safetensors", ".ckpt"}


def main(names):
    """Return 1 after naming every file that is over a megabyte or holds weights, else 0."""
    status = 0
    for path in map(Path, names):
        size = path.stat().st_size
        if size > LIMIT or path.suffix in WEIGHTS:
            reason = (
                f"{size / 2**20:.1f} MiB, the limit is {LIMIT / 2**20:.0f}" if size > LIMIT else "weights stay outside"
            )
            print(f"{path}: {reason}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
