"""The training loop: one function, from data and a network to the best weights and a history."""

import math
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from accelerate.utils import set_seed
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import Dataset
from tqdm import tqdm

from segtut.data.augment import train_transform
from segtut.data.loader import make_loader
from segtut.files import write_json
from segtut.networks import SegmentationNetwork
from segtut.networks.synchronised import processes, synchronised, total
from segtut.training import card as cards
from segtut.training.checkpoint import (
    claim,
    load_run,
    random_state,
    save_checkpoint,
    save_network,
    set_random_state,
)
from segtut.training.code import also_ran, fingerprint
from segtut.training.evaluation import evaluate
from segtut.training.history import frame, write_history
from segtut.training.loss import balanced_weights, network_loss, total_weight
from segtut.training.optimiser import make_optimiser
from segtut.training.processes import from_main, share, start
from segtut.training.recipe import Recipe, learning_rate

RUN_FILES = ("checkpoint.pt", "best.safetensors", "card.json", "history.csv", "history.xlsx", "curves.png")
"""What a run leaves in its folder (`segtut train` draws the curves)."""


class TrainingDiverged(RuntimeError):
    """The loss became NaN or infinite; the last good state is in the run's folder."""


@dataclass
class Run:
    """What a training left.

    Attributes
    ----------
    network : SegmentationNetwork
        With the weights that were best on val, in evaluation mode.
    history : pandas.DataFrame
        One row an epoch.
    card : dict
        The run card.
    folder : Path or None
        Where the files are; None in a process that writes none.
    """

    network: SegmentationNetwork
    history: pd.DataFrame
    card: dict[str, Any]
    folder: Path | None


def train(
    network: SegmentationNetwork,
    data: dict[str, Dataset],
    recipe: Recipe,
    folder: str | Path | None = None,
    *,
    on_epoch: Callable[[pd.DataFrame], None] | None = None,
    progress: bool = True,
) -> Run:
    """Train a network, keep the weights that are best on val, write a run card.

    Started by ``accelerate launch`` or ``torchrun`` in several processes, each computes its share of the same batches:
    the run is that of one process, but for rounding. The main process alone writes, and calls `on_epoch`.

    Parameters
    ----------
    network : SegmentationNetwork
        Trained in place.
    data : dict
        Data sets ``train`` and ``val``, and ``test`` where the recipe reports it.
    recipe : Recipe
        How.
    folder : path, optional
        Where checkpoint, best weights, history and card go, after every epoch. A folder with an interrupted run of
        the same network, data and recipe is continued, bit for bit on a CPU; a finished one is read, not repeated.
        None: nothing is written.
    on_epoch : callable, optional
        Called with the history so far after every epoch; for live curves.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        The recipe's batch cannot be split evenly over the processes.
    TrainingDiverged
        The loss is NaN or infinite. The checkpoint of the last whole epoch stays.
    CheckpointError
        The folder holds another run, or a damaged checkpoint, or is in use.
    WriteError
        A file cannot be written: disk full, no permission. The last whole epoch stays.
    """
    accelerator = start(recipe)
    main = accelerator.is_main_process
    folder = Path(folder) if folder is not None and main else None
    with claim(folder) if folder else nullcontext(), synchronised(network, accelerator.device):
        return _train(accelerator, network, data, recipe, folder, on_epoch if main else None, progress and main)


