"""Answers to ``augment(image, mask, size, rng)``."""

import copy
import random
from functools import partial

import cv2
import numpy as np
import torch
from PIL import Image

from tests.checks.bank import Bank

bank = Bank("check_augment")


def places(mask, size):
    """Last first row and last first column."""
    return mask.shape[0] - size[0], mask.shape[1] - size[1]


@bank.right
def slices(image, mask, size, rng):
    (h, w), (last_row, last_column) = size, places(mask, size)
    top, left = rng.integers(last_row + 1), rng.integers(last_column + 1)
    image, mask = image[top : top + h, left : left + w], mask[top : top + h, left : left + w]
    if rng.random() < 0.5:
        image, mask = image[:, ::-1], mask[:, ::-1]
    return np.ascontiguousarray(image), np.ascontiguousarray(mask)


@bank.right
def flip_first(image, mask, size, rng):
    """Flips before it crops, and draws in another order."""
    if rng.integers(0, 2) == 1:
        image, mask = np.fliplr(image), np.fliplr(mask)
    left = rng.integers(0, mask.shape[1] - size[1], endpoint=True)
    top = rng.integers(0, mask.shape[0] - size[0], endpoint=True)
    image = image[top : top + size[0], left : left + size[1], :].copy()
    return image, mask[top : top + size[0], left : left + size[1]].copy()


@bank.right
def one_stack(image, mask, size, rng):
    """Image and mask as four channels of one array."""
    both = np.dstack([image, mask])
    top, left = (int(rng.random() * (last + 1)) for last in places(mask, size))
    both = both[top:, left:][: size[0], : size[1]]
    both = both[:, :: rng.choice([-1, 1])].copy()
    return both[..., :3], both[..., 3]


@bank.right
def pixel_loops(image, mask, size, rng):
    h, w = size
    top, left, flip = rng.choice(mask.shape[0] - h + 1), rng.choice(mask.shape[1] - w + 1), rng.choice([True, False])
    out_image, out_mask = np.zeros((h, w, 3), np.uint8), np.zeros((h, w), np.uint8)
    for i in range(h):
        for j in range(w):
            source = left + (w - 1 - j if flip else j)
            out_image[i, j], out_mask[i, j] = image[top + i, source], mask[top + i, source]
    return out_image, out_mask


@bank.right
def index_arrays(image, mask, size, rng):
    rows = rng.integers(mask.shape[0] - size[0] + 1) + np.arange(size[0])
    columns = rng.integers(mask.shape[1] - size[1] + 1) + np.arange(size[1])
    if rng.uniform() > 0.5:
        columns = columns[::-1]
    return image[np.ix_(rows, columns)], mask[np.ix_(rows, columns)]


@bank.right
def torch_inside(image, mask, size, rng):
    image, mask = torch.from_numpy(image).permute(2, 0, 1), torch.from_numpy(mask)
    top, left = (int(rng.integers(last + 1)) for last in places(mask, size))
    image, mask = image[:, top : top + size[0], left : left + size[1]], mask[top : top + size[0], left : left + size[1]]
    if rng.random() < 0.5:
        image, mask = image.flip(-1), mask.flip(-1)
    return image.permute(1, 2, 0).numpy(), mask.numpy()


@bank.right
def pillow_inside(image, mask, size, rng):
    top, left = (int(rng.integers(last + 1)) for last in places(mask, size))
    box = (left, top, left + size[1], top + size[0])
    pair = [Image.fromarray(array).crop(box) for array in (image, mask)]
    if rng.random() >= 0.5:
        pair = [picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for picture in pair]
    return tuple(np.array(picture) for picture in pair)


@bank.right
def opencv_flip(image, mask, size, rng):
    top, left = (rng.integers(last, endpoint=True) for last in places(mask, size))
    pair = [array[top : top + size[0], left : left + size[1]] for array in (image, mask)]
    if rng.random() < 0.5:
        pair = [cv2.flip(array, 1) for array in pair]
    return pair


