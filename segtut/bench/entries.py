"""What is benchmarked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from segtut.attention import ChannelAttention, CrissCrossAttention, GlobalContext, NonLocal, PositionAttention

BASELINE = "cc-bmm"


@dataclass(frozen=True)
class Entry:
    """An operator as it is benchmarked; entries of the same `function` must agree."""

    title: str
    function: str
    make: Callable[[int], nn.Module]


ENTRIES = {
    BASELINE: Entry("criss-cross, textbook bmm", "cc", lambda C: CrissCrossAttention(C, implementation="bmm")),
    "cc-einsum": Entry("criss-cross, einsum", "cc", lambda C: CrissCrossAttention(C, implementation="einsum")),
    "cc": Entry("criss-cross, ours", "cc", CrissCrossAttention),
    "cc-by-hand": Entry("criss-cross, ours by hand", "cc", lambda C: CrissCrossAttention(C, implementation="by_hand")),
    "nl-dense": Entry("non-local, dense", "nl", lambda C: NonLocal(C, implementation="dense")),
    "nl-sdpa": Entry("non-local, SDPA", "nl", NonLocal),
    "pam-dense": Entry("position (PAM), dense", "pam", lambda C: PositionAttention(C, implementation="dense")),
    "pam-sdpa": Entry("position (PAM), SDPA", "pam", PositionAttention),
    "cam": Entry("channel (CAM)", "cam", ChannelAttention),
    "gc": Entry("global context (GC)", "gc", GlobalContext),
}


def build(operators: Sequence[str], channels: int, device: torch.device, dtype: torch.dtype) -> dict[str, nn.Module]:
    """Modules of these names, in the order of `ENTRIES`; those that are one function have the same weights."""
    modules = {}
    with torch.random.fork_rng():
        for name in ENTRIES:
            if name in operators:
                torch.manual_seed(0)
                modules[name] = awaken(ENTRIES[name].make(channels).to(device, dtype))
    return modules


def awaken(module: nn.Module) -> nn.Module:
    """Fill the parameters that are all 0, as gates and last layers are at first: with those all outputs are equal."""
    for p in module.parameters():
        if not p.any():
            nn.init.uniform_(p, 0.1, 0.5)
    return module
