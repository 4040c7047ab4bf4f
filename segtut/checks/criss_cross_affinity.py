"""Assignment 2: the affinity of criss-cross attention."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from segtut.checks import draw, restrictions
from segtut.checks.criss_cross_affinity_mistakes import AFFINITY_MISTAKES
from segtut.checks.cross import own_entries, products
from segtut.checks.judging import judge
from segtut.checks.question import Question

BENT = {
    "abs": torch.abs, "relu": torch.relu, "square": torch.square, "exp": torch.exp, "sigmoid": torch.sigmoid,
    "tanh": torch.tanh, "minus": torch.neg,
}  # fmt: skip
"""What people do to each product."""


BESIDE = {
    "below": lambda ones: ones.tril(1).triu(1),
    "above": lambda ones: ones.tril(-1).triu(-1),
    "next": lambda ones: ones.triu().tril().roll(1, 1),
    "previous": lambda ones: ones.triu().tril().roll(-1, 1),
    "opposite": lambda ones: ones.triu().tril().flip(0),
    "from i": torch.triu,
    "up to i": torch.tril,
    "behind i": lambda ones: ones.triu(1),
    "before i": lambda ones: ones.tril(-1),
}
"""Where else than at entry i, (H, H), people put −∞ for a pixel in row i."""


def affinity(
    q: Tensor,
    k: Tensor,
    *,
    of: str = "q and k",
    exchanged: bool = False,
    batch: str = "right",
    queries: str = "right",
    channels: str = "sum",
    merged: str = "right",
    bent: str = "",
    scale: str = "none",
    axes: str = "right",
    itself: str | float = "-inf in the column",
    parts: str = "right",
    order: str = "column first",
    softmax: str = "none",
) -> Tensor:
    """D, (B, H, W, H + W), with the mistakes that people make as options."""
    q, k = (k, q) if exchanged else (q, k)
    q, k = {"q and k": (q, k), "q": (q, q), "k": (k, k)}[of]
    B, C, H, W = q.shape
    k = {"right": k, "first": k[:1].expand_as(k), "next": k.roll(1, 0), "mean": k.mean(0, True).expand_as(k)}[batch]
    if queries == "first":
        q = q[:1].expand_as(q)
    if channels == "first":
        q, k = q[:, :1], k[:, :1]
    if channels == "cosine":
        q, k = F.normalize(q, dim=1), F.normalize(k, dim=1)
    if merged == "(B, H, W, C)":
        q, k = (t.reshape(B, H, W, C).permute(0, 3, 1, 2) for t in (q, k))
    column, row = products(q, k, merged)
    if channels == "distance":
        column, row = (2 * part - q.square().sum(1)[..., None] for part in (column, row))
        column = column - k.square().sum(1).mT[:, None]
        row = row - k.square().sum(1)[:, :, None]
    if bent:
        column, row = BENT[bent](column), BENT[bent](row)
    factor = {
        "none": 1, "sqrt": C**-0.5, "C": 1 / C, "times sqrt": C**0.5, "H + W": 1 / (H + W), "sqrt N": (H * W) ** -0.5,
        "sqrt H + W": (H + W) ** -0.5, "sqrt 8 C": (8 * C) ** -0.5,
    }[scale]  # fmt: skip
    column, row = column * factor, row * factor
    if axes == "queries and keys of the column":
        column = column.transpose(1, 3)
    if axes == "queries and keys of the row":
        row = row.transpose(2, 3)
    if axes == "queries and keys of both":
        column, row = column.transpose(1, 3), row.transpose(2, 3)
    if axes == "column viewed, then masked":
        column = column.transpose(1, 2).reshape(B, H, W, H)
    column, row = _itself(column, row, itself)
    if axes == "column not permuted":
        column = column.transpose(1, 2)
    if axes == "column viewed":
        column = column.transpose(1, 2).reshape(B, H, W, H)
    if parts == "column upside down":
        column = column.flip(-1)
    if parts == "row reversed":
        row = row.flip(-1)
    if parts == "own column entry left out":
        column = column[(~own_entries(H, W)[0]).expand(B, H, W, H)].view(B, H, W, H - 1)
    if parts == "dense":
        return q.flatten(2).mT @ k.flatten(2)
    if parts == "column alone":
        return column
    if parts == "row alone":
        return row
    if softmax == "apart":
        column, row = column.softmax(-1), row.softmax(-1)
    D = torch.cat([column, row], dim=-1)
    if softmax == "together":
        D = D.softmax(-1)
    if softmax in ("axis 0", "axis 1", "axis 2"):
        D = D.softmax(int(softmax[-1]))
    if softmax == "log":
        D = D.log_softmax(-1)
    if order == "row first":
        D = D.roll(W, -1)
    return {
        "(B, W, H, …)": lambda: D.transpose(1, 2),
        "(B, H + W, H, W)": lambda: D.permute(0, 3, 1, 2),
        "(B, N, H + W)": lambda: D.flatten(1, 2),
        "(B, W, H, …) viewed": lambda: D.transpose(1, 2).reshape(D.shape),
    }.get(axes, lambda: D)()


def _itself(column: Tensor, row: Tensor, itself: str | float) -> tuple[Tensor, Tensor]:
    """Both parts with what stands where a pixel meets itself."""
    B, H, W, _ = column.shape
    own_column, own_row = own_entries(H, W)
    if itself == "both":
        return column, row
    if itself == "nan around it":  # eye · −∞
        return column.masked_fill(~own_column, torch.nan).masked_fill(own_column, -torch.inf), row
    if itself == "-inf at entry j":
        D = torch.cat([column, row], -1).masked_fill(torch.eye(W, H + W).bool(), -torch.inf)
        return D[..., :H], D[..., H:]
    if itself in ("-inf in the row", "-inf in both"):
        row = row.masked_fill(own_row, -torch.inf)
    if itself == "-inf in the row":
        return column, row
    if itself == "1 less":
        return column - own_column.to(column.dtype), row
    where = own_column
    if itself in BESIDE:
        where = BESIDE[itself](torch.ones(H, H)).bool()[:, None]
    if itself == "-inf where i = j":
        where = own_column & torch.eye(H, W).bool()[..., None]
    if itself == "-inf in the first image":
        where = own_column & (torch.arange(B) == 0)[:, None, None, None]
    if itself == "-inf everywhere else":
        where = ~own_column
    if itself == "whole column":
        where = torch.ones_like(own_column)
    return column.masked_fill(where, -torch.inf if isinstance(itself, str) else itself), row


def _affinity_cases(seed: int) -> list[dict[str, Tensor]]:
    g = draw.generator(seed)
    cases = []
    for B, H, W in draw.shapes(g):
        C = 2 if B * H * W <= 6 else draw.pick([3, 4, 5], g)
        cases.append({name: draw.values((B, C, H, W), g) for name in ("q", "k")})
    return cases


AFFINITY = Question(
    "criss_cross_affinity", affinity, _affinity_cases, AFFINITY_MISTAKES, "(B, H, W, H + W)",
    gradients=("q", "k"), only=restrictions.ALL, finite=lambda D: D.softmax(dim=-1),
)  # fmt: skip


def check_criss_cross_affinity(answer: Callable[[Tensor, Tensor], Tensor], seed: int = 0) -> None:
    """Check ``criss_cross_affinity(q, k) -> (B, H, W, H + W)``, not scaled, −∞ at the pixel's own column entry.

    Parameters
    ----------
    answer : callable
        q and k are (B, C_qk, H, W).
    seed : int
        Other seeds draw other sizes and numbers.

    Raises
    ------
    AssertionError
        What is wrong, in one sentence, with the smallest failing case.
    """
    judge(AFFINITY, answer, seed)
