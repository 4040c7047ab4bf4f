"""Assignment 3: position attention."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from segtut.checks import draw, restrictions
from segtut.checks.judging import judge
from segtut.checks.matrices import folded, rows
from segtut.checks.position_mistakes import POSITION_MISTAKES
from segtut.checks.question import Question


def _masked(energy: Tensor, region: str, H: int, W: int) -> Tensor:
    """−∞ where a position does not look."""
    if region == "all":
        return energy
    if region == "itself twice":
        return energy + math.log(2) * torch.eye(H * W)
    i, j = torch.arange(H).repeat_interleave(W), torch.arange(W).repeat(H)
    row, column = i[:, None] == i, j[:, None] == j
    seen = {
        "others": ~(row & column), "others, not quite": ~(row & column), "cross": row | column, "row": row,
        "column": column, "up to itself": torch.ones_like(row).tril(),
    }[region]  # fmt: skip
    return energy.masked_fill(~seen, -1e9 if region == "others, not quite" else -torch.inf)


def _weights(energy: Tensor, normalise: str, H: int, W: int) -> Tensor:
    """Affinities (B, N, N) -> weights."""
    N = H * W
    if "apart" in normalise or "then" in normalise:
        apart = energy.unflatten(-1, (H, W))
        for word in normalise.split(" then "):
            apart = apart.softmax(-1 if "rows" in word else -2)
        return apart.flatten(-2)
    others = 1 - torch.eye(N, dtype=energy.dtype)
    return {
        "softmax": lambda: energy.softmax(-1),
        "queries": lambda: energy.softmax(-2),
        "batch": lambda: energy.softmax(0),
        "all": lambda: energy.flatten(1).softmax(-1).view_as(energy),
        "batches": lambda: energy.flatten().softmax(0).view_as(energy),
        "first map": lambda: energy.softmax(-1)[:1].expand_as(energy),
        "mean map": lambda: energy.softmax(-1).mean(0).expand_as(energy),
        "itself 0": lambda: energy.softmax(-1) * others,
        "relu before": lambda: energy.relu().softmax(-1),
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
    asks: str = "q and k",
    residual: bool = False,
    result: str = "features",
) -> Tensor:
    """Position attention, (B, C, H, W), with the mistakes that people make as options."""
    B, C, H, W = v.shape
    N, C_qk = H * W, q.shape[1]
    q, k = (k, q) if exchanged else (q, k)
    v = {"v": v, "k": k, "q": q}[values]
    q, k = {"q and k": (q, k), "q": (q, q), "k": (k, k)}[asks]
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
    if unit == "softmax":
        Q, K = Q.softmax(-1), K.softmax(-2)
    energy = -torch.cdist(Q, K).square() if unit == "distance" else Q @ K.mT
    energy = energy.sum(0).expand_as(energy) if batch == "summed" else energy
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
        "(B, H, W, C)": out.movedim(1, -1), "squeezed": out.squeeze(), "H and W exchanged": out.mT,
        "without the batch": out[0],
    }[result]  # fmt: skip


SAME_CHANNELS: restrictions.Restriction = (
    "It is right only where C = C_qk: v has C channels, q and k have C_qk.",
    lambda inputs: inputs["q"].shape[1] == inputs["v"].shape[1],
)


def _cases(seed: int) -> list[dict[str, Tensor]]:
    g = draw.generator(seed)
    cases = []
    for number, (B, H, W) in enumerate(draw.shapes(g)):
        C_qk = 2 if number < 9 else draw.pick([3, 4], g)
        C = C_qk if number < 4 else 1 if number in (4, 5, 6) else C_qk + draw.pick([1, 2], g)
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
