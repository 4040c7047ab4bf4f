"""Every operator in one compiled graph, and exported with free sizes."""

import pytest
import torch

from tests.attention.common import OPERATORS, B, C, H, W, assert_equal, build, randn

# one of each structure: the others are parts of these, or differ in a number only
LEFT_OUT = (
    "-add",
    "-multiply",
    "average-both",
    "unscaled",
    "unscaled-dense",
    "-paper",
    "dense-pooled",
    "gaussian-dense",
)
STRUCTURES = [name for name in OPERATORS if not name.endswith(LEFT_OUT)]
operator = pytest.mark.parametrize(
    "name", [*STRUCTURES, "global_context-average-add", "non_local-concatenation-dense-pooled"]
)


@pytest.fixture(autouse=True)
def forget_earlier_graphs():
    torch.compiler.reset()


@pytest.mark.parametrize(
    "name, backend",
    [
        *((name, "aot_eager") for name in STRUCTURES),  # traces forward and backward, and generates no code
        ("criss_cross-fast", "inductor"),
        ("non_local-embedded_gaussian-sdpa-pooled", "inductor"),
    ],
)
def test_compiles_to_one_graph(name, backend):
    module = build(name, dtype=torch.float32)
    results = []
    for function in (torch.compile(module, fullgraph=True, backend=backend), module):
        x = randn(B, C, H, W, dtype=torch.float32).contiguous(memory_format=torch.channels_last).requires_grad_()
        out = function(x)
        results.append([out, *torch.autograd.grad(out.square().mean(), [x, *module.parameters()])])
    for compiled, eager in zip(*results, strict=True):
        assert_equal(compiled, eager, atol=1e-5 * max(1.0, eager.abs().max().item()))


@pytest.mark.parametrize(
    "name", ["criss_cross-fast", "criss_cross-by_hand", "criss_cross-bmm", "position-sdpa", "channel-code"]
)
def test_compiles_under_autocast(name):
    module, x = build(name, dtype=torch.float32), randn(B, C, H, W, dtype=torch.bfloat16)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    with torch.autocast("cpu", torch.bfloat16):
        assert_equal(compiled(x, return_attention=True), module(x, return_attention=True), atol=0.05)


@operator
def test_exports_with_free_sizes(name):
    module = build(name, dtype=torch.float32)
    smallest = 4 if name.endswith("pooled") else 2  # an exported graph takes no axis of 1, pooled ones included
    sizes = {axis: torch.export.Dim(size, min=smallest, max=64) for axis, size in ((2, "H"), (3, "W"))}
    sizes[0] = torch.export.Dim("B", min=2, max=64)
    x = randn(B, C, H, W, dtype=torch.float32)
    program = torch.export.export(module, (x,), dynamic_shapes={"x": sizes})
    for shape in ((B, C, H, W), (3, C, 4, 9)):
        x = randn(*shape, dtype=torch.float32)
        assert_equal(program.module()(x), module(x), atol=1e-5)
