"""What may happen to an image and its label map before a network sees them: the same to both, or to neither.

Masks are resampled to the nearest pixel only: a mean of class 3 and class 5 is not class 4.
"""

import os
import random

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # its import would ask the network for newer versions

import albumentations as A
import cv2
import numpy as np

from segtut.data.classes import IGNORE_INDEX


def train_transform(
    size: tuple[int, int] = (360, 480),
    zoom: tuple[float, float] = (1.0, 2.0),
    stretch: float = 1.1,
    flip: float = 0.5,
    colour: float = 0.0,
) -> A.Compose:
    """Scale, crop, flip and, if asked, colour jitter.

    Parameters
    ----------
    size : (int, int)
        Height and width of the result.
    zoom : (float, float)
        Least and greatest enlargement: a crop of 1/zoom of the image's sides is resized to ``size``. Below 1 the
        image is first padded with void.
    stretch : float
        Greatest change of the aspect ratio, 1 for none.
    flip : float
        Probability of a left–right flip. Streets are not symmetric, but both ways are streets.
    colour : float
        Greatest relative change of brightness and contrast, 0 for none.

    Returns
    -------
    albumentations.Compose
        ``transform(image=, mask=)`` on uint8 arrays (H, W, 3) and (H, W).
    """
    low, high = zoom
    if not 0 < low <= high:
        raise ValueError(f"zoom={zoom}: needs 0 < least <= greatest, for instance (1.0, 2.0)")
    if stretch < 1:
        raise ValueError(f"stretch={stretch}: the greatest change of the aspect ratio is 1 or more")
    _check_size(size)
    steps: list[A.BasicTransform] = []
    if low < 1:
        steps.append(
            A.CropAndPad(percent=(1 / low - 1) / 2, keep_size=False, sample_independently=False,
                         fill=0, fill_mask=IGNORE_INDEX, border_mode=cv2.BORDER_CONSTANT)
        )  # fmt: skip
        low, high = 1.0, high / low
    aspect = size[1] / size[0]
    steps.append(
        A.RandomResizedCrop(
            size,
            scale=(1 / high**2, 1 / low**2),
            ratio=(aspect / stretch, aspect * stretch),
            interpolation=cv2.INTER_LINEAR,
            mask_interpolation=cv2.INTER_NEAREST_EXACT,
        )
    )
    if flip:
        steps.append(A.HorizontalFlip(p=flip))
    if colour:
        steps.append(A.RandomBrightnessContrast(brightness_limit=colour, contrast_limit=colour, p=0.8))
    return A.Compose(steps)


def eval_transform(size: tuple[int, int] | None = None) -> A.Compose:
    """Nothing random: the image as it is, or resized to ``size`` (H, W) when the copy on disk has another size."""
    if size is None:
        return A.Compose([])
    _check_size(size)
    return A.Compose([A.Resize(*size, interpolation=cv2.INTER_AREA, mask_interpolation=cv2.INTER_NEAREST_EXACT)])


def reseed(transform: A.Compose, *key: int) -> None:
    """Make the next call of ``transform`` a function of ``key`` alone, whoever makes it.

    One stream serves all steps: `Compose.set_random_seed` gives every step the same seed, and with it the same
    draws (an image cropped at the left would always be the one that is flipped).
    """
    generator = np.random.default_rng(key)
    stream = random.Random(int(generator.integers(2**63)))
    for step in transform.transforms:
        step.set_random_state(generator, stream)


def _check_size(size: tuple[int, int]) -> None:
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"size={size}: needs height and width, both at least 1")
