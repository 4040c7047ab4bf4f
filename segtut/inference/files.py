"""Networks on pictures of one's own: from image files to colour overlays and index masks."""

import colorsys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from tqdm import tqdm

from segtut.data import PALETTE, VOID_COLOUR, DataError, colourise, normalise
from segtut.files import write_atomically
from segtut.inference.average import check_scales, probabilities
from segtut.inference.windows import check_window
from segtut.networks import SegmentationNetwork
from segtut.training import predict


def predict_files(
    network: SegmentationNetwork,
    images: Iterable[str | Path],
    out: str | Path,
    opacity: float = 0.6,
    window: tuple[int, int] | None = None,
    flip: bool = False,
    scales: Sequence[float] = (1.0,),
) -> list[Path]:
    """Segment image files.

    For each image two files appear in `out`: ``STEM_overlay.png``, the image under the colours of its classes, and
    ``STEM_mask.png``, an 8-bit palette PNG whose pixel values are the class indices.

    Parameters
    ----------
    network : SegmentationNetwork
        Put into evaluation mode. Without `window`, an image is resized to the height that the network was trained on,
        its shape kept.
    images : iterable of path
        Image files of any size, turned as their EXIF says.
    out : path
        Folder, made if missing.
    opacity : float
        Of the colours, 0 to 1.
    window, flip, scales
        See `segtut.inference.probabilities`; with `window` an image is looked at in its own size.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    DataError
        A file does not decode, two have one stem, or there is none: said before anything is written.
    ValueError
        `window`, `scales` or `opacity` is out of range.
    """
    if window is not None:
        check_window(window)
    check_scales(scales)
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity={opacity!r}: it is the colours' share, from 0 to 1")
    paths = [Path(path) for path in images]
    if not paths:
        raise DataError("no image was named: give one or more image files")
    stems: dict[str, Path] = {}
    for path in paths:
        if path.stem in stems:
            raise DataError(f"{stems[path.stem]} and {path} would write the same files: predict them into two folders")
        stems[path.stem] = path
        _read(path)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = network.to(device).eval()
    trained, written = network.input_size, []
    try:
        for path in tqdm(paths, unit="image", disable=len(paths) < 2):
            image = _read(path)
            x = normalise(image).to(device)
            height, width = image.shape[:2]
            size = (trained[0], max(8, round(trained[0] * width / height))) if trained and window is None else None
            if window is None and not flip and tuple(scales) == (1.0,):
                network.input_size = size
                classes = predict(network, x)
            else:
                if size:
                    x = F.interpolate(x, size=size, mode="bilinear", antialias=True)
                p = probabilities(network, x, window, flip=flip, scales=scales)
                classes = F.interpolate(p, size=(height, width), mode="bilinear").argmax(1) if size else p.argmax(1)
            mask = classes[0].cpu().numpy().astype(np.uint8)
            written += _write(Path(out), path.stem, image, mask, opacity, palette(network.spec["num_classes"]))
    finally:
        network.input_size = trained
    return written


def palette(num_classes: int) -> list[tuple[int, int, int]]:
    """Colours of the classes: CamVid's, or for another number of classes hues that turn by the golden ratio."""
    if num_classes == len(PALETTE):
        return list(PALETTE)
    hues = [(i * 0.618034) % 1 for i in range(num_classes)]
    return [tuple(round(255 * value) for value in colorsys.hsv_to_rgb(hue, 0.65, 0.9)) for hue in hues]


def overlay(
    image: np.ndarray, mask: np.ndarray, opacity: float = 0.6, colours: Iterable[tuple[int, int, int]] = PALETTE
) -> np.ndarray:
    """Blend an image (H, W, 3) uint8 with the colours of its class map (H, W) uint8."""
    coloured = colourise(mask, colours, VOID_COLOUR)
    return np.rint((1 - opacity) * image + opacity * coloured).astype(np.uint8)


def _read(path: Path) -> np.ndarray:
    try:
        return np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: does not decode as an image ({error}): nothing was written") from error


def _write(out: Path, stem: str, image: np.ndarray, mask: np.ndarray, opacity: float, colours: list) -> list[Path]:
    blended = Image.fromarray(overlay(image, mask, opacity, colours))
    indexed = Image.fromarray(mask)
    indexed.putpalette([value for colour in colours for value in colour])
    return [
        write_atomically(out / f"{stem}_overlay.png", blended.save),
        write_atomically(out / f"{stem}_mask.png", indexed.save),
    ]
