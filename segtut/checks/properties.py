"""What must hold of an answer whose numbers are right: each function returns a sentence where it does not."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from segtut.checks import words
from segtut.checks.call import Inputs, call
from segtut.checks.elsewhere import run_elsewhere
from segtut.checks.question import Question, close, compare, right


def same_again(question: Question, answer, inputs: Inputs, first: Tensor) -> str | None:
    """It must compute the same again."""
    repeats = (call(answer, question.name, inputs).value for _ in range(3))  # once may be the same by chance
    if all(isinstance(again, Tensor) and close(again, first) for again in repeats):
        return None
    return (
        f"{question.name} returns something else when it is called again with the same input: it must neither draw at "
        "random nor remember anything."
    )


def double(question: Question, answer, inputs: Inputs) -> str | None:
    """It must work in float64, too."""
    if question.dtype is not None:
        return None
    inputs = tree_map(lambda t: t.double() if isinstance(t, Tensor) and t.is_floating_point() else t, dict(inputs))
    problem = compare(question, inputs, call(answer, question.name, inputs), right(question, inputs))
    return problem and (
        f"It works in float32 but not in float64: {problem} Give every tensor that you make the dtype of the input, "
        "as in torch.zeros(..., dtype=x.dtype)."
    )


def gradients(question: Question, answer, inputs: Inputs) -> str | None:
    """The right gradient must reach the inputs."""
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
    expected = question.finite(right(question, inputs))
    # a sum, since grad_outputs would load two seconds' worth of PyTorch
    wants = torch.autograd.grad((expected * cotangent).sum(), list(want.values()), allow_unused=True)
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
    # where none arrives, what stands before is wrong because of it
    if none := [key for key, what in unlike.items() if what == "none"]:
        return f"{name} computes the right numbers, but no gradient reaches {words.listed(none)}. {cut}"
    return f"{name} computes the right numbers, but the gradient of {names} is another than it should be. {cut}"


def _leaves(inputs: Inputs, question: Question) -> dict[str, Tensor]:
    """The tensors that the gradient must reach, by name."""
    leaves = {}
    for key in question.gradients:
        leaves |= inputs[key] if isinstance(inputs[key], Mapping) else {key: inputs[key]}
    return leaves


def elsewhere(question: Question, answer, inputs: Inputs) -> str | None:
    """It must work where its input is."""
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
