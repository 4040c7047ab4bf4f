"""Maps over positions: where a pixel looks, what it reaches."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from segtut.plot.palette import MARK
from segtut.plot.style import STYLE


@rc_context(STYLE)
def maps(
    pictures: Mapping[str, np.ndarray], pixel: tuple[int, int] | None = None, top: float | None = None, label: str = ""
) -> Figure:
    """Draw maps (H, W) side by side on one colour scale.

    Parameters
    ----------
    pictures : mapping of str to array
        Title -> map.
    pixel : (int, int), optional
        Row and column of the pixel that looks; marked in every map.
    top : float, optional
        Value of the darkest colour; by default the largest of all maps.
    label : str
        What the values are.
    """
    height, width = next(iter(pictures.values())).shape
    side = min(2.9, 4.8 / len(pictures))  # inches; wider, and the titles would be too small on a phone
    figure, grid = plt.subplots(
        1, len(pictures), squeeze=False,
        figsize=(side * len(pictures) + 0.6, side * height / width + 0.5),
    )  # fmt: skip
    top = top if top is not None else max(float(np.max(picture)) for picture in pictures.values())
    for axes, (title, picture) in zip(grid[0], pictures.items(), strict=True):
        image = axes.imshow(picture, vmin=0, vmax=top or 1)
        axes.set_title(title, fontsize=10)
        axes.set(xticks=[], yticks=[])
        if pixel is not None:
            for colour, thick in (("white", 4), (MARK, 2)):  # a white seam, since red is dark for some eyes
                axes.plot(*pixel[::-1], "s", markersize=9, color=colour, markeredgewidth=thick, fillstyle="none")
    figure.colorbar(image, ax=grid[0].tolist(), shrink=0.85, label=label)
    return figure
