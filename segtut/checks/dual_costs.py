"""Assignment 3: what position and channel attention cost, typed in for a student's own sizes."""

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

from segtut.checks import draw
from segtut.checks.typed import number, require_entries

EXAMPLE = {"C": 48, "H": 10, "W": 21}

# key -> of C, N: first the right number, then what people type instead, and why it is wrong
Formula = Callable[[int, int, int], float]
MAPS: dict[str, tuple[Formula, tuple[tuple[str, Formula], ...]]] = {
    "position": (
        lambda C, H, W: (H * W) ** 2,
        (
            ("That is how many positions there are: the map has a weight for each pair of them.",
             lambda C, H, W: H * W),
            ("That is a map for channels: position attention compares positions.", lambda C, H, W: C * C),
            ("That is a criss-cross map: here each position looks at all others.", lambda C, H, W: H * W * (H + W)),
            ("That is a criss-cross map: here each position looks at all others.",
             lambda C, H, W: H * W * (H + W - 1)),
            ("That is how many numbers x has: the map has a weight for each pair of positions.",
             lambda C, H, W: C * H * W),
            ("That counts each pair once: A[u, s] and A[s, u] are two numbers.",
             lambda C, H, W: H * W * (H * W + 1) / 2),
            ("That leaves each position itself out: it has a weight too.", lambda C, H, W: H * W * (H * W - 1)),
            ("There is one map, not one for each channel.", lambda C, H, W: C * (H * W) ** 2),
        ),
    ),
    "channel": (
        lambda C, H, W: C * C,
        (
            ("That is how many channels there are: the map has a weight for each pair of them.", lambda C, H, W: C),
            ("That is a map for positions: channel attention compares channels.", lambda C, H, W: (H * W) ** 2),
            ("That is how many numbers x has: the map has a weight for each pair of channels.",
             lambda C, H, W: C * H * W),
            ("Channel attention has no query channels: all C channels are compared.", lambda C, H, W: (C // 8) ** 2),
            ("That counts each pair once: A[c, d] and A[d, c] are two numbers.", lambda C, H, W: C * (C + 1) / 2),
            ("That leaves each channel itself out: it has a weight too.", lambda C, H, W: C * (C - 1)),
            ("There is one map, not one for each position.", lambda C, H, W: C * C * H * W),
        ),
    ),
}  # fmt: skip
PRODUCTS: dict[str, tuple[Formula, tuple[tuple[str, Formula], ...]]] = {
    "position": (
        lambda C, H, W: (H * W) ** 2 * (C // 8 + C),
        (
            ("That is the affinity alone: collecting the values multiplies too.",
             lambda C, H, W: (H * W) ** 2 * (C // 8)),
            ("That is the collecting alone: the affinity multiplies too.", lambda C, H, W: (H * W) ** 2 * C),
            ("That takes queries and keys of C channels: they have C // 8.", lambda C, H, W: 2 * (H * W) ** 2 * C),
            ("That takes values of C // 8 channels: they have C.", lambda C, H, W: 2 * (H * W) ** 2 * (C // 8)),
            ("That counts N where each of N positions meets N others.", lambda C, H, W: H * W * (C // 8 + C)),
            ("That counts the 1×1 convolutions too: only the two products with a map are asked for.",
             lambda C, H, W: (H * W) ** 2 * (C // 8 + C) + H * W * C * (2 * (C // 8) + C)),
            ("That counts additions too: only multiplications are asked for.",
             lambda C, H, W: 2 * (H * W) ** 2 * (C // 8 + C)),
            ("That counts additions too: only multiplications are asked for.",
             lambda C, H, W: (H * W) ** 2 * (2 * (C // 8) - 1) + H * W * C * (2 * H * W - 1)),
            ("That counts the softmax too: only the two products with a map are asked for.",
             lambda C, H, W: (H * W) ** 2 * (C // 8 + C + 1)),
            ("That multiplies C // 8 by itself: queries and keys have C // 8 channels, the values C, and the two "
             "products are added.", lambda C, H, W: (H * W) ** 2 * (C // 8) ** 2),
            ("That multiplies the costs of the two products: they are done one after the other, so add them.",
             lambda C, H, W: (H * W) ** 4 * (C // 8) * C),
            ("That is the cost of channel attention.", lambda C, H, W: 2 * C * C * H * W),
        ),
    ),
    "channel": (
        lambda C, H, W: 2 * C * C * H * W,
        (
            ("That is one of two products: the energy multiplies, and so does the mixing.",
             lambda C, H, W: C * C * H * W),
            ("That leaves out that each product of two channels runs over all N positions.",
             lambda C, H, W: 2 * C * C),
            ("That counts additions too: only multiplications are asked for.", lambda C, H, W: 4 * C * C * H * W),
            ("That counts additions too: only multiplications are asked for.",
             lambda C, H, W: C * C * (2 * H * W - 1) + C * H * W * (2 * C - 1)),
            ("That counts the softmax too: only the two products with a map are asked for.",
             lambda C, H, W: C * C * (2 * H * W + 1)),
            ("N and C are exchanged: a pair of channels multiplies at N positions.",
             lambda C, H, W: 2 * C * (H * W) ** 2),
            ("That is the cost of position attention.", lambda C, H, W: (H * W) ** 2 * (C // 8 + C)),
            ("Channel attention has no query channels: all C channels are compared.",
             lambda C, H, W: (C * (C // 8) + C * C) * H * W),
            ("That multiplies the costs of the two products: they are done one after the other, so add them.",
             lambda C, H, W: (C * C * H * W) ** 2),
        ),
    ),
}  # fmt: skip
UNITS = (
    ("That counts numbers: a float32 takes several bytes.", 1 / 4),
    ("That takes two bytes a number, as float16 does: float32 is asked for.", 1 / 2),
    ("That takes eight bytes a number, as float64 does: float32 is asked for.", 2),
    ("That counts bits: bytes are asked for.", 8),
    *(
        ("That is in another unit: plain bytes are asked for.", 1 / unit)
        for unit in (1e3, 1024, 1e6, 2**20, 1e9, 2**30)
    ),
)


def _expected(C: int, H: int, W: int) -> dict[str, tuple[float, list[tuple[str, float]]]]:
    """For each key the right number, and wrong ones with what to say of them."""
    expected = {}
    for kind in ("position", "channel"):
        for what, formulas in (("map", MAPS), ("products", PRODUCTS)):
            right, wrong = formulas[kind]
            expected[f"{kind} {what}"] = right(C, H, W), [(sentence, of(C, H, W)) for sentence, of in wrong]
        size, wrong = expected[f"{kind} map"]
        units = [(sentence, 4 * size * factor) for sentence, factor in UNITS]
        maps = [(f"These are the bytes of another map. {sentence}", 4 * other) for sentence, other in wrong]
        expected[f"{kind} bytes"] = 4 * size, units + maps
    return expected


def _cost(value: Any, key: str) -> Real:
    said = f'costs["{key}"]'
    value = number(value, said, "without quotes and units")
    assert 0 < value < 1e300, f"{said} is {value}: it must be above 0 and finite."
    return value


def check_dual_costs(answer: Mapping[str, int], mine: Mapping[str, int] = EXAMPLE, seed: int = 0) -> None:
    """Check the costs of both attentions for sizes C, H and W, of one image in float32.

    Parameters
    ----------
    answer : mapping
        "position map", "position products", "position bytes" and the same for "channel": numbers in the map,
        multiplications of the two products with it, and bytes of the map. Queries and keys have C // 8 channels.
    mine : mapping
        C, H and W.
    seed : int
        Has no influence: nothing is drawn.

    Raises
    ------
    AssertionError
        Which number is wrong, and why if that is known; never the right one.
    """
    draw.generator(seed)
    sizes = isinstance(mine, Mapping) and [mine.get(key) for key in "CHW"]
    assert sizes and all(isinstance(size, int) and size > 0 for size in sizes), (
        "MINE must hold your own C, H and W: leave that cell as it was handed out."
    )
    expected = _expected(*sizes)
    require_entries(answer, "costs", expected)
    for key, (right, wrong) in expected.items():
        got = _cost(answer[key], key)
        known = [sentence for sentence, slip in wrong if abs(got - slip) <= min(0.5, slip / 100)]  # rounded
        why = known[0] if known else "Count once more, with your own C, H and W."
        assert got == right, f'costs["{key}"] is not right. {why}'
    print(f"costs: right, all {len(expected)} numbers.")