def _train(accelerator, network, data, recipe, folder, on_epoch, progress) -> Run:
    device, precision = accelerator.device, accelerator.mixed_precision
    set_seed(recipe.seed)  # the same in all processes: see SharedDropout2d

    loader = make_loader(
        data["train"],
        train_transform(recipe.crop, recipe.zoom, flip=recipe.flip, colour=recipe.colour),
        recipe.batch_size, train=True, seed=recipe.seed, workers=recipe.workers,
    )  # fmt: skip
    sampler, steps = loader.sampler, len(loader)
    classes = network.spec["num_classes"]
    class_weights = balanced_weights(data["train"], classes).to(device) if recipe.balance else None
    network = network.to(memory_format=torch.channels_last)
    network.input_size = recipe.input_size
    optimiser = make_optimiser(network, recipe)
    average = None
    if recipe.ema:  # before `prepare`, which binds the network's forward to the network
        ema = get_ema_multi_avg_fn(recipe.ema)
        average = AveragedModel(network, device=device, multi_avg_fn=ema, use_buffers=True)
        average.n_averaged = average.n_averaged.cpu()  # it is looked at in every step
    judged = average.module if average else network  # scored on val, and kept where it is best
    model, optimiser, loader = accelerator.prepare(network, optimiser, loader)

    identity = {
        "recipe": {**asdict(recipe), "precision": precision},
        "network": network.spec,
        "data": {split: data[split].digest for split in data},
    }  # fmt: skip
    state: dict[str, Any] = {"identity": identity, "epoch": 0, "history": [], "best": -math.inf, "seconds": []}
    state |= {"commit": cards.commit(), "code": fingerprint()}
    if saved := from_main(lambda: load_run(folder, identity) if folder else None):
        state = saved | also_ran(saved, state)
        network.load_state_dict(state["weights"])
        optimiser.load_state_dict(state["optimiser"])
        if average:
            average.load_state_dict(state["average"])
        if accelerator.scaler:
            accelerator.scaler.load_state_dict(state["scaler"])
        set_random_state(state["random"])
    best_weights = state.get("best_weights") or _copy(judged)

    def save() -> None:
        """Write all that the next epoch depends on; history, best weights and card follow from it."""
        state.update(
            weights=network.state_dict(), optimiser=optimiser.state_dict(), random=random_state(),
            best_weights=best_weights, average=average and average.state_dict(),
            scaler=accelerator.scaler and accelerator.scaler.state_dict(),
        )  # fmt: skip
        if folder:
            save_checkpoint(folder / "checkpoint.pt", state)

    if state["epoch"] == 0:
        save()
    bar = tqdm(
        total=recipe.epochs * steps, initial=state["epoch"] * steps, unit="step", disable=not progress,
        desc=f"{network.spec.get('name', 'network')} on {data['train'].name}", dynamic_ncols=True,
        mininterval=0.2 if sys.stderr.isatty() else 20,  # seconds; a log wants fewer lines than a terminal
    )  # fmt: skip
    with bar:
        for epoch in range(state["epoch"], recipe.epochs):
            started = time.perf_counter()
            sampler.epoch = epoch
            network.train()
            loss_sum = torch.zeros((), device=device)
            for step, (image, target) in enumerate(loader):
                lr = recipe.lr * learning_rate(recipe, epoch + step / steps)
                for group in optimiser.param_groups:
                    group["lr"] = lr
                loss = network_loss(network, image, target, recipe.label_smoothing, class_weights, model)
                loss = loss * share(total_weight(target, class_weights))  # 1, unless the batch is split
                accelerator.backward(loss)
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
                if average:
                    average.update_parameters(network)
                loss_sum += loss.detach()
                bar.update()
                if device.type == "cpu" or step + 1 == steps:  # a look at the loss makes the CPU wait for a GPU
                    mean = total(loss_sum).item() / processes() / (step + 1)
                    if not math.isfinite(mean):
                        raise TrainingDiverged(_diverged(mean, epoch, step, lr, folder))
                    rate = recipe.batch_size * (step + 1) / (time.perf_counter() - started)
                    bar.set_postfix(loss=f"{mean:.3f}", lr=f"{lr:.1e}", images_s=f"{rate:.0f}", refresh=False)

            matrix = evaluate(judged, data["val"], recipe.batch_size, device, precision)
            score = cards.scores(matrix)
            state["history"].append(
                {"epoch": epoch + 1, "step": (epoch + 1) * steps, "lr": lr, "train_loss": mean,
                 "val_mean_iou": score["mean_iou"], "val_pixel_accuracy": score["pixel_accuracy"]}
                | {f"val_iou_{name}": iou for name, iou in score["iou"].items()}
            )  # fmt: skip
            state["seconds"].append(time.perf_counter() - started)
            if (score["mean_iou"] or 0.0) > state["best"]:  # None where val has no labelled pixel
                state.update(best=score["mean_iou"] or 0.0, best_epoch=epoch + 1, best_matrix=matrix)
                best_weights = _copy(judged)
            state["epoch"] = epoch + 1
            save()
            history = frame(state["history"])
            if folder:
                write_history(folder, history)
            if on_epoch:
                on_epoch(history)

    network.load_state_dict(best_weights)
    accelerator.unwrap_model(model, keep_fp32_wrapper=False)  # the network itself computes as its caller says
    network.eval()
    card = cards.make_card(network, data, recipe, state, precision, device)
    if folder:
        write_history(folder, frame(state["history"]))  # again: the last one may have been cut short
        save_network(folder / "best.safetensors", network)
        write_json(folder / "card.json", card)
    return Run(network, frame(state["history"]), card, folder)


def _copy(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in network.state_dict().items()}


def _diverged(mean: float, epoch: int, step: int, lr: float, folder: Path | None) -> str:
    kept = f"the state after epoch {epoch} is in {folder}" if folder else "this process has written nothing"
    return (
        f"the loss became {mean} in epoch {epoch + 1}, by step {step + 1}, at learning rate {lr:.1e}: {kept}; "
        "lower lr, or check the data"
    )
