"""Write the students' versions of the assignments, or with ``--check`` say which is not as derived.

From each source in ``notebooks/assignments/``, which holds solutions, hidden tests and mark schemes, follows
``assignments/NAME.ipynb``, which holds none of them. Its Colab badge opens that version. Run ``tools/derive.py`` first:
the bootstrap cell comes from the source.
"""

import argparse
import sys
from pathlib import Path

import nbformat

from segtut.classroom.folder import ClassroomError
from segtut.classroom.release import student_version

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for whoever runs this as a file
from tools.derive import BOOTSTRAP, DeriveError, derive_chapter, derive_links, known_homes, read_d2l, read_home

ROOT = Path(__file__).resolve().parents[1]


def derive_assignments(root):
    """Yield ``(path, text)`` for each student version under `root`; the text is None where the source is gone."""
    home, known = read_home(root), known_homes(root)
    bootstrap = BOOTSTRAP.format(home=f"https://github.com/{'/'.join(home)}", d2l=read_d2l(root))
    sources = {path.stem: path for path in sorted(root.glob("notebooks/assignments/*.ipynb"))}
    for name, source in sources.items():
        blank = student_version(nbformat.read(source, as_version=4), name)
        path = Path("assignments") / f"{name}.ipynb"
        text = derive_links(nbformat.writes(blank), home, known)
        yield root / path, derive_chapter(text, path, home, bootstrap)
    for path in sorted(root.glob("assignments/*.ipynb")):
        if path.stem not in sources:
            yield path, None


def main(arguments=None, root=ROOT):
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Write the students' versions of the assignments.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if something differs")
    arguments = parser.parse_args(arguments)
    try:
        derived = list(derive_assignments(root))
    except (ClassroomError, DeriveError) as error:
        sys.exit(f"segtut: {error}.")
    stale = [
        (path, text) for path, text in derived if (path.read_text(encoding="utf-8") if path.is_file() else None) != text
    ]
    for path, text in stale:
        done = "removed" if text is None else "written"
        print(f"{path.relative_to(root)}: {'is not as derived' if arguments.check else done}")
        if not arguments.check:
            path.parent.mkdir(exist_ok=True)
            path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    if arguments.check and stale:
        sys.exit("Run 'make derive' and commit what it writes.")


if __name__ == "__main__":
    main()
