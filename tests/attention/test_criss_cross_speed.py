"""CrissCrossAttention compiled, exported, and against the clock."""

import statistics
import time

import pytest
import torch
from torch import nn

from segtut.attention import CrissCrossAttention

B, C, H, W = 2, 16, 5, 7
IMPLEMENTATIONS = ("fast", "bmm")
implementation = pytest.mark.parametrize("implementation", IMPLEMENTATIONS)


def make_module(implementation, channels=C):
    torch.manual_seed(0)
    module = CrissCrossAttention(channels, implementation=implementation)
    nn.init.constant_(module.gamma, 0.7)
    return module


def make_x(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("implementation, backend", [("fast", "aot_eager"), ("bmm", "aot_eager"), ("fast", "inductor")])
def test_compiles_to_one_graph(implementation, backend):
    torch.compiler.reset()
    module = make_module(implementation)
    compiled = torch.compile(module, fullgraph=True, backend=backend)
    results = []
    for function in (compiled, module):
        x = make_x(B, C, H, W).requires_grad_()
        out, attention = function(x, return_attention=True)
        gradients = torch.autograd.grad(out.square().sum(), [x, *module.parameters()])
        results.append([out, attention, *gradients])
    torch.testing.assert_close(*results, rtol=1e-5, atol=1e-4)


@implementation
def test_compiles_under_autocast(implementation):
    torch.compiler.reset()
    module, x = make_module(implementation), make_x(B, C, H, W).bfloat16()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(compiled(x), module(x), rtol=0, atol=0.02)


@implementation
def test_exports_with_free_sizes(implementation):
    module = make_module(implementation)
    sizes = {axis: torch.export.Dim(name, min=2, max=64) for axis, name in ((0, "B"), (2, "H"), (3, "W"))}
    program = torch.export.export(module, (make_x(B, C, H, W),), dynamic_shapes={"x": sizes})
    for shape in ((B, C, H, W), (3, C, 4, 9)):
        x = make_x(*shape)
        torch.testing.assert_close(program.module()(x), module(x), rtol=0, atol=1e-5)


def test_the_fast_form_is_faster(record_property):
    modules = {name: make_module(name, channels=512) for name in IMPLEMENTATIONS}
    x = make_x(1, 512, 60, 60)
    ratios = []
    with torch.inference_mode():
        outputs = [module(x) for module in modules.values()]
        torch.testing.assert_close(*outputs, rtol=0, atol=1e-5)
        for _ in range(15):  # in turns, so that other work on the machine hits both; the median forgets its spikes
            seconds = {}
            for name, module in modules.items():
                start = time.perf_counter()
                module(x)
                seconds[name] = time.perf_counter() - start
            ratios.append(seconds["bmm"] / seconds["fast"])
    ratio = statistics.median(ratios)
    record_property("bmm / fast", ratio)
    assert ratio >= 1.1, f"bmm takes {ratio:.2f} times as long as fast; in turns: {sorted(ratios)}"
