"""Answers to the costs of assignment 4, for the sizes of the release that is made for nobody in particular."""

import numpy as np
import torch

from segtut.checks.context_costs import FIRST
from tests.checks.bank import Bank

bank = Bank("check_context_costs")
C, H, W = FIRST["C"], FIRST["H"], FIRST["W"]
P, N = 16, 1200
RIGHT = {
    "transform_parameters": 2160,
    "weights_non_local": 1440000,
    "weights_global_context": 1200,
    "products_non_local": 184320000,
    "products_global_context": 155648,
}


def but(**numbers):
    return RIGHT | numbers


bank.right(dict(RIGHT))
bank.right({name: float(value) for name, value in RIGHT.items()})
bank.right({name: np.int64(value) for name, value in RIGHT.items()})
bank.right({name: torch.tensor(value) for name, value in RIGHT.items()} | {"note": "computed by hand"})
bank.right(dict(reversed(RIGHT.items())))

bank.wrong("transform_parameters: not filled in yet")(dict.fromkeys(RIGHT))
bank.wrong("weights_non_local: not filled in yet")({})
bank.wrong("leave it a dictionary")([2160, 1440000, 1200, 184320000, 155648])
bank.wrong("leave it a dictionary")(None)
bank.wrong("is no number")(but(transform_parameters="2160"))
bank.wrong("is no number")(but(transform_parameters=True))
bank.wrong("a positive whole number")(but(transform_parameters=2160.5))
bank.wrong("a positive whole number")(but(transform_parameters=float("nan")))
bank.wrong("a positive whole number")(but(weights_global_context=-1200))
bank.wrong("3 of 5 numbers are as they must be")(but(transform_parameters=1, weights_non_local=2))
bank.wrong("both parameters of the layer norm are missing")(but(transform_parameters=2 * C * P))
bank.wrong("biases of the two convolutions are missing")(but(transform_parameters=2 * C * P + 2 * P))
bank.wrong("The layer norm is missing: it has")(but(transform_parameters=2 * C * P + P + C))
bank.wrong("a shift as well as a scale")(but(transform_parameters=2 * C * P + P + C + P))
bank.wrong("P = C · ratio, not C / ratio")(but(transform_parameters=2 * C * 256 + 3 * 256 + C))
bank.wrong("w_key is no part")(but(transform_parameters=2160 + C))
bank.wrong("you have counted with C")(but(transform_parameters=2 * C * C + 3 * C + C))
bank.wrong("same parameters for all positions")(but(transform_parameters=2160 * N))
bank.wrong("one for every query")(but(weights_non_local=N))
bank.wrong("criss-cross attention")(but(weights_non_local=N * (H + W - 1)))
bank.wrong("N is H·W, not H + W")(but(weights_non_local=(H + W) ** 2))
bank.wrong("All channels share a weight")(but(weights_non_local=N * N * C))
bank.wrong("a global context block has one for all")(but(weights_global_context=N * N))
bank.wrong("That is the context")(but(weights_global_context=C))
bank.wrong("Only one of the two products")(but(products_non_local=N * N * C))
bank.wrong("Count multiplications, not")(but(products_non_local=4 * N * N * C))
bank.wrong("That is for one query")(but(products_non_local=2 * N * C))
bank.wrong("Leave the projections out")(but(products_non_local=2 * N * N * C + 4 * N * C * C))
bank.wrong("close, but count exactly")(but(products_non_local=184e6))
bank.wrong("The transform is missing")(but(products_global_context=2 * N * C))
bank.wrong("and not at every position")(but(products_global_context=2 * N * C + 2 * C * P * N))
bank.wrong("Two steps of the pooling multiply")(but(products_global_context=N * C + 2 * C * P))
bank.wrong("Biases and the layer norm are not counted")(but(products_global_context=2 * N * C + 2160))
bank.wrong("this number belongs under another name")(but(transform_parameters=1200))
bank.wrong("Write the formula down")(but(products_global_context=12345))

bank.right({name: torch.tensor([value]) for name, value in RIGHT.items()})
bank.wrong("a positive whole number")(but(weights_non_local=float("inf")))
bank.wrong("The second convolution has C biases")(but(transform_parameters=2 * C * P + 4 * P))
bank.wrong("The first convolution has P biases")(but(transform_parameters=2 * C * P + 2 * P + 2 * C))
bank.wrong("1×1, not 3×3")(but(transform_parameters=18 * C * P + 3 * P + C))
bank.wrong("both all H·W positions")(but(weights_non_local=H * H * W))
bank.wrong("Each pair counts twice")(but(weights_non_local=N * N // 2))
bank.wrong("the softmax between them is not counted")(but(products_non_local=3 * N * N * C))
bank.wrong("have C channels each, not P")(but(products_non_local=N * N * (P + C)))
bank.wrong("Biases are not counted")(but(products_global_context=2 * N * C + 2 * C * P + P + C))
bank.wrong("The residual takes no multiplication")(but(products_global_context=3 * N * C + 2 * C * P))
bank.wrong("you have counted with C")(but(products_global_context=2 * N * C + 2 * C * C))
