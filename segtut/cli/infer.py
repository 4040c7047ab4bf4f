"""`segtut evaluate`, `segtut predict`: a trained network at work."""

from pathlib import Path
from typing import Annotated

import typer

from segtut.cli.app import app, data_folder, print_scores
from segtut.cli.looks import Flip, Scale, Tta, Window, looks


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a .safetensors file of ours")],
    data: Annotated[str | None, typer.Option(help="CamVid's folder, or the word: scenes")] = None,
    split: Annotated[str, typer.Option(help="train, val or test")] = "val",
    layout: Annotated[str | None, typer.Option(help="segnet, fastai or folders [default: looked at]")] = None,
    window: Window = None,
    flip: Flip = False,
    scale: Scale = None,
    tta: Tta = False,
    batch: Annotated[int, typer.Option(help="Images at once; 1 if they differ in size")] = 8,
) -> None:
    """Score a trained network on a split; of several looks the probabilities are averaged."""
    from segtut.data import DataError, open_splits
    from segtut.inference import segmenter
    from segtut.training import card, load_network
    from segtut.training import evaluate as score

    net = load_network(run)
    segment = segmenter(net, **looks(window, flip, scale, tta))
    where = data_folder(data)
    splits = open_splits(where, layout=layout, cache=False)
    if split not in splits:
        raise DataError(f"split {split!r} is none of {', '.join(splits)} of {where}")
    print_scores({split: card.scores(score(net, splits[split], batch, segment=segment))})


@app.command()
def predict(
    files: Annotated[list[Path], typer.Argument(help="Images, videos, folders of images")],
    run: Annotated[Path, typer.Option(help="Folder of a run, or a .safetensors file of ours")],
    out: Annotated[
        Path, typer.Option(help="Folder for STEM_overlay.png and STEM_mask.png, of videos STEM_overlay.mp4")
    ] = Path("predictions"),
    window: Window = None,
    flip: Flip = False,
    scale: Scale = None,
    tta: Tta = False,
    batch: Annotated[int | None, typer.Option(help="Images at once [default: what makes 2 million pixels]")] = None,
    masks: Annotated[bool, typer.Option("--masks", help="Of videos the mask of every frame, too")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Skip what the folder --out holds already")] = False,
) -> None:
    """Segment images and videos: a colour overlay and an index mask each.

    Of several looks the probabilities are averaged.
    """
    from segtut.inference import predict_files
    from segtut.training import load_network

    how = looks(window, flip, scale, tta)
    for path in predict_files(load_network(run), files, out, **how, batch_size=batch, resume=resume, frame_masks=masks):
        print(path)
