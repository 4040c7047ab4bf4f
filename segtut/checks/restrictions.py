"""Where an answer may be right although it is wrong elsewhere."""

from collections.abc import Callable, Mapping
from typing import Any

Restriction = tuple[str, Callable[[Mapping[str, Any]], bool]]


def image_shape(inputs: Mapping[str, Any]) -> tuple[int, int, int]:
    """B, H and W of the inputs of a case."""
    features = next(inputs[name] for name in ("x", "q", "v") if name in inputs)
    B, _, H, W = features.shape
    return B, H, W


def _square(inputs):
    _, H, W = image_shape(inputs)
    return H == W


def _sides(inputs):
    return min(image_shape(inputs)[1:]) > 1


SQUARE: Restriction = ("It is right only where H = W: height and width are mixed up somewhere.", _square)
ONE_IMAGE: Restriction = (
    "It is right only for a single image: the images of a batch are mixed up.",
    lambda inputs: image_shape(inputs)[0] == 1,
)
SEVERAL_IMAGES: Restriction = (
    "It is wrong only for a single image: does a .squeeze() take the batch axis away?",
    lambda inputs: image_shape(inputs)[0] > 1,
)
SIDES: Restriction = (
    "It is wrong only where H or W is 1: is that case treated apart, or does a .squeeze() take that axis away?",
    _sides,
)
NO_AXIS_OF_ONE: Restriction = (
    "It is wrong only where B, H or W is 1: does a .squeeze() take that axis away?",
    lambda inputs: min(image_shape(inputs)) > 1,
)
ALL: tuple[Restriction, ...] = (SQUARE, ONE_IMAGE, SEVERAL_IMAGES, SIDES, NO_AXIS_OF_ONE)
