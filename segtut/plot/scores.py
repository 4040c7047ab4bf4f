"""One number a class, as bars in the class's colour."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from segtut.data import CLASSES, PALETTE, VOID_COLOUR
from segtut.plot.style import STYLE


@rc_context(STYLE)
def class_bars(values: Mapping[str, float | None], label: str, log: bool = False) -> Figure:
    """Draw horizontal bars, one a class, with their values.

    Parameters
    ----------
    values : mapping of str to float or None
        Class name -> value; None where it is undefined, shown as a dash.
    label : str
        What the values are.
    log : bool
        Use a logarithmic axis.
    """
    names = list(values)
    colours = [np.array(PALETTE[CLASSES.index(name)] if name in CLASSES else VOID_COLOUR) / 255 for name in names]
    numbers = [np.nan if values[name] is None else values[name] for name in names]
    figure, axes = plt.subplots(figsize=(4.8, 0.27 * len(names) + 0.7))
    bars = axes.barh(names, np.nan_to_num(numbers), color=colours)
    digits = 2 if np.nanmax(numbers, initial=0) <= 1 else 1  # shares, or percentages
    axes.bar_label(bars, ["–" if np.isnan(n) else f"{n:.{digits}f}" for n in numbers], padding=3, fontsize=9)
    axes.set(xlabel=label, xscale="log" if log else "linear")
    axes.margins(x=0.12)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    return figure
