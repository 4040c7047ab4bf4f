"""Checkpoints of mmsegmentation: names and shapes written out here as its code makes them, numbers computed from them
by plain functions that know nothing of ours."""

import re

import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from segtut import cli, published
from segtut.published.convert import convert
from segtut.training import load_network
from segtut.training.checkpoint import CheckpointError

K, INNER = 5, 32
BLOCKS = (3, 4, 6, 3)


def conv_bn(state, conv, norm, out, channels, kernel):
    """A convolution and its batch norm, with values that keep features of one size from layer to layer."""
    state[f"{conv}.weight"] = torch.randn(out, channels, kernel, kernel) * (channels * kernel**2) ** -0.5
    state[f"{norm}.weight"], state[f"{norm}.bias"] = torch.rand(out) + 0.5, torch.randn(out) * 0.1
    state[f"{norm}.running_mean"], state[f"{norm}.running_var"] = torch.randn(out) * 0.1, torch.rand(out) + 0.5
    state[f"{norm}.num_batches_tracked"] = torch.tensor(7)


def conv(state, name, out, channels, bias=True):
    state[f"{name}.weight"] = torch.randn(out, channels, 1, 1) * channels**-0.5
    if bias:
        state[f"{name}.bias"] = torch.randn(out) * 0.1


def resnet_v1c(width=64):
    """ResNetV1c-50 of mmseg/models/backbones/resnet.py."""
    state = {}
    for i, (out, channels) in enumerate(((32, 3), (32, 32), (64, 32))):
        conv_bn(state, f"backbone.stem.{3 * i}", f"backbone.stem.{3 * i + 1}", out, channels, 3)
    channels = 64
    for stage, blocks in enumerate(BLOCKS):
        planes = width * 2**stage
        for b in range(blocks):
            block = f"backbone.layer{stage + 1}.{b}"
            for i, (out, fan, kernel) in enumerate(
                ((planes, channels, 1), (planes, planes, 3), (4 * planes, planes, 1))
            ):
                conv_bn(state, f"{block}.conv{i + 1}", f"{block}.bn{i + 1}", out, fan, kernel)
            if b == 0:
                conv_bn(state, f"{block}.downsample.0", f"{block}.downsample.1", 4 * planes, channels, 1)
            channels = 4 * planes
    return state


def module(state, name, out, channels, kernel=3):
    """mmcv's ConvModule with batch norm."""
    conv_bn(state, f"{name}.conv", f"{name}.bn", out, channels, kernel)


