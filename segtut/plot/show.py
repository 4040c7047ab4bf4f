"""Show a figure together with its description."""

import warnings
from io import BytesIO

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

PHONE = 358
"""Width in CSS pixels that a page of the book leaves for a figure on a phone of 390."""

INCH = 120
"""CSS pixels of an inch on a wide screen: 10 points are then as large as the text around a figure."""

FEW = 12_000
"""A figure of at most as many colours is stored with 256 of them, in a third of the bytes.

One of more has photographs in it, which gain nothing from more pixels: it is stored in all its colours and with three
quarters of the resolution.
"""

SMALLEST = 8.5
"""Height in CSS pixels of the smallest type that is still read without zooming in."""


def in_notebook() -> bool:
    """Whether IPython runs, so that what is displayed is seen; not in a plain script, nor where it isn't installed."""
    try:
        from IPython.core.interactiveshell import InteractiveShell
    except ImportError:
        return False
    return InteractiveShell.initialized()


def show(figure: Figure, alt: str, dpi: int = 192) -> None:
    """Display a figure in a notebook with alt text, and close it.

    Warns where type would be too small on a phone.

    Parameters
    ----------
    figure : Figure
        Closed afterwards, so that the notebook does not show it a second time.
    alt : str
        One sentence that says what is to be seen.
    dpi : int
        Pixels an inch, three quarters of it for photographs. They are shown on 120 pixels of a page, and shrunk to a
        phone's width, so that lines stay sharp on screens with more pixels than a page counts.

    Raises
    ------
    ValueError
        The description is empty.
    """
    alt = " ".join(alt.split())
    if not alt:
        raise ValueError("alt is empty: describe the figure in one sentence")
    if not in_notebook():  # nobody looks
        plt.close(figure)
        print(f"[figure: {alt}]")
        return
    from IPython.display import display

    png, width = _png(figure, dpi)
    plt.close(figure)
    _warn_of_small_type(figure, width)
    metadata = {"image/png": {"alt": alt, "width": round(INCH * width)}}
    display({"image/png": png, "text/plain": alt}, metadata=metadata, raw=True)


def _png(figure: Figure, dpi: int) -> tuple[bytes, float]:
    """A figure as a small PNG file, and its width in inches."""
    image = _pixels(figure, dpi)
    if image.getcolors(FEW):
        image = image.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    else:
        dpi = dpi * 3 // 4
        image = _pixels(figure, dpi)
    file = BytesIO()
    image.save(file, format="png", optimize=True)
    return file.getvalue(), image.width / dpi


def _pixels(figure: Figure, dpi: int) -> Image.Image:
    """A figure, drawn on white and cut to what is in it."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", facecolor="white")
    return Image.open(buffer).convert("RGB")


def _warn_of_small_type(figure: Figure, width: float) -> None:
    """Warn if the smallest type of a figure of a width in inches is too small on a phone."""
    scale = min(INCH, PHONE / width)  # CSS pixels an inch; a narrow figure is not enlarged
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    smallest = min(texts, key=lambda text: text.get_fontsize(), default=None)
    if smallest and (size := smallest.get_fontsize() / 72 * scale) < SMALLEST:
        warnings.warn(
            f"on a phone {smallest.get_text()!r} will be {size:.1f} pixels high, and the figure is {width:.1f} inches "
            f"wide: make it narrower, or the type larger, until that is {SMALLEST}",
            stacklevel=3,
        )
