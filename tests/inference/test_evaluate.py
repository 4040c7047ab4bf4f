"""A score with several looks: the same confusion matrix, at the size of the label maps."""

import pytest
import torch
import torch.nn.functional as F

from segtut.cli.looks import Tta
from segtut.data import Scenes, make_loader, normalise
from segtut.data.augment import eval_transform
from segtut.inference import TTA_SCALES, probabilities, segmenter
from segtut.training import confusion_matrix, evaluate, predict
from segtut.training.checkpoint import save_network
from tests.test_cli import segtut

SIZE = (40, 56)


@pytest.fixture
def small(ccnet):
    """A network that sees images reduced, as the recipe cpu's does."""
    ccnet.cpu().input_size = (24, 32)
    yield ccnet
    ccnet.input_size = None


@pytest.mark.parametrize(
    "how", [{"flip": True, "scales": (0.75, 1.25)}, {"window": (24, 32), "flip": True}, {"scales": (0.5,)}]
)
def test_a_score_of_several_looks_against_each_image_alone(small, how):
    data = Scenes("val", SIZE, length=3)
    wanted = torch.zeros(11, 11, dtype=torch.int64)
    for x, target in make_loader(data, eval_transform(), 1, train=False):
        seen = x if "window" in how else F.interpolate(x, (24, 34), mode="bilinear", antialias=True)  # 24 / 40 · 56
        p = F.interpolate(probabilities(small, seen, **how, precision="no"), SIZE, mode="bilinear")
        wanted += confusion_matrix(p.argmax(1), target, 11)
    found = evaluate(small, data, 2, "cpu", segment=segmenter(small, **how, precision="no"))
    assert found.sum() == wanted.sum()
    assert (found - wanted).abs().sum() <= 0.002 * wanted.sum()  # a batch may round differently from one image
    assert (found - evaluate(small, data, 2, "cpu", "no")).abs().sum() > 0.01 * wanted.sum()


def test_one_look_is_what_evaluate_does_anyway(small):
    data = Scenes("val", SIZE, length=3)
    plain = evaluate(small, data, 2, "cpu", "no")
    assert torch.equal(evaluate(small, data, 2, "cpu", segment=segmenter(small, precision="no")), plain)


def test_an_image_of_another_shape_keeps_it(small):
    street = normalise(Scenes("val", (48, 90), length=1)[0][0])
    with torch.no_grad():
        x = F.interpolate(street, (24, 45), mode="bilinear", antialias=True)
        wanted = small(x, size=(48, 90)).argmax(1)
    assert torch.equal(predict(small, street, "no"), wanted)


def test_the_command_averages_looks(small, tiny_camvid, tmp_path, monkeypatch, capsys):
    weights = save_network(tmp_path / "ccnet.safetensors", small)
    words = ("evaluate", weights, "--data", tiny_camvid)

    def said(*more):
        assert segtut(monkeypatch, *words, *more) == 0
        return capsys.readouterr().out

    long = [word for scale in TTA_SCALES for word in ("--scale", scale)]
    assert said("--tta") == said("--flip", *long, "--batch", 1) != said()
    assert "mean" in said("--window", 8, 12)
    assert "give it or them" in segtut(monkeypatch, *words, "--tta", "--flip")
    assert "scale 0.0" in segtut(monkeypatch, *words, "--scale", 0)
    assert "batch_size=0" in segtut(monkeypatch, *words, "--batch", 0)
    for command in ("evaluate", "predict", "export"):
        assert segtut(monkeypatch, command, "--help") == 0
        assert ("--tta" in capsys.readouterr().out) == (command != "export")
    option = Tta.__metadata__[0].help
    assert option.endswith("--flip " + " ".join(f"--scale {scale:g}" for scale in TTA_SCALES))
