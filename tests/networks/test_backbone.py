"""The dilated ResNet: sizes, dilations, and weights that cannot be fetched."""

import pytest
import timm
import torch
from torch import nn

from segtut.networks import Backbone, PretrainedWeightsError, build_network


@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_output_strides(output_stride):
    third, fourth = Backbone(output_stride=output_stride)(torch.zeros(1, 3, 64, 96))
    assert fourth.shape == (1, 512, 64 // output_stride, 96 // output_stride)
    assert third.shape == (1, 256, 64 // min(output_stride, 16), 96 // min(output_stride, 16))


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet50c", "resnet50d"])
def test_every_resnet(name):
    backbone = Backbone(name).eval()
    with torch.no_grad():
        outputs = backbone(torch.zeros(1, 3, 32, 40))
    width = 1 if name in ("resnet18", "resnet34") else 4
    assert backbone.channels == (256 * width, 512 * width)
    assert [x.shape for x in outputs] == [(1, c, 4, 5) for c in backbone.channels]


@pytest.mark.parametrize("name", ["resnet50", "resnet50c"])
def test_dilations_are_mmsegmentation_s(name):
    """strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), contract_dilation=True."""
    stages = Backbone(name).stages
    found = {
        stage: [(block.conv2.stride[0], block.conv2.dilation[0]) for block in stages[stage]]
        for stage in ("layer1", "layer2", "layer3", "layer4")
    }
    assert found == {
        "layer1": [(1, 1)] * 3,
        "layer2": [(2, 1)] + [(1, 1)] * 3,
        "layer3": [(1, 1)] + [(1, 2)] * 5,
        "layer4": [(1, 2)] + [(1, 4)] * 2,
    }
    others = [m for n, m in stages.named_modules() if isinstance(m, nn.Conv2d) and "layer" in n and "conv2" not in n]
    assert len(others) == 16 * 2 + 4  # two 1×1 in each block, one beside each stage
    assert all(m.kernel_size == (1, 1) and m.dilation == (1, 1) for m in others)


def test_weights_that_cannot_be_fetched(monkeypatch, capsys):
    create = timm.create_model

    def offline(name, pretrained=False, **options):
        if pretrained:
            raise OSError("no route to host")
        return create(name, pretrained=False, **options)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(PretrainedWeightsError, match=r"resnet18 could not be fetched.*random weights"):
        build_network("fcn", pretrained=True)
    assert build_network("fcn", pretrained=True, allow_random=True).backbone.channels == (256, 512)
    assert "starting from random weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("resnet19",), "backbone='resnet19' is no timm network; near it: .*resnet18"),
        (("vit_tiny_patch16_224",), "backbone='vit_tiny_patch16_224': timm makes no feature maps"),
        ((None,), "backbone=None is no timm network; near it: resnet18"),
        (("resnet18", False, False, 4), "output_stride=4: choose 8, 16 or 32"),
        (("resnet18", False, False, "8"), "output_stride='8': choose 8, 16 or 32"),
    ],
)
def test_errors(arguments, said):
    with pytest.raises(ValueError, match=said):
        Backbone(*arguments)