@bank.right
def seeded_children(image, mask, size, rng):
    """Draws with Python's generator, which it seeds from rng."""
    own = random.Random(int(rng.integers(2**62)))
    top, left = (own.randint(0, last) for last in places(mask, size))
    window = np.s_[top : top + size[0], left : left + size[1]]
    step = own.choice([1, -1])
    return image[window][:, ::step].copy(), mask[window][:, ::step].copy()


@bank.right
def torch_generator_from_rng(image, mask, size, rng):
    g = torch.Generator().manual_seed(int(rng.integers(2**31)))
    top, left = (int(torch.randint(last + 1, (1,), generator=g)) for last in places(mask, size))
    out = [np.array(array[top : top + size[0], left : left + size[1]]) for array in (image, mask)]
    return [array[:, ::-1].copy() for array in out] if torch.rand(1, generator=g) < 0.5 else out


@bank.right
def one_number_for_all(image, mask, size, rng):
    """One draw, taken apart."""
    last_row, last_column = places(mask, size)
    number = int(rng.integers(2 * (last_row + 1) * (last_column + 1)))
    number, flip = divmod(number, 2)
    top, left = divmod(number, last_column + 1)
    views = np.lib.stride_tricks.sliding_window_view(mask, size), image
    mask, image = views[0][top, left].copy(), image[top : top + size[0], left : left + size[1]].copy()
    return (np.flip(image, 1).copy(), np.flip(mask, axis=-1).copy()) if flip else (image, mask)


class Augment:
    def __init__(self, flip):
        self.flip = flip

    def __call__(self, image, mask, size, rng):
        offsets = [rng.permutation(last + 1)[0] for last in places(mask, size)]
        flip = rng.binomial(1, self.flip)
        cut = [array[offsets[0] :, offsets[1] :][: size[0], : size[1]].copy() for array in (image, mask)]
        return tuple(array[:, ::-1].copy() if flip else array for array in cut)


bank.right(Augment(0.5))
bank.right(partial(Augment.__call__, Augment(0.5)))


@bank.right
def prints(image, mask, size, rng):
    print(size)
    return slices(image, mask, size, rng)


# --- the two do not go together


@bank.wrong("The image is flipped and the mask is not")
def mask_never_flipped(image, mask, size, rng):
    image, mask = crop_both(image, mask, size, rng)
    return (image[:, ::-1].copy(), mask) if rng.random() < 0.5 else (image, mask)


@bank.wrong("The mask is flipped and the image is not")
def image_never_flipped(image, mask, size, rng):
    h, w = size
    top, left = (rng.integers(last + 1) for last in places(mask, size))
    image, mask = image[top : top + h, left : left + w], mask[top : top + h, left : left + w]
    if rng.random() < 0.5:
        mask = mask[:, ::-1]
    return image.copy(), mask.copy()


@bank.wrong("both must be, or neither, by one draw")
def two_flip_draws(image, mask, size, rng):
    h, w = size
    top, left = (rng.integers(last + 1) for last in places(mask, size))
    image, mask = image[top : top + h, left : left + w], mask[top : top + h, left : left + w]
    if rng.random() < 0.5:
        image = image[:, ::-1]
    if rng.random() < 0.5:
        mask = mask[:, ::-1]
    return image.copy(), mask.copy()


def crop(array, size, rng):
    top, left = (rng.integers(last + 1) for last in places(array, size))
    return array[top : top + size[0], left : left + size[1]].copy()


@bank.wrong("Image and mask are not cut at the same place")
def two_crop_draws(image, mask, size, rng):
    image, mask = crop(image, size, rng), crop(mask, size, rng)
    return (image[:, ::-1].copy(), mask[:, ::-1].copy()) if rng.random() < 0.5 else (image, mask)


@bank.wrong("Image and mask are not cut at the same place")
def mask_from_the_corner(image, mask, size, rng):
    image, _ = crop_both(image, mask, size, rng)
    return image, mask[: size[0], : size[1]].copy()


@bank.wrong("Image and mask are not cut at the same place")
def mask_one_column_late(image, mask, size, rng):
    h, w = size
    top, left = (rng.integers(last + 1) for last in places(mask, size))
    beside = min(left + 1, mask.shape[1] - w)
    return image[top : top + h, left : left + w].copy(), mask[top : top + h, beside : beside + w].copy()


