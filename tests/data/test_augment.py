import cv2
import numpy as np
import pytest

from segtut.data import IGNORE_INDEX, eval_transform, train_transform
from segtut.data.augment import reseed

SIZE = (45, 60)


def marked(size=(90, 120)):
    """An image whose bright blobs lie exactly where the mask has class 7."""
    image = np.zeros((*size, 3), np.uint8)
    mask = np.full(size, 3, np.uint8)
    for row, column in ((20, 30), (60, 90), (40, 60), (70, 20)):
        cv2.rectangle(image, (column, row), (column + 15, row + 19), (255, 255, 255), -1)
        cv2.rectangle(mask, (column, row), (column + 15, row + 19), 7, -1)
    return image, mask


@pytest.mark.parametrize("zoom", [(1.0, 2.0), (0.5, 0.9), (0.75, 3.0)])
@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_marked_pixels_stay_aligned(zoom, flip):
    image, mask = marked()
    transform = train_transform(SIZE, zoom, flip=flip)
    seen = 0
    for key in range(40):
        reseed(transform, 1, key)
        out = transform(image=image, mask=mask)
        bright, marks = out["image"][..., 0] > 127, out["mask"] == 7
        seen += marks.sum()
        union = (bright | marks).sum()
        # Bilinear and nearest round the borders differently, by less than a pixel.
        border = cv2.morphologyEx(marks.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        assert ((bright ^ marks) & ~border).sum() == 0
        assert union < 50 or (bright & marks).sum() > 0.7 * union
    assert seen > 1000


def test_marked_pixels_move_with_colour_jitter_too():
    image, mask = marked()
    transform = train_transform(SIZE, colour=0.2)
    for key in range(20):
        reseed(transform, key)
        out = transform(image=image, mask=mask)
        marks = out["mask"] == 7
        if marks.any() and not marks.all():
            assert out["image"][marks].mean() > out["image"][~marks].mean() + 50


@pytest.mark.parametrize("make", [lambda: train_transform(SIZE, (0.6, 2.0), colour=0.3), lambda: eval_transform(SIZE)])
def test_masks_are_only_resampled_to_nearest(make):
    # Classes 0 and 10 side by side: any mean of them would be a class in between.
    image = np.zeros((91, 119, 3), np.uint8)
    mask = (np.indices((91, 119)).sum(0) % 2 * 10).astype(np.uint8)
    transform, values = make(), set()
    for key in range(20):
        reseed(transform, key)
        out = transform(image=image, mask=mask)
        assert out["image"].shape == (*SIZE, 3) and out["mask"].shape == SIZE
        assert out["mask"].dtype == out["image"].dtype == np.uint8
        values |= set(np.unique(out["mask"]))
    assert values <= {0, 10, IGNORE_INDEX}


def test_below_one_pads_with_void():
    image, mask = marked()
    transform = train_transform(SIZE, (0.5, 0.5), stretch=1, flip=0)
    reseed(transform, 0)
    out = transform(image=image, mask=mask)["mask"]
    assert (out[0] == IGNORE_INDEX).all() and (out[:, 0] == IGNORE_INDEX).all()
    assert 0.2 < (out != IGNORE_INDEX).mean() < 0.3  # half the height, half the width


def test_eval_has_nothing_random():
    image, mask = marked()
    for transform in (eval_transform(), eval_transform(SIZE)):
        outs = []
        for key in range(10):
            reseed(transform, key)
            outs.append(transform(image=image, mask=mask))
        for out in outs:
            np.testing.assert_array_equal(out["image"], outs[0]["image"])
            np.testing.assert_array_equal(out["mask"], outs[0]["mask"])
    same = eval_transform()(image=image, mask=mask)
    np.testing.assert_array_equal(same["image"], image)
    np.testing.assert_array_equal(same["mask"], mask)


def test_a_key_decides_everything_and_steps_are_independent():
    rng = np.random.default_rng(0)
    image, mask = rng.integers(0, 256, (60, 80, 3), np.uint8), rng.integers(0, 11, (60, 80), np.uint8)
    first, second = train_transform(SIZE, colour=0.3), train_transform(SIZE, colour=0.3)
    second(image=image, mask=mask)  # a call more changes nothing
    outs = []
    for key in range(64):
        reseed(first, 5, key)
        reseed(second, 5, key)
        a, b = first(image=image, mask=mask), second(image=image, mask=mask)
        np.testing.assert_array_equal(a["image"], b["image"])
        np.testing.assert_array_equal(a["mask"], b["mask"])
        outs.append(a["image"].tobytes())
    assert len(set(outs)) == 64


def test_flip_and_crop_do_not_share_their_draws():
    # Columns numbered in the mask: the crop's left border and the flip can be read off.
    image = np.zeros((60, 200, 3), np.uint8)
    mask = np.tile(np.arange(200, dtype=np.uint8), (60, 1))
    transform = train_transform((30, 100), (2.0, 2.0), stretch=1)
    left, flipped = [], []
    for key in range(200):
        reseed(transform, key)
        row = transform(image=image, mask=mask)["mask"][0].astype(int)
        left.append(row.min())
        flipped.append(row[0] > row[-1])
    assert 0.35 < np.mean(flipped) < 0.65
    assert abs(np.corrcoef(left, flipped)[0, 1]) < 0.2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"zoom": (2.0, 1.0)}, "zoom="),
        ({"zoom": (0.0, 1.0)}, "zoom="),
        ({"stretch": 0.9}, "stretch="),
        ({"size": (0, 4)}, "size="),
    ],
)
def test_bad_arguments(arguments, said):
    with pytest.raises(ValueError, match=said):
        train_transform(**arguments)
