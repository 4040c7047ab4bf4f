"""Costs: published FLOPs, formula against counter, bad input."""

import pytest
import torch
from torch import nn

from segtut import attention, cost
from segtut.attention import (
    ChannelAttention,
    CrissCrossAttention,
    GlobalContext,
    NonLocal,
    PositionAttention,
    SimplifiedNonLocal,
    SqueezeExcitation,
)
from segtut.attention.criss_cross import IMPLEMENTATIONS
from segtut.attention.global_context import FUSIONS
from segtut.attention.non_local import MODES
from segtut.networks import HEADS, build_network

B, C, H, W = 2, 16, 5, 7
N = H * W
PUBLISHED = (1, 512, 97, 97)

OPERATORS = [
    *[CrissCrossAttention(C, implementation=name) for name in IMPLEMENTATIONS],
    CrissCrossAttention(C, reduction=4),
    *[NonLocal(C, mode=mode, pooled=pooled) for mode in MODES for pooled in (False, True)],
    NonLocal(C, implementation="dense", inner=3, norm=True, scaled=False),
    *[PositionAttention(C, implementation=name) for name in ("sdpa", "dense")],
    PositionAttention(C, C_qk=3),
    *[ChannelAttention(variant=name) for name in ("code", "paper")],
    SimplifiedNonLocal(C),
    SqueezeExcitation(C, reduction=4),
    *[GlobalContext(C, pooling=pooling, fusion=fusion) for pooling in ("attention", "average") for fusion in FUSIONS],
    nn.Sequential(
        CrissCrossAttention(C),
        nn.Conv2d(C, 6, (3, 2), stride=2, groups=2),
        nn.AdaptiveAvgPool2d((3, 4)),
        nn.Linear(4, 9),
    ),
]
HEAD_OPTIONS = [
    *[(name, {}) for name in HEADS],
    *[("ccnet", {"recurrence": R}) for R in (0, 1, 3)],
    *[("danet", {"branches": which}) for which in ("position", "channel")],
    *[("nonlocal", {"mode": mode, "concat": False}) for mode in MODES],
    ("ema", {"stages": 2, "bases": 5, "ema_channels": 6}),
    ("psp", {"scales": (1, 4)}),
    ("aspp", {"dilations": (1, 2, 3)}),
    ("gcnet", {"fusion": "both", "pooling": "average"}),
]


class Multiply(nn.Module):
    """A product that has no formula."""

    def forward(self, x):
        return torch.einsum("bchw, bdhw -> bcd", x, x)


def test_published_figures():
    criss_cross = CrissCrossAttention(512)
    gigaflop = lambda module: cost.flops(module, PUBLISHED) / 1e9  # noqa: E731
    assert round(gigaflop(PositionAttention(512)), 1) == 108.2  # the paper's non-local: 108
    assert round(gigaflop(criss_cross), 2) == 8.27
    assert round(gigaflop(nn.Sequential(criss_cross, criss_cross)), 1) == 16.5
    assert round(gigaflop(NonLocal(512)), 1) == 100.5  # half as many channels inside, instead of 64 and 512


def test_flops_are_what_the_sizes_say():
    projections = 2 * B * N * C * (2 + 2 + C)
    assert cost.flops(CrissCrossAttention(C), (B, C, H, W)) == projections + 2 * B * N * (H + W) * (2 + C)
    assert cost.flops(PositionAttention(C), (B, C, H, W)) == projections + 2 * B * N * N * (2 + C)
    assert cost.flops(ChannelAttention(), (B, C, H, W)) == 2 * 2 * B * C * C * N


def test_every_operator_is_among_the_cases():
    classes = {value for name in attention.__all__ if isinstance(value := getattr(attention, name), type)}
    assert classes == {type(module) for module in OPERATORS} - {nn.Sequential}
    assert {name for name, _ in HEAD_OPTIONS} == set(HEADS)


@pytest.mark.parametrize("module", OPERATORS, ids=lambda m: str(getattr(m, "mode", "")) + type(m).__name__)
def test_formula_is_count_for_operators(module):
    for shape in ((B, C, H, W), (3, C, 11, 4)):
        assert cost.flops_by_formula(module, shape) == cost.flops(module, shape) > 0


