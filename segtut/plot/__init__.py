"""Figures of the book, each shown with a sentence for those who cannot see it, and its tables."""

from segtut.plot.cross import explore_cross
from segtut.plot.curves import LiveCurves, curves
from segtut.plot.diagram import diagram
from segtut.plot.explorer import Looks, explore, look_at
from segtut.plot.maps import maps
from segtut.plot.palette import (
    BRIGHT,
    MARK,
    NEIGHBOURHOOD_COLOURS,
    NEIGHBOURHOODS,
    NETWORK_COLOURS,
    NETWORKS,
    NOTHING,
    PROBE_COLOURS,
    Look,
)
from segtut.plot.reach import explore_reach
from segtut.plot.samples import legend, samples
from segtut.plot.scores import class_bars
from segtut.plot.show import show
from segtut.plot.style import STYLE, style
from segtut.plot.table import table

__all__ = [
    "BRIGHT",
    "MARK",
    "NEIGHBOURHOODS",
    "NEIGHBOURHOOD_COLOURS",
    "NETWORKS",
    "NETWORK_COLOURS",
    "NOTHING",
    "PROBE_COLOURS",
    "STYLE",
    "LiveCurves",
    "Look",
    "Looks",
    "class_bars",
    "curves",
    "diagram",
    "explore",
    "explore_cross",
    "explore_reach",
    "legend",
    "look_at",
    "maps",
    "samples",
    "show",
    "style",
    "table",
]
