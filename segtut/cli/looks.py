"""Options of the commands that let a network look at an image more than once."""

from typing import Annotated, Any

import typer

Window = Annotated[
    tuple[int, int] | None, typer.Option(help="Height and width of sliding windows, for images too big to see whole")
]
Flip = Annotated[bool, typer.Option("--flip", help="Look at the mirror image, too")]
Scale = Annotated[list[float] | None, typer.Option(help="Look at it enlarged so; may be repeated [default: 1]")]
Tta = Annotated[bool, typer.Option("--tta", help="Short for --flip --scale 0.75 --scale 1 --scale 1.25")]


def looks(window: tuple[int, int] | None, flip: bool, scale: list[float] | None, tta: bool) -> dict[str, Any]:
    """Turn the options into what `segtut.inference.segmenter` takes."""
    from segtut.inference import TTA_SCALES

    if tta and (flip or scale):
        raise ValueError("--tta means --flip and --scale: give it or them")
    return {"window": window, "flip": flip or tta, "scales": TTA_SCALES if tta else scale or (1.0,)}
