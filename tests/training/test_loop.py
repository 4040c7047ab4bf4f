import json
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from segtut.data import CLASSES, Scenes
from segtut.networks import build_network
from segtut.training import CheckpointError, TrainingDiverged, evaluate, load_network, mean_iou, train
from segtut.training.checkpoint import load_checkpoint, save_checkpoint
from segtut.training.recipe import smoke

SIZE = (40, 56)
RECIPE = smoke().but(epochs=3, crop=SIZE)


def data(n=8, test=True):
    sizes = {"train": n, "val": 3} | ({"test": 2} if test else {})
    return {split: Scenes(split, SIZE, length=length) for split, length in sizes.items()}


def network(name="ccnet", seed=0, **options):
    torch.manual_seed(seed)
    return build_network(name, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing interrupted."""
    return train(network(), data(), RECIPE, tmp_path_factory.mktemp("whole"), progress=False)


def assert_same_run(a, b):
    one, other = (load_checkpoint(run / "checkpoint.pt") for run in (a, b))
    for part in ("weights", "best_weights"):
        assert one[part].keys() == other[part].keys()
        for name, tensor in one[part].items():
            assert torch.equal(tensor, other[part][name]), name
    assert one["history"] == other["history"] and one["epoch"] == other["epoch"]
    assert (a / "history.csv").read_bytes() == (b / "history.csv").read_bytes()
    assert torch.equal(one["random"]["torch"], other["random"]["torch"])


def test_what_a_run_leaves(whole):
    assert {path.name for path in whole.folder.iterdir()} == {
        ".lock", "best.safetensors", "card.json", "checkpoint.pt", "history.csv", "history.xlsx"
    }  # fmt: skip
    assert list(whole.history["epoch"]) == [1, 2, 3] and list(whole.history["step"]) == [2, 4, 6]
    assert np.isfinite(whole.history["train_loss"]).all()
    for read, file in ((pd.read_csv, "history.csv"), (pd.read_excel, "history.xlsx")):
        pd.testing.assert_frame_equal(read(whole.folder / file), whole.history, check_dtype=False)


def test_the_card_says_everything(whole):
    card = json.loads((whole.folder / "card.json").read_text())
    assert card == json.loads(json.dumps(whole.card))
    assert card["data"]["name"] == "scenes" and card["data"]["digest"]["val"] == data()["val"].digest
    assert card["network"]["name"] == "ccnet" and card["recipe"]["name"] == "smoke*" and card["seed"] == 0
    assert card["parameters"] == sum(p.numel() for p in whole.network.parameters())
    assert card["flops"]["forward"] > 1e8 and card["flops"]["size"] == list(SIZE)
    assert card["wall_time_s"] > 0 and card["peak_memory_bytes"] > 1e8
    assert card["software"]["torch"] == torch.__version__ or card["software"]["torch"] in torch.__version__
    assert len(card["history"]) == 3 and set(card["result"]["test"]["iou"]) == set(CLASSES)
    assert {"device", "commit", "precision", "finished"} <= card.keys()


def test_the_network_that_comes_back_computes_as_the_file_does(whole):
    image = torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(whole.network(image), load_network(whole.folder)(image))  # not as autocast would


def test_a_checkpoint_of_before_a_field_of_the_recipe_is_continued(whole, tmp_path):
    state = load_checkpoint(whole.folder / "checkpoint.pt")
    for key in ("ema", "compile"):
        del state["identity"]["recipe"][key]
    save_checkpoint(tmp_path / "checkpoint.pt", state)
    again = train(network(), data(), RECIPE, tmp_path, progress=False)
    pd.testing.assert_frame_equal(again.history, whole.history)


def test_best_on_val_is_what_is_kept(whole):
    best = whole.history["val_mean_iou"].max()
    assert whole.card["result"]["val"]["mean_iou"] == best
    assert mean_iou(evaluate(load_network(whole.folder), data()["val"])) == pytest.approx(best, abs=1e-12)


def test_same_seed_same_run_and_another_seed_another(whole, tmp_path):
    assert_same_run(whole.folder, train(network(), data(), RECIPE, tmp_path / "again", progress=False).folder)
    other = train(network(), data(), RECIPE.but(seed=1), progress=False)
    assert list(other.history["train_loss"]) != list(whole.history["train_loss"])


KILLED = """
import os, signal, sys
import torch
from segtut.training import loop, train
from tests.training.test_loop import RECIPE, data, network

point, count, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]

def dying(function):
    def wrapped(*args, **kwargs):
        global count
        count -= 1
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return wrapped

if point == "step":
    torch.optim.AdamW.step = dying(torch.optim.AdamW.step)
