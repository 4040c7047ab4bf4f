"""Assignment 1: IoU of every class, read off a confusion matrix."""

from collections.abc import Callable

import torch
from torch import Tensor

from segtut.checks import draw
from segtut.checks.judging import judge
from segtut.checks.question import Mistake, Question


def iou_per_class(
    matrix: Tensor,
    union: str = "right",
    absent: str | float = float("nan"),
    absent_when: str = "neither",
    hits: str = "diagonal",
    counts: str = "int64",
    smooth: float = 0,
    share: str = "none",
    result: str = "per class",
    unit: float = 1,
    whole: bool = False,
) -> Tensor:
    """IoU of every class, (K,), float64, with the mistakes that people make as options."""
    if result == "void last":
        return iou_per_class(matrix[:-1, :-1]) if len(matrix) > 1 else torch.zeros(0)
    if counts == "int32":
        matrix = matrix.to(torch.int32)
    M = matrix.double()
    if share != "none":
        total = M.sum(0 if share == "columns" else 1, keepdim=True)
        M = M / (total.clamp(min=1) if share == "rows, or 0" else total)
    true, called = M.sum(1), M.sum(0)
    hit = {
        "diagonal": M.diagonal(), "largest of the row": M.amax(1), "largest of the column": M.amax(0),
        "other diagonal": M.fliplr().diagonal(), "all": M.trace().expand(len(M)),
    }[hits]  # fmt: skip
    below = {
        "right": true + called - hit, "hit twice": true + called, "hit never": true + called - 2 * hit, "true": true,
        "called": called, "all": M.sum().expand_as(hit), "dice": (true + called) / 2,
        "largest": torch.maximum(true, called), "smallest": torch.minimum(true, called),
        "row twice": 2 * true - hit, "column twice": 2 * called - hit,
    }[union]  # fmt: skip
    iou = (hit + smooth) / (below + smooth)
    if result == "one against all":
        iou = 1 - (true + called - 2 * hit) / M.sum()
    nowhere = (true == 0) & (called == 0)
    if absent_when != "neither":
        empty = {
            "not true": true == 0,
            "not called": called == 0,
            "either": (true == 0) | (called == 0),
            "never hit": hit == 0,
        }
        nowhere = nowhere | empty[absent_when]
    if not smooth and "all" not in (union, hits) and result != "one against all":
        iou = torch.where(nowhere | iou.isnan(), torch.nan if absent == "left out" else absent, iou)
    if absent == "left out":
        iou = iou[~nowhere]
    if whole:
        iou = iou.floor()
    if result == "mean":
        iou = iou.nanmean()
    if result == "mean for all":
        iou = iou.nanmean().expand_as(iou)
    if result == "class 0 NaN":
        iou = torch.cat([iou.new_full((1,), torch.nan), iou[1:]])
    if result == "without the last class":
        iou = iou[:-1]
    if result == "plain mean":
        iou = iou.mean()
    if result == "accuracy":
        iou = hit.sum() / M.sum()
    if result == "without class 0":
        iou = iou[1:]
    if result == "rounded":
        iou = iou.round(decimals=2)
    if result == "distance":
        iou = 1 - iou
    if result == "weighted":
        iou = iou * true / M.sum()
    return iou * unit


ALL_CLASSES = "It is one number for all classes: the result must have an entry for each class."
NOT_ENOUGH = (
    "must be NaN only where a class neither occurs nor is predicted; where it does one of the two, its IoU is 0."
)

