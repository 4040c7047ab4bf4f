"""Inputs for the checks: the smallest ones by hand, larger ones whose sizes depend on the seed."""

import torch
from torch import Generator, Tensor

Shape = tuple[int, int, int]
"""(B, H, W)."""


def generator(seed: int) -> Generator:
    """A generator for a seed; ValueError if that is no integer."""
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError(f"seed={seed!r}: must be an integer.")
    return torch.Generator().manual_seed(seed)


def pick(options: list, g: Generator):
    """One of a list."""
    return options[int(torch.randint(len(options), (1,), generator=g))]


def shapes(g: Generator) -> list[Shape]:
    """Sizes from a single pixel on: one image and several, square and not, narrow and low.

    The last but one has two images, sides that differ and few positions; the last is the largest.
    """
    low, high = pick([(2, 3), (2, 4), (3, 4), (3, 5)], g), pick([(4, 6), (5, 6), (5, 7), (4, 7)], g)
    middle, large = (side if pick([True, False], g) else side[::-1] for side in (low, high))
    return [
        (1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1), (1, 2, 2), (2, 1, 2), (2, 2, 1), (1, 2, 3), (1, 3, 2), (2, 3, 3),
        (1, 4, 4), (1, *large), (2, *middle), (3, *large),
    ]  # fmt: skip


def values(shape: tuple[int, ...], g: Generator) -> Tensor:
    """Random float32 numbers, halves if they are few, so that a student can recompute them."""
    if torch.Size(shape).numel() <= 12:
        return torch.randint(-4, 5, shape, generator=g) / 2
    return torch.randn(shape, generator=g)
