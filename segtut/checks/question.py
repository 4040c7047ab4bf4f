"""How an answer is judged: by what it computes, never by how it is written.

A question knows the right function in float64, cases from the smallest on, and what people get wrong: each mistake is
an option of the right function, so that the wrong result can be computed. If an answer is wrong and computes in every
case what the function with one of these options, or with two, computes, then that is what is wrong with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from segtut.checks import words
from segtut.checks.call import Inputs, Outcome, call, wrong_kind
from segtut.checks.elsewhere import run_elsewhere

LONGEST = 400
"""Characters of a hint whose smallest case is written out."""


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


def judge(question: Question, answer: Callable[..., Any], seed: int = 0) -> None:
    """Raise AssertionError with a hint unless an answer is right; else print so."""
    assert answer is not None and answer is not Ellipsis, f"{question.name} is {answer}: write it first."
    assert callable(answer), f"{question.name} is {words.thing(answer)}: it must be a function."
    assert not isinstance(answer, type), f"{question.name} is a class: it must be a function."
    cases, outcomes = question.cases(seed), []
    for inputs in cases:
        outcomes.append(call(answer, question.name, inputs))
        if outcomes[-1].kind in ("hang", "unwritten"):
            break
    wants = [_right(question, inputs) for inputs in cases]
    found = [_compare(question, *each) for each in zip(cases, outcomes, wants)]
    if any(found):
        raise AssertionError(_explain(question, answer, cases, outcomes, wants, found))
    # the rest need be tried only once: large enough to tell, small enough for loops
    inputs, outcome = cases[-2], outcomes[-2]
    if problem := (
        _same_again(question, answer, inputs, outcome.value)
        or _double(question, answer, inputs)
        or _gradients(question, answer, inputs)
        or _elsewhere(question, answer, inputs)
    ):
        raise AssertionError(problem)
    praise(question.name, f"{len(cases)} cases", outcomes[-1].printed.lines)


def praise(name: str, tried: str, lines: int) -> None:
    """Say that an answer is right, and how many lines it prints in a call."""
    print(f"{name}: right, on {tried}.")
    if lines:
        print(f"Note: it prints {lines} line{'s' * (lines > 1)} in each call; take that out before you hand it in.")


def _right(question: Question, inputs: Inputs, **options: Any) -> Tensor:
    double = tree_map(lambda t: t.double() if isinstance(t, Tensor) and t.is_floating_point() else t, dict(inputs))
    return question.right(**double, **options)


def close(got: Tensor, want: Tensor, rtol: float = 1e-3, atol: float = 1e-4) -> bool:
    """Whether numbers are the same but for float32's rounding; NaN is NaN."""
    return got.shape == want.shape and torch.allclose(
        got.detach().double().cpu(), want.detach().double().cpu(), rtol=rtol, atol=atol, equal_nan=True
    )


def _compare(question: Question, inputs: Inputs, outcome: Outcome, want: Tensor) -> str | None:
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
        right, want = got.dtype in dtypes, " or ".join(map(str, dtypes))
    else:
        floating = next(t for t in inputs.values() if isinstance(t, Tensor) and t.is_floating_point())
        right, want = got.dtype == floating.dtype, f"the inputs', {floating.dtype}"
    return None if right else f"{question.name} returned the dtype {got.dtype}; it must be {want}."


def _explain(question: Question, answer, cases, outcomes, wants, found) -> str:
    """The sentence that fits best, with the smallest failing case."""
    failing = [i for i, problem in enumerate(found) if problem]
    first = failing[0]
    if outcomes[failing[-1]].kind in ("hang", "unwritten"):
        return _with_case(found[failing[-1]], cases[failing[-1]])
    returned = [i for i, outcome in enumerate(outcomes) if isinstance(outcome.value, Tensor)]
    told = [i for i in returned if found[i] and not close(outcomes[i].value, wants[i])]
    if told and (problem := _same_again(question, answer, cases[told[-1]], outcomes[told[-1]].value)):
        return problem
    if told and (sentence := _recognise(question, cases, outcomes, wants, returned, told)):
        return _with_case(sentence, cases[told[0]], outcomes[told[0]], wants[told[0]])
    values = [outcomes[i].value for i in returned]
    if told and len(values) > 1 and all(value.shape == values[0].shape and close(value, values[0]) for value in values):
        return (
            f"{question.name} returns the same for different inputs: does it use a variable of the notebook in place "
            "of its arguments, or remember an earlier call?"
        )
    if told == failing and all(close(outcomes[i].value, wants[i], rtol=0.05, atol=0.03) for i in told):
        why = "is something rounded, computed in half precision, or a small number added?"
        return f"The numbers are nearly right: {why} {_with_case(found[first], cases[first])}"
    if not told and outcomes[first].changed:
        return _with_case(found[first], cases[first])
    for sentence, holds in question.only:
        inside = [found[i] for i, inputs in enumerate(cases) if holds(inputs)]
        if len(inside) > 1 and not any(inside):
            return _with_case(f"{sentence} {found[first]}", cases[first])
    return _with_case(found[first], cases[first])


