"""Procedural street scenes: the twin of CamVid that needs no download.

The eleven classes and void, the splits, and much the same share of pixels for each class. `scene` draws one scene,
`Scenes` is a split of them.
"""

import hashlib
import json
import operator
from numbers import Integral

import numpy as np
from torch.utils.data import Dataset

from segtut.data.classes import SPLIT_SIZES
from segtut.data.street.layout import street_scene
from segtut.data.street.shapes import Dice

VERSION = 1
"""Version of the drawing, part of every digest: raise it whenever a pixel of any scene changes."""

MIN_SIZE = (24, 32)
"""Smallest height and width: on fewer pixels a street cannot be told."""


def scene(seed: int, index: int, size: tuple[int, int], split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """Draw one street scene.

    Parameters
    ----------
    seed, index : int
        Not negative. With `split` they determine the street; `size` determines no more than its resolution.
    size : (int, int)
        Height and width in pixels, at least 24×32.
    split : {"train", "val", "test"}
        No street is in two splits.

    Returns
    -------
    image : numpy.ndarray, (H, W, 3) uint8
        RGB.
    mask : numpy.ndarray, (H, W) uint8
        Class of each pixel, 0 to 10; void is ``IGNORE_INDEX`` (255).

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong type or out of range.
    """
    seed, index, size, split = _whole("seed", seed), _whole("index", index), _checked_size(size), _checked_split(split)
    # the spawn key keeps splits and scenes apart from each other whatever the seed
    return street_scene(Dice(np.random.SeedSequence(seed, spawn_key=(list(SPLIT_SIZES).index(split), index))), size)


class Scenes(Dataset):
    """One split of procedural street scenes, with the interface of `CamVid`.

    Parameters
    ----------
    split : {"train", "val", "test"}
        Which part; no two parts share a scene.
    size : (int, int)
        Height and width in pixels, at least 24×32. The same streets are drawn at every size.
    seed : int
        Not negative. Another seed gives other streets.
    length : int, optional
        Number of scenes; 367, 101 or 233 as in the CamVid protocol if not given.
    cache : bool
        Keep every scene in memory once it is drawn (77 kB each at 120×160, 0.7 MB at 360×480). Copy the arrays
        before changing them: everybody who asks for a scene then gets the same ones.

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong type or out of range.

    Notes
    -----
    ``scenes[i]`` is ``(image, mask)``: uint8 arrays (H, W, 3) and (H, W), RGB and class index; void is
    ``IGNORE_INDEX`` (255).
    """

    name = "scenes"

    def __init__(
        self,
        split: str = "train",
        size: tuple[int, int] = (120, 160),
        seed: int = 0,
        length: int | None = None,
        cache: bool = False,
    ):
        self.split = _checked_split(split)
        self.size = _checked_size(size)
        self.seed = _whole("seed", seed)
        self._length = SPLIT_SIZES[split] if length is None else _whole("length", length, least=1)
        self._cache: dict[int, tuple[np.ndarray, np.ndarray]] | None = {} if cache else None

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        i = operator.index(i)
        if not -self._length <= i < self._length:
            raise IndexError(f"scene {i} of a split of {self._length}: use {-self._length} to {self._length - 1}")
        i %= self._length
        if self._cache is None:
            return scene(self.seed, i, self.size, self.split)
        if i not in self._cache:
            self._cache[i] = scene(self.seed, i, self.size, self.split)
        return self._cache[i]

    @property
    def stems(self) -> list[str]:
        """Name of each sample, in order."""
        return [f"{self.split}_{i:05d}" for i in range(self._length)]

    @property
    def digest(self) -> str:
        """SHA-256 over the version of the drawing and all that determines the scenes: which data a run has seen."""
        facts = [self.name, VERSION, self.split, self.size, self.seed, self._length]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _checked_split(split):
    if split not in SPLIT_SIZES:
        raise ValueError(f"split={split!r} is none of {', '.join(SPLIT_SIZES)}")
    return split


def _checked_size(size):
    try:
        height, width = size
    except (TypeError, ValueError):
        raise TypeError(f"size={size!r}: give height and width in pixels, such as (120, 160)") from None
    height, width = _whole("height in size", height), _whole("width in size", width)
    if height < MIN_SIZE[0] or width < MIN_SIZE[1]:
        raise ValueError(f"size={height}×{width}: give at least {MIN_SIZE[0]}×{MIN_SIZE[1]} pixels (height × width)")
    return height, width


def _whole(name, value, least=0):
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name}={value!r}: give a whole number, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name}={value}: give {least} or more")
    return int(value)
