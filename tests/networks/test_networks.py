import pytest
import torch
import torch.nn.functional as F

from segtut import cost
from segtut.networks import Backbone, CCHead, PretrainedWeightsError, build_network

B, H, W, K = 2, 40, 56, 7


@pytest.fixture
def x():
    return torch.randn(B, 3, H, W, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["fcn", "ccnet"])
@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_shapes(name, backbone, x):
    network = build_network(name, backbone, K).eval()
    with torch.no_grad():
        assert network(x).shape == (B, K, H, W)
        assert network(x, size=(31, 29)).shape == (B, K, 31, 29)
        (only,) = network(x, all_outputs=True)
        torch.testing.assert_close(only, network(x))


@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_backbone_strides(output_stride):
    third, fourth = Backbone(output_stride=output_stride)(torch.zeros(1, 3, 64, 96))
    assert fourth.shape == (1, 512, 64 // output_stride, 96 // output_stride)
    assert third.shape[-2] == 64 // min(output_stride, 16)


def test_auxiliary_output_has_its_weight(x):
    network = build_network("fcn", num_classes=K, auxiliary=True).eval()
    outputs = network(x, all_outputs=True)
    assert [scores.shape for scores in outputs] == [(B, K, H, W)] * 2
    assert network.loss_weights(2) == (1.0, 0.4) and build_network("fcn").loss_weights(1) == (1.0,)
    sum(scores.sum() for scores in outputs).backward()
    assert all(p.grad is not None for p in network.auxiliary.parameters())


def test_classify_then_upsample_is_upsample_then_classify(x):
    network = build_network("fcn", num_classes=K).double().eval()
    with torch.no_grad():
        features = network.head.conv(network.backbone(x.double())[1])
        large = F.interpolate(features, size=(H, W), mode="bilinear", align_corners=True)
        torch.testing.assert_close(network(x.double()).double(), network.head.classifier(large), atol=1e-5, rtol=1e-5)


def test_cc_head_is_the_published_data_flow():
    torch.manual_seed(0)
    head = CCHead(64, K, recurrence=2).double().eval()
    with torch.no_grad():
        head.cca.gamma.fill_(0.7)
    x = torch.randn(B, 64, 5, 7, dtype=torch.float64)
    y = head.convb(head.cca(head.cca(head.conva(x))))
    want = head.classifier(head.bottleneck(torch.cat([x, y], 1)))
    torch.testing.assert_close(head(x)[0], want)
    once = CCHead(64, K, recurrence=1).double().eval()
    once.load_state_dict(head.state_dict())  # the passes share their weights
    assert not torch.allclose(once(x)[0], want)


def test_no_attention_when_recurrence_is_zero():
    head = CCHead(64, K, recurrence=0)
    assert head.cca is None and head(torch.randn(B, 64, 5, 7))[0].shape == (B, K, 5, 7)


@pytest.mark.parametrize("recurrence", [1, 2])
def test_every_parameter_gets_a_gradient(recurrence, x):
    network = build_network("ccnet", num_classes=K, recurrence=recurrence)
    with torch.no_grad():
        network.head.cca.gamma.fill_(0.5)
    network(x).sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


def test_bf16_autocast_gives_float32_scores(x):
    network = build_network("ccnet", num_classes=K).eval()
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        scores = network(x.contiguous(memory_format=torch.channels_last))
    assert scores.dtype == torch.float32 and torch.isfinite(scores).all()


def test_spec_makes_the_network_again():
    network = build_network("ccnet", "resnet18", 5, recurrence=3, dropout=0.2, auxiliary=True, align_corners=False)
    again = build_network(**network.spec)
    assert again.spec == network.spec and again.head.recurrence == 3 and again.align_corners is False
    again.load_state_dict(network.state_dict())


def test_weights_that_cannot_be_fetched(monkeypatch, capsys):
    import timm

    create = timm.create_model

    def offline(name, pretrained=False, **options):
        if pretrained:
            raise OSError("no route to host")
        return create(name, pretrained=False, **options)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(PretrainedWeightsError, match=r"resnet18 could not be fetched.*random weights"):
        build_network("fcn", pretrained=True)
    assert build_network("fcn", pretrained=True, allow_random=True) is not None
    assert "starting from random weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: build_network("unet"), "'unet' is none of fcn, ccnet"),
        (lambda: build_network("fcn", "resnet19"), "resnet19.*near it: .*resnet18"),
        (lambda: build_network("fcn", "vit_tiny_patch16_224"), "vit_tiny_patch16_224"),
        (lambda: build_network("fcn", num_classes=0), "num_classes=0"),
        (lambda: build_network("fcn", recurrence=2), "no such option.*recurrence"),
        (lambda: build_network("ccnet", recurrence=-1), "recurrence=-1"),
        (lambda: build_network("fcn", output_stride=4), "output_stride=4"),
        (lambda: build_network("fcn")(torch.zeros(3, 8, 8)), r"shape \(3, 8, 8\)"),
    ],
)
def test_errors(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_cost_counts_what_a_formula_counts():
    network = build_network("fcn", num_classes=K)
    before = network.training
    counted = cost.flops(network, (H, W))
    assert network.training is before
    conv = 2 * 9 * 512 * 128 * (H // 8) * (W // 8) + 2 * 128 * K * (H // 8) * (W // 8)
    backbone = cost.flops(build_network("fcn", num_classes=K + 1), (H, W)) - counted
    assert backbone == 2 * 128 * (H // 8) * (W // 8)  # one class more is one 1×1 filter more
    assert counted > conv
    assert cost.parameters(network) == sum(p.numel() for p in network.parameters())
