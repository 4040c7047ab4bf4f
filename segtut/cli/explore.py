"""`segtut explore`: where networks look, as a page."""

from pathlib import Path
from typing import Annotated

import typer

from segtut.cli.app import app


@app.command()
def explore(
    image: Annotated[Path | None, typer.Argument(help="An image [default: the recorded scene]")] = None,
    run: Annotated[
        list[Path] | None, typer.Option(help="Folder of a run, or a .safetensors file of ours; several: side by side")
    ] = None,
    height: Annotated[int, typer.Option(help="Pixels to which the image is reduced for the networks")] = 144,
    out: Annotated[Path, typer.Option(help="The page")] = Path("explorer.html"),
    record: Annotated[
        Path | None, typer.Option(help="Train the four networks of the recorded scene anew, in this folder")
    ] = None,
) -> None:
    """Write a page on which one chooses a pixel and sees where networks look for it."""
    if (image is None) != (not run):
        raise ValueError("an image and its networks go together: segtut explore street.jpg --run runs/…")
    if image is not None and record is not None:
        raise ValueError("--record makes the page of the recorded scene: leave out the image")
    print((_own(image, run, height) if image else _recorded(record)).save(out))


def _recorded(folder: Path | None):
    from segtut.plot.explorer.record import record, recorded

    if folder is not None:
        record(folder)
    return recorded(folder)


def _own(image: Path, runs: list[Path], height: int):
    import cv2

    from segtut.data import CLASSES
    from segtut.inference.pictures import palette, read_image
    from segtut.plot.explorer import explore as explorer
    from segtut.training import load_network

    if height < 8:
        raise ValueError(f"--height {height}: give at least 8 pixels, one position of the features")
    networks = {run.stem: load_network(run) for run in runs}
    if len(networks) < len(runs):
        raise ValueError("two --run of the same name: the page would show one only; rename a folder")
    for network in networks.values():
        network.input_size = None  # --height says how large they see the image
    count = max(network.spec["num_classes"] for network in networks.values())
    picture = read_image(image)
    width = max(8, round(picture.shape[1] * height / picture.shape[0]))
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    large = cv2.resize(picture, (3 * width, 3 * height), interpolation=cv2.INTER_AREA)
    names = CLASSES if count == len(CLASSES) else [f"class {k}" for k in range(count)]
    return explorer(small, networks, classes=names, palette=palette(count), show=large)
