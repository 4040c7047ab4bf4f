import time

import numpy as np
import pytest
import torch

from segtut.data import CamVid, eval_transform, make_loader, train_transform
from segtut.data.loader import MEAN, STD, collate, denormalise, normalise


class Numbered(torch.utils.data.Dataset):
    """Image i is uniformly i, its mask is i % 11."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return np.full((6, 8, 3), i, np.uint8), np.full((6, 8), i % 11, np.uint8)


def numbers(loader):
    return [int(n) for image, _ in loader for n in denormalise(image)[:, 0, 0, 0]]


def test_batches_have_the_promised_form():
    image, target = next(iter(make_loader(Numbered(5), train_transform((4, 5)), 3, train=True)))
    assert image.shape == (3, 3, 4, 5) and image.dtype == torch.float32
    assert image.is_contiguous(memory_format=torch.channels_last)
    assert target.shape == (3, 4, 5) and target.dtype == torch.int64


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("n", [1, 7, 8])
def test_evaluation_drops_and_shuffles_nothing(n, workers):
    loader = make_loader(Numbered(n), eval_transform(), 4, train=False, workers=workers)
    for _ in range(2):
        assert numbers(loader) == list(range(n))


def test_training_shuffles_anew_every_epoch_and_keeps_full_batches():
    loader = make_loader(Numbered(13), train_transform((6, 8)), 4, train=True, seed=3)
    orders = []
    for epoch in range(3):
        loader.sampler.epoch = epoch
        orders.append(numbers(loader))
        assert len(orders[-1]) == 12 == len(set(orders[-1]))
    assert orders[0] != orders[1] != orders[2] != sorted(orders[2])
    loader.sampler.epoch = 1
    assert numbers(loader) == orders[1]
    other = make_loader(Numbered(13), train_transform((6, 8)), 4, train=True, seed=4)
    other.sampler.epoch = 1
    assert numbers(other) != orders[1]


def test_workers_change_nothing(tiny_camvid):
    data = CamVid(tiny_camvid)
    batches = []
    for workers in (0, 1, 2):
        loader = make_loader(data, train_transform((8, 12), colour=0.3), 2, train=True, seed=1, workers=workers)
        batch = []
        for epoch in (0, 1, 4):
            loader.sampler.epoch = epoch
            batch += list(loader)
        batches.append(batch)
    for one, *others in zip(*batches, strict=True):
        for other in others:
            torch.testing.assert_close(one[0], other[0], rtol=0, atol=0)
            torch.testing.assert_close(one[1], other[1], rtol=0, atol=0)
    assert not torch.equal(batches[0][0][0], batches[0][3][0])  # another epoch


def test_normalisation():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    want = (torch.from_numpy(image).permute(2, 0, 1)[None].double() / 255 - torch.tensor(MEAN).view(3, 1, 1)) / (
        torch.tensor(STD).view(3, 1, 1)
    )
    torch.testing.assert_close(normalise(image).double(), want, atol=1e-6, rtol=0)
    np.testing.assert_array_equal(denormalise(normalise(image))[0], image)


def test_errors():
    with pytest.raises(ValueError, match="one batch"):
        collate([Numbered(1)[0], (np.zeros((5, 8, 3), np.uint8), np.zeros((5, 8), np.uint8))])
    with pytest.raises(ValueError, match="is empty"):
        make_loader(Numbered(0), eval_transform(), 1, train=False)
    with pytest.raises(ValueError, match="more than the 3 training samples"):
        make_loader(Numbered(3), eval_transform(), 4, train=True)
    with pytest.raises(ValueError, match="batch_size=0"):
        make_loader(Numbered(3), eval_transform(), 0, train=False)


def test_speed_with_a_decoded_cache(camvid):
    """The issue asks for 800 images/s on an idle machine; a loaded one must still do a quarter of it."""
    data = CamVid(camvid, "val", cache=True)
    loader = make_loader(data, train_transform((360, 480)), 8, train=True)
    rates = []
    for epoch in range(4):
        loader.sampler.epoch = epoch
        start = time.perf_counter()
        images = sum(len(image) for image, _ in loader)
        rates.append(images / (time.perf_counter() - start))
    print(f"loader: {max(rates):.0f} images/s")
    assert max(rates) > 200
