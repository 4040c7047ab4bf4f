"""People on foot and on bicycles."""

import numpy as np

from segtut.data.street.canvas import Canvas
from segtut.data.street.houses import SHOP_COLOURS
from segtut.data.street.shapes import BICYCLIST, PEDESTRIAN, Dice, Shape, box, disc, limb

CLOTHES = (
    (36, 38, 48), (28, 28, 30), (62, 70, 96), (92, 84, 74), (110, 106, 100), (48, 66, 120),
    (140, 36, 40), (198, 192, 184), (70, 84, 60), (120, 118, 122), (176, 140, 60),
)  # fmt: skip
SKIN = ((206, 160, 132), (224, 184, 158), (150, 104, 78), (98, 66, 50))
HAIR = ((40, 30, 24), (90, 64, 40), (170, 140, 90), (60, 58, 58), (190, 186, 180))
_TORSO = np.array([(-0.21, 0.82), (0.2, 0.82), (0.24, 1.42), (0.1, 1.53), (-0.1, 1.53), (-0.24, 1.42)])
_HEAD = [(disc(0, 1.64, (0.1, 0.13), 10), "skin"), (disc(0, 1.7, (0.11, 0.09), 10), "hair")]


def _walker(stride, swing, bag):
    """Return somebody on foot, 1.8 m tall; `stride` and `swing` say how far out feet and hands are."""
    parts = [
        (limb(0.05, 0.9, stride, 0.0, 0.19, 0.12), "legs", 0.8),
        (limb(-0.05, 0.9, -stride, 0.0, 0.19, 0.13), "legs"),
        (_TORSO, "coat"),
        *_HEAD,
        ([limb(side * 0.22, 1.42, side * (swing + 0.08), 0.84, 0.13, 0.1) for side in (-1, 1)], "coat", 0.88),
    ]
    return Shape([*parts, (box(0.2, 0.46, 0.5, 0.84), "hair", 0.8)] if bag else parts)


WALKERS = [_walker(s, 0.1 + 0.6 * s, bag) for s in (0.06, 0.14, 0.22, 0.32) for bag in (False, False, True)]

ALONG = Shape([  # a cyclist from behind or ahead
    (disc(0, 0.34, (0.05, 0.34), 10), "tyre"),
    ([limb(0.1, 0.95, 0.15, 0.3, 0.19, 0.12), limb(-0.1, 0.95, -0.14, 0.5, 0.19, 0.12)], "legs"),
    (_TORSO, "coat"),
    *_HEAD,
    (limb(0, 0.5, 0, 0.9, 0.08), "frame"),
    (limb(-0.3, 1.02, 0.3, 1.02, 0.06), "tyre"),
    ([limb(side * 0.22, 1.42, side * 0.3, 1.02, 0.12, 0.09) for side in (-1, 1)], "coat", 0.85),
])  # fmt: skip
ACROSS = Shape([  # and from the side
    ([disc(hub, 0.34, 0.34) for hub in (-0.52, 0.52)], "tyre"),
    ([disc(hub, 0.34, 0.26) for hub in (-0.52, 0.52)], "spokes"),
    (limb(-0.22, 0.95, 0.12, 1.5, 0.3, 0.34), "coat"),
    (limb(-0.2, 0.95, 0.16, 0.62, 0.2, 0.14), "legs"),
    (limb(0.16, 0.62, -0.02, 0.2, 0.14, 0.1), "legs"),
    (limb(-0.52, 0.34, 0.4, 0.86, 0.06), "frame"),
    (limb(-0.1, 0.3, 0.4, 0.86, 0.06), "frame"),
    (limb(-0.1, 0.3, -0.22, 0.9, 0.06), "frame"),
    (limb(0.52, 0.34, 0.38, 1.0, 0.05), "frame"),
    (limb(0.14, 1.42, 0.42, 1.02, 0.11, 0.08), "coat", 0.85),
    (disc(0.22, 1.66, (0.11, 0.13), 10), "skin"),
    (disc(0.2, 1.72, (0.13, 0.09), 10), "hair"),
])  # fmt: skip


def _dress(dice: Dice):
    """Return the palette of somebody."""
    return {
        "coat": dice.tone(dice.pick(CLOTHES)),
        "legs": dice.tone(dice.pick(CLOTHES[:6])),
        "skin": dice.tone(dice.pick(SKIN)),
        "hair": dice.tone(dice.pick(HAIR)),
    }


def pedestrian(canvas: Canvas, dice: Dice, x, z):
    """Paint somebody on foot."""
    size = dice.between(0.88, 1.06)
    canvas.darken(x - 0.3, x + 0.3, z - 0.15, z + 0.3, 0.6)
    canvas.figure(dice.pick(WALKERS), x, z, _dress(dice), PEDESTRIAN, (size * dice.pick((-1, 1)), size))


def bicyclist(canvas: Canvas, dice: Dice, x, z, shape=ALONG):
    """Paint a cyclist; the bicycle has the cyclist's label."""
    size = dice.between(0.94, 1.06)
    bicycle = {"tyre": (34, 34, 36), "spokes": dice.grey(70, 120), "frame": dice.tone(dice.pick(SHOP_COLOURS))}
    canvas.darken(x - 0.4, x + 0.4, z - 0.5, z + 0.6, 0.6)
    canvas.figure(shape, x, z, _dress(dice) | bicycle, BICYCLIST, (size * dice.pick((-1, 1)), size))
