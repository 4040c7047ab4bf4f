"""One loader for every data set: seeded, resumable at any epoch, and complete in evaluation."""

from collections.abc import Iterator

import albumentations as A
import cv2
import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from segtut.data.augment import reseed

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's RGB in [0, 1], which published backbone weights expect."""

# Normalising is a table of 256 values a channel; looking them up is faster than computing (x - mean) / std.
_TABLE = ((np.arange(256)[:, None] / 255 - MEAN) / STD).astype(np.float32)[None]


class EpochSampler(Sampler):
    """Yields ``(epoch, index)``: all that a sample depends on besides the seed.

    Parameters
    ----------
    length : int
        Number of samples.
    seed : int or None
        Seed of the order, a new one every epoch; None keeps the order of the data set.
    """

    def __init__(self, length: int, seed: int | None):
        self.length, self.seed, self.epoch = length, seed, 0

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        if self.seed is None:
            order = np.arange(self.length)
        else:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(self.length)
        return ((self.epoch, int(index)) for index in order)


class Transformed(Dataset):
    """A data set behind a transform whose randomness is a function of (seed, epoch, index).

    So the same sample comes out whichever worker makes it, however many there are, and after any interruption.
    """

    def __init__(self, dataset: Dataset, transform: A.Compose, seed: int):
        self.dataset, self.transform, self.seed = dataset, transform, seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        epoch, index = key
        image, mask = self.dataset[index]
        reseed(self.transform, self.seed, epoch, index)
        out = self.transform(image=image, mask=mask)
        return out["image"], out["mask"]


def make_loader(
    dataset: Dataset, transform: A.Compose, batch_size: int, *, train: bool, seed: int = 0, workers: int = 0
) -> DataLoader:
    """Batches ``(image, target)`` of a data set.

    Parameters
    ----------
    dataset : Dataset
        ``dataset[i]`` gives uint8 arrays (H, W, 3) and (H, W), as `CamVid` and `Scenes` do.
    transform : albumentations.Compose
        From `train_transform` or `eval_transform`.
    batch_size : int
        Samples a batch.
    train : bool
        True: shuffled anew every epoch, the last incomplete batch left out (batch norm wants full batches).
        False: every sample once, in order.
    seed : int
        Seed of order and augmentation. Call ``loader.sampler.epoch = e`` before each epoch.
    workers : int
        Worker processes. With a decoded cache none is fastest.

    Returns
    -------
    DataLoader
        Of ``(float32 (B, 3, H, W) in channels_last memory, normalised; int64 (B, H, W), void = 255)``.

    Raises
    ------
    ValueError
        The data set is empty, or has fewer samples than one training batch.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: needs at least 1")
    if len(dataset) == 0:
        raise ValueError("the data set is empty: nothing to load")
    if train and len(dataset) < batch_size:
        raise ValueError(
            f"batch_size={batch_size} is more than the {len(dataset)} training samples: choose a smaller one"
        )
    return DataLoader(
        Transformed(dataset, transform, seed),
        batch_size=batch_size,
        sampler=EpochSampler(len(dataset), seed if train else None),
        drop_last=train,
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=_one_thread,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )


def collate(samples: list[tuple[np.ndarray, np.ndarray]]) -> tuple[Float[Tensor, "B 3 H W"], Int64[Tensor, "B H W"]]:
    """Normalise uint8 images and stack them with their masks; all must have one size."""
    sizes = {image.shape for image, _ in samples}
    if len(sizes) > 1:
        raise ValueError(f"images of sizes {sorted(sizes)} in one batch: give the transform a size, or batch_size=1")
    images = np.empty((len(samples), *samples[0][0].shape), np.float32)
    target = np.empty((len(samples), *samples[0][1].shape), np.int64)
    for i, (image, mask) in enumerate(samples):
        cv2.LUT(np.ascontiguousarray(image), _TABLE, dst=images[i])
        target[i] = mask
    return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(target)


def normalise(image: np.ndarray) -> Float[Tensor, "1 3 H W"]:
    """One uint8 RGB image (H, W, 3) as the batch that a network expects."""
    return collate([(image, np.zeros(image.shape[:2], np.uint8))])[0]


def denormalise(image: Float[Tensor, "B 3 H W"]) -> np.ndarray:
    """The uint8 RGB images (B, H, W, 3) behind a batch, for figures."""
    x = image.detach().float().cpu().permute(0, 2, 3, 1).numpy()
    return np.clip(np.rint((x * STD + MEAN) * 255), 0, 255).astype(np.uint8)


def _one_thread(worker: int) -> None:
    cv2.setNumThreads(0)  # the workers are the parallelism
