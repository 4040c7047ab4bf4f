import json
import shutil
import socket
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from PIL import Image

from segtut import cli
from segtut.data import Scenes, download


def segtut(monkeypatch, *words):
    """Run the command in this process; return its exit code or message."""
    monkeypatch.setattr(sys, "argv", ["segtut", *map(str, words)])
    try:
        cli.main()
    except SystemExit as stop:
        return stop.code
    return 0


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        assert segtut(patch, "train", "ccnet", "--data", "scenes", "--recipe", "smoke", "--out", folder) == 0
    return folder


def test_train_leaves_a_whole_run(run, monkeypatch, capsys):
    assert {"best.safetensors", "card.json", "curves.png", "history.csv", "history.xlsx"} <= {
        p.name for p in run.iterdir()
    }
    assert Image.open(run / "curves.png").size[0] > 600
    assert segtut(monkeypatch, "train", "ccnet", "--data", "scenes", "--recipe", "smoke", "--out", run) == 0
    said = capsys.readouterr().out
    assert "Data: procedural scenes" in said and "Best on val" in said and "bicyclist" in said


def test_train_refuses_another_run_in_the_folder_until_told(run, monkeypatch, tmp_path):
    words = ("train", "ccnet", "--data", "scenes", "--recipe", "smoke", "--seed", "1", "--out")
    assert "recipe.seed was 0, is 1" in segtut(monkeypatch, *words, run)


def test_restart_deletes_the_run_and_nothing_else(run, monkeypatch, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    (folder / "thesis.txt").write_text("mine")
    words = ("train", "ccnet", "--data", "scenes", "--recipe", "smoke", "--seed", "1", "--out", folder)
    assert segtut(monkeypatch, *words, "--restart") == 0
    assert (folder / "thesis.txt").read_text() == "mine"
    assert json.loads((folder / "card.json").read_text())["seed"] == 1


def test_evaluate(run, monkeypatch, capsys, tiny_camvid):
    assert segtut(monkeypatch, "evaluate", run, "--data", tiny_camvid, "--split", "test") == 0
    said = capsys.readouterr().out
    assert "test" in said and "mean" in said and "pixel accuracy" in said
    assert "split 'validation' is none of" in segtut(
        monkeypatch, "evaluate", run, "--data", tiny_camvid, "--split", "validation"
    )


def test_predict_writes_overlay_and_index_mask(run, monkeypatch, tmp_path, capsys):
    image, _ = Scenes("test", (90, 160), length=1)[0]
    Image.fromarray(image).save(tmp_path / "a street.png")
    Image.fromarray(image[:70, :50]).convert("L").save(tmp_path / "grau-灰.jpg")
    out = tmp_path / "out"
    assert (
        segtut(monkeypatch, "predict", tmp_path / "a street.png", tmp_path / "grau-灰.jpg", "--run", run, "--out", out)
        == 0
    )
    assert sorted(p.name for p in out.iterdir()) == [
        "a street_mask.png", "a street_overlay.png", "grau-灰_mask.png", "grau-灰_overlay.png"
    ]  # fmt: skip
    mask = np.asarray(Image.open(out / "a street_mask.png"))
    assert mask.shape == (90, 160) and mask.max() <= 10
    assert np.asarray(Image.open(out / "grau-灰_overlay.png")).shape == (70, 50, 3)


def test_predict_checks_every_image_first(run, monkeypatch, tmp_path):
    Image.fromarray(np.zeros((8, 9, 3), np.uint8)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"no image")
    out = tmp_path / "out"
    said = segtut(monkeypatch, "predict", tmp_path / "good.png", tmp_path / "bad.png", "--run", run, "--out", out)
    assert "bad.png" in said and not out.exists()
    (tmp_path / "sub").mkdir()
    Image.fromarray(np.zeros((8, 9, 3), np.uint8)).save(tmp_path / "sub" / "good.png")
    said = segtut(
        monkeypatch, "predict", tmp_path / "good.png", tmp_path / "sub" / "good.png", "--run", run, "--out", out
    )
    assert "would write the same files" in said and not out.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("train", "unet", "--data", "scenes"), "'unet' is none of"),
        (("train", "fcn", "--data", "scenes", "--recipe", "quick"), "recipe 'quick' is none of"),
        (("train", "fcn", "--data", "nowhere"), "nowhere is not a folder"),
        (("train", "fcn"), "no data: name CamVid's folder"),
        (("train", "fcn", "--data", "scenes", "--recurrence", "2"), "'fcn' has no option recurrence"),
        (("train", "fcn", "--data", "scenes", "--epochs", "0"), "epochs=0"),
        (("evaluate", "nowhere"), "no such file"),
        (("predict", "x.png", "--run", "nowhere"), "no such file"),
    ],
)
def test_errors_are_one_sentence(words, said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEGTUT_CAMVID", raising=False)
    message = segtut(monkeypatch, *words)
    assert isinstance(message, str) and message.startswith("segtut: ") and said in message and "\n" not in message
    assert list(tmp_path.iterdir()) == []


def test_data_without_network_is_one_sentence_and_offers_scenes(monkeypatch, tmp_path, capsys):
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with socket.socket() as closed:  # bound and never listening
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/camvid.zip"
        offline = partial(download.download_camvid, url=url, backoff=0, retries=1)
        monkeypatch.setattr(download, "download_camvid", offline)
        said = segtut(monkeypatch, "data", "camvid", "--to", tmp_path / "data/camvid")
    assert said.startswith("segtut: CamVid was not downloaded: 127.0.0.1 cannot be reached") and "\n" not in said
    assert "nothing half-done remains" in said and "--data scenes" in said
    assert "trying again in 0 s (1 of 1)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_wrong_options_and_help(monkeypatch, capsys):
    assert segtut(monkeypatch, "train", "fcn", "--no-such") == 2
    assert "no-such" in capsys.readouterr().err
    assert segtut(monkeypatch, "--help") == 0
    assert "predict" in capsys.readouterr().out


def test_the_installed_command_starts():
    done = subprocess.run([sys.executable, "-m", "segtut.cli", "--help"], capture_output=True, text=True, check=True)
    assert "train" in done.stdout and "evaluate" in done.stdout