elif point == "fsync":
    os.fsync = dying(os.fsync)
elif point == "evaluate":
    loop.evaluate = dying(loop.evaluate)
train(network(), data(), RECIPE, folder, progress=False)
"""


def test_a_run_killed_anywhere_resumes_bit_for_bit(whole, tmp_path):
    # In the first epoch; in an evaluation; while a checkpoint is written (each epoch writes three files).
    for point, count in (("step", 2), ("evaluate", 2), ("fsync", 4)):
        command = [sys.executable, "-c", KILLED, point, str(count), str(tmp_path)]
        assert subprocess.run(command).returncode == -signal.SIGKILL, point
    assert load_checkpoint(tmp_path / "checkpoint.pt")["epoch"] == 2
    run = train(network(seed=99), data(), RECIPE, tmp_path, progress=False)  # fresh weights do not matter
    assert_same_run(whole.folder, tmp_path)
    assert torch.equal(run.network.head.classifier[1].weight, whole.network.head.classifier[1].weight)


def test_a_finished_run_is_read_not_repeated(whole, monkeypatch):
    for name in ("history.csv", "card.json", "best.safetensors"):  # what a kill after the last epoch leaves unwritten
        (whole.folder / name).unlink()
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda *_: pytest.fail("trained again"))
    again = train(network(seed=5), data(), RECIPE, whole.folder, progress=False)
    pd.testing.assert_frame_equal(again.history, whole.history)
    assert torch.equal(load_network(whole.folder).head.classifier[1].weight, whole.network.head.classifier[1].weight)
    assert (whole.folder / "history.csv").exists() and (whole.folder / "card.json").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: (network(), data(), RECIPE.but(lr=1e-4, name="smoke*")), r"recipe\.lr was 0\.001, is 0\.0001"),
        (lambda: (network(recurrence=1), data(), RECIPE), r"network\.recurrence was 2, is 1"),
        (lambda: (network(), data(n=12), RECIPE), r"data\.train was"),
    ],
)
def test_another_run_is_not_continued(whole, change, said):
    with pytest.raises(CheckpointError, match=said):
        train(*change(), whole.folder, progress=False)


@pytest.mark.parametrize("at", [0, 1])
def test_nan_stops_with_the_last_good_state(tmp_path, monkeypatch, at):
    from segtut.training import loop

    good, calls = loop.network_loss, []
    monkeypatch.setattr(
        loop, "network_loss", lambda *a: calls.append(0) or good(*a) * (torch.nan if len(calls) > 2 * at + 1 else 1)
    )
    with pytest.raises(TrainingDiverged, match=rf"nan in epoch {at + 1}, by step 2.*the state after epoch {at} is in"):
        train(network("fcn"), data(), RECIPE, tmp_path, progress=False)
    state = load_checkpoint(tmp_path / "checkpoint.pt")
    assert state["epoch"] == at and all(torch.isfinite(t.float()).all() for t in state["weights"].values())


def test_a_network_learns_one_scene():
    one = Scenes("train", (32, 48), length=2)
    recipe = smoke().but(
        epochs=15, batch_size=2, crop=(32, 48), zoom=(1.0, 1.0), flip=0.0, colour=0.0, lr=3e-3, report_test=False
    )
    run = train(network("fcn"), {"train": one, "val": one}, recipe, progress=False)
    assert run.history["train_loss"].iloc[-1] < 0.4 * run.history["train_loss"].iloc[0]


def test_auxiliary_head_and_sgd_and_balance():
    run = train(
        network("fcn", auxiliary=True),
        data(test=False),
        RECIPE.but(epochs=1, optimiser="sgd", balance=True),
        progress=False,
    )
    assert run.folder is None and np.isfinite(run.history["train_loss"]).all() and "test" not in run.card["result"]


class Void(Scenes):
    """Scenes in which nothing is labelled."""

    def __getitem__(self, i):
        image, mask = super().__getitem__(i)
        return image, np.full_like(mask, 255)


def test_nothing_labelled_is_undefined_not_a_crash(tmp_path):
    void = {split: Void(split, SIZE, length=4) for split in ("train", "val")}
    run = train(network("fcn"), void, RECIPE.but(epochs=1), tmp_path, progress=False)
    assert run.card["result"]["val"]["mean_iou"] is None and run.history["train_loss"].tolist() == [0.0]
    assert json.loads((tmp_path / "card.json").read_text())["result"]["val"]["iou"]["sky"] is None


def test_curves_are_told_every_epoch():
    seen = []
    train(network("fcn"), data(), RECIPE, on_epoch=lambda history: seen.append(len(history)), progress=False)
    assert seen == [1, 2, 3]
