"""Videos, frame by frame: never more than a few frames are in memory."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, takewhile
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from segtut.data import DataError
from segtut.files import write_atomically
from segtut.inference.pictures import Colours, overlay, write_mask
from segtut.inference.stream import ahead, segmented
from segtut.training.evaluation import Segmenter

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv")
AHEAD = 8
"""Frames that are read, and frames that are written, while the network computes."""


def predict_video(
    segment: Segmenter,
    video: Path,
    out: Path,
    masks: Path | None,
    device: torch.device,
    batch_size: int | None,
    opacity: float,
    colours: Colours,
) -> list[Path]:
    """Segment a video into one under the colours of its classes, of the same frame rate and size, without sound.

    MPEG-4 (``mp4v``) is what every OpenCV writes; it has even sizes only, so that an odd last row or column is cut.

    Parameters
    ----------
    segment, device, batch_size
        See `segtut.inference.stream.segmented`.
    video : path
        What OpenCV can read.
    out : path
        An ``.mp4``; it appears when it is whole.
    masks : path, optional
        Folder for the index mask of every frame, ``000000.png`` and on.
    opacity, colours
        See `overlay`.

    Returns
    -------
    list of Path
        `out`, and `masks` where named.

    Raises
    ------
    DataError
        No frame of it decodes.
    WriteError
        The video cannot be written.
    """
    H, W, _ = first_frame(video).shape
    capture = cv2.VideoCapture(str(video))
    rate, expected = capture.get(cv2.CAP_PROP_FPS), max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))

    def write(file: Path) -> None:
        stream = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"mp4v"), rate if rate > 0 else 25, (W, H))
        if not stream.isOpened():
            raise OSError(f"OpenCV cannot encode {W}×{H} pixels at {rate:g} frames/s as mp4v")

        def put(answer: tuple[int, np.ndarray, np.ndarray]) -> None:
            number, image, mask = answer
            stream.write(cv2.cvtColor(overlay(image, mask, opacity, colours), cv2.COLOR_RGB2BGR))
            if masks:
                write_mask(masks / f"{number:06}.png", mask, colours)

        # One thread each: frames come and go in their order.
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
            answers = segmented(segment, _frames(capture, reader), device, batch_size)
            done = sum(1 for _ in ahead(writer, put, tqdm(answers, total=expected or None, unit="frame"), AHEAD))
        stream.release()
        if (kept := int(cv2.VideoCapture(str(file)).get(cv2.CAP_PROP_FRAME_COUNT))) != done:
            raise OSError(f"{kept} of {done} frames arrived in it")  # a VideoWriter does not say when the disk is full
        if done < expected:
            print(f"Note: {video} promises {expected} frames, of which {done} decode.")

    return [write_atomically(out, write), *[masks] * bool(masks)]


def first_frame(video: Path) -> np.ndarray:
    """Read the first frame of a video, uint8 BGR (H, W, 3).

    Raises
    ------
    DataError
        There is no such file, or no frame of it decodes.
    """
    if not video.is_file():
        raise DataError(f"{video}: no such file")
    found, frame = cv2.VideoCapture(str(video)).read()
    if not found:
        raise DataError(f"{video}: does not decode as a video")
    return frame


def _frames(capture: cv2.VideoCapture, reader: ThreadPoolExecutor) -> Iterator[tuple[int, np.ndarray]]:
    """Number the frames of a video from 0, in RGB, read ahead."""

    def read(number: int) -> tuple[int, np.ndarray] | None:
        found, frame = capture.read()
        return (number, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)) if found else None

    return takewhile(lambda frame: frame is not None, ahead(reader, read, count(), AHEAD))
