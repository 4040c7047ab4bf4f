"""What the explorer shows of a network: where every position looks, and what it is taken for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segtut.attention import dense_attention
from segtut.data import IGNORE_INDEX, normalise

if TYPE_CHECKING:  # timm, behind it, takes seconds to import, and who plots needs it for nothing else
    from segtut.networks import SegmentationNetwork

POSITIONS = 1024
"""Most positions that a page can hold: every one has a map of as many weights."""


@dataclass
class Looks:
    """What networks do with one image at one moment of their training.

    Attributes
    ----------
    H, W : int
        Height and width of the features.
    passes : dict of str to list of numpy.ndarray
        Criss-cross maps (N, H + W), N = H·W, one for each pass, by network.
    dense : dict of str to numpy.ndarray
        Maps (N, N) of networks that look everywhere: row u is where u looks.
    shared : dict of str to numpy.ndarray
        Maps (N,) that are the same for every position.
    classes : dict of str to numpy.ndarray
        Class of every position by network, (N,) uint8; also of networks without a map, such as an FCN.
    """

    H: int
    W: int
    passes: dict[str, list[np.ndarray]] = field(default_factory=dict)
    dense: dict[str, np.ndarray] = field(default_factory=dict)
    shared: dict[str, np.ndarray] = field(default_factory=dict)
    classes: dict[str, np.ndarray] = field(default_factory=dict)


def look_at(image: np.ndarray, networks: "SegmentationNetwork | Mapping[str, SegmentationNetwork]") -> Looks:
    """Let networks look at an image.

    Parameters
    ----------
    image : numpy.ndarray
        RGB, (h, w, 3) uint8, at the size at which the networks are to see it. A network's `input_size` applies.
    networks : SegmentationNetwork or mapping of str to SegmentationNetwork
        By the name that the page shows. One at least has a map over positions: CCNet, non-local, DANet with its
        position branch, GCNet. A head that holds several in `heads`, a `torch.nn.ModuleDict`, counts as several
        networks. All are left in the mode in which they came.

    Returns
    -------
    Looks

    Raises
    ------
    TypeError
        No network has a map over positions; or the image is no such array.
    ValueError
        Networks of different strides, more than 1024 positions, or weights below 0, which are no shares.
    """
    image = checked_image(image)
    if isinstance(networks, nn.Module):
        networks = {"": networks}
    looks = None
    for name, network in networks.items():
        for own_name, H, W, found, classes in _looks_of(network, image):
            looks = looks or Looks(H, W)
            title = f"{name} {own_name}".strip() if not name or hasattr(network.head, "heads") else str(name)
            if (H, W) != (looks.H, looks.W):
                raise ValueError(
                    f"{title} has features of {H}×{W}, the others of {looks.H}×{looks.W}: side by side go networks of "
                    "the same output stride and input_size"
                )
            looks.classes[title] = classes
            if isinstance(found, list):
                looks.passes[title] = found
            elif found is not None:
                (looks.shared if found.ndim == 1 else looks.dense)[title] = found
    if looks is None or not (looks.passes or looks.dense or looks.shared):
        raise TypeError(
            f"{', '.join(looks.classes) if looks else 'no network'}: no map over positions. Give CCNet with R of at "
            "least 1, non-local, DANet with its position branch, or GCNet; others may stand beside one of them"
        )
    return looks


def checked_image(image) -> np.ndarray:
    """`image`, if it is one."""
    array = np.asarray(image)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise TypeError(f"image is {array.dtype} {array.shape}: needs RGB, (h, w, 3), uint8")
    return array


@torch.no_grad()
def _looks_of(network: "SegmentationNetwork", image: np.ndarray):
    """Yield for each head of the network its name, the features' size, its maps and its classes."""
    parameter = next(network.parameters())
    x = normalise(image).to(parameter)
    if network.input_size:
        x = F.interpolate(x, tuple(network.input_size), mode="bilinear", antialias=True)
    training = network.training
    network.eval()
    try:
        features = network.backbone(x)[1]
        H, W = features.shape[2:]
        if H * W > POSITIONS:
            raise ValueError(
                f"features of {H}×{W} are {H * W} positions, more than the {POSITIONS} of which a page can hold all "
                "maps: give a smaller image, such as 120×160"
            )
        for name, head in _heads(network).items():
            found = _maps(head, features)
            # the class at a position is that of its own scores, before they are enlarged
            yield name, H, W, found, head(features)[0][0].argmax(0).flatten().to("cpu", torch.uint8).numpy()
    finally:
        network.train(training)


def _heads(network: "SegmentationNetwork") -> dict[str, nn.Module]:
    heads = getattr(network.head, "heads", None)
    return {network.spec.get("name", "network"): network.head} if heads is None else dict(heads.items())


def _maps(head: nn.Module, features: Tensor) -> list[np.ndarray] | np.ndarray | None:
    """Maps of each pass, of every position, or of all at once; None of a head that has none."""
    from segtut.networks import CCHead, DAHead, GCHead, NonLocalHead

    if isinstance(head, CCHead) and head.cca is not None:
        y, passes = head.conva(features), []
        for _ in range(head.recurrence):
            y, attention = head.cca(y, return_attention=True)
            passes.append(_shares(attention[0].flatten(0, 1)))
        return passes
    if isinstance(head, NonLocalHead):
        return _shares(dense_attention(head.non_local, head.conva(features))[0])
    if isinstance(head, DAHead) and head.branches != "channel":
        return _shares(dense_attention(head.position, head.position_in(features))[0])
    if isinstance(head, GCHead):
        return _shares(dense_attention(head.gc, head.conva(features), [(0, 0)])[0, 0])
    return None


def _shares(weights: Tensor) -> np.ndarray:
    if not torch.isfinite(weights).all():
        raise ValueError("weights are NaN or infinite: the network's parameters are, or its training diverged")
    if (weights < 0).any():
        raise ValueError("weights below 0 are no shares of anything: the explorer shows maps that a softmax made")
    return weights.float().cpu().numpy()


def truth_at(mask: np.ndarray, H: int, W: int) -> np.ndarray:
    """The commonest class in the square of each position, (N,) uint8; void only where nothing else is.

    Parameters
    ----------
    mask : numpy.ndarray
        Class map (h, w), with `segtut.data.IGNORE_INDEX` for void.
    H, W : int
        Height and width of the features.
    """
    rows, columns = (np.linspace(0, size, parts + 1).round().astype(int) for size, parts in zip(mask.shape, (H, W)))
    truth = np.full((H, W), IGNORE_INDEX, np.uint8)
    for i, j in np.ndindex(H, W):
        square = mask[rows[i] : rows[i + 1], columns[j] : columns[j + 1]]
        if (known := square[square != IGNORE_INDEX]).size:
            truth[i, j] = np.bincount(known).argmax()
    return truth.flatten()
