"""Training time on a GPU that is not at hand: its operations, over a share of what the data sheet promises."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from segtut.attention import _check
from segtut.cost.flops import flops
from segtut.cost.probe import Shape


@dataclass(frozen=True)
class Device:
    """A GPU, by its maker's data sheet.

    Attributes
    ----------
    name, source : str
        What it is called; where the figures stand.
    peak : dict of str to float
        Floating-point operations a second, two a multiply-add, by a recipe's precision: ``fp16`` on tensor cores, with
        sums in float32, and ``no``, float32.
    """

    name: str
    peak: dict[str, float]
    source: str


DEVICES = {
    "t4": Device("NVIDIA T4", {"fp16": 65e12, "no": 8.1e12}, "NVIDIA T4 Tensor Core GPU, data sheet, 2019"),
}

UTILISATION = (0.1, 0.4)
"""Share of the peak that a training is assumed to reach, at worst and at best. Assumed: we measured no T4, and CPU runs
say nothing about it. Norms, activations and the optimiser wait for memory (a T4 moves 320 GB/s), and at its 70 W the
clock falls under load."""

BACKWARD = 2
"""FLOPs of a backward pass over those of the forward pass: two products, for the gradients of input and weight, for
each one forward."""


@dataclass(frozen=True)
class Estimate:
    """How long a training should take; an estimate, not a measurement.

    Attributes
    ----------
    flops : int
        Floating-point operations of the training and of scoring val after each epoch.
    fastest, slowest : float
        Seconds at the highest and at the lowest share of the peak.
    """

    flops: int
    fastest: float
    slowest: float

    def __str__(self) -> str:
        hours = [seconds / 3600 for seconds in (self.fastest, self.slowest)]
        return "{:.1f} to {:.1f} h (estimate, not measured)".format(*hours)


def estimate_time(
    network: nn.Module,
    recipe: Any,
    device: str = "t4",
    precision: str = "fp16",
    images: tuple[int, int] = (367, 101),
    size: Shape = (360, 480),
    utilisation: tuple[float, float] = UTILISATION,
) -> Estimate:
    """How long a recipe would train a network on a GPU that is not at hand.

    Counted: the convolutions and matrix products of every training step, backward as twice the forward pass, and those
    of scoring val after each epoch. Divided by a share of the device's peak, which is assumed. The time to load data
    is not in it.

    Parameters
    ----------
    network : nn.Module
        Takes one RGB image; stays as it was.
    recipe : segtut.training.Recipe
        Its epochs, crop, input size and, if it names them, numbers of images count.
    device : {"t4"}
        Of `DEVICES`.
    precision : {"fp16", "no"}
        ``fp16``, what a recipe's ``auto`` is on a T4, or ``no``, float32.
    images : (int, int)
        Images in train and val, by default CamVid's, where the recipe names none.
    size : (int, int)
        Height and width in which val is scored, by default CamVid's, where the recipe names none.
    utilisation : (float, float)
        Share of the peak that is reached, at worst and at best.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        Unknown device or precision, or a share outside of 0 to 1.

    Examples
    --------
    >>> from segtut.networks import build_network
    >>> from segtut.training import RECIPES
    >>> print(estimate_time(build_network("ccnet", "resnet18", 11), RECIPES["camvid"]()))
    0.3 to 1.1 h (estimate, not measured)
    """
    if device not in DEVICES:
        raise ValueError(f"device={device!r} is none of {', '.join(DEVICES)}")
    peak = DEVICES[device].peak
    if precision not in peak:
        raise ValueError(f"precision={precision!r} is none of {', '.join(peak)}, for which the data sheet has figures")
    worst, best = utilisation
    if not 0 < worst <= best <= 1:
        raise ValueError(f"utilisation={utilisation}: give the worst share and the best, above 0 and up to 1")
    train, val = (recipe.images or images)[:2]
    _check.positive("images", min(train, val))
    crop, whole = tuple(recipe.crop), tuple(recipe.input_size or size)
    forward = {shape: flops(network, shape) for shape in {crop, whole}}
    total = recipe.epochs * ((1 + BACKWARD) * forward[crop] * train + forward[whole] * val)
    return Estimate(total, total / (best * peak[precision]), total / (worst * peak[precision]))
