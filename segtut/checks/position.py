"""Assignment 3: position attention."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from segtut.checks import draw, restrictions
from segtut.checks.matrices import folded, rows, viewed
from segtut.checks.question import Mistake, Question, judge


def _masked(energy: Tensor, region: str, H: int, W: int) -> Tensor:
    """−∞ where a position does not look."""
    if region == "all":
        return energy
    i, j = torch.arange(H).repeat_interleave(W), torch.arange(W).repeat(H)
    row, column = i[:, None] == i, j[:, None] == j
    seen = {
        "others": ~(row & column), "cross": row | column, "row": row, "column": column,
        "up to itself": torch.ones_like(row).tril(),
    }[region]  # fmt: skip
    return energy.masked_fill(~seen, -torch.inf)


def _weights(energy: Tensor, normalise: str, H: int, W: int) -> Tensor:
    """Affinities (B, N, N) -> weights."""
    N = H * W
    if normalise in ("rows apart", "columns apart"):
        apart = energy.unflatten(-1, (H, W)).softmax(-1 if normalise == "rows apart" else -2)
        return apart.flatten(-2)
    return {
        "softmax": lambda: energy.softmax(-1),
        "queries": lambda: energy.softmax(-2),
        "batch": lambda: energy.softmax(0),
        "all": lambda: energy.flatten(1).softmax(-1).view_as(energy),
        "twice": lambda: energy.softmax(-1).softmax(-1),
        "none": lambda: energy,
        "mean": lambda: energy / N,
        "sigmoid": lambda: energy.sigmoid(),
        "exp": lambda: energy.exp(),
        "negative": lambda: (-energy).softmax(-1),
        "log": lambda: energy.log_softmax(-1),
        "hard": lambda: F.one_hot(energy.argmax(-1), N).to(energy.dtype),
        "even": lambda: torch.full_like(energy, 1 / N),
        "divided by N": lambda: energy.softmax(-1) / N,
        "share": lambda: energy / energy.sum(-1, keepdim=True),
        "relu": lambda: F.normalize(energy.relu(), p=1, dim=-1),
        "own keys": lambda: energy.diagonal(dim1=1, dim2=2)[:, None].expand_as(energy).softmax(-1),
        "gate": lambda: torch.diag_embed(energy.diagonal(dim1=1, dim2=2).softmax(-1)),
    }[normalise]()


def position(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    exchanged: bool = False,
    scale: str = "none",
    normalise: str = "softmax",
    transposed: bool = False,
    region: str = "all",
    batch: str = "right",
    q_rows: str = "rows",
    k_rows: str = "rows",
    v_rows: str = "rows",
    out_rows: str = "rows",
    unit: str = "none",
    values: str = "v",
    residual: bool = False,
    result: str = "features",
) -> Tensor:
    """Position attention, (B, C, H, W), with the mistakes that people make as options."""
    B, C, H, W = v.shape
    N, C_qk = H * W, q.shape[1]
    q, k = (k, q) if exchanged else (q, k)
    v = {"v": v, "k": k, "q": q}[values]
    if unit == "channels":
        q, k = F.normalize(q, dim=1), F.normalize(k, dim=1)
    if batch in ("first keys", "next keys"):
        k = k[:1].expand_as(k) if batch == "first keys" else k.roll(1, 0)
    if batch in ("first values", "next values"):
        v = v[:1].expand_as(v) if batch == "first values" else v.roll(1, 0)
    Q, K, V = rows(q, q_rows), rows(k, k_rows), rows(v, v_rows)
    if batch == "together":
        Q, K, V = (t.flatten(0, 1)[None] for t in (Q, K, V))
    factor = {
        "none": 1, "√C_qk": C_qk**-0.5, "C_qk": 1 / C_qk, "√C": C**-0.5, "C": 1 / C, "√N": N**-0.5, "N": 1 / N,
        "times √C_qk": C_qk**0.5, "√W": W**-0.5,
    }[scale]  # fmt: skip
    energy = -torch.cdist(Q, K).square() if unit == "distance" else Q @ K.mT
    energy = _masked(energy * factor, region, H, W)
    A = _weights(energy, normalise, H, W)
    if result in ("attention", "energy"):
        return A if result == "attention" else energy
    out = (A.mT if transposed else A) @ V
    if batch == "together":
        out = out.view(B, N, -1)
    if result == "(B, N, C)":
        return out
    if result == "(B, C, W, H)":
        return out.mT.reshape(B, -1, W, H)
    out = folded(out, out_rows, H)
    if batch == "only the first":
        out = torch.cat([out[:1], torch.zeros_like(out[1:])])
    out = out + v if residual else out
    return {
        "features": out, "nothing": torch.zeros_like(v), "values": v, "(B, C, N)": out.flatten(2),
        "(B, H, W, C)": out.movedim(1, -1), "H and W exchanged": out.mT, "without the batch": out[0],
    }[result]  # fmt: skip


_COLUMNS = "The positions of {} are numbered column by column and the others row by row: all need one order."
_ORDERS = (
    "Positions are numbered {} where q becomes a matrix, and {} where the result is folded back: all need one order."
)

POSITION_MISTAKES = (
    Mistake("The softmax runs over the queries: for each position u, the weights of all positions s must sum to 1.",
            {"normalise": "queries"}),
    Mistake("The attention is applied transposed: u must collect with its own weights A[u, s], and collects with "
            "those that others give to u. With v as (B, C, N) the product is v @ A.mT.", {"transposed": True}),
    Mistake("q and k are exchanged: the position that collects brings the query, the others their keys.",
            {"exchanged": True}),
    Mistake("It is divided by √C_qk: position attention is not scaled. F.scaled_dot_product_attention does that "
            "unless it is told scale=1.", {"scale": "√C_qk"}),
    Mistake("It is divided by C_qk, as a mean over the channels does: position attention is not scaled.",
            {"scale": "C_qk"}),
    Mistake("It is divided by √C: position attention is not scaled.", {"scale": "√C"}),
    Mistake("It is divided by C: position attention is not scaled.", {"scale": "C"}),
    Mistake("The affinities are divided by √N: position attention is not scaled.", {"scale": "√N"}),
    Mistake("The affinities are divided by N before the softmax: position attention is not scaled.", {"scale": "N"}),
    Mistake("It is divided by √W, the last axis of a tensor (B, C_qk, H, W): position attention is not scaled.",
            {"scale": "√W"}),
    Mistake("It is multiplied by √C_qk: position attention is not scaled.", {"scale": "times √C_qk"}),
    Mistake("A residual is added: asked for is what the positions collect, without v itself.", {"residual": True}),
    Mistake("The softmax is missing: the weights of a position must be positive and sum to 1.",
            {"normalise": "none"}),
    Mistake("The affinities are divided by N in place of a softmax.", {"normalise": "mean"}),
    Mistake("The affinities are divided by their sum in place of a softmax.", {"normalise": "share"}),
    Mistake("The affinities go through a ReLU and are divided by their sum in place of a softmax.",
            {"normalise": "relu"}),
    Mistake("Each query meets only the key of its own position, so that all positions collect the same: compare "
            "every query with every key.", {"normalise": "own keys"}),
    Mistake("Each query meets only the key of its own position, and each value is scaled: compare every query with "
            "every key, and sum over them.", {"normalise": "gate"}),
    Mistake("It takes a sigmoid in place of the softmax: the weights of a position must sum to 1.",
            {"normalise": "sigmoid"}),
    Mistake("It takes exp without dividing by its sum: the weights of a position must sum to 1.",
            {"normalise": "exp"}),
    Mistake("It takes a log-softmax: the weights are the softmax itself.", {"normalise": "log"}),
    Mistake("The softmax is taken twice.", {"normalise": "twice"}),
    Mistake("The sign is wrong: the larger the product of query and key, the larger the weight must be.",
            {"normalise": "negative"}),
    Mistake("It takes the value of the best position alone: asked for is the mean of all values, weighted by a "
            "softmax.", {"normalise": "hard"}),
    Mistake("All positions get the same weight: q and k have no influence.", {"normalise": "even"}),
    Mistake("One softmax runs over all N·N affinities of an image: each position needs its own.",
            {"normalise": "all"}),
    Mistake("The softmax runs over the images of the batch: name the axis of the keys, dim=-1.",
            {"normalise": "batch"}),
    Mistake("The softmax runs over each row of the image apart: it must run over all H·W positions together.",
            {"normalise": "rows apart"}),
    Mistake("The softmax runs over each column of the image apart: it must run over all H·W positions together.",
            {"normalise": "columns apart"}),
    Mistake("The weighted values are averaged: the weights sum to 1 already, so the values need a sum, not a mean.",
            {"normalise": "divided by N"}),
    Mistake("A position does not look at itself: all N positions count.", {"region": "others"}),
    Mistake("A position looks at its row and column only, as in criss-cross attention: all N positions count.",
            {"region": "cross"}),
    Mistake("A position looks at its row only: all N positions count.", {"region": "row"}),
    Mistake("A position looks at its column only: all N positions count.", {"region": "column"}),
    Mistake("A position looks only at those before it, as a language model does: all N positions count.",
            {"region": "up to itself"}),
    Mistake("q and k are brought to length 1 first: asked for is their product, not a cosine.", {"unit": "channels"}),
    Mistake("It is minus the squared distance of query and key: asked for is their product.", {"unit": "distance"}),
    Mistake(viewed("q is made a matrix of N rows", "C_qk"), {"q_rows": "view"}),
    Mistake(viewed("k is made a matrix of N rows", "C_qk"), {"k_rows": "view"}),
    Mistake(viewed("v is made a matrix of N rows", "C"), {"v_rows": "view"}),
    Mistake("The result is folded by .view or .reshape alone, which mixes channels with positions: (B, N, C) must be "
            "transposed to (B, C, N) first.", {"out_rows": "view"}),
    Mistake(viewed("q and k are made matrices of N rows", "C_qk"), {"q_rows": "view", "k_rows": "view"}),
    Mistake(viewed("q, k and v are made matrices of N rows", "C"),
            {"q_rows": "view", "k_rows": "view", "v_rows": "view"}),
    Mistake(viewed("q, k, v and the result get their shapes", "C"),
            {"q_rows": "view", "k_rows": "view", "v_rows": "view", "out_rows": "view"}),
    Mistake(_ORDERS.format("column by column", "row by row"), {"q_rows": "columns"}),
    Mistake(_COLUMNS.format("k"), {"k_rows": "columns"}),
    Mistake(_COLUMNS.format("v"), {"v_rows": "columns"}),
    Mistake(_ORDERS.format("row by row", "column by column"), {"out_rows": "columns"}),
    Mistake("All images look at the keys of the first one.", {"batch": "first keys"}),
    Mistake("Images look at the keys of another image of the batch.", {"batch": "next keys"}),
    Mistake("All images collect the values of the first one.", {"batch": "first values"}),
    Mistake("Images collect the values of another image of the batch.", {"batch": "next values"}),
    Mistake("The positions of all images look at each other: each image of the batch stands for itself.",
            {"batch": "together"}),
    Mistake("Only the first image of the batch is computed, the others are 0: does `return` stand inside the loop, "
            "or is the index always 0?", {"batch": "only the first"}),
    Mistake("It collects keys: what is collected are the values v.", {"values": "k"}),
    Mistake("It collects queries: what is collected are the values v.", {"values": "q"}),
    Mistake("It returns 0 everywhere: is something multiplied by a γ of 0, or an empty tensor never filled?",
            {"result": "nothing"}),
    Mistake("It returns v itself: nothing is collected from other positions.", {"result": "values"}),
    Mistake("It returns the attention map: asked for is what it collects, (B, C, H, W).", {"result": "attention"}),
    Mistake("It returns the affinities: asked for is what is collected, (B, C, H, W).", {"result": "energy"}),
    Mistake("The result is a matrix still: fold (B, C, N) back to (B, C, H, W).", {"result": "(B, C, N)"}),
    Mistake("The result is a matrix still: transpose (B, N, C) and fold it back to (B, C, H, W).",
            {"result": "(B, N, C)"}),
    Mistake("The channels stand last: the result must be (B, C, H, W).", {"result": "(B, H, W, C)"}),
    Mistake("The result is folded to (B, C, W, H): H comes first.", {"result": "(B, C, W, H)"}),
    Mistake("H and W of the result are exchanged.", {"result": "H and W exchanged"}),
    Mistake("The batch axis is gone: only the first image's result is returned.", {"result": "without the batch"}),
)  # fmt: skip

SAME_CHANNELS: restrictions.Restriction = (
    "It is right only where C = C_qk: v has C channels, q and k have C_qk.",
    lambda inputs: inputs["q"].shape[1] == inputs["v"].shape[1],
)


def _cases(seed: int) -> list[dict[str, Tensor]]:
    g = draw.generator(seed)
    cases = []
    for number, (B, H, W) in enumerate(draw.shapes(g)):
        C_qk = 2 if number < 9 else draw.pick([3, 4], g)
        C = C_qk if number < 4 else 1 if number == 4 else C_qk + draw.pick([1, 2], g)
        shapes = {"q": (B, C_qk, H, W), "k": (B, C_qk, H, W), "v": (B, C, H, W)}
        cases.append({name: draw.values(shape, g) for name, shape in shapes.items()})
    return cases


POSITION = Question(
    "position_attention", position, _cases, POSITION_MISTAKES, "(B, C, H, W)", gradients=("q", "k", "v"),
    only=(*restrictions.ALL, SAME_CHANNELS),
)  # fmt: skip


def check_position_attention(answer: Callable[[Tensor, Tensor, Tensor], Tensor], seed: int = 0) -> None:
    """Check ``position_attention(q, k, v) -> (B, C, H, W)``, not scaled, without gate and residual.

    Parameters
    ----------
    answer : callable
        q and k are (B, C_qk, H, W), v is (B, C, H, W).
    seed : int
        Other seeds draw other sizes and numbers.

    Raises
    ------
    AssertionError
        What is wrong, in one sentence, with the smallest failing case.
    """
    judge(POSITION, answer, seed)
