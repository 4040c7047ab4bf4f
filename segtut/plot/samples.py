"""Images beside their class maps, in the book's palette."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from segtut.data import CLASSES, PALETTE, VOID_COLOUR, colourise
from segtut.plot.style import STYLE


@rc_context(STYLE)
def samples(rows: Mapping[str, Sequence[np.ndarray]], width: float = 2.4, with_legend: bool = True) -> Figure:
    """Draw rows of images and class maps, one column a sample.

    Parameters
    ----------
    rows : mapping of str to sequence of arrays
        Label of the row -> uint8 arrays: RGB images (H, W, 3), or class maps (H, W), which are coloured.
    width : float
        Of a column, in inches.
    with_legend : bool
        Name the colours below.
    """
    lengths = {len(row) for row in rows.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"rows of {sorted(lengths)} pictures: every row needs the same number, at least one")
    columns = lengths.pop()
    height, wide = next(iter(rows.values()))[0].shape[:2]
    figure, grid = plt.subplots(
        len(rows), columns, squeeze=False,
        figsize=(width * columns + 0.3, width * height / wide * len(rows) + (0.9 if with_legend else 0.1)),
    )  # fmt: skip
    for axes_row, (label, pictures) in zip(grid, rows.items(), strict=True):
        for axes, picture in zip(axes_row, pictures, strict=True):
            axes.imshow(picture if picture.ndim == 3 else colourise(picture, PALETTE, VOID_COLOUR))
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        axes_row[0].set_ylabel(label)
    if with_legend:
        legend(figure)
    return figure


@rc_context(STYLE)
def legend(figure: Figure, columns: int = 4) -> None:
    """Name the colours of the classes, and of void, below a figure."""
    colours = [*zip(CLASSES, PALETTE, strict=True), ("void", VOID_COLOUR)]
    handles = [Patch(color=np.array(rgb) / 255, label=name) for name, rgb in colours]
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)
