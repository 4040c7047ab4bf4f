"""Assignment 2: the affinity of criss-cross attention."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from segtut.checks import draw, restrictions
from segtut.checks.cross import own_entries, products
from segtut.checks.question import Mistake, Question, judge

BENT = {
    "abs": torch.abs, "relu": torch.relu, "square": torch.square, "exp": torch.exp, "sigmoid": torch.sigmoid,
    "tanh": torch.tanh, "minus": torch.neg,
}  # fmt: skip
"""What people do to each product."""


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
        "sqrt H + W": (H + W) ** -0.5,
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
    if parts == "column alone":
        return column
    if parts == "row alone":
        return row
    if softmax == "apart":
        column, row = column.softmax(-1), row.softmax(-1)
    D = torch.cat([column, row], dim=-1)
    if softmax == "together":
        D = D.softmax(-1)
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
    if itself == "-inf where i = j":
        where = own_column & torch.eye(H, W).bool()[..., None]
    if itself == "-inf in the first image":
        where = own_column & (torch.arange(B) == 0)[:, None, None, None]
    if itself == "-inf everywhere else":
        where = ~own_column
    if itself == "whole column":
        where = torch.ones_like(own_column)
    return column.masked_fill(where, -torch.inf if isinstance(itself, str) else itself), row


AFFINITY_MISTAKES = (
    Mistake("The pixel itself is counted twice: its entry in the column must be −∞.", {"itself": "both"}),
    Mistake("The pixel itself is never counted: −∞ belongs into its column entry only, its row entry stays.",
            {"itself": "-inf in both"}),
    Mistake("−∞ stands at the pixel's row entry: it belongs into the column entry, and the row entry stays.",
            {"itself": "-inf in the row"}),
    Mistake("The pixel's column entry is 0: a softmax makes exp(0) = 1 of that; it must be −∞.", {"itself": 0.0}),
    Mistake("The pixel's column entry is NaN: 0 · −∞ is NaN; fill −∞ in.", {"itself": torch.nan}),
    Mistake("The column is NaN but for the pixel itself: 0 · −∞ is NaN, so a mask of zeros and ones cannot be "
            "multiplied by −∞; fill −∞ in.", {"itself": "nan around it"}),
    Mistake("The pixel's column entry is +∞: the sign is wrong.", {"itself": torch.inf}),
    Mistake("−∞ stands everywhere in the column but at the pixel itself: the mask is inverted.",
            {"itself": "-inf everywhere else"}),
    Mistake("The whole column is −∞: only the pixel's own entry, number i for a pixel in row i, is.",
            {"itself": "whole column"}),
    Mistake("−∞ stands at entry j of the pixel (i, j): its own entry in the column is number i.",
            {"itself": "-inf at entry j"}),
    Mistake("−∞ stands only at pixels (i, j) with i = j: every pixel needs it, at its entry i.",
            {"itself": "-inf where i = j"}),
    Mistake("−∞ stands in the first image only: every image of the batch needs it.",
            {"itself": "-inf in the first image"}),
    Mistake("1 is subtracted at the pixel's column entry: it must be −∞.", {"itself": "1 less"}),
    *(Mistake(f"The pixel's column entry is the finite number {number:.3g}: it must be −∞ itself, whatever the size "
              "of the others.", {"itself": number})
      for number in (-1.0, -100.0, *(-(10.0**n) for n in (3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 18, 20, 30)), -9e15,
                     -65504.0, torch.finfo(torch.float32).min)),
    Mistake("The row comes first: the last axis must hold the H entries of the column, then the W entries of the "
            "row.", {"order": "row first"}),
    Mistake("q and k are exchanged: the pixel that looks brings the query, the others their keys.",
            {"exchanged": True}),
    Mistake("The queries are compared with queries: k is not used.", {"of": "q"}),
    Mistake("The keys are compared with keys: q is not used.", {"of": "k"}),
    Mistake("It is divided by √C: criss-cross attention is not scaled.", {"scale": "sqrt"}),
    Mistake("It is divided by C, or the mean is taken over the channels: it must be the sum of the products, not "
            "scaled.", {"scale": "C"}),
    Mistake("It is multiplied by √C: criss-cross attention is not scaled.", {"scale": "times sqrt"}),
    Mistake("It is divided by √(H + W): criss-cross attention is not scaled.", {"scale": "sqrt H + W"}),
    Mistake("It is divided by H + W: criss-cross attention is not scaled.", {"scale": "H + W"}),
    Mistake("It is divided by √(H · W): criss-cross attention is not scaled.", {"scale": "sqrt N"}),
    Mistake("Queries and keys are divided by their lengths (the cosine): the affinity is the plain product.",
            {"channels": "cosine"}),
    Mistake("Only the first channel is used: the affinity is the sum over all channels.", {"channels": "first"}),
    Mistake("It is minus the squared distance of query and key: the affinity is their product.",
            {"channels": "distance"}),
    Mistake("The sign is wrong: the affinity is the product itself, not its negative.", {"bent": "minus"}),
    *(Mistake(f"{what} is taken of each product: the affinity is the product itself.", {"bent": bent})
      for bent, what in (("abs", "The absolute value"), ("relu", "The ReLU"), ("square", "The square"),
                         ("exp", "exp, which belongs to the softmax,"), ("sigmoid", "The sigmoid"), ("tanh", "tanh"))),
    Mistake("In the column, queries and keys are transposed: entry h of pixel (i, j) is q at (i, j) times k at (h, j).",
            {"axes": "queries and keys of the column"}),
    Mistake("In the row, queries and keys are transposed: entry w of pixel (i, j) is q at (i, j) times k at (i, w).",
            {"axes": "queries and keys of the row"}),
    Mistake("H and W are swapped: the result must be (B, H, W, H + W).", {"axes": "(B, W, H, …)"}),
    Mistake("The H + W entries stand on the second axis: they must stand on the last one.",
            {"axes": "(B, H + W, H, W)"}),
    Mistake("H and W are merged into one axis: the result must be (B, H, W, H + W).", {"axes": "(B, N, H + W)"}),
    Mistake("The result's axes are exchanged by .view or .reshape, which only cut the numbers anew: take .permute or "
            ".transpose.", {"axes": "(B, W, H, …) viewed"}),
    Mistake("The column's product stays (B, W, H, H): it must be brought to (B, H, W, H), as by .permute(0, 2, 1, "
            "3), before the row is put behind it.", {"axes": "column not permuted"}),
    Mistake("The column's product, (B·W, H, H), is brought to (B, H, W, H) by .view alone: it is .view(B, W, H, H), "
            "then .permute(0, 2, 1, 3).", {"axes": "column viewed"}),
    Mistake("The column's product, (B·W, H, H), is brought to (B, H, W, H) by .view alone before −∞ is filled in: "
            "it is .view(B, W, H, H), then .permute(0, 2, 1, 3).", {"axes": "column viewed, then masked"}),
    Mistake("For the columns, .view or .reshape to (B·W, C, H) comes without .permute(0, 3, 1, 2) before it, so that "
            "columns hold numbers of other pixels.", {"merged": "(B·W, C, H)"}),
    Mistake("For the rows, .view or .reshape to (B·H, C, W) comes without .permute(0, 2, 1, 3) before it, so that "
            "rows hold numbers of other pixels.", {"merged": "(B·H, C, W)"}),
    Mistake("Columns and rows are merged into the batch by .view or .reshape without a .permute before it, so that "
            "they hold numbers of other pixels.", {"merged": "both"}),
    Mistake("The channels are brought to the end by .view or .reshape: take .permute(0, 2, 3, 1).",
            {"merged": "(B, H, W, C)"}),
    Mistake("The column's entries are upside down: entry h belongs to row h.", {"parts": "column upside down"}),
    Mistake("The row's entries are reversed: entry w belongs to column w.", {"parts": "row reversed"}),
    Mistake("The pixel's own column entry is left out: keep its place and put −∞ there, so that there are H + W "
            "entries.", {"parts": "own column entry left out"}),
    Mistake("Only the column is there: put the W entries of the row behind it.", {"parts": "column alone"}),
    Mistake("Only the row is there: put the H entries of the column before it.", {"parts": "row alone"}),
    Mistake("All images look at the keys of the first one.", {"batch": "first"}),
    Mistake("All images look with the queries of the first one.", {"queries": "first"}),
    Mistake("Images look at the keys of another image of the batch.", {"batch": "next"}),
    Mistake("All images look at the mean of the batch's keys.", {"batch": "mean"}),
    Mistake("A softmax is in it already: the affinity is what stands before it.", {"softmax": "together"}),
    Mistake("A softmax is in it already, one for the column and one for the row: the affinity is what stands before "
            "it.", {"softmax": "apart"}),
    Mistake("A log-softmax is in it already: the affinity is what stands before it.", {"softmax": "log"}),
)  # fmt: skip


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