@pytest.mark.parametrize(("name", "options"), HEAD_OPTIONS)
def test_formula_is_count_for_heads(name, options):
    head = HEADS[name](64, 6, **options)
    for shape in ((B, 64, H, W), (3, 64, 11, 4)):
        assert cost.flops_by_formula(head, shape) == cost.flops(head, shape) > 0


@pytest.mark.parametrize(("name", "backbone"), [("ccnet", "resnet10t"), ("danet", "resnet10t"), ("ema", "resnet10t")])
def test_formula_is_count_for_networks(name, backbone):
    network = build_network(name, backbone, auxiliary=True)
    assert cost.flops_by_formula(network, (40, 56)) == cost.flops(network, (40, 56))
    assert cost.flops(network, (2, 3, 40, 56)) == 2 * cost.flops(network, (40, 56))


@pytest.mark.parametrize("inside", [Multiply(), nn.ConvTranspose2d(C, C, 2), nn.MultiheadAttention(W, 1)])
def test_a_product_without_formula_is_an_error(inside):
    if isinstance(inside, nn.MultiheadAttention):
        inside.forward = lambda x, f=inside.forward: f(x[0], x[0], x[0])[0]
    with pytest.raises(TypeError, match=f"{type(inside).__name__} multiplies matrices and has no formula: register"):
        cost.flops_by_formula(nn.Sequential(nn.ReLU(), inside), (B, C, H, W))
    assert cost.flops_by_formula(nn.Sequential(nn.ReLU(), nn.BatchNorm2d(C)), (B, C, H, W)) == 0


def test_a_formula_can_be_registered():
    class Mine(Multiply):
        pass

    cost.own_flops.register(Mine, lambda module, x, out: 2 * x.numel() * x[1])
    assert cost.flops_by_formula(Mine(), (B, C, H, W)) == cost.flops(Mine(), (B, C, H, W)) == 2 * B * C * C * N


def test_the_module_stays_as_it_was():
    module = nn.Sequential(PositionAttention(C), nn.BatchNorm2d(C), nn.Dropout2d(0.1))
    before = {name: t.clone() for name, t in module.state_dict().items()}
    cost.flops(module, (B, C, H, W))
    cost.flops_by_formula(module, (B, C, H, W))
    cost.measure(module, (B, C, H, W), repeats=1)
    assert module.training and module[0].implementation == "sdpa"
    assert all(torch.equal(t, before[name]) for name, t in module.state_dict().items())
    assert all(p.grad is None for p in module.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_parameters():
    module = CrissCrossAttention(C)
    assert cost.parameters(module) == 2 * (C * 2 + 2) + C * C + C + 1
    module.query_conv.requires_grad_(False)
    assert cost.parameters(module) == (C * 2 + 2) + C * C + C + 1


FUNCTIONS = [
    cost.flops, cost.flops_by_formula, cost.activation_memory, cost.peak_memory, cost.latency, cost.measure
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("module", "shape", "kind", "said"),
    [
        (CrissCrossAttention, (B, C, H, W), TypeError, "the class CrissCrossAttention: pass an nn.Module"),
        ("ccnet", (B, C, H, W), TypeError, "module is a str"),
        (nn.Conv2d(C, C, 1), (C, H, W), ValueError, r"shape=\(16, 5, 7\): pass \(B, C, H, W\)"),
        (nn.Conv2d(C, C, 1), (B, C, 0, W), ValueError, "of at least 1"),
        (nn.Conv2d(C, C, 1), 5, ValueError, "shape=5"),
        (nn.Conv2d(C, C, 1), (B, C + 1, H, W), ValueError, r"shape=\(2, 17, 5, 7\): Conv2d cannot be called on it"),
        (
            nn.Sequential(nn.Conv2d(8, 8, 1)),
            (H, W),
            ValueError,
            r"shape=\(1, 3, 5, 7\): Sequential cannot be called on it",
        ),
        (CrissCrossAttention(C), (B, C + 1, H, W), ValueError, "x has 17 channels"),
    ],
)
def test_errors(function, module, shape, kind, said):
    with pytest.raises(kind, match=said):
        function(module, shape)


def test_parameters_of_something_else():
    with pytest.raises(TypeError, match="module is a int"):
        cost.parameters(3)
