"""Our module against a function of the same published parameters: outputs and all gradients, in float64."""

import torch

from segtut import published
from tests.published.references import Weights


def draw(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def outputs_and_gradients(outputs, x, parameters):
    """Outputs as a tuple, and gradients by name of their sum with fixed weights; unused and frozen ones left out."""
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    loss = sum((out * draw(*out.shape, seed=2 + i)).sum() for i, out in enumerate(outputs))
    wanted = {name: t for name, t in ({"input": x} | parameters).items() if t.requires_grad}
    found = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True)
    return outputs, {name: g for name, g in zip(wanted, found, strict=True) if g is not None}


def own(module):
    """Parameters of a built module by their published names."""
    parameters = dict(module.named_parameters())
    return {name: parameters[ours] for name, ours in module.published_names.items() if ours in parameters}


def draw_weights(function, shape):
    """The parameters that a reference asks for, with which it was run on an input of that shape."""
    p = Weights()
    function(draw(*shape), p)
    return p


def assert_agrees(name, constructor, function, shape, call=lambda module, x: module(x)):
    """`published.build` of that name and `function` give the same numbers."""
    p, x = draw_weights(function, shape), draw(*shape).requires_grad_()
    module = published.build(name, constructor, {parameter: t.detach() for parameter, t in p.items()})
    assert module.published_names.keys() == p.keys()
    assert_same(outputs_and_gradients(call(module, x), x, own(module)), outputs_and_gradients(function(x, p), x, p))


def assert_same(found, wanted, tolerance=1e-10):
    """Outputs and gradients, each within the tolerance of its largest number."""
    (outputs, gradients), (references, reference_gradients) = found, wanted
    assert len(outputs) == len(references) and gradients.keys() == reference_gradients.keys()
    pairs = {f"output {i}": pair for i, pair in enumerate(zip(outputs, references, strict=True))}
    pairs |= {name: (gradients[name], reference) for name, reference in reference_gradients.items()}
    for name, (a, b) in pairs.items():
        atol = tolerance * max(b.abs().max().item(), 1.0)
        b = b.view(a.shape)  # gamma is () in mmcv and (1,) here
        torch.testing.assert_close(a, b, rtol=0, atol=atol, msg=lambda text, name=name: f"{name}: {text}")
