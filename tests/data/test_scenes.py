"""The procedural scenes: what they promise about shapes, labels, statistics, determinism and speed."""

import hashlib
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from segtut.data import scenes as module
from segtut.data.classes import CLASSES, IGNORE_INDEX, NUM_CLASSES, SPLIT_SIZES
from segtut.data.scenes import Scenes, scene
from segtut.data.street.shapes import BUILDING, ROAD, SKY

SIZE = (120, 160)
CAMVID_PERCENT = np.array([15.81, 24.10, 0.99, 29.32, 6.69, 11.19, 1.08, 1.43, 4.64, 0.64, 0.54, 3.59])
"""Share of all pixels of the 701 CamVid images: the classes in order, then void."""


@pytest.fixture(scope="module")
def splits():
    """All scenes of the protocol: for each split images (N, H, W, 3) and masks (N, H, W)."""
    return {split: tuple(map(np.stack, zip(*Scenes(split, SIZE)))) for split in SPLIT_SIZES}


def percent(masks):
    counts = np.bincount(np.ravel(masks), minlength=256)
    assert counts.sum() == counts[:NUM_CLASSES].sum() + counts[IGNORE_INDEX], "a label that is no class"
    return 100 * np.r_[counts[:NUM_CLASSES], counts[IGNORE_INDEX]] / counts.sum()


# -- statistics -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", SPLIT_SIZES)
def test_shares_of_the_classes_are_those_of_camvid_within_a_factor(splits, split):
    ratio = percent(splits[split][1]) / CAMVID_PERCENT
    named = dict(zip((*CLASSES, "void"), ratio.round(2)))
    assert ratio.min() > 1 / 1.5 and ratio.max() < 1.5, named


@pytest.mark.parametrize("split", SPLIT_SIZES)
def test_protocol_lengths_and_every_class_in_every_split(splits, split):
    images, masks = splits[split]
    assert images.shape == (SPLIT_SIZES[split], *SIZE, 3) and masks.shape == (SPLIT_SIZES[split], *SIZE)
    assert set(np.unique(masks)) == {*range(NUM_CLASSES), IGNORE_INDEX}


def test_no_two_scenes_are_equal_within_or_across_splits(splits):
    seen = {hashlib.sha256(image.tobytes()).digest() for images, _ in splits.values() for image in images}
    assert len(seen) == sum(SPLIT_SIZES.values())


def test_one_street_at_every_size():
    for i in range(6):
        _, small = scene(0, i, (120, 160))
        image, large = scene(0, i, (360, 480))
        assert np.mean(small == large[1::3, 1::3]) > 0.94
        assert abs(image.mean() - scene(0, i, (120, 160))[0].mean()) < 3


def test_statistics_do_not_depend_on_the_size():
    small, large = (percent([scene(3, i, size)[1] for i in range(24)]) for size in ((60, 80), (360, 480)))
    np.testing.assert_allclose(small, large, rtol=0.25, atol=0.1)


