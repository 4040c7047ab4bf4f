"""Run cards: one JSON that says what was trained, on what, where, and what came out."""

import json
import math
import platform
import resource
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from segtut import cost
from segtut.data.classes import CLASSES
from segtut.networks.synchronised import processes
from segtut.training.evaluation import evaluate
from segtut.training.metrics import iou_per_class, mean_iou, pixel_accuracy
from segtut.training.recipe import completed

LIBRARIES = ("torch", "timm", "accelerate", "albumentations", "numpy")


def scores(matrix: torch.Tensor) -> dict[str, Any]:
    """Mean IoU, pixel accuracy and the IoU of every class of a confusion matrix; None where one is undefined."""
    number = lambda value: None if math.isnan(value) else value  # noqa: E731, JSON has no NaN
    per_class = zip(CLASSES, iou_per_class(matrix).tolist(), strict=True)
    return {
        "mean_iou": number(mean_iou(matrix)),
        "pixel_accuracy": number(pixel_accuracy(matrix)),
        "iou": {name: number(iou) for name, iou in per_class},
        "pixels": int(matrix.sum()),
    }


def software() -> dict[str, str]:
    """Versions of Python and of the libraries that decide what a run computes."""
    found = {"python": platform.python_version()}
    for name in (*LIBRARIES, "segtut"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def device_name(device: torch.device) -> str:
    """Name of the GPU, or of the processor with its number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()}, {torch.get_num_threads()} threads"


def peak_memory(device: torch.device) -> int:
    """Return the peak memory in bytes: the GPU's allocations, or the process's resident memory on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux kibibytes


def commit() -> str | None:
    """Commit of the repository that segtut was imported from, with ``+`` when files differ from it."""
    root = Path(__file__).parents[2]
    try:
        run = lambda *words: subprocess.run(  # noqa: E731
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
        if Path(run("rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return None  # an installed copy inside somebody else's repository
        return run("rev-parse", "HEAD") + ("+" if run("status", "--porcelain", "--", "segtut/*.py") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def make_card(network, data, recipe, state, precision, device) -> dict[str, Any]:
    """Assemble the card of a finished run; scores test once, with the best weights.

    Parameters
    ----------
    network : SegmentationNetwork
        With its best weights.
    data : dict
        The data sets by split.
    recipe : Recipe
        How it was trained.
    state : dict
        The final state of the loop.
    precision : str
        The precision that was used.
    device : torch.device
        Where.
    """
    result = {"best_epoch": state["best_epoch"], "val": scores(state["best_matrix"])}
    if recipe.report_test and "test" in data:
        result["test"] = scores(evaluate(network, data["test"], recipe.batch_size, device, precision))
    size = recipe.input_size or data["val"][0][1].shape
    seconds = sum(state["seconds"])
    return {
        "network": network.spec,
        "recipe": asdict(recipe),
        "data": {
            "name": data["train"].name,
            "digest": {split: data[split].digest for split in data},
            "images": {split: len(data[split]) for split in data},
        },
        "seed": recipe.seed,
        "precision": precision,
        "commit": state["commit"],
        "code": state["code"],
        "device": device_name(device),
        "processes": processes(),
        "software": software(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_time_s": round(seconds, 2),
        "images_per_s": round((len(data["train"]) + len(data["val"])) * recipe.epochs / seconds, 2),
        "peak_memory_bytes": peak_memory(device),
        "parameters": cost.parameters(network),
        "flops": {"size": list(size), "forward": cost.flops(network, size)},
        "result": result,
        # history.csv has every class, too; a hundred cards of 300 epochs should not fill a repository
        "history": [{k: v for k, v in row.items() if not k.startswith("val_iou_")} for row in state["history"]],
    }


def read_cards(folder: str | Path | None = None) -> list[dict[str, Any]]:
    """Read the run cards in a folder, sorted by file name.

    Parameters
    ----------
    folder : path, optional
        Holds ``*.json``, one run card each. None: the cards that come with the package.

    Returns
    -------
    list of dict
        The cards, each with the name of its file, less ``.json``, under the key ``file``. Fields that its recipe did
        not have yet have their defaults, which change nothing.

    Raises
    ------
    ValueError
        A file is not a run card; the message names it.
    """
    folder = Path(folder) if folder is not None else Path(__file__).parents[1] / "runs"
    cards = []
    for path in sorted(folder.glob("*.json")):
        try:
            card = json.loads(path.read_text(encoding="utf-8"))
            card["recipe"]["name"], card["network"]["name"], card["seed"], card["result"], card["history"]
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f"{path} is no run card ({type(error).__name__}: {error}): `segtut train` writes one as card.json"
            ) from error
        cards.append(card | {"file": path.stem, "recipe": completed(card["recipe"])})
    return cards
