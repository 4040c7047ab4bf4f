"""Any operator's map as a matrix over positions: row u holds what position u = i·W + j takes from each of N = H·W.

For figures of what a pixel attends to, and for comparing operators: criss-cross and global context are matrices too.
"""

from collections.abc import Sequence
from operator import index

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from segtut.attention import _check
from segtut.attention.criss_cross import CrissCrossAttention
from segtut.attention.dual import PositionAttention
from segtut.attention.global_context import GlobalContext, SimplifiedNonLocal
from segtut.attention.non_local import NonLocal, positions
from segtut.attention.shapes import CrissCross, Features

DenseRows = Float[Tensor, "B P N"]


def dense_criss_cross(attention: CrissCross, H: int, W: int) -> Float[Tensor, "B N N"]:
    """The criss-cross map (B, H, W, H + W) as a matrix: 0 off the cross."""
    B = len(attention)
    _check.same_shape("attention", attention.shape, (B, H, W, H + W), f"(B, H, W, H + W) with H={H}, W={W}")
    dense = attention.new_zeros(B, H, W, H, W)
    # A position and one of its column have the same j, a position and one of its row the same i: diagonals.
    dense.diagonal(dim1=2, dim2=4).copy_(rearrange(attention[..., :H], "B H W G -> B H G W"))
    dense.diagonal(dim1=1, dim2=3).add_(rearrange(attention[..., H:], "B H W G -> B W G H"))
    return dense.view(B, H * W, H * W)


def spread(rows: DenseRows, attention: CrissCross) -> DenseRows:
    """``rows @ dense_criss_cross(attention)`` without the matrix: each row's weights, passed on along the crosses."""
    H = attention.shape[1]
    rows = rearrange(rows, "B P (H W) -> B P H W", H=H)
    column = torch.einsum("bphw, bhwg -> bpgw", rows, attention[..., :H])
    row = torch.einsum("bphw, bhwg -> bphg", rows, attention[..., H:])
    return (column + row).flatten(2)


def number(pixel: tuple[int, int], H: int, W: int) -> int:
    """i·W + j, for a pixel (row i, column j)."""
    try:
        i, j = map(index, pixel)
    except (TypeError, ValueError):
        raise TypeError(
            f"pixels: {pixel!r} is no pair of integers (row, column): pass a list of pairs, [(3, 4)] for a single one."
        ) from None
    if not (0 <= i < H and 0 <= j < W):
        raise ValueError(
            f"pixels: ({i}, {j}) lies outside the image: rows go from 0 to {H - 1}, columns from 0 to {W - 1}."
        )
    return i * W + j


def dense_attention(
    module: nn.Module, x: Features, pixels: Sequence[tuple[int, int]] | None = None, recurrence: int = 1
) -> DenseRows:
    """What positions of x take from every position.

    Parameters
    ----------
    module : CrissCrossAttention, NonLocal, PositionAttention, SimplifiedNonLocal or GlobalContext
        The operator.
    x : Tensor
        Its input, (B, C, H, W).
    pixels : sequence of (row, column), optional
        P positions whose rows are wanted; all N by default. Few pixels need little memory: nothing of size N×N is
        made for them.
    recurrence : int
        R, passes of criss-cross attention, composed: ``A_R @ ... @ A_1``, without gates and residuals.

    Returns
    -------
    Tensor
        (B, P, N); rows sum to 1 where the operator's map does. `x.shape[2:]` gives back the image of a row.

    Raises
    ------
    TypeError
        The module has no map over positions, such as channel attention; `pixels` holds something else than pairs.
    ValueError
        A pixel outside the image, pooled keys, R < 1, or R > 1 for another operator.
    """
    _check.features("x", x)
    B, _, H, W = x.shape
    _check.positive("recurrence", recurrence)
    if recurrence > 1 and not isinstance(module, CrissCrossAttention):
        raise ValueError(f"recurrence={recurrence}: only criss-cross attention is repeated; use recurrence=1.")
    numbers = range(H * W) if pixels is None else [number(pixel, H, W) for pixel in pixels]
    chosen = torch.tensor(numbers, dtype=torch.long, device=x.device)

    if isinstance(module, CrissCrossAttention):
        maps = []
        for _ in range(recurrence):
            x, attention = module(x, return_attention=True)
            maps.append(attention)
        rows = nn.functional.one_hot(chosen, H * W).to(maps[0].dtype).expand(B, -1, -1)
        for attention in reversed(maps):
            rows = spread(rows, attention)
        return rows
    if isinstance(module, NonLocal):
        q, k, _ = module.qkv(x)
        if k.shape[2:] != q.shape[2:]:
            raise ValueError("module has pooled keys, which are no positions of x: take its map with return_attention.")
        return module.attention(positions(q)[:, chosen].mT.unsqueeze(-1), k)
    if isinstance(module, PositionAttention):
        _check.module_input(x, module.channels, module.query_conv.weight)
        q, k = positions(module.query_conv(x))[:, chosen], positions(module.key_conv(x))
        return (q @ k.mT).softmax(dim=-1)
    if isinstance(module, GlobalContext | SimplifiedNonLocal):
        _, attention = module(x, return_attention=True)
        return attention[:, None, :].expand(-1, len(chosen), -1)
    raise TypeError(
        f"{type(module).__name__} has no map over positions: use criss-cross, non-local, position or global context "
        "attention, or the module's own return_attention."
    )
