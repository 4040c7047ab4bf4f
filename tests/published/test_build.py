"""`published.build`: what it takes, what it gives back, what it refuses."""

import copy
import pickle
from functools import partial

import pytest
import torch

from segtut import published
from segtut.published.build import NOT_OFFERED
from tests.published import references
from tests.published.common import draw, draw_weights

SHAPE = (2, 16, 5, 7)
CCA, CONSTRUCTOR = "mmcv.ops.CrissCrossAttention", {"in_channels": 16}
DA, DA_CONSTRUCTOR = "mmseg DAHead", {
    "in_channels": 16, "channels": 8, "pam_channels": 2, "num_classes": 5, "norm_cfg": {"type": "BN"}
}  # fmt: skip
PSP, PSP_CONSTRUCTOR = "mmseg PSPHead", {"in_channels": 16, "channels": 4, "num_classes": 5, "norm_cfg": {"type": "BN"}}
GC, GC_CONSTRUCTOR = "mmcv.cnn.ContextBlock", {"in_channels": 16, "ratio": 0.25}
EMA, EMA_CONSTRUCTOR = "mmseg EMAHead", {
    "in_channels": 16, "channels": 4, "ema_channels": 8, "num_bases": 3, "num_stages": 2, "num_classes": 5
}  # fmt: skip


def weights(function, **options):
    p = draw_weights(partial(function, **options), SHAPE)
    return {name: t.detach() for name, t in p.items()}, p.buffers


@pytest.fixture
def cca():
    return weights(references.criss_cross, mmcv=True)[0]


@pytest.fixture
def da():
    return weights(references.dual_mmseg, channels=8, pam_channels=2, kind="BN")[0]


@pytest.fixture
def psp():
    return weights(references.psp, channels=4, kind="BN")


@pytest.fixture
def ema():
    return weights(references.ema, channels=4, ema_channels=8, num_bases=3, num_stages=2)[0]


def test_a_file_s_keys_or_a_plain_state_dict(psp):
    state, buffers = psp
    file = {f"{'buffer' if name in buffers else 'param'}.{name}": t for name, t in state.items()}
    file |= {"input": draw(*SHAPE), "output": draw(3), "cotangent": draw(3), "grad.param.conv_seg.bias": draw(5)}
    norms = {name.removesuffix("running_mean") for name in buffers if name.endswith("running_mean")}
    assert norms
    counted = state | {f"{name}num_batches_tracked": torch.tensor(7) for name in norms}
    x = draw(*SHAPE)
    want = published.build(PSP, PSP_CONSTRUCTOR, state)(x)
    for tensors in (file, counted):
        assert torch.equal(published.build(PSP, PSP_CONSTRUCTOR, tensors)(x), want)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 0), (torch.float32, 1e-5), (torch.bfloat16, 0.05)])
def test_the_module_has_the_parameters_type(dtype, tolerance, da):
    want = published.build(DA, DA_CONSTRUCTOR, da)(draw(*SHAPE))
    module = published.build(DA, DA_CONSTRUCTOR, {name: t.to(dtype) for name, t in da.items()})
    assert {t.dtype for t in module.state_dict().values() if t.is_floating_point()} == {dtype}
    for found, reference in zip(module(draw(*SHAPE).to(dtype)), want, strict=True):
        assert found.dtype == dtype
        atol = tolerance * reference.abs().max().item()
        torch.testing.assert_close(found.double(), reference, rtol=0, atol=atol)


def test_the_parameters_are_copied(cca):
    module, before = published.build(CCA, CONSTRUCTOR, cca), {name: t.clone() for name, t in cca.items()}
    with torch.no_grad():
        for p in module.parameters():
            p.add_(1)
    assert all(torch.equal(cca[name], t) for name, t in before.items())


def test_what_comes_back(da):
    module = published.build(DA, DA_CONSTRUCTOR, da)
    assert not any(part.training for part in module.modules())
    assert module.published_names.keys() == da.keys()
    own = {name: t for name, t in module.state_dict().items() if not name.endswith("num_batches_tracked")}
    assert sorted(module.published_names.values()) == sorted(own)
    for name, ours in module.published_names.items():
        assert torch.equal(own[ours].view(da[name].shape), da[name])


