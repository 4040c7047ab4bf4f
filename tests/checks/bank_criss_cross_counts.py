"""Numbers typed in for `counts`, for the sizes and pixels of `EXAMPLE`: t lies in the row of u."""

from fractions import Fraction

import numpy as np
import torch

from segtut.checks.criss_cross_counts import EXAMPLE
from tests.checks.bank import Bank

bank = Bank("check_criss_cross_counts")
H, W = EXAMPLE["H"], EXAMPLE["W"]
N = H * W

RIGHT = {"weights": 585, "reached_0": 1, "reached_1": 13, "reached_2": 45, "ways_2": 9, "ways_3": 93}


def wrong(hint, **changed):
    bank.wrong(hint)(RIGHT | changed)


bank.right(RIGHT)
bank.right({key: float(value) for key, value in RIGHT.items()})
bank.right({key: np.int64(value) for key, value in RIGHT.items()})
bank.right({key: torch.tensor(value) for key, value in reversed(RIGHT.items())} | {"sketch": "on paper"})
bank.right(RIGHT | {"weights": 45 * 13, "reached_1": Fraction(13)})

bank.wrong("counts is None: write it first")(None)
bank.wrong("counts is Ellipsis: write it first")(...)
bank.wrong("counts is a list of 6: it must be a dictionary")(list(RIGHT.values()))
bank.wrong('counts has no entry "ways_3": leave the keys as they are')({key: RIGHT[key] for key in list(RIGHT)[:-1]})
wrong('counts["weights"] is Ellipsis: write your number there', weights=...)
wrong('counts["ways_2"] is None: write your number there', ways_2=None)
wrong("it must be a number, without quotes", weights="585")
wrong("it must be a number, without quotes", reached_0=True)
wrong("it must be a number, without quotes", ways_2=[9])
wrong("it must be a whole number", weights=585.5)
wrong("it must be a whole number", reached_1=float("nan"))
wrong("it must be a whole number", reached_1=-13)
wrong("it must be a whole number", ways_3=10**400)
wrong("it must be a whole number", ways_3=float("inf"))
wrong("counts every pixel twice for itself", weights=N * (H + W))
wrong("leaves out that a pixel looks at itself", weights=N * (H + W - 2))
wrong("That is for one pixel: ", weights=H + W - 1)
wrong("which counts itself twice besides", weights=H + W)
wrong("That is dense attention", weights=N * N)
wrong("That is for two passes: one is asked for", weights=2 * 585)
wrong("That is how many pixels there are", weights=N)
wrong('counts["weights"] is not right. Count once more, with your own numbers', weights=6 * 7 * 12)
wrong("u is still influenced by itself", reached_0=0)
wrong("R = 0 is none", reached_0=13)
wrong("without a pass nothing is passed on", reached_0=N)
wrong("counts u twice, in its column and in its row", reached_1=H + W)
wrong("That leaves out u itself", reached_1=H + W - 2)
wrong("one pass does not reach so far", reached_1=N)
wrong("That is for R = 0", reached_1=1)
wrong("A second pass reaches more than the first", reached_2=H + W - 1)
wrong("Only what the second pass adds is counted", reached_2=(H - 1) * (W - 1))
wrong("That is twice a cross", reached_2=2 * (H + W - 1))
wrong("That counts ways, not pixels", reached_2=(H + W - 1) ** 2)
wrong("That leaves out u itself", reached_2=N - 1)
wrong("So many pixels the image does not have", reached_2=N * N)
wrong("that holds for a pixel off the cross of u", ways_2=2)
wrong("that holds for a pixel in the column of u", ways_2=H)
wrong("that holds for u itself", ways_2=H + W - 1)
wrong("Ways that stay at a pixel for a pass are missing", ways_2=W - 2)
wrong("The direct step is no way of two passes unless", ways_2=1)
wrong("That counts the ways from all pixels", ways_2=(H + W - 1) ** 2)
wrong("That is for three passes", ways_2=93)
wrong("That is for two passes.", ways_3=9)
wrong("that holds for a pixel off the cross of u", ways_3=3 * (H + W - 2))
wrong("that holds for a pixel in the column of u", ways_3=3 * (H + W - 2) + 13)
wrong("not simply multiplied", ways_3=81)
wrong("not simply multiplied", ways_3=9 * 13)
wrong("That counts the ways from all pixels", ways_3=13**3)
wrong('counts["ways_3"] is not right. Count once more', ways_3=94)
