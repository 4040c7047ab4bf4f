"""Write what follows from other files, or with ``--check`` say where it differs.

The project's home is written once, under ``[project.urls]`` in ``pyproject.toml``. From it follow

- every link to it in ``_config.yml``, ``CITATION.cff``, the pages at the root, under ``.github/`` and under ``book/``,
  and in the chapters,
- the Colab badge of each chapter and of each notebook with solutions, directly below the title, and their bootstrap
  cell, the same in all.

Chapters are also brought to the one form in which they are committed: without outputs, execution counts and
whatever else an editor leaves in them. Who forks the project changes one line and runs ``make derive``.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

import nbformat
from nbstripout import strip_output

END = r"(?=(?:\.git)?(?![\w.-]*\w))"  # of a repository's name: neither segtut-extra nor segtut.js is segtut
BADGE = re.compile(r"\n*^\[!\[Open in Colab\]\(.*\)\]\(.*\)$\n*", re.MULTILINE)

# Without "import segtut" at the end of the except clause, a reader whose network failed would meet the error only
# in the next cell. Shapes are recorded from here on, for the table near the end of a chapter. The last line says which
# version ran.
BOOTSTRAP = """\
try:
    import segtut
except ImportError:  # on Colab: adds the book's package and the small ones that Colab lacks, changes nothing else
    %pip install -q "segtut @ git+{home}"
    %pip install -q --no-deps {d2l}
    import segtut
segtut.record_shapes()
print("segtut", segtut.__version__)"""

# In the book the cell is folded away.
BOOTSTRAP_METADATA = {
    "tags": ["bootstrap", "hide-cell"],
    "mystnb": {"code_prompt_show": "Set-up for Colab", "code_prompt_hide": "Set-up for Colab"},
}

KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# What holds links to the project's home, besides the notebooks.
LINKED = ("_config.yml", "*.md", "CITATION.cff", "book/**/*.md", ".github/**/*.md", ".github/ISSUE_TEMPLATE/*.yml")
COLAB_KEYS = ("accelerator", "colab")  # a chapter may ask Colab for a GPU


class DeriveError(Exception):
    """What the files hold leaves nothing to derive from; the message says where and what to do."""


def read_home(root):
    """Return ``(owner, name)`` of the GitHub repository that ``pyproject.toml`` names as the project's home."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    home = project.get("urls", {}).get("Repository", "")
    match = re.fullmatch(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git|/)?", home)
    if not match:
        raise DeriveError(
            f"pyproject.toml: [project.urls] Repository is {home!r}; write it as https://github.com/OWNER/NAME"
        )
    return match.groups()


def read_d2l(root):
    """Return the line of ``requirements.txt`` that pins d2l, so that Colab gets the version the tests run with."""
    match = re.search(r"^d2l==[\w.]+", (root / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    if not match:
        raise DeriveError("requirements.txt: no line 'd2l==VERSION', which the chapters' bootstrap cell installs")
    return match[0]


def known_homes(root):
    """Return the repositories, as regular expression, whose mention means this project.

    Any owner's repository with the package's name, and the one that ``_config.yml`` was last derived for: a fork
    under another name stays a fork that can move.
    """
    known = [r"[\w.-]+/segtut"]
    config = (root / "_config.yml").read_text(encoding="utf-8")
    if last := re.search(r"^  url: https://github\.com/([\w.-]+)/([\w.-]+)$", config, re.MULTILINE):
        known.insert(0, rf"{re.escape(last[1])}/{re.escape(last[2])}")
    return known


def derive_links(text, home, known):
    """Point links to the repository, to Colab and to the published book at `home`, an ``(owner, name)``."""
    owner, name = home
    for old in known:
        text = re.sub(rf"((?<![\w.])github\.com/|/github/){old}{END}", rf"\g<1>{owner}/{name}", text)
        text = re.sub(rf"(?<=//){old.replace('/', '[.]github[.]io/')}{END}", f"{owner}.github.io/{name}", text)
    return text


def derive_chapter(source, path, home, bootstrap):
    """Return the text of a chapter with its badge and bootstrap cell, in the form in which it is committed.

    `path` is the chapter's own, from the root of the project.
    """
    try:
        notebook = nbformat.reads(source, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise DeriveError(f"{path.as_posix()}: not a notebook that can be read ({type(error).__name__})") from error
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        raise DeriveError(f"{path.as_posix()}: the first cell must be Markdown that begins with '# Title'")
    title, _, rest = BADGE.sub("\n\n", first.source).partition("\n")
    link = f"https://colab.research.google.com/github/{'/'.join(home)}/blob/main/{path.as_posix()}"
    badge = f"[![Open in Colab]({'../' * (len(path.parts) - 1)}book/static/colab-badge.png)]({link})"
    first.source = "\n\n".join(part for part in (title, badge, rest.strip()) if part)

    tagged = [cell for cell in notebook.cells if "bootstrap" in cell.metadata.get("tags", [])]
    if len(tagged) > 1:
        raise DeriveError(f"{path.as_posix()}: {len(tagged)} cells have the tag 'bootstrap': keep one")
    if not tagged:
        tagged = [nbformat.v4.new_code_cell()]
        notebook.cells.insert(1, tagged[0])
    tagged[0].update(cell_type="code", source=bootstrap, metadata=BOOTSTRAP_METADATA)

    notebook.metadata = KERNEL | {key: notebook.metadata[key] for key in COLAB_KEYS if key in notebook.metadata}
    notebook.nbformat_minor = 5
    for cell in notebook.cells:
        cell.setdefault("id", "")  # numbered by strip_output
        for key in ("ExecuteTime", "execution", "collapsed", "scrolled", "outputId", "colab"):
            cell.metadata.pop(key, None)
    strip_output(notebook, keep_output=False, keep_count=False, keep_id=False)
    return nbformat.writes(notebook) + "\n"


def derive(root):
    """Yield ``(path, text)`` for each file under `root` with derived content, and the text that it should have."""
    home, known = read_home(root), known_homes(root)
    for pattern in LINKED:
        for path in sorted(root.glob(pattern)):
            yield path, derive_links(path.read_text(encoding="utf-8"), home, known)
    bootstrap = BOOTSTRAP.format(home=f"https://github.com/{'/'.join(home)}", d2l=read_d2l(root))
    for path in sorted(root.glob("notebooks/**/*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        source = derive_links(path.read_text(encoding="utf-8"), home, known)
        yield path, derive_chapter(source, path.relative_to(root), home, bootstrap)


def main(arguments=None):
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Write what follows from other files: links, badges, bootstrap cells.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if something differs")
    arguments = parser.parse_args(arguments)
    root = Path(__file__).resolve().parents[1]
    try:
        stale = [(path, text) for path, text in derive(root) if path.read_text(encoding="utf-8") != text]
    except DeriveError as error:
        sys.exit(f"segtut: {error}.")
    for path, text in stale:
        print(f"{path.relative_to(root)}: {'is not as derived' if arguments.check else 'written'}")
        if not arguments.check:
            path.write_text(text, encoding="utf-8")
    if arguments.check and stale:
        sys.exit("Run 'make derive' and commit what it writes.")


if __name__ == "__main__":
    main()
