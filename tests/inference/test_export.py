"""Export: every head in ONNX, the same numbers for any size, and files that explain themselves."""

import json
import sys
from pathlib import Path

import onnx
import onnxruntime
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from segtut.data import CLASSES, PALETTE
from segtut.inference import ExportError, export_network
from segtut.inference.export import PooledByProduct
from segtut.networks import HEADS, SegmentationNetwork, build_network
from segtut.training.checkpoint import save_network
from tests.networks.common import CASES, K, awaken, images
from tests.test_cli import segtut

ROOT = Path(__file__).parents[2]
# One repetition of what a head repeats: the exporter's time is the number of operations.
ONCE = {"psp": {"scales": (1, 3)}, "ccnet": {"recurrence": 1}, "ema": {"bases": 6, "stages": 1}}
STRIDE = 8
SIZES = ((1, 16, 40), (3, 72, 48))  # neither traced nor checked by export_network itself


class Patches(nn.Module):
    """Stands for a backbone, for the heads are what differs: one convolution of output stride 8."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(3, channels, STRIDE, stride=STRIDE)

    def forward(self, x):
        return None, self.conv(x).relu()


def network_of(name, channels=32):
    options = ONCE.get(name, CASES[name][1])
    network = SegmentationNetwork(Patches(channels), HEADS[name](channels, K, **options))
    network.spec = {"name": name, "backbone": "patches", "num_classes": K, "output_stride": STRIDE}
    return awaken(network).eval()


def onnx_session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("name", CASES)
def test_every_head_in_onnx(name, tmp_path):
    network = network_of(name)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert export_network(network, tmp_path / "network.onnx") < 1e-4
    session = onnx_session(tmp_path / "network.onnx")
    for shape in SIZES:
        x = images(*shape)
        with torch.no_grad():
            wanted = network(x)
        [found] = session.run(None, {"images": x.numpy()})
        assert_close(torch.from_numpy(found), wanted, rtol=0, atol=1e-4 * wanted.abs().max().item())
    assert_close(network.state_dict(), before, rtol=0, atol=0)


def test_what_a_file_says_of_itself(tmp_path):
    network = network_of("fcn")
    network.input_size = (180, 240)
    files = {format: tmp_path / f"network{suffix}" for format, suffix in (("onnx", ".onnx"), ("torch", ".pt2"))}
    for format, file in files.items():
        export_network(network, file, format)
        assert str(ROOT).encode() not in file.read_bytes()
    extra = {"segtut.json": ""}
    torch.export.load(files["torch"], extra_files=extra)
    session = onnx_session(files["onnx"])
    said = session.get_modelmeta().custom_metadata_map
    assert said == json.loads(extra["segtut.json"])
    said = {key: json.loads(value) for key, value in said.items()}
    assert said["classes"] == list(CLASSES) and said["palette"] == [list(colour) for colour in PALETTE]
    assert said["input_size"] == [180, 240] and said["mean"][0] == 0.485 and said["std"][0] == 0.229
    assert said["spec"] == network.spec and "scores" in said["output"] and "(B, 3, H, W)" in said["input"]
    assert session.get_inputs()[0].shape == ["batch", 3, "height", "width"]
    assert session.get_outputs()[0].shape == ["batch", K, "height", "width"]
    onnx.checker.check_model(files["onnx"])


def test_the_command_exports_a_run(tmp_path, monkeypatch, capsys):
    """A whole network, in the format whose heads are exported in tests/networks/test_compile.py."""
    network = awaken(build_network("ccnet", "resnet18", 5)).eval()
    weights, out = save_network(tmp_path / "ccnet.safetensors", network), tmp_path / "new" / "ccnet.pt2"
    words = ("export", weights, "--out", out, "--format", "torch")
    assert segtut(monkeypatch, *words) == 0
    said = capsys.readouterr().out
    assert f"{out}: ccnet on resnet18, 5 classes." in said and "of the largest score" in said
    program = torch.export.load(out).module()
    with torch.no_grad():
        for shape in SIZES:
            assert_close(program(images(*shape)), network(images(*shape)), rtol=0, atol=1e-4)
    for words, told in (
        (("export", weights, "--out", out), "its name ending in .onnx"),
        (("export", weights, "--out", tmp_path), "must be a file in a folder"),
        (("export", weights, "--out", out, "--format", "tflite"), "format='tflite' is none of onnx, torch"),
        (("export", tmp_path / "new", "--out", out), "no such file: name a run's folder"),
        (("export", weights, "--out", weights / "a.onnx"), "must be a file in a folder"),
    ):
        told_too = segtut(monkeypatch, *words)
        assert told in told_too and "\n" not in told_too


def test_a_file_that_differs_is_not_kept(tmp_path, monkeypatch):
    network, out = network_of("fcn"), tmp_path / "network.pt2"
    out.write_text("before")
    for wrong, said in (
        (lambda x: 1.01 * network(x), r"differs from the network by 1\.0e-02"),
        (lambda x: network(x) * float("nan"), "differs from the network by nan"),
        (lambda x: network(x)[..., 1:], r"give scores \(1, 11, 40, 87\): must be \(1, 11, 40, 88\)"),
    ):
        monkeypatch.setattr("segtut.inference.export._to_torch", lambda _, wrong=wrong: (b"file", wrong))
        with pytest.raises(ExportError, match=said):
            export_network(network, out, "torch")
        assert out.read_text() == "before" and list(tmp_path.iterdir()) == [out]
    monkeypatch.setattr("segtut.inference.export._to_torch", lambda _: (b"file", network))
    assert export_network(network, out, "torch") == 0 and out.read_bytes() == b"file"


def test_what_cannot_be_exported_is_said_in_a_sentence(tmp_path, monkeypatch):
    network = network_of("fcn")
    network.head.conv = DependsOnValues()
    with pytest.raises(ExportError, match=r"fcn on patches cannot be exported as torch: [^\n]+$"):
        export_network(network, tmp_path / "network.pt2", "torch")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ExportError, match=r'ONNX needs onnxruntime: pip install "segtut\[export\]"'):
        export_network(network, tmp_path / "network.onnx")
    assert list(tmp_path.iterdir()) == []


class DependsOnValues(nn.Module):
    def forward(self, x):
        return x[:, :8] if x.sum() > 0 else x[:, 8:16]


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_adaptive_pooling_as_products(size):
    pooled, adaptive = PooledByProduct(size), nn.AdaptiveAvgPool2d(size)
    for H, W in ((5, 7), (6, 12), (1, 45), (60, 4)):
        x = torch.randn(2, 3, H, W, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        assert_close(pooled(x), adaptive(x), rtol=0, atol=1e-14)
