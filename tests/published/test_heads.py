"""Every published head with every option, at several sizes, against the formulas."""

from functools import partial

import pytest
import torch.nn.functional as F
from torch import nn

from tests.published import references
from tests.published.common import assert_agrees

NORMS = {
    None: None,
    "BN": {"type": "BN", "requires_grad": True},
    "SyncBN": {"type": "SyncBN", "eps": 1e-5},
    "GN": {"type": "GN", "num_groups": 2},
}
ACTS = {  # act_cfg and what it is
    "ReLU": ({"type": "ReLU", "inplace": True}, F.relu),
    "LeakyReLU": ({"type": "LeakyReLU"}, references.leaky),
    "steep": ({"type": "LeakyReLU", "negative_slope": 0.2}, partial(references.leaky, slope=0.2)),
    None: (None, None),
}
SIZES = pytest.mark.parametrize("size", [(5, 7), (1, 6), (4, 1)], ids=str)
C, INNER = 6, 10  # 10 // 8 = 1 query channel, as published code truncates


def assert_head_agrees(name, function, constructor, norm="BN", act="ReLU", size=(5, 7), **options):
    """The published head with norm and activation of that kind; it takes a list of feature maps."""
    constructor = {
        "in_channels": C, "channels": INNER, "num_classes": references.K, "norm_cfg": NORMS[norm],
        "act_cfg": ACTS[act][0], **constructor, **options,
    }  # fmt: skip
    function = partial(function, channels=INNER, kind=norm, act=ACTS[act][1], **options)
    assert_agrees(f"mmseg {name}", constructor, function, (2, C, *size), lambda module, x: module([x[:1, :1], x]))


def refine(part, attention, **more):
    return partial(references.refine, part=part, attention=attention, **more)


def cc(recurrence=2):
    return refine("cca", partial(references.criss_cross, mmcv=True), recurrence=recurrence)


def nl(kind="BN", **options):
    return refine("nl_block", partial(references.non_local, kind=kind, **options))


def gc(**options):
    return refine("gc_block", partial(references.context_block, **{"ratio": 0.25} | options))


FRAMED = {
    "CCHead": (lambda kind: cc(), {}),
    "NLHead": (nl, {}),
    "GCHead": (lambda kind: gc(), {}),
    "DAHead": (lambda kind: references.dual_mmseg, {"pam_channels": 3}),
    "PSPHead": (lambda kind: references.psp, {"pool_scales": [1, 2, 3]}),
    "ASPPHead": (lambda kind: references.aspp, {"dilations": [1, 2, 3]}),
    "EMAHead": (lambda kind: references.ema, {"ema_channels": 8, "num_bases": 4, "num_stages": 3}),
}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("head", FRAMED)
def test_norms(head, norm):
    function, options = FRAMED[head]
    assert_head_agrees(head, function(norm), {}, norm=norm, **options)


@pytest.mark.parametrize("act", ["LeakyReLU", "steep", None])
@pytest.mark.parametrize("head", FRAMED)
def test_activations(head, act):
    function, options = FRAMED[head]
    assert_head_agrees(head, function("BN"), {}, act=act, **options)


@pytest.mark.parametrize("size", [(1, 6), (4, 1)], ids=str)
@pytest.mark.parametrize("head", FRAMED)
def test_one_row_or_column(head, size):
    function, options = FRAMED[head]
    assert_head_agrees(head, function("BN"), {}, size=size, **options)


@pytest.mark.parametrize("head", FRAMED)
def test_options_that_change_no_number(head):
    function, options = FRAMED[head]
    unread = {
        "dropout_ratio": 0.5, "conv_cfg": {"type": "Conv2d"}, "in_index": 1, "input_transform": None,
        "loss_decode": {"type": "CrossEntropyLoss"}, "ignore_index": 255, "sampler": None, "init_cfg": None,
        "threshold": None, "out_channels": None,
    }  # fmt: skip
    assert_head_agrees(head, function("BN"), unread, **options)


@pytest.mark.parametrize("head", ["CCHead", "NLHead", "GCHead"])
@pytest.mark.parametrize(
    "options",
    [
        {"concat_input": False},
        {"kernel_size": 1},
        {"kernel_size": 5},
        {"dilation": 2},  # not of the convolution that fuses
        {"dilation": 3, "kernel_size": 5, "concat_input": False},
    ],
    ids=str,
)
def test_convolutions(head, options):
    function, _ = FRAMED[head]
    assert_head_agrees(head, function("BN"), {}, **options)


@pytest.mark.parametrize("recurrence", [0, 1, 2, 3])
def test_recurrence(recurrence):
    function = cc(recurrence)
    if recurrence == 0:  # published, the attention's parameters are there and unused

        def function(x, p, **options):
            p.inside("cca", partial(references.criss_cross, mmcv=True), x.new_ones(1, INNER, 1, 1))
            return cc(0)(x, p, **options)

    assert_head_agrees("CCHead", function, {"recurrence": recurrence})


