"""The benchmark of training: our step and our loader against those of a textbook, and its table."""

import json
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

from segtut import cost
from segtut.attention import _check
from segtut.bench import machine
from segtut.bench.entries import awaken
from segtut.bench.textbook import textbook_loader
from segtut.bench.train_turns import check_agreement, in_both_layouts, make_variants, take_turns
from segtut.bench.turns import progress
from segtut.cost.probe import out_of_memory
from segtut.data import IGNORE_INDEX, IMAGE_SIZE, VOID_LABEL, CamVid, Scenes, make_loader, train_transform
from segtut.networks import build_network
from segtut.training.recipe import Recipe

RECORDED = Path(__file__).parent / "recorded"
BATCHES = 6  # of the data set that is written
RATIOS = {"×speed": "speedup", "×with data": "speedup_with_data", "×memory": "memory_ratio"}


def benchmark_training(
    backbone: str = "resnet50",
    size: tuple[int, int] = (224, 224),
    batch: int = 8,
    steps: int = 5,
    device: str = "auto",
    threads: int | None = None,
    compiled: bool = False,
) -> dict[str, Any]:
    """Measure training steps of CCNet, and the loaders of their data: a textbook's against ours.

    The data are procedural scenes of 360×480, written as PNG files into a temporary folder.

    Parameters
    ----------
    backbone : str
        Any timm ResNet.
    size : (int, int)
        Height and width of what the network is trained on.
    batch : int
        Images a step.
    steps : int
        Turns in which each variant is timed: one step on a CPU, 20 on a GPU.
    device : {"auto", "cpu", "cuda"}
        "auto": a GPU if there is one.
    threads : int, optional
        PyTorch's threads on the CPU; by default as they are set.
    compiled : bool
        Also measure our step with `torch.compile`.

    Returns
    -------
    dict
        The settings, the machine, the software, ``differences`` of ours to the textbook in float32, ``steps``: a
        `StepRow` as a dict for each variant, ``loaders``: a `LoaderRow` each. It can be written as JSON.

    Raises
    ------
    ValueError
        An argument is out of range, the device is not there, or the textbook's step does not fit into its memory.
    ImplementationsDiffer
        The textbook and ours, both in float32, have not the same loss and gradients within rounding.
    """
    for number in size:
        _check.positive("size", number)
    _check.positive("batch", batch)
    _check.positive("steps", steps)
    if threads is not None:
        _check.positive("threads", threads)
    place = machine.device_named(device)
    recipe = Recipe("bench", epochs=1, batch_size=batch, crop=size, colour=0.0)  # the textbook has no colour jitter
    with machine.threads(threads), torch.random.fork_rng(), tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(0)
        network = awaken(build_network("ccnet", backbone))
        loaders = make_loaders(Path(folder), recipe)
        result = {
            **machine.facts(place), "backbone": backbone, "size": list(size), "batch": batch,
            "parameters": cost.parameters(network), "images": len(loaders["ours"].dataset),
        }  # fmt: skip
        variants = make_variants(network, recipe, place, compiled)
        batches = in_both_layouts(next(iter(loaders["ours"])), place)
        try:
            result["differences"] = check_agreement(variants["textbook"].step, variants["ours"].step, batches)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise ValueError(
                f"a textbook step of batch {batch} at {size[0]}×{size[1]} does not fit into memory: choose a smaller "
                "batch or size"
            ) from error
        rows, loader_rows = take_turns(variants, loaders, batches, steps)
    return result | {
        "steps": [asdict(row) for row in rows],
        "loaders": [asdict(row) for row in loader_rows],
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def make_loaders(folder: Path, recipe: Recipe) -> dict[str, DataLoader]:
    """The same files behind the textbook's loader and behind ours."""
    scenes = Scenes("train", IMAGE_SIZE, length=BATCHES * recipe.batch_size)
    for name in ("train", "trainannot"):
        (folder / name).mkdir()
    for stem, (image, mask) in zip(scenes.stems, progress(scenes, "drawing scenes"), strict=True):
        Image.fromarray(image).save(folder / "train" / f"{stem}.png")
        labels = np.where(mask == IGNORE_INDEX, VOID_LABEL, mask).astype(np.uint8)
        Image.fromarray(labels).save(folder / "trainannot" / f"{stem}.png")
    files = CamVid(folder, "train", cache=True)
    transform = train_transform(recipe.crop, recipe.zoom, flip=recipe.flip, colour=recipe.colour)
    return {
        "textbook": textbook_loader(files, recipe.crop, recipe.zoom, recipe.batch_size),
        "ours": make_loader(files, transform, recipe.batch_size, train=True),
    }


def recorded_training() -> list[dict[str, Any]]:
    """Results of `benchmark_training` that come with the package, sorted by file name."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RECORDED.glob("train-*.json"))]


def training_header(result: dict[str, Any]) -> str:
    """Where and how it was measured."""
    H, W = result["size"]
    return machine.header(result, f"CCNet with {result['backbone']}", f"{H}×{W}", f"batch {result['batch']}")


def training_table(result: dict[str, Any]) -> str:
    """A line for each way to train and for each loader; medians."""
    lines = [f"{'':28}" + "".join(f"{name:>14}" for name in ("images/s", "with data", "peak MiB", *RATIOS))]
    for row in result["steps"]:
        if row["error"]:
            cells = [row["error"]]
        else:
            cells = [
                f"{row['images_per_s']:.2f}", f"{row['images_per_s_with_data']:.2f}",
                f"{row['peak_bytes'] / 2**20:.0f}",
                *("–" if row[ratio] is None else f"{row[ratio]:.2f}" for ratio in RATIOS.values()),
            ]  # fmt: skip
        lines.append(f"{row['title']:28}" + "".join(f"{cell:>14}" for cell in cells))
    for row in result["loaders"]:
        cells = f"{row['images_per_s']:.0f}", "", "", f"{row['speedup']:.2f}"
        lines.append(f"{'loader, ' + row['loader']:28}" + "".join(f"{cell:>14}" for cell in cells))
    return "\n".join(line.rstrip() for line in lines)


TRAINING_LEGEND = """\
images/s: forward, backward and update on a batch that is there; with data: its loader makes each batch. Times are
medians; quartiles are in the JSON. peak: most memory of a step beyond parameters and the optimiser's state.
×speed, ×with data, ×memory: over the textbook's. In float32 both gave the same loss and gradients before."""
