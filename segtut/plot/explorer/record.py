"""The recorded explorer: one scene of val, and four networks through a whole training, without their weights.

``segtut explore --record FOLDER`` trains the networks and leaves ``looks.npz`` and the run card in the folder. The
recording in ``recorded/`` beside this file was made so.
"""

from pathlib import Path

import numpy as np

from segtut.data import CLASSES, IGNORE_INDEX, PALETTE, Scenes
from segtut.data.scenes import scene
from segtut.files import write_atomically
from segtut.plot.explorer.coding import arrays_of, networks_in
from segtut.plot.explorer.explore import page
from segtut.plot.explorer.look import look_at, truth_at
from segtut.plot.explorer.side_by_side import EPOCHS, at_epoch, recipe, train_side_by_side
from segtut.plot.widget import Widget
from segtut.training import Recipe

RECORDED = Path(__file__).with_name("recorded")

SHOWN = (360, 480)
"""Size at which the page shows the scene; the networks see it at the recipe's."""


def record(
    folder: str | Path, how: Recipe | None = None, epochs: tuple[int, ...] = EPOCHS, progress: bool = True
) -> Path:
    """Train the four heads, unless the folder holds them already, and write down where they look.

    Parameters
    ----------
    folder : path
        As for `segtut.training.train`: an interrupted training goes on.
    how, epochs, progress
        See `train_side_by_side`.

    Returns
    -------
    Path
        The recording, ``looks.npz`` in the folder.
    """
    folder, how = Path(folder), how or recipe()
    train_side_by_side(folder, how, epochs, progress)
    val = Scenes("val", how.scenes_size, length=how.images and how.images[1])
    H, W = (-(-side // 8) for side in how.scenes_size)  # output stride 8
    index = richest(val, H, W)
    image, mask = val[index]
    moments = [look_at(image, at_epoch(folder, epoch, how)) for epoch in epochs]
    facts = {"epochs": np.array(epochs), "size": np.array([H, W]), "scene": np.array([index, *how.scenes_size])}
    arrays = facts | {"truth": truth_at(mask, H, W)} | arrays_of(moments)
    return write_atomically(folder / "looks.npz", lambda file: np.savez_compressed(file, **arrays))


def richest(val: Scenes, H: int, W: int) -> int:
    """The scene with most classes among those of its H×W features; of several the first."""
    return max(range(len(val)), key=lambda i: len(np.unique(truth_at(val[i][1], H, W))))


def recorded(folder: str | Path | None = None, pixel: tuple[int, int] | None = None) -> Widget:
    """The explorer of a recording.

    Parameters
    ----------
    folder : path, optional
        What `record` was given; by default the package's own recording.
    pixel : (int, int), optional
        See `explore`; by default a pixel of the rarest class that all networks name rightly at the end.

    Raises
    ------
    FileNotFoundError
        The folder holds no recording.
    """
    file = Path(folder or RECORDED) / "looks.npz"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is not there: `segtut explore --record FOLDER` makes a recording")
    with np.load(file) as stored:
        arrays = dict(stored)
    epochs, (H, W), (index, *_) = (arrays.pop(name).tolist() for name in ("epochs", "size", "scene"))
    image, _ = scene(0, index, SHOWN, "val")
    return page(arrays, epochs, H, W, image, pixel or start(arrays, len(epochs) - 1, W), CLASSES, PALETTE)


def start(arrays: dict[str, np.ndarray], moment: int, W: int) -> tuple[int, int]:
    """Row and column of a position that all networks name rightly, of the rarest class that has one."""
    truth = arrays["truth"]
    right = truth != IGNORE_INDEX
    for name in networks_in(arrays, moment):
        right &= arrays[f"{moment}/{name}/classes"] == truth
    if not right.any():
        return 0, 0
    counts = np.bincount(truth, minlength=256)
    u = min(np.flatnonzero(right), key=lambda u: counts[truth[u]])
    return divmod(int(u), W)
