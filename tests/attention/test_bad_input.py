"""Bad input: every operator names the argument, its value and the remedy."""

import pytest
import torch

from segtut.attention import (
    ChannelAttention,
    CrissCrossAttention,
    GlobalContext,
    NonLocal,
    PositionAttention,
    SimplifiedNonLocal,
    SqueezeExcitation,
)
from segtut.attention.criss_cross_by_hand import ca_map, ca_weight
from segtut.attention.dual import channel_attention, position_attention
from segtut.attention.global_context import attention_pool
from segtut.attention.non_local import non_local, non_local_sdpa
from tests.attention.common import OPERATORS, B, C, H, W, build, randn

EVERY = (
    ChannelAttention, CrissCrossAttention, GlobalContext, NonLocal, PositionAttention, SimplifiedNonLocal,
    SqueezeExcitation,
)  # fmt: skip
REDUCED = (CrissCrossAttention, NonLocal, PositionAttention, SqueezeExcitation)
INSIDE = {CrissCrossAttention: "C_qk", PositionAttention: "C_qk", NonLocal: "inner", GlobalContext: "inner"}


# --- constructors ---


@pytest.mark.parametrize("operator", EVERY)
@pytest.mark.parametrize("channels", [0, -8, True, 16.0, "16"], ids=repr)
def test_channels(operator, channels):
    with pytest.raises(ValueError, match=rf"channels={channels!r}: must be an integer of at least 1"):
        operator(channels)


@pytest.mark.parametrize("operator", REDUCED)
@pytest.mark.parametrize(
    "channels, reduction, message",
    [
        (4, 8, "channels=4 is smaller than reduction=8.* at least 8 channels or a reduction of at most 4"),
        (12, 8, "channels=12 is not divisible by reduction=8: use a multiple of 8"),
        (16, 0, "reduction=0: must be an integer of at least 1"),
        (16, -2, "reduction=-2: must be"),
        (16, 2.0, r"reduction=2\.0: must be"),
        (16, True, "reduction=True: must be"),
    ],
)
def test_reduction(operator, channels, reduction, message):
    with pytest.raises(ValueError, match=message):
        operator(channels, reduction)


@pytest.mark.parametrize("operator", INSIDE)
@pytest.mark.parametrize("inner", [0, -1, 4.0, True], ids=repr)
def test_channels_inside(operator, inner):
    with pytest.raises(ValueError, match=rf"{INSIDE[operator]}={inner!r}: must be an integer of at least 1"):
        operator(C, **{INSIDE[operator]: inner})


@pytest.mark.parametrize("operator", INSIDE)
def test_channels_inside_need_not_divide(operator):
    x = randn(B, 7, H, W, dtype=torch.float32)
    assert operator(7, **{INSIDE[operator]: 3})(x).shape == x.shape


@pytest.mark.parametrize(
    "channels, ratio, message",
    [
        (16, 4, r"ratio=4: it is the bottleneck's share.* r = 4 is ratio=1/4"),
        (16, 0, "ratio=0: it is the bottleneck's share of the channels, above 0 and at most 1"),
        (16, -0.25, r"ratio=-0\.25: it is"),
        (16, float("nan"), "ratio=nan: it is"),
        (16, "1/4", "ratio='1/4': it is"),
        (8, 1 / 16, r"channels=8 times ratio=0\.0625 leaves no channel inside: use at least 16 channels"),
        (18, 1 / 4, r"channels=18 times ratio=0\.25 is 4\.5, not a whole number: .*inner=4"),
    ],
)
def test_ratio(channels, ratio, message):
    with pytest.raises(ValueError, match=message):
        GlobalContext(channels, ratio)


@pytest.mark.parametrize(
    "operator, argument, allowed",
    [
        (CrissCrossAttention, "implementation", "'fast', 'by_hand', 'einsum', 'bmm'"),
        (NonLocal, "mode", "'gaussian', 'embedded_gaussian', 'dot_product', 'concatenation'"),
        (NonLocal, "implementation", "'sdpa', 'dense'"),
        (PositionAttention, "implementation", "'sdpa', 'dense'"),
        (ChannelAttention, "variant", "'code', 'paper'"),
        (GlobalContext, "pooling", "'attention', 'average'"),
        (GlobalContext, "fusion", "'add', 'multiply', 'both'"),
    ],
)
@pytest.mark.parametrize("value", ["Add", "", None, 3], ids=repr)
def test_names(operator, argument, allowed, value):
    with pytest.raises(ValueError, match=f"{argument}={value!r} is unknown: use one of {allowed}"):
        operator(C, **{argument: value})


