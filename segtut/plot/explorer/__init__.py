"""The attention explorer: choose a pixel of an image, and see where networks look for it."""

from segtut.plot.explorer.explore import explore
from segtut.plot.explorer.look import Looks, look_at

__all__ = ["Looks", "explore", "look_at"]
