"""Images through a network in batches, while others are read and written in threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from itertools import groupby, islice
from typing import Any

import numpy as np
import torch

from segtut.data.loader import collate
from segtut.training.evaluation import Segmenter

BATCH_PIXELS = 2**21
"""Pixels of a batch, unless its size is named: 12 images of 360×480, one of 1080×1920."""


def ahead(pool: Executor, function: Callable[[Any], Any], items: Iterable[Any], count: int) -> Iterator[Any]:
    """Map a function over items in a pool, in order, at most `count` results ahead of who takes them."""
    waiting = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > count:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def segmented(
    segment: Segmenter,
    images: Iterable[tuple[Any, np.ndarray]],
    device: torch.device,
    batch_size: int | None = None,
) -> Iterator[tuple[Any, np.ndarray, np.ndarray]]:
    """Segment a stream of images, in batches of neighbours of one size; nothing is held but one batch.

    Parameters
    ----------
    segment : callable
        See `segtut.inference.segmenter`.
    images : iterable of (key, image)
        Whatever the caller knows it by, and uint8 RGB (H, W, 3).
    device : torch.device
        The network's.
    batch_size : int, optional
        Images at once; by default as many as make `BATCH_PIXELS`, at least one.

    Yields
    ------
    key, image, mask
        In the order given; the mask is uint8 (H, W).
    """
    for (H, W, _), group in groupby(images, key=lambda item: item[1].shape):
        size = batch_size or max(1, BATCH_PIXELS // (H * W))
        while batch := list(islice(group, size)):
            x, _ = collate([(image, np.zeros((H, W), np.uint8)) for _, image in batch])
            masks = segment(x.to(device)).to(torch.uint8).cpu().numpy()
            yield from ((key, image, mask) for (key, image), mask in zip(batch, masks, strict=True))
