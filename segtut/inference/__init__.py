"""Trained networks on pictures of any size: sliding windows, flips and scales, files, and export to other programs."""

from segtut.inference.average import TTA_SCALES, mirrored, probabilities, rescaled, segmenter
from segtut.inference.export import ExportError, export_network
from segtut.inference.files import predict_files
from segtut.inference.pictures import overlay, palette
from segtut.inference.windows import BLENDS, blending_weights, slide

__all__ = [
    "BLENDS", "TTA_SCALES", "ExportError", "blending_weights", "export_network", "mirrored", "overlay", "palette",
    "predict_files", "probabilities", "rescaled", "segmenter", "slide",
]  # fmt: skip
