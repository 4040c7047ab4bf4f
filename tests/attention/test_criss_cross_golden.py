"""CrissCrossAttention gives the numbers of the published modules: outputs and gradients."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from segtut.attention import CrissCrossAttention

GOLDEN = Path(__file__).parents[2] / "../shared/golden"
CASES = {"cca_mmcv_c16_b2_5x7": 1, "cca_mmcv_R2_c16_b2_5x7": 2, "cca_ccnet_c16_b2_5x7": 1}  # name: passes


@pytest.mark.skipif(not GOLDEN.exists(), reason="no golden vectors beside this checkout (../shared/golden)")
@pytest.mark.parametrize("implementation", ["fast", "bmm"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("precision", ["f32", "f64"])
def test_equals_the_published_modules(case, precision, implementation):
    file = f"{case}__{precision}.safetensors"
    tensors = load_file(GOLDEN / file)
    (entry,) = (entry for entry in json.loads((GOLDEN / "index.json").read_text()) if entry["file"] == file)

    def ours(name):  # mmcv keeps gamma in a module of its own, without an axis
        return name.replace("gamma.scale", "gamma")

    def published(prefix):
        found = {ours(name.removeprefix(prefix)): t for name, t in tensors.items() if name.startswith(prefix)}
        return {name: t.view(1) if name == "gamma" else t for name, t in found.items()}

    x = tensors["input"].requires_grad_()
    module = CrissCrossAttention(x.shape[1], implementation=implementation).to(x.dtype)
    module.load_state_dict(published("param."))
    output = nn.Sequential(*[module] * CASES[case])(x)
    output.backward(tensors["cotangent"])

    gradients = {name: parameter.grad for name, parameter in module.named_parameters()}
    references = published("grad.param.")
    assert gradients.keys() == references.keys()
    zero = {ours(name.removeprefix("grad.param.")) for name in entry["mathematically_zero_grads"]}
    assert zero == {"key_conv.bias"}

    pairs = {name: (gradients[name], references[name]) for name in references}
    pairs |= {"output": (output, tensors["output"]), "input": (x.grad, tensors["grad.input"])}
    for name, (actual, reference) in pairs.items():
        # tolerances of the golden vectors' NOTES.md, relative to the largest value; rounding noise has no scale
        relative = 1e-11 if precision == "f64" else 1e-5 if name == "output" else 1e-4
        scale = 1.0 if precision == "f64" or name in zero else reference.abs().max().item()
        torch.testing.assert_close(
            actual, reference, rtol=0, atol=relative * scale, msg=lambda text, name=name: f"{name}: {text}"
        )
