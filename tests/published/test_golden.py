"""Our modules give the numbers of the published ones: every golden file, outputs and gradients."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from segtut import published
from segtut.published.build import NOT_OFFERED

GOLDEN = Path(__file__).parents[2] / "../shared/golden"
INDEX = json.loads((GOLDEN / "index.json").read_text()) if GOLDEN.exists() else []
CASES = [entry for entry in INDEX if entry["module"] not in NOT_OFFERED]


def call(module, entry, x):
    if entry["forward"].startswith("2 successive"):
        return module(module(x))
    if "recurrence=2" in entry["forward"]:
        return module(x, recurrence=2)
    return module([x]) if "[input]" in entry["forward"] else module(x)


@pytest.mark.skipif(not CASES, reason="no golden vectors beside this checkout (../shared/golden)")
@pytest.mark.parametrize("entry", CASES, ids=[entry["file"].removesuffix(".safetensors") for entry in CASES])
def test_equals_the_published_module(entry):
    tensors = load_file(GOLDEN / entry["file"])
    module = published.build(entry["module"], entry["constructor"], tensors)
    x = tensors["input"].requires_grad_()
    outputs = call(module, entry, x)
    if isinstance(outputs, torch.Tensor):
        outputs, wanted, cotangents = (outputs,), (tensors["output"],), (tensors["cotangent"],)
    else:
        wanted = [tensors[f"output.{i}"] for i in range(len(outputs))]
        cotangents = [tensors[f"cotangent.{i}"] for i in range(len(outputs))]
    torch.autograd.backward(outputs, cotangents)

    double = entry["dtype"] == "f64"
    for i, (output, reference) in enumerate(zip(outputs, wanted, strict=True)):
        assert_close(output, reference, 1e-11 if double else 1e-5 * reference.abs().max(), f"output {i}")

    found = published.gradients(module) | {"input": x.grad}
    references = {
        name.removeprefix("grad.").removeprefix("param."): t for name, t in tensors.items() if name.startswith("grad.")
    }
    assert found.keys() == references.keys()
    own = dict(module.named_parameters())
    assert {
        name for name, ours in module.published_names.items() if ours in own and not own[ours].requires_grad
    } == set(entry["frozen_params"])
    for name, reference in references.items():
        zero = f"grad.param.{name}" in entry["mathematically_zero_grads"]
        scale = 1.0 if double or zero else reference.abs().max()
        assert_close(found[name].view(reference.shape), reference, (1e-11 if double else 1e-4) * scale, name)


def assert_close(actual, reference, atol, name):
    torch.testing.assert_close(actual, reference, rtol=0, atol=float(atol), msg=lambda text: f"{name}: {text}")