def _recognise(question: Question, cases, outcomes, wants, returned, told) -> str | None:
    """The mistake, or the two, whose results are those of the answer in all cases in which it returned something."""
    singles = [(m,) for m in question.mistakes]
    pairs = [pair for pair in combinations(question.mistakes, 2) if not pair[0].options.keys() & pair[1].options.keys()]
    order = [*told, *(i for i in returned if i not in told)]  # a failing case rules most of them out
    if 2 * len(returned) < len(cases):  # two mistakes may fit a few results by chance
        pairs = []
    for mistakes in (*singles, *pairs):
        options = {key: value for mistake in mistakes for key, value in mistake.options.items()}
        if all(_computes(question, cases[i], options, outcomes[i].value) for i in order):
            return " And another: ".join(mistake.sentence for mistake in mistakes)
    return None


def _computes(question: Question, inputs: Inputs, options: Mapping[str, Any], got: Tensor) -> bool:
    try:
        return close(got, _right(question, inputs, **options))
    except Exception:  # a mistake may be impossible with these sizes
        return False


def _with_case(sentence: str, inputs: Inputs, outcome: Outcome | None = None, want: Tensor | None = None) -> str:
    for short in ((), (0,)):  # in full, unless that is too long to be read
        said = f"{sentence} Smallest case: {words.case(inputs, *short)}"
        if outcome is not None and outcome.value.shape != want.shape:
            said += f"; expected the shape {words.shape(want)}, got {words.shape(outcome.value)}"
        elif outcome is not None:
            said += f"; {words.difference(outcome.value, want, *short)}"
        if len(said) < LONGEST:
            break
    return said + "."


def _same_again(question: Question, answer, inputs: Inputs, first: Tensor) -> str | None:
    repeats = (call(answer, question.name, inputs).value for _ in range(3))  # once may be the same by chance
    if all(isinstance(again, Tensor) and close(again, first) for again in repeats):
        return None
    return (
        f"{question.name} returns something else when it is called again with the same input: it must neither draw at "
        "random nor remember anything."
    )


def _double(question: Question, answer, inputs: Inputs) -> str | None:
    if question.dtype is not None:
        return None
    inputs = tree_map(lambda t: t.double() if isinstance(t, Tensor) and t.is_floating_point() else t, dict(inputs))
    problem = _compare(question, inputs, call(answer, question.name, inputs), _right(question, inputs))
    return problem and (
        f"It works in float32 but not in float64: {problem} Give every tensor that you make the dtype of the input, "
        "as in torch.zeros(..., dtype=x.dtype)."
    )


def _gradients(question: Question, answer, inputs: Inputs) -> str | None:
    if not question.gradients:
        return None
    name, inputs = question.name, dict(inputs)
    for key in question.gradients:
        inputs[key] = tree_map(lambda t: t.detach().clone().requires_grad_(), inputs[key])
    outcome = call(answer, name, inputs)
    if problem := outcome.problem:
        return f"It works without gradients, but a network is trained with them: {problem}"
    out = question.finite(outcome.value)
    cut = "The gradient is cut off: .detach(), .data, .item(), torch.tensor(...), NumPy and torch.no_grad() do that."
    if not out.requires_grad:
        return f"{name} computes the right numbers, but nothing before it can learn. {cut}"
    cotangent = torch.randn(out.shape, generator=torch.Generator().manual_seed(0))
    got, want = _leaves(outcome.inputs, question), _leaves(inputs, question)
    right = question.finite(_right(question, inputs))
    # a sum, since grad_outputs would load two seconds' worth of PyTorch
    wants = torch.autograd.grad((right * cotangent).sum(), list(want.values()), allow_unused=True)
    try:
        gots = torch.autograd.grad((out * cotangent).sum(), list(got.values()), allow_unused=True)
    except RuntimeError as error:
        said = str(error).splitlines()[0][:200].rstrip(".")
        return f"{name} has no backward pass: {said}. Work on copies instead of assigning into tensors."
    unlike = {}
    for key, g, w in zip(got, gots, wants):
        w = torch.zeros_like(want[key]) if w is None else w
        g = torch.zeros_like(w) if g is None else g
        if not torch.allclose(g.double(), w.double(), rtol=1e-2, atol=1e-3 * (1 + w.abs().max().item())):
            unlike[key] = "none" if not g.any() else "NaN" if g.isnan().any() else "wrong"
    if not unlike:
        return None
    names = words.listed(unlike)
    if "NaN" in unlike.values():
        return (
            f"{name} computes the right numbers, but the gradient of {names} is NaN: is −∞ multiplied by 0, or "
            "subtracted from itself?"
        )
    if none := [
        key for key, what in unlike.items() if what == "none"
    ]:  # what stands before them is wrong because of it
        return f"{name} computes the right numbers, but no gradient reaches {words.listed(none)}. {cut}"
    return f"{name} computes the right numbers, but the gradient of {names} is another than it should be. {cut}"


def _leaves(inputs: Inputs, question: Question) -> dict[str, Tensor]:
    """The tensors that the gradient must reach, by name."""
    leaves = {}
    for key in question.gradients:
        leaves |= inputs[key] if isinstance(inputs[key], Mapping) else {key: inputs[key]}
    return leaves


def _elsewhere(question: Question, answer, inputs: Inputs) -> str | None:
    if not question.elsewhere:
        return None
    outcome = call(lambda *args: run_elsewhere(answer, *args), question.name, inputs)
    if outcome.value is None:
        return None
    where = "Make it where the input is, as in torch.zeros(..., device=x.device)."
    why = {
        "two devices": f"it makes a tensor there and combines it with its input. {where}",
        "numpy": "NumPy cannot read a tensor on a GPU. Stay in PyTorch.",
        "result": f"its result is there even if its input is on a GPU. {where}",
    }
    return f"{question.name} works on the CPU only: {why[outcome.value]}"
