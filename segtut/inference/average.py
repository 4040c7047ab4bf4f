"""Several looks at one image, averaged: windows, mirror images, scales.

Each function here and in `windows` takes a predictor, images (B, 3, h, w) -> probabilities (B, K, h, w), so that
they can be put into each other.
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from segtut.attention import _check
from segtut.inference.windows import Predictor, check_blending, check_window, slide
from segtut.networks import SegmentationNetwork
from segtut.training import predict
from segtut.training.evaluation import Segmenter, seen
from segtut.training.recipe import resolve_precision

TTA_SCALES = (0.75, 1.0, 1.25)
"""Enlargements of test-time augmentation, beside flips: near 1, for in training objects had about these sizes.

With flips six looks, 6.25 times the pixels of one.
"""


def mirrored(predictor: Predictor) -> Predictor:
    """The predictor that also looks at the mirror image, turns that answer back, and takes the mean."""

    def both(image: Tensor) -> Tensor:
        return (predictor(image) + predictor(image.flip(-1)).flip(-1)) / 2

    return both


def rescaled(
    predictor: Predictor, image: Float[Tensor, "B 3 H W"], scales: Sequence[float]
) -> Float[Tensor, "B K H W"]:
    """Mean of what a predictor says of an image at several sizes, each answer resized to H×W.

    Raises
    ------
    ValueError
        No scale, or one that is not above 0; `image` is no (B, 3, H, W).
    TypeError
        `image` is no floating tensor.
    """
    check_scales(scales)
    _check.features("image", image)
    if tuple(scales) == (1,):
        return predictor(image)
    H, W = image.shape[-2:]
    total = None
    for scale in scales:
        size = (max(1, round(scale * H)), max(1, round(scale * W)))
        x, same = image, size == (H, W)
        if not same:
            x = F.interpolate(image, size=size, mode="bilinear", antialias=True)
        p = predictor(x)
        if not same:  # the weights of bilinear interpolation sum to 1: probabilities stay probabilities
            p = F.interpolate(p, size=(H, W), mode="bilinear")
        total = p / len(scales) if total is None else total.add_(p, alpha=1 / len(scales))
    return total


@torch.inference_mode()
def probabilities(
    network: nn.Module,
    image: Float[Tensor, "B 3 H W"],
    window: tuple[int, int] | None = None,
    overlap: float = 0.5,
    blend: str = "hann",
    flip: bool = False,
    scales: Sequence[float] = (1.0,),
    precision: str = "auto",
) -> Float[Tensor, "B K H W"]:
    """Class probabilities of every pixel, as a mean over windows, mirror images and scales.

    Probabilities are averaged, not scores: softmax puts every look on one scale, and the mean of distributions is
    one.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode: images -> scores (B, K, H, W) before softmax.
    image : Tensor
        Normalised images (B, 3, H, W), on the network's device, at the size at which it shall see them:
        ``network.input_size`` is not looked at.
    window : (int, int), optional
        Height and width of sliding windows, in pixels of the rescaled image; None: the whole image at once.
    overlap, blend
        Of the windows, see `blending_weights`.
    flip : bool
        Look at the mirror image, too.
    scales : sequence of float
        Enlargements at which to look.
    precision : {"auto", "no", "bf16", "fp16"}
        See `Recipe`.

    Returns
    -------
    Tensor
        float32 (B, K, H, W); sums to 1 over the classes.

    Raises
    ------
    ValueError
        An argument is out of range, or the network is in training mode.
    TypeError
        `image` is no floating tensor.
    """
    if window is not None:
        check_window(window)
    check_blending(overlap, blend)
    check_scales(scales)
    _check.features("image", image)
    if network.training:
        raise ValueError("network is in training mode, in which batch norm depends on the batch: call network.eval()")
    kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(resolve_precision(precision, image.device))

    def look(x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, kind, enabled=kind is not None):
            scores = network(x.contiguous(memory_format=torch.channels_last))
        return scores.float().softmax(1)

    predictor = mirrored(look) if flip else look  # inside the windows: only one window is held twice
    if window is None:
        return rescaled(predictor, image, scales)
    return rescaled(lambda x: slide(predictor, x, window, overlap, blend), image, scales)


def segmenter(
    network: SegmentationNetwork,
    window: tuple[int, int] | None = None,
    flip: bool = False,
    scales: Sequence[float] = (1.0,),
    precision: str = "auto",
) -> Segmenter:
    """Make a function of images that returns the class of every pixel, however often it has to look.

    Without `window`, it sees images at the height that the network was trained on (``network.input_size``), their
    shape kept, and `scales` count from there; with `window`, in their own size.

    Parameters
    ----------
    network : SegmentationNetwork
        In evaluation mode when images come.
    window, flip, scales, precision
        See `probabilities`.

    Returns
    -------
    callable
        Normalised images (B, 3, H, W), on the network's device -> classes int64 (B, H, W).

    Raises
    ------
    ValueError
        `window` or `scales` is out of range: said now, before the first image.
    """
    if window is not None:
        check_window(window)
    check_scales(scales)
    if window is None and not flip and tuple(scales) == (1,):
        return partial(predict, network, precision=precision)

    def segment(image: Tensor) -> Tensor:
        x = image if window else seen(network, image)
        p = probabilities(network, x, window, flip=flip, scales=scales, precision=precision)
        if x is not image:
            p = F.interpolate(p, size=image.shape[-2:], mode="bilinear")
        return p.argmax(1)

    return segment


def check_scales(scales: Sequence[float]) -> None:
    """`scales` must be at least one number, each above 0."""
    if not isinstance(scales, tuple | list) or not scales:
        raise ValueError(f"scales={scales!r}: give at least one enlargement, such as (0.75, 1.0, 1.25)")
    for scale in scales:
        if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < float("inf"):
            raise ValueError(f"scale {scale!r} in scales={tuple(scales)!r}: must be a number above 0")
