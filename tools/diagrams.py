"""Write the book's diagrams, which `segtut.plot.diagram` draws, or with ``--check`` say which is not as drawn."""

import argparse
import sys
from pathlib import Path

from segtut.plot.diagram import DIAGRAMS

ROOT = Path(__file__).resolve().parents[1]


def stale(folder):
    """Yield ``(path, text)`` of each file under `folder` that is not as drawn; the text is None if nothing draws it."""
    drawn = {folder / f"{name}.svg": str(draw()) for name, draw in DIAGRAMS.items()}
    for path in sorted(drawn.keys() | set(folder.glob("*.svg"))):
        text = drawn.get(path)
        if (path.read_text(encoding="utf-8") if path.is_file() else None) != text:
            yield path, text


def main(arguments=None, root=ROOT):
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Write the book's diagrams.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if something differs")
    check = parser.parse_args(arguments).check
    folder = root / "book" / "static" / "diagrams"
    differing = list(stale(folder))
    for path, text in differing:
        done = "removed" if text is None else "written"
        print(f"{path.relative_to(root)}: {'is not as drawn' if check else done}")
        if not check:
            folder.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    if check and differing:
        sys.exit("Run 'make derive' and commit what it writes.")


if __name__ == "__main__":
    main()
