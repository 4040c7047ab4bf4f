import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from segtut.files import WriteError, write_atomically
from segtut.networks import build_network
from segtut.training import CheckpointError, load_network, save_network
from segtut.training.checkpoint import (
    claim,
    load_checkpoint,
    random_state,
    save_checkpoint,
    set_random_state,
)


def test_a_failing_write_leaves_the_old_content(tmp_path):
    path = tmp_path / "file.txt"
    write_atomically(path, lambda file: file.write_text("old"))

    def full(file):
        file.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(WriteError, match=r"file\.txt could not be written .*No space left"):
        write_atomically(path, full)

    def interrupted(file):
        file.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, interrupted)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_sigkill_while_writing_leaves_the_old_content(tmp_path):
    path = tmp_path / "state.pt"
    save_checkpoint(path, {"x": torch.arange(3)})
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "def write(file):\n"
        "    file.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "from segtut.files import write_atomically\n"
        f"write_atomically(Path({str(path)!r}), write)\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    assert load_checkpoint(path)["x"].tolist() == [0, 1, 2]
    save_checkpoint(path, {"x": torch.arange(4)})  # what the killed process left is no hindrance
    assert load_checkpoint(path)["x"].tolist() == [0, 1, 2, 3] and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_a_damaged_checkpoint_is_named(tmp_path, content):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"x": torch.arange(1000)})
    path.write_bytes(path.read_bytes()[:-200] if content is None else content)
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt is damaged"):
        load_checkpoint(path)


def test_loading_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, ("touch evil",)

    path = tmp_path / "checkpoint.pt"
    torch.save({"x": Evil()}, path)
    with pytest.raises(CheckpointError):
        load_checkpoint(path)
    assert not (tmp_path / "evil").exists() and not Path("evil").exists()


def test_random_state_survives_a_file(tmp_path):
    draw = lambda: (random.random(), np.random.rand(), torch.rand(3).tolist(), random.gauss(0, 1), np.random.randn())  # noqa: E731, NPY002
    draw()
    save_checkpoint(tmp_path / "s.pt", {"random": random_state()})
    first = draw()
    assert draw() != first
    set_random_state(load_checkpoint(tmp_path / "s.pt")["random"])
    assert draw() == first


def test_one_run_a_folder(tmp_path):
    with claim(tmp_path), pytest.raises(CheckpointError, match="in use"), claim(tmp_path):
        pass
    with claim(tmp_path):
        pass


def test_a_network_comes_back(tmp_path):
    torch.manual_seed(0)
    network = build_network("ccnet", num_classes=5, recurrence=1).eval()
    network.input_size = (48, 64)
    save_network(tmp_path / "best.safetensors", network)
    again = load_network(tmp_path)
    x = torch.randn(2, 3, 48, 64)
    with torch.no_grad():
        assert torch.equal(network(x), again(x))
    assert again.spec == network.spec and again.input_size == (48, 64) and not again.training


def test_not_a_network(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        load_network(tmp_path)
    (tmp_path / "best.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(CheckpointError, match="does not hold a network"):
        load_network(tmp_path)
