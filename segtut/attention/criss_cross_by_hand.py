"""Criss-cross attention with its backward by hand: affinity and aggregation as autograd functions.

Three sums over the cross, `products`, `gather` and `scatter`, do forward and backward alike. Affinity is
D = products(q, k), with -inf where u is its own column entry. For a loss L with gradient dD,

    dL/dq[u] = sum over s of dD[u, s] k[s]          gather(dD, k)
    dL/dk[s] = sum over u of dD[u, s] q[u]          scatter(dD, q)

without the entries that were overwritten by -inf. Aggregation is y = gather(A, v), so that for its gradient dy

    dL/dA[u, s] = dy[u] · v[s]                      products(dy, v)
    dL/dv[s]    = sum over u of A[u, s] dy[u]       scatter(A, dy)

Only q, k, v and A are kept for the backward. Under autocast these may be float32 while y, and with it dy, is not: the
backward computes in the type of the gradient that comes in, and autograd casts the results to their inputs' types.
The names are those of the official extension, which does this in CUDA: ``ca_weight`` and ``ca_map``
(speedinghzl/CCNet, cc_attention/functions.py).
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from segtut.attention import _check
from segtut.attention.cross import gather, own_column_entry, products, scatter
from segtut.attention.precision import energies, weights
from segtut.attention.shapes import CrissCross, Features, QueryKey


class CAWeight(torch.autograd.Function):
    """Affinity with its gradient."""

    @staticmethod
    def forward(ctx, q: Tensor, k: Tensor) -> Tensor:
        """D, from queries and keys."""
        ctx.save_for_backward(q, k)
        D = energies(products, q, k)
        own_column_entry(D).fill_(-torch.inf)
        return D

    @staticmethod
    @once_differentiable
    def backward(ctx, dD: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of q and k."""
        q, k = (t.to(dD.dtype) for t in ctx.saved_tensors)
        dD = dD.clone()  # autograd may still need the original
        own_column_entry(dD).zero_()
        return gather(dD, k), scatter(dD, q)


class CAMap(torch.autograd.Function):
    """Aggregation with its gradient."""

    @staticmethod
    def forward(ctx, attention: Tensor, v: Tensor) -> Tensor:
        """y, from the map and the values."""
        ctx.save_for_backward(attention, v)
        return gather(attention, v)

    @staticmethod
    @once_differentiable
    def backward(ctx, dy: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of the map and of v."""
        attention, v = (t.to(dy.dtype) for t in ctx.saved_tensors)
        return products(dy, v), scatter(attention, dy)


def ca_weight(q: QueryKey, k: QueryKey) -> CrissCross:
    """D, (B, H, W, H + W), as `criss_cross.criss_cross_affinity`, with the backward by hand."""
    _check.qkv(q, k)
    return CAWeight.apply(q, k)


def ca_map(attention: CrissCross, v: Features) -> Features:
    """Sum of the values weighted by A, (B, C, H, W), as `criss_cross.criss_cross_aggregate`, backward by hand."""
    _check.criss_cross_map(attention, v)
    return CAMap.apply(attention, v)


def criss_cross_by_hand(q: QueryKey, k: QueryKey, v: Features) -> tuple[Features, CrissCross]:
    """As `criss_cross.criss_cross`; differentiable once, and with less kept for the backward."""
    _check.qkv(q, k, v)
    attention = weights(ca_weight(q, k), v)
    return ca_map(attention, v), attention
