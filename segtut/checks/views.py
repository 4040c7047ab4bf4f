"""Where the pixels of an augmented image come from, read off an image whose pixels hold their own place."""

from dataclasses import dataclass

import numpy as np

Size = tuple[int, int]
BLUE = 200
RIGHT_OF = 64  # keeps columns apart from rows


@dataclass(frozen=True)
class View:
    """Where a result was cut from: first row and column, and whether it is mirrored."""

    top: int
    left: int
    flipped: bool


def places(shape: Size) -> tuple[np.ndarray, np.ndarray]:
    """An image and a label map in which each pixel holds its own place.

    Returns
    -------
    image : ndarray
        uint8 (H, W, 3): row, column + 64, 200.
    mask : ndarray
        uint8 (H, W): number of the pixel.
    """
    rows, columns = np.indices(shape)
    image = np.stack([rows, columns + RIGHT_OF, np.full_like(rows, BLUE)], axis=-1).astype(np.uint8)
    return image, (rows * shape[1] + columns).astype(np.uint8)


def origin_of_image(image: np.ndarray, shape: Size) -> View | str:
    """The view that an image made of `places` shows, or what is wrong with it, as the end of a sentence."""
    if not (image[..., 2] == BLUE).all():
        if (image[..., 0] == BLUE).all():
            return "has its colours exchanged: red must stay first and blue last"
        return (
            "holds colours that were not there: a crop and a flip mix no pixels, change no colour and fill nothing in"
        )
    return _origin(np.stack([image[..., 0], image[..., 1].astype(int) - RIGHT_OF], axis=-1).astype(int), shape)


def origin_of_mask(mask: np.ndarray, shape: Size) -> View | str:
    """The view that a label map made by `places` shows, or what is wrong with it, as the end of a sentence."""
    return _origin(np.stack(np.divmod(mask.astype(int), shape[1]), axis=-1), shape)


def _origin(at: np.ndarray, shape: Size) -> View | str:
    """The view that shows the places `at`, (h, w, 2), or what is wrong."""
    h, w = at.shape[:2]
    rows, columns = at[:, 0, 0], at[0, :, 1]
    grid = np.stack(np.broadcast_arrays(rows[:, None], columns), axis=-1)
    if np.array_equal(at, grid) and _inside(rows, shape[0]) and _inside(columns, shape[1]):
        down, across = np.diff(rows), np.diff(columns)
        if h > 1 and (down == -1).all():
            return "is upside down: the flip must exchange left and right, as [:, ::-1] does"
        if (down == 1).all() and (abs(across) == 1).all() and len(set(across.tolist())) < 2:
            return View(int(rows[0]), int(columns.min()), bool(w > 1 and across[0] == -1))
        return (
            f"is no piece of what came in: it shows the rows {_list(rows)} and the columns {_list(columns)}; "
            "cut a piece out, without resizing, padding or rolling"
        )
    if h == w and np.array_equal(at, at[0, 0] + np.indices((h, w)).transpose(2, 1, 0)):
        return "is transposed: rows must stay rows"
    return "is no piece of what came in: cut a piece out, without resizing, padding or shuffling"


def _inside(places: np.ndarray, length: int) -> bool:
    return places.min() >= 0 and places.max() < length


def _list(numbers: np.ndarray) -> str:
    return ", ".join(map(str, numbers.tolist()))
