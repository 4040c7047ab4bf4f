"""`segtut train`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from segtut.cli.app import app, data_folder, named_recipe, print_scores


@app.command()
def train(
    network: Annotated[str, typer.Argument(help="fcn, psp, aspp, ema, nonlocal, ccnet, danet or gcnet")],
    data: Annotated[str | None, typer.Option(help="CamVid's folder, or the word: scenes")] = None,
    recipe: Annotated[str, typer.Option(help="smoke, lesson, cpu or camvid")] = "cpu",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run [default: runs/NETWORK-BACKBONE-RECIPE-sSEED]")
    ] = None,
    backbone: Annotated[str, typer.Option(help="Any timm ResNet")] = "resnet18",
    pretrained: Annotated[bool, typer.Option("--pretrained", help="Start from ImageNet weights")] = False,
    or_random: Annotated[bool, typer.Option("--or-random", help="… or random ones if that fails")] = False,
    recurrence: Annotated[int | None, typer.Option(help="Passes R of criss-cross attention [default: 2]")] = None,
    auxiliary: Annotated[bool, typer.Option("--auxiliary", help="Add an auxiliary head")] = False,
    seed: Annotated[int, typer.Option(help="Of weights, order, augmentation and dropout")] = 0,
    epochs: Annotated[int | None, typer.Option(help="Instead of the recipe's")] = None,
    layout: Annotated[str | None, typer.Option(help="segnet, fastai or folders [default: looked at]")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Delete the run in that folder first")] = False,
) -> None:
    """Train a network; run the same command again to continue an interrupted training.

    On four GPUs: accelerate launch --multi_gpu --num_processes 4 -m segtut.cli train ...
    """
    import torch

    from segtut.data import open_splits
    from segtut.networks import build_network
    from segtut.plot.curves import save_curves
    from segtut.training import RUN_FILES
    from segtut.training import train as run_training

    how = named_recipe(recipe).but(name=recipe, seed=seed)
    if epochs is not None:
        how = how.but(epochs=epochs)
    where = data_folder(data)
    torch.manual_seed(seed)
    options = {} if recurrence is None else {"recurrence": recurrence}
    net = build_network(
        network, backbone, pretrained=pretrained, allow_random=or_random, auxiliary=auxiliary, **options
    )
    splits = open_splits(where, how.images, how.scenes_size, layout=layout)
    folder = out or Path("runs") / f"{network}-{backbone}-{recipe}-s{seed}"
    if restart:  # the run's own files only: --out may name a folder that holds more
        for name in RUN_FILES:
            (folder / name).unlink(missing_ok=True)
    together = f" by {count} processes" if (count := int(os.environ.get("WORLD_SIZE", "1"))) > 1 else ""
    print(f"Training {network} on {backbone}, recipe {how.name}, {how.epochs} epochs, in {folder}{together}.")
    run = run_training(net, splits, how, folder)
    if run.folder:
        save_curves(run.history, folder / "curves.png")
    print_scores(run.card["result"])
    print(f"Best on val after epoch {run.card['result']['best_epoch']}; weights, history, curves and card: {folder}")
