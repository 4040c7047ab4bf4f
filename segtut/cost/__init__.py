"""What an operator, a head or a network costs: parameters, FLOPs, memory and time.

Every function takes a module and the shape of its input: (B, C, H, W), or (H, W), which means one RGB image, for a
network. It measures a copy in the mode, on the device and with the dtype of the module, which stays as it was.
"""

from dataclasses import dataclass

from torch import nn

from segtut.cost.estimate import DEVICES, Device, Estimate, estimate_time
from segtut.cost.flops import flops
from segtut.cost.formula import flops_by_formula, own_flops
from segtut.cost.latency import Timing, latency
from segtut.cost.memory import activation_memory, peak_memory
from segtut.cost.probe import Shape, check_module

__all__ = [
    "DEVICES",
    "Cost",
    "Device",
    "Estimate",
    "Timing",
    "activation_memory",
    "estimate_time",
    "flops",
    "flops_by_formula",
    "latency",
    "measure",
    "own_flops",
    "parameters",
    "peak_memory",
]


def parameters(module: nn.Module) -> int:
    """Number of trainable parameters."""
    check_module(module)
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


@dataclass(frozen=True)
class Cost:
    """What a module costs at one shape of input; each attribute is what the function of that name returns.

    Attributes
    ----------
    parameters : int
        Trainable parameters.
    flops : int
        Floating-point operations of a forward pass.
    activation_memory : int
        Bytes kept for the backward.
    peak_memory : int
        Bytes at the worst moment of forward and backward.
    forward, forward_backward : Timing
        Seconds.
    """

    parameters: int
    flops: int
    activation_memory: int
    peak_memory: int
    forward: Timing
    forward_backward: Timing


def measure(module: nn.Module, shape: Shape, repeats: int = 10) -> Cost:
    """Everything that this package knows of a module; `repeats` is the number of timed calls of each kind."""
    return Cost(
        parameters(module),
        flops(module, shape),
        activation_memory(module, shape),
        peak_memory(module, shape),
        latency(module, shape, repeats, backward=False),
        latency(module, shape, repeats),
    )
