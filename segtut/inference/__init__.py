"""Trained networks on pictures of any size: sliding windows, flips and scales, image files."""

from segtut.inference.average import mirrored, probabilities, rescaled
from segtut.inference.files import overlay, palette, predict_files
from segtut.inference.windows import BLENDS, blending_weights, slide

__all__ = [
    "BLENDS", "blending_weights", "mirrored", "overlay", "palette", "predict_files", "probabilities", "rescaled",
    "slide",
]  # fmt: skip
