"""What a network costs: parameters and FLOPs."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def parameters(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


@torch.no_grad()
def flops(network: nn.Module, size: tuple[int, int]) -> int:
    """Floating-point operations of one forward pass of one RGB image of height and width `size`.

    Counted by PyTorch over convolutions and matrix products, two a multiply-add. The network is left as it was.
    """
    training = network.training
    device = next(network.parameters()).device
    with FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 3, *size, device=device))
    network.train(training)
    return counter.get_total_flops()
