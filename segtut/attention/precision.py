"""Energies in float16."""

from collections.abc import Callable

import torch
from torch import Tensor


def energies(product: Callable[[Tensor, Tensor], Tensor], q: Tensor, k: Tensor) -> Tensor:
    """``product(q, k)``, in float32 where autocast or the tensors' dtype would make it float16.

    float16 ends at 65504, and q · k, which has no scale, may not; two infinite energies make a softmax NaN. In
    bfloat16 it cannot overflow.
    """
    device = q.device.type
    known = device != "meta"  # of which PyTorch has no autocast
    autocast = known and torch.is_autocast_enabled(device) and torch.get_autocast_dtype(device) == torch.float16
    if not known or (not autocast and q.dtype != torch.float16):
        return product(q, k)
    with torch.autocast(device, enabled=False):
        return product(q.float(), k.float())


def weights(energy: Tensor, v: Tensor) -> Tensor:
    """Softmax of energies over the last axis, in the dtype of float16 values `v`."""
    attention = energy.softmax(dim=-1)
    return attention.to(v.dtype) if v.dtype == torch.float16 else attention