@bank.wrong("is upside down")
def flip_up_down(image, mask, size, rng):
    image, mask = crop_both(image, mask, size, rng)
    return (image[::-1].copy(), mask[::-1].copy()) if rng.random() < 0.5 else (image, mask)


@bank.wrong("is upside down")
def wrong_axis(image, mask, size, rng):
    image, mask = crop_both(image, mask, size, rng)
    return (np.flip(image, 0).copy(), np.flip(mask, 1).copy()) if rng.random() < 0.5 else (image, mask)


@bank.wrong("is upside down")
def all_axes(image, mask, size, rng):
    image, mask = crop_both(image, mask, size, rng)
    return (image, np.flip(mask).copy()) if rng.random() < 0.5 else (image, mask)


@bank.wrong("colours exchanged")
def flips_channels(image, mask, size, rng):
    """np.flip without an axis turns the channels round, too."""
    image, mask = crop_both(image, mask, size, rng)
    return (image[..., ::-1].copy(), mask[..., ::-1].copy()) if rng.random() < 0.5 else (image, mask)


def crop_both(image, mask, size, rng):
    h, w = size
    top, left = (rng.integers(last + 1) for last in places(mask, size))
    return image[top : top + h, left : left + w].copy(), mask[top : top + h, left : left + w].copy()


# --- the draws


def with_draws(top_of, left_of, flip_of):
    """An answer with its own draws of row, column and flip."""

    def augment(image, mask, size, rng):
        last_row, last_column = places(mask, size)
        top, left = top_of(rng, last_row), left_of(rng, last_column)
        pair = [array[top : top + size[0], left : left + size[1]] for array in (image, mask)]
        return tuple(array[:, ::-1].copy() if flip else array.copy() for flip in [flip_of(rng)] for array in pair)

    return augment


def place(rng, last):
    return rng.integers(last + 1)


def too_short(rng, last):
    return rng.integers(last) if last else 0


def half(rng):
    return rng.random() < 0.5


bank.wrong("the last one at which it fits")(with_draws(too_short, too_short, half))
bank.wrong("The crop never begins at column")(with_draws(place, too_short, half))
bank.wrong("The crop never begins at row")(with_draws(too_short, place, half))
bank.wrong("begins at row")(with_draws(lambda rng, last: rng.integers(min(1, last), last + 1), place, half))
bank.wrong("The crop always begins at column 0")(with_draws(place, lambda rng, last: 0, half))
bank.wrong("begins at row")(with_draws(lambda rng, last: 0, place, half))
bank.wrong("It never flips")(with_draws(place, place, lambda rng: False))
bank.wrong("It always flips")(with_draws(place, place, lambda rng: True))
bank.wrong("It flips in")(with_draws(place, place, lambda rng: rng.integers(3) == 0))
bank.wrong("It flips in")(with_draws(place, place, lambda rng: rng.normal() > 0.5))
bank.wrong("It always flips")(with_draws(place, place, lambda rng: rng.integers(1, 2) < 2))
bank.wrong("Some places are drawn more often than others")(
    with_draws(place, lambda rng, last: int(np.clip(rng.normal(last / 2, 1), 0, last)), half)
)
bank.wrong("Some places are drawn more often than others")(
    with_draws(place, lambda rng, last: round(rng.random() * last), half)
)


@bank.wrong("Row, column and flip hang together")
def one_number(image, mask, size, rng):
    u = rng.random()
    return with_draws(lambda rng, last: int(u * (last + 1)), lambda rng, last: int(u * (last + 1)), half)(
        image, mask, size, rng
    )


@bank.wrong("Row, column and flip hang together")
def flips_where_it_is_left(image, mask, size, rng):
    left = place(rng, places(mask, size)[1])
    right_half = left > places(mask, size)[1] / 2 if places(mask, size)[1] else rng.random() < 0.5
    return with_draws(place, lambda rng, last: left, lambda rng: right_half)(image, mask, size, rng)


