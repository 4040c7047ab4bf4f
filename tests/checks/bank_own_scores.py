"""Numbers typed in for `scores`, for the matrix of `EXAMPLE`."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import torch

from tests.checks.bank import Bank

bank = Bank("check_own_scores")

# rows: 40 3 0 0 / 4 25 1 0 / 1 2 2 0 / 0 0 0 0
RIGHT = {
    "pixel accuracy": 0.859,
    "sky IoU": 0.833,
    "building IoU": 0.714,
    "pole IoU": 0.333,
    "mean IoU": 0.627,
    "mean IoU after the slip": 0.466,
}


def but(**changed):
    """The right numbers but for some; "_" stands for a space."""
    return RIGHT | {key.replace("_", " "): value for key, value in changed.items()}


def wrong(hint, **changed):
    bank.wrong(hint)(but(**changed))


bank.right(RIGHT)
bank.right(but(pole_IoU=1 / 3, sky_IoU=40 / 48, building_IoU=25 / 35, pixel_accuracy=67 / 78))
bank.right({key: torch.tensor(value) for key, value in reversed(RIGHT.items())} | {"my notes": "78 pixels"})
bank.right(but(pole_IoU=Fraction(1, 3), building_IoU=np.float32(0.7143), mean_IoU=0.626))

bank.wrong("scores is None: write it first")(None)
bank.wrong("scores is Ellipsis: write it first")(...)
bank.wrong("it must be a dictionary")(list(RIGHT.values()))
bank.wrong('scores has no entry "mean IoU": leave the keys as they are')(
    {key: value for key, value in RIGHT.items() if key != "mean IoU"}
)
wrong('scores["pole IoU"] is Ellipsis: write your number there', pole_IoU=...)
wrong("it must be a number, without quotes", pole_IoU="1/3")
wrong("it must be a number, without quotes", mean_IoU=True)
wrong("it must lie between 0 and 1", sky_IoU=-0.8)
wrong("it must lie between 0 and 1", pole_IoU=float("nan"))
wrong("is it in percent?", pixel_accuracy=85.9)
wrong("give three decimals", pixel_accuracy=0.86 + 0.005)
wrong("give three decimals", mean_IoU=0.63)
wrong('scores["pixel accuracy"] is not right. That is the mean IoU', pixel_accuracy=0.627)
wrong(
    "That is the mean of the classes' recalls: accuracy counts pixels", pixel_accuracy=(40 / 43 + 25 / 30 + 2 / 5) / 3
)
wrong("That is the share of wrong pixels", pixel_accuracy=11 / 78)
wrong('scores["sky IoU"] is not right. That is recall', sky_IoU=0.930)
wrong('scores["building IoU"] is not right. That is recall', building_IoU=0.833)
wrong('scores["pole IoU"] is not right. That is precision', pole_IoU=0.667)
wrong("That is precision", sky_IoU=0.889)
wrong("That is Dice", sky_IoU=80 / 88)
wrong("That counts the hits twice in the union", building_IoU=25 / 60)
wrong("That divides the hits by all pixels", sky_IoU=40 / 78)
wrong("That counts fence as 0", mean_IoU=(40 / 48 + 25 / 35 + 1 / 3) / 4)
wrong("That counts fence as 1: a class that neither occurs", mean_IoU=(40 / 48 + 25 / 35 + 1 / 3 + 1) / 4)
wrong("That is the pixel accuracy", mean_IoU=0.859)
wrong("in mean IoU each counts the same", mean_IoU=(40 / 48 * 43 + 25 / 35 * 30 + 1 / 3 * 5) / 78)
wrong("That leaves fence out: it is predicted once now", mean_IoU_after_the_slip=(40 / 49 + 25 / 35 + 1 / 3) / 3)
wrong("That is as before", mean_IoU_after_the_slip=0.627)
wrong("That leaves sky as it was", mean_IoU_after_the_slip=(40 / 48 + 25 / 35 + 1 / 3) / 4)
wrong("it has no hit, so its IoU is 0", mean_IoU_after_the_slip=(40 / 49 + 25 / 35 + 1 / 3 + 1) / 4)
wrong("Work it out once more, with your own matrix", mean_IoU_after_the_slip=0.2)
wrong("Work it out once more, with your own matrix", pole_IoU=0.05)

bank.right({key: np.array(value) for key, value in RIGHT.items()})
bank.right({key: Decimal(str(value)) for key, value in RIGHT.items()})

wrong("That is the mean of the classes' precisions", mean_IoU=(40 / 45 + 25 / 30 + 2 / 3) / 3)
wrong("That is the mean of Dice", mean_IoU=(80 / 88 + 50 / 60 + 4 / 8) / 3)
wrong("The union lacks the hits", sky_IoU=40 / (43 + 45 - 80))
wrong("That is recall: the union has the column of the class, too. Or: That is precision", building_IoU=25 / 30)
wrong("It must lie between 0 and 1.", pixel_accuracy=67)
wrong("it must be a number, without quotes, such as 0.25", sky_IoU=(0, 833))