def test_outputs_come_as_published(da, psp, cca):
    x = draw(*SHAPE)
    module = published.build(DA, DA_CONSTRUCTOR, da)
    outputs = module(x)
    assert isinstance(outputs, tuple) and [out.shape for out in outputs] == [(2, 5, 5, 7)] * 3
    for maps in ([x], (x,), [x[:, :1], x]):  # the last map, as in_index=-1 says
        assert all(torch.equal(a, b) for a, b in zip(module(maps), outputs, strict=True))
    single = published.build(PSP, PSP_CONSTRUCTOR, psp[0])
    assert isinstance(single(x), torch.Tensor) and torch.equal(single([x]), single(x))
    first = published.build(PSP, PSP_CONSTRUCTOR | {"in_index": 0}, psp[0])
    assert torch.equal(first([x, x[:, :1]]), single(x))
    assert published.build(CCA, CONSTRUCTOR, cca)(x).shape == SHAPE


@pytest.mark.parametrize(
    "again",
    [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))],
    ids=["copied", "pickled"],
)
def test_the_module_can_be_kept(again, da, psp):
    x = draw(*SHAPE)
    for name, constructor, state in ((DA, DA_CONSTRUCTOR, da), (PSP, PSP_CONSTRUCTOR, psp[0])):
        module = published.build(name, constructor, state)
        other = again(module)
        assert other.published_names == module.published_names
        torch.testing.assert_close(other([x]), module([x]), rtol=0, atol=0)
        with torch.no_grad():
            next(other.parameters()).zero_()
        assert any(next(module.parameters()).flatten())


def test_dropout_acts_in_training(psp):
    for ratio in (0.0, 0.9):
        module = published.build(PSP, PSP_CONSTRUCTOR | {"dropout_ratio": ratio}, psp[0])
        drops = [part for part in module.modules() if isinstance(part, torch.nn.Dropout2d)]
        assert [drop.p for drop in drops] == [ratio]


def test_the_state_can_be_kept(da):
    module = published.build(DA, DA_CONSTRUCTOR, da)
    other = published.build(DA, DA_CONSTRUCTOR, {name: torch.full_like(t, 0.5) for name, t in da.items()})
    other.load_state_dict(module.state_dict())
    torch.testing.assert_close(other(draw(*SHAPE)), module(draw(*SHAPE)), rtol=0, atol=0)


def test_gradients_have_the_published_names(ema, cca):
    module = published.build(EMA, EMA_CONSTRUCTOR, ema)
    assert published.gradients(module) == {}
    module(draw(*SHAPE)).sum().backward()
    frozen = {"ema_mid_conv.conv.weight", "ema_mid_conv.conv.bias", "ema_module.bases"}
    assert published.gradients(module).keys() == ema.keys() - frozen
    module = published.build(CCA, CONSTRUCTOR, cca)
    module(draw(*SHAPE)).sum().backward()
    found = published.gradients(module)
    assert found.keys() == cca.keys() and found["value_conv.weight"] is module.value_conv.weight.grad