@bank.wrong("cut at the middle")
def centre(image, mask, size, rng):
    top, left = (last // 2 for last in places(mask, size))
    return image[top:, left:][: size[0], : size[1]], mask[top:, left:][: size[0], : size[1]]


@bank.wrong("The result is the same every time")
def corner(image, mask, size, rng):
    return image[: size[0], : size[1]].copy(), mask[: size[0], : size[1]].copy()


@bank.wrong("The result is the same every time")
def always_the_same_seed(image, mask, size, rng):
    return slices(image, mask, size, np.random.default_rng(0))


@bank.wrong("from rng itself, not from a copy of it or from a fixed seed")
def copied_generator(image, mask, size, rng):
    return slices(image, mask, size, copy.deepcopy(rng))


@bank.wrong("it makes a generator of its own")
def own_generator(image, mask, size, rng):
    return slices(image, mask, size, np.random.default_rng())


@bank.wrong("it draws from np.random, which all code shares")
def numpy_global(image, mask, size, rng):
    last_row, last_column = places(mask, size)
    top, left = np.random.randint(last_row + 1), np.random.randint(last_column + 1)  # noqa: NPY002
    window = np.s_[top : top + size[0], left : left + size[1]]
    step = -1 if np.random.rand() < 0.5 else 1  # noqa: NPY002
    return image[window][:, ::step].copy(), mask[window][:, ::step].copy()


@bank.wrong("it draws from Python's random")
def python_global(image, mask, size, rng):
    return with_draws(place, place, lambda rng: random.random() < 0.5)(image, mask, size, rng)


@bank.wrong("it draws from PyTorch's generator")
def torch_global(image, mask, size, rng):
    return with_draws(lambda rng, last: int(torch.randint(last + 1, ())), place, half)(image, mask, size, rng)


CALLS = []


@bank.wrong("or remembers something")
def every_other_call(image, mask, size, rng):
    CALLS.append(1)
    return with_draws(place, place, lambda rng: len(CALLS) % 3 == 0 or rng.random() < 0.25)(image, mask, size, rng)


# --- the result


@bank.wrong("height and width are exchanged")
def size_read_as_width_height(image, mask, size, rng):
    return slices(image, mask, size[::-1], rng)


@bank.wrong("The image came back with the shape (4, 5, 3); it must be (2, 4, 3)")
def no_crop(image, mask, size, rng):
    return (image[:, ::-1].copy(), mask[:, ::-1].copy()) if rng.random() < 0.5 else (image, mask)


@bank.wrong("it begins so late that it runs over the border")
def begins_anywhere(image, mask, size, rng):
    top, left = rng.integers(mask.shape[0]), rng.integers(mask.shape[1])
    return image[top : top + size[0], left : left + size[1]].copy(), mask[
        top : top + size[0], left : left + size[1]
    ].copy()


@bank.wrong("or it ends at h instead of top + h")
def size_as_the_end(image, mask, size, rng):
    top, left = (rng.integers(last + 1) for last in places(mask, size))
    return image[top : size[0], left : size[1]].copy(), mask[top : size[0], left : size[1]].copy()


@bank.wrong("holds labels that were not there")
def resized_bilinearly(image, mask, size, rng):
    """A crop of another size is resized to the one wanted, the mask as an image."""
    return image_crop(image, size), cv2.resize(mask, size[::-1])


def image_crop(image, size):
    return image[: size[0], : size[1]].copy()


@bank.wrong("without resizing, padding or rolling")
def resized_nearest(image, mask, size, rng):
    return tuple(cv2.resize(array, size[::-1], interpolation=cv2.INTER_NEAREST) for array in (image, mask))


@bank.wrong("without resizing, padding or rolling")
def rolled(image, mask, size, rng):
    shift = int(rng.integers(mask.shape[1]))
    pair = (np.roll(array, shift, axis=1)[: size[0], : size[1]] for array in (image, mask))
    return tuple(array.copy() for array in pair)


@bank.wrong("holds colours that were not there")
def brightened(image, mask, size, rng):
    image, mask = slices(image, mask, size, rng)
    return (image * 0.9).astype(np.uint8), mask


@bank.wrong("The image came back in float64; it must stay uint8")
def scaled(image, mask, size, rng):
    image, mask = slices(image, mask, size, rng)
    return image / 255, mask


@bank.wrong("The mask came back in int64; it must stay uint8")
def mask_to_int64(image, mask, size, rng):
    image, mask = slices(image, mask, size, rng)
    return image, mask.astype(np.int64)


@bank.wrong("The image has negative strides")
def views(image, mask, size, rng):
    h, w = size
    top, left = (rng.integers(last + 1) for last in places(mask, size))
    image, mask = image[top : top + h, left : left + w], mask[top : top + h, left : left + w]
    return (image[:, ::-1], mask[:, ::-1]) if rng.random() < 0.5 else (image, mask)


@bank.wrong("The mask has negative strides")
def copies_the_image_only(image, mask, size, rng):
    image, mask = views(image, mask, size, rng)
    return image.copy(), mask


@bank.wrong("changes its input image")
def in_place(image, mask, size, rng):
    if rng.random() < 0.5:
        image[:], mask[:] = image[:, ::-1].copy(), mask[:, ::-1].copy()
    return crop_both(image, mask, size, rng)


@bank.wrong("changes its input mask")
def marks_the_mask(image, mask, size, rng):
    pair = slices(image, mask, size, rng)
    mask[0] = 255
    return pair


@bank.wrong("Image and mask are exchanged")
def mask_first(image, mask, size, rng):
    return slices(image, mask, size, rng)[::-1]


@bank.wrong("the channels stay on the last axis")
def channels_first(image, mask, size, rng):
    image, mask = slices(image, mask, size, rng)
    return image.transpose(2, 0, 1), mask


@bank.wrong("The image came back as a tensor")
def tensors(image, mask, size, rng):
    return tuple(torch.from_numpy(array) for array in slices(image, mask, size, rng))


@bank.wrong("it must return two arrays")
def as_dict(image, mask, size, rng):
    image, mask = slices(image, mask, size, rng)
    return {"image": image, "mask": mask}


@bank.wrong("it must return two arrays")
def image_alone(image, mask, size, rng):
    return slices(image, mask, size, rng)[0]


@bank.wrong("returned None; does it end with")
def nothing(image, mask, size, rng):
    slices(image, mask, size, rng)


@bank.wrong("raised AttributeError")
def old_generator(image, mask, size, rng):
    return with_draws(lambda rng, last: rng.randint(0, last + 1), place, half)(image, mask, size, rng)


@bank.wrong("raised ValueError")
def no_crop_of_the_whole(image, mask, size, rng):
    """The crop may be as large as the image."""
    if mask.shape == size:
        raise ValueError("the crop must be smaller than the image")
    return slices(image, mask, size, rng)


@bank.wrong("raised TypeError")
def float_places(image, mask, size, rng):
    return with_draws(lambda rng, last: rng.random() * last, place, half)(image, mask, size, rng)


@bank.wrong("still raises NotImplementedError")
def unwritten(image, mask, size, rng):
    raise NotImplementedError("your answer")


def split_off(image, mask, size, rng):
    """A generator of its own, seeded by rng."""
    return slices(image, mask, size, np.random.default_rng(rng.integers(2**32)))


bank.right(split_off)


CALLS = [0]


@bank.wrong("or remembers something")
def every_other_time(image, mask, size, rng):
    """Flips in each second call."""
    CALLS[0] += 1
    return with_draws(place, place, lambda rng: CALLS[0] % 2)(image, mask, size, rng)


@bank.wrong("The image is")
def squares_turned(image, mask, size, rng):
    image, mask = slices(image, mask, size, rng)
    if size[0] == size[1] and rng.random() < 0.5:
        image, mask = np.rot90(image).copy(), np.rot90(mask).copy()
    return image, mask


@bank.wrong("The crop never begins at column 1")
def even_columns(image, mask, size, rng):
    return with_draws(place, lambda rng, last: 2 * rng.integers(last // 2 + 1), half)(image, mask, size, rng)
