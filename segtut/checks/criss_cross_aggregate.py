"""Assignment 2: the aggregation of criss-cross attention."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from segtut.checks import draw, restrictions
from segtut.checks.criss_cross_aggregate_mistakes import AGGREGATE_MISTAKES
from segtut.checks.cross import own_entries
from segtut.checks.judging import judge
from segtut.checks.question import Question


def _without_own(attention: Tensor) -> Tensor:
    """The weights with 0 at each pixel's own column entry, so that no gradient goes there."""
    _, H, W, S = attention.shape
    own = torch.zeros(H, W, S, dtype=torch.bool)
    own[..., :H] = own_entries(H, W)[0]
    return attention.masked_fill(own, 0)


def aggregate(
    attention: Tensor,
    v: Tensor,
    *,
    order: str = "column first",
    batch: str = "right",
    weights: str = "as they are",
    softmax: str = "none",
    itself: str = "0 in the column",
    transposed: str = "none",
    entries: str = "right",
    left_out: str = "nothing",
    values: str = "right",
    merged: str = "right",
    parts: str = "sum",
    divided: str = "by nothing",
    added: str = "nothing",
    axes: str = "right",
) -> Tensor:
    """The weighted sum over the cross, (B, C, H, W), with the mistakes that people make as options."""
    B, C, H, W = v.shape
    given = v
    if values == "first channel":
        v = v[:, :1].expand_as(v)
    if batch == "first values":
        v = v[:1].expand_as(v)
    if batch == "next values":
        v = v.roll(1, 0)
    if batch == "first weights":
        attention = attention[:1].expand_as(attention)
    if batch == "mean of the weights":
        attention = attention.mean(0, True).expand_as(attention)
    if weights == "one of them":
        attention = torch.zeros_like(attention).scatter(-1, attention.argmax(-1, True), 1)
    if weights == "normalised":
        attention = attention / attention.sum(-1, True)
    if weights == "all alike":
        attention = torch.ones_like(attention)
    if softmax == "again":
        attention = attention.softmax(-1)
    column, row = attention.split([H, W], -1)
    if order == "row first":
        row, column = attention.split([W, H], -1)
    if order == "row from 0":
        row = attention[..., :W]
    if softmax == "apart":
        column, row = column.softmax(-1), row.softmax(-1)
    if weights == "normalised apart":
        column, row = column / column.sum(-1, True), row / row.sum(-1, True)
    if itself == "both":
        column = torch.where(own_entries(H, W)[0], row.diagonal(dim1=2, dim2=3)[..., None], column)
    if itself == "never":
        row = row.masked_fill(own_entries(H, W)[1], 0)
    if left_out in ("the last row", "both"):
        column = column * (torch.arange(H) < H - 1)
    if left_out in ("the last column", "both"):
        row = row * (torch.arange(W) < W - 1)
    if left_out == "all but the last":
        column, row = 0 * column, row * (torch.arange(W) == W - 1)
    if left_out == "all":
        column, row = 0 * column, 0 * row
    if transposed in ("column", "both"):
        column = column.transpose(1, 3)
    if transposed in ("row", "both"):
        row = row.transpose(2, 3)
    if entries in ("column upside down", "both"):
        column = column.flip(-1)
    if entries in ("row reversed", "both"):
        row = row.flip(-1)
    if entries == "column viewed":
        column = column.reshape(B, W, H, H).transpose(1, 2)
    if merged in ("values of the column", "values of both"):
        out_column = (column.transpose(1, 2).reshape(B * W, H, H) @ v.reshape(B * W, C, H).mT).view(B, W, H, C)
        out_column = out_column.permute(0, 3, 2, 1)
    else:
        out_column = torch.einsum("bhwg,bcgw->bchw", column, v)
    if merged in ("values of the row", "values of both"):
        out_row = (row.reshape(B * H, W, W) @ v.reshape(B * H, C, W).mT).view(B, H, W, C).permute(0, 3, 1, 2)
    else:
        out_row = torch.einsum("bhwg,bchg->bchw", row, v)
    if merged in ("result of the column", "results of both"):
        out_column = out_column.permute(0, 3, 1, 2).reshape(B, C, H, W)
    if merged in ("result of the row", "results of both"):
        out_row = out_row.permute(0, 2, 1, 3).reshape(B, C, H, W)
    if merged == "result of the column not permuted":
        out_column = out_column.mT
    if merged in ("result of the column, channels last", "results of both, channels last"):
        out_column = out_column.permute(0, 3, 2, 1).reshape(B, C, H, W)
    if merged in ("result of the row, channels last", "results of both, channels last"):
        out_row = out_row.permute(0, 2, 3, 1).reshape(B, C, H, W)
    if values in ("all columns", "all"):
        out_column = torch.einsum("bhwg,bcgv->bchw", column, v)
    if values in ("all rows", "all"):
        out_row = torch.einsum("bhwg,bcvg->bchw", row, v)
    if values == "own":
        out_column, out_row = column.sum(-1)[:, None] * v, row.sum(-1)[:, None] * v
    if divided == "each by its length":
        out_column, out_row = out_column / H, out_row / W
    out = {
        "sum": lambda: out_column + out_row,
        "column alone": lambda: out_column,
        "row alone": lambda: out_row,
        "product": lambda: out_column * out_row,
        "difference": lambda: out_column - out_row,
        "values": lambda: given,
        "larger": lambda: torch.maximum(out_column, out_row),
        "side by side": lambda: torch.cat([out_column, out_row], 1),
    }[parts]()
    out = (
        out
        / {"by nothing": 1, "each by its length": 1, "by 2": 2, "by H + W": H + W, "by H + W - 1": H + W - 1}[divided]
    )
    if values == "mean of the channels":
        out = out.mean(1, True).expand_as(out)
    if values == "sum of the channels":
        out = out.sum(1, True)
    if added == "values":
        out = out + given
    if added == "relu":
        out = out.relu()
    return {
        "right": lambda: out,
        "(B, C, W, H)": lambda: out.mT,
        "(B, H, W, C)": lambda: out.permute(0, 2, 3, 1),
        "(B, H, W, C) viewed": lambda: out.permute(0, 2, 3, 1).reshape(out.shape),
        "(B, C, W, H) viewed": lambda: out.mT.reshape(out.shape),
        "(B, C, N)": lambda: out.flatten(2),
    }[axes]()


