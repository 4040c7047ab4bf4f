"""Long code begins folded, with a line that says how much there is and opens it.

A checkbox before the code and its label after it do this without a script; ``segtut-code.css`` has the rest. Code in
a cell that is hidden as a whole is left alone: it needs no second door.
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

LONGEST = 25  # lines that are shown whole
SHOWN = 14  # of those that begin folded, as in segtut-code.css


def raw(html):
    """Return a node with HTML that other formats leave out."""
    return nodes.raw("", html, format="html")


class FoldedCode(SphinxPostTransform):
    """Put a checkbox and its label around the code of cells with more than ``LONGEST`` lines."""

    default_priority = 5  # before MyST-NB wraps hidden cells

    def run(self, **kwargs):
        cells = [node for node in self.document.findall(nodes.container) if node.get("nb_element") == "cell_code"]
        for number, cell in enumerate(cells):
            if cell.get("hide_mode") in ("all", "input", "input+output"):
                continue
            for part in cell.findall(nodes.container):
                code = next(part.findall(nodes.literal_block), None)
                if part.get("nb_element") != "cell_code_source" or code is None:
                    continue
                lines = len(code.astext().splitlines())
                if lines > LONGEST:
                    part.insert(0, raw(f'<input type="checkbox" class="segtut-fold" id="fold-{number}">'))
                    part.append(
                        raw(
                            f'<label class="segtut-unfold" for="fold-{number}">'
                            f'<span class="segtut-more">Show all {lines} lines</span>'
                            f'<span class="segtut-less">Show {SHOWN} lines</span></label>'
                        )
                    )


def setup(app):
    """Connect it to Sphinx."""
    app.add_post_transform(FoldedCode)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
