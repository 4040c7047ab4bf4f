"""Costs that are measured: bytes against those counted by hand, and time."""

import time

import pytest
import torch
from torch import nn

from segtut import cost
from segtut.attention import ChannelAttention, CrissCrossAttention, GlobalContext, PositionAttention
from segtut.attention.criss_cross import IMPLEMENTATIONS
from segtut.cost.probe import out_of_memory
from segtut.networks import CCHead

B, C, H, W = 2, 16, 5, 7
N = H * W


class Exp(nn.Module):
    """exp keeps its output; so does the product of two parts of it, once more the same storage."""

    def forward(self, x):
        y = x.exp()
        return y[:, : C // 2] * y[:, C // 2 :]


@pytest.mark.parametrize(
    ("module", "numbers"),
    [
        # A convolution keeps its input, here the block's own, and its weight: nothing that is not there anyway.
        (nn.Conv2d(C, C // 2, 1), 0),
        (nn.Sequential(nn.Conv2d(C, C // 2, 1), nn.Sigmoid()), B * C // 2 * N),
        (Exp(), B * C * N),
        # x in the other layout, q, k, v, A, and their sum for the gradient of gamma
        (CrissCrossAttention(C, implementation="by_hand"), B * N * (C + 2 + 2 + C + (H + W) + C)),
        (PositionAttention(C, implementation="dense"), B * N * (2 + 2 + C + N + C)),
        (ChannelAttention(), B * C * (C + N + C // 4)),  # the mask of lost weights is a byte a pair
    ],
)
def test_activation_memory_by_hand(module, numbers):
    assert cost.activation_memory(module, (B, C, H, W)) == 4 * numbers
    if isinstance(module, nn.Sequential | CrissCrossAttention | PositionAttention):  # the others compute in float32
        assert cost.activation_memory(module.bfloat16(), (B, C, H, W)) == 2 * numbers
        module.float()


def test_activation_memory_of_criss_cross_forms():
    kept = {
        name: cost.activation_memory(CrissCrossAttention(C, implementation=name), (B, C, 9, W))
        for name in IMPLEMENTATIONS
    }
    assert kept["by_hand"] < kept["fast"] and kept["by_hand"] < kept["bmm"] and kept["by_hand"] < kept["einsum"]


class DenseMap(nn.Module):
    """A product and its softmax, both of N×N, alive together; the product dies."""

    def forward(self, x):
        x = x.flatten(2)
        return (x.mT @ x).softmax(dim=-1)


def test_peak_memory_by_hand():
    assert cost.peak_memory(DenseMap(), (B, C, H, W), backward=False) == 4 * B * N * N * 2
    # kept and returned: y; given back: its gradient g·y, and nothing else is made
    exp = type("Plain", (nn.Module,), {"forward": lambda self, x: x.exp()})()
    assert cost.peak_memory(exp, (B, C, H, W)) == 4 * B * C * N * 2
    assert cost.peak_memory(exp, (B, C, H, W), backward=False) == 4 * B * C * N


@pytest.mark.parametrize("module", [CrissCrossAttention(C), PositionAttention(C), GlobalContext(C), CCHead(64, 3)])
def test_peak_memory_holds_what_is_kept(module):
    shape = (B, getattr(module, "channels", 64), H, W)
    peak = cost.peak_memory(module, shape)
    assert peak >= cost.activation_memory(module, shape) > 0
    assert cost.peak_memory(module, shape, backward=False) <= peak
    assert peak == cost.peak_memory(module, shape)


def test_sdpa_stores_no_dense_map():
    shape = (1, C, 24, 25)
    dense, sdpa = (PositionAttention(C, implementation=name) for name in ("dense", "sdpa"))
    dense_map = 4 * (24 * 25) ** 2
    assert cost.activation_memory(dense, shape) - cost.activation_memory(sdpa, shape) > 0.8 * dense_map
    assert cost.peak_memory(dense, shape) > 2 * dense_map > dense_map > cost.peak_memory(sdpa, shape)


class Slow(nn.Module):
    """Takes at least 5 ms; counts its calls where copies see it."""

    calls = 0

    def forward(self, x):
        type(self).calls += 1
        time.sleep(0.005)
        return x * 2


def test_latency():
    timing = cost.latency(Slow(), (B, C, H, W), repeats=4, warmup=3)
    assert Slow.calls == 7 and timing.repeats == 4
    assert 0.005 <= timing.lower <= timing.median <= timing.upper < 1
    assert cost.latency(Slow(), (B, C, H, W), repeats=1, backward=False).median >= 0.005
    assert cost.Timing.of([5.0, 1.0, 2.0, 4.0, 3.0]) == cost.Timing(3.0, 2.0, 4.0, 5)


def test_measure():
    module, shape = CrissCrossAttention(C), (B, C, H, W)
    found = cost.measure(module, shape, repeats=3)
    assert found.parameters == cost.parameters(module) and found.flops == cost.flops(module, shape)
    assert found.activation_memory == cost.activation_memory(module, shape)
    assert found.peak_memory == cost.peak_memory(module, shape)
    assert found.forward.repeats == found.forward_backward.repeats == 3 and found.forward.median > 0


def test_bad_input():
    with pytest.raises(ValueError, match="repeats=0"):
        cost.latency(Slow(), (B, C, H, W), repeats=0)
    with pytest.raises(ValueError, match="nothing in ReLU has a gradient"):
        cost.peak_memory(nn.ReLU(), (H, W))


def test_memory_that_runs_out_is_told_from_other_errors():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert out_of_memory(caught.value) and out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not out_of_memory(RuntimeError("shapes differ")) and not out_of_memory(ValueError("not enough memory"))