def decode_head(kind):
    """mmseg/models/decode_heads: keys and shapes of each head, and the constructor they come from."""
    state, head = {}, "decode_head"
    if kind == "DAHead":
        for branch in ("pam", "cam"):
            module(state, f"{head}.{branch}_in_conv", INNER, 2048)
            module(state, f"{head}.{branch}_out_conv", INNER, INNER)
            conv(state, f"{head}.{branch}_conv_seg", K, INNER)
            state[f"{head}.{branch}.gamma.scale"] = torch.tensor(0.6)
        for name, out in (("query", 8), ("key", 8), ("value", INNER)):
            conv(state, f"{head}.pam.{name}_project", out, INNER)
        options = {"pam_channels": 8}
    else:
        module(state, f"{head}.convs.0", INNER, 2048)
        module(state, f"{head}.convs.1", INNER, INNER)
        module(state, f"{head}.conv_cat", INNER, 2048 + INNER)
        options = {}
    if kind == "CCHead":
        for name, out in (("query", 4), ("key", 4), ("value", INNER)):
            conv(state, f"{head}.cca.{name}_conv", out, INNER)
        state[f"{head}.cca.gamma.scale"] = torch.tensor(0.6)
    if kind == "GCHead":
        conv(state, f"{head}.gc_block.conv_mask", 1, INNER)
        conv(state, f"{head}.gc_block.channel_add_conv.0", 8, INNER)
        state[f"{head}.gc_block.channel_add_conv.1.weight"] = torch.rand(8, 1, 1) + 0.5
        state[f"{head}.gc_block.channel_add_conv.1.bias"] = torch.randn(8, 1, 1)
        conv(state, f"{head}.gc_block.channel_add_conv.3", INNER, 8)
    if kind == "NLHead":
        for name in ("g", "theta", "phi"):
            conv(state, f"{head}.nl_block.{name}.conv", INNER // 2, INNER)
        module(state, f"{head}.nl_block.conv_out", INNER, INNER // 2, kernel=1)
    conv(state, f"{head}.conv_seg", K, INNER)
    return state, {"in_channels": 2048, "channels": INNER, "num_classes": K, "norm_cfg": {"type": "BN"}, **options}


def auxiliary_head():
    state = {}
    module(state, "auxiliary_head.convs.0", 256, 1024)
    conv(state, "auxiliary_head.conv_seg", K, 256)
    return state


def batch_norm(state, x, name):
    values = [state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
    return F.batch_norm(x, *values)


def features(state, x):
    """mmsegmentation's ResNetV1c-50-D8: strides (1, 2, 1, 1), dilations (1, 1, 2, 4), contract_dilation."""
    for i, stride in enumerate((2, 1, 1)):
        x = F.conv2d(x, state[f"backbone.stem.{3 * i}.weight"], stride=stride, padding=1)
        x = batch_norm(state, x, f"backbone.stem.{3 * i + 1}").relu()
    x = F.max_pool2d(x, 3, stride=2, padding=1)
    outputs = []
    for stage, (blocks, stride, dilation) in enumerate(zip(BLOCKS, (1, 2, 1, 1), (1, 1, 2, 4), strict=True)):
        for b in range(blocks):
            name = f"backbone.layer{stage + 1}.{b}"
            step = stride if b == 0 else 1
            d = max(dilation // 2, 1) if b == 0 else dilation
            y = batch_norm(state, F.conv2d(x, state[f"{name}.conv1.weight"]), f"{name}.bn1").relu()
            y = F.conv2d(y, state[f"{name}.conv2.weight"], stride=step, padding=d, dilation=d)
            y = batch_norm(state, y, f"{name}.bn2").relu()
            y = batch_norm(state, F.conv2d(y, state[f"{name}.conv3.weight"]), f"{name}.bn3")
            if b == 0:
                x = batch_norm(
                    state, F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=step), f"{name}.downsample.1"
                )
            x = (x + y).relu()
        outputs.append(x)
    return outputs


@pytest.fixture(scope="module")
def backbone():
    torch.manual_seed(0)
    return resnet_v1c()


@pytest.mark.parametrize(
    "kind, name", [("CCHead", "ccnet"), ("DAHead", "danet"), ("GCHead", "gcnet"), ("NLHead", "nonlocal")]
)
def test_a_converted_network_gives_the_numbers_of_the_checkpoint(kind, name, backbone, tmp_path):
    torch.manual_seed(1)
    head, constructor = decode_head(kind)
    state = backbone | head | auxiliary_head()
    meta = {"mmseg_version": "1.2.2", "CLASSES": ["a"] * K, "epoch": 3}
    torch.save({"meta": meta, "state_dict": state}, tmp_path / "source.pth")
    convert(tmp_path / "source.pth", tmp_path / "ours.safetensors")

    network = load_network(tmp_path / "ours.safetensors")
    assert network.spec["name"] == name and network.spec["backbone"] == "resnet50c" and network.spec["auxiliary"]
    x = torch.randn(2, 3, 40, 56)
    with torch.no_grad():
        *_, third, fourth = features(state, x)
        reference = published.build(
            f"mmseg {kind}", constructor, {k.removeprefix("decode_head."): t for k, t in head.items()}
        )(fourth)
        reference = reference if isinstance(reference, tuple) else (reference,)
        y = F.conv2d(third, state["auxiliary_head.convs.0.conv.weight"], padding=1)
        y = batch_norm(state, y, "auxiliary_head.convs.0.bn").relu()
        y = F.conv2d(y, state["auxiliary_head.conv_seg.weight"], state["auxiliary_head.conv_seg.bias"])
        outputs = network(x, all_outputs=True)
    assert len(outputs) == len(reference) + 1 == (4 if kind == "DAHead" else 2)
    for output, scores in zip(outputs, (*reference, y), strict=True):
        enlarged = F.interpolate(scores, (40, 56), mode="bilinear", align_corners=False)
        torch.testing.assert_close(output, enlarged, rtol=0, atol=1e-4 * enlarged.abs().max().item())


def test_a_plain_state_dict_without_auxiliary_head_and_with_options(backbone, tmp_path):
    state = backbone | decode_head("CCHead")[0]
    torch.save({f"module.{name}": tensor for name, tensor in state.items()}, tmp_path / "source.pth")
    network = convert(tmp_path / "source.pth", tmp_path / "ours.safetensors", align_corners=True, recurrence=1)
    assert network.spec["recurrence"] == 1 and network.align_corners and network.auxiliary is None
    again = load_network(tmp_path / "ours.safetensors")
    assert again.spec == network.spec


def test_missing_and_unknown_keys_are_listed(backbone, tmp_path):
    state = backbone | decode_head("CCHead")[0]
    del state["decode_head.convs.1.bn.bias"], state["backbone.layer3.2.conv1.weight"]
    state |= {"decode_head.extra.weight": torch.ones(1), "teacher.weight": torch.ones(1)}
    state["decode_head.cca.value_conv.bias"] = torch.ones(3)
    torch.save({"state_dict": state}, tmp_path / "source.pth")
    with pytest.raises(CheckpointError) as caught:
        convert(tmp_path / "source.pth", tmp_path / "ours.safetensors")
    _, _, listed = str(caught.value).rstrip(".").partition("SegmentationNetwork: ")
    assert set(listed.split("; ")) == {
        "missing head.convb.1.bias",
        "missing backbone.stages.layer3.2.conv1.weight",
        "unknown decode_head.extra.weight",
        "unknown teacher.weight",
        "decode_head.cca.value_conv.bias is (3,), must be (32,)",
    }
    assert not (tmp_path / "ours.safetensors").exists()


class Surprise:
    """An object whose loading would run code."""

    def __reduce__(self):
        return print, ("this must not run",)


def test_no_code_in_a_checkpoint_is_run(tmp_path, capsys):
    torch.save({"state_dict": {}, "meta": Surprise()}, tmp_path / "source.pth")
    with pytest.raises(CheckpointError, match=r"could run code.*If you trust it"):
        convert(tmp_path / "source.pth", tmp_path / "ours.safetensors")
    assert "must not run" not in capsys.readouterr().out


def test_what_is_not_converted(backbone, tmp_path):
    source, out = tmp_path / "source.pth", tmp_path / "ours.safetensors"
    head = decode_head("CCHead")[0]

    def refused(state, message, error=CheckpointError, out=out, **options):
        torch.save(state, source)
        with pytest.raises(error, match=message):
            convert(source, out, **options)

    refused(backbone | head, "kind='detectron'.*'mmseg'", ValueError, kind="detectron")
    refused(backbone | head, r"ends in \.safetensors", ValueError, out=tmp_path / "ours.pth")
    refused(backbone | head, "no option passes: it has .*recurrence", ValueError, passes=1)
    refused([1, 2], "holds no state dict")
    refused({}, "holds no state dict")
    refused(backbone, "no decode head")
    refused(head, "no ResNet of depth 50, 101 or 152")
    refused(backbone | {"decode_head.conv_seg.weight": torch.ones(K, INNER, 1, 1)}, "none of CCHead, DAHead, GCHead")
    v1d = {
        name.replace("downsample.1", "downsample.2").replace("downsample.0", "downsample.1"): t
        for name, t in backbone.items()
    }
    refused(v1d | head, "ResNetV1d")
    basic = {name: t for name, t in backbone.items() if "conv3" not in name and "bn3" not in name}
    refused(basic | head, "basic blocks .depth 18 or 34.")
    shallow = {name: t for name, t in basic.items() if int((re.findall(r"layer.\.(\d)", name) or "0")[0]) < 2}
    refused(shallow | head, r"stages have \[2, 2, 2, 2\] blocks")
    odd = head | {"decode_head.cca.query_conv.weight": torch.ones(5, INNER, 1, 1)}
    refused(backbone | odd, "cca.query_conv.weight has 5 filters, which do not divide 32")
    source.write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match=r"source\.pth is damaged"):
        convert(source, out)
    with pytest.raises(CheckpointError, match="no such file"):
        convert(tmp_path / "nowhere.pth", out)
    assert not out.exists()


def test_the_command(backbone, tmp_path, monkeypatch, capsys):
    source, out, image = (tmp_path / name for name in ("source.pth", "ours.safetensors", "street.png"))
    torch.save(backbone | decode_head("DAHead")[0], source)
    Image.new("RGB", (56, 40), (90, 120, 150)).save(image)

    def segtut(*words):
        monkeypatch.setattr("sys.argv", ["segtut", *map(str, words)])
        cli.main()

    segtut("convert", source, "--from", "mmseg", "--out", out)
    assert capsys.readouterr().out.endswith("ours.safetensors: danet on resnet50c, 5 classes.\n")
    segtut("predict", image, "--run", out, "--out", tmp_path / "seen")
    mask = Image.open(tmp_path / "seen/street_mask.png")
    assert mask.size == (56, 40) and max(mask.tobytes()) < K
    assert len({tuple(mask.getpalette()[3 * i : 3 * i + 3]) for i in range(K)}) == K
    with pytest.raises(SystemExit, match="the network knows 5 classes, the data 11"):
        segtut("evaluate", out, "--data", "scenes")
    with pytest.raises(SystemExit, match="segtut: kind='torch' is unknown"):
        segtut("convert", source, "--from", "torch", "--out", out)


def test_a_plain_resnet(backbone, tmp_path):
    """mmsegmentation's ResNet, without the deep stem."""
    state = {name: t for name, t in backbone.items() if ".stem." not in name} | decode_head("CCHead")[0]
    conv_bn(state, "backbone.conv1", "backbone.bn1", 64, 3, 7)
    torch.save(state, tmp_path / "source.pth")
    network = convert(tmp_path / "source.pth", tmp_path / "ours.safetensors")
    assert network.spec["backbone"] == "resnet50"
    torch.testing.assert_close(network.backbone.stages.conv1.weight, state["backbone.conv1.weight"])
