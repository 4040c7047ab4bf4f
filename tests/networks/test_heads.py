"""Every head: what goes in, what comes out, and what its formula says."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segtut.networks import ASPPHead, CCHead, DAHead, FCNHead, GCHead, NonLocalHead, PSPHead
from segtut.networks.blocks import BLOCKS, InPlaceABN
from tests.networks.common import ALL, B, C, H, K, W, awaken, dead_parameters, features, make_head


def outputs_of(case):
    return 3 if case == "danet" else 1


@pytest.mark.parametrize("case", ALL)
@pytest.mark.parametrize("size", [(H, W), (1, W), (H, 1), (1, 1)], ids=str)
def test_scores_have_the_features_size(case, size):
    with torch.no_grad():
        scores = make_head(case)(features(B, C, *size))
    assert isinstance(scores, tuple) and [s.shape for s in scores] == [(B, K, *size)] * outputs_of(case)
    assert all(s.isfinite().all() for s in scores)


@pytest.mark.parametrize("case", ALL)
def test_every_trainable_parameter_has_a_gradient(case):
    head = make_head(case, dtype=torch.float64)
    x = features(dtype=torch.float64).requires_grad_()
    sum((s * features(*s.shape, dtype=torch.float64, seed=i)).sum() for i, s in enumerate(head(x))).backward()
    assert x.grad.abs().max() > 1e-3
    gradients = {name: p.grad for name, p in head.named_parameters() if p.requires_grad}
    assert [name for name, gradient in gradients.items() if gradient is None] == []
    zero = {name for name, gradient in gradients.items() if gradient.abs().max() < 1e-11}
    assert zero == dead_parameters(case)
    frozen = {name for name, p in head.named_parameters() if not p.requires_grad}
    assert frozen == ({"ema_mid.weight", "ema_mid.bias"} if case.startswith("ema") else set())


@pytest.mark.parametrize("case", ALL)
def test_dropout_acts_in_training_only(case):
    head, x = make_head(case, dropout=0.5), features()
    with torch.no_grad():
        assert torch.equal(head(x)[0], head(x)[0])
        # batch norm stays in evaluation, so that dropout is all that training changes
        for module in head.modules():
            module.train(isinstance(module, nn.Dropout2d))
        torch.manual_seed(0)
        assert not torch.equal(head(x)[0], head(x)[0])
        drops = [m for m in head.modules() if isinstance(m, nn.Dropout | nn.Dropout2d)]
        assert {type(m) for m in drops} == {nn.Dropout2d} and {m.p for m in drops} == {0.5}


@pytest.mark.parametrize("case", ALL)
def test_channels_last_changes_no_number(case):
    head = make_head(case, dtype=torch.float64)
    x = features(dtype=torch.float64)
    with torch.no_grad():
        want = head(x)
        found = head.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, want, rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", ALL)
def test_bfloat16(case):
    head, x = make_head(case), features()
    with torch.no_grad():
        want = head(x)
        with torch.autocast("cpu", torch.bfloat16):
            cast = head(x)
        pure = head.bfloat16()(x.bfloat16())
    for reference, a, b in zip(want, cast, pure, strict=True):
        assert b.dtype == torch.bfloat16
        for scores in (a, b):  # 8 bits, a few layers
            torch.testing.assert_close(scores.float(), reference, rtol=0, atol=0.05 * reference.abs().max().item())


def awake(head):
    return awaken(head).double().eval()


@pytest.mark.parametrize("recurrence", [0, 1, 2, 3])
def test_cc_head_passes_with_the_same_weights(recurrence):
    head, x = awake(CCHead(C, K, recurrence)), features(dtype=torch.float64)
    y = head.conva(x)
    for _ in range(recurrence):
        y = head.cca(y)
    want = head.classifier[1](head.bottleneck(torch.cat([x, head.convb(y)], 1)))
    torch.testing.assert_close(head(x), (want,))
    assert (head.cca is None) == (recurrence == 0)


def test_passes_matter():
    x = features(dtype=torch.float64)
    once = awake(CCHead(C, K, recurrence=1))
    twice = CCHead(C, K, recurrence=2).double().eval()
    twice.load_state_dict(once.state_dict())
    assert not torch.allclose(once(x)[0], twice(x)[0], atol=1e-6)


@pytest.mark.parametrize(("kind", "operator"), [(NonLocalHead, "non_local"), (GCHead, "gc")])
def test_refining_heads_frame_their_operator(kind, operator):
    head, x = awake(kind(C, K)), features(dtype=torch.float64)
    y = head.convb(getattr(head, operator)(head.conva(x)))
    torch.testing.assert_close(head(x), (head.classifier[1](head.bottleneck(torch.cat([x, y], 1))),))
    bare = awake(kind(C, K, concat=False))
    torch.testing.assert_close(bare(x), (bare.classifier[1](bare.convb(getattr(bare, operator)(bare.conva(x)))),))
    assert bare.bottleneck is None


def test_da_head_sums_its_branches():
    head, x = awake(DAHead(C, K)), features(dtype=torch.float64)
    p = head.position_out(head.position(head.position_in(x)))
    c = head.channel_out(head.channel(head.channel_in(x)))
    want = head.classifier[1](p + c), head.position_classifier[1](p), head.channel_classifier[1](c)
    torch.testing.assert_close(head(x), want)
    for branch, part in (("position", p), ("channel", c)):
        single = DAHead(C, K, branches=branch).double().eval()
        own = single.state_dict().keys()
        single.load_state_dict({name: t for name, t in head.state_dict().items() if name in own})
        torch.testing.assert_close(single(x), (head.classifier[1](part),))
        assert not any(name.startswith("channel" if branch == "position" else "position") for name in own)


def test_fcn_head():
    head, x = awake(FCNHead(C, K)), features(dtype=torch.float64)
    torch.testing.assert_close(head(x), (head.classifier[1](head.conv(x)),))


def cell_means(x, cells):
    """Means over a grid of cells×cells; cells overlap where the size is no multiple."""
    means = x.new_zeros(*x.shape[:2], cells, cells)
    for i in range(cells):
        for j in range(cells):
            rows = slice(i * H // cells, -(-(i + 1) * H // cells))
            columns = slice(j * W // cells, -(-(j + 1) * W // cells))
            means[:, :, i, j] = x[:, :, rows, columns].mean(dim=(2, 3))
    return means


@pytest.mark.parametrize("align", [True, False])
def test_psp_head_is_its_pyramid(align):
    head, x = awake(PSPHead(C, K, scales=(1, 2, 4), align_corners=align)), features(dtype=torch.float64)
    parts = [x]
    for cells, (_, conv) in zip((1, 2, 4), head.pools, strict=True):
        parts.append(F.interpolate(conv(cell_means(x, cells)), (H, W), mode="bilinear", align_corners=align))
    torch.testing.assert_close(head(x), (head.classifier[1](head.bottleneck(torch.cat(parts, 1))),))


def test_aspp_head_is_its_taps():
    dilations = (1, 2, 3)
    head, x = awake(ASPPHead(C, K, dilations)), features(dtype=torch.float64)
    mean = head.image_pool[1](x.mean(dim=(2, 3), keepdim=True))
    parts = [mean.repeat(1, 1, H, W)]
    for d, (conv, *rest) in zip(dilations, head.atrous, strict=True):
        if d == 1:
            y = torch.einsum("oc, bchw -> bohw", conv.weight[:, :, 0, 0], x)
        else:  # nine shifted copies
            padded = F.pad(x, (d, d, d, d))
            y = sum(
                torch.einsum("oc, bchw -> bohw", conv.weight[:, :, i, j], padded[:, :, i * d :, j * d :][..., :H, :W])
                for i in range(3)
                for j in range(3)
            )
        parts.append(nn.Sequential(*rest)(y))
    torch.testing.assert_close(head(x), (head.classifier[1](head.bottleneck(torch.cat(parts, 1))),))


def test_inplace_abn_is_batch_norm_of_the_weight_s_size():
    norm, x = awaken(InPlaceABN(C)).double(), features(dtype=torch.float64)
    assert (norm.weight > 0).any()
    with torch.no_grad():
        norm.weight[::2] *= -1
        norm.weight[1] = 0
    mean, var = x.mean(dim=(0, 2, 3), keepdim=True), x.var(dim=(0, 2, 3), unbiased=False, keepdim=True)
    gain = norm.weight.abs().view(1, -1, 1, 1) + 1e-5
    want = (x - mean) / (var + 1e-5).sqrt() * gain + norm.bias.view(1, -1, 1, 1)
    assert norm.training
    torch.testing.assert_close(norm(x), want)
    norm.eval()
    mean, var = norm.running_mean.view(1, -1, 1, 1), norm.running_var.view(1, -1, 1, 1)
    want = (x - mean) / (var + 1e-5).sqrt() * gain + norm.bias.view(1, -1, 1, 1)
    torch.testing.assert_close(norm(x), want)


@pytest.mark.parametrize("block", BLOCKS)
def test_blocks(block):
    """The size stays with any dilation; bias and activation are where they belong."""
    x = features(dtype=torch.float64)
    for kernel, dilation in ((1, 1), (3, 1), (3, 2)):
        conv, norm, act = BLOCKS[block](C, 6, kernel, dilation).double().eval()
        assert conv.bias is None and act(norm(conv(x))).shape == (B, 6, H, W)
    minus = act(torch.tensor(-1.0))
    assert minus == (0 if block == "bn_relu" else pytest.approx(-0.01))
    assert len(BLOCKS[block](C, 6, activate=False)) == 2


def test_a_block_of_one_s_own():
    head = FCNHead(C, K, block=lambda channels, out: nn.Sequential(nn.Conv2d(channels, out, 1), nn.Tanh()))
    x = features()
    torch.testing.assert_close(head.eval()(x), (head.classifier[1](head.conv[0](x).tanh()),))
