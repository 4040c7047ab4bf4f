"""`segtut export`."""

from pathlib import Path
from typing import Annotated

import typer

from segtut.cli.app import app


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a .safetensors file of ours")],
    out: Annotated[Path, typer.Option(help="The file to write, .onnx or .pt2")],
    format: Annotated[str, typer.Option(help="onnx or torch (torch.export)")] = "onnx",
) -> None:
    """Write a network for other programs: normalised images to scores, of any number and size.

    It is compared with the network on images of two other sizes first, and left only if both agree.
    """
    from segtut.inference import export_network
    from segtut.training import load_network

    network = load_network(run)
    difference = export_network(network, out, format)
    spec = network.spec
    print(f"{out}: {spec['name']} on {spec['backbone']}, {spec['num_classes']} classes.")
    print(f"Largest difference from the network: {difference:.1e} of the largest score.")
