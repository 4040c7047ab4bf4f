"""Networks on pictures of one's own: from image files, folders and videos to colour overlays and index masks."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from segtut.attention import _check
from segtut.data import DataError
from segtut.inference.average import segmenter
from segtut.inference.pictures import overlay, palette, read_image, size_in_file, write_mask, write_overlay
from segtut.inference.stream import ahead, segmented
from segtut.inference.video import VIDEO_SUFFIXES, first_frame, predict_video
from segtut.networks import SegmentationNetwork

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif")
"""What counts as an image in a folder; a file that is named may be called otherwise."""
THREADS = min(8, os.cpu_count() or 1)


def predict_files(
    network: SegmentationNetwork,
    files: Iterable[str | Path],
    out: str | Path,
    opacity: float = 0.6,
    window: tuple[int, int] | None = None,
    flip: bool = False,
    scales: Sequence[float] = (1.0,),
    batch_size: int | None = None,
    resume: bool = False,
    frame_masks: bool = False,
) -> list[Path]:
    """Segment image files, the images of folders, and videos.

    For each image two files appear in `out`: ``STEM_overlay.png``, the image under the colours of its classes, and
    ``STEM_mask.png``, an 8-bit palette PNG whose pixel values are the class indices. A video becomes
    ``STEM_overlay.mp4``, see `predict_video`.

    Parameters
    ----------
    network : SegmentationNetwork
        Put into evaluation mode. Without `window`, an image is resized to the height that the network was trained on,
        its shape kept.
    files : iterable of path
        Image files of any size, turned as their EXIF says; videos; folders, of which the images are taken, those in
        sub-folders not.
    out : path
        Folder, made if missing.
    opacity : float
        Of the colours, 0 to 1.
    window, flip, scales
        See `segtut.inference.segmenter`.
    batch_size : int, optional
        Images of one size that are computed at once; by default as many as make two million pixels.
    resume : bool
        Skip what `out` holds already.
    frame_masks : bool
        Also write the mask of every frame of a video.

    Returns
    -------
    list of Path
        What was written: files, and folders of frames' masks.

    Raises
    ------
    DataError
        A file is no image or video, two have one stem, or there is none: said before anything is written. Or an
        image's pixels do not decode, which is seen only when its turn comes: said at the end, when all others are
        written.
    ValueError
        `window`, `scales`, `opacity` or `batch_size` is out of range.
    WriteError
        A file cannot be written.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = network.to(device).eval()
    segment = segmenter(network, window, flip, scales)
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity={opacity!r}: it is the colours' share, from 0 to 1")
    if batch_size is not None:
        _check.positive("batch_size", batch_size)
    colours, out = palette(network.spec["num_classes"]), Path(out)
    results = {path: _results(path, out, frame_masks) for path in _named(files, out)}
    if resume:
        results = {path: made for path, made in results.items() if not all(file.exists() for file in made if file)}
    videos = [path for path in results if _is_video(path)]
    for path in videos:
        first_frame(path)
    # By size: images that lie side by side go through the network together.
    images = sorted((path for path in results if not _is_video(path)), key=size_in_file)
    failed, written = [], []

    def read(path: Path) -> tuple[Path, np.ndarray] | None:
        try:
            return path, read_image(path)
        except DataError as error:
            failed.append(error)
            return None

    def write(answer: tuple[Path, np.ndarray, np.ndarray]) -> list[Path]:
        path, image, mask = answer
        blended, index = results[path]
        return [write_overlay(blended, overlay(image, mask, opacity, colours)), write_mask(index, mask, colours)]

    with ThreadPoolExecutor(THREADS) as pool:
        decoded = filter(None, ahead(pool, read, images, 2 * THREADS))
        answers = segmented(segment, decoded, device, batch_size)
        progress = tqdm(answers, total=len(images), unit="image", disable=len(images) < 2)
        for made in ahead(pool, write, progress, 2 * THREADS):
            written += made
    for path in videos:
        written += predict_video(segment, path, *results[path], device, batch_size, opacity, colours)
    if failed:
        raise DataError(
            f"{len(failed)} of {len(images)} images do not decode, all else is in {out}: "
            + "; ".join(map(str, failed[:3]))
            + "; …" * (len(failed) > 3)
        )
    return written


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def _results(path: Path, out: Path, frame_masks: bool) -> tuple[Path, Path | None]:
    """Where overlay and mask of a file go; for a video the folder of its masks, if they are wanted."""
    if not _is_video(path):
        return out / f"{path.stem}_overlay.png", out / f"{path.stem}_mask.png"
    return out / f"{path.stem}_overlay.mp4", out / f"{path.stem}_masks" if frame_masks else None


def _named(files: Iterable[str | Path], out: Path) -> Iterable[Path]:
    """The files that were named, and the images of the folders."""
    stems: dict[str, Path] = {}
    for path in map(Path, files):
        inside = [path]
        if path.is_dir():
            if path.resolve() == out.resolve():
                raise DataError(f"{path} is both read and written: choose another folder for the results")
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != ".")
            if not inside:
                raise DataError(f"{path}: there is no image in this folder; its sub-folders are not looked into")
        for file in inside:
            if file.stem in stems:
                raise DataError(
                    f"{stems[file.stem]} and {file} would write the same files: predict them into two folders"
                )
            stems[file.stem] = file
    if not stems:
        raise DataError("no image was named: give image files, videos, or folders of images")
    return stems.values()
