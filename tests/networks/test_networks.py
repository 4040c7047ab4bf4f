"""Backbone, head and auxiliary head together: outputs, loss weights, gradients, memory layout, precision, bad input."""

import pytest
import torch
import torch.nn.functional as F

from segtut.networks import HEADS, SegmentationNetwork, build_network
from segtut.training.loss import cross_entropy
from tests.networks.common import B, K, awaken, dead_parameters, generator, images

H, W = 40, 56
SMALL = "resnet10t"


@pytest.fixture
def x():
    return images(B, H, W)


@pytest.mark.parametrize("auxiliary", [False, True])
@pytest.mark.parametrize("name", HEADS)
def test_outputs(name, auxiliary, x):
    network = build_network(name, SMALL, K, auxiliary=auxiliary).eval()
    with torch.no_grad():
        scores, outputs = network(x), network(x, all_outputs=True)
        assert network(x, size=(31, 29)).shape == (B, K, 31, 29)
    own = 3 if name == "danet" else 1
    assert scores.shape == (B, K, H, W) and torch.equal(outputs[0], scores)
    assert [s.shape for s in outputs] == [(B, K, H, W)] * (own + auxiliary)
    assert network.loss_weights(len(outputs)) == (1.0,) * own + (0.4,) * auxiliary


@pytest.mark.parametrize("name", HEADS)
def test_every_parameter_gets_a_gradient(name, x):
    network = awaken(build_network(name, SMALL, K, auxiliary=True, dropout=0.0))
    sum((s * torch.randn(s.shape, generator=generator(3))).sum() for s in network(x, all_outputs=True)).backward()
    missing = {name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()}
    frozen = {"head.ema_mid.weight", "head.ema_mid.bias"} if name == "ema" else set()
    assert missing - {f"head.{dead}" for dead in dead_parameters(name)} == frozen  # these are 0 but for rounding


def test_auxiliary_head_looks_at_the_third_stage(x):
    network = awaken(build_network("fcn", SMALL, K, auxiliary=True)).eval()
    third, _ = network.backbone(x)
    want = F.interpolate(network.auxiliary(third)[0], (H, W), mode="bilinear", align_corners=True)
    torch.testing.assert_close(network(x, all_outputs=True)[1], want)


@pytest.mark.parametrize("align_corners", [True, False])
def test_classify_then_upsample_is_upsample_then_classify(x, align_corners):
    network = build_network("fcn", num_classes=K, align_corners=align_corners).double().eval()
    with torch.no_grad():
        features = network.head.conv(network.backbone(x.double())[1])
        large = F.interpolate(features, size=(H, W), mode="bilinear", align_corners=align_corners)
        torch.testing.assert_close(network(x.double()).double(), network.head.classifier(large), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", HEADS)
def test_memory_layout_and_precision(name, x):
    network = awaken(build_network(name, SMALL, K)).eval()
    with torch.no_grad():
        want = network(x)
        network = network.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
        scale = want.abs().max().item()
        torch.testing.assert_close(network(x), want, rtol=0, atol=1e-5 * scale)
        with torch.autocast("cpu", torch.bfloat16):
            scores = network(x)
    assert scores.dtype == torch.float32 and scores.isfinite().all()
    torch.testing.assert_close(scores, want, rtol=0, atol=0.1 * scale)


def test_evaluation_is_deterministic_and_training_drops(x):
    network = build_network("ccnet", SMALL, K, dropout=0.5).eval()
    assert torch.equal(network(x), network(x))
    network.train()
    torch.manual_seed(0)
    assert not torch.equal(network(x), network(x))


def test_danet_learns_from_its_losses(x):
    """As segtut.training sums them: each of the three, and the auxiliary one, falls on one batch."""
    torch.manual_seed(0)
    network = build_network("danet", SMALL, K, auxiliary=True, dropout=0.0)
    target = torch.randint(K, (B, 1, 5, 7), generator=generator()).repeat_interleave(8, 2).repeat_interleave(8, 3)[:, 0]
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    history = []
    for _ in range(4):
        outputs = network(x, all_outputs=True)
        losses = [cross_entropy(scores, target) for scores in outputs]
        history.append([loss.item() for loss in losses])
        weights = network.loss_weights(len(outputs))
        optimiser.zero_grad()
        sum(weight * loss for weight, loss in zip(weights, losses, strict=True)).backward()
        optimiser.step()
    assert all(last < 0.9 * first for first, last in zip(history[0], history[-1], strict=True)), history
    for attention in (network.head.position, network.head.channel):
        assert attention.gamma.item() != 0  # the gates have opened


def test_a_head_of_one_s_own(x):
    """A chapter hands in its own head."""

    class Mean(torch.nn.Module):
        def forward(self, x):
            return (x.mean(1, keepdim=True),)

    body = build_network("fcn", SMALL).backbone
    assert SegmentationNetwork(body, Mean())(x).shape == (B, 1, H, W)


@pytest.mark.parametrize(
    ("bad", "kind", "said"),
    [
        (lambda x: x[0], ValueError, r"x has shape \(3, 40, 56\), 3 axes: it must be \(B, C, H, W\).*unsqueeze"),
        (lambda x: x[:, :1], ValueError, r"x has shape \(2, 1, 40, 56\): needs \(B, 3, H, W\), normalised RGB"),
        (lambda x: (255 * x).byte(), TypeError, r"x has dtype torch.uint8: .* convert it with .float"),
        (lambda x: x[:0], ValueError, r"x has shape \(0, 3, 40, 56\): every axis"),
        (lambda x: x.double(), TypeError, "x has dtype torch.float64 but the network's parameters torch.float32"),
        (lambda x: x.to("meta"), ValueError, "x is on meta but the network's parameters on cpu: move one"),
        (lambda x: x.numpy(), TypeError, "x is a ndarray: pass a torch.Tensor"),
    ],
)
def test_images_that_do_not_fit(bad, kind, said, x):
    network = build_network("fcn", SMALL)
    with pytest.raises(kind, match=said):
        network(bad(x))
