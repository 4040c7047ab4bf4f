"""Values as a student reads them in a hint."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

SMALL = 12
"""Numbers up to which a tensor is written out."""
FEW = 8
"""Numbers up to which two results are, one after the other."""


def number(value: Any) -> str:
    """A number in few digits: 0.25, −∞, NaN, 3."""
    if isinstance(value, bool | int):
        return str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value + 0.0:.4g}".replace("-", "−")  # + 0.0 makes 0 of −0


def tensor(value: Tensor, small: int = SMALL) -> str:
    """A small tensor as nested lists, a large one by its shape."""
    if value.numel() > small:
        return f"a tensor of shape {shape(value)}"

    def nested(part):
        return "[" + ", ".join(map(nested, part)) + "]" if isinstance(part, list) else number(part)

    return nested(value.detach().cpu().tolist())


def shape(value: Tensor) -> str:
    """(2, 16, 5, 7)."""
    return str(tuple(value.shape))


def thing(value: Any) -> str:
    """What kind of thing an answer returned, in words."""
    if value is None:
        return "None"
    if isinstance(value, Tensor):
        return f"a tensor of shape {shape(value)}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    name = "NumPy array" if isinstance(value, np.ndarray) else type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def listed(names: Iterable[str]) -> str:
    """q, k and v."""
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def case(inputs: Mapping[str, Any], small: int = SMALL) -> str:
    """The inputs of a call: small tensors in full, large ones by their shape."""
    said = []
    for name, value in inputs.items():
        if isinstance(value, Tensor):
            text = tensor(value, small)
            said.append(f"{name} of shape {shape(value)}" if text.startswith("a tensor") else f"{name} = {text}")
        elif hasattr(value, "shown"):
            said.append(f"{name} = {value.shown}")
        elif isinstance(value, Mapping):
            said.append(f"{name} drawn at random")
        elif not callable(value):
            said.append(f"{name} = {value!r}")
    return ", ".join(said)


def difference(got: Tensor, want: Tensor, small: int = FEW) -> str:
    """Where and how two tensors of one shape differ: in full if they are small, else at the first place."""
    if max(got.numel(), want.numel()) <= small:
        return f"expected {tensor(want)}, got {tensor(got)}"
    got, want = got.detach().cpu(), want.detach().cpu()
    unlike = ~torch.isclose(got.double(), want.double(), rtol=1e-3, atol=1e-4, equal_nan=True)
    place = tuple(unlike.nonzero()[0].tolist()) if unlike.any() else (0,) * got.ndim
    share = f"{int(unlike.sum())} of {unlike.numel()} numbers differ"
    return (
        f"{share}, the first at {list(place)}: expected {number(want[place].item())}, got {number(got[place].item())}"
    )
