"""Assignment 1: a data set class, judged on small folders that the check writes."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segtut.checks import draw, words
from segtut.checks.call import Printed, call
from segtut.checks.judging import praise
from segtut.checks.labels import wrong_colours, wrong_labels
from segtut.data.classes import VOID_LABEL

NAME = "StreetScenes"
Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Folder:
    """What a folder holds, by file name without ending; pairs also where only one of the two is written."""

    pairs: dict[str, Pair]
    images: Sequence[str]
    labels: Sequence[str]
    size: tuple[int, int]
    others: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        """Those that have both, in order."""
        return sorted(set(self.images) & set(self.labels))

    def write(self, root: Path) -> None:
        """Write the files, each folder in its own order, as a listing may have it."""
        for part, names, at in (("images", self.images, 0), ("labels", self.labels, 1)):
            (root / part).mkdir(parents=True)
            for name in names:
                Image.fromarray(self.pairs[name][at]).save(root / part / f"{name}.png")
            for name in self.others:
                (root / part / name).write_text("not an image", encoding="utf-8")

    def said(self) -> str:
        """The folder in words."""
        files = "; ".join(
            f"{part}/ with {_listed([f'{name}.png' for name in sorted(names)] + list(self.others))}"
            for part, names in (("images", self.images), ("labels", self.labels))
        )
        shape = next(iter(self.pairs.values()))[1].shape
        return f"Smallest case: {files}; files of {shape[0]}×{shape[1]} pixels, size={self.size}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:2])} and {len(names) - 2} more files"


def check_dataset(answer: Callable[[Path, tuple[int, int]], Any], seed: int = 0) -> None:
    """Check a data set class ``StreetScenes(root, size)`` of pairs (image, mask).

    Parameters
    ----------
    answer : type
        Reads ``root/images/NAME.png`` and ``root/labels/NAME.png``; root is a `pathlib.Path`, size (h, w). Items are
        uint8 (h, w, 3) in RGB and uint8 (h, w), void = 255, in the order of the names.
    seed : int
        Other seeds write other folders.

    Raises
    ------
    AssertionError
        The first thing that is wrong, in one sentence, with the smallest folder that shows it.
    """
    assert answer is not None and answer is not Ellipsis, f"{NAME} is {answer}: write it first."
    assert not (hasattr(answer, "__getitem__") and not isinstance(answer, type)), (
        f"{NAME} is a data set already: hand over the class, without parentheses."
    )
    assert callable(answer), f"{NAME} is {words.thing(answer)}: it must be a class."
    folders = _folders(seed)
    for folder in folders:
        problem, printed = _judge(answer, folder)
        if problem:
            raise AssertionError(f"{problem} {folder.said()}.")
    praise(NAME, f"{len(folders)} folders", printed.lines)


def _folders(seed: int) -> list[Folder]:
    """A pair; a pair among other files; many; void; other sizes."""
    g = draw.generator(seed)
    rng = np.random.default_rng(seed)
    H, W = draw.pick([(24, 32), (24, 40), (32, 40), (24, 36)], g)
    names = [f"street_{number:03d}" for number in sorted(rng.choice(900, 12, replace=False).tolist())]

    def pairs(names: Sequence[str], labels: Sequence[int]) -> dict[str, Pair]:
        return {name: (_image((H, W), rng), rng.choice(labels, (H, W)).astype(np.uint8)) for name in names}

    plain, one = range(1, VOID_LABEL), ["a"]
    mixed = [names[place] for place in (3, 0, 8, 5, 9, 1, 4, 10, 7, 6)]
    return [
        Folder(pairs(one, plain), one, one, (H, W)),
        Folder(pairs("ab", plain), ["a", "b"], ["b"], (H, W)),
        Folder(pairs("ab", plain), ["a"], ["b", "a"], (H, W)),
        Folder(pairs(one, range(VOID_LABEL + 1)), one, one, (H, W)),
        Folder(pairs(("2", "10"), plain), ["2", "10"], ["10", "2"], (H, W)),
        Folder(pairs(("a", "ab"), plain), ["a", "ab"], ["ab"], (H, W)),
        Folder(pairs(one, (1, 9)), one, one, (H // 2, W // 2)),
        Folder(pairs(one, (1, 9)), one, one, (2 * H, 2 * W)),
        Folder(pairs(one, (1, 9)), one, one, (H // 2, W)),
        Folder(pairs(one, plain), one, one, (H, W), ["notes.txt", "Thumbs.db"]),
        Folder(pairs("ab", plain), ["a", "b"], ["a"], (H, W), ["b.txt"]),
        Folder(pairs(one, plain), one, one, (H, W), ["b.png.bak"]),
        Folder(pairs(names, range(VOID_LABEL + 1)), mixed, [*sorted(names[1:], reverse=True)], (H, W), ["notes.txt"]),
    ]


def _image(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Four fields of one colour each, whatever resizes it; no two colours are alike."""
    colours = rng.permuted(np.linspace(10, 245, 12)).astype(np.uint8).reshape(2, 2, 3)
    return colours.repeat(shape[0] // 2, axis=0).repeat(shape[1] // 2, axis=1)


def _judge(answer: Callable[[Path, tuple[int, int]], Any], folder: Folder) -> tuple[str | None, Printed]:
    """What is wrong with the data set of a folder."""
    with tempfile.TemporaryDirectory() as root:
        folder.write(Path(root))
        files = _files(root)
        built = call(lambda: answer(Path(root), folder.size), NAME, {})
        if built.problem:
            return _raised(built.problem, folder, root), built.printed
        dataset = built.value
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
            return f"{NAME} lacks __len__ or __getitem__: a data set needs both.", built.printed
        length = call(lambda: len(dataset), "__len__", {})
        if length.problem:
            return length.problem, length.printed
        count = min(length.value, len(folder.pairs))  # of what is there more than it should be, the first tell why
        once, again = (
            call(lambda order=order: {i: dataset[i] for i in order}, "__getitem__", {})
            for order in (range(count - 1, -1, -1), range(count))
        )
        beyond = call(lambda: dataset[length.value], "__getitem__", {})
        changed = _files(root) != files
    if once.problem:
        return _raised(once.problem, folder, root), once.printed
    for i in range(count):
        if problem := _wrong_item(once.value[i], folder, i):
            return problem, once.printed
    if length.value != len(folder.names):
        return (
            f"len() is {length.value}; it must be {len(folder.names)}, the number of names that have both an image and "
            "a label map."
        ), once.printed
    if changed:
        return f"{NAME} changes, adds or deletes files: a data set reads, and leaves its folder alone.", once.printed
    if again.problem or any(not _same(once.value[i], again.value[i]) for i in range(count)):
        return "An item is another one the second time: __getitem__ must depend on its index alone.", once.printed
    if not str(beyond.problem).startswith("__getitem__ raised IndexError"):
        return (
            f"dataset[{length.value}] lies behind the end and must raise IndexError, or `for image, mask in dataset` "
            "never ends."
        ), once.printed
    return None, once.printed


def _files(root: str) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in Path(root).rglob("*") if path.is_file()}


