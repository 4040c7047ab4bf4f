"""Assignment 4: what a global context block costs, for a student's own sizes, typed in as numbers."""

from collections.abc import Callable, Mapping
from math import isfinite, prod
from numbers import Number
from typing import Any

from segtut.checks import words

FIRST = {"C": 64, "ratio": 0.25, "H": 30, "W": 40}
"""The sizes of the release that is made for nobody in particular."""

Formula = Callable[[int, int, int, int], float]  # of C, P = C · ratio, H and W

RIGHT: dict[str, Formula] = {
    "transform_parameters": lambda C, P, H, W: 2 * C * P + 3 * P + C,
    "weights_non_local": lambda C, P, H, W: (H * W) ** 2,
    "weights_global_context": lambda C, P, H, W: H * W,
    "products_non_local": lambda C, P, H, W: 2 * (H * W) ** 2 * C,
    "products_global_context": lambda C, P, H, W: 2 * H * W * C + 2 * C * P,
}
"""What is asked for, by name."""

UNKNOWN = "not right."
ADVICE = "Write the formula down with C, P = C · ratio, H and W first, and then put your numbers in."
FLOPS = "Count multiplications, not multiplications and additions: it is half of that."

WRONG: dict[str, tuple[tuple[str, Formula], ...]] = {
    "transform_parameters": (
        ("The biases of the convolutions and both parameters of the layer norm are missing.",
         lambda C, P, H, W: 2 * C * P),
        ("The biases of the two convolutions are missing.", lambda C, P, H, W: 2 * C * P + 2 * P),
        ("The layer norm is missing: it has a scale and a shift for each of its channels.",
         lambda C, P, H, W: 2 * C * P + P + C),
        ("The layer norm has a shift as well as a scale.", lambda C, P, H, W: 2 * C * P + 2 * P + C),
        ("The second convolution is missing.", lambda C, P, H, W: C * P + 3 * P),
        ("The second convolution is missing, and the layer norm.", lambda C, P, H, W: C * P + P),
        ("The second convolution has C biases, not P.", lambda C, P, H, W: 2 * C * P + 4 * P),
        ("The first convolution has P biases, not C.", lambda C, P, H, W: 2 * C * P + 2 * P + 2 * C),
        ("The convolutions are 1×1, not 3×3.", lambda C, P, H, W: 18 * C * P + 3 * P + C),
        ("The layer norm has P channels, not C.", lambda C, P, H, W: 2 * C * P + P + 3 * C),
        ("w_key is no part of the transform.", lambda C, P, H, W: 2 * C * P + 3 * P + 2 * C),
        ("ratio is a factor: P = C · ratio, not C / ratio.",
         lambda C, P, H, W: 2 * C * (C * C // P) + 3 * (C * C // P) + C),
        ("The transform narrows to P = C · ratio channels: you have counted with C.",
         lambda C, P, H, W: 2 * C * C + 4 * C),
        ("A transform has the same parameters for all positions.", lambda C, P, H, W: (2 * C * P + 3 * P + C) * H * W),
    ),
    "weights_non_local": (
        ("That is one map: a non-local block has one for every query.", lambda C, P, H, W: H * W),
        ("That is criss-cross attention: here every query looks at all positions.",
         lambda C, P, H, W: H * W * (H + W - 1)),
        ("That is criss-cross attention: here every query looks at all positions.", lambda C, P, H, W: H * W * (H + W)),
        ("Each pair counts twice, since u looks at s and s looks at u.", lambda C, P, H, W: H * W * (H * W + 1) // 2),
        ("A query looks at itself, too.", lambda C, P, H, W: H * W * (H * W - 1)),
        ("All channels share a weight.", lambda C, P, H, W: (H * W) ** 2 * C),
        ("N is H·W, not H + W.", lambda C, P, H, W: (H + W) ** 2),
        ("Each pair counts twice, since u looks at s and s looks at u.", lambda C, P, H, W: (H * W) ** 2 // 2),
        ("Queries and keys are both all H·W positions.", lambda C, P, H, W: H * W * H),
        ("Queries and keys are both all H·W positions.", lambda C, P, H, W: H * W * W),
    ),
    "weights_global_context": (
        ("That is a map for every query: a global context block has one for all.", lambda C, P, H, W: (H * W) ** 2),
        ("All channels share a weight.", lambda C, P, H, W: H * W * C),
        ("N is H·W, not H + W.", lambda C, P, H, W: H + W),
        ("That is the context: its weights are one a position.", lambda C, P, H, W: C),
    ),
    "products_non_local": (
        ("Only one of the two products is counted: q · k for the weights, and the weights times v.",
         lambda C, P, H, W: (H * W) ** 2 * C),
        (FLOPS, lambda C, P, H, W: 4 * (H * W) ** 2 * C),
        ("There are two products: the softmax between them is not counted.", lambda C, P, H, W: 3 * (H * W) ** 2 * C),
        ("Queries, keys and values have C channels each, not P.", lambda C, P, H, W: 2 * (H * W) ** 2 * P),
        ("Queries, keys and values have C channels each, not P.", lambda C, P, H, W: (H * W) ** 2 * (P + C)),
        ("That is for one query: there are N of them.", lambda C, P, H, W: 2 * H * W * C),
        ("A weight takes C multiplications, and is then multiplied by C values.", lambda C, P, H, W: 2 * (H * W) ** 2),
        ("Leave the projections out: q, k and v are given.",
         lambda C, P, H, W: 2 * (H * W) ** 2 * C + 3 * H * W * C * C),
        ("Leave the projections out: q, k and v are given.",
         lambda C, P, H, W: 2 * (H * W) ** 2 * C + 4 * H * W * C * C),
    ),
    "products_global_context": (
        ("The transform is missing.", lambda C, P, H, W: 2 * H * W * C),
        ("The pooling is missing.", lambda C, P, H, W: 2 * C * P),
        ("The transform is applied once, to the context, and not at every position.",
         lambda C, P, H, W: 2 * H * W * C + 2 * C * P * H * W),
        ("Two steps of the pooling multiply: w_key · x, and the weights times x.",
         lambda C, P, H, W: H * W * C + 2 * C * P),
        ("The transform has two convolutions.", lambda C, P, H, W: 2 * H * W * C + C * P),
        (FLOPS, lambda C, P, H, W: 2 * (2 * H * W * C + 2 * C * P)),
        ("There is one query for all, not one a position.", lambda C, P, H, W: 2 * (H * W) ** 2 * C + 2 * C * P),
        ("Biases are not counted here.", lambda C, P, H, W: 2 * H * W * C + 2 * C * P + P + C),
        ("The residual takes no multiplication.", lambda C, P, H, W: 3 * H * W * C + 2 * C * P),
        ("The transform narrows to P = C · ratio channels: you have counted with C.",
         lambda C, P, H, W: 2 * H * W * C + 2 * C * C),
        ("Biases and the layer norm are not counted here.", lambda C, P, H, W: 2 * H * W * C + 2 * C * P + 3 * P + C),
    ),
}  # fmt: skip
"""Of each, what people count instead."""


def check_context_costs(answer: Mapping[str, Any], mine: Mapping[str, Any] = FIRST, seed: int = 0) -> None:
    """Check what a student counted for sizes of their own; no hint tells the number.

    Parameters
    ----------
    answer : dict
        Name -> number, for each name in `RIGHT`, of one image: parameters of the transform C → P → C with biases and
        a layer norm over P; weights of each block's attention; multiplications in the products of each block, without
        the projections.
    mine : dict
        The sizes: C, ratio, H, W.
    seed : int
        Not used: nothing is drawn.

    Raises
    ------
    AssertionError
        What is missing or counted wrongly, all in one message.
    """
    assert isinstance(answer, Mapping), (
        f"costs is {words.thing(answer)}: leave it a dictionary, and fill the numbers in."
    )
    C, H, W = mine["C"], mine["H"], mine["W"]
    sizes = C, round(C * mine["ratio"]), H, W
    problems = [f"{name}: {problem}" for name in RIGHT if (problem := _problem(name, answer, sizes))]
    if problems:
        right = len(RIGHT) - len(problems)
        advice = [ADVICE] if any(problem.endswith(UNKNOWN) for problem in problems) else []
        raise AssertionError("\n".join([f"{right} of {len(RIGHT)} numbers are as they must be.", *problems, *advice]))
    print(f"costs: all {len(RIGHT)} numbers are right.")


def _problem(name: str, answer: Mapping[str, Any], sizes: tuple[int, int, int, int]) -> str | None:
    value = answer.get(name)
    if value is None or value is Ellipsis:
        return "not filled in yet."
    if prod(getattr(value, "shape", (2,))) == 1:
        value = value.item()  # of NumPy or PyTorch
    if isinstance(value, bool) or not isinstance(value, Number) or isinstance(value, complex):
        return f"{value!r} is no number: type it in as digits."
    if value == RIGHT[name](*sizes):
        return None
    if not isfinite(value) or value <= 0 or value != int(value):
        return "it must be a positive whole number."
    for sentence, formula in WRONG[name]:
        if value == formula(*sizes):
            return sentence
    if name in ("products_non_local", "weights_non_local") and value == RIGHT[
        name.replace("non_local", "global_context")
    ](*sizes):
        return "that is the global context block's."
    if abs(value - RIGHT[name](*sizes)) <= 0.01 * value:
        return "close, but count exactly, without rounding."
    if any(value == RIGHT[other](*sizes) for other in RIGHT):
        return "this number belongs under another name."
    return UNKNOWN
