"""Sliding windows: an image of any size, seen in pieces of one size that are blended without seams.

The weight of the window in row m and column n of the grid is a product, one factor for the row i of the pixel and
one for its column j::

    a[m](i) = r(i - s[m]) / sum over m' of r(i - s[m'])        s[m]: first row of window m
    y(i, j) = sum over m, n of a[m](i) b[n](j) p[m, n](i, j)   b: the same for columns

The factors sum to 1 on each axis, so the products sum to 1 at every pixel. Where r falls to 0 at the window's edge,
a window fades in and out; where it does not, as in the plain mean of mmsegmentation's ``slide_inference`` and
CCNet's ``predict_sliding``, each edge leaves a step.
"""

from collections.abc import Callable
from math import ceil

import torch
from jaxtyping import Float
from torch import Tensor

from segtut.attention import _check

Predictor = Callable[[Float[Tensor, "B 3 h w"]], Float[Tensor, "B K h w"]]

BLENDS: dict[str, Callable[[Tensor], Tensor]] = {
    "hann": lambda t: torch.sin(torch.pi * t) ** 2,
    "pyramid": lambda t: torch.minimum(t, 1 - t),
    "mean": torch.ones_like,
}
"""r for the position t in a window, from 0 at one edge to 1 at the other."""


def blending_weights(
    length: int, window: int, overlap: float = 0.5, blend: str = "hann"
) -> tuple[list[int], Float[Tensor, "n window"]]:
    """Place windows along one axis, and weigh their pixels.

    Parameters
    ----------
    length : int
        Pixels of the axis.
    window : int
        Pixels of a window, at most `length`.
    overlap : float
        Least share of a window that it has in common with the next, from 0 to below 1.
    blend : {"hann", "pyramid", "mean"}
        How the weight falls from the middle of a window to its edges: as sin², linearly, not at all.

    Returns
    -------
    starts : list of int
        First pixel of each of the n windows: as few as the overlap allows, evenly spaced, the first at 0, the last
        ending with the axis.
    weights : Tensor
        float64 (n, window), above 0. At every pixel of the axis, those of the windows that cover it sum to 1.

    Raises
    ------
    ValueError
        An argument is out of range.
    """
    _check.positive("length", length)
    _check.positive("window", window)
    if window > length:
        raise ValueError(f"window={window} is larger than length={length}: use a window of at most {length} pixels")
    check_blending(overlap, blend)
    stride = max(1, int(round(window * (1 - overlap), 6)))  # rounded first: 100 * (1 - 0.9) is 9.999…
    gaps = ceil((length - window) / stride)
    starts = [round(m * (length - window) / max(gaps, 1)) for m in range(gaps + 1)]
    # Measured at the pixels' centres, so that no weight is 0 and the outermost pixel can be divided by its own.
    ramp = BLENDS[blend]((torch.arange(window, dtype=torch.float64) + 0.5) / window)
    total = torch.zeros(length, dtype=torch.float64)
    for start in starts:
        total[start : start + window] += ramp
    return starts, torch.stack([ramp / total[start : start + window] for start in starts])


def slide(
    predictor: Predictor,
    image: Float[Tensor, "B 3 H W"],
    window: tuple[int, int],
    overlap: float = 0.5,
    blend: str = "hann",
) -> Float[Tensor, "B K H W"]:
    """Apply a predictor to overlapping windows of an image, and blend what it says.

    Memory: the result, and what the predictor needs for one window.

    Parameters
    ----------
    predictor : callable
        Images (B, 3, h, w) -> probabilities (B, K, h, w).
    image : Tensor
        Normalised images (B, 3, H, W).
    window : (int, int)
        Height and width in pixels; a side longer than the image's is cut to it. A window as large as the image
        gives ``predictor(image)``, bit for bit.
    overlap, blend
        See `blending_weights`.

    Returns
    -------
    Tensor
        (B, K, H, W), of the predictor's dtype. Probabilities that sum to 1 still do.

    Raises
    ------
    ValueError
        An argument is out of range, or the predictor's answer is no floating (B, K, h, w) of the window's size.
    TypeError
        `image` is no floating tensor.
    """
    check_window(window)
    check_blending(overlap, blend)
    _check.features("image", image)
    H, W = image.shape[-2:]
    h, w = min(window[0], H), min(window[1], W)
    rows, columns = blending_weights(H, h, overlap, blend), blending_weights(W, w, overlap, blend)
    blended = None
    for i, a in zip(*rows, strict=True):
        for j, b in zip(*columns, strict=True):
            p = predictor(image[..., i : i + h, j : j + w])
            if p.ndim != 4 or len(p) != len(image) or p.shape[-2:] != (h, w) or not p.is_floating_point():
                raise ValueError(
                    f"predictor answers a window of {h}×{w} pixels with shape {tuple(p.shape)} of {p.dtype}: it must "
                    f"return floating probabilities ({len(image)}, K, {h}, {w}); class indices cannot be averaged"
                )
            if blended is None:
                blended = p.new_zeros(*p.shape[:2], H, W)
            blended[..., i : i + h, j : j + w].addcmul_(p, torch.outer(a, b).to(p))
            del p  # now: else it would still be held while the next window is computed
    return blended


def check_window(window: tuple[int, int]) -> None:
    """`window` must be a height and a width of at least 1 pixel."""
    if not isinstance(window, tuple | list) or len(window) != 2:
        raise ValueError(f"window={window!r}: give height and width in pixels, such as (360, 480)")
    for name, value in zip(("height", "width"), window, strict=True):
        _check.positive(f"{name} in window", value)


def check_blending(overlap: float, blend: str) -> None:
    """`overlap` must be a share of the window, `blend` one of `BLENDS`."""
    if isinstance(overlap, bool) or not isinstance(overlap, int | float) or not 0 <= overlap < 1:
        raise ValueError(f"overlap={overlap!r}: it is a share of the window, from 0 to below 1, such as 0.5")
    _check.choice("blend", blend, tuple(BLENDS))
