"""Recipes: everything that a training run depends on besides the data and the network."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

import torch

from segtut.data.splits import find_camvid

PRECISIONS = ("auto", "no", "bf16", "fp16")


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes
    ----------
    name : str
        What run cards call it.
    epochs, batch_size : int
        Passes over the training split, images a step.
    crop : (int, int)
        Height and width of what the network is trained on.
    zoom : (float, float)
        See `segtut.data.train_transform`.
    flip, colour, label_smoothing, weight_decay : float
        Strengths of the regularisation.
    balance : bool
        Weigh rare classes more in the loss, by `segtut.training.loss.balanced_weights`.
    input_size : (int, int), optional
        Size to which images are resized for evaluation; None: as they are. Scores are always taken at the size of
        the label map.
    optimiser : {"adamw", "sgd"}
        SGD has momentum 0.9.
    lr : float
        Highest learning rate.
    schedule : {"poly", "cosine"}
        How the learning rate falls to 0 (poly: power 0.9), after `warmup` epochs of linear rise.
    warmup : float
        Epochs.
    ema : float
        Decay per step of a running mean of the weights, which is then scored and kept instead of the weights: 0.999
        is a mean over about a thousand steps; 0: none.
    compile : bool
        Let `torch.compile` fuse the network's operations: minutes at the start, faster steps.
    precision : {"auto", "no", "bf16", "fp16"}
        ``auto``: bf16 where the device computes in it, else fp16 on a GPU and float32 on a CPU.
    images : (int, int, int), optional
        Images in train, val and test; of CamVid that many, evenly spaced. None: the whole protocol.
    scenes_size : (int, int)
        Height and width of the images where the procedural scenes are the data.
    report_test : bool
        Score the best network once on test at the end.
    seed, workers : int
        Seed of everything random; processes that load data.
    """

    name: str
    epochs: int
    batch_size: int
    crop: tuple[int, int]
    zoom: tuple[float, float] = (1.0, 2.0)
    flip: float = 0.5
    colour: float = 0.3
    label_smoothing: float = 0.0
    balance: bool = False
    weight_decay: float = 0.01
    input_size: tuple[int, int] | None = None
    optimiser: str = "adamw"
    lr: float = 1e-3
    schedule: str = "poly"
    warmup: float = 0.5
    ema: float = 0.0
    compile: bool = False
    precision: str = "auto"
    images: tuple[int, int, int] | None = None
    scenes_size: tuple[int, int] = (360, 480)
    report_test: bool = True
    seed: int = 0
    workers: int = 0

    def __post_init__(self):
        for field, allowed in (
            ("optimiser", ("adamw", "sgd")),
            ("schedule", ("poly", "cosine")),
            ("precision", PRECISIONS),
        ):
            if getattr(self, field) not in allowed:
                raise ValueError(f"{field}={getattr(self, field)!r} is none of {', '.join(allowed)}")
        for field in ("epochs", "batch_size"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field}={getattr(self, field)}: needs at least 1")
        if not self.lr > 0:
            raise ValueError(f"lr={self.lr}: the learning rate is above 0")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema={self.ema}: the decay is from 0, for none, to below 1, such as 0.999")

    def but(self, **changes) -> "Recipe":
        """Return the same recipe with some fields changed, named so: ``cpu().but(epochs=3)``."""
        return replace(self, **{"name": f"{self.name}*", **changes})


def completed(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's fields from a file, with the defaults, which change nothing, of those that it did not have yet."""
    defaults = {field.name: field.default for field in fields(Recipe) if field.default is not MISSING}
    return defaults | dict(recipe)


def smoke() -> Recipe:
    """Train two epochs of 8 tiny scenes, for tests: 2 s on two CPU cores, and no score worth naming."""
    return Recipe("smoke", epochs=2, batch_size=4, crop=(48, 64), images=(8, 4, 4), scenes_size=(48, 64))


def lesson() -> Recipe:
    """Train inside a chapter: 88 small scenes, or as many images of CamVid, to see that the network learns.

    CCNet with ResNet-18 on two CPU cores: 23 s with bf16, 33 s in float32, to a mean IoU of 0.37 on the val scenes.
    """
    return Recipe(
        "lesson", epochs=5, batch_size=4, crop=(96, 128), input_size=(96, 128), zoom=(1.0, 1.3), colour=0.0,
        balance=True, lr=2e-3, images=(88, 20, 20), scenes_size=(96, 128), report_test=False,
    )  # fmt: skip


def cpu() -> Recipe:
    """Train CamVid on two CPU cores, from random weights; images are halved for the network, scores are not.

    CCNet with ResNet-18: 5 minutes with bf16 to a mean IoU of 0.54 on val (``segtut/runs/ccnet-resnet18-cpu-s0.json``);
    a step in float32 takes two to four times as long as one in bf16.
    """
    return Recipe(
        "cpu", epochs=13, batch_size=8, crop=(144, 192), input_size=(180, 240), zoom=(1.0, 1.8), colour=0.0,
        balance=True,
    )  # fmt: skip


def camvid() -> Recipe:
    """Train CamVid at its full 360×480 on a GPU, from random weights. Not yet run: neither time nor score is known."""
    return Recipe(
        "camvid", epochs=300, batch_size=16, crop=(360, 480), zoom=(0.75, 2.0), lr=1e-3, warmup=5,
        workers=2,  # a GPU is faster than one process augments
    )  # fmt: skip


RECIPES: dict[str, Callable[[], Recipe]] = {make.__name__: make for make in (smoke, lesson, cpu, camvid)}


def auto() -> Recipe:
    """Choose the recipe for a chapter by what is there: `camvid` with a GPU and CamVid, else `lesson`."""
    return camvid() if torch.cuda.is_available() and find_camvid() else lesson()


def learning_rate(recipe: Recipe, progress: float) -> float:
    """Learning rate after `progress` epochs, as a factor of ``recipe.lr``."""
    if progress < recipe.warmup:
        return (progress + 1e-3) / (recipe.warmup + 1e-3)
    done = min(1.0, (progress - recipe.warmup) / max(recipe.epochs - recipe.warmup, 1e-9))
    if recipe.schedule == "poly":
        return (1 - done) ** 0.9
    return 0.5 * (1 + float(torch.cos(torch.tensor(done * torch.pi))))


def resolve_precision(precision: str, device: torch.device) -> str:
    """Turn ``auto`` into what the device computes fast: ``bf16``, ``fp16`` or ``no`` (float32)."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision!r} is none of {', '.join(PRECISIONS)}")
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    if device.type == "cpu":
        # A CPU without these instructions emulates bf16 and is slower than in float32.
        native = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        return "bf16" if native() else "no"
    return "no"
