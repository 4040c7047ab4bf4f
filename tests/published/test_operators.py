"""Every published operator with every option, at several sizes, against the formulas."""

from functools import partial

import pytest

from tests.published import references
from tests.published.common import assert_agrees

SIZES = pytest.mark.parametrize("size", [(5, 7), (1, 6), (4, 1)], ids=str)
CHANNELS = pytest.mark.parametrize("C", [8, 16, 20])  # 20 // 8 = 2, as published code truncates


@SIZES
@CHANNELS
def test_criss_cross(C, size):
    mmcv = partial(references.criss_cross, mmcv=True)
    assert_agrees("mmcv.ops.CrissCrossAttention", {"in_channels": C}, mmcv, (2, C, *size))
    ccnet = references.criss_cross
    assert_agrees("speedinghzl/CCNet CrissCrossAttention", {"in_dim": C}, ccnet, (2, C, *size))


@pytest.mark.parametrize("passes", [2, 3])
def test_criss_cross_again_and_again(passes):
    def repeated(function):
        def run(x):
            for _ in range(passes):
                x = function(x)
            return x

        return run

    assert_agrees(
        "mmcv.ops.CrissCrossAttention", {"in_channels": 16},
        lambda x, p: repeated(lambda y: references.criss_cross(y, p, mmcv=True))(x),
        (2, 16, 5, 7), lambda module, x: repeated(module)(x),
    )  # fmt: skip


@SIZES
@CHANNELS
def test_position(C, size):
    for C_qk in (1, 3, C):  # pam_channels is free
        mmseg = partial(references.position, mmcv=True, C_qk=C_qk)
        assert_agrees("mmseg PAM", {"in_channels": C, "channels": C_qk}, mmseg, (2, C, *size))
    assert_agrees("junfu1115/DANet PAM_Module", {"in_dim": C}, references.position, (2, C, *size))


@SIZES
@pytest.mark.parametrize("C", [1, 3, 20])
def test_channel(C, size):
    assert_agrees("mmseg CAM", {}, partial(references.channel, mmcv=True), (2, C, *size))
    assert_agrees("junfu1115/DANet CAM_Module", {"in_dim": C}, references.channel, (2, C, *size))


@pytest.mark.parametrize("pooling_type", ["att", "avg"])
@pytest.mark.parametrize(
    "fusion_types",
    [["channel_add"], ["channel_mul"], ["channel_add", "channel_mul"], ["channel_mul", "channel_add"]],
    ids="+".join,
)
def test_context_block(fusion_types, pooling_type):
    # 4 channels inside; 1; 2.99… truncated to 2; more inside than outside
    for C, ratio, size in ((16, 1 / 4, (5, 7)), (20, 1 / 16, (1, 6)), (13, 0.23, (4, 1)), (6, 1.5, (1, 1))):
        options = {"ratio": ratio, "pooling_type": pooling_type, "fusion_types": fusion_types}
        function = partial(references.context_block, **options)
        assert_agrees("mmcv.cnn.ContextBlock", {"in_channels": C, **options}, function, (2, C, *size))
        assert_agrees("xvjiarui/GCNet ContextBlock", {"inplanes": C, **options}, function, (2, C, *size))


def test_context_block_s_defaults():
    function = partial(references.context_block, ratio=0.25)
    assert_agrees("mmcv.cnn.ContextBlock", {"in_channels": 16, "ratio": 0.25}, function, (2, 16, 5, 7))


MODES = pytest.mark.parametrize("mode", ["gaussian", "embedded_gaussian", "dot_product", "concatenation"])


@MODES
@pytest.mark.parametrize("kind", [None, "BN", "GN"])
@pytest.mark.parametrize(
    ("C", "reduction", "size"),
    [(16, 2, (5, 7)), (10, 4, (1, 6)), (2, 4, (4, 1)), (6, 1, (1, 1))],  # 8, 2, at least 1, and all channels inside
)
def test_non_local(mode, kind, C, reduction, size):
    norm_cfg = {"GN": {"type": "GN", "num_groups": 2}, "BN": {"type": "BN"}, None: None}[kind]
    for use_scale in (True, False):
        options = {"reduction": reduction, "use_scale": use_scale, "mode": mode}
        assert_agrees(
            "mmcv.cnn.NonLocal2d", {"in_channels": C, "norm_cfg": norm_cfg, **options},
            partial(references.non_local, kind=kind, **options), (2, C, *size),
        )  # fmt: skip


@MODES
@pytest.mark.parametrize("size", [(5, 7), (2, 3), (4, 2)], ids=str)
def test_non_local_sub_sampled(mode, size):
    options = {"mode": mode, "sub_sample": True}
    function = partial(references.non_local, **options)
    constructor = {"in_channels": 16, "conv_cfg": {"type": "Conv2d"}, "zeros_init": False, "std": 0.1, **options}
    assert_agrees("mmcv.cnn.NonLocal2d", constructor, function, (2, 16, *size))


@pytest.mark.parametrize("mode", ["embedded_gaussian", "dot_product"])
@pytest.mark.parametrize("use_scale", [True, False])
@SIZES
def test_non_local_of_gcnet(mode, use_scale, size):
    options = {"mode": mode, "use_scale": use_scale}
    function = partial(references.non_local, repository="gcnet", **options)
    assert_agrees("xvjiarui/GCNet NonLocal2D", {"in_channels": 16, **options}, function, (2, 16, *size))


@MODES
@pytest.mark.parametrize("bn_layer", [True, False])
@pytest.mark.parametrize(
    ("C", "inter_channels", "sub_sample", "size"),
    [(16, None, True, (5, 7)), (16, 3, False, (5, 7)), (7, None, False, (1, 6)), (1, None, False, (4, 1))],
)
def test_non_local_of_alexhex7(mode, bn_layer, C, inter_channels, sub_sample, size):
    D = inter_channels or max(C // 2, 1)
    kind = "BN" if bn_layer else None
    function = partial(
        references.non_local, inner=D, mode=mode, sub_sample=sub_sample, kind=kind, repository="alex"
    )  # fmt: skip
    constructor = {"in_channels": C, "inter_channels": inter_channels, "sub_sample": sub_sample, "bn_layer": bn_layer}
    assert_agrees(f"AlexHex7 NONLocalBlock2D {mode}", constructor, function, (2, C, *size))
