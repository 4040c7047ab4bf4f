"""Checkpoints that are whole or not there, and hold all that the next step depends on."""

import json
import random
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from segtut.files import write_atomically
from segtut.networks import SegmentationNetwork, build_network
from segtut.training.recipe import completed


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written, read or continued; the message says why."""


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write the state of a run: tensors, numbers, strings, lists, dicts."""
    write_atomically(path, lambda file: torch.save(state, file))


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote, without running any code that the file may hold.

    Raises
    ------
    CheckpointError
        The file is no checkpoint of segtut, or damaged.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a different kind for each way of being damaged
        raise CheckpointError(f"{path} is damaged or no checkpoint: remove it to start the run anew") from error


def random_state() -> dict[str, Any]:
    """State of every global random generator: Python, NumPy, PyTorch, all GPUs.

    The loader's workers need none: their randomness is a function of (seed, epoch, index).
    """
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002, libraries still draw from it
    return {
        "python": random.getstate(),
        "numpy": (kind, keys.tolist(), position, has_gauss, gauss),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Put every global random generator back to where `random_state` found it."""
    random.setstate(state["python"])
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, np.array(keys, np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        # The first GPU's for all: a run has one generator, and may go on with another number of GPUs.
        torch.cuda.set_rng_state_all(state["cuda"][:1] * torch.cuda.device_count())


@contextmanager
def claim(folder: Path):
    """Hold a run's folder for this process, so that two trainings never write into one.

    The operating system lets go of the lock when the process ends, however it ends.
    """
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CheckpointError(f"{folder} is in use by another training: wait, or choose another folder") from error
        yield


def require_same(now: dict[str, Any], before: dict[str, Any] | None, folder: Path) -> None:
    """Refuse to continue a run that another network, recipe or data set began.

    Raises
    ------
    CheckpointError
        Names the first fields that differ.
    """
    if before is None:
        raise CheckpointError(f"{folder}/checkpoint.pt holds no run of segtut: choose another folder")
    differ = [
        f"{part}.{key} was {before.get(part, {}).get(key)}, is {value}"
        for part, fields in now.items()
        for key, value in fields.items()
        if before.get(part, {}).get(key) != value
    ]
    if differ:
        raise CheckpointError(
            f"{folder} holds another run ({'; '.join(differ[:3])}): choose another folder, or start anew with --restart"
        )


def load_run(folder: Path, identity: dict[str, Any]) -> dict[str, Any] | None:
    """State of the run that a folder holds; None if it holds none.

    Raises
    ------
    CheckpointError
        It is another run, or damaged.
    """
    path = folder / "checkpoint.pt"
    if not path.exists():
        return None
    state = load_checkpoint(path)
    before = state.get("identity")
    if before is not None and "recipe" in before:
        before["recipe"] = completed(before["recipe"])
    require_same(identity, before, folder)
    return state


def save_network(path: str | Path, network: SegmentationNetwork) -> Path:
    """Write a network as safetensors: its weights, and in the file's metadata how to build it."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    metadata = {"format": "segtut", "spec": json.dumps(network.spec), "input_size": json.dumps(network.input_size)}
    return write_atomically(path, lambda file: save_file(weights, file, metadata))


def load_network(path: str | Path) -> SegmentationNetwork:
    """Build the network that `save_network` wrote, in evaluation mode on the CPU.

    Parameters
    ----------
    path : path
        The file, or the folder of a run, of which ``best.safetensors`` is taken.

    Raises
    ------
    CheckpointError
        There is no such file, or it is not one of ours.
    """
    from safetensors import safe_open

    path = Path(path)
    path = path / "best.safetensors" if path.is_dir() else path
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file: name a run's folder or the best.safetensors in it")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        network = build_network(**json.loads(metadata["spec"]))
        size = json.loads(metadata["input_size"])
        network.input_size = tuple(size) if size else None
        network.load_state_dict(load_file(path))
    except Exception as error:
        raise CheckpointError(f"{path} does not hold a network of this version of segtut ({error})") from error
    return network.eval()
