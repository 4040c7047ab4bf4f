"""Attention for semantic segmentation, built from scratch: the package behind the book."""

import warnings

from segtut.ledger import record_shapes, shape_ledger

__all__ = ["record_shapes", "shape_ledger"]
__version__ = "0.1.0"

# In a notebook without ipywidgets tqdm draws its bars as text, and would warn of that as soon as timm is imported.
warnings.filterwarnings("ignore", message="IProgress not found")
