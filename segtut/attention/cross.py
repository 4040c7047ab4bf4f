"""Sums over the cross Ω(u), the column and the row of a position u: all that criss-cross attention computes.

The last axis of a map m over the cross holds H column entries, then W row entries; u itself stands in both::

    products  m[u, s] = a[u] · b[s]                 of two feature maps
    gather    y[u]    = sum over s of m[u, s] b[s]  what u collects from its cross
    scatter   z[s]    = sum over u of m[u, s] a[u]  what s receives from all u on whose cross it lies
"""

import torch
from einops import rearrange
from torch import Tensor

from segtut.attention.shapes import CrissCross, Features


def products(a: Features, b: Features) -> CrissCross:
    """a[u] · b[s] for all s of the column of u, then of its row: (B, H, W, H + W)."""
    # With a position's channels side by side (channels_last), columns and rows both are matrices that a batched
    # product reads where they lie; in (B, C, H, W) order, each column would first have to be copied together.
    a, b = (t.contiguous(memory_format=torch.channels_last) for t in (a, b))
    column = rearrange(a, "B C H W -> B W H C") @ rearrange(b, "B C G W -> B W C G")
    row = rearrange(a, "B C H W -> B H W C") @ rearrange(b, "B C H G -> B H C G")
    return torch.cat([rearrange(column, "B W H G -> B H W G"), row], dim=-1)


def gather(m: CrissCross, b: Features) -> Features:
    """Sum over s of m[u, s] b[s]: (B, C, H, W), channels_last in memory."""
    H = b.shape[2]
    b = b.contiguous(memory_format=torch.channels_last)
    column = rearrange(m[..., :H], "B H W G -> B W H G") @ rearrange(b, "B C G W -> B W G C")
    row = m[..., H:] @ rearrange(b, "B C H G -> B H G C")
    row += rearrange(column, "B W H C -> B H W C")
    return rearrange(row, "B H W C -> B C H W")


def scatter(m: CrissCross, a: Features) -> Features:
    """Sum over u of m[u, s] a[u]: `gather` with both matrices of weights transposed."""
    H = a.shape[2]
    a = a.contiguous(memory_format=torch.channels_last)
    column = rearrange(m[..., :H], "B H W G -> B W G H") @ rearrange(a, "B C H W -> B W H C")
    row = rearrange(m[..., H:], "B H W G -> B H G W") @ rearrange(a, "B C H W -> B H W C")
    row += rearrange(column, "B W H C -> B H W C")
    return rearrange(row, "B H W C -> B C H W")


def own_column_entry(m: CrissCross) -> Tensor:
    """The entries of m in which a position looks at itself within its column: a view (B, W, H)."""
    return m[..., : m.shape[1]].diagonal(dim1=1, dim2=3)