@pytest.mark.parametrize(
    ("name", "constructor", "said"),
    [
        ("CrissCrossAttention", CONSTRUCTOR, "module='CrissCrossAttention' is unknown: use one of 'mmcv.ops."),
        ("mmseg PSAHead", {}, "module='mmseg PSAHead' is not offered: .*masks .* use 'mmseg DAHead' or 'mmseg NLHead'"),
        (CCA, {"channels": 16}, r"constructor={'channels': 16} does not fit '.*', \(in_channels: int\)"),
        (CCA, {}, "missing 1 required .*'in_channels'"),
        (CCA, {"in_channels": 4}, "C_qk=0: must be an integer of at least 1"),
        (DA, DA_CONSTRUCTOR | {"recurrence": 2}, "does not fit 'mmseg DAHead'.* unexpected .*'recurrence'"),
        (DA, DA_CONSTRUCTOR | {"kernel_size": 1}, "does not fit 'mmseg DAHead'.* unexpected .*'kernel_size'"),
        (DA, {k: v for k, v in DA_CONSTRUCTOR.items() if k != "pam_channels"}, "missing 1 .*'pam_channels'"),
        (DA, DA_CONSTRUCTOR | {"norm_cfg": {"type": "LN"}}, "norm_cfg='LN' is not offered: use BN, .* or None"),
        (DA, DA_CONSTRUCTOR | {"act_cfg": {"type": "Mish2"}}, "act_cfg=.*Mish2.* is not offered"),
        (DA, DA_CONSTRUCTOR | {"conv_cfg": {"type": "DCNv2"}}, "conv_cfg=.*DCNv2.* is not offered: use None"),
        (DA, DA_CONSTRUCTOR | {"input_transform": "resize_concat"}, "input_transform='resize_concat' is not offered"),
        ("mmseg FCNHead", {"num_convs": 2}, "FCNHead with num_convs=2, concat_input=True is not offered: use 1"),
        (GC, GC_CONSTRUCTOR | {"pooling_type": "max"}, "pooling_type='max' is unknown: use one of 'att', 'avg'"),
        (GC, GC_CONSTRUCTOR | {"fusion_types": []}, r"fusion_types=\(\): one or"),
        (GC, GC_CONSTRUCTOR | {"fusion_types": ["add"]}, r"fusion_types=\('add',\)"),
        (GC, GC_CONSTRUCTOR | {"ratio": 0.01}, "inner=0: must be an integer of at least 1"),
        ("mmcv.cnn.NonLocal2d", {"in_channels": 16, "mode": "gauss"}, "mode='gauss' is unknown: use one of 'gaussian'"),
        ("speedinghzl/CCNet RCCAModule", {"in_channels": 32, "out_channels": 8, "num_classes": 5, "recurrence": -1},
         "recurrence=-1: the number of passes"),
        ("junfu1115/DANet DANetHead", {"in_channels": 32, "out_channels": 5, "norm_layer": "nn.GroupNorm"},
         "norm_layer='nn.GroupNorm' is not offered: use 'nn.BatchNorm2d'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_modules_and_arguments_that_are_not_offered(name, constructor, said):
    with pytest.raises(ValueError, match=said):
        published.build(name, constructor, {})


def test_every_parameter_that_does_not_fit_is_listed(cca):
    del cca["query_conv.bias"], cca["gamma.scale"]
    cca["query_conv.tilt"] = draw(2)
    cca["value_conv.weight"] = draw(16, 8, 1, 1)
    cca["key_conv.bias"] = draw(1, 2)
    with pytest.raises(ValueError, match="the parameters do not fit CrissCrossAttention") as error:
        published.build(CCA, CONSTRUCTOR, cca)
    for part in (
        "missing query_conv.bias", "missing gamma", "unknown query_conv.tilt",
        "value_conv.weight is (16, 8, 1, 1), must be (16, 16, 1, 1)", "key_conv.bias is (1, 2), must be (2,)",
    ):  # fmt: skip
        assert part in str(error.value)


def test_no_parameters():
    with pytest.raises(ValueError, match=r"missing gamma; missing query_conv.weight; .*missing value_conv.bias"):
        published.build(CCA, CONSTRUCTOR, {})
    with pytest.raises(ValueError, match=r"missing gamma.* unknown output"):  # no key begins with param.
        published.build(CCA, CONSTRUCTOR, {"input": draw(*SHAPE), "output": draw(*SHAPE)})
    with pytest.raises(ValueError, match="missing gamma"):
        published.build("mmseg CAM", {}, {})


def test_parameters_of_several_types(cca):
    cca["gamma.scale"] = cca["gamma.scale"].float()
    with pytest.raises(ValueError, match=r"of several types, torch\.float32, torch\.float64: convert them"):
        published.build(CCA, CONSTRUCTOR, cca)


@pytest.mark.parametrize(
    ("bad", "kind", "said"),
    [
        (lambda x: x.float(), TypeError, "x has dtype torch.float32 but the module's parameters torch.float64"),
        (lambda x: x[:, :8], ValueError, "x has 8 channels .* built for 16"),
        (lambda x: x[0], ValueError, r"x has shape \(16, 5, 7\), 3 axes"),
        (lambda x: x[:0], ValueError, "every axis"),
    ],
)
def test_inputs_that_do_not_fit(bad, kind, said, cca, da):
    for name, constructor, state in ((CCA, CONSTRUCTOR, cca), (DA, DA_CONSTRUCTOR, da)):
        with pytest.raises(kind, match=said):
            published.build(name, constructor, state)(bad(draw(*SHAPE)))


def test_passes_that_do_not_fit():
    constructor = {"in_channels": 32, "out_channels": 8, "num_classes": 5}
    p = draw_weights(partial(references.rcca, out_channels=8), (2, 32, 5, 7))
    module = published.build("speedinghzl/CCNet RCCAModule", constructor, {name: t.detach() for name, t in p.items()})
    for recurrence in (-1, True, 1.5):
        with pytest.raises(ValueError, match=f"recurrence={recurrence}: the number of passes R"):
            module(draw(2, 32, 5, 7), recurrence=recurrence)


def test_what_is_not_offered_is_not_in_the_list():
    assert not set(published.MODULES) & set(NOT_OFFERED)
