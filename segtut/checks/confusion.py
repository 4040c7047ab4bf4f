"""Assignment 1: the confusion matrix."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from segtut.checks import draw
from segtut.checks.judging import judge
from segtut.checks.question import Mistake, Question


def confusion_matrix(
    pred: Tensor,
    target: Tensor,
    num_classes: int,
    ignore_index: int,
    void: str = "left out",
    pixels: str = "all",
    walk: str = "all",
    base: int = 0,
    counted: str = "each",
    missing: str = "stay",
    order: str = "right",
    only: str = "all",
    share: str = "none",
) -> Tensor:
    """Counts of truth (rows) and prediction (columns), (K, K), with the mistakes that people make as options."""
    K, length = num_classes, len(pred)
    if pixels != "all":
        part = {"first": slice(0, 1), "last": slice(-1, None), "all but the last": slice(0, -1)}[pixels]
        pred, target = pred[part], target[part]
    pred, target = pred.flatten(), target.flatten()
    if walk != "all":
        part = {"first": slice(0, 1), "all but the first": slice(1, None), "all but the last": slice(0, -1)}
        stop = int((target != ignore_index).cumprod(0).sum())
        pred, target = (each[part.get(walk, slice(0, stop))] for each in (pred, target))
    is_void, outside = target == ignore_index, (target < 0) | (target >= K)
    drop = {
        "left out": is_void, "where predicted": outside | (pred == ignore_index),
        "truth or prediction": is_void | (pred == ignore_index),
        "outside": outside, "255": target == 255, "scored alone": ~is_void | outside,
    }.get(void, torch.zeros_like(is_void))  # fmt: skip
    if void == "classes alone":  # a class that is void is left out, any other void is counted
        drop = is_void & ~outside
    pred, target, is_void = pred[~drop], target[~drop], is_void[~drop]
    if void == "own class":
        K += 1
    moved = {"class 0": 0, "last class": K - 1, "own class": K - 1, "as predicted": pred}.get(void)
    if moved is not None:
        target = torch.where(is_void, moved, target)
    if void in ("clamped", "classes alone"):
        target = target.clamp(0, K - 1)
    if void == "from the end":  # as Python's negative indices have it
        target = torch.where((target < 0) & (target >= -K), target + K, target)
    pairs = target * (K + base) + pred
    M = torch.bincount(pairs, minlength=K * K)
    M = (M[: K * K] if base else M).view(K, K)
    M = {"each": M, "once": M.clamp(max=1), "twice": 2 * M, "from 1 on": M + 1, "both ways": M + M.T}[counted]
    if only == "not class 0":
        M = torch.cat([torch.zeros_like(M[:1]), M[1:]])
    if only in ("diagonal", "mistakes"):
        M = M.diagonal().diag() if only == "diagonal" else M - M.diagonal().diag()
    if order != "right":
        M = {"columns are truth": M.T, "from 1": M.roll((-1, -1), (0, 1)), "reversed": M.flip(0, 1),
             "rows reversed": M.flip(0)}[order]  # fmt: skip
    if missing != "stay":
        seen = torch.cat([pred, target]).unique()
        seen = seen if missing == "left out" else torch.arange(int(seen.max()) + 1 if len(seen) else 0)
        M = M[seen][:, seen]
    if only == "diagonal alone":
        M = M.diagonal()
    if share != "none":
        D = M.double()
        axes = {"rows": 1, "columns": 0}.get(share.split(",")[0], (0, 1))
        total = D.sum(axes, keepdim=True) if share != "first axis" else torch.tensor(length)
        M = D / (total.clamp(min=1) if share.endswith(("0", "whole")) else total)
        M = M.floor() if share.endswith("whole") else M
    return M


MISTAKES = (
    Mistake("Rows and columns are exchanged: the row is the true class, the column the predicted one.",
            {"order": "columns are truth"}),
    Mistake("Each pair of classes is counted only once: M[target, pred] += 1 adds 1 however often a pair occurs; "
            "count with bincount or in a loop.", {"counted": "once"}),
    Mistake("Every pixel is counted twice.", {"counted": "twice"}),
    Mistake("Every count is too large by 1: the matrix must start from zeros.", {"counted": "from 1 on"}),
    Mistake("Every pixel is counted at [truth, prediction] and at [prediction, truth]: only the first must be.",
            {"counted": "both ways"}),
    Mistake("Void pixels are counted like any other: leave them out, in pred and target both.", {"void": "counted"}),
    Mistake("Only the label 255 is left out: the one to leave out is ignore_index.", {"void": "255"}),
    Mistake("Void pixels are counted as class 0: they must be left out.", {"void": "class 0"}),
    Mistake("Void pixels are counted as the last class: they must be left out.", {"void": "last class"}),
    Mistake("Void pixels are counted as right: they must be left out.", {"void": "as predicted"}),
    Mistake("Void pixels are counted as the nearest class: clamp does that; they must be left out.",
            {"void": "clamped"}),
    Mistake("Void pixels are counted in a row from the end, where Python's negative indices point: they must be left "
            "out.", {"void": "from the end"}),
    Mistake("Void has a row and a column of its own: leave both out, the matrix must be (K, K).",
            {"void": "own class"}),
    Mistake("Only labels outside 0 … K − 1 are left out: ignore_index may be one of the classes, too.",
            {"void": "outside"}),
    Mistake("ignore_index is left out only where it is one of the classes: it may lie outside of them, too.",
            {"void": "classes alone"}),
    Mistake("Pixels are left out where the prediction is ignore_index: what counts is the truth, target == "
            "ignore_index.", {"void": "where predicted"}),
    Mistake("Pixels are left out where the prediction is ignore_index, too: only those whose truth is ignore_index "
            "must be.", {"void": "truth or prediction"}),
    Mistake("Only the void pixels are counted: they are the ones to leave out.", {"void": "scored alone"}),
    Mistake("Only right pixels are counted: the entries beside the diagonal are missing.", {"only": "diagonal"}),
    Mistake("It is the diagonal alone: the matrix has a row for each true class and a column for each predicted one.",
            {"only": "diagonal alone"}),
    Mistake("Pixels whose truth is class 0 are not counted: it is a class as any other.", {"only": "not class 0"}),
    Mistake("Only mistakes are counted: the diagonal, the right pixels, is missing.", {"only": "mistakes"}),
    Mistake("Only the last element of the first axis is counted: add up, instead of starting anew each time.",
            {"pixels": "last"}),
    Mistake("Only the first element of the first axis is counted: does a return stand inside of the loop?",
            {"pixels": "first"}),
    Mistake("The last element of the first axis is not counted.", {"pixels": "all but the last"}),
    Mistake("Only the first pixel is counted: does a return stand inside of the loop?", {"walk": "first"}),
    Mistake("The first pixel is not counted: an index begins at 0.", {"walk": "all but the first"}),
    Mistake("The last pixel is not counted: range(n) ends at n − 1 by itself.", {"walk": "all but the last"}),
    Mistake("Nothing is counted after the first void pixel: leave that one out, and go on.", {"walk": "until void"}),
    Mistake("The pair (truth, prediction) must be written as target * num_classes + pred: the factor is too small by "
            "1.", {"base": -1}),
    Mistake("The pair (truth, prediction) must be written as target * num_classes + pred: the factor is too large by "
            "1.", {"base": 1}),
    Mistake("Class 0 stands in the last row and column: classes are counted from 0, not from 1.", {"order": "from 1"}),
    Mistake("The classes stand in reverse order.", {"order": "reversed"}),
    Mistake("The rows stand in reverse order.", {"order": "rows reversed"}),
    Mistake("Classes that neither occur nor are predicted are missing: the matrix must always be (K, K), with zeros "
            "there.", {"missing": "left out"}),
    Mistake("It ends at the largest class that occurs: the matrix must always be (K, K), with zeros behind it.",
            {"missing": "at the end"}),
    Mistake("The counts are divided by the length of the first axis: a mean over images can't be added up any more.",
            {"share": "first axis"}),
    *(Mistake(f"They are shares of {of}: the matrix must hold counts, so that the matrices of batches add up.{nan}",
              {"share": f"{of}{empty}"})
      for of in ("rows", "columns", "all pixels")
      for empty, nan in (("", " Where there are none, it even is NaN."), (", or 0", ""),
                         (", whole", " They are cut to 0 and 1, too."))),
)  # fmt: skip


def _kept(inputs: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    keep = inputs["target"] != inputs["ignore_index"]
    return inputs["pred"][keep], inputs["target"][keep]


def _in_range(inputs: Mapping[str, Any]) -> bool:
    return 0 <= inputs["ignore_index"] < inputs["num_classes"]


def _last_pair(inputs: Mapping[str, Any]) -> bool:
    pred, target = _kept(inputs)
    return bool(((pred == inputs["num_classes"] - 1) & (target == inputs["num_classes"] - 1)).any())


def _both_ends(inputs: Mapping[str, Any]) -> bool:
    ends = {0, inputs["num_classes"] - 1}
    return all(ends <= set(each.tolist()) for each in _kept(inputs))


# those that hold in most cases first
ONLY = (
    ("It is right only for few pixels: the counts do not fit into the dtype.",
     lambda inputs: inputs["pred"].numel() < 200),
    ("It is right only for few classes: the numbers up to K² do not fit into the dtype.",
     lambda inputs: inputs["num_classes"] < 12),
    ("It fails only where every pixel is void: the matrix is all zeros then.",
     lambda inputs: len(_kept(inputs)[0]) > 0),
    ("It is right only for inputs of one or two axes: pred and target may have any number of axes.",
     lambda inputs: inputs["pred"].ndim < 3),
    ("It is right only for flat inputs: pred and target may have any number of axes.",
     lambda inputs: inputs["pred"].ndim == 1),
    ("It is right only for inputs of more than one axis: pred and target may have any number of axes.",
     lambda inputs: inputs["pred"].ndim > 1),
    ("It is right only for inputs of two axes: pred and target may have any number of axes.",
     lambda inputs: inputs["pred"].ndim == 2),
    ("It is right only for inputs of three axes: pred and target may have any number of axes.",
     lambda inputs: inputs["pred"].ndim == 3),
    ("It is right only where no pixel is void: leave such pixels out of pred and target both.",
     lambda inputs: len(_kept(inputs)[0]) == inputs["target"].numel()),
    ("It is right only where ignore_index is 255: take the argument.", lambda inputs: inputs["ignore_index"] == 255),
    ("It is right only where ignore_index is one of the classes: it may lie outside of them, as 255 or −1 do.",
     _in_range),
    ("It is right only where ignore_index is not negative.", lambda inputs: inputs["ignore_index"] >= 0),
    ("It is right only where ignore_index is negative.", lambda inputs: inputs["ignore_index"] < 0),
    ("It is right only where ignore_index is none of the classes: it may be one.",
     lambda inputs: not _in_range(inputs)),
    ("It is right only where the last class is both true and predicted: bincount needs minlength=num_classes ** 2.",
     _last_pair),
    ("It is right only where the first and the last class occur and are predicted: the bins must be those of all "
     "classes, whichever occur.", _both_ends),
    ("It is right only where all pixels are class 0: is the pair written as target * num_classes + pred?",
     lambda inputs: not _kept(inputs)[1].any()),
)  # fmt: skip


def _cases(seed: int) -> list[dict[str, Any]]:
    g = draw.generator(seed)
    small = [
        ([0], [0], 2, 255), ([1], [1], 2, 255), ([1], [0], 2, 255), ([0, 0], [0, 0], 2, 255), ([0, 1], [0, 1], 2, 255),
        ([0, 1], [1, 1], 3, 255), ([2, 0], [0, 2], 3, 255), ([1, 1], [0, 255], 2, 255), ([0, 1], [-1, 1], 2, -1),
        ([0, 0], [-100, 0], 2, -100), ([1, 1, 0], [0, 1, 1], 2, 0), ([0, 2, 2, 1], [2, 2, 1, 0], 3, 2),
        ([1, 0], [255, 255], 2, 255), ([2, 0], [1, 1], 3, 1), ([[1, 0], [1, 2]], [[1, 1], [2, 0]], 3, -1),
        ([[1, 0], [2, 2]], [[-1, 1], [2, 0]], 3, -1),
        ([[0, 2]], [[255, 2]], 3, 255), ([[[0, 0]]], [[[0, 0]]], 2, 255),
    ]  # fmt: skip
    cases = [(torch.tensor(pred), torch.tensor(target), K, ignore) for pred, target, K, ignore in small]
    K = draw.pick([3, 4, 5], g)
    voids = {(3, 4): [255], (2, 3, 5): [-1, -100, 254], (3, 2, 4): [*range(K)], (2, 1, 3, 4): [255, -1]}
    for shape, ignores in voids.items():
        ignore = draw.pick(ignores, g)
        cases.append((*_labels(shape, K, ignore, g), K, ignore))
    cases.append((*_labels((40,), 20, 255, g), 20, 255))
    many = torch.zeros(19, 16, dtype=torch.int64)  # more pixels of one kind than a byte counts
    many[-1, :4] = 1
    cases.append((many, many.clone(), 3, 255))
    cases.append((*_labels((2, 4, 6), K, 255, g), K, 255))
    cases.append((*_labels((3, 5, 7), K + 1, 0, g), K + 1, 0))
    return [dict(zip(("pred", "target", "num_classes", "ignore_index"), case)) for case in cases]


def _labels(shape: tuple[int, ...], K: int, ignore: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Predictions and truths, right about half of the time, void about a fifth of it."""
    target = torch.randint(K, shape, generator=g)
    pred = torch.where(torch.rand(shape, generator=g) < 0.5, target, torch.randint(K, shape, generator=g))
    target = torch.where(torch.rand(shape, generator=g) < 0.2, ignore, target)
    return pred, target


CONFUSION = Question(
    "confusion_matrix", confusion_matrix, _cases, MISTAKES, "(K, K)", dtype=torch.int64, only=ONLY, elsewhere=False,
)  # fmt: skip


def check_confusion_matrix(answer: Callable[[Tensor, Tensor, int, int], Tensor], seed: int = 0) -> None:
    """Check ``confusion_matrix(pred, target, num_classes, ignore_index) -> (K, K)``, int64, rows truth.

    Parameters
    ----------
    answer : callable
        pred and target are int64 of one shape, with one axis or more; predictions lie in 0 … K − 1, labels too or are
        ignore_index.
    seed : int
        Other seeds draw other sizes and labels.

    Raises
    ------
    AssertionError
        What is wrong, in one sentence, with the smallest failing case.
    """
    judge(CONFUSION, answer, seed)
