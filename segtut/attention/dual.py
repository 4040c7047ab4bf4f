"""Dual attention: among positions, and among channels.

With N = H·W positions, x as a matrix X of C rows (channels) and N columns (positions)::

    position   A[p, :] = softmax over all s of q[p] · k[s]              (N×N), not scaled
               y[p]    = gamma (sum over s of A[p, s] v[s]) + x[p]
    channel    E = X Xᵀ                                                 (C×C), no convolutions
               A[c, :] = softmax over d of (max_d' E[c, d'] - E[c, d])  the published code
               A[c, :] = softmax over d of E[c, d]                      the paper
               Y       = gamma A X + X

The two channel maps are opposites. Subtracting from the maximum turns the sign, since a softmax ignores what is added
to its whole row: softmax(max - E) = softmax(-E). The code attends to the least similar channels, the paper to the most.
Source: Fu et al., "Dual Attention Network for Scene Segmentation" (CVPR 2019), equations 1 to 4; junfu1115/DANet,
encoding/nn/da_att.py. All functions raise TypeError or ValueError where dtype, device or shape are wrong.
"""

import torch
from einops import rearrange
from torch import nn

from segtut.attention import _check
from segtut.attention.non_local import non_local, non_local_sdpa
from segtut.attention.shapes import Channels, Dense, Features, QueryKey

VARIANTS = ("code", "paper")


def position_attention(q: QueryKey, k: QueryKey, v: Features) -> tuple[Features, Dense]:
    """Position attention without gate and residual: non-local attention with scale 1.

    Parameters
    ----------
    q, k, v : Tensor
        Queries and keys (B, C_qk, H, W), values (B, C, H, W).

    Returns
    -------
    out, attention : Tensor
        (B, C, H, W), and A, (B, N, N), which sums to 1 over the last axis.
    """
    return non_local(q, k, v, scale=1.0)


def channel_attention(x: Features, variant: str = "code") -> tuple[Features, Channels]:
    """Channel attention without gate and residual.

    Parameters
    ----------
    x : Tensor
        (B, C, H, W). The energy grows with N: all is computed in float32 at least, also under autocast.
    variant : {"code", "paper"}
        softmax(max - E), as published in code, or softmax(E), as written in the paper.

    Returns
    -------
    out, attention : Tensor
        (B, C, H, W), and A, (B, C, C), which sums to 1 over the last axis.
    """
    _check.features("x", x)
    _check.choice("variant", variant, VARIANTS)
    # A sum over N needs float32, the gradient's too: float16 ends at 65504, and bfloat16 has 8 bits.
    with torch.autocast(x.device.type, enabled=False):
        X = rearrange(x, "B C H W -> B C (H W)").to(torch.promote_types(x.dtype, torch.float32))
        energy = X @ X.mT
        # the code's maximum need not be written out: a softmax ignores what is added to its whole row
        energy = -energy if variant == "code" else energy
        # E is of size N, and most weights are as good as 0: below exp(-60) no rounded sum notices them. As true zeros
        # they spare a CPU the subnormal numbers that made it 5 to 45 times as slow (512 channels, 28² to 60²).
        energy = energy.masked_fill(energy < energy.detach().amax(dim=-1, keepdim=True) - 60, -torch.inf)
        attention = energy.softmax(dim=-1)
        out = rearrange(attention @ X, "B C (H W) -> B C H W", H=x.shape[2])
    return out.to(x.dtype), attention.to(x.dtype)


class PositionAttention(nn.Module):
    """The position attention module. Parameters bear the official names; `gamma` starts at 0: the identity.

    Parameters
    ----------
    channels : int
        C, channels of input and output; a multiple of `reduction`.
    reduction : int
        C / C_qk, 8 in DANet.
    C_qk : int, optional
        Query and key channels, instead of C // reduction.
    implementation : {"sdpa", "dense"}
        With `torch.nn.functional.scaled_dot_product_attention`, which never stores N×N, or as `position_attention`.
        A returned map is always dense.
    """

    def __init__(self, channels: int, reduction: int = 8, C_qk: int | None = None, implementation: str = "sdpa"):
        super().__init__()
        C_qk = _check.inner_channels(channels, reduction, "C_qk", C_qk)
        _check.choice("implementation", implementation, ("sdpa", "dense"))
        self.channels, self.implementation = channels, implementation
        self.query_conv = nn.Conv2d(channels, C_qk, 1)
        self.key_conv = nn.Conv2d(channels, C_qk, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Features, return_attention: bool = False) -> Features | tuple[Features, Dense]:
        """``gamma * out + x``, (B, C, H, W), and with `return_attention` also A, (B, N, N)."""
        _check.module_input(x, self.channels, self.query_conv.weight)
        q, k, v = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        attention = None
        if return_attention or self.implementation == "dense":
            out, attention = position_attention(q, k, v)
        else:
            out = non_local_sdpa(q, k, v, scale=1.0)
        out = self.gamma * out + x
        return (out, attention) if return_attention else out


class ChannelAttention(nn.Module):
    """The channel attention module; its one parameter, `gamma`, starts at 0: the identity.

    Parameters
    ----------
    channels : int, optional
        C. Nothing depends on it; if given, inputs are held to it.
    variant : {"code", "paper"}
        Which sign the energy has, see `channel_attention`.
    """

    def __init__(self, channels: int | None = None, variant: str = "code"):
        super().__init__()
        if channels is not None:
            _check.positive("channels", channels)
        _check.choice("variant", variant, VARIANTS)
        self.channels, self.variant = channels, variant
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Features, return_attention: bool = False) -> Features | tuple[Features, Channels]:
        """``gamma * out + x``, (B, C, H, W), and with `return_attention` also A, (B, C, C)."""
        _check.features("x", x)
        _check.module_input(x, self.channels or x.shape[1], self.gamma)
        out, attention = channel_attention(x, self.variant)
        out = self.gamma * out + x
        return (out, attention) if return_attention else out