MISTAKES = (
    Mistake("It is Dice (F1), twice the hits divided by row plus column: IoU divides the hits by the union.",
            {"union": "dice"}),
    Mistake("The union counts the hits twice, once in the row and once in the column: subtract them once.",
            {"union": "hit twice"}),
    Mistake("The union lacks the hits: row plus column minus the hits once, not twice.", {"union": "hit never"}),
    Mistake("It is recall, hits divided by the row: the union has the column, too.", {"union": "true"}),
    Mistake("It is precision, hits divided by the column: the union has the row, too.", {"union": "called"}),
    Mistake("The hits are divided by all pixels: the union of a class is its own row and column.", {"union": "all"}),
    Mistake("The hits are divided by the larger of row and column: the union is their sum minus the hits.",
            {"union": "largest"}),
    Mistake("The hits are divided by the smaller of row and column: the union is their sum minus the hits.",
            {"union": "smallest"}),
    Mistake("A class that neither occurs nor is predicted has 0: it must be NaN, so that a mean can leave it out. A "
            "small number added to the denominator, nan_to_num and clamp do that.", {"absent": 0.0}),
    Mistake("A class that neither occurs nor is predicted has 1: it must be NaN, so that a mean can leave it out. A "
            "small number added to hits and union does that.", {"absent": 1.0}),
    Mistake("A class that neither occurs nor is predicted has −1: it must be NaN, so that a mean can leave it out.",
            {"absent": -1.0}),
    Mistake("A class that neither occurs nor is predicted has ∞: it must be NaN, so that a mean can leave it out.",
            {"absent": float("inf")}),
    Mistake("A class that neither occurs nor is predicted is missing: the result must have K entries, NaN there.",
            {"absent": "left out"}),
    Mistake(f"A class that never occurs has NaN though it is predicted: it {NOT_ENOUGH}", {"absent_when": "not true"}),
    Mistake(f"A class that is never predicted has NaN though it occurs: it {NOT_ENOUGH}",
            {"absent_when": "not called"}),
    Mistake(f"A class that occurs without being predicted, or the other way round, has NaN: it {NOT_ENOUGH}",
            {"absent_when": "either"}),
    Mistake(f"A class without hits has NaN: it {NOT_ENOUGH}", {"absent_when": "never hit"}),
    Mistake("Something is added to hits and union: IoU is the hits divided by the union, as they are counted.",
            {"smooth": 1}),
    Mistake("The row is added twice: the union is row plus column minus the hits.", {"union": "row twice"}),
    Mistake("The column is added twice: the union is row plus column minus the hits.", {"union": "column twice"}),
    Mistake("The hits of all classes are added up: each class has its own.", {"hits": "all"}),
    Mistake("The largest entry of each row is taken for the hits: they stand on the diagonal.",
            {"hits": "largest of the row"}),
    Mistake("The largest entry of each column is taken for the hits: they stand on the diagonal.",
            {"hits": "largest of the column"}),
    Mistake("The hits are read off the wrong diagonal: they stand at [0, 0], [1, 1], …", {"hits": "other diagonal"}),
    Mistake("The counts do not fit into 32 bits: leave them in int64, or compute in floating point.",
            {"counts": "int32"}),
    Mistake("The rows are divided by their sums first: IoU is taken from counts.", {"share": "rows"}),
    Mistake("The rows are divided by their sums first, where those are not 0: IoU is taken from counts.",
            {"share": "rows, or 0"}),
    Mistake("The columns are divided by their sums first: IoU is taken from counts.", {"share": "columns"}),
    Mistake(f"{ALL_CLASSES} This one is the mean IoU.", {"result": "mean"}),
    Mistake("All classes have the same number, the mean IoU: each has its own.", {"result": "mean for all"}),
    Mistake(f"{ALL_CLASSES} This one is a mean.", {"result": "plain mean"}),
    Mistake(f"{ALL_CLASSES} This one is the pixel accuracy.", {"result": "accuracy"}),
    Mistake("It is the share of pixels that are right about the class, those elsewhere included: IoU leaves those out.",
            {"result": "one against all"}),
    Mistake("Class 0 is missing: it is a class as any other.", {"result": "without class 0"}),
    Mistake("Class 0 has NaN: it is a class as any other.", {"result": "class 0 NaN"}),
    Mistake("The last class is missing: it is a class as any other, void is not in the matrix.",
            {"result": "without the last class"}),
    Mistake("The last row and column are left out: they belong to a class, void is not in the matrix.",
            {"result": "void last"}),
    Mistake("It is 1 minus the IoU, a distance.", {"result": "distance"}),
    Mistake("Each IoU is multiplied by the share of its class: the classes must not be weighted.",
            {"result": "weighted"}),
    Mistake("It is rounded: leave the numbers as they are, and round what you print.", {"result": "rounded"}),
    Mistake("It is in percent: IoU lies between 0 and 1.", {"unit": 100}),
    Mistake("It is divided without the decimals: // or an integer dtype does that.", {"whole": True}),
)  # fmt: skip


def _absent(inputs) -> bool:
    M = inputs["matrix"]
    return bool(((M.sum(0) + M.sum(1)) == 0).any())


ONLY = (
    ("It is right only for small counts: those of a whole split do not fit into the dtype that it counts in.",
     lambda inputs: int(inputs["matrix"].max()) < 10_000),
    ("It is right only where every class occurs or is predicted: 0 divided by 0 must give NaN, and Python's / raises "
     "there.", lambda inputs: not _absent(inputs)),
    ("It is right only where every class has a hit.", lambda inputs: bool(inputs["matrix"].diagonal().all())),
    ("It is right only for two classes: K may be any number.", lambda inputs: len(inputs["matrix"]) == 2),
    ("It is right only where there is more than one class.", lambda inputs: len(inputs["matrix"]) > 1),
)  # fmt: skip


def _cases(seed: int) -> list[dict[str, Tensor]]:
    g = draw.generator(seed)
    small = [
        [[2]], [[0]], [[1, 0], [0, 1]], [[1, 0], [0, 0]], [[0, 0], [0, 2]], [[0, 1], [0, 0]], [[2, 1], [0, 1]],
        [[1, 0], [3, 2]], [[0, 0], [0, 0]], [[1, 4], [2, 1]], [[0, 1], [2, 0]], [[2, 1, 0], [0, 3, 0], [0, 0, 0]],
        [[1, 0, 2], [0, 0, 1], [0, 0, 3]],
    ]  # fmt: skip
    matrices = [torch.tensor(rows) for rows in small]
    for K, most in ((4, 9), (5, 40), (3, 200_000), (4, 10**10), (draw.pick([5, 6, 7], g), 60)):
        M = torch.randint(most // 9, most, (K, K), generator=g) + torch.diag(torch.randint(most, (K,), generator=g))
        gone = draw.pick(list(range(K)), g)
        never = (gone + 1) % K
        if K > 3:
            M[gone], M[:, gone], M[:, never] = 0, 0, 0  # neither occurs nor is predicted; occurs and is never predicted
        matrices.append(M)
    return [{"matrix": M} for M in matrices]


IOU = Question(
    "iou_per_class", iou_per_class, _cases, MISTAKES, "(K,)", dtype=(torch.float32, torch.float64), only=ONLY,
    elsewhere=False,
)  # fmt: skip


def check_iou_per_class(answer: Callable[[Tensor], Tensor], seed: int = 0) -> None:
    """Check ``iou_per_class(matrix) -> (K,)``, NaN for a class that neither occurs nor is predicted.

    Parameters
    ----------
    answer : callable
        matrix is int64 (K, K), rows truth; the result may be float32 or float64.
    seed : int
        Other seeds draw other sizes and counts.

    Raises
    ------
    AssertionError
        What is wrong, in one sentence, with the smallest failing case.
    """
    judge(IOU, answer, seed)
