"""Time of a call."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from segtut.attention import _check
from segtut.cost.probe import Probe, Shape


@dataclass(frozen=True)
class Timing:
    """Median and quartiles of repeated calls, in seconds."""

    median: float
    lower: float
    upper: float
    repeats: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Timing":
        """Of single measurements."""
        lower, median, upper = np.percentile(seconds, (25, 50, 75)).tolist()
        return cls(median, lower, upper, len(seconds))


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Seconds until ``work()`` is done, on a GPU too, which works on after the call returns."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def latency(module: nn.Module, shape: Shape, repeats: int = 10, warmup: int = 2, backward: bool = True) -> Timing:
    """Time of a call.

    Parameters
    ----------
    module : nn.Module
        An operator, head or network, in the mode, on the device and with the dtype that count; it stays as it was.
    shape : (int, int, int, int) or (int, int)
        (B, C, H, W) of the input, which needs a gradient, or (H, W) of one RGB image, which does not.
    repeats, warmup : int
        Calls that are timed, and calls before them.
    backward : bool
        Forward and backward, or False: forward alone, without a graph.

    Returns
    -------
    Timing
        Seconds for the whole batch.

    Raises
    ------
    TypeError, ValueError
        `module` is no module, or cannot be called on that shape; `repeats` or `warmup` below 1.
    """
    _check.positive("repeats", repeats)
    _check.positive("warmup", warmup)  # the first call pays for what later ones find ready
    probe = Probe.of(module, shape)
    work = probe.forward_backward if backward else probe.forward
    for _ in range(warmup):
        work()
    return Timing.of([seconds_of(work, probe.x.device) for _ in range(repeats)])
