"""Mend what the theme's pages lack for a reader with a keyboard or a screen reader.

1. The arrow that unfolds a part of the contents is a picture: it gets the name of what it unfolds.
2. An entry of a list of references is an item of that list: its own role is no longer one that a list may have.
3. What scrolls sideways takes the focus, so that the arrow keys scroll it (``segtut-scroll.js``).
"""

import re
from pathlib import Path

ARROW = re.compile(r'(<a class="[^"]*reference internal[^"]*" href="[^"]*">([^<]*)</a><details[^>]*><summary)>')


def mend_page(text):
    """Return a page in which the arrows of the contents say what they unfold, and references are items of a list."""
    return ARROW.sub(r'\1 aria-label="Pages below: \2">', text).replace('role="doc-biblioentry"', 'role="listitem"')


def mend(app, failure):
    """Mend the pages of the written book, if it is one; pages that were mended before stay as they are."""
    if failure or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if (mended := mend_page(text)) != text:
            path.write_text(mended, encoding="utf-8")


def setup(app):
    """Connect it to Sphinx."""
    app.add_js_file("segtut-scroll.js", loading_method="defer")
    app.connect("build-finished", mend, priority=950)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
