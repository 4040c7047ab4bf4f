r"""What the book needs beyond Jupyter Book: words for every figure, and numbered formulas of several lines.

1. MyST-NB drops the alternative text, and the width in pixels of the page, that a cell gives its figure with
   ``display(fig, metadata={"image/png": {"alt": "...", "width": 600}})``. Here they reach the page. A cell
   that cannot pass metadata (d2l's Animator displays by itself) gets the text from its own metadata instead:
   ``"mystnb": {"image": {"alt": "..."}}``.
2. An image without alternative text is a warning that names the page, so that with ``-W`` the build fails.
3. Sphinx puts a formula of several lines into a ``split`` environment, in which MathJax refuses ``\tag``.
   A tagged formula goes to MathJax as it was written.
"""

from docutils import nodes
from myst_nb.core.render import NbElementRenderer
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)
_render_image = NbElementRenderer.render_image


def render_image_with_alt(self, data):
    """Render an image that a cell displayed, with the alternative text and the width it was displayed with."""
    images = _render_image(self, data)
    said = data.output_metadata.get(data.mime_type, {})
    for image in images:
        if alt := said.get("alt"):
            image["alt"] = alt
        if width := said.get("width"):
            image["width"] = f"{width}px"
            image["classes"].append("no-scaled-link")  # the page shows all of the figure
    return images


class WordsForFigures(SphinxPostTransform):
    """Warn of images without alternative text, which a reader who cannot see them would miss."""

    default_priority = 5  # before Sphinx collects images and gives them new names

    def run(self, **kwargs):
        for image in self.document.findall(nodes.image):
            if not image.get("alt", "").strip():
                logger.warning(
                    'image without alternative text: add ![words](...), or metadata={"image/png": {"alt": "words"}} '
                    "to the display() call that draws it",
                    location=image if image.line else self.env.docname,
                )


class TaggedFormulas(SphinxPostTransform):
    r"""Keep Sphinx from wrapping formulas with a ``\tag``."""

    default_priority = 5

    def run(self, **kwargs):
        for formula in self.document.findall(nodes.math_block):
            if r"\tag" in formula.astext() and not formula.get("nowrap"):
                formula["nowrap"] = True
                formula.children = [nodes.Text(rf"\[{formula.astext().strip()}\]")]


def setup(app):
    """Connect the three to Sphinx."""
    NbElementRenderer.render_image = render_image_with_alt
    app.add_post_transform(WordsForFigures)
    app.add_post_transform(TaggedFormulas)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
