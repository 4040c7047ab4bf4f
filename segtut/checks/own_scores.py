"""Assignment 1: scores of a student's own confusion matrix, worked out and typed in."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from segtut.checks import draw
from segtut.checks.scoring import iou_per_class
from segtut.checks.typed import number, require_entries

CLASSES = ("sky", "building", "pole", "fence")
EXAMPLE = {"A": 40, "B": 4, "C": 25, "D": 1, "E": 2}
TOLERANCE = 0.0011
"""Three decimals, rounded or cut off."""

Wrong = list[tuple[str, float]]


def own_matrix(mine: Mapping[str, int]) -> Tensor:
    """The confusion matrix of a student's own numbers.

    Parameters
    ----------
    mine : mapping
        Counts A, B, C, D and E.

    Returns
    -------
    Tensor
        int64 (4, 4) for `CLASSES`, rows truth; no pixel is fence, and none is called so.
    """
    A, B, C, D, E = (mine[key] for key in "ABCDE")
    return torch.tensor([[A, 3, 0, 0], [B, C, 1, 0], [D, 2, E, 0], [0, 0, 0, 0]])


def expected(mine: Mapping[str, int]) -> dict[str, tuple[float, Wrong]]:
    """For each key the right number, and wrong ones with what to say of them."""
    M = own_matrix(mine)
    slip = M.clone()
    slip[0, 3] += 1
    D, S = M.double(), slip.double()
    iou, after = iou_per_class(M), iou_per_class(slip)
    accuracy, mean = float(D.trace() / D.sum()), iou.nanmean().item()
    recall, precision = D.diagonal() / D.sum(1), D.diagonal() / D.sum(0)
    dice, twice = iou_per_class(M, union="dice"), iou_per_class(M, union="hit twice")
    table: dict[str, tuple[float, Wrong]] = {
        "pixel accuracy": (accuracy, [
            ("That is the mean IoU: accuracy is the share of all pixels that are right.", mean),
            ("That is the mean of the classes' recalls: accuracy counts pixels, not classes.", recall.nanmean().item()),
            ("That is the share of wrong pixels.", 1 - accuracy),
        ]),
    }  # fmt: skip
    for k, name in enumerate(CLASSES[:3]):
        table[f"{name} IoU"] = iou[k].item(), [
            ("That is recall: the union has the column of the class, too.", recall[k].item()),
            ("That is precision: the union has the row of the class, too.", precision[k].item()),
            ("That is Dice: divide the hits by the union.", dice[k].item()),
            ("That counts the hits twice in the union.", twice[k].item()),
            ("The union lacks the hits.", float(D[k, k] / (D[k].sum() + D[:, k].sum() - 2 * D[k, k]))),
            ("That divides the hits by all pixels.", (D[k, k] / D.sum()).item()),
        ]  # fmt: skip
    fourth, third = iou.nan_to_num(0).mean().item(), after[:3].mean().item()
    table["mean IoU"] = mean, [
        ("That counts fence as 0: a class that neither occurs nor is predicted is left out.", fourth),
        ("That counts fence as 1: a class that neither occurs nor is predicted is left out.",
         iou.nan_to_num(1).mean().item()),
        ("That is the pixel accuracy.", accuracy),
        ("That is the mean of the classes' recalls.", recall.nanmean().item()),
        ("That is the mean of the classes' precisions.", precision.nanmean().item()),
        ("That is the mean of Dice: divide the hits by the union.", dice.nanmean().item()),
        ("That weights each class by its pixels: in mean IoU each counts the same.",
         (iou * D.sum(1) / D.sum()).nansum().item()),
    ]  # fmt: skip
    table["mean IoU after the slip"] = after.nanmean().item(), [
        ("That leaves fence out: it is predicted once now, so it counts.", third),
        ("That is as before: now fence is predicted, and a pixel of sky is lost.", mean),
        ("That leaves sky as it was: it lost a pixel, which stays in its row.", fourth),
        ("That counts fence as 1: it has no hit, so its IoU is 0.", (third * 3 + 1) / 4),
        ("That is the pixel accuracy.", float(S.trace() / S.sum())),
    ]  # fmt: skip
    return table


def _score(value: Any, key: str) -> float:
    said = f'scores["{key}"]'
    value = number(value, said, "without quotes, such as 0.25")
    assert math.isfinite(value) and value >= 0, f"{said} is {value}: it must lie between 0 and 1."
    return float(value)


def check_own_scores(answer: Mapping[str, float], mine: Mapping[str, int] = EXAMPLE, seed: int = 0) -> None:
    """Check the scores of `own_matrix`, to three decimals.

    Parameters
    ----------
    answer : mapping
        "pixel accuracy", "sky IoU", "building IoU", "pole IoU", "mean IoU", and "mean IoU after the slip": one more
        pixel of sky is called fence.
    mine : mapping
        Counts A, B, C, D and E.
    seed : int
        Has no influence: nothing is drawn.

    Raises
    ------
    AssertionError
        Which number is wrong, and why if that is known; never the right one.
    """
    draw.generator(seed)
    table = expected(mine)
    require_entries(answer, "scores", table)
    for key, (right, wrong) in table.items():
        got, said = _score(answer[key], key), f'scores["{key}"] is not right.'
        if abs(got - right) <= TOLERANCE:
            continue
        known = " Or: ".join(dict.fromkeys(sentence for sentence, slip in wrong if abs(got - slip) <= TOLERANCE))
        percent = ": is it in percent?" if abs(got / 100 - right) <= 0.01 else "."
        assert got <= 1 or known, f"{said} It must lie between 0 and 1{percent}"
        assert abs(got - right) > 0.01 or known, f"{said} It is close: give three decimals, and round at the end alone."
        raise AssertionError(f"{said} {known or 'Work it out once more, with your own matrix.'}")
    print(f"scores: right, all {len(table)} numbers.")
