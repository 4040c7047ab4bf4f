"""Assignment 1: a random crop and flip, the same for an image and its label map.

It is judged by where the pixels come from: each pixel of the image and of the label map holds its own place.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from segtut.checks import draw, words
from segtut.checks.call import Printed, call
from segtut.checks.judging import praise
from segtut.checks.views import Size, View, origin_of_image, origin_of_mask, places

NAME = "augment"
DRAWS = 1500
"""Enough to tell places that are half as likely as others."""
FEW = 40
SIGMAS = 5
"""Standard deviations that a share may lie off."""

Answer = Callable[[np.ndarray, np.ndarray, Size, np.random.Generator], tuple[np.ndarray, np.ndarray]]


def check_augment(answer: Answer, seed: int = 0) -> None:
    """Check ``augment(image, mask, size, rng) -> (image, mask)``: a random crop and left–right flip of both.

    Parameters
    ----------
    answer : callable
        image uint8 (H, W, 3), mask uint8 (H, W), size (h, w), rng a `numpy.random.Generator`.
    seed : int
        Other seeds try other sizes and draws.

    Raises
    ------
    AssertionError
        What is wrong, in one sentence, with a small case that shows it.
    """
    assert answer is not None and answer is not Ellipsis, f"{NAME} is {answer}: write it first."
    assert callable(answer), f"{NAME} is {words.thing(answer)}: it must be a function."
    g = draw.generator(seed)
    H, W = draw.pick([(5, 8), (4, 8), (6, 9), (5, 7)], g)
    h, w = H - 2, W - 3
    _views(answer, (4, 5), (2, 4), FEW, seed)
    views, printed = _views(answer, (H, W), (h, w), DRAWS, seed)
    _judge_draws(views, (H, W), (h, w))
    _judge_generator(answer, (H, W), (h, w), seed)
    for size in ((H, W), (H, w), (h, W), (2, 2), (1, 1)):  # a crop that leaves no choice is one, too
        some, _ = _views(answer, (H, W), size, FEW, seed)
        if size[1] > 1:
            _judge_flips(some, _said((H, W), size))
    praise(NAME, f"{DRAWS} draws", -(-printed.lines // DRAWS))


def _said(shape: Size, size: Size) -> str:
    return f"Smallest case: an image of {shape[0]}×{shape[1]} pixels, size = {size}"


def _results(answer: Answer, shape: Size, size: Size, count: int, rng: np.random.Generator) -> tuple[list, Printed]:
    """What `count` calls with one generator return; AssertionError where that is no pair of arrays that fits."""
    said, changed, whole = _said(shape, size), [], places(shape)

    def run():
        results = []
        while len(results) < count and not changed:
            inputs = [array.copy() for array in whole]
            results.append(answer(*inputs, size, rng))
            changed.extend(
                name for name, now, was in zip(("image", "mask"), inputs, whole) if now.tobytes() != was.tobytes()
            )
        return results

    outcome = call(run, NAME, {})
    assert not outcome.problem, f"{outcome.problem} {said}."
    assert not changed, (
        f"{NAME} changes its input {changed[0]}, which is wanted again in the next epoch: work on a copy. {said}."
    )
    for result in outcome.value:
        if problem := _wrong_kind(result, size):
            raise AssertionError(f"{problem} {said}.")
    return outcome.value, outcome.printed


def _wrong_kind(result: Any, size: Size) -> str | None:
    if result is None:
        return f"{NAME} returned None; does it end with `return image, mask`?"
    if not isinstance(result, tuple | list) or len(result) != 2:
        return f"{NAME} returned {words.thing(result)}; it must return two arrays, `return image, mask`."
    image, mask = result
    for name, value in (("image", image), ("mask", mask)):
        if not isinstance(value, np.ndarray):
            return f"The {name} came back as {words.thing(value)}; it must be an array of NumPy."
    if image.ndim == 2 and mask.ndim == 3:
        return "Image and mask are exchanged: return the image first."
    for name, value, ndim in (("image", image, 3), ("mask", mask, 2)):
        want = (*size, 3)[:ndim]
        if value.shape == want:
            continue
        text = f"The {name} came back with the shape {value.shape}; it must be {want}"
        if name == "image" and value.shape == (3, *size):
            return f"{text}: the channels stay on the last axis."
        if value.ndim == ndim and value.shape[:2] == size[::-1]:
            return f"{text}: height and width are exchanged."
        if value.ndim == ndim and value.shape[0] <= size[0] and value.shape[1] <= size[1]:
            return f"{text}: it begins so late that it runs over the border, or it ends at h instead of top + h."
        return f"{text}."
    for name, value in (("image", image), ("mask", mask)):
        if value.dtype != np.uint8:
            return f"The {name} came back in {value.dtype}; it must stay uint8: converting it comes later."
    return None


def _views(answer: Answer, shape: Size, size: Size, count: int, seed: int) -> tuple[list[View], Printed]:
    """Where the results of so many draws were cut; AssertionError where image and mask differ or are no crop."""
    results, printed = _results(answer, shape, size, count, np.random.default_rng(seed))
    views: dict[bytes, View] = {}  # few are different
    keys = [image.tobytes() + mask.tobytes() for image, mask in results]
    for key, (image, mask) in zip(keys, results):
        if key not in views:
            views[key] = _view(answer, image, mask, shape, size, seed)
    for name, at in (("image", 0), ("mask", 1)):
        strides = (step for result in results for step, n in zip(result[at].strides, result[at].shape) if n > 1)
        if min(strides, default=0) < 0:
            raise AssertionError(
                f"The {name} has negative strides, as {name}[:, ::-1] has, and torch.from_numpy refuses those: return "
                f"np.ascontiguousarray({name}). {_said(shape, size)}."
            )
    return [views[key] for key in keys], printed


def _view(answer: Answer, image: np.ndarray, mask: np.ndarray, shape: Size, size: Size, seed: int) -> View:
    """Where a result was cut; AssertionError where image and mask differ or are no crop."""
    ours, theirs, said = origin_of_image(image, shape), origin_of_mask(mask, shape), _said(shape, size)
    if isinstance(ours, str):
        raise AssertionError(f"The image {ours}. {said}.")
    if isinstance(theirs, str):
        if _mixes(answer, shape, size, seed):
            theirs = "holds labels that were not there: cut it as the image, without mixing or scaling its labels"
        raise AssertionError(f"The mask {theirs}. {said}.")
    if ours.flipped != theirs.flipped:
        flipped, other = ("image", "mask") if ours.flipped else ("mask", "image")
        raise AssertionError(
            f"The {flipped} is flipped and the {other} is not: both must be, or neither, by one draw. {said}."
        )
    if ours != theirs:
        raise AssertionError(
            f"Image and mask are not cut at the same place: draw once, for both. {said}: the image is cut at row "
            f"{ours.top}, column {ours.left}, the mask at row {theirs.top}, column {theirs.left}."
        )
    return ours


def _mixes(answer: Answer, shape: Size, size: Size, seed: int) -> bool:
    """Whether a mask of two labels comes back with others."""
    image, mask = places(shape)
    two = np.where(mask % 2, 200, 3).astype(np.uint8)
    rng = np.random.default_rng(seed)
    outcome = call(lambda: [answer(image.copy(), two.copy(), size, rng)[1] for _ in range(FEW)], NAME, {})
    return any(not np.isin(cut, (3, 200)).all() for cut in outcome.value or [])


def _judge_draws(views: list[View], shape: Size, size: Size) -> None:
    """Hold the views to a uniform draw of the position and an independent flip."""
    said, last = _said(shape, size), (shape[0] - size[0], shape[1] - size[1])
    if len(set(views)) == 1:
        (view,) = set(views)
        middle = (view.top, view.left) == (last[0] // 2, last[1] // 2) and not view.flipped
        where = "the middle" if middle else f"row {view.top}, column {view.left}"
        raise AssertionError(
            f"The result is the same every time, cut at {where}: position and flip must be drawn anew in each call, "
            f"from rng itself, not from a copy of it or from a fixed seed. {said}, {len(views)} draws."
        )
    for axis, seen, end in (
        ("row", Counter(view.top for view in views), last[0]),
        ("column", Counter(view.left for view in views), last[1]),
    ):
        missing, drawn = sorted(set(range(end + 1)) - seen.keys()), f"{said}, {len(views)} draws."
        if missing == [end]:
            raise AssertionError(
                f"The crop never begins at {axis} {end}, the last one at which it fits: there are {end + 1} "
                f"places, and rng.integers(n) ends at n − 1. {drawn}"
            )
        if len(seen) == 1:
            raise AssertionError(f"The crop always begins at {axis} {min(seen)}: draw that, too. {drawn}")
        if missing:
            raise AssertionError(
                f"The crop never begins at {axis} {missing[0]}: every place from 0 to {end} must be drawn. {drawn}"
            )
        for place, count in sorted(seen.items()):
            if not _fair(count, len(views), 1 / (end + 1)):
                raise AssertionError(
                    f"Some places are drawn more often than others: the crop began at {axis} {place} in {count} of "
                    f"{len(views)} draws, expected about {len(views) // (end + 1)}. {said}."
                )
    _judge_flips(views, said)
    if len(set(views)) < 2 * (last[0] + 1) * (last[1] + 1):
        raise AssertionError(
            f"Row, column and flip hang together: draw three times, once for each; {len(set(views))} of the "
            f"{2 * (last[0] + 1) * (last[1] + 1)} combinations came in {len(views)} draws. {said}."
        )


def _judge_flips(views: list[View], said: str) -> None:
    flips = sum(view.flipped for view in views)
    if _fair(flips, len(views), 0.5):
        return
    how = {0: "never flips", len(views): "always flips"}.get(flips, f"flips in {flips} of {len(views)} draws")
    raise AssertionError(f"It {how}: it must flip every other time on average, as rng.random() < 0.5 decides. {said}.")


def _fair(count: int, draws: int, share: float) -> bool:
    return abs(count - draws * share) <= SIGMAS * (draws * share * (1 - share)) ** 0.5


def _judge_generator(answer: Answer, shape: Size, size: Size, seed: int) -> None:
    """Hold the result to the generator's state, and to nothing else."""
    said = _said(shape, size)

    def run(python: int, numpy: int, pytorch: int) -> list[bytes]:
        random.seed(python)
        np.random.seed(numpy)  # noqa: NPY002
        torch.manual_seed(pytorch)
        results, _ = _results(answer, shape, size, FEW + 1, np.random.default_rng(seed))
        return [image.tobytes() for image, _ in results]

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        first = run(0, 0, 0)
        again = [
            ("it makes a generator of its own, or remembers something", run(0, 0, 0)),
            ("it draws from Python's random", run(1, 0, 0)),
            ("it draws from np.random, which all code shares", run(0, 1, 0)),
            ("it draws from PyTorch's generator, which all code shares", run(0, 0, 1)),
        ]
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])
    for why, results in again:
        assert results == first, (
            f"With rng in the same state it gives another result: {why}. Draw from the argument rng alone. {said}."
        )
