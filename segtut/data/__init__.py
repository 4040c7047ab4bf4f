"""Data sets with one interface, CamVid and its procedural twin, the loader that serves both, and the probes."""

from segtut.data.augment import eval_transform, train_transform
from segtut.data.camvid import CamVid, DataError, colourise
from segtut.data.classes import (
    CLASSES,
    GROUPS,
    IGNORE_INDEX,
    IMAGE_SIZE,
    NUM_CLASSES,
    PALETTE,
    SPLIT_SIZES,
    SPLITS,
    VOID_COLOUR,
    VOID_LABEL,
)
from segtut.data.loader import denormalise, make_loader, normalise
from segtut.data.probes import PROBES, Probe
from segtut.data.scenes import Scenes
from segtut.data.splits import find_camvid, open_splits

__all__ = [
    "CLASSES", "GROUPS", "IGNORE_INDEX", "IMAGE_SIZE", "NUM_CLASSES", "PALETTE", "PROBES", "SPLITS", "SPLIT_SIZES",
    "VOID_COLOUR", "VOID_LABEL", "CamVid", "DataError", "Probe", "Scenes", "colourise", "denormalise",
    "eval_transform", "find_camvid", "make_loader", "normalise", "open_splits", "train_transform",
]  # fmt: skip
