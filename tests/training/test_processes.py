import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from segtut.networks.synchronised import synchronised
from segtut.training import evaluate, train
from segtut.training.checkpoint import load_checkpoint
from segtut.training.processes import share
from tests.training.two_processes import RECIPE, data, layers, network, whole_batch

ROOT = Path(__file__).parents[2]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "CUDA_VISIBLE_DEVICES": "-1"}
CLOSE = {"rtol": 1e-4, "atol": 5e-5}  # measured: 8e-6, where sums are added in another order


def launch(*words, timeout=240):
    """Run a module in two processes that find each other on a free port of this machine."""
    run = [sys.executable, "-m", *words]
    return subprocess.run(
        run, cwd=ROOT, env=os.environ | ONE_THREAD, capture_output=True, text=True, timeout=timeout
    )  # fmt: skip


class Stopped(Exception):
    pass


def stop(_):
    raise Stopped


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A run of one process."""
    return train(network(), data(), RECIPE, tmp_path_factory.mktemp("one"), progress=False)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What two processes left, one of which was killed at the end."""
    folder = tmp_path_factory.mktemp("two")
    with pytest.raises(Stopped):
        train(network(), data(), RECIPE, folder / "continued", on_epoch=stop, progress=False)
    words = ("--standalone", "--nproc-per-node", "2", "-m", "tests.training.two_processes", str(folder))
    run = launch("torch.distributed.run", *words)
    assert (folder / "done_0").exists() and (folder / "done_1").exists(), run.stderr
    assert run.returncode != 0 and "Signal 9 (SIGKILL)" in run.stderr
    return folder


def differences(a, b):
    """Largest difference of the weights of two runs, and of their history."""
    a, b = (load_checkpoint(folder / "checkpoint.pt") for folder in (a, b))
    assert a["epoch"] == b["epoch"] == RECIPE.epochs and a["weights"].keys() == b["weights"].keys()
    weights = max((t.float() - b["weights"][name].float()).abs().max().item() for name, t in a["weights"].items())
    return weights, (pd.DataFrame(a["history"]) - pd.DataFrame(b["history"])).abs().max().max()


@pytest.mark.parametrize("folder", ["two", "continued"])
def test_two_processes_make_the_run_of_one(one, two, folder):
    weights, history = differences(one.folder, two / folder)
    random = [load_checkpoint(run / "checkpoint.pt")["random"]["torch"] for run in (one.folder, two / folder)]
    assert torch.equal(*random)  # every process draws the dropout of all
    assert weights < 5e-5 and history < 2e-3  # a pixel or two may fall into another class
    assert json.loads((two / folder / "card.json").read_text())["processes"] == 2 and one.card["processes"] == 1


def test_batch_norm_of_each_process_alone_makes_another(one, two):
    weights, _ = differences(one.folder, two / "alone")
    assert weights > 5e-3


def test_layers_see_the_whole_batch(two):
    body, (x, wanted) = layers(), whole_batch()
    x.requires_grad_()
    out = body(x)
    (out * wanted).sum().backward()
    parts = [torch.load(two / f"layers_{rank}.pt") for rank in (0, 1)]
    dropped = out.detach().flatten(2).std(-1) < 1e-6  # what the second norm makes of a channel of zeros
    assert dropped.any() and not dropped.all()
    torch.testing.assert_close(torch.cat([part[0] for part in parts]), out.detach(), **CLOSE)
    torch.testing.assert_close(torch.cat([part[1] for part in parts]), x.grad, **CLOSE)
    for _, _, grads, state in parts:
        for ours, theirs in zip(grads, [p.grad for p in body.parameters()], strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(state, dict(body.state_dict()), **CLOSE)


@pytest.mark.parametrize("n", [3, 1])
def test_confusion_matrices_are_summed(two, n):
    alone = evaluate(network().eval(), data(val=n)["val"], 2, precision="no")
    a, b = (torch.load(two / f"matrix_{n}_{rank}.pt") for rank in (0, 1))
    assert torch.equal(a, b) and a.sum() == alone.sum() and torch.equal(a.sum(1), alone.sum(1))
    assert (a - alone).abs().sum() <= 4  # argmax of scores that differ by rounding


def test_what_cannot_be_split_is_refused(two):
    for rank in (0, 1):
        batch, norm = json.loads((two / f"said_{rank}.json").read_text())
        assert "batch_size=3" in batch and "a multiple of 2" in batch
        assert "InPlaceABN" in norm and "bn_relu" in norm


def test_a_killed_process_takes_the_other_along(two):
    for rank in (0, 1):
        with pytest.raises(ProcessLookupError):
            os.kill(int((two / f"done_{rank}").read_text()), 0)


def test_alone_nothing_changes():
    body = layers()
    before = [type(layer) for layer in body]
    with synchronised(body, torch.device("cpu")):
        assert [type(layer) for layer in body] == before
    assert share(torch.tensor(7)) == 1 and share(torch.tensor(0.3)) == 1 and share(torch.tensor(0)) == 0


def test_the_command_under_accelerate_launch(tmp_path):
    run = launch(
        "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1",
        "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0",
        "-m", "segtut.cli", "train", "fcn", "--data", "scenes", "--recipe", "smoke", "--epochs", "1",
        "--out", str(tmp_path),
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("by 2 processes") == run.stdout.count("Best on val") == 1
    assert {"best.safetensors", "card.json", "checkpoint.pt", "curves.png", "history.csv"} <= {
        path.name for path in tmp_path.iterdir()
    }
    assert json.loads((tmp_path / "card.json").read_text())["processes"] == 2