def test_colour_alone_does_not_name_the_class(splits):
    """Naming each colour by its most frequent class gives a mean IoU as low as on CamVid, where it is 0.15."""

    def cells(images):
        red, green, blue = np.moveaxis(images.astype(np.int64) * 12 // 256, -1, 0)
        return (red * 12 + green) * 12 + blue

    counts = np.zeros((12**3, 256))
    np.add.at(counts, (cells(splits["train"][0]), splits["train"][1]), 1)
    guess, truth = counts[:, :NUM_CLASSES].argmax(1)[cells(splits["val"][0])], splits["val"][1]
    iou = []
    for c in range(NUM_CLASSES):
        hit, either = (guess == c) & (truth == c), ((guess == c) | (truth == c)) & (truth != IGNORE_INDEX)
        iou.append(hit.sum() / either.sum())
    assert 0.1 < np.mean(iou) < 0.25, dict(zip(CLASSES, np.round(iou, 2)))


# -- image and mask -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(24, 32), (37, 53), (61, 32), (48, 301), (300, 64), (531, 709)])
def test_shapes_types_and_labels_at_odd_sizes(size):
    image, mask = scene(0, 4, size)
    assert image.shape == (*size, 3) and image.dtype == np.uint8 and image.flags.c_contiguous
    assert mask.shape == size and mask.dtype == np.uint8 and mask.flags.c_contiguous
    assert set(np.unique(mask)) <= {*range(NUM_CLASSES), IGNORE_INDEX}
    assert image.flags.writeable and mask.flags.writeable
    assert image.std() > 10


def test_edges_of_the_mask_are_edges_of_the_image(splits):
    """The borders in the masks meet strong contrasts in the images exactly where they are, and nowhere beside."""
    images, masks = (part[:60] for part in splits["val"])
    grey = images.astype(np.float64).mean(-1)
    for axis in (1, 2):
        contrast = np.abs(np.diff(grey, axis=axis))
        border = np.diff(masks.astype(np.int64), axis=axis) != 0
        there = {shift: contrast[np.roll(border, shift, axis)].mean() for shift in range(-4, 5)}
        assert max(there, key=there.get) == 0, there
        assert there[0] > 1.5 * max(there[-3], there[3]), there


def test_sky_is_above_and_road_below(splits):
    masks = np.concatenate([masks for _, masks in splits.values()])
    H = SIZE[0]
    assert not (masks[:, int(0.6 * H) :] == SKY).any()
    assert not (masks[:, : int(0.4 * H)] == ROAD).any()
    assert (masks[:, int(0.9 * H) :] == ROAD).mean() > 0.6
    assert (masks[:, 0] == SKY).any(axis=1).mean() > 0.9


def test_sky_pixels_show_sky(splits):
    """Well inside what is labelled sky there is next to no contrast; in houses there is."""
    images, masks = splits["test"]
    smoothness = {}
    for label in (SKY, BUILDING):
        inside = np.stack([cv2.erode((mask == label).astype(np.uint8), np.ones((5, 5))) for mask in masks]) > 0
        contrast = np.abs(np.diff(images.astype(np.float64).mean(-1), axis=2))
        smoothness[label] = contrast[inside[..., 1:] & inside[..., :-1]].mean()
    assert smoothness[SKY] < 3 < smoothness[BUILDING], smoothness


# -- determinism ----------------------------------------------------------------------------------------------


def test_a_scene_does_not_depend_on_what_was_drawn_before():
    again, data = Scenes("val", SIZE, seed=5), Scenes("val", SIZE, seed=5)
    for i in (7, 2, 7, 0):
        for one, other in zip(data[i], again[i]):
            np.testing.assert_array_equal(one, other)
        again[3]


def test_a_scene_is_the_same_in_another_process():
    code = (
        "import cv2, hashlib; cv2.setNumThreads(1); from segtut.data.scenes import scene\n"
        "image, mask = scene(11, 6, (61, 83), 'test')\n"
        "print(hashlib.sha256(image.tobytes() + mask.tobytes()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    image, mask = scene(11, 6, (61, 83), "test")
    assert done.stdout.split()[-1] == hashlib.sha256(image.tobytes() + mask.tobytes()).hexdigest()


@pytest.mark.parametrize(
    "other", [(1, 0, "train"), (2**40, 0, "train"), (0, 1, "train"), (0, 0, "val"), (0, 0, "test")]
)
def test_seed_index_and_split_each_give_another_street(other):
    seed, index, split = other
    mask, changed = scene(0, 0, SIZE)[1], scene(seed, index, SIZE, split)[1]
    assert np.mean(mask != changed) > 0.1


def test_the_dataset_holds_the_scenes_of_its_split():
    data = Scenes("test", (48, 64), seed=9, length=4)
    for i, (image, mask) in enumerate(data):
        expected = scene(9, i, (48, 64), "test")
        np.testing.assert_array_equal(image, expected[0])
        np.testing.assert_array_equal(mask, expected[1])
    assert i == 3
    longer = Scenes("test", (48, 64), seed=9, length=50)
    np.testing.assert_array_equal(longer[3][0], data[3][0])


def fingerprint():
    """Shares of all classes over a few scenes in percent, then mean red, green and blue."""
    images, masks = map(np.stack, zip(*(scene(0, i, (48, 64)) for i in range(8))))
    return np.r_[percent(masks), images.reshape(-1, 3).mean(0)]


FINGERPRINT = {
    1: [13.18, 21.21, 0.77, 30.13, 7.63, 14.97, 1.38, 1.68, 4.17, 0.83, 0.43, 3.63, 109.33, 107.03, 104.43],
}


def test_a_change_of_the_drawing_raises_the_version():
    """Loose enough for other platforms, too tight for another drawing."""
    assert module.VERSION in FINGERPRINT, "add the fingerprint of the new version"
    found = fingerprint()
    message = f"the drawing has changed: raise scenes.VERSION and note {found.round(2).tolist()}"
    np.testing.assert_allclose(found, FINGERPRINT[module.VERSION], rtol=0.002, atol=0.05, err_msg=message)


# -- the interface --------------------------------------------------------------------------------------------


def test_names_lengths_and_defaults():
    data = Scenes()
    assert (data.name, data.split, data.size, len(data)) == ("scenes", "train", (120, 160), 367)
    assert data.stems[12] == "train_00012" and len(set(data.stems)) == 367
    assert [len(Scenes(split)) for split in ("val", "test")] == [101, 233]
    assert len(Scenes("val", length=3)) == len(Scenes("val", length=3).stems) == 3


def test_index_is_that_of_a_list():
    data = Scenes("val", (24, 32), length=3)
    np.testing.assert_array_equal(data[-1][0], data[2][0])
    np.testing.assert_array_equal(data[np.int64(1)][1], data[1][1])
    for outside in (3, -4):
        with pytest.raises(IndexError, match=f"scene {outside} of a split of 3"):
            data[outside]
    with pytest.raises(TypeError):
        data[1.0]


def test_cache_draws_once(monkeypatch):
    drawn = []
    monkeypatch.setattr(module, "scene", lambda *args: drawn.append(args) or scene(*args))
    data = Scenes("val", (24, 32), length=3, cache=True)
    first = data[2]
    assert data[2][0] is first[0] and data[-1][1] is first[1]
    assert len(drawn) == 1
    np.testing.assert_array_equal(first[0], Scenes("val", (24, 32), length=3)[2][0])


def test_digest_changes_with_all_that_changes_the_data(monkeypatch):
    base = {"split": "val", "size": (48, 64), "seed": 0, "length": 9}
    digests = [Scenes(**base).digest]
    for change in ({"split": "test"}, {"size": (64, 48)}, {"size": (48, 65)}, {"seed": 1}, {"length": 8}):
        digests.append(Scenes(**(base | change)).digest)
    assert Scenes(**base, cache=True).digest == digests[0]
    assert Scenes(**(base | {"size": [48, np.int64(64)]})).digest == digests[0]
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    digests.append(Scenes(**base).digest)
    assert len(set(digests)) == 7
    assert all(len(digest) == 64 and int(digest, 16) >= 0 for digest in digests)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"split": "valid"}, ValueError, "split='valid' is none of train, val, test"),
        ({"split": None}, ValueError, "split=None is none of"),
        ({"size": (23, 32)}, ValueError, "size=23×32: give at least 24×32"),
        ({"size": (24, 31)}, ValueError, "size=24×31"),
        ({"size": 120}, TypeError, "size=120: give height and width"),
        ({"size": (1, 2, 3)}, TypeError, "give height and width"),
        ({"size": (120.0, 160)}, TypeError, "height in size=120.0: give a whole number"),
        ({"seed": -1}, ValueError, "seed=-1: give 0 or more"),
        ({"seed": "0"}, TypeError, "seed='0': give a whole number, not str"),
        ({"length": 0}, ValueError, "length=0: give 1 or more"),
        ({"length": True}, TypeError, "length=True"),
    ],
)
def test_bad_arguments_are_named_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        Scenes(**arguments)


def test_scene_names_bad_arguments_too():
    with pytest.raises(ValueError, match="index=-1: give 0 or more"):
        scene(0, -1, SIZE)
    with pytest.raises(ValueError, match="split='all'"):
        scene(0, 0, SIZE, "all")


# -- speed ----------------------------------------------------------------------------------------------------


def test_speed_on_one_core():
    """At least 60 scenes a second of processor time, a bar that leaves room for slow and busy machines."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        rates = []
        for batch in range(3):
            start = time.process_time()
            for i in range(25):
                scene(batch, i, SIZE)
            rates.append(25 / (time.process_time() - start))
    finally:
        cv2.setNumThreads(threads)
    assert max(rates) >= 60, rates
