"""The frame of every widget: a still picture, its words, and the script that brings it to life.

The fragment is complete in itself, so it works in the book's static page, in the output frames of Colab and
JupyterLab, and in a file. The still picture is what one sees where scripts do not run, and on paper.
"""

import base64
import html
import io
import itertools
import json
import zlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from segtut.files import write_atomically

HERE = files("segtut.plot.widget")
_number = itertools.count(1)

PAGE = """<!doctype html>
<html lang="en" data-theme="auto">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>:root {{ color-scheme: light dark }} body {{ margin: 1rem auto; max-width: 60rem; padding: 0 1rem;
font-family: system-ui, sans-serif }} h1 {{ font-size: 1.3rem }}</style></head>
<body><main><h1>{title}</h1>{body}</main></body></html>
"""


class Widget:
    """A figure that one can click, tap and steer by keyboard.

    A notebook shows it where it is the last value of a cell; `save` writes it as a page of its own.

    Parameters
    ----------
    script : str
        Name of the file beside this one that builds the figure: a call of ``segtut.widget``, see ``widget.js``.
    title : str
        Name of the figure, for screen readers and for the page.
    data : mapping
        What the script draws: anything that JSON can hold.
    arrays : mapping of str to numpy.ndarray
        Bulky data, uint8 or float32; the script gets them as typed arrays, flat. They travel compressed.
    still : matplotlib.figure.Figure
        The picture where scripts do not run. It is closed.
    alt : str
        What the still picture shows, in a sentence or two.
    """

    def __init__(
        self,
        script: str,
        title: str,
        data: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray],
        still: Figure,
        alt: str,
    ):
        self.script, self.title, self.alt = script, title, alt
        self.data = {**data, **_packed(arrays)}
        self.still = figure_png(still)

    def _repr_html_(self) -> str:
        name = f"segtut-{Path(self.script).stem}-{next(_number)}"
        style, shared, own = ((HERE / file).read_text("utf-8") for file in ("widget.css", "widget.js", self.script))
        # "</" would end the script element
        data = json.dumps(self.data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")
        picture = base64.b64encode(self.still).decode()
        return (
            f'<div class="segtut-widget" id="{name}" role="group" aria-label="{html.escape(self.title)}">'
            f"<style>{style}</style>"
            f'<img class="segtut-still" alt="{html.escape(self.alt)}" src="data:image/png;base64,{picture}">'
            f"<script>{{const NAME = {json.dumps(name)}, DATA = {data};\n{shared}\n{own}}}</script></div>"
        )

    def save(self, path: str | Path) -> Path:
        """Write the widget as an HTML page, which opens without network.

        Raises
        ------
        WriteError
            The file cannot be written.
        """
        page = PAGE.format(title=html.escape(self.title), body=self._repr_html_())
        return write_atomically(path, lambda file: file.write_text(page, encoding="utf-8"))


def _packed(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Arrays one behind the other, deflated, in base64; floats first, since they start at multiples of four bytes."""
    order = sorted(arrays.items(), key=lambda item: item[1].dtype != np.float32)
    for name, array in order:
        if array.dtype not in (np.float32, np.uint8):
            raise TypeError(f"array {name!r} is {array.dtype}: the page reads float32 and uint8")
    raw = b"".join(array.astype(array.dtype.newbyteorder("<")).tobytes() for _, array in order)
    return {
        "arrays": [[name, "f" if array.dtype == np.float32 else "u", array.size] for name, array in order],
        "packed": base64.b64encode(zlib.compress(raw, 9)).decode(),
    }


def figure_png(figure: Figure, colours: int = 128) -> bytes:
    """Return a figure as PNG with a palette, a third of the size of one without, and close it."""
    plain, small = io.BytesIO(), io.BytesIO()
    figure.savefig(plain, dpi=144, facecolor="white")
    plt.close(figure)
    Image.open(plain).convert("RGB").quantize(colours).save(small, "PNG", optimize=True)
    return small.getvalue()
