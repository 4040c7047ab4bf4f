"""Show a figure together with its description."""

from io import BytesIO

import matplotlib.pyplot as plt
from matplotlib.figure import Figure


def show(figure: Figure, alt: str, dpi: int = 144) -> None:
    """Display a figure in a notebook with alt text, and close it.

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
    display({"image/png": buffer.getvalue(), "text/plain": alt}, metadata={"image/png": {"alt": alt}}, raw=True)
