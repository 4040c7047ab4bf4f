"""What shifting the logits, shuffling the positions and turning the image change, and what they don't."""

import pytest
import torch
from torch import nn

from segtut.attention import CrissCrossAttention
from segtut.attention import criss_cross as cc
from segtut.attention.non_local import non_local, non_local_sdpa
from tests.attention.common import OPERATORS, B, C, H, W, assert_equal, build, gradients, randn

UNORDERED = [name for name in OPERATORS if not name.startswith("criss_cross") and not name.endswith("pooled")]
# the bias that adds one constant to all logits of a position
SHIFTS = {
    **{name: "key_conv.bias" for name in OPERATORS if name.startswith(("criss_cross", "position"))},
    **{
        name: "phi.bias"
        for name in OPERATORS
        if name.startswith(("non_local-embedded", "non_local-u", "non_local-norm"))
    },
    **{name: "conv_mask.bias" for name in OPERATORS if name.startswith(("simplified", "global_context-attention"))},
}


@pytest.mark.parametrize("name", SHIFTS)
def test_a_constant_added_to_all_logits_changes_nothing(name):
    module, x = build(name), randn(B, C, H, W)
    before = module(x), *module(x, return_attention=True)
    gradient = gradients(module, x, randn(B, C, H, W, seed=2))[SHIFTS[name]]
    assert_equal(gradient, torch.zeros_like(gradient), atol=1e-11)
    nn.init.constant_(module.get_parameter(SHIFTS[name]), 20.0)
    for actual, wanted in zip((module(x), *module(x, return_attention=True)), before, strict=True):
        assert_equal(actual, wanted)


@pytest.mark.parametrize("function", [*cc.IMPLEMENTATIONS.values(), non_local, lambda *qkv: (non_local_sdpa(*qkv),)])
def test_a_constant_of_each_position_changes_nothing(function):
    q, k, v = randn(B, 3, H, W), randn(B, 3, H, W, seed=2), randn(B, C, H, W, seed=3)
    constant, one = 20 * randn(B, 1, H, W, seed=4), torch.ones(B, 1, H, W, dtype=torch.float64)
    # q·k + constant, from one channel more
    shifted = function(torch.cat([q, constant], dim=1), torch.cat([k, one], dim=1), v)
    for actual, wanted in zip(shifted, function(q, k, v), strict=True):
        assert_equal(actual, wanted)


@pytest.mark.parametrize("name", UNORDERED)
def test_shuffling_the_positions_shuffles_the_output(name):
    module, x = build(name), randn(B, C, H, W)
    order = torch.randperm(H * W, generator=torch.Generator().manual_seed(0))
    assert (order != torch.arange(H * W)).any()

    def shuffle(t):
        return t.flatten(2)[:, :, order].view(t.shape)

    assert_equal(module(shuffle(x)), shuffle(module(x)))
    out, attention = module(shuffle(x), return_attention=True)
    expected, expected_attention = module(x, return_attention=True)
    assert_equal(out, shuffle(expected))
    if name.startswith(("non_local", "position")):
        expected_attention = expected_attention[:, order][:, :, order]
    elif name.startswith(("simplified", "global_context")):
        expected_attention = expected_attention[:, order]
    assert_equal(
        attention, expected_attention
    )  # of the channels: channel attention's, squeeze-and-excitation's: the same
    if name.startswith("global_context"):
        assert_equal(module.context(shuffle(x))[0], module.context(x)[0])


@pytest.mark.parametrize("name", [name for name in OPERATORS if not name.endswith("pooled")])
def test_transposing_the_image_transposes_the_output(name):
    module, x = build(name), randn(B, C, H, W)
    assert_equal(module(x.mT), module(x).mT)


def test_criss_cross_does_not_survive_a_shuffle():
    # so that the tests above could fail: a cross is not a set of any positions
    module, x = build("criss_cross-fast"), randn(B, C, H, W)
    assert isinstance(module, CrissCrossAttention)
    order = torch.randperm(H * W, generator=torch.Generator().manual_seed(0))
    shuffled = module(x.flatten(2)[:, :, order].view(x.shape)).flatten(2)
    assert (shuffled - module(x).flatten(2)[:, :, order]).abs().max() > 0.1
