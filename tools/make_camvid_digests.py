"""Make segtut's list of CamVid digests from the output of `sha256sum` over the released folder.

    sha256sum CamVid/*/*.png > ORIGINAL.sha256
    python tools/make_camvid_digests.py ORIGINAL.sha256

The list stays in the format of `sha256sum`, sorted by name and relative to `CamVid/`, so that
`zcat segtut/data/camvid_digests.sha256.gz | sha256sum --check` works inside a data folder.
"""

import gzip
import re
import sys
from pathlib import Path

PACKAGE_DATA = Path(__file__).parents[1] / "segtut/data/camvid_digests.sha256.gz"
LINE = re.compile(r"([0-9a-f]{64})  CamVid/((?:train|val|test)(?:annot)?/[\w.-]+\.png)")


def make_digests(source: Path, target: Path) -> int:
    """Write `target` from `source` and return the number of files that it lists.

    Raises
    ------
    ValueError
        If a line is not a SHA-256 and a file of CamVid, or a file is listed twice.
    """
    digests = {}
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
        match = LINE.fullmatch(line)
        if not match:
            raise ValueError(f"{source}, line {number}: expected '<sha256>  CamVid/<folder>/<name>.png', got {line!r}")
        if match[2] in digests:
            raise ValueError(f"{source}, line {number}: {match[2]} is listed twice; keep one of the lines")
        digests[match[2]] = match[1]
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    # No time stamp in the header: the same list gives the same bytes.
    target.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    return len(digests)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    count = make_digests(Path(sys.argv[1]), PACKAGE_DATA)
    print(f"{PACKAGE_DATA.name}: {count} digests, {PACKAGE_DATA.stat().st_size} bytes")