def _aggregate_cases(seed: int) -> list[dict[str, Tensor]]:
    g = draw.generator(seed)
    cases = []
    for B, H, W in draw.shapes(g):
        small = B * H * W <= 6
        weight = torch.randint(1, 5, (B, H, W, H + W), generator=g).float()
        weight = _without_own(weight)
        weight = weight / weight.sum(-1, True)
        if not small:  # as after a dropout
            weight = weight * torch.randint(1, 4, (B, H, W, 1), generator=g) / 2
        C = draw.pick([1, 2], g) if small else draw.pick([3, 4, 5], g)
        cases.append({"attention": weight, "v": draw.values((B, C, H, W), g)})
    return cases


def _right(attention: Tensor, v: Tensor, **options: str) -> Tensor:
    return aggregate(_without_own(attention), v, **options)


AGGREGATE = Question(
    "criss_cross_aggregate", _right, _aggregate_cases, AGGREGATE_MISTAKES, "(B, C, H, W)",
    gradients=("attention", "v"), only=restrictions.ALL,
)  # fmt: skip


def check_criss_cross_aggregate(answer: Callable[[Tensor, Tensor], Tensor], seed: int = 0) -> None:
    """Check ``criss_cross_aggregate(attention, v) -> (B, C, H, W)``, the weighted sum over the cross, without "
    "residual.

    Parameters
    ----------
    answer : callable
        attention is (B, H, W, H + W), not negative, 0 at the pixel's own column entry, and need not sum to 1; v is
        (B, C, H, W).
    seed : int
        Other seeds draw other sizes and numbers.

    Raises
    ------
    AssertionError
        What is wrong, in one sentence, with the smallest failing case.
    """

    def run(attention: Tensor, v: Tensor) -> Any:
        # who leaves the pixel's own column entry out is right, and sends no gradient there
        return answer(_without_own(attention) if attention.requires_grad else attention, v)

    judge(AGGREGATE, run if callable(answer) else answer, seed)
