"""How an answer is judged: by what it computes, never by how it is written.

If an answer is wrong and computes in every case what the right function with one of its mistakes, or with two,
computes, then that is what is wrong with it.
"""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

from torch import Tensor

from segtut.checks import words
from segtut.checks.call import Inputs, Outcome, call
from segtut.checks.properties import double, elsewhere, gradients, same_again
from segtut.checks.question import Question, close, compare, right

LONGEST = 400
"""Characters of a hint whose smallest case is written out."""


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
    wants = [right(question, inputs) for inputs in cases]
    found = [compare(question, *each) for each in zip(cases, outcomes, wants)]
    if any(found):
        raise AssertionError(_explain(question, answer, cases, outcomes, wants, found))
    # the rest need be tried only once: large enough to tell, small enough for loops
    inputs, outcome = cases[-2], outcomes[-2]
    if problem := (
        same_again(question, answer, inputs, outcome.value)
        or double(question, answer, inputs)
        or gradients(question, answer, inputs)
        or elsewhere(question, answer, inputs)
    ):
        raise AssertionError(problem)
    praise(question.name, f"{len(cases)} cases", outcomes[-1].printed.lines)


def praise(name: str, tried: str, lines: int) -> None:
    """Say that an answer is right, and how many lines it prints in a call."""
    print(f"{name}: right, on {tried}.")
    if lines:
        print(f"Note: it prints {lines} line{'s' * (lines > 1)} in each call; take that out before you hand it in.")


def _explain(question: Question, answer, cases, outcomes, wants, found) -> str:
    """The sentence that fits best, with the smallest failing case."""
    failing = [i for i, problem in enumerate(found) if problem]
    first = failing[0]
    if outcomes[failing[-1]].kind in ("hang", "unwritten"):
        return _with_case(found[failing[-1]], cases[failing[-1]])
    returned = [i for i, outcome in enumerate(outcomes) if isinstance(outcome.value, Tensor)]
    told = [i for i in returned if found[i] and not close(outcomes[i].value, wants[i])]
    if told and (problem := same_again(question, answer, cases[told[-1]], outcomes[told[-1]].value)):
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
        want = right(question, inputs, **options)
        # where large numbers cancel, such as exp() of energies, float32 leaves an error of their size, not the sum's
        size = want.abs().nan_to_num(0, 0, 0).max().item() if want.is_floating_point() and want.numel() else 0.0
        return close(got, want, atol=max(1e-4, 1e-5 * size))
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
