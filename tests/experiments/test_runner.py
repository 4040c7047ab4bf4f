"""Trainings side by side, resumed, and kept when others fail."""

import fcntl
import os
import re
import subprocess
import sys
import time
from dataclasses import asdict

import pytest
import torch

from segtut import cli
from segtut.data import open_splits
from segtut.experiments import GRIDS, ExperimentFailed, Job, report, run
from segtut.experiments.runner import GPURoom, Training, _last_line
from segtut.files import write_json
from segtut.networks import build_network
from segtut.training import read_cards, train
from segtut.training.recipe import smoke
from tests.conftest import ROOT

RECIPE = smoke().but(name="tiny", epochs=2, crop=(32, 48), scenes_size=(32, 48))


DIGESTS = {s: d.digest for s, d in open_splits("scenes", RECIPE.images, RECIPE.scenes_size, cache=False).items()}
JOBS = [Job("fcn", RECIPE.but(name="tiny", epochs=6)), Job("gcnet", RECIPE, options={"ratio": 0.125})]
WORDS = ["main", "--data", "scenes", "--recipe", "smoke", "--seeds", "1", "--jobs", "2", "--out"]
SCRIPT = """
import sys
from segtut import cli
from segtut.experiments import GRIDS
from tests.experiments.test_runner import JOBS

if __name__ == "__main__":
    GRIDS["main"] = (lambda recipe, seeds, cards: JOBS,)
    cli.main()
"""


def test_a_killed_experiment_goes_on_and_ends_as_if_nothing_had_happened(tmp_path, monkeypatch, capsys):
    (tmp_path / "script.py").write_text(SCRIPT)
    folders = [tmp_path / "out" / job.name for job in JOBS]
    first = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), "experiment", *WORDS, str(tmp_path / "out")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), *filter(None, sys.path)))},
        stderr=subprocess.DEVNULL,
    )
    history = folders[0] / "history.csv"
    until(lambda: history.exists() or first.poll() is not None)
    assert first.poll() is None
    first.kill()
    first.wait()
    until(lambda: not any(map(locked, folders)))  # the trainings end with it
    assert 1 <= len(history.read_text().splitlines()) - 1 < 6

    monkeypatch.setitem(GRIDS, "main", (lambda recipe, seeds, cards: JOBS,))
    assert command(monkeypatch, *WORDS, tmp_path / "out") == 0
    cards = {card["file"]: card for card in read_cards(tmp_path / "out" / "cards")}
    assert set(cards) == {job.name for job in JOBS} and cards[JOBS[1].name]["network"]["ratio"] == 0.125
    table = capsys.readouterr().out
    for job, name in zip(JOBS, ("fcn", "gcnet ratio=0.125"), strict=True):
        score = cards[job.name]["result"]["test"]["mean_iou"]
        assert re.search(rf"{name} resnet18 +tiny +1 .*{score:.3f}", table)
    assert "Note" not in table
    for folder in folders:
        assert {"log.txt", "curves.png", "best.safetensors", "card.json"} <= {path.name for path in folder.iterdir()}

    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))  # as many as each of two jobs has
    try:
        data = open_splits("scenes", RECIPE.images, RECIPE.scenes_size)
        whole = train(build_network("fcn"), data, JOBS[0].recipe, progress=False).card
    finally:
        torch.set_num_threads(threads)
    assert len(whole["history"]) == 6
    assert cards[JOBS[0].name]["history"] == whole["history"] and cards[JOBS[0].name]["result"] == whole["result"]


def test_one_that_fails_does_not_stop_the_others(tmp_path, capsys):
    jobs = [Job("fcn", RECIPE, options={"recurrence": 3}), Job("fcn", RECIPE)]
    with pytest.raises(ExperimentFailed) as failed:
        run(jobs, "scenes", DIGESTS, tmp_path, tmp_path / "cards")
    assert "1 of 2 trainings" in str(failed.value)
    assert "fcn-resnet18-recurrence3-tiny-s0: ValueError: network 'fcn' has no option recurrence" in str(failed.value)
    assert [card["file"] for card in read_cards(tmp_path / "cards")] == ["fcn-resnet18-tiny-s0"]
    run(jobs[1:], "scenes", DIGESTS, tmp_path, tmp_path / "cards")  # nothing is left to do: at once
    table = report(jobs, read_cards(tmp_path / "cards"))
    assert table["network"].tolist() == ["fcn"] and table.attrs["notes"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda card: card["recipe"].update(epochs=7), r"recipe\.epochs"),
        (lambda card: card["network"].update(ratio=0.5), r"network\.ratio"),
        (lambda card: card["network"].update(backbone="resnet50"), r"network\.backbone"),
        (lambda card: card["data"].update(digest={"train": "0"}), r"data\.digest"),
    ],
)
def test_a_card_of_another_training_is_not_taken_for_this_one(tmp_path, change, said):
    job = Job("gcnet", RECIPE, options={"ratio": 0.125})
    card = {"network": build_network("gcnet", ratio=0.125).spec, "recipe": asdict(RECIPE), "seed": 0, "result": {},
            "history": [], "data": {"digest": DIGESTS}}  # fmt: skip
    write_json(tmp_path / f"{job.name}.json", card)
    run([job], "scenes", DIGESTS, tmp_path, tmp_path)  # it is there
    change(card)
    write_json(tmp_path / f"{job.name}.json", card)
    with pytest.raises(ValueError, match=rf"gcnet-\S+\.json is of another training \({said} differ.*--cards"):
        run([job], "scenes", DIGESTS, tmp_path, tmp_path)


def test_the_reason_of_a_killed_training_is_not_its_last_words(tmp_path):
    log = tmp_path / "log.txt"
    assert _last_line(log, 1) == "it ended before it said anything"
    log.write_text("Traceback\nValueError: a reason\n")
    assert _last_line(log, 1) == "ValueError: a reason"
    assert _last_line(log, -9) == "ended by signal 9, perhaps out of memory"


def test_room_on_a_gpu(tmp_path):
    free = [100]
    room = GPURoom(lambda: (free[0], 100))
    now = time.time()
    first, second = (Training(Job("fcn", RECIPE), tmp_path / name, now - 5) for name in "ab")
    assert room([])
    free[0] = 55
    assert not room([first])  # it may yet take more
    first.folder.mkdir()
    (first.folder / "history.csv").write_text("epoch\n1\n")
    assert not room([first])  # 45 is taken, and 55 is less than that and a quarter
    free[0] = 60
    assert room([first])
    assert not room([first, second])  # the second has not finished an epoch
    os.utime(first.folder / "history.csv", (now - 9, now - 9))
    assert not room([first])  # the epoch was another start's


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["everything"], "experiment 'everything' is none of recipe, main"),
        (["main", "--recipe", "x"], "recipe 'x' is none of"),
        (["deep", "--recipe", "smoke", "--data", "scenes"], "has 0 of 21 cards"),
        (["main", "--data", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(tmp_path, monkeypatch, words, said):
    assert said in command(monkeypatch, *words, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def command(monkeypatch, *words):
    """Exit status of `segtut experiment`, or the sentence it ends with."""
    monkeypatch.setattr(sys, "argv", ["segtut", "experiment", *map(str, words)])
    try:
        cli.main()
    except SystemExit as end:
        return end.code or 0
    return 0


def until(true, seconds=120):
    end = time.time() + seconds
    while not true():
        assert time.time() < end
        time.sleep(0.05)


def locked(folder):
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
