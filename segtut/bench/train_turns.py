"""Ways to train that take turns, after proof that they are one training."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count, islice

import torch
from torch.utils.data import DataLoader

from segtut.bench.steps import DTYPES, Batch, Step, our_step, textbook_step
from segtut.bench.turns import TOLERANCE, guarded, progress, refuse_difference
from segtut.cost.latency import Timing, seconds_of
from segtut.cost.memory import peak_bytes
from segtut.cost.probe import out_of_memory
from segtut.networks import SegmentationNetwork
from segtut.training.recipe import Recipe, resolve_precision

IN_A_ROW = {"cpu": 1, "cuda": 20}  # steps timed together: in training, too, the CPU rarely waits for the GPU
# Largest difference of a parameter's gradient, relative to its largest number: a ReLU whose input is about 0 passes
# a gradient or does not. Gradients below FLOOR times the largest of all are rounding themselves: that of the keys'
# bias is 0, since softmax does not see a shift.
GRADIENT_TOLERANCE, FLOOR = 5e-2, 1e-5


@dataclass
class StepRow:
    """One way to train; values of one batch. Measured values are None where `error` says why.

    Attributes
    ----------
    precision : {"no", "bf16", "fp16"}
        As in `Recipe`.
    peak_bytes : int or None
        See `cost.peak_memory`, of a whole step.
    step_s, with_data_s : Timing or None
        Seconds of a step, on a batch that is there and on one that its loader makes for it.
    images_per_s, images_per_s_with_data : float or None
        Batch size over median time.
    speedup, speedup_with_data, memory_ratio : float or None
        Images a second, and peak memory, over the textbook's.
    """

    variant: str
    title: str
    precision: str
    peak_bytes: int | None = None
    step_s: Timing | None = None
    with_data_s: Timing | None = None
    images_per_s: float | None = None
    images_per_s_with_data: float | None = None
    speedup: float | None = None
    speedup_with_data: float | None = None
    memory_ratio: float | None = None
    error: str | None = None


@dataclass
class LoaderRow:
    """A loader alone; `batch_s` are seconds a batch, means over epochs."""

    loader: str
    batch_s: Timing
    images_per_s: float
    speedup: float


class Variant:
    """A way to train, and what was measured of it so far.

    Parameters
    ----------
    name, title : str
        For the row.
    source : {"textbook", "ours"}
        Whose batches it is trained on.
    step : Step
        What is measured.
    compiled : bool
        Compile the network first; if that fails, the row says so.
    """

    def __init__(self, name: str, title: str, source: str, step: Step, compiled: bool = False):
        self.row = StepRow(name, title, step.precision)
        self.source, self.step, self.compiled = source, step, compiled
        self.alone: list[float] = []
        self.with_data: list[float] = []

    def prepare(self, batch: Batch) -> None:
        """Warm up, and measure memory."""
        try:
            if self.compiled:
                self.step.network.compile()
            self.step(batch)
        except Exception as error:  # compilers have every kind
            if not self.compiled or out_of_memory(error):
                raise
            self.row.error = f"does not compile ({type(error).__name__})"
            return
        self.row.peak_bytes = peak_bytes(lambda: self.step(batch), self.step.device)

    def turn(self, batch: Batch, feed: Iterator[Batch]) -> None:
        """Time steps on `batch`, then on batches that `feed` makes for them."""
        self.step(batch)  # the first step after another variant's finds its memory and caches in use
        self.alone.append(self._seconds(lambda: batch))
        self.with_data.append(self._seconds(lambda: next(feed)))

    def finish(self, images: int, textbook: StepRow) -> None:
        """Fill the row in; `textbook` is filled in already, or this one."""
        row = self.row
        if row.error is not None:
            row.peak_bytes = None
            return
        row.step_s, row.with_data_s = Timing.of(self.alone), Timing.of(self.with_data)
        row.images_per_s, row.images_per_s_with_data = images / row.step_s.median, images / row.with_data_s.median
        if textbook.error is None:
            row.speedup = row.images_per_s / textbook.images_per_s
            row.speedup_with_data = row.images_per_s_with_data / textbook.images_per_s_with_data
            row.memory_ratio = row.peak_bytes / textbook.peak_bytes

    def _seconds(self, get: Callable[[], Batch]) -> float:
        steps = IN_A_ROW[self.step.device.type]
        return seconds_of(lambda: [self.step(get()) for _ in range(steps)], self.step.device) / steps


def make_variants(
    network: SegmentationNetwork, recipe: Recipe, device: torch.device, compiled: bool
) -> dict[str, Variant]:
    """The textbook's step, ours in float32, in what the device computes fast, and compiled if asked for."""
    fast = resolve_precision(recipe.precision, device)
    kind = str(DTYPES[fast]).removeprefix("torch.")
    variants = [
        Variant("textbook", "textbook, float32", "textbook", textbook_step(network, recipe, device)),
        Variant("ours", "ours, float32", "ours", our_step(network, recipe, device, "no")),
    ]
    if fast != "no":
        variants.append(Variant("ours-autocast", f"ours, {kind}", "ours", our_step(network, recipe, device, fast)))
    if compiled:
        step = our_step(network, recipe, device, fast)
        variants.append(Variant("ours-compiled", f"ours, {kind}, compiled", "ours", step, compiled=True))
    return {variant.row.variant: variant for variant in variants}


