"""Assignment 4: how far the maps of different queries are from being one map."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from segtut.checks import draw
from segtut.checks.judging import judge
from segtut.checks.query_dependence_mistakes import QUERY_DEPENDENCE_MISTAKES
from segtut.checks.question import Question


def _pairs(attention: Tensor, pair: str) -> Tensor:
    """A distance for each pair of rows, (B, N, N)."""

    def cosines(rows: Tensor) -> Tensor:
        return F.normalize(rows, dim=-1) @ F.normalize(rows, dim=-1).mT

    cosine = cosines(attention)
    a, b = attention[:, :, None], attention[:, None]
    middle = torch.special.entr((a + b) / 2).sum(-1)
    entropy = torch.special.entr(attention).sum(-1)
    return {
        "cosine": lambda: 1 - cosine,
        "similarity": lambda: cosine,
        "minus": lambda: -cosine,
        "product": lambda: attention @ attention.mT,
        "1 − product": lambda: 1 - attention @ attention.mT,
        "unit Euclid": lambda: (2 - 2 * cosine).clamp(min=0).sqrt(),
        "Euclid": lambda: torch.cdist(attention, attention, compute_mode="donot_use_mm_for_euclid_dist"),
        "Euclid squared": lambda: (a - b).square().sum(-1),
        "mean square": lambda: (a - b).square().mean(-1),
        "L1": lambda: (a - b).abs().sum(-1),
        "half L1": lambda: (a - b).abs().sum(-1) / 2,
        "mean L1": lambda: (a - b).abs().mean(-1),
        "angle": lambda: cosine.clamp(-1, 1).arccos(),
        "square": lambda: 1 - cosine.square(),
        "JS": lambda: middle - (entropy[:, :, None] + entropy[:, None]) / 2,
        "KL": lambda: (torch.xlogy(a, a) - a * b.log()).sum(-1),
        "default dim": lambda: 1 - F.cosine_similarity(attention[:, :, None], attention[:, None]),
        "whole": lambda: 1 - (lambda u: u @ u.mT)(attention / attention.flatten(1).norm(dim=1)[:, None, None]),
        "one norm": lambda: 1 - attention @ attention.mT / attention.norm(dim=-1, keepdim=True),
        "softmax": lambda: 1 - cosines(attention.softmax(-1)),
        "centred": lambda: 1 - cosines(attention - attention.mean(-1, keepdim=True)),
        "less the mean map": lambda: 1 - cosines(attention - attention.mean(1, keepdim=True)),
        "columns' lengths": lambda: 1 - F.normalize(attention, dim=1) @ F.normalize(attention, dim=1).mT,
        "squared lengths": lambda: 1 - (lambda u: u @ u.mT)(attention / attention.square().sum(-1, keepdim=True)),
        "not transposed": lambda: 1 - F.normalize(attention, dim=-1) @ F.normalize(attention, dim=-1),
        "next image": lambda: 1 - F.normalize(attention, dim=-1) @ F.normalize(attention.roll(1, 0), dim=-1).mT,
    }[pair]()  # fmt: skip


def _one_number(d: Tensor, over: str) -> Tensor:
    """(B,) of the distances (B, N, N)."""
    B, N, _ = d.shape
    own = torch.eye(N, dtype=torch.bool)
    others = d.masked_fill(own, 0)
    count = N * (N - 1)
    apart = d[:, ~own].view(B, -1)  # (B, N (N - 1))
    return {
        "different": lambda: others.sum((1, 2)) / count,
        "all": lambda: d.mean((1, 2)),
        "with the diagonal": lambda: d.sum((1, 2)) / count,
        "not alike": lambda: d.sum((1, 2)) / (d > 1e-6).sum((1, 2)).clamp(min=1),
        "over B": lambda: others.sum((1, 2)) / max(B * (B - 1), 1),
        "similarities over N²": lambda: 1 - (1 - d).masked_fill(own, 0).sum((1, 2)) / N**2,
        "half": lambda: others.sum((1, 2)) / count / 2,
        "half, all": lambda: d.mean((1, 2)) / 2,
        "double": lambda: 2 * others.sum((1, 2)) / count,
        "over N": lambda: others.sum((1, 2)) / N,
        "over N² − 1": lambda: others.sum((1, 2)) / (N**2 - 1),
        "sum": lambda: others.sum((1, 2)),
        "sum once": lambda: others.sum((1, 2)) / 2,
        "each query": lambda: others.sum(2) / (N - 1),
        "per query, summed": lambda: others.sum((1, 2)) / (N - 1),
        "largest": lambda: apart.amax(1),
        "smallest": lambda: apart.amin(1),
        "smallest of all": lambda: d.flatten(1).amin(1),
        "median": lambda: apart.median(1).values,
        "from the first": lambda: d[:, 0, 1:].mean(1),
        "from the first, all": lambda: d[:, 0].mean(1),
        "neighbours": lambda: d.diagonal(1, 1, 2).mean(1),
        "neighbours, around": lambda: (d.diagonal(1, 1, 2).sum(1) + d[:, -1, 0]) / N,
        "batch": lambda: (others.sum((1, 2)) / count).mean(),
        "batch, spread": lambda: (others.sum((1, 2)) / count).mean().expand(B),
        "deviation": lambda: apart.std(1),
        "root": lambda: (others.sum((1, 2)) / count).clamp(min=0).sqrt(),
        "root of squares": lambda: (others.square().sum((1, 2)) / count).sqrt(),
        "upper with the diagonal": lambda: d.triu().sum((1, 2)) / (count / 2 + N),
    }[over]()


def query_dependence(
    attention: Tensor, rows: str = "rows", pair: str = "cosine", over: str = "different", from_mean: bool = False,
    alone: str = "0", reverse: bool = False,
    spread: str = "none",
) -> Tensor:  # fmt: skip
    """Mean of 1 − cos over all pairs of different rows, (B,), with the mistakes that people make as options."""
    if attention.shape[1] == 1:
        shape = {"each query": (len(attention), 1), "batch": ()}.get(over, (len(attention),))
        d = attention.new_full(shape, {"0": 0.0, "nan": torch.nan, "1": 1.0}[alone])
        return 1 - d if reverse else d
    if rows == "columns":
        attention = attention.mT
    if spread != "none":
        d = {
            "deviation": lambda: attention.std(1).mean(-1),
            "variance": lambda: attention.var(1).mean(-1),
            "entropy": lambda: torch.special.entr(attention).sum(-1).mean(1),
        }[spread]()
    elif rows == "all images":
        unit = F.normalize(attention, dim=-1).flatten(0, 1)
        d = _one_number((1 - unit @ unit.T)[None], over).expand(len(attention))
    elif from_mean:
        d = 1 - F.cosine_similarity(attention, attention.mean(1, keepdim=True), dim=-1).mean(1)
    else:
        d = _one_number(_pairs(attention, pair), over)
    return 1 - d if reverse else d


def _cases(seed: int) -> list[dict[str, Tensor]]:
    g = draw.generator(seed)
    given = [
        [[[1.0]]],
        [[[1.0, 0.0], [0.0, 1.0]]],
        [[[0.25, 0.75], [1.0, 0.0]]],
        [[[1.0]], [[1.0]]],
        [[[0.25, 0.75], [0.75, 0.25]], [[1.0, 0.0], [0.5, 0.5]]],
        [[[0.25, 0.25, 0.5], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]],
        [[[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.6, 0.4]]],
        [[[0.25] * 4] * 4],  # of length 1/2 without rounding, so that a root or an angle of the distance is exact, too
    ]

    def rows(B: int, N: int, sharp: float) -> Tensor:
        """Maps with a part that all queries share; the images are of different sharpness."""
        energy = torch.randn(B, 1, N, generator=g) + sharp * torch.randn(B, N, N, generator=g)
        return (energy * torch.linspace(1, 2, B)[:, None, None]).softmax(-1)

    drawn = [rows(1, 4, 1.0), rows(3, draw.pick([5, 6], g), 3.0), rows(1, draw.pick([9, 12], g), 0.1)]
    drawn += [rows(2, draw.pick([7, 8], g), 1.0), rows(4, draw.pick([15, 20], g), 1.0)]
    return [{"attention": t} for t in (*map(torch.tensor, given), *drawn)]


QUERY_DEPENDENCE = Question(
    "query_dependence", query_dependence, _cases, QUERY_DEPENDENCE_MISTAKES, "(B,)",
    only=(
        ("It is right only for a single image.", lambda inputs: len(inputs["attention"]) == 1),
        ("It is wrong only for a single image: does a .squeeze() take the batch axis away?",
         lambda inputs: len(inputs["attention"]) > 1),
        ("It is right except where N = 1, where the result must be 0.",
         lambda inputs: inputs["attention"].shape[1] > 1),
        ("It is right only where no weight is 0.", lambda inputs: bool((inputs["attention"] > 0).all())),
    ),
)  # fmt: skip


def check_query_dependence(answer: Callable[[Tensor], Tensor], seed: int = 0) -> None:
    """Check ``query_dependence(attention) -> (B,)``: the mean of 1 − cos over all pairs of different queries.

    Parameters
    ----------
    answer : callable
        attention is (B, N, N), each row with the sum 1; with N = 1 the result is 0.
    seed : int
        Other seeds draw other sizes and numbers.

    Raises
    ------
    AssertionError
        What is wrong, in one sentence, with the smallest failing case.
    """
    judge(QUERY_DEPENDENCE, answer, seed)
