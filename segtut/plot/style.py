"""The look of every figure: type, lines, colours, layout."""

import matplotlib
from matplotlib import cycler

from segtut.plot.palette import SERIES

INK, MUTED = "#1f252c", "#55606c"

STYLE = {
    # the one family that comes with matplotlib; 10 points are 8.9 pixels where a figure of 5.6 inches fills a phone
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 10,
    "axes.titlesize": 11, "axes.labelsize": 10, "xtick.labelsize": 10, "ytick.labelsize": 10, "legend.fontsize": 10,
    "figure.titlesize": 11, "mathtext.fontset": "dejavusans",
    "text.color": INK, "axes.labelcolor": INK, "axes.titlecolor": INK, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    # thin frames, on all four sides, as pictures need them; a chart hides its upper and right one
    "axes.edgecolor": MUTED, "xtick.color": MUTED, "ytick.color": MUTED,
    "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4, "ytick.minor.width": 0.4,
    # the grid is light, and a chart asks for it: it would lie on top of pictures
    "axes.grid": False, "grid.color": "#b0b0b0", "grid.linewidth": 0.6, "grid.alpha": 0.35, "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=SERIES), "image.cmap": "viridis",
    "lines.linewidth": 1.7, "lines.markersize": 5.5, "legend.frameon": False,
    "figure.constrained_layout.use": True,
    # white, also where a page is dark: the book lays figures on a light card
    "figure.facecolor": "white", "axes.facecolor": "white", "savefig.facecolor": "white",
    "figure.dpi": 96, "savefig.dpi": 192,
}  # fmt: skip
"""Settings of matplotlib, as in its ``rcParams``. ``with matplotlib.rc_context(STYLE):`` has them for a while."""


def style() -> None:
    """Draw all figures from now on in the style of the book.

    A chapter calls it after its imports. Figures that `segtut` draws itself have the style in any case.

    ``"C0"`` to ``"C3"`` are then the colours of curves that belong to no network; networks have theirs in
    `segtut.plot.NETWORKS`. Calling it twice does no harm, and no font is needed that matplotlib has not.

    Examples
    --------
    >>> style()
    >>> matplotlib.rcParams["figure.constrained_layout.use"]
    True
    """
    matplotlib.rcParams.update(STYLE)
