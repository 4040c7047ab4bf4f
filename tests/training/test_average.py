"""A running mean of the weights: scored, kept and resumed."""

import pytest
import torch

from segtut.training import evaluate, load_network, mean_iou, train
from segtut.training.checkpoint import load_checkpoint
from tests.training.test_loop import RECIPE, assert_same_run, data, network

DECAY = 0.6
AVERAGED = RECIPE.but(ema=DECAY, name="averaged")


class Interrupted(Exception):
    pass


def test_the_mean_is_the_one_by_hand_and_is_what_is_scored_and_kept(tmp_path, monkeypatch):
    net, seen = network("fcn"), []
    step = torch.optim.AdamW.step

    def recording(self, *args, **kwargs):
        step(self, *args, **kwargs)
        seen.append(net.head.classifier[1].weight.detach().clone())

    monkeypatch.setattr(torch.optim.AdamW, "step", recording)
    train(net, data(), AVERAGED, tmp_path, progress=False)
    mean = seen[0]
    for weight in seen[1:]:
        mean = DECAY * mean + (1 - DECAY) * weight
    state = load_checkpoint(tmp_path / "checkpoint.pt")
    found = state["average"]["module.head.classifier.1.weight"]
    torch.testing.assert_close(found, mean)
    assert not torch.allclose(found, state["weights"]["head.classifier.1.weight"])
    kept = load_network(tmp_path)
    best = max(row["val_mean_iou"] for row in state["history"])
    assert mean_iou(evaluate(kept, data()["val"])) == pytest.approx(best, abs=1e-12)
    if state["best_epoch"] == RECIPE.epochs:
        assert torch.equal(kept.head.classifier[1].weight, found)


def test_it_resumes_bit_for_bit(tmp_path):
    def stop(history):
        if len(history) == 2:
            raise Interrupted

    train(network("fcn"), data(), AVERAGED, tmp_path / "whole", progress=False)
    with pytest.raises(Interrupted):
        train(network("fcn"), data(), AVERAGED, tmp_path / "cut", on_epoch=stop, progress=False)
    train(network("fcn", seed=9), data(), AVERAGED, tmp_path / "cut", progress=False)
    assert_same_run(tmp_path / "whole", tmp_path / "cut")
    one, other = (load_checkpoint(tmp_path / name / "checkpoint.pt")["average"] for name in ("whole", "cut"))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


@pytest.mark.parametrize("decay", [-0.1, 1, 1.5])
def test_an_odd_decay_is_refused(decay):
    with pytest.raises(ValueError, match="to below 1"):
        RECIPE.but(ema=decay)
