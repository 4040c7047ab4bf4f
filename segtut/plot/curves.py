"""Loss and scores over epochs: after a run, or live in a notebook."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from segtut.files import write_atomically
from segtut.plot.show import show
from segtut.plot.style import STYLE

SERIES = {"train_loss": "training loss", "val_mean_iou": "val mean IoU", "val_pixel_accuracy": "val pixel accuracy"}


@rc_context(STYLE)
def curves(history: pd.DataFrame) -> Figure:
    """Training loss, and mean IoU and pixel accuracy on val, over the epochs of a history."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(5.4, 2.7))
    left.plot(history["epoch"], history["train_loss"], "C0.-")
    left.set(xlabel="epoch", ylabel="training loss", ylim=(0, None))
    right.plot(history["epoch"], history["val_pixel_accuracy"], "C1.--", label="pixel accuracy, val")
    right.plot(history["epoch"], history["val_mean_iou"], "C0.-", label="mean IoU, val")
    if history["val_mean_iou"].notna().any():  # it is undefined where val has no labels
        best = history.loc[history["val_mean_iou"].idxmax()]
        right.plot(best["epoch"], best["val_mean_iou"], "C0o", fillstyle="none", markersize=10,
                   label=f"best: {best['val_mean_iou']:.3f}")  # fmt: skip
    right.set(xlabel="epoch", ylim=(0, 1))
    figure.legend(loc="outside upper center", ncols=3)
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no epoch 1.5
        axes.grid()
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def save_curves(history: pd.DataFrame, path: str | Path) -> Path:
    """Write `curves` as a PNG file."""
    figure = curves(history)
    try:
        return write_atomically(path, lambda file: figure.savefig(file, dpi=144, facecolor="white"))
    finally:
        plt.close(figure)


class LiveCurves:
    """Curves that grow while a network trains, drawn by d2l's Animator.

    Pass it as ``on_epoch`` of `segtut.training.train`, and call `finish` when the training is done.

    Parameters
    ----------
    epochs : int
        Length of the horizontal axis.

    Raises
    ------
    ImportError
        d2l is not installed; the message says how to install it.
    """

    def __init__(self, epochs: int):
        try:
            from d2l import torch as d2l
        except ImportError as error:
            raise ImportError(
                "live curves are drawn by d2l: install it with `pip install --no-deps d2l==1.0.3` "
                "(with its dependencies it would bring a numpy of 2022), or train with on_epoch=None"
            ) from error
        self.animator = d2l.Animator(
            xlabel="epoch", xlim=[1, max(epochs, 2)], ylim=[0, 2], legend=list(SERIES.values()), figsize=(5, 3),
            fmts=("C2-", "C0-", "C1--"),
        )  # fmt: skip
        self.history = pd.DataFrame()

    def __call__(self, history: pd.DataFrame) -> None:
        """Add what the history has that the picture has not."""
        for _, row in history.iloc[len(self.history) :].iterrows():
            self.animator.add(row["epoch"], [row[name] for name in SERIES])
        self.history = history

    def finish(self) -> None:
        """Put the finished curves in the place of the moving ones."""
        plt.close(self.animator.fig)
        first, last = self.history.iloc[0], self.history.iloc[-1]
        show(
            curves(self.history),
            f"Two line charts over {len(self.history)} epochs: the training loss goes from {first['train_loss']:.2f} "
            f"to {last['train_loss']:.2f}, the mean IoU on val from {first['val_mean_iou']:.2f} to "
            f"{last['val_mean_iou']:.2f} and the pixel accuracy to {last['val_pixel_accuracy']:.2f}.",
        )
