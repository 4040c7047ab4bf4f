"""`segtut convert`."""

from pathlib import Path
from typing import Annotated

import typer

from segtut.cli.app import app


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="A .pth checkpoint")],
    out: Annotated[Path, typer.Option(help="The .safetensors file to write")],
    kind: Annotated[str, typer.Option("--from", help="Whose checkpoint it is: mmseg")] = "mmseg",
    align_corners: Annotated[
        bool, typer.Option("--align-corners", help="As the network was trained; weights do not tell")
    ] = False,
    recurrence: Annotated[int | None, typer.Option(help="Passes R of criss-cross attention [default: 2]")] = None,
) -> None:
    """Turn a CCNet, DANet, GCNet or NonLocal checkpoint of mmsegmentation into one of our networks."""
    from segtut.published.convert import convert as run_conversion

    options = {} if recurrence is None else {"recurrence": recurrence}
    network = run_conversion(source, out, kind, align_corners, **options)
    spec = network.spec
    print(f"{out}: {spec['name']} on {spec['backbone']}, {spec['num_classes']} classes.")
