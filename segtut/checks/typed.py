"""Numbers that a student typed into a dictionary."""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from torch import Tensor

from segtut.checks import words


def require_entries(answer: Any, name: str, keys: Iterable[str]) -> None:
    """Hold an answer to a dictionary that has all keys."""
    assert answer is not None and answer is not Ellipsis, f"{name} is {answer}: write it first."
    assert isinstance(answer, Mapping), f"{name} is {words.thing(answer)}: it must be a dictionary."
    missing = [key for key in keys if key not in answer]
    assert not missing, f'{name} has no entry "{missing[0]}": leave the keys as they are.'


def number(value: Any, said: str, form: str) -> Real | Decimal:
    """One typed number, also as an array of one element; `said` and `form` stand in the hint if it is none."""
    assert value is not Ellipsis and value is not None, f"{said} is {value}: write your number there."
    if isinstance(value, Tensor | np.ndarray) and math.prod(value.shape) == 1:
        value = value.item()
    is_number = isinstance(value, Real | Decimal) and not isinstance(value, bool)
    assert is_number, f"{said} is {words.thing(value)}: it must be a number, {form}."
    return value