@pytest.mark.parametrize("mode", ["gaussian", "embedded_gaussian", "dot_product", "concatenation"])
@pytest.mark.parametrize(("reduction", "use_scale", "norm"), [(2, False, "BN"), (3, True, "GN"), (4, True, None)])
def test_non_local(mode, reduction, use_scale, norm):
    options = {"mode": mode, "reduction": reduction, "use_scale": use_scale}
    assert_head_agrees("NLHead", nl(norm, **options), options, norm=norm)


@pytest.mark.parametrize(
    "options",
    [
        {"ratio": 1 / 16 + 1 / 16},
        {"ratio": 0.39, "pooling_type": "avg"},
        {"ratio": 0.5, "fusion_types": ["channel_mul"]},
        {"ratio": 0.5, "pooling_type": "avg", "fusion_types": ["channel_mul", "channel_add"]},
    ],
    ids=str,
)
def test_global_context(options):
    assert_head_agrees("GCHead", gc(**options), options)


@pytest.mark.parametrize("pam_channels", [1, 4, 16])
def test_dual(pam_channels):
    assert_head_agrees("DAHead", references.dual_mmseg, {}, pam_channels=pam_channels)


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("pool_scales", [[1, 2, 3, 6], [4], [8, 2]], ids=str)
def test_pyramid(pool_scales, align_corners):
    options = {"pool_scales": pool_scales, "align_corners": align_corners}
    for size in ((5, 7), (6, 2)):
        assert_head_agrees("PSPHead", references.psp, {}, size=size, **options)


@pytest.mark.parametrize("dilations", [[1, 6, 12, 18], [1], [3, 2]], ids=str)
def test_atrous(dilations):
    assert_head_agrees("ASPPHead", references.aspp, {"align_corners": True}, dilations=dilations)


@pytest.mark.parametrize(
    ("ema_channels", "num_bases", "num_stages", "concat_input"), [(8, 4, 1, True), (3, 1, 2, False), (12, 9, 4, True)]
)
def test_expectation_maximisation(ema_channels, num_bases, num_stages, concat_input):
    options = {
        "ema_channels": ema_channels, "num_bases": num_bases, "num_stages": num_stages, "concat_input": concat_input
    }  # fmt: skip
    assert_head_agrees("EMAHead", references.ema, {"momentum": 0.5}, **options)


RCCA = ["speedinghzl/CCNet RCCAModule", "speedinghzl/CCNet RCCAModule (InPlaceABNSync leaky_relu 0.01)"]


@SIZES
@pytest.mark.parametrize("name", RCCA)
@pytest.mark.parametrize("recurrence", [1, 2, 3])
def test_recurrent_criss_cross(name, recurrence, size):
    for in_channels, out_channels in ((32, 8), (42, 7)):  # 42 // 4 // 8 = 1
        constructor = {"in_channels": in_channels, "out_channels": out_channels, "num_classes": references.K}
        function = partial(references.rcca, out_channels=out_channels, recurrence=recurrence)
        shape = (2, in_channels, *size)
        assert_agrees(name, constructor, function, shape, lambda module, x: module(x, recurrence=recurrence))
        assert_agrees(name, constructor | {"recurrence": recurrence}, function, shape)


def test_recurrent_criss_cross_runs_once_unless_told():
    constructor = {"in_channels": 32, "out_channels": 8, "num_classes": references.K}
    assert_agrees(RCCA[0], constructor, partial(references.rcca, out_channels=8, recurrence=1), (2, 32, 5, 7))


@SIZES
@pytest.mark.parametrize("norm_layer", ["nn.BatchNorm2d", "BatchNorm2d", nn.BatchNorm2d], ids=str)
def test_danet_head(norm_layer, size):
    for in_channels in (32, 42):
        constructor = {"in_channels": in_channels, "out_channels": references.K, "norm_layer": norm_layer}
        assert_agrees("junfu1115/DANet DANetHead", constructor, references.dual_danet, (2, in_channels, *size))


def test_frozen_norms_have_no_gradient():
    """requires_grad=False in norm_cfg: the published parameter is there, and its gradient is not."""
    frozen = {"norm_cfg": {"type": "BN", "requires_grad": False}}

    def function(x, p, **options):
        references.psp(x, p, **options)  # draws the parameters
        for name, t in p.items():
            t.requires_grad_(t.requires_grad and ".bn." not in name)
        return references.psp(x, p, **options)

    assert_head_agrees("PSPHead", function, frozen)


def test_two_classes_from_one_map():
    function = partial(references.psp, channels=INNER, kind="BN", classes=1)
    constructor = {"in_channels": C, "channels": INNER, "num_classes": 2, "out_channels": 1, "norm_cfg": NORMS["BN"]}
    assert_agrees("mmseg PSPHead", constructor, function, (2, C, 5, 7))
