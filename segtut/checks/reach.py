"""Assignment 2: which pixels can influence a pixel after R passes of criss-cross attention."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segtut.checks import draw
from segtut.checks.judging import judge
from segtut.checks.question import Inputs, Mistake, Question


def _grown(mask: Tensor, across: bool) -> Tensor:
    """The mask and all pixels that touch it, also by a corner if `across`."""
    near = torch.tensor([[0.0, 1, 0], [1, 1, 1], [0, 1, 0]]) if not across else torch.ones(3, 3)
    return torch.conv2d(mask.float()[None, None], near[None, None], padding=1)[0, 0] > 0


def _grown_while_scanning(mask: Tensor) -> Tensor:
    """A pass that meets, on its way through the image, pixels that it has only just reached."""
    mask = mask.clone()
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            if mask[row, column]:
                mask[row], mask[:, column] = True, True
    return mask


def reach(
    H: int,
    W: int,
    u: tuple[int, int],
    R: int,
    *,
    passes: str = "R",
    u_is: str = "(row, column)",
    lines: str = "cross",
    itself: str = "reached",
    only: str = "all",
    result: str = "(H, W)",
) -> Tensor:
    """Bool (H, W), with the mistakes that people make as options."""
    size = (W, H) if result == "(W, H) from the start" else (H, W)
    i, j = u if u_is == "(row, column)" else (u[1], u[0])
    if u_is == "counted from 1":
        i, j = (u[0] - 1) % size[0], (u[1] - 1) % size[1]  # as an index, −1 is the last
    R = {
        "R": R, "R - 1": max(R - 1, 0), "R + 1": R + 1, "1": 1, "2": 2, "at most 1": min(R, 1),
        "all from 3 on": R - (R == 2),
    }[passes]  # fmt: skip
    rows, columns = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    below, right = (rows - i).abs(), (columns - j).abs()
    start = (below == 0) & (right == 0)
    cross = (below == 0) | (right == 0)
    mask = before = start
    for step in range(R):
        before = mask
        mask = {
            "cross": cross if step == 0 else torch.ones_like(start),
            "row": below == 0,
            "column": right == 0,
            "queen": (cross | (below == right)) if step == 0 else torch.ones_like(start),
            "diagonals": below == right,
            "band": (below <= step) | (right <= step),
            "arms": cross & (below + right <= step + 1),
            "diamond": _grown(mask, False),
            "box": _grown(mask, True),
            "everything": torch.ones_like(start),
            "row, then column": mask.any(1 - step % 2, keepdim=True).expand_as(mask),
            "column, then row": mask.any(step % 2, keepdim=True).expand_as(mask),
            "while scanning": _grown_while_scanning(mask),
            "never stays": mask.sum(1, keepdim=True) + mask.sum(0) - 2 * mask.int() > 0,
        }[lines]
    if only == "new":
        mask = mask & ~before if R else mask
    if itself == "missing" or (itself == "missing from R = 1 on" and R) or (itself == "missing at R = 1" and R == 1):
        mask = mask & ~start
    if itself == "missing at R = 0" and not R:
        mask = mask & ~start
    if itself == "nothing":
        mask = torch.zeros_like(mask)
    return {"(H, W)": mask, "(W, H) from the start": mask, "transposed": mask.mT, "inverted": ~mask,
            "pixels": mask.nonzero(), "flat": mask.flatten(), "with a batch axis": mask[None]}[result]  # fmt: skip


MISTAKES = (
    Mistake("A pass is missing: R = 0 is the pixel itself alone, R = 1 its column and row.", {"passes": "R - 1"}),
    Mistake("There is a pass too many: R = 0 is the pixel itself alone, R = 1 its column and row.",
            {"passes": "R + 1"}),
    Mistake("R is not used: it is the cross of a single pass every time.", {"passes": "1"}),
    Mistake("R is not used: it is everything every time.", {"passes": "2"}),
    Mistake("After the first pass nothing is added: in the second, the pixels of the cross pass on what they have "
            "collected from their own.", {"passes": "at most 1"}),
    Mistake("The second pass adds nothing: in it, the pixels of the cross pass on what they have collected from "
            "their own.", {"passes": "all from 3 on"}),
    Mistake("u is read as (column, row): it is (row, column).", {"u_is": "(column, row)"}),
    Mistake("u is counted from 1: the first row and the first column are 0.", {"u_is": "counted from 1"}),
    Mistake("Only the row is there: a pixel looks at its column too.", {"lines": "row"}),
    Mistake("Only the column is there: a pixel looks at its row too.", {"lines": "column"}),
    Mistake("The diagonals are in it too: a pixel looks at its column and its row only.", {"lines": "queen"}),
    Mistake("It looks along the diagonals: a pixel looks at its column and its row.", {"lines": "diagonals"}),
    Mistake("From the second pass on the cross is only made wider: every pixel of it has its own column and row, "
            "which cover the image.", {"lines": "band"}),
    Mistake("A pass goes one step far along the cross: it goes along the whole column and row.", {"lines": "arms"}),
    Mistake("A pass goes to the four neighbours only (a diamond): it goes along the whole column and row.",
            {"lines": "diamond"}),
    Mistake("A pass goes to the eight neighbours (a box, as in a 3×3 convolution): it goes along the whole column "
            "and row.", {"lines": "box"}),
    Mistake("One pass is said to reach everything: it reaches the pixel's column and row only.",
            {"lines": "everything"}),
    Mistake("The map is changed while a pass runs through it, so that pixels that are reached only now pass on at "
            "once: change a copy.", {"lines": "while scanning"}),
    Mistake("A pass goes along one line only, the first along the row and the second along the column: each goes "
            "along both.", {"lines": "row, then column"}),
    Mistake("A pass goes along one line only, the first along the column and the second along the row: each goes "
            "along both.", {"lines": "column, then row"}),
    Mistake("What has reached a pixel does not stay there: a pixel looks at itself, too, and every pass adds its "
            "input.",
            {"lines": "never stays"}),
    Mistake("Nothing is True: what can influence u must be, and u itself always can.", {"itself": "nothing"}),
    Mistake("The result is a list of pixels: it must be (H, W), True at these pixels.", {"result": "pixels"}),
    Mistake("u itself is missing: it lies in its own column and row.", {"itself": "missing"}),
    Mistake("u itself is missing from R = 1 on: it lies in its own column and row.",
            {"itself": "missing from R = 1 on"}),
    Mistake("u itself is missing for R = 1: it lies in its own column and row.", {"itself": "missing at R = 1"}),
    Mistake("For R = 0 nothing is reached: without a pass, u is still influenced by itself.",
            {"itself": "missing at R = 0"}),
    Mistake("Only pixels that the last pass adds are there: those reached before stay reached.", {"only": "new"}),
    Mistake("It is inverted: True stands for the pixels that can influence u.", {"result": "inverted"}),
    Mistake("H and W are swapped: the result must be (H, W), with H rows.", {"result": "transposed"}),
    Mistake("The result has W rows and H columns: it must be (H, W).", {"result": "(W, H) from the start"}),
    Mistake("H and W are merged into one axis: the result must be (H, W).", {"result": "flat"}),
    Mistake("There is an axis too many: the result must be (H, W).", {"result": "with a batch axis"}),
)  # fmt: skip

ONLY = (
    ("It is right only where H = W: height and width are mixed up somewhere.", lambda case: case["H"] == case["W"]),
    ("It is right only for a pixel with equal row and column: they are mixed up somewhere.",
     lambda case: case["u"][0] == case["u"][1]),
    ("It is wrong for R = 0 only, where no pass is made.", lambda case: case["R"] > 0),
    ("It is wrong for R = 1 only.", lambda case: case["R"] != 1),
    ("It is wrong for R = 2 only.", lambda case: case["R"] != 2),
    ("It is right up to R = 2 only: with more passes nothing is lost.", lambda case: case["R"] <= 2),
    ("It is right only for R = 0 and R = 1.", lambda case: case["R"] <= 1),
    ("It is right only for R = 0.", lambda case: case["R"] == 0),
    ("It is wrong only where H or W is 1.", lambda case: min(case["H"], case["W"]) > 1),
    ("It is wrong only at the border of the image.",
     lambda case: 0 < case["u"][0] < case["H"] - 1 and 0 < case["u"][1] < case["W"] - 1),
)  # fmt: skip


def _cases(seed: int) -> list[dict[str, Any]]:
    g = draw.generator(seed)
    sizes = [(1, 1), (1, 2), (2, 1), (1, 4), (4, 1), (2, 3), (3, 3), (4, 4)]
    sizes += [draw.pick([(3, 5), (3, 6), (4, 6), (4, 7)], g), draw.pick([(6, 4), (7, 5), (5, 3), (7, 4)], g)]
    cases = []
    for H, W in sizes:
        drawn = int(torch.randint(H, (1,), generator=g)), int(torch.randint(W, (1,), generator=g))
        inside = min(1, H - 1), W - 2 if W > 2 else W - 1
        pixels = dict.fromkeys([(0, 0), drawn, inside])
        passes = (0, 1, 2, 3) if min(H, W) > 1 else (0, 1, 2)
        cases += [{"H": H, "W": W, "u": u, "R": R} for u in pixels for R in passes]
    return [*cases, {"H": 5, "W": 7, "u": (1, 4), "R": 1}, {"H": 7, "W": 5, "u": (4, 1), "R": 6}]


REACH = Question(
    "reach", reach, _cases, MISTAKES, "(H, W)", dtype=torch.bool, only=ONLY, elsewhere=False
)  # fmt: skip


def check_reach(answer: Callable[[int, int, tuple[int, int], int], Tensor], seed: int = 0) -> None:
    """Check ``reach(H, W, u, R) -> bool (H, W)``: True for the pixels that can influence u after R passes.

    Parameters
    ----------
    answer : callable
        u is (row, column). It returns a tensor or a NumPy array of truth values.
    seed : int
        Other seeds draw other sizes and pixels.

    Raises
    ------
    AssertionError
        What is wrong, in one sentence, with the smallest failing case.
    """

    def as_tensor(*inputs: Inputs) -> Any:
        result = answer(*inputs)
        return torch.from_numpy(np.ascontiguousarray(result)) if isinstance(result, np.ndarray) else result

    judge(REACH, as_tensor if callable(answer) else answer, seed)
