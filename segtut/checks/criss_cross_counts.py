"""Assignment 2: counts for a student's own sizes, typed in as numbers."""

from collections.abc import Mapping
from typing import Any

import torch

from segtut.checks import draw
from segtut.checks.typed import number, require_entries

EXAMPLE = {"H": 5, "W": 9, "u": [1, 2], "t": [1, 7]}
"""The sizes and pixels of the release that is made for nobody in particular."""

Count = tuple[int, list[tuple[str, int]]]
"""The right number, and wrong ones with what to say of them."""

STAYS = "Ways that stay at a pixel for a pass are missing: a pixel looks at itself, too."


def _ways(H: int, W: int, u: list[int], t: list[int], R: int, stay: bool = True) -> int:
    """Ways of R passes from t to u: the entry of a power of the matrix of who looks at whom."""
    n = torch.arange(H * W)
    looks = (n[:, None] // W == n // W) | (n[:, None] % W == n % W)
    if not stay:
        looks = looks & ~torch.eye(H * W, dtype=torch.bool)
    return int(torch.linalg.matrix_power(looks.double(), R)[u[0] * W + u[1], t[0] * W + t[1]])


def _counts(H: int, W: int, u: list[int], t: list[int]) -> dict[str, Count]:
    N, cross = H * W, H + W - 1
    on_cross = u[0] == t[0] or u[1] == t[1]
    ways = {R: _ways(H, W, u, t, R) for R in (1, 2, 3)}
    places = [("Look once more where t lies: that holds for a pixel in the column of u.", H),
              ("Look once more where t lies: that holds for a pixel in the row of u.", W),
              ("Look once more where t lies: that holds for u itself.", cross)]  # fmt: skip
    if on_cross:
        places.append(("Look once more where t lies: that holds for a pixel off the cross of u.", 2))
    return {
        "weights": (N * cross, [
            ("That counts every pixel twice for itself: its column entry is −∞, and the weight there 0.",
             N * (H + W)),
            ("That leaves out that a pixel looks at itself.", N * (cross - 1)),
            ("That is for one pixel: every pixel of the image has so many.", cross),
            ("That is for one pixel, which counts itself twice besides.", H + W),
            ("That is dense attention: here a pixel looks at its column and row only.", N * N),
            ("That is for two passes: one is asked for.", 2 * N * cross),
            ("That is how many pixels there are: each has many weights.", N),
        ]),
        "reached_0": (1, [
            ("Without a pass, u is still influenced by itself.", 0),
            ("That is for one pass: R = 0 is none.", cross),
            ("That is the whole image: without a pass nothing is passed on.", N),
        ]),
        "reached_1": (cross, [
            ("That counts u twice, in its column and in its row.", H + W),
            ("That leaves out u itself.", cross - 1),
            ("That is the whole image: one pass does not reach so far.", N),
            ("That is for R = 0.", 1),
        ]),
        "reached_2": (N, [
            ("A second pass reaches more than the first: the pixels of the cross have collected from their own "
             "crosses.", cross),
            ("Only what the second pass adds is counted: those reached before stay reached.", (H - 1) * (W - 1)),
            ("That is twice a cross: every pixel of the cross of u has one of its own.", 2 * cross),
            ("That counts ways, not pixels: many ways lead from the same pixel.", cross * cross),
            ("That leaves out u itself.", N - 1),
            ("So many pixels the image does not have.", N * N),
        ]),
        "ways_2": (ways[2], [
            (STAYS, _ways(H, W, u, t, 2, stay=False)),
            ("That is by one corner between u and t: how many corners are there?", 1) if not on_cross else
            ("The direct step is no way of two passes unless one of them stays, at u or at t: count all of both "
             "kinds.", 1),
            ("That is for one pass.", ways[1]),
            ("That is for three passes.", ways[3]),
            ("That counts the ways from all pixels: those from t are asked for.", cross * cross),
            *places,
        ]),
        "ways_3": (ways[3], [
            (STAYS, _ways(H, W, u, t, 3, stay=False)),
            ("That is for two passes.", ways[2]),
            ("That counts the ways from all pixels: those from t are asked for.", cross**3),
            ("The ways of two passes are not simply multiplied: add up, over the cross of u, those that lead "
             "there.", ways[2] * cross),
            ("The ways of two passes are not simply multiplied: add up, over the cross of u, those that lead "
             "there.", ways[2] ** 2),
            *((f"Look once more where t lies: that holds for a pixel {where}.", number) for where, number in (
                ("off the cross of u", 3 * (H + W - 2)),
                ("in the row of u", 3 * (H + W - 2) + (W - 1) * (W - 2) + 1),
                ("in the column of u", 3 * (H + W - 2) + (H - 1) * (H - 2) + 1))),
        ]),
    }  # fmt: skip


def _count(value: Any, key: str) -> float:
    said = f'counts["{key}"]'
    value = number(value, said, "without quotes")
    assert abs(value) < 1e15 and value >= 0 and value == int(value), f"{said} is {value}: it must be a whole number."
    return float(value)


def check_criss_cross_counts(answer: Mapping[str, int], mine: Mapping[str, Any] = EXAMPLE, seed: int = 0) -> None:
    """Check what a student counted for an image of H rows and W columns and two of its pixels.

    Parameters
    ----------
    answer : mapping
        "weights": weights that one pass computes and that are not 0 by construction; "reached_0", "reached_1",
        "reached_2": pixels that can influence u after so many passes; "ways_2", "ways_3": ways of so many passes that
        lead from t to u.
    mine : mapping
        H, W, and the pixels u and t, each (row, column).
    seed : int
        Has no influence: nothing is drawn.

    Raises
    ------
    AssertionError
        Which number is wrong, and why if that is known; never the right one.
    """
    draw.generator(seed)
    counts = _counts(mine["H"], mine["W"], mine["u"], mine["t"])
    require_entries(answer, "counts", counts)
    for key, (right, wrong) in counts.items():
        got = _count(answer[key], key)
        known = [sentence for sentence, slip in wrong if got == slip]
        why = known[0] if known else "Count once more, with your own numbers; a sketch on squared paper helps."
        assert got == right, f'counts["{key}"] is not right. {why}'
    print(f"counts: right, all {len(counts)} numbers.")
