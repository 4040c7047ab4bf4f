"""Criss-cross attention: every position looks along its own column and its own row.

For a position u, Ω(u) is its column and its row, u itself counted once: H + W - 1 positions::

    D[u, s] = q[u] · k[s]                                affinity, not scaled
    A[u, :] = softmax over s in Ω(u) of D[u, s]          one softmax, over column and row together
    out[u]  = gamma (sum over s of A[u, s] v[s]) + x[u]

The last axis of D and A holds H column entries, then W row entries. The pixel itself lies in both, so its column
entry of D is -inf. Source: Huang et al., "CCNet: Criss-Cross Attention for Semantic Segmentation" (ICCV 2019),
equations 1 and 2; the gate gamma is in the published code only (speedinghzl/CCNet, cc_attention/functions.py).
All functions take floating tensors of one dtype and device, and raise TypeError or ValueError where that, or a
shape, is not so.
"""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from segtut.attention import _check

QueryKey = Float[Tensor, "B C_qk H W"]
Features = Float[Tensor, "B C H W"]
CrissCross = Float[Tensor, "B H W H+W"]


def criss_cross_affinity(q: QueryKey, k: QueryKey) -> CrissCross:
    """D, (B, H, W, H + W): the products of each query with the keys of its column, then of its row (equation 1)."""
    _check.qkv(q, k)
    # With a position's channels side by side (channels_last), columns and rows both are matrices that a batched
    # product reads where they lie; in (B, C, H, W) order, each column would first have to be copied together.
    q, k = (t.contiguous(memory_format=torch.channels_last) for t in (q, k))
    column = rearrange(q, "B C H W -> B W H C") @ rearrange(k, "B C G W -> B W C G")
    # The pixel's own entries are the diagonals: B·H·W numbers are written, no matrix of -inf is built.
    column.diagonal(dim1=-2, dim2=-1).fill_(-torch.inf)
    row = rearrange(q, "B C H W -> B H W C") @ rearrange(k, "B C H G -> B H C G")
    return torch.cat([rearrange(column, "B W H G -> B H W G"), row], dim=-1)


def criss_cross_aggregate(attention: CrissCross, v: Features) -> Features:
    """Sum of the values of column and row weighted by A; (B, C, H, W), channels_last in memory (equation 2)."""
    _check.criss_cross_map(attention, v)
    H = v.shape[2]
    v = v.contiguous(memory_format=torch.channels_last)
    out = attention[..., H:] @ rearrange(v, "B C H G -> B H G C")
    column = rearrange(attention[..., :H], "B H W G -> B W H G") @ rearrange(v, "B C G W -> B W G C")
    out += rearrange(column, "B W H C -> B H W C")
    return rearrange(out, "B H W C -> B C H W")


def criss_cross(q: QueryKey, k: QueryKey, v: Features) -> tuple[Features, CrissCross]:
    """Criss-cross attention without gate and residual, the fast form.

    Parameters
    ----------
    q, k, v : Tensor
        Queries and keys (B, C_qk, H, W), values (B, C, H, W). Nothing is copied if they are channels_last and B = 1.

    Returns
    -------
    out, attention : Tensor
        (B, C, H, W), channels_last, and A, (B, H, W, H + W), which sums to 1 over the last axis. Under autocast A
        has the dtype that softmax gives there: float32 on CUDA, bfloat16 on a CPU.
    """
    _check.qkv(q, k, v)
    attention = criss_cross_affinity(q, k).softmax(dim=-1)
    return criss_cross_aggregate(attention, v), attention


