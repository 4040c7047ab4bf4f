"""Numbers typed in for `costs`, for the sizes of `EXAMPLE`."""

from fractions import Fraction

import numpy as np
import torch

from segtut.checks.dual_costs import EXAMPLE
from tests.checks.bank import Bank

bank = Bank("check_dual_costs")
C, H, W = EXAMPLE["C"], EXAMPLE["H"], EXAMPLE["W"]
N = H * W

RIGHT = {
    "position map": 44100,
    "position products": 2381400,
    "position bytes": 176400,
    "channel map": 2304,
    "channel products": 967680,
    "channel bytes": 9216,
}


def but(**changed):
    """The right numbers but for some; "_" stands for a space."""
    return RIGHT | {key.replace("_", " "): value for key, value in changed.items()}


def wrong(hint, **changed):
    bank.wrong(hint)(but(**changed))


bank.right(RIGHT)
bank.right({key: float(value) for key, value in RIGHT.items()})
bank.right({key: np.int64(value) for key, value in RIGHT.items()})
bank.right({key: torch.tensor(value) for key, value in reversed(RIGHT.items())} | {"my notes": "N = 210"})
bank.right(but(position_bytes=Fraction(176400), channel_map=48 * 48))

bank.wrong("costs is None: write it first")(None)
bank.wrong("costs is Ellipsis: write it first")(...)
bank.wrong("costs is a list of 6: it must be a dictionary")(list(RIGHT.values()))
bank.wrong('costs has no entry "channel bytes": leave the keys as they are')(
    {key: value for key, value in RIGHT.items() if key != "channel bytes"}
)
wrong('costs["position map"] is Ellipsis: write your number there', position_map=...)
wrong("it must be a number, without quotes and units", position_map="44100")
wrong("it must be a number, without quotes and units", channel_bytes="9 KiB")
wrong("it must be a number, without quotes and units", position_map=(210, 210))
wrong("it must be a number, without quotes and units", channel_map=True)
wrong("it must be above 0 and finite", channel_map=0)
wrong("it must be above 0 and finite", channel_map=float("nan"))
wrong("That is how many positions there are", position_map=N)
wrong("That is a map for channels", position_map=C * C)
wrong("That is a criss-cross map", position_map=N * (H + W - 1))
wrong("That is a criss-cross map", position_map=N * (H + W))
wrong("That is how many numbers x has: the map has a weight for each pair of positions", position_map=C * N)
wrong("There is one map, not one for each channel", position_map=C * N * N)
wrong("A[u, s] and A[s, u] are two numbers", position_map=N * (N + 1) // 2)
wrong("Count once more, with your own C, H and W", position_map=4 * N * N)
wrong("Count once more, with your own C, H and W", position_map=(14 * 24) ** 2)
wrong("That is how many channels there are", channel_map=C)
wrong("That is a map for positions", channel_map=N * N)
wrong("Channel attention has no query channels", channel_map=(C // 8) ** 2)
wrong("There is one map, not one for each position", channel_map=C * C * N)
wrong("That is the affinity alone", position_products=N * N * C // 8)
wrong("That is the collecting alone", position_products=N * N * C)
wrong("queries and keys of C channels", position_products=2 * N * N * C)
wrong("values of C // 8 channels", position_products=2 * N * N * C // 8)
wrong("That counts N where each of N positions meets N others", position_products=N * (C // 8 + C))
wrong("That counts the 1×1 convolutions too", position_products=N * N * (C // 8 + C) + N * C * (C // 4 + C))
wrong("That counts additions too", position_products=2 * N * N * (C // 8 + C))
wrong("add them", position_products=N**4 * (C // 8) * C)
wrong("That is the cost of channel attention", position_products=2 * C * C * N)
wrong("That is one of two products", channel_products=C * C * N)
wrong("each product of two channels runs over all N positions", channel_products=2 * C * C)
wrong("That counts additions too", channel_products=4 * C * C * N)
wrong("N and C are exchanged", channel_products=2 * C * N * N)
wrong("That is the cost of position attention", channel_products=N * N * (C // 8 + C))
wrong("That counts numbers: a float32 takes several bytes", position_bytes=N * N)
wrong("That counts numbers: a float32 takes several bytes", channel_bytes=C * C)
wrong("as float16 does", position_bytes=2 * N * N)
wrong("as float64 does", channel_bytes=8 * C * C)
wrong("That counts bits: bytes are asked for", channel_bytes=32 * C * C)
wrong("That is in another unit: plain bytes are asked for", position_bytes=176.4)
wrong("That is in another unit: plain bytes are asked for", position_bytes=0.168)
wrong("That is in another unit: plain bytes are asked for", channel_bytes=9)
wrong("These are the bytes of another map. That is a map for positions", channel_bytes=4 * N * N)
wrong("These are the bytes of another map. That is how many positions", position_bytes=4 * N)
wrong("Count once more, with your own C, H and W", channel_bytes=9217)
wrong("it must be above 0 and finite", position_map=10**400)
wrong("That counts additions too", position_products=N * N * (C // 4 - 1) + N * C * (2 * N - 1))
wrong("That counts additions too", channel_products=C * C * (2 * N - 1) + C * N * (2 * C - 1))
wrong("That counts the softmax too", position_products=N * N * (C // 8 + C + 1))
wrong("That counts the softmax too", channel_products=2 * C * C * N + C * C)
wrong("That multiplies C // 8 by itself", position_products=N * N * (C // 8) ** 2)
