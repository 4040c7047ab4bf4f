"""The score: one confusion matrix over the whole split, and what is read off it."""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from segtut.data.classes import IGNORE_INDEX


def confusion_matrix(
    pred: Int64[Tensor, "..."], target: Int64[Tensor, "..."], num_classes: int, ignore_index: int = IGNORE_INDEX
) -> Int64[Tensor, "K K"]:
    """Count pixels by true class (row) and predicted class (column).

    Parameters
    ----------
    pred, target : Tensor
        Class indices, int64, of one shape.
    num_classes : int
        K; predictions are in 0 … K − 1, labels too or `ignore_index`.
    ignore_index : int
        Label that is not scored.

    Returns
    -------
    Tensor
        int64 (K, K). Matrices of batches add up to that of the split.

    Raises
    ------
    ValueError
        Shapes differ, or a class index is out of range.
    """
    if pred.shape != target.shape:
        raise ValueError(f"pred {tuple(pred.shape)} and target {tuple(target.shape)} differ in shape")
    keep = target != ignore_index
    pred, target = pred[keep], target[keep]
    for name, index in (("pred", pred), ("target", target)):
        if index.numel() and (index.min() < 0 or index.max() >= num_classes):
            raise ValueError(f"{name} holds {index.min()}…{index.max()}: classes are 0…{num_classes - 1}")
    return torch.bincount(target * num_classes + pred, minlength=num_classes**2).view(num_classes, num_classes)


def iou_per_class(matrix: Int64[Tensor, "K K"]) -> Float64[Tensor, " K"]:
    """Intersection over union of every class; NaN where a class neither occurs nor is predicted."""
    matrix = matrix.double()
    hit = matrix.diagonal()
    return hit / (matrix.sum(0) + matrix.sum(1) - hit)


def mean_iou(matrix: Int64[Tensor, "K K"]) -> float:
    """Mean of `iou_per_class` over the classes that occur or are predicted; NaN if there is none."""
    return iou_per_class(matrix).nanmean().item()


def pixel_accuracy(matrix: Int64[Tensor, "K K"]) -> float:
    """Share of the scored pixels that are right; NaN if there is none."""
    matrix = matrix.double()
    return (matrix.trace() / matrix.sum()).item()