# --- modules ---


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize(
    "x, error, message",
    [
        (torch.zeros(C, H, W), ValueError, r"x has shape \(16, 5, 7\), 3 axes.*\(B, C, H, W\).*unsqueeze\(0\)"),
        (torch.zeros(B, C, H * W), ValueError, r"x has shape \(2, 16, 35\), 3 axes"),
        (torch.zeros(B, C, 1, H, W), ValueError, r"x has shape \(2, 16, 1, 5, 7\), 5 axes"),
        (torch.zeros(B, C, H, W).long(), TypeError, r"x has dtype torch.int64.*\.float\(\)"),
        (torch.zeros(B, C, H, W).bool(), TypeError, r"x has dtype torch.bool"),
        (
            torch.zeros(B, C, H, W),
            TypeError,
            r"x has dtype torch.float32 but .*parameters torch.float64.*\.to\(dtype\)",
        ),
        (torch.zeros(B, C, H, W, device="meta").double(), ValueError, r"x is on meta but .* on cpu.*\.to\(device\)"),
        (torch.zeros(0, C, H, W), ValueError, r"x has shape \(0, 16, 5, 7\): every axis .* at least 1"),
        (torch.zeros(B, C, 0, W), ValueError, r"x has shape \(2, 16, 0, 7\): every axis"),
        (torch.zeros(B, C, H, 0), ValueError, r"x has shape \(2, 16, 5, 0\): every axis"),
        ([[1.0]], TypeError, r"x is a list: pass a torch\.Tensor"),
        (None, TypeError, r"x is a NoneType: pass a torch\.Tensor"),
    ],
    ids=[
        "3 axes",
        "flat",
        "5 axes",
        "int64",
        "bool",
        "float32",
        "meta",
        "no image",
        "no row",
        "no column",
        "list",
        "None",
    ],
)
def test_wrong_features(name, x, error, message):
    for arguments in ({}, {"return_attention": True}):
        with pytest.raises(error, match=message):
            build(name)(x, **arguments)


@pytest.mark.parametrize("name", [name for name in OPERATORS if not name.startswith("channel")])
def test_wrong_number_of_channels(name):
    with pytest.raises(ValueError, match=r"x has 8 channels .*\(2, 8, 5, 7\).* built for 16: build it with channels=8"):
        build(name)(randn(B, 8, H, W))


def test_channel_attention_takes_any_number_unless_told():
    assert ChannelAttention().double()(randn(B, 3, H, W)).shape == (B, 3, H, W)
    with pytest.raises(ValueError, match=r"x has 3 channels .* built for 16"):
        ChannelAttention(C).double()(randn(B, 3, H, W))


@pytest.mark.parametrize("name", [name for name in OPERATORS if name.endswith("pooled")])
@pytest.mark.parametrize("H, W", [(1, 7), (5, 1), (1, 1)])
def test_pooling_needs_two_rows_and_columns(name, H, W):
    with pytest.raises(ValueError, match=rf"x has shape \(2, 16, {H}, {W}\): 2×2 pooling.*pooled=False"):
        build(name)(randn(B, C, H, W))


@pytest.mark.parametrize("name", OPERATORS)
def test_autocast_does_not_excuse_float64(name):
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(TypeError, match=r"float64.*float32.*\.to\(dtype\)"):
        build(name, dtype=torch.float32)(randn(B, C, H, W))


# --- functions ---


@pytest.mark.parametrize("function", [non_local, non_local_sdpa, position_attention])
@pytest.mark.parametrize(
    "change, error, message",
    [
        (lambda q, k, v: (q, k[:1], v), ValueError, r"k has shape \(1, 3, 5, 7\).* \(2, 3, 5, 7\), B and C_qk as in q"),
        (lambda q, k, v: (q, k[:, :2], v), ValueError, r"k has shape \(2, 2, 5, 7\)"),
        (lambda q, k, v: (q, k, v.mT), ValueError, r"v has shape \(2, 16, 7, 5\).* H and W as in k"),
        (lambda q, k, v: (q[0], k, v), ValueError, r"q has shape \(3, 5, 7\), 3 axes"),
        (lambda q, k, v: (q, k.float(), v), TypeError, r"k has dtype torch.float32 but q torch.float64"),
        (lambda q, k, v: (q, k, v.float()), TypeError, r"v has dtype torch.float32 but q torch.float64"),
        (lambda q, k, v: (q, k, v.to("meta")), ValueError, r"v is on meta but q on cpu"),
        (lambda q, k, v: (q, k, v.long()), TypeError, r"v has dtype torch.int64"),
    ],
)
def test_wrong_queries_keys_and_values(function, change, error, message):
    with pytest.raises(error, match=message):
        function(*change(randn(B, 3, H, W), randn(B, 3, H, W), randn(B, C, H, W)))


def test_wrong_affinity_and_aggregation_by_hand():
    q, v, attention = randn(B, 3, H, W), randn(B, C, H, W), randn(B, H, W, H + W)
    with pytest.raises(ValueError, match=r"k has shape \(2, 3, 7, 5\): it must be \(2, 3, 5, 7\)"):
        ca_weight(q, q.mT)
    with pytest.raises(ValueError, match=r"attention has shape \(2, 5, 7, 11\): it must be \(2, 5, 7, 12\)"):
        ca_map(attention[..., 1:], v)
    with pytest.raises(TypeError, match=r"attention has dtype torch.float32 but v torch.float64"):
        ca_map(attention.float(), v)
    with pytest.raises(ValueError, match=r"attention is on meta but v on cpu"):
        ca_map(attention.to("meta"), v)


def test_wrong_variant_and_map():
    x, attention = randn(B, C, H, W), randn(B, H * W)
    with pytest.raises(ValueError, match="variant='book' is unknown: use one of 'code', 'paper'"):
        channel_attention(x, "book")
    with pytest.raises(ValueError, match=r"attention has shape \(2, 5, 7\): it must be \(2, 35\)"):
        attention_pool(x, attention.view(B, H, W))
    with pytest.raises(TypeError, match=r"attention has dtype torch.float32 but x torch.float64"):
        attention_pool(x, attention.float())
    with pytest.raises(ValueError, match=r"attention is on meta but x on cpu"):
        attention_pool(x, attention.to("meta"))