def criss_cross_bmm(q: QueryKey, k: QueryKey, v: Features) -> tuple[Features, CrissCross]:
    """The textbook form, as published: columns and rows are copied into batches for `torch.bmm`. See `criss_cross`."""
    _check.qkv(q, k, v)
    B, C, H, W = v.shape
    q_column, k_column, v_column = (t.permute(0, 3, 1, 2).contiguous().view(B * W, -1, H) for t in (q, k, v))
    q_row, k_row, v_row = (t.permute(0, 2, 1, 3).contiguous().view(B * H, -1, W) for t in (q, k, v))

    minus_inf = torch.diag(q.new_full((H,), -torch.inf)).repeat(B * W, 1, 1)  # of q's dtype: float32 would promote
    D_column = torch.bmm(q_column.mT, k_column) + minus_inf  # (B·W, H, H)
    D_row = torch.bmm(q_row.mT, k_row)  # (B·H, W, W)
    D = torch.cat([D_column.view(B, W, H, H).permute(0, 2, 1, 3), D_row.view(B, H, W, W)], dim=-1)
    attention = D.softmax(dim=-1)

    A_column = attention[..., :H].permute(0, 2, 1, 3).contiguous().view(B * W, H, H)
    A_row = attention[..., H:].contiguous().view(B * H, W, W)
    out_column = torch.bmm(v_column, A_column.mT).view(B, W, C, H).permute(0, 2, 3, 1)
    out_row = torch.bmm(v_row, A_row.mT).view(B, H, C, W).permute(0, 2, 1, 3)
    return out_column + out_row, attention


def dense_attention(attention: CrissCross, H: int, W: int) -> Float[Tensor, "B N N"]:
    """The same map as a matrix: row u holds the weights of position u = i·W + j over all N = H·W, 0 off its cross.

    What two passes reach is the product ``dense_attention(A2, H, W) @ dense_attention(A1, H, W)``.
    """
    B = len(attention)
    _check.same_shape("attention", attention.shape, (B, H, W, H + W), f"(B, H, W, H + W) with H={H}, W={W}")
    dense = attention.new_zeros(B, H, W, H, W)
    # A position and one of its column have the same j, a position and one of its row the same i: diagonals.
    dense.diagonal(dim1=2, dim2=4).copy_(rearrange(attention[..., :H], "B H W G -> B H G W"))
    dense.diagonal(dim1=1, dim2=3).add_(rearrange(attention[..., H:], "B H W G -> B W G H"))
    return dense.view(B, H * W, H * W)


class CrissCrossAttention(nn.Module):
    """One pass of criss-cross attention with projections, gate and residual; the head does the recurrence.

    Parameters bear the official names, so that published weights load. `gamma` starts at 0: a new module is the
    identity, and in the first step `gamma` alone has a gradient.

    Parameters
    ----------
    channels : int
        C, channels of input and output; a multiple of `reduction`.
    reduction : int
        C / C_qk, 8 in CCNet.
    implementation : {"fast", "bmm"}
        `criss_cross` or `criss_cross_bmm`: same numbers, different speed.
    """

    def __init__(self, channels: int, reduction: int = 8, implementation: str = "fast"):
        super().__init__()
        _check.reduction(channels, reduction)
        _check.choice("implementation", implementation, ("fast", "bmm"))
        self.channels, self.implementation = channels, implementation
        self.query_conv = nn.Conv2d(channels, channels // reduction, 1)
        self.key_conv = nn.Conv2d(channels, channels // reduction, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Features, return_attention: bool = False) -> Features | tuple[Features, CrissCross]:
        """``gamma * out + x``, (B, C, H, W), and with `return_attention` also A, (B, H, W, H + W).

        The fast form works and answers in channels_last. Under autocast the result is float32, as `gamma` is.
        """
        _check.module_input(x, self.channels, self.query_conv.weight)
        if self.implementation == "fast":
            x = x.contiguous(memory_format=torch.channels_last)  # once, for three convolutions and the residual
            attend = criss_cross
        else:
            attend = criss_cross_bmm
        out, attention = attend(self.query_conv(x), self.key_conv(x), self.value_conv(x))
        out = self.gamma * out + x
        return (out, attention) if return_attention else out
