"""`segtut evaluate`, `segtut predict`: a trained network at work."""

from pathlib import Path
from typing import Annotated

import typer

from segtut.cli.app import app, data_folder, print_scores


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a .safetensors file of ours")],
    data: Annotated[str | None, typer.Option(help="CamVid's folder, or the word: scenes")] = None,
    split: Annotated[str, typer.Option(help="train, val or test")] = "val",
    layout: Annotated[str | None, typer.Option(help="segnet, fastai or folders [default: looked at]")] = None,
) -> None:
    """Score a trained network on a split."""
    from segtut.data import DataError, open_splits
    from segtut.training import card, load_network
    from segtut.training import evaluate as score

    net = load_network(run)
    where = data_folder(data)
    splits = open_splits(where, layout=layout, cache=False)
    if split not in splits:
        raise DataError(f"split {split!r} is none of {', '.join(splits)} of {where}")
    print_scores({split: card.scores(score(net, splits[split]))})


@app.command()
def predict(
    images: Annotated[list[Path], typer.Argument(help="Image files")],
    run: Annotated[Path, typer.Option(help="Folder of a run, or a .safetensors file of ours")],
    out: Annotated[Path, typer.Option(help="Folder for STEM_overlay.png and STEM_mask.png")] = Path("predictions"),
    window: Annotated[
        tuple[int, int] | None,
        typer.Option(help="Height and width of sliding windows, for images too big to see whole"),
    ] = None,
    flip: Annotated[bool, typer.Option("--flip", help="Look at the mirror image, too")] = False,
    scale: Annotated[list[float] | None, typer.Option(help="Look at it enlarged so [default: 1]")] = None,
) -> None:
    """Segment image files: a colour overlay and an index mask each.

    --scale may be given several times; the probabilities of all looks are averaged.
    """
    from segtut.inference import predict_files
    from segtut.training import load_network

    for path in predict_files(load_network(run), images, out, window=window, flip=flip, scales=scale or (1.0,)):
        print(path)
