"""Where two publications are the same function and where they are not: golden vectors' notes, section 7."""

from functools import partial

import pytest
import torch

from segtut import published
from tests.published import references
from tests.published.common import assert_same, draw, draw_weights, outputs_and_gradients, own

SHAPE = (2, 16, 5, 7)


def run(name, constructor, weights, shape, call=lambda module, x: module(x)):
    """Outputs and gradients of a published module."""
    x = draw(*shape).requires_grad_()
    module = published.build(name, constructor, {parameter: t.detach() for parameter, t in weights.items()})
    return outputs_and_gradients(call(module, x), x, own(module))


def renamed(weights, names):
    """The same weights under another publication's names."""
    return {_replace(name, names): t for name, t in weights.items()}


def _replace(name, names):
    for theirs, others in names:
        name = name.replace(theirs, others)
    return name


def in_names(results, names):
    outputs, gradients = results
    return outputs, renamed(gradients, names)


def largest_difference(one, other):
    return max((a - b).abs().max().item() for a, b in zip(one[0], other[0], strict=True))


@pytest.mark.parametrize("size", [(5, 7), (12, 9), (1, 6), (6, 1)], ids=str)
def test_criss_cross_of_mmcv_and_ccnet(size):
    shape, names = (2, 16, *size), [("gamma.scale", "gamma")]
    weights = draw_weights(partial(references.criss_cross, mmcv=True), shape)
    mmcv = run("mmcv.ops.CrissCrossAttention", {"in_channels": 16}, weights, shape)
    ccnet = run("speedinghzl/CCNet CrissCrossAttention", {"in_dim": 16}, renamed(weights, names), shape)
    assert_same(ccnet, in_names(mmcv, names))


def test_position_attention_of_mmseg_and_danet():
    names = [("_project", "_conv"), ("gamma.scale", "gamma")]
    weights = draw_weights(partial(references.position, mmcv=True, C_qk=2), SHAPE)
    mmseg = run("mmseg PAM", {"in_channels": 16, "channels": 2}, weights, SHAPE)
    danet = run("junfu1115/DANet PAM_Module", {"in_dim": 16}, renamed(weights, names), SHAPE)
    assert_same(danet, in_names(mmseg, names))


def test_channel_attention_of_mmseg_and_danet():
    weights, names = draw_weights(partial(references.channel, mmcv=True), SHAPE), [("gamma.scale", "gamma")]
    mmseg = run("mmseg CAM", {}, weights, SHAPE)
    assert_same(
        run("junfu1115/DANet CAM_Module", {"in_dim": 16}, renamed(weights, names), SHAPE), in_names(mmseg, names)
    )


def test_da_head_of_mmseg_and_danet():
    function = partial(references.dual_mmseg, channels=8, pam_channels=1, kind="BN")
    constructor = {"in_channels": 32, "channels": 8, "pam_channels": 1, "num_classes": 5, "norm_cfg": {"type": "BN"}}
    names = [
        (".conv.", ".0."), (".bn.", ".1."), ("gamma.scale", "gamma"), ("_project", "_conv"), ("pam_in_conv", "conv5a"),
        ("cam_in_conv", "conv5c"), ("pam_out_conv", "conv51"), ("cam_out_conv", "conv52"), ("pam_conv_seg", "conv6.1"),
        ("cam_conv_seg", "conv7.1"), ("conv_seg", "conv8.1"), ("pam.", "sa."), ("cam.", "sc."),
    ]  # fmt: skip
    shape = (2, 32, 5, 4)
    weights = draw_weights(function, shape)
    mmseg = run("mmseg DAHead", constructor, weights, shape)
    danet = run("junfu1115/DANet DANetHead", {"in_channels": 32, "out_channels": 5}, renamed(weights, names), shape)
    assert len(danet[0]) == 3
    assert_same(danet, in_names(mmseg, names))


RCCA_NAMES = [
    ("conva.0", "convs.0.conv"), ("conva.1", "convs.0.bn"), ("convb.0", "convs.1.conv"), ("convb.1", "convs.1.bn"),
    ("bottleneck.0", "conv_cat.conv"), ("bottleneck.1", "conv_cat.bn"), ("bottleneck.3", "conv_seg"),
    ("gamma", "gamma.scale"),
]  # fmt: skip


