"""Assignment 3: channel attention."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from segtut.checks import draw, restrictions
from segtut.checks.channel_mistakes import CHANNEL_MISTAKES
from segtut.checks.judging import judge
from segtut.checks.matrices import folded, rows
from segtut.checks.question import Question


def _energy(X: Tensor, K: Tensor, compared: str, unit: str, batch: str) -> Tensor:
    """Products of all pairs of rows of X (B, C, N) and K: (B, C, C)."""
    if compared == "means":
        X, K = X.mean(-1, keepdim=True), K.mean(-1, keepdim=True)
    if compared == "deviations from the mean":
        X, K = X - X.mean(-1, keepdim=True), K - K.mean(-1, keepdim=True)
    if unit != "none":
        dim = {"channels": -1, "positions": 1}[unit]
        X, K = F.normalize(X, dim=dim), F.normalize(K, dim=dim)
    E = torch.cdist(X, K).square() if compared == "distances" else X @ K.mT
    if batch in ("first energies", "next energies", "summed"):
        E = {"first energies": E[:1].expand_as(E), "next energies": E.roll(1, 0), "summed": E.sum(0).expand_as(E)}[
            batch
        ]
    return E


def _weights(E: Tensor, normalise: str, sign: str, itself: str) -> Tensor:
    """Energies (B, C, C) -> weights."""
    largest, C = E.amax(-1, keepdim=True), E.shape[-1]
    logits = largest - E if sign == "code" else E - largest
    if itself != "counts":
        logits = logits.masked_fill(torch.eye(C, dtype=torch.bool), -torch.inf if itself == "left out" else torch.inf)
    if normalise == "largest of the column":
        largest = E.amax(-2, keepdim=True)
        return (largest - E if sign == "code" else E - largest).softmax(-1)
    return {
        "softmax": lambda: logits.softmax(-1),
        "rows": lambda: logits.softmax(-2),
        "batch": lambda: logits.softmax(0),
        "all": lambda: logits.flatten(1).softmax(-1).view_as(E),
        "all, no largest": lambda: (-E).flatten(1).softmax(-1).view_as(E),
        "mean map": lambda: logits.softmax(-1).mean(0).expand_as(E),
        "itself 0": lambda: logits.softmax(-1) * (1 - torch.eye(C, dtype=E.dtype)),
        "itself twice": lambda: (logits + math.log(2) * torch.eye(C, dtype=E.dtype)).softmax(-1),
        "share": lambda: logits / logits.sum(-1, keepdim=True),
        "largest weight": lambda: E.softmax(-1).amax(-1, keepdim=True) - E.softmax(-1),
        "twice": lambda: logits.softmax(-1).softmax(-1),
        "none": lambda: logits,
        "none, no largest": lambda: E if sign == "paper" else -E,
        "mean": lambda: logits / C,
        "sigmoid": lambda: logits.sigmoid(),
        "sigmoid, no largest": lambda: (-E).sigmoid(),
        "exp": lambda: logits.exp(),
        "exp, no largest": lambda: (-E).exp(),
        "log": lambda: logits.log_softmax(-1),
        "hard": lambda: F.one_hot(logits.argmax(-1), C).to(E.dtype),
        "even": lambda: torch.full_like(E, 1 / C),
        "one minus": lambda: 1 - E.softmax(-1),
        "one minus, divided": lambda: (1 - E.softmax(-1)) / (C - 1),
        "one over": lambda: 1 / E.softmax(-1),
        "without its sign": lambda: (-E.abs()).softmax(-1),
    }[normalise]()


def channel(
    x: Tensor,
    sign: str = "code",
    normalise: str = "softmax",
    transposed: bool = False,
    scale: str = "none",
    compared: str = "channels",
    unit: str = "none",
    itself: str = "counts",
    batch: str = "right",
    x_rows: str = "rows",
    key_rows: str = "",
    out_rows: str = "rows",
    outside: int = 1,
    residual: bool = False,
    result: str = "features",
) -> Tensor:
    """Channel attention, (B, C, H, W), with the mistakes that people make as options."""
    _, C, H, W = x.shape
    X, N = rows(x, "view" if key_rows == "view in both" else x_rows).mT, H * W
    K = X if key_rows == "view in both" else rows(x, key_rows or x_rows).mT
    if batch == "together":
        X, K = X.flatten(0, 1)[None], K.flatten(0, 1)[None]
    if unit == "everywhere":
        X, K, unit = F.normalize(X, dim=-1), F.normalize(K, dim=-1), "none"
    if compared == "positions":
        X, K = X.mT, K.mT
    E = _energy(X, K, compared, unit, batch)
    E = E * {"none": 1, "√N": N**-0.5, "N": 1 / N, "√C": C**-0.5, "C": 1 / C}[scale]
    A = _weights(E, normalise, sign, itself)
    if result in ("attention", "energy"):
        return A if result == "attention" else E
    V = X[:1].expand_as(X) if batch == "first values" else rows(x, "rows").mT if key_rows == "view in both" else X
    mixed = outside * ((A.mT if transposed else A) @ V)
    mixed = mixed.mT if compared == "positions" else mixed.unflatten(1, (-1, C))[0] if batch == "together" else mixed
    if result == "(B, C, N)":
        return mixed
    if result == "(B, N, C)":
        return mixed.mT
    out = folded(mixed.mT, out_rows, H)
    if batch == "only the first":
        out = torch.cat([out[:1], torch.zeros_like(out[1:])])
    out = out + x if residual else out
    return {
        "features": out, "nothing": torch.zeros_like(x), "x": x, "(B, C, W, H)": mixed.reshape(*x.shape[:2], W, H),
        "H and W exchanged": out.mT, "gate": x * out, "squeezed": out.squeeze(),
        "excited": x * x.mean((2, 3), keepdim=True).sigmoid(), "pooled": x * x.mean((2, 3), keepdim=True).softmax(1),
        "without the batch": out[0],
    }[result]  # fmt: skip


def _cases(seed: int) -> list[dict[str, Tensor]]:
    g = draw.generator(seed)
    cases = []
    for number, (B, H, W) in enumerate(draw.shapes(g)):
        C = (2 if B == 1 else 3) if number < 9 else draw.pick([4, 5], g)  # never B, which would hide a missing keepdim
        x = draw.values((B, C, H, W), g)
        cases.append({"x": x if x.numel() <= 12 else x / 2})  # energies that exp() can bear
    return cases


CHANNEL = Question(
    "channel_attention", channel, _cases, CHANNEL_MISTAKES, "(B, C, H, W)", gradients=("x",), only=restrictions.ALL
)


def check_channel_attention(answer: Callable[[Tensor], Tensor], seed: int = 0) -> None:
    """Check ``channel_attention(x) -> (B, C, H, W)`` with the sign of the published code, without gate and residual.

    Parameters
    ----------
    answer : callable
        x is (B, C, H, W).
    seed : int
        Other seeds draw other sizes and numbers.

    Raises
    ------
    AssertionError
        What is wrong, in one sentence, with the smallest failing case.
    """
    judge(CHANNEL, answer, seed)
