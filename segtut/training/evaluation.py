"""Evaluation: every image of a split once, scored at the size of its label map."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor
from torch.utils.data import Dataset, Subset

from segtut.data.augment import eval_transform
from segtut.data.classes import NUM_CLASSES
from segtut.data.loader import make_loader
from segtut.networks import SegmentationNetwork
from segtut.networks.synchronised import processes, rank, total
from segtut.training.metrics import confusion_matrix
from segtut.training.recipe import resolve_precision

Segmenter = Callable[[Float[Tensor, "B 3 H W"]], Int64[Tensor, "B H W"]]


def seen(network: SegmentationNetwork, image: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 h w"]:
    """Images as a network sees them: at the height of ``network.input_size``, their shape kept; else as they are."""
    H, W = image.shape[-2:]
    if network.input_size is None or network.input_size[0] == H:
        return image
    h = network.input_size[0]
    return F.interpolate(image, size=(h, max(8, round(h * W / H))), mode="bilinear", antialias=True)


@torch.inference_mode()
def predict(
    network: SegmentationNetwork,
    image: Tensor,
    precision: str = "auto",
) -> Tensor:
    """Class of every pixel.

    Images are resized to the height of ``network.input_size``, where it has one, and keep their shape; the scores are
    enlarged to H×W before the argmax.

    Parameters
    ----------
    network : SegmentationNetwork
        In evaluation mode.
    image : Tensor
        Normalised images (B, 3, H, W), on the network's device.
    precision : {"auto", "no", "bf16", "fp16"}
        See `Recipe`.

    Returns
    -------
    Tensor
        int64 (B, H, W).
    """
    size = tuple(image.shape[-2:])
    image = seen(network, image)
    kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(resolve_precision(precision, image.device))
    with torch.autocast(image.device.type, kind, enabled=kind is not None):
        scores = network(image.contiguous(memory_format=torch.channels_last), size=size)
    return scores.argmax(1)


def evaluate(
    network: SegmentationNetwork,
    dataset: Dataset,
    batch_size: int = 8,
    device: torch.device | str | None = None,
    precision: str = "auto",
    segment: Segmenter | None = None,
) -> Tensor:
    """Confusion matrix of a network over a whole split.

    Of several processes each scores every n-th image, and all get the sum; so all must call.

    Parameters
    ----------
    network : SegmentationNetwork
        Put into evaluation mode.
    dataset : Dataset
        The split.
    batch_size : int
        Images at once; changes nothing but speed and memory.
    device : torch.device, optional
        Where to compute; by default on the GPU if there is one.
    precision : {"auto", "no", "bf16", "fp16"}
        See `Recipe`.
    segment : callable, optional
        Normalised images (B, 3, H, W) -> classes int64 (B, H, W), for instance `segtut.inference.segmenter`'s;
        by default `predict` with this network and precision.

    Returns
    -------
    Tensor
        int64 (K, K) on the CPU, rows truth, columns prediction.

    Raises
    ------
    ValueError
        The network has other classes than the data.
    """
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    network.to(device).eval()
    segment = segment or partial(predict, network, precision=precision)
    classes = network.spec["num_classes"]
    if classes != NUM_CLASSES:
        raise ValueError(f"the network knows {classes} classes, the data {NUM_CLASSES}: its scores would mean nothing")
    matrix = torch.zeros(classes, classes, dtype=torch.int64, device=device)
    mine = range(rank(), len(dataset), processes())
    if mine or processes() == 1:  # fewer images than processes leave some without
        share = Subset(dataset, mine)
        for image, target in make_loader(share, eval_transform(), batch_size, train=False):
            pred = segment(image.to(device, non_blocking=True))
            matrix += confusion_matrix(pred, target.to(device, non_blocking=True), classes)
    return total(matrix).cpu()
