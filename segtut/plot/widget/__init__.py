"""Pictures that answer: one HTML fragment each, that needs no kernel, no network and no library."""

from segtut.plot.widget.frame import Widget

__all__ = ["Widget"]
