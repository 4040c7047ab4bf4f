"""Simplified non-local, squeeze-and-excitation and global context: what they are in terms of others."""

import pytest
import torch
import torch.nn.functional as F
from torchvision import ops

from segtut.attention import GlobalContext, SqueezeExcitation
from segtut.attention.global_context import attention_pool
from segtut.attention.non_local import non_local
from tests.attention.common import B, C, H, W, assert_equal, build, gradients, randn


def test_simplified_non_local_is_non_local_with_one_query_and_the_values_pulled_out():
    module, x = build("simplified_non_local"), randn(B, C, H, W)
    query = module.conv_mask.weight.expand(B, C, H, W)  # the same for every position: the mask's weights
    values = module.value_conv(x)  # at every position, before they are summed
    full, attention = non_local(query, x, values)
    assert_equal(module(x), full + x)
    # all rows of the map are equal, and they are the one map
    shared = module(x, return_attention=True)[1]
    assert_equal(attention, shared[:, None].expand(B, H * W, H * W))
    # so that one query is enough
    assert_equal(non_local(query[:, :, :1, :1], x, values)[0] + x, module(x))


def test_squeeze_excitation_is_torchvisions():
    ours, theirs = SqueezeExcitation(32, reduction=8).double(), ops.SqueezeExcitation(32, 4).double()
    theirs.load_state_dict(ours.state_dict())
    x, cotangent = randn(B, 32, H, W), randn(B, 32, H, W, seed=2)
    assert_equal(ours(x), theirs(x))
    found, expected = gradients(ours, x, cotangent), gradients(theirs, x, cotangent)
    assert found.keys() == expected.keys()
    for name in found:
        assert_equal(found[name], expected[name])
    weights = ours(x, return_attention=True)[1]
    assert weights.shape == (B, 32, 1, 1) and ((weights > 0) & (weights < 1)).all()


def test_both_fusions_multiply_first_and_read_the_context_of_the_input():
    module, x = build("global_context-attention-both"), randn(B, C, H, W)
    context, _ = module.context(x)
    factor, term = module.channel_mul_conv(context).sigmoid(), module.channel_add_conv(context)
    assert_equal(module(x), x * factor + term)
    assert ((x + term) * factor - module(x)).abs().max() > 0.1  # the other order is something else


@pytest.mark.parametrize("fusion", ["add", "multiply"])
def test_one_fusion_is_a_part_of_both(fusion):
    both, one = build("global_context-attention-both"), build(f"global_context-attention-{fusion}")
    one.load_state_dict({name: both.state_dict()[name] for name in one.state_dict()})
    silenced = both.channel_add_conv if fusion == "multiply" else both.channel_mul_conv
    torch.nn.init.zeros_(silenced[3].weight)
    torch.nn.init.constant_(silenced[3].bias, 0.0 if fusion == "multiply" else 50.0)  # a term of 0, a factor of 1
    x = randn(B, C, H, W)
    assert_equal(both(x), one(x))


def test_average_pooling_is_attention_pooling_with_a_blank_mask():
    average, attention = (build(f"global_context-{pooling}-both") for pooling in ("average", "attention"))
    attention.load_state_dict(average.state_dict(), strict=False)
    torch.nn.init.zeros_(attention.conv_mask.weight)
    x = randn(B, C, H, W)
    assert_equal(average(x), attention(x))
    assert_equal(average.context(x)[0], x.mean((2, 3), keepdim=True))


def test_a_bottleneck_of_one_channel_no_longer_depends_on_the_image():
    # LayerNorm over one channel gives its bias
    module = GlobalContext(C, ratio=1 / 16).double()
    torch.nn.init.normal_(module.channel_add_conv[3].weight)
    x = randn(B, C, H, W)
    difference = module(x) - x
    assert_equal(difference, difference[:1, :, :1, :1].expand_as(x))


def test_attention_pool_is_a_weighted_mean():
    x, attention = randn(B, C, H, W), randn(B, H * W, seed=2).softmax(-1)
    assert_equal(attention_pool(x, attention), (x * attention.view(B, 1, H, W)).sum((2, 3), keepdim=True))


def test_parameters_bear_the_official_names_and_shapes():
    shapes = {name: tuple(p.shape) for name, p in GlobalContext(32, fusion="both").named_parameters()}
    mask = {"conv_mask.weight": (1, 32, 1, 1), "conv_mask.bias": (1,)}
    layers = {
        "0.weight": (8, 32, 1, 1), "0.bias": (8,), "1.weight": (8, 1, 1), "1.bias": (8, 1, 1),
        "3.weight": (32, 8, 1, 1), "3.bias": (32,),
    }  # fmt: skip
    transforms = {f"{name}.{p}": s for name in ("channel_mul_conv", "channel_add_conv") for p, s in layers.items()}
    assert shapes == mask | transforms


@pytest.mark.parametrize("ratio, inner, wanted", [(1 / 4, None, 8), (1 / 16, None, 2), (1, None, 32), (1 / 4, 5, 5)])
def test_the_ratio_is_a_multiplier(ratio, inner, wanted):
    assert GlobalContext(32, ratio, inner=inner).channel_add_conv[0].out_channels == wanted


def test_the_transform_is_layer_norm_over_the_channels():
    module, x = build("global_context-average-add"), randn(B, C, H, W)
    first, norm, _, last = module.channel_add_conv
    z = F.linear(x.mean((2, 3)), first.weight.flatten(1), first.bias)
    z = (z - z.mean(-1, keepdim=True)) / (z.var(-1, keepdim=True, correction=0) + 1e-5).sqrt()
    z = F.linear((z * norm.weight.flatten() + norm.bias.flatten()).relu(), last.weight.flatten(1), last.bias)
    assert_equal(module(x), x + z[..., None, None])
