"""Figures of the book, each shown with a sentence for those who cannot see it, and its tables."""

from segtut.plot.curves import LiveCurves, curves
from segtut.plot.maps import maps
from segtut.plot.samples import legend, samples
from segtut.plot.scores import class_bars
from segtut.plot.show import show
from segtut.plot.table import table

__all__ = ["LiveCurves", "class_bars", "curves", "legend", "maps", "samples", "show", "table"]
