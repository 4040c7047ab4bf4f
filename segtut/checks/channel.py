"""Assignment 3: channel attention."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from segtut.checks import draw, restrictions
from segtut.checks.matrices import folded, rows, viewed
from segtut.checks.question import Mistake, Question, judge


def _energy(X: Tensor, K: Tensor, compared: str, unit: str, batch: str) -> Tensor:
    """Products of all pairs of rows of X (B, C, N) and K: (B, C, C)."""
    if compared == "means":
        X, K = X.mean(-1, keepdim=True), K.mean(-1, keepdim=True)
    if compared == "deviations from the mean":
        X, K = X - X.mean(-1, keepdim=True), K - K.mean(-1, keepdim=True)
    if unit != "none":
        dim = {"channels": -1, "positions": 1}[unit]
        X, K = F.normalize(X, dim=dim), F.normalize(K, dim=dim)
    E = X @ K.mT
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
        "twice": lambda: logits.softmax(-1).softmax(-1),
        "none": lambda: logits,
        "none, no largest": lambda: E if sign == "paper" else -E,
        "mean": lambda: logits / C,
        "sigmoid": lambda: logits.sigmoid(),
        "exp": lambda: logits.exp(),
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
    X, N = rows(x, x_rows).mT, H * W
    K = rows(x, key_rows or x_rows).mT
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
    V = X[:1].expand_as(X) if batch == "first values" else X
    mixed = outside * ((A.mT if transposed else A) @ V)
    mixed = mixed.mT if compared == "positions" else mixed.unflatten(1, (-1, C))[0] if batch == "together" else mixed
    if result == "(B, C, N)":
        return mixed
    out = folded(mixed.mT, out_rows, H)
    if batch == "only the first":
        out = torch.cat([out[:1], torch.zeros_like(out[1:])])
    out = out + x if residual else out
    return {
        "features": out, "nothing": torch.zeros_like(x), "x": x, "(B, C, W, H)": mixed.reshape(*x.shape[:2], W, H),
        "H and W exchanged": out.mT, "gate": x * out, "without the batch": out[0],
    }[result]  # fmt: skip


PAPER = (
    "The largest weight goes to the most similar channel, as in the paper: softmax(E − max) is softmax(E). Asked for "
    "is the code's softmax of the largest energy minus the energy."
)

CHANNEL_MISTAKES = (
    Mistake(PAPER, {"sign": "paper"}),
    Mistake("The minus sign stands outside of the softmax of E: it must turn the energies, before the softmax.",
            {"sign": "paper", "outside": -1}),
    Mistake("The result has the wrong sign: the minus belongs to the energies alone.", {"outside": -1}),
    Mistake("1 − softmax(E) does turn the order, but these weights do not sum to 1: turn the energies, before the "
            "softmax.", {"normalise": "one minus"}),
    Mistake("(1 − softmax(E)) / (C − 1) does turn the order, but is no softmax: turn the energies, before the "
            "softmax.", {"normalise": "one minus, divided"}),
    Mistake("1 / softmax(E) does turn the order, but these weights do not sum to 1: turn the energies, before the "
            "softmax.", {"normalise": "one over"}),
    Mistake("The energies lose their signs: opposite channels are the least similar, and get the most weight.",
            {"normalise": "without its sign"}),
    Mistake("The softmax runs over the wrong axis: for each channel c, the weights of all channels d must sum to 1.",
            {"normalise": "rows"}),
    Mistake("The attention is applied transposed: channel c must collect with its own weights A[c, d]. With X as (B, "
            "C, N) the product is A @ X.", {"transposed": True}),
    Mistake("The largest energy is taken along the wrong axis, so that it does not drop out: each row c has its own, "
            "E.amax(dim=-1, keepdim=True).", {"normalise": "largest of the column"}),
    Mistake("One softmax runs over all C·C energies of an image: each channel needs its own.", {"normalise": "all"}),
    Mistake("One softmax runs over all C·C negative energies of an image: each channel needs its own.",
            {"normalise": "all, no largest"}),
    Mistake("The softmax runs over the images of the batch: name the axis, dim=-1.", {"normalise": "batch"}),
    Mistake("The softmax is missing: the weights of a channel must be positive and sum to 1.", {"normalise": "none"}),
    Mistake("The softmax and the largest energy are missing: the weights of a channel must be positive and sum to 1.",
            {"normalise": "none, no largest"}),
    Mistake("It divides by C in place of a softmax.", {"normalise": "mean"}),
    Mistake("It takes a sigmoid in place of the softmax: the weights of a channel must sum to 1.",
            {"normalise": "sigmoid"}),
    Mistake("It takes exp without dividing by its sum: the weights of a channel must sum to 1.",
            {"normalise": "exp"}),
    Mistake("It takes a log-softmax: the weights are the softmax itself.", {"normalise": "log"}),
    Mistake("The softmax is taken twice.", {"normalise": "twice"}),
    Mistake("It takes the least similar channel alone: asked for is the mean of all channels, weighted by a softmax.",
            {"normalise": "hard"}),
    Mistake("All channels get the same weight: the energies have no influence.", {"normalise": "even"}),
    Mistake("It compares positions: E must be (C, C), the products of channels, each a row of N numbers.",
            {"compared": "positions"}),
    Mistake("It compares positions, and with the paper's sign: E must be (C, C), the products of channels, and its "
            "largest weight goes to the least similar one.", {"compared": "positions", "sign": "paper"}),
    Mistake("It compares the channels' means: E[c, d] is the sum over all positions of x[c] times x[d].",
            {"compared": "means"}),
    Mistake("The mean of each channel is subtracted first: E[c, d] is the sum of x[c] times x[d] as they are.",
            {"compared": "deviations from the mean"}),
    Mistake("The channels are brought to length 1 before they are compared: asked for is the product, not the "
            "cosine.", {"unit": "channels"}),
    Mistake("The channels are brought to length 1, and those are mixed: neither energies nor result take a norm.",
            {"unit": "everywhere"}),
    Mistake("Each position's vector is brought to length 1 before channels are compared: asked for are the products "
            "of x itself.", {"unit": "positions"}),
    Mistake("The energies are divided by √N: channel attention is not scaled.", {"scale": "√N"}),
    Mistake("The energies are divided by N, as a mean over positions does: they are a sum.", {"scale": "N"}),
    Mistake("The energies are divided by √C: channel attention is not scaled.", {"scale": "√C"}),
    Mistake("The energies are divided by C: channel attention is not scaled.", {"scale": "C"}),
    Mistake("A channel does not look at itself: all C channels count.", {"itself": "left out"}),
    Mistake("A −∞ on the diagonal of E becomes +∞ where the energies are turned, and the softmax of that is NaN; all "
            "C channels count.", {"itself": "+∞"}),
    Mistake("A residual is added: asked for is the mixture alone, without x itself.", {"residual": True}),
    Mistake("x is multiplied by the mixture: asked for is the mixture alone.", {"result": "gate"}),
    Mistake("It returns x itself: a residual whose mixture is multiplied by a γ of 0?", {"result": "x"}),
    Mistake("It returns 0 everywhere: is something multiplied by a γ of 0, or an empty tensor never filled?",
            {"result": "nothing"}),
    Mistake("It returns the attention map: asked for is the mixture, (B, C, H, W).", {"result": "attention"}),
    Mistake("It returns the energies: asked for is the mixture, (B, C, H, W).", {"result": "energy"}),
    Mistake("The result is a matrix still: fold (B, C, N) back to (B, C, H, W).", {"result": "(B, C, N)"}),
    Mistake("The result is folded to (B, C, W, H): H comes first.", {"result": "(B, C, W, H)"}),
    Mistake("H and W of the result are exchanged.", {"result": "H and W exchanged"}),
    Mistake("The batch axis is gone: only the first image's result is returned.", {"result": "without the batch"}),
    Mistake(viewed("The second factor of E gets its N rows", "C"), {"key_rows": "view"}),
    Mistake(viewed("x is made a matrix of N rows, and the result folded back,", "C"),
            {"x_rows": "view", "out_rows": "view"}),
    Mistake(viewed("x is made a matrix of N rows", "C"), {"x_rows": "view"}),
    Mistake("The result is folded by .view or .reshape alone, which mixes channels with positions: (B, N, C) must be "
            "transposed to (B, C, N) first.", {"out_rows": "view"}),
    Mistake("The positions of the second factor of E are numbered column by column and the others row by row: all "
            "need one order.", {"key_rows": "columns"}),
    Mistake("The positions of the result are numbered column by column and those of x row by row: all need one "
            "order.", {"out_rows": "columns"}),
    Mistake("All images use the energies of the first one.", {"batch": "first energies"}),
    Mistake("Images use the energies of another image of the batch.", {"batch": "next energies"}),
    Mistake("The energies are summed over the images of the batch: each image has its own.", {"batch": "summed"}),
    Mistake("The channels of all images are compared and mixed: each image of the batch stands for itself.",
            {"batch": "together"}),
    Mistake("All images mix the channels of the first one.", {"batch": "first values"}),
    Mistake("Only the first image of the batch is computed, the others are 0: does `return` stand inside the loop, "
            "or is the index always 0?", {"batch": "only the first"}),
)  # fmt: skip


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
