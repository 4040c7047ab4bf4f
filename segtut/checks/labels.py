"""Whether an image and a label map, perhaps resized, are those of a file, and in which way they are not."""

import numpy as np

from segtut.data.classes import IGNORE_INDEX, VOID_LABEL

TOLERANCE = 16  # of 255, for whatever resizing does inside of a field


def wrong_colours(got: np.ndarray, file: np.ndarray) -> str | None:
    """What is wrong with an image of four fields, uint8 (h, w, 3), read from `file` and perhaps resized."""
    ours, theirs = _centres(got), _centres(file)
    for said, changed in (
        (None, theirs),
        ("Red and blue are exchanged: cv2.imread has blue first, so turn the channels round, or read with PIL.",
         theirs[..., ::-1]),
        ("The image is grey: read it in RGB.", np.repeat(theirs @ [[0.299], [0.587], [0.114]], 3, axis=2)),
        ("The image is mirrored: this class reads, it does not augment.", theirs[:, ::-1]),
        ("The image is upside down: this class reads, it does not augment.", theirs[::-1]),
    ):  # fmt: skip
        if (abs(ours - changed) <= TOLERANCE).all():
            return said
    return "The image is another than the file: its colours must stay as they are, only resized."


def _centres(image: np.ndarray) -> np.ndarray:
    """The middles of the four fields, (2, 2, 3)."""
    h, w = image.shape[:2]
    return image[h // 4 :: h // 2, w // 4 :: w // 2][:2, :2].astype(int)


def _table(**changes: int) -> np.ndarray:
    """Label on disk -> label in the program."""
    table = np.arange(256)
    for label, becomes in changes.items():
        table[int(label.strip("_"))] = becomes
    return table


VOID = f"void is {VOID_LABEL} in the files and {IGNORE_INDEX} in the program"
TABLES = (
    (None, _table(_11=IGNORE_INDEX)),
    (f"Class 0 is taken for void, and void stays {VOID_LABEL}: class 0 is sky, and {VOID}.", _table(_0=IGNORE_INDEX)),
    (f"Class 0 is taken for void, too: class 0 is sky, and {VOID}.", _table(_0=IGNORE_INDEX, _11=IGNORE_INDEX)),
    (f"Void stays {VOID_LABEL}: {VOID}.", _table()),
    (f"Void becomes class 0: {VOID}.", _table(_11=0)),
    (f"Void becomes the last class: {VOID}.", _table(_11=10)),
    (f"Class 10 is taken for void: {VOID}.", _table(_10=IGNORE_INDEX, _11=IGNORE_INDEX)),
    (f"Class 10 is taken for void: {VOID}.", _table(_10=IGNORE_INDEX)),
    (f"Every label is smaller by 1 than in the file: classes are counted from 0 there, too, and {VOID}.",
     (np.arange(256) - 1) % 256),
    (f"Every label is smaller by 1 than in the file: classes are counted from 0 there, too, and {VOID}.",
     np.where(np.arange(256) == VOID_LABEL, IGNORE_INDEX, (np.arange(256) - 1) % 256)),
    (f"Every label is larger by 1 than in the file: classes are counted from 0 there, too, and {VOID}.",
     (np.arange(256) + 1) % 256),
    (f"Every label is larger by 1 than in the file: classes are counted from 0 there, too, and {VOID}.",
     np.where(np.arange(256) == VOID_LABEL, IGNORE_INDEX, (np.arange(256) + 1) % 256)),
)  # fmt: skip


def wrong_labels(got: np.ndarray, file: np.ndarray) -> str | None:
    """What is wrong with a label map, uint8 (h, w), read from `file` and perhaps resized to the nearest pixel."""
    for said, table in TABLES:
        if _nearest(got, table[file]):
            return said
    right = TABLES[0][1]
    for said, turned in (("mirrored", file[:, ::-1]), ("upside down", file[::-1])):
        if any(_nearest(got, table[turned]) for _, table in TABLES):
            return f"The label map is {said}: this class reads, it does not augment."
    invented = sorted(set(np.unique(got).tolist()) - set(right[file].ravel().tolist()))
    if got.shape != file.shape and invented:
        return (
            f"The label map is mixed: {invented[0]} is no label of the file, and resizing made it of two neighbours; a "
            "label is taken from the nearest pixel, as with cv2.INTER_NEAREST."
        )
    if invented:
        return f"The label map is another than the file: {invented[0]} is no label in it."
    return "The label map is another than the file: each pixel must keep its label."


def _nearest(got: np.ndarray, file: np.ndarray) -> bool:
    """Whether each pixel is one of those of the file that it stands for; any convention of nearest will do."""
    for axis in (0, 1):
        if got.shape[axis] > file.shape[axis]:
            file = file.repeat(got.shape[axis] // file.shape[axis], axis=axis)
    h, w = got.shape
    blocks = file.reshape(h, file.shape[0] // h, w, file.shape[1] // w)
    return bool((blocks == got[:, None, :, None]).any(axis=(1, 3)).all())
