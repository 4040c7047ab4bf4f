"""Show a figure together with its description."""

import warnings
from io import BytesIO

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.text import Text

PHONE = 358
"""Width in CSS pixels that a page of the book leaves for a figure on a phone of 390."""

SMALLEST = 8.5
"""Height in CSS pixels of the smallest type that is still read without zooming in."""


def show(figure: Figure, alt: str, dpi: int = 144) -> None:
    """Display a figure in a notebook with alt text, and close it.

    Warns where type would be too small on a phone.

    Parameters
    ----------
    figure : Figure
        Closed afterwards, so that the notebook does not show it a second time.
    alt : str
        One sentence that says what is to be seen.
    dpi : int
        Pixels an inch.

    Raises
    ------
    ValueError
        The description is empty.
    """
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.display import display

    alt = " ".join(alt.split())
    if not alt:
        raise ValueError("alt is empty: describe the figure in one sentence")
    if not InteractiveShell.initialized():  # a plain script: nobody looks
        plt.close(figure)
        print(f"[figure: {alt}]")
        return
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    _warn_of_small_type(figure, width=int.from_bytes(buffer.getvalue()[16:20]) / dpi)  # as a PNG's header has it
    display({"image/png": buffer.getvalue(), "text/plain": alt}, metadata={"image/png": {"alt": alt}}, raw=True)


def _warn_of_small_type(figure: Figure, width: float) -> None:
    """Warn if the smallest type of a figure of a width in inches is too small on a phone."""
    scale = min(96, PHONE / width)  # CSS pixels an inch; a narrow figure is not enlarged
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    smallest = min(texts, key=lambda text: text.get_fontsize(), default=None)
    if smallest and (size := smallest.get_fontsize() / 72 * scale) < SMALLEST:
        warnings.warn(
            f"on a phone {smallest.get_text()!r} will be {size:.1f} pixels high, and the figure is {width:.1f} inches "
            f"wide: make it narrower, or the type larger, until that is {SMALLEST}",
            stacklevel=3,
        )