def in_both_layouts(batch: Batch, device: torch.device) -> dict[str, Batch]:
    """A batch of our loader as it is, channels_last, and as the textbook's loader would lay it out, on the device.

    In channels_last it would make the textbook's convolutions work in that layout.
    """
    image, target = (t.to(device) for t in batch)
    return {"textbook": (image.contiguous(), target), "ours": (image, target)}


def check_agreement(textbook: Step, ours: Step, batches: dict[str, Batch]) -> dict[str, float]:
    """Raise ImplementationsDiffer unless both give the same loss and gradients in float32; updates no parameter.

    Returns the relative differences: of the loss, and of the parameters' gradients the largest.

    TensorFloat-32, in which a GPU convolves, is off meanwhile: its ten bits would hide what differs.
    """
    losses, gradients = [], []
    for step, batch in ((textbook, batches["textbook"]), (ours, batches["ours"])):
        torch.manual_seed(0)  # of dropout
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            loss = step.forward(batch)
            gradients.append(torch.autograd.grad(loss, list(step.network.parameters())))
        losses.append(loss.detach())
    loss_difference = refuse_difference("our loss", "the textbook", losses[1], losses[0], TOLERANCE[torch.float32])
    floor = FLOOR * max(gradient.abs().max().item() for gradient in gradients[0])
    gradient_differences = [
        refuse_difference(f"our gradient of {name}", "the textbook", found, expected, GRADIENT_TOLERANCE, floor)
        for (name, _), expected, found in zip(textbook.network.named_parameters(), *gradients, strict=True)
    ]
    return {"loss": loss_difference, "gradient": max(gradient_differences)}


def take_turns(
    variants: dict[str, Variant], loaders: dict[str, DataLoader], batches: dict[str, Batch], turns: int
) -> tuple[list[StepRow], list[LoaderRow]]:
    """Measure memory and time of the steps, on `batches` and on what the loaders make, and of the loaders alone."""
    feeds = {name: _endless(loader) for name, loader in loaders.items()}
    loading: dict[str, list[float]] = {name: [] for name in loaders}
    for variant in progress(list(variants.values()), "measuring memory"):
        guarded(variant.row, partial(variant.prepare, batches[variant.source]))
    for _ in progress(range(turns), "timing"):
        for variant in variants.values():
            if variant.row.error is None:
                guarded(variant.row, partial(variant.turn, batches[variant.source], feeds[variant.source]))
        for name, feed in feeds.items():
            length = len(loaders[name])
            work = partial(deque, islice(feed, length), maxlen=0)  # an epoch, none of it kept
            loading[name].append(seconds_of(work, torch.device("cpu")) / length)
    images = len(batches["ours"][0])
    for variant in variants.values():
        variant.finish(images, variants["textbook"].row)
    return [variant.row for variant in variants.values()], _loader_rows(loading, images)


def _endless(loader: DataLoader) -> Iterator[Batch]:
    for epoch in count():
        loader.sampler.epoch = epoch
        yield from loader


def _loader_rows(seconds: dict[str, list[float]], images: int) -> list[LoaderRow]:
    timings = {name: Timing.of(values) for name, values in seconds.items()}
    base = timings["textbook"].median
    return [LoaderRow(name, timing, images / timing.median, base / timing.median) for name, timing in timings.items()]
