"""A question: the right function in float64, cases from the smallest on, and what people get wrong.

Each mistake is an option of the right function, so that the wrong result can be computed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from segtut.checks import words
from segtut.checks.call import Inputs, Outcome, wrong_kind


@dataclass(frozen=True)
class Mistake:
    """Something that people get wrong: the sentence that a student reads, and the option that computes it."""

    sentence: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """A function that students write.

    Attributes
    ----------
    name : str
        As students call it.
    right : callable
        ``right(**inputs, **options)`` -> Tensor in float64 (or in an exact dtype); without options the right result.
    cases : callable
        ``cases(seed)`` -> list of inputs, name -> value in the order of the arguments, smallest first. Floating
        tensors are float32.
    mistakes : sequence of Mistake
        From the most telling on.
    shape : str
        The result's shape in the book's letters, for the sentences.
    dtype : torch.dtype or tuple of them, optional
        The result's; by default that of the floating inputs.
    gradients : tuple of str
        Inputs that the gradient must reach; empty for what is not differentiated.
    only : sequence of (str, callable)
        Sentences for answers that are right where ``predicate(inputs)`` holds and wrong elsewhere.
    finite : callable
        Makes a result one that can be differentiated, where it holds −∞.
    elsewhere : bool
        Whether it must work on whatever device its input is on.
    """

    name: str
    right: Callable[..., Tensor]
    cases: Callable[[int], list[Inputs]]
    mistakes: tuple[Mistake, ...]
    shape: str
    dtype: torch.dtype | tuple[torch.dtype, ...] | None = None
    gradients: tuple[str, ...] = ()
    only: tuple[tuple[str, Callable[[Inputs], bool]], ...] = ()
    finite: Callable[[Tensor], Tensor] = field(default=lambda t: t)
    elsewhere: bool = True


def right(question: Question, inputs: Inputs, **options: Any) -> Tensor:
    """What a question's function computes in float64, with options."""
    double = tree_map(lambda t: t.double() if isinstance(t, Tensor) and t.is_floating_point() else t, dict(inputs))
    return question.right(**double, **options)


def close(got: Tensor, want: Tensor, rtol: float = 1e-3, atol: float = 1e-4) -> bool:
    """Whether numbers are the same but for float32's rounding; NaN is NaN."""
    return got.shape == want.shape and torch.allclose(
        got.detach().double().cpu(), want.detach().double().cpu(), rtol=rtol, atol=atol, equal_nan=True
    )


def compare(question: Question, inputs: Inputs, outcome: Outcome, want: Tensor) -> str | None:
    """What is wrong with the outcome of one case, in general words; None if nothing is."""
    name, got = question.name, outcome.value
    if outcome.problem:
        return outcome.problem
    if problem := wrong_kind(got, name, outcome.printed):
        return problem
    if got.shape != want.shape:
        return (
            f"{name} returned a tensor of shape {words.shape(got)}; it must be {question.shape} = {words.shape(want)}."
        )
    if problem := _wrong_dtype(question, inputs, got):
        return problem
    changes = outcome.changed and (
        f"{name} changes its input {words.listed(outcome.changed)}, which whoever called it still needs: work on a "
        "copy, without operations such as += or those that end in _."
    )
    if not close(got, want):
        return changes or f"{name} returned other numbers than it should: {words.difference(got, want)}."
    return changes or None


def _wrong_dtype(question: Question, inputs: Inputs, got: Tensor) -> str | None:
    if question.dtype is not None:
        dtypes = question.dtype if isinstance(question.dtype, tuple) else (question.dtype,)
        good, want = got.dtype in dtypes, " or ".join(map(str, dtypes))
    else:
        floating = next(t for t in inputs.values() if isinstance(t, Tensor) and t.is_floating_point())
        good, want = got.dtype == floating.dtype, f"the inputs', {floating.dtype}"
    return None if good else f"{question.name} returned the dtype {got.dtype}; it must be {want}."
