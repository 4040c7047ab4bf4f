"""Position and channel attention: what they are in PyTorch's terms, and numbers that overflow."""

import pytest
import torch
import torch.nn.functional as F

from segtut.attention import ChannelAttention, PositionAttention
from segtut.attention.dual import channel_attention, position_attention
from tests.attention.common import B, C, H, LargestTensor, W, assert_equal, build, gradients, randn

# --- position attention ---


def test_position_attention_is_sdpa_with_scale_1():
    modules = [build(f"position-{implementation}", reduction=8) for implementation in ("sdpa", "dense")]
    x = randn(B, C, H, W)
    q, k, v = (conv(x) for conv in (modules[0].query_conv, modules[0].key_conv, modules[0].value_conv))
    rows = (t.flatten(2).mT[:, None] for t in (q, k, v))  # one head of N positions
    out = F.scaled_dot_product_attention(*rows, scale=1.0)[:, 0].mT.view(B, C, H, W)
    assert_equal(position_attention(q, k, v)[0], out)
    for module in modules:
        assert_equal(module(x), module.gamma * out + x)
        assert_equal(module(x, return_attention=True)[0], module.gamma * out + x)
    assert_equal(*(module(x, return_attention=True)[1] for module in modules), atol=0)
    cotangent = randn(B, C, H, W, seed=2)
    found, expected = (gradients(module, x, cotangent) for module in modules)
    for name in found:
        assert_equal(found[name], expected[name])


@pytest.mark.parametrize("reduction", [1, 2, 8])
def test_the_fast_path_never_stores_all_pairs(reduction):
    H, W = 20, 24
    N = H * W
    for implementation, stored in (("sdpa", False), ("dense", True)):
        module = build(f"position-{implementation}", reduction=reduction)
        with LargestTensor() as seen:
            module(randn(B, C, H, W).requires_grad_()).square().sum().backward()
        assert (seen.elements >= B * N * N) if stored else (seen.elements < B * N * N / 4)


def test_the_projections_are_pytorchs_own_start():
    torch.manual_seed(0)
    module = PositionAttention(64)
    assert {name: tuple(p.shape) for name, p in module.named_parameters() if name.endswith(("weight", "gamma"))} == {
        "gamma": (1,), "query_conv.weight": (8, 64, 1, 1), "key_conv.weight": (8, 64, 1, 1),
        "value_conv.weight": (64, 64, 1, 1),
    }  # fmt: skip
    assert 0.95 / 8 < module.value_conv.weight.abs().max() <= 1 / 8  # uniform up to 1/√C
    assert PositionAttention(64, C_qk=5).query_conv.out_channels == 5


# --- channel attention ---


def energy(x):
    return x.flatten(2) @ x.flatten(2).mT


@pytest.mark.parametrize(
    "variant, logits",
    [
        ("code", lambda x: energy(x).max(-1, keepdim=True)[0].expand(B, C, C) - energy(x)),  # as published
        ("code", lambda x: -energy(x)),
        ("paper", lambda x: energy(x)),
    ],
    ids=["max - E", "-E", "E"],
)
def test_what_the_map_is_a_softmax_of(variant, logits):
    x = (0.3 * randn(B, C, H, W)).requires_grad_()
    out, attention = channel_attention(x, variant)
    expected_attention = logits(x).softmax(-1)
    expected = (expected_attention @ x.flatten(2)).view(x.shape)
    assert_equal(attention, expected_attention)
    assert_equal(out, expected)
    # the maximum is a part of the published graph, and its gradient cancels
    cotangent = randn(B, C, H, W, seed=2)
    assert_equal(torch.autograd.grad(out, x, cotangent)[0], torch.autograd.grad(expected, x, cotangent)[0])


def test_code_and_paper_rank_the_channels_in_opposite_order():
    x = 0.3 * randn(B, C, H, W)
    code, paper = (channel_attention(x, variant)[1] for variant in ("code", "paper"))
    assert torch.equal(code.argsort(-1), paper.argsort(-1, descending=True))


# What a large image makes of float16 and bfloat16: E reaches 65536·100² = 6.6e8
@pytest.mark.parametrize("variant", ["code", "paper"])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16, torch.float16, "autocast"], ids=str)
@pytest.mark.parametrize("offset, deviation", [(0, 100), (100, 10)], ids=["zero mean", "all positive"])
def test_large_images_overflow_nowhere(offset, deviation, precision, variant):
    autocast = precision == "autocast"
    dtype = torch.float32 if autocast else precision
    x = (deviation * randn(2, 4, 256, 256) + offset).to(dtype).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        out, attention = channel_attention(x, variant)
    (gradient,) = torch.autograd.grad(out.sum(), x)
    expected, expected_attention = channel_attention(x.detach().double(), variant)  # of the rounded input
    assert out.dtype == attention.dtype == dtype
    assert_equal(attention.double(), expected_attention, atol=1e-6)
    eps = torch.finfo(dtype).eps
    assert_equal(out.double(), expected, atol=eps * expected.abs().max().item())
    # dL/dX = Aᵀ dY, with one channel chosen by each row: the energy's own gradient is 0 there
    assert_equal(gradient.double(), expected_attention.sum(1)[..., None, None].expand_as(expected), atol=1e-6)


def test_energies_that_float32_tells_apart_and_bfloat16_does_not():
    x = (3 + 0.05 * randn(B, C, 64, 64)).float()
    exact = channel_attention(x.double())[1]
    assert (exact.amax(-1) < 0.9).any()  # in some rows several channels share
    assert_equal(channel_attention(x)[1].double(), exact, atol=0.005)
    with torch.autocast("cpu", torch.bfloat16):
        assert_equal(channel_attention(x)[1].double(), exact, atol=0.005)
        naive = (-(x.flatten(2) @ x.flatten(2).mT)).softmax(-1)
    assert (naive.double() - exact).abs().max() > 0.3


def test_the_one_parameter_is_the_gate():
    assert {name: p.tolist() for name, p in ChannelAttention().named_parameters()} == {"gamma": [0.0]}
