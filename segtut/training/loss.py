"""Cross-entropy over the pixels that have a label."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.utils.data import Dataset

from segtut.data.classes import IGNORE_INDEX
from segtut.networks import SegmentationNetwork


def cross_entropy(
    scores: Float[Tensor, "B K H W"],
    target: Int64[Tensor, "B H W"],
    label_smoothing: float = 0.0,
    class_weights: Float[Tensor, " K"] | None = None,
    ignore_index: int = IGNORE_INDEX,
) -> Float[Tensor, ""]:
    """Mean cross-entropy of the labelled pixels; 0, with zero gradient, if there is none.

    PyTorch's own mean divides 0 by 0 for a batch of void alone, and one NaN ends a training.

    Parameters
    ----------
    scores : Tensor
        Class scores before softmax, (B, K, H, W).
    target : Tensor
        Class indices int64 (B, H, W), or `ignore_index`.
    label_smoothing : float
        Share of the target that is spread over all classes.
    class_weights : Tensor, optional
        Weight of each class (K,); the mean is over weights then.
    ignore_index : int
        Label that is not trained on.
    """
    total = F.cross_entropy(
        scores.float(), target, class_weights, ignore_index=ignore_index, reduction="sum",
        label_smoothing=label_smoothing,
    )  # fmt: skip
    weight = total_weight(target, class_weights, ignore_index)
    return total / weight.clamp(min=1 if class_weights is None else torch.finfo(weight.dtype).tiny)


def network_loss(
    network: SegmentationNetwork,
    image: Float[Tensor, "B 3 H W"],
    target: Int64[Tensor, "B H W"],
    label_smoothing: float = 0.0,
    class_weights: Float[Tensor, " K"] | None = None,
    model: nn.Module | None = None,
) -> Float[Tensor, ""]:
    """Run a network forward, and sum up the cross-entropies of all its outputs with their weights.

    Parameters
    ----------
    network : SegmentationNetwork
        Says how its outputs are weighted.
    image, target : Tensor
        A batch.
    label_smoothing, class_weights
        See `cross_entropy`.
    model : nn.Module, optional
        What is called instead: the network wrapped for several processes, or compiled.
    """
    outputs = (network if model is None else model)(image, all_outputs=True)
    weights = network.loss_weights(len(outputs))
    return sum(
        weight * cross_entropy(scores, target, label_smoothing, class_weights)
        for weight, scores in zip(weights, outputs, strict=True)
    )


def total_weight(
    target: Int64[Tensor, "B H W"], class_weights: Float[Tensor, " K"] | None = None, ignore_index: int = IGNORE_INDEX
) -> Tensor:
    """Number of the labelled pixels, or the sum of their weights: what the mean of `cross_entropy` divides by."""
    labelled = target != ignore_index
    if class_weights is None:
        return labelled.sum()
    return (class_weights[torch.where(labelled, target, 0)] * labelled).sum()


def balanced_weights(dataset: Dataset, num_classes: int) -> Float[Tensor, " K"]:
    """Weight 1 / ln(1.02 + p) for a class with the share p of the labelled pixels (Paszke et al. 2016, section 5.2).

    A class that never occurs weighs what p = 0 gives, 50; one that is everywhere, 1.4.
    """
    counts = np.zeros(256, np.int64)
    for i in range(len(dataset)):
        counts += np.bincount(dataset[i][1].ravel(), minlength=256)
    counts = counts[:num_classes]
    return torch.from_numpy(1 / np.log(1.02 + counts / max(counts.sum(), 1))).float()
