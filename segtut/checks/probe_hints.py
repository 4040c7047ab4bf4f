"""Why a network is right less often than it should be on a probe."""

from itertools import permutations

import torch
from torch import Tensor, nn

from segtut.checks import draw
from segtut.checks.call import call
from segtut.data.classes import IGNORE_INDEX
from segtut.data.probes import COLOURS, PROBES

EVAL = "It is in training mode, and its batch norm or dropout behaves so: call network.eval() after the training."
MODES = (nn.modules.batchnorm._NormBase, nn.modules.dropout._DropoutNd)
"""Layers that behave otherwise in training."""
SIZES = ((6, 5), (4, 6), (4, 4), (5, 5), (5, 7), (6, 6), (6, 8), (8, 8), (8, 12), (12, 12))
"""H and W on which a network may have been trained by mistake."""


def right_share(scores: Tensor, target: Tensor) -> float:
    """Share of the asked pixels at which the highest of the scores (B, COLOURS, H, W) is the target's, (B, H, W)."""
    return _share(scores.argmax(1), target)


def _share(named: Tensor, target: Tensor) -> float:
    asked = target != IGNORE_INDEX
    return (named == target)[asked].double().mean().item()


def why_low(network: nn.Module, probe: str, x: Tensor, target: Tensor, scores: Tensor, needed: float) -> str:
    """The sentence that fits best a network that is right too seldom.

    Parameters
    ----------
    network : nn.Module
        (B, PLANES, H, W) -> (B, COLOURS, H, W).
    probe : str
        Its name.
    x, target, scores : Tensor
        Images, answers and what the network says.
    needed : float
        Share of right answers.
    """
    named, asked, share = scores.argmax(1), target != IGNORE_INDEX, right_share(scores, target)
    if share < 0.5 and (other := _other_probe(network, probe, x, needed)):
        return f"The network solves {other!r}, which is another task: is it the one that you trained on {probe!r}?"
    if (named == named[0, 0, 0]).all():
        return (
            f"The network names colour {int(named[0, 0, 0])} at every pixel of every image: is it trained, and did "
            "the loss fall?"
        )
    if (named == named[:1]).all():
        return "The network gives the same answers to every image: does x go into it?"
    if not _hears(network, x, scores, 1):
        return (
            "Each pixel looks at itself only: no other one changes its scores. The context must come in between, and "
            "a block that starts at 0 must be trained."
        )
    if not _hears(network, x, scores, 3):
        return "A pixel hears its neighbours only: a context of the whole image must come in between."
    if size := _other_size(network, probe, needed):
        return (
            f"On images of {size[0]}×{size[1]} the network is right often enough, but not on the size that is asked "
            "for: on which was it trained?"
        )
    if _share(scores.argmin(1), target) >= needed:
        return "The lowest score is at the right colour: the sign is wrong, of the scores or of the loss."
    if max(_share(torch.tensor(order)[named], target) for order in permutations(range(COLOURS))) >= needed:
        return "The network tells the colours apart but gives them other numbers: score k must be that of colour k."
    flat = named.masked_fill(~asked, -1).flatten(1)
    first = flat.amax(1, keepdim=True)
    several = PROBES[probe].things is not None and PROBES[probe].things(*x.shape[2:]) > 1
    if several and ((flat == first) | (flat < 0)).all():
        return (
            "The network gives all pixels of an image the same answer: pixels of different kinds ask for different "
            "ones."
        )
    present = x[:, :COLOURS].amax((2, 3))
    known = present.gather(1, named.flatten(1)).view_as(named)[asked].mean().item()
    if several and share > 0.45 and known > 0.85:
        return (
            "The network names colours that occur in the image, but often not the one of the pixel's own kind: the "
            "context must tell which kind has which colour, or each kind needs a map of its own."
        )
    if share < 1 / COLOURS + 0.1:
        return "The network is hardly better than guessing: was it trained, with an optimiser that has its parameters?"
    return (
        "The network has learnt a part of the task: train for more steps, with another learning rate or with more "
        "channels."
    )


def _hears(network: nn.Module, x: Tensor, scores: Tensor, distance: int) -> bool:
    """Whether a pixel at the left edge hears anything from so many columns away, or further."""
    x, other = x[::7], x.roll(len(x) // 2 + 1, 0)[::7]
    mixed = x.clone()
    mixed[..., distance:] = other[..., distance:]
    if distance == 1:  # the rest of its column, too
        mixed[..., 1:, :] = other[..., 1:, :]
    before, after = scores[::7, :, 0, 0], _call(network, mixed)
    return after is not None and bool((after[:, :, 0, 0] - before).abs().max() > 1e-5 * (1 + before.abs().max()))


@torch.no_grad()
def _call(network: nn.Module, x: Tensor) -> Tensor | None:
    scores = call(network, "The network", {"x": x}).value
    return scores if isinstance(scores, Tensor) and scores.ndim == 4 else None


def _solves(network: nn.Module, probe: str, size: tuple[int, int], needed: float) -> bool:
    x, target = PROBES[probe].sample(192, size, draw.generator(0))
    scores = _call(network, x)
    return scores is not None and right_share(scores, target) >= needed


def _other_probe(network: nn.Module, probe: str, x: Tensor, needed: float) -> str | None:
    size = tuple(x.shape[2:])
    others = [name for name in PROBES if name not in (probe, "left or right", "with coordinates")]
    return next((name for name in others if _solves(network, name, size, needed)), None)


def _other_size(network: nn.Module, probe: str, needed: float) -> tuple[int, int] | None:
    return next((size for size in SIZES if _solves(network, probe, size, needed)), None)