def _raised(problem: str, folder: Folder, root: str) -> str:
    """What a call raised, without the folder's passing name, and what may be the reason."""
    said = problem.replace(root, "root")
    if set(folder.images) != set(folder.labels):
        said += " Only names that have both an image and a label map count; leave the others out."
    elif folder.others:
        said += " Only files that end in .png count; leave the others out."
    return said


def _same(first: Pair, second: Pair) -> bool:
    return np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])


def _wrong_item(item: Any, folder: Folder, i: int) -> str | None:
    """What is wrong with item i of the data set of a folder."""
    if problem := _wrong_kind(item, folder.size):
        return problem
    image, mask = item
    faults = {
        name: (wrong_colours(image, colours), wrong_labels(mask, labels))
        for name, (colours, labels) in folder.pairs.items()
    }
    images = [name for name, (fault, _) in faults.items() if not fault]
    masks = [name for name, (_, fault) in faults.items() if not fault]
    # a label map that is wrong in one way only still tells whose it is
    masks = masks or [name for name, (_, fault) in faults.items() if not fault.startswith("The label map is another")]
    if images and masks and images[0] not in masks:
        return (
            f"Item {i} has the image {images[0]}.png and the label map {masks[0]}.png: pair files by name, not by "
            "their places in two listings."
        )
    wanted = folder.names[i] if i < len(folder.names) else (images or masks or [next(iter(faults))])[0]
    if images and masks and wanted not in images:
        return (
            f"Item {i} is {images[0]}.png; it must be {wanted}.png: the order is that of `sorted` over the names "
            "as text, whatever order a directory's listing has."
        )
    return next((fault for fault in faults[wanted] if fault), None)


def _wrong_kind(item: Any, size: tuple[int, int]) -> str | None:
    if item is None:
        return "__getitem__ returned None; does it end with `return image, mask`?"
    if not isinstance(item, tuple | list) or len(item) != 2:
        return f"__getitem__ returned {words.thing(item)}; it must return two arrays, `return image, mask`."
    if [getattr(value, "ndim", None) for value in item] == [2, 3]:
        return "Image and mask are exchanged: return the image first."
    for name, value, ndim in zip(("image", "mask"), item, (3, 2)):
        if not isinstance(value, np.ndarray):
            return f"The {name} came back as {words.thing(value)}; it must be an array of NumPy."
        want = (*size, 3)[:ndim]
        if value.shape != want:
            text = f"The {name} came back with the shape {value.shape}; it must be {want}"
            if value.shape[:2] == size[::-1] and value.ndim == ndim:
                return f"{text}: height and width are exchanged, and cv2.resize and PIL want the width first."
            if name == "mask" and value.ndim == 3:
                return f"{text}: a label map is read as it is, one number a pixel, not as colours."
            if name == "image" and value.shape == (3, *size):
                return f"{text}: the channels stay on the last axis."
            return f"{text}."
        if value.dtype != np.uint8:
            return f"The {name} came back in {value.dtype}; it must be uint8: converting it comes later."
    return None
