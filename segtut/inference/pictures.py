"""Image files in, colour overlays and index masks out."""

import colorsys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps

from segtut.data import PALETTE, VOID_COLOUR, DataError, colourise
from segtut.files import write_atomically

Colours = Iterable[tuple[int, int, int]]


def palette(num_classes: int) -> list[tuple[int, int, int]]:
    """Colours of the classes: CamVid's, or for another number of classes hues that turn by the golden ratio."""
    if num_classes == len(PALETTE):
        return list(PALETTE)
    hues = [(i * 0.618034) % 1 for i in range(num_classes)]
    return [tuple(round(255 * value) for value in colorsys.hsv_to_rgb(hue, 0.65, 0.9)) for hue in hues]


def overlay(image: np.ndarray, mask: np.ndarray, opacity: float = 0.6, colours: Colours = PALETTE) -> np.ndarray:
    """Blend an image (H, W, 3) uint8 with the colours of its class map (H, W) uint8."""
    return cv2.addWeighted(image, 1 - opacity, colourise(mask, colours, VOID_COLOUR), opacity, 0)


def size_in_file(path: Path) -> tuple[int, int]:
    """Width and height of an image, read from the head of its file: cheap. Raises as `read_image` does."""
    return _open(path, lambda image: image.size)


def read_image(path: Path) -> np.ndarray:
    """Read a file as uint8 RGB (H, W, 3), turned as its EXIF says.

    Raises
    ------
    DataError
        It does not decode.
    """
    return _open(path, lambda image: np.asarray(ImageOps.exif_transpose(image).convert("RGB")))


def write_overlay(path: Path, image: np.ndarray) -> Path:
    """Write uint8 RGB (H, W, 3) as PNG."""
    # zlib's level 1: of photographs 5 % larger than at the usual level 6, in a quarter of the time
    return write_atomically(path, lambda file: Image.fromarray(image).save(file, compress_level=1))


def write_mask(path: Path, mask: np.ndarray, colours: Colours) -> Path:
    """Write a class map uint8 (H, W) as an 8-bit palette PNG, whose pixel values are the classes."""
    indexed = Image.fromarray(mask)
    indexed.putpalette([value for colour in colours for value in colour])
    return write_atomically(path, indexed.save)


def _open(path: Path, get: Callable[[Image.Image], Any]) -> Any:
    try:
        with Image.open(path) as image:
            return get(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: does not decode as an image ({error})") from error
