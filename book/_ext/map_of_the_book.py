"""The map of the book: every chapter with what it needs, and how long it takes to read and to run.

``{map-of-the-book}`` draws the chapters of `_toc.yml` in their parts, one below the other. An arc leads to a chapter
from each one that its line "What it needs" names, but for those that another of them needs already. Times are filled
in when everything has been read and executed.
"""

import html
import json
import re
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

WORDS_A_MINUTE, LINES_A_MINUTE = 200, 12
"""Our guess at a careful reader, of prose and of code; the page says so."""

ROW, HEAD, LEFT, WIDTH = 27, 34, 76, 400  # units of the drawing


class Map(nodes.General, nodes.Element):
    """Stands for the drawing until the chapters' times are known."""


class MapOfTheBook(SphinxDirective):
    """``{map-of-the-book}``, without options or content."""

    def run(self):
        return [Map()]


def chapters(root):
    """Return the parts of the book that hold numbered chapters: ``[(caption, [path without suffix, ...]), ...]``."""
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    parts = []
    for part in contents["parts"]:
        files = [entry["file"] for entry in part["chapters"] if re.match(r"notebooks/\d\d_", entry["file"])]
        if files:
            parts.append((part["caption"], files))
    return parts


def facts(path):
    """Return a chapter's title, the names of the chapters that it needs, and the minutes that reading it takes."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    code = [line for cell in cells if cell["cell_type"] == "code" for line in cell["source"] if line.strip()]
    title = re.match(r"# ([^:\n]+)", prose)[1]  # what follows a colon would not fit
    line = re.search(r"^\*\*What it needs[:.]?\*\*.*", prose, re.MULTILINE)
    links = re.findall(r"\[([^\]]+)\]\((\d\d_\w+)\.ipynb", line[0]) if line else []
    needed = [name for said, name in links if said != "how to get it"]  # the data, for who wants it
    return title, list(dict.fromkeys(needed)), words(prose) / WORDS_A_MINUTE + len(code) / LINES_A_MINUTE


def words(prose):
    """Count the words of a chapter's Markdown; a formula in the line counts as one, a displayed one as ten."""
    prose = re.sub(r"\$\$.+?\$\$", " w" * 10, prose, flags=re.DOTALL)
    prose = re.sub(r"\$[^$\n]+\$", "w", prose)
    prose = re.sub(r"\]\([^)]*\)", "]", prose)  # addresses are not read
    return len(re.findall(r"\w[\w'’-]*", prose))


def draw(root, link, seconds):
    """Return the map as SVG; `link` makes an address of a chapter's path, `seconds` its time to run, or None."""
    rows, y, text = {}, 0, []
    for caption, files in chapters(root):
        y += HEAD
        text.append(f'<text class="map-part" x="{LEFT}" y="{y - 8}">{html.escape(caption)}</text>')
        for file in files:
            rows[Path(file).stem] = (file, y + ROW / 2)
            y += ROW
    arcs, needs = [], {}
    for name, (file, middle) in rows.items():
        title, needed, minutes = facts(root / f"{file}.ipynb")
        needs[name] = set().union(needed, *(needs.get(other, ()) for other in needed))
        number = int(name[:2])
        ran = "–" if seconds(file) is None else f"{seconds(file):.0f} s"
        text.append(
            f'<a href="{html.escape(link(file))}"><circle cx="{LEFT - 2}" cy="{middle}" r="10"/>'
            f'<text class="map-number" x="{LEFT - 2}" y="{middle + 4}">{number}</text>'
            f'<text x="{LEFT + 16}" y="{middle + 4.5}">{html.escape(title)}</text></a>'
            f'<text class="map-time" x="{WIDTH - 48}" y="{middle + 4.5}">{minutes:.0f} min</text>'
            f'<text class="map-time" x="{WIDTH}" y="{middle + 4.5}">{ran}</text>'
        )
        for other in needed:
            if not any(other in needs[third] for third in needed):  # what a needed chapter needs is understood
                start = rows[other][1]
                bend = min(80, 10 + (middle - start) / 3.2)
                arcs.append(f'<path d="M{LEFT - 12} {start}c{-bend} 0 {-bend} {middle - start} 0 {middle - start}"/>')
    head = (
        f'<text class="map-time map-head" x="{WIDTH - 48}" y="{HEAD - 8}">read</text>'
        f'<text class="map-time map-head" x="{WIDTH}" y="{HEAD - 8}">run</text>'
    )
    return (
        f'<svg class="segtut-map" viewBox="0 0 {WIDTH + 2} {y + 6}" role="group" aria-label="The chapters, what each '
        f'needs, and its time to read and to run"><g class="map-arcs">{"".join(arcs)}</g>{head}{"".join(text)}</svg>'
    )


def fill_in(app, doctree, docname):
    """Draw the map where it stands."""

    def link(file):
        return app.builder.get_relative_uri(docname, file)

    def seconds(file):
        done = app.env.nb_metadata.get(file, {}).get("exec_data") or {}
        return done.get("runtime")

    for node in list(doctree.findall(Map)):
        if app.builder.format == "html":
            node.replace_self(nodes.raw("", draw(Path(app.srcdir), link, seconds), format="html"))
        else:
            node.parent.remove(node)


def setup(app):
    """Connect the directive to Sphinx."""
    app.add_node(Map)
    app.add_directive("map-of-the-book", MapOfTheBook)
    app.connect("doctree-resolved", fill_in)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
