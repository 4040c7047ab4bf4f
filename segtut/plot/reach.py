"""Reach: which positions can influence a position after R passes of criss-cross attention, and in how many ways."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from segtut.attention import _check
from segtut.attention.dense import number
from segtut.plot.palette import MARK
from segtut.plot.style import STYLE
from segtut.plot.widget import Widget

CELLS = 1024
"""Most positions that a page draws."""

EXACT = 2**53
"""From here on a page's numbers are no longer exact."""


def number_of_ways(H: int, W: int, pixel: tuple[int, int], R: int) -> np.ndarray:
    """In how many ways each position can influence `pixel` after R passes: row u of the cross mask to the power R.

    Parameters
    ----------
    H, W : int
        Rows and columns.
    pixel : (int, int)
        Row and column of u.
    R : int
        Passes, at least 0.

    Returns
    -------
    numpy.ndarray
        (H, W) int64.
    """
    ways = np.zeros((H, W), np.int64)
    ways[pixel] = 1
    for _ in range(R):
        # each takes from its row and from its column, from itself once
        ways = ways.sum(1, keepdims=True) + ways.sum(0, keepdims=True) - ways
    return ways


def explore_reach(
    H: int = 9, W: int = 13, passes: int = 3, pixel: tuple[int, int] | None = None, R: int | None = None
) -> Widget:
    """Choose a position u, and see which positions can influence it after R passes, in how many ways, and by which.

    Parameters
    ----------
    H, W : int
        Rows and columns, at most 1024 cells.
    passes : int
        Most passes that can be chosen, 1 to 6.
    pixel : (int, int), optional
        Row and column of u when the page opens; the middle by default.
    R : int, optional
        Passes when the page opens; 2 by default, or `passes` if that is less.

    Returns
    -------
    Widget
        Shown where it is the last value of a cell; ``.save("page.html")`` writes it as a page.

    Raises
    ------
    TypeError, ValueError
        A size, a pixel or a number of passes that is none, or is out of range.
    """
    for name, value in (("H", H), ("W", W), ("passes", passes)):
        _check.positive(name, value)
    if H * W > CELLS:
        raise ValueError(f"{H}×{W} are {H * W} cells, more than the {CELLS} that a page draws: give a smaller H or W")
    if passes > 6 or (H + W - 1) ** passes >= EXACT:
        raise ValueError(f"passes={passes}: at most 6, and at {H}×{W} so few that all ways can be counted exactly")
    R = min(2, passes) if R is None else R
    if isinstance(R, bool) or R not in range(passes + 1):
        raise ValueError(f"R={R!r}: a whole number from 0 to passes={passes}")
    pixel = (H // 2, W // 2) if pixel is None else pixel
    number(pixel, H, W)
    u = int(pixel[0]), int(pixel[1])
    t = (u[0] - H // 3) % H, (u[1] - W // 3) % W  # off the cross, if the grid is large enough
    # so that the longest number just fits into its cell
    digits = len(str(number_of_ways(H, W, u, passes).max()))
    data = {"H": H, "W": W, "passes": passes, "pixel": u, "source": t, "R": R, "type": min(40, 150 // digits)}
    ways = number_of_ways(H, W, u, R)
    alt = (
        f"A grid of {H} rows and {W} columns with the position in row {u[0]}, column {u[1]} framed. Each cell has the "
        f"number of ways in which it can influence that position after {R} pass{'' if R == 1 else 'es'}: "
        + _in_words(ways, u) + f". In all {np.count_nonzero(ways)} of {H * W} positions can."
    )  # fmt: skip
    return Widget("reach.js", f"Reach of criss-cross attention, {H}×{W} positions", data, {}, _still(ways, u), alt)


def _in_words(ways: np.ndarray, u: tuple[int, int]) -> str:
    i, j = np.indices(ways.shape)
    places = {
        "off its row and column": (i != u[0]) & (j != u[1]),
        "in its column": (i != u[0]) & (j == u[1]),
        "in its row": (i == u[0]) & (j != u[1]),
        "from itself": (i == u[0]) & (j == u[1]),
    }
    return ", ".join(f"{ways[where][0]} {name}" for name, where in places.items() if where.any())


@rc_context(STYLE)
def _still(ways: np.ndarray, u: tuple[int, int]) -> Figure:
    H, W = ways.shape
    side = 4.8 / max(W, 0.8 * H)
    figure = plt.figure(figsize=(4.8, side * H), layout="none")  # the axes fill it, whatever the style
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    levels = np.unique(ways, return_inverse=True)[1].reshape(H, W)
    axes.imshow(levels, cmap="Blues", vmin=-0.4, vmax=1.3 * max(levels.max(), 1))
    if side > 0.3 and ways.max() < 1000:
        for (i, j), n in np.ndenumerate(ways):
            dark = levels[i, j] > 0.75 * max(levels.max(), 1)
            axes.text(j, i, str(n), ha="center", va="center", fontsize=9, color="white" if dark else "black")
    axes.set_xticks(np.arange(-0.5, W), [])
    axes.set_yticks(np.arange(-0.5, H), [])
    axes.grid(color="white", linewidth=1)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.add_patch(Rectangle((u[1] - 0.5, u[0] - 0.5), 1, 1, fill=False, edgecolor=MARK, linewidth=2.5, zorder=3))
    return figure