@pytest.mark.parametrize("recurrence", [1, 2, 3])
def test_cc_head_of_mmseg_and_the_official_one(recurrence):
    """The official InPlaceABN is leaky ReLU, and its weight |w| + eps: in mmseg's terms it is another weight."""
    shape = (2, 32, 4, 5)
    weights = draw_weights(partial(references.rcca, out_channels=8, recurrence=recurrence), shape)
    rcca = partial(run, "speedinghzl/CCNet RCCAModule", {"in_channels": 32, "out_channels": 8, "num_classes": 5})
    official = in_names(rcca(weights, shape, lambda module, x: module(x, recurrence=recurrence)), RCCA_NAMES)

    def mmseg(act, gain):
        constructor = {
            "in_channels": 32, "channels": 8, "num_classes": 5, "recurrence": recurrence, "norm_cfg": {"type": "BN"},
            "act_cfg": {"type": act, **({"negative_slope": 0.01} if act == "LeakyReLU" else {})},
        }  # fmt: skip
        ours = renamed(weights, RCCA_NAMES)
        return run(
            "mmseg CCHead", constructor,
            {name: gain(t) if name.endswith("bn.weight") else t for name, t in ours.items()}, shape,
        )  # fmt: skip

    same = mmseg("LeakyReLU", lambda w: w.abs() + 1e-5)
    for name, t in renamed(weights, RCCA_NAMES).items():
        if name.endswith("bn.weight"):  # d|w| / dw
            same[1][name] = same[1][name] * t.sign()
    assert_same(same, official)
    assert 1e-6 < largest_difference(mmseg("LeakyReLU", torch.abs), official) < 1e-2  # the eps is left out
    assert largest_difference(mmseg("LeakyReLU", lambda w: w), official) > 0.05  # so is the sign
    assert largest_difference(mmseg("ReLU", lambda w: w.abs() + 1e-5), official) > 1e-3


MODES = ["gaussian", "embedded_gaussian", "dot_product", "concatenation"]


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("sub_sample", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_non_local_of_mmcv_and_alexhex7(mode, sub_sample, norm):
    """mmcv unscaled; AlexHex7's last convolution has a bias before the batch norm, which is 0 here."""
    options = {"mode": mode, "sub_sample": sub_sample}
    weights = draw_weights(
        partial(references.non_local, use_scale=False, kind="BN" if norm else None, **options), SHAPE
    )  # fmt: skip
    names = [
        ("concat_project.conv", "concat_project.0"), ("conv_out.conv", "W.0" if norm else "W"), ("conv_out.bn", "W.1"),
        (".0.conv", ".0"), (".conv", ""),
    ]  # fmt: skip
    constructor = {"in_channels": 16, "use_scale": False, "norm_cfg": {"type": "BN"} if norm else None, **options}
    mmcv = in_names(run("mmcv.cnn.NonLocal2d", constructor, weights, SHAPE), names)
    theirs = renamed(weights, names) | ({"W.0.bias": torch.zeros(16, dtype=torch.float64)} if norm else {})
    alex = run(
        f"AlexHex7 NONLocalBlock2D {mode}",
        {"in_channels": 16, "sub_sample": sub_sample, "bn_layer": norm},
        theirs,
        SHAPE,
    )
    if norm:
        assert alex[1].pop("W.0.bias") is not None
    assert_same(alex, mmcv)


@pytest.mark.parametrize("mode", ["embedded_gaussian", "dot_product"])
def test_non_local_of_mmcv_and_gcnet_agree_unscaled(mode):
    weights = draw_weights(partial(references.non_local, mode=mode), SHAPE)
    constructor = {"in_channels": 16, "mode": mode, "use_scale": False}
    mmcv = run("mmcv.cnn.NonLocal2d", constructor, weights, SHAPE)
    assert_same(run("xvjiarui/GCNet NonLocal2D", constructor, weights, SHAPE), mmcv)


def test_gcnet_multiplies_by_what_mmcv_divides_by():
    """Its logits are D times mmcv's: the same as a theta D times as large."""
    weights, D = draw_weights(references.non_local, SHAPE), 8
    gcnet, mmcv = (
        run(name, {"in_channels": 16}, weights, SHAPE) for name in ("xvjiarui/GCNet NonLocal2D", "mmcv.cnn.NonLocal2d")
    )
    assert largest_difference(gcnet, mmcv) > 0.05
    larger = {name: D * t if name.startswith("theta") else t for name, t in weights.items()}
    outputs, gradients = run("mmcv.cnn.NonLocal2d", {"in_channels": 16}, larger, SHAPE)
    gradients = {name: D * g if name.startswith("theta") else g for name, g in gradients.items()}
    assert_same(gcnet, (outputs, gradients))


@pytest.mark.parametrize("pooling_type", ["att", "avg"])
@pytest.mark.parametrize(
    "fusion_types", [["channel_add"], ["channel_mul"], ["channel_add", "channel_mul"]], ids="+".join
)
def test_global_context_of_mmcv_and_gcnet(pooling_type, fusion_types):
    options = {"ratio": 0.25, "pooling_type": pooling_type, "fusion_types": fusion_types}
    weights = draw_weights(partial(references.context_block, **options), SHAPE)
    mmcv = run("mmcv.cnn.ContextBlock", {"in_channels": 16, **options}, weights, SHAPE)
    assert_same(run("xvjiarui/GCNet ContextBlock", {"inplanes": 16, **options}, weights, SHAPE), mmcv)
