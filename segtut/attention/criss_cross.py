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
from torch import nn

from segtut.attention import _check
from segtut.attention.criss_cross_by_hand import criss_cross_by_hand
from segtut.attention.cross import gather, own_column_entry, products
from segtut.attention.precision import energies, weights
from segtut.attention.shapes import CrissCross, Features, QueryKey


def criss_cross_affinity(q: QueryKey, k: QueryKey) -> CrissCross:
    """D, (B, H, W, H + W): the products of each query with the keys of its column, then of its row (equation 1).

    float32 for float16 queries.
    """
    _check.qkv(q, k)
    D = energies(products, q, k)
    # The pixel's own entries are a diagonal: B·H·W numbers are written, no matrix of -inf is built.
    own_column_entry(D).fill_(-torch.inf)
    return D


def criss_cross_aggregate(attention: CrissCross, v: Features) -> Features:
    """Sum of the values of column and row weighted by A; (B, C, H, W), channels_last in memory (equation 2)."""
    _check.criss_cross_map(attention, v)
    return gather(attention, v)


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
        has the dtype that softmax gives there: float32 on CUDA, bfloat16 on a CPU; of float16 values, theirs.
    """
    _check.qkv(q, k, v)
    attention = weights(criss_cross_affinity(q, k), v)
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


def criss_cross_einsum(q: QueryKey, k: QueryKey, v: Features) -> tuple[Features, CrissCross]:
    """The formula in index notation: the shortest form; `torch.einsum` decides what is copied. See `criss_cross`."""
    _check.qkv(q, k, v)
    H = q.shape[2]
    own = torch.eye(H, dtype=torch.bool, device=q.device)[:, None, :]
    column = torch.einsum("bchw, bcgw -> bhwg", q, k).masked_fill(own, -torch.inf)
    attention = torch.cat([column, torch.einsum("bchw, bchg -> bhwg", q, k)], dim=-1).softmax(dim=-1)
    out = torch.einsum("bhwg, bcgw -> bchw", attention[..., :H], v)
    return out + torch.einsum("bhwg, bchg -> bchw", attention[..., H:], v), attention


IMPLEMENTATIONS = {
    "fast": criss_cross,
    "by_hand": criss_cross_by_hand,
    "einsum": criss_cross_einsum,
    "bmm": criss_cross_bmm,
}


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
    implementation : {"fast", "by_hand", "einsum", "bmm"}
        Same numbers; speed and memory differ. "einsum" and "bmm" keep float16 energies, which end at 65504.
    C_qk : int, optional
        Query and key channels, instead of C // reduction.
    """

    def __init__(
        self, channels: int, reduction: int = 8, implementation: str = "fast", C_qk: int | None = None
    ):  # fmt: skip
        super().__init__()
        C_qk = _check.inner_channels(channels, reduction, "C_qk", C_qk)
        _check.choice("implementation", implementation, tuple(IMPLEMENTATIONS))
        self.channels, self.implementation = channels, implementation
        self.query_conv = nn.Conv2d(channels, C_qk, 1)
        self.key_conv = nn.Conv2d(channels, C_qk, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Features, return_attention: bool = False) -> Features | tuple[Features, CrissCross]:
        """``gamma * out + x``, (B, C, H, W), and with `return_attention` also A, (B, H, W, H + W).

        "fast" and "by_hand" work and answer in channels_last. Under autocast the result is float32, as `gamma` is.
        """
        _check.module_input(x, self.channels, self.query_conv.weight)
        if self.implementation in ("fast", "by_hand"):
            x = x.contiguous(memory_format=torch.channels_last)  # once, for three convolutions and the residual
        out, attention = IMPLEMENTATIONS[self.implementation](self.query_conv(x), self.key_conv(x), self.value_conv(x))
        out = self.gamma * out + x
        return (out, attention) if return_attention else out
