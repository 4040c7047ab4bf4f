"""Trees in leaf and bare, bushes, hedges. Their ragged outlines are made once, the same for every scene."""

from math import cos, pi, sin

import numpy as np

from segtut.data.street.canvas import Canvas
from segtut.data.street.shapes import TREE, VOID, Dice, Shape, limb, shaded

LEAVES = (
    (66, 82, 46), (84, 98, 54), (54, 68, 44), (102, 104, 68), (74, 76, 62), (96, 84, 60), (60, 64, 54),
    (84, 76, 64), (70, 66, 58), (112, 98, 78), (52, 54, 48),
)  # fmt: skip
_dice = Dice(7)


def _lump(corners=36):
    """Return a ragged blob about the origin, of radius about 1, (corners, 2)."""
    turn = 2 * pi * np.arange(corners) / corners
    radius = np.array([1 + _dice.between(-0.12, 0.12) for _ in turn])
    for wave in range(2, 7):
        radius += 0.3 / wave * _dice.between(-1, 1) * np.cos(wave * turn + _dice.between(0, 2 * pi))
    return np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=-1)


LUMPS = [_lump() for _ in range(24)]


def _leafy(spread):
    """Return a tree in leaf, of height 1: a trunk and a crown of lumps, dark below and light above."""
    middle = 1 - 0.92 * spread
    parts = [(limb(0, 0, _dice.between(-0.03, 0.03), middle, 0.05, 0.025), "bark")]
    parts.append((_dice.pick(LUMPS) * spread + (0, middle), "leaf", 0.7))
    for i in range(7):
        turn, out = _dice.between(0, 2 * pi), 0.72 * spread * _dice.random() ** 0.5
        x, y = out * cos(turn), out * sin(turn)
        lump = _dice.pick(LUMPS)[::2] * spread * _dice.between(0.25, 0.45) + (x, middle + y)
        parts.append((lump, "leaf", 0.66 + 0.05 * i + 0.3 * y / spread))
    return Shape(parts)


def _bare(spread):
    """Return a tree in winter, of height 1. The crown is all tree, as CamVid has it, though sky shows through."""
    middle = 1 - 0.92 * spread
    parts = [(_dice.pick(LUMPS) * spread + (0, middle), "twigs"), (limb(0, 0, 0, middle, 0.045, 0.02), "bark")]
    for _ in range(9):
        turn, reach = _dice.between(-0.1, pi + 0.1), spread * _dice.between(0.75, 1.0)
        x, y = reach * cos(turn), middle + reach * sin(turn)
        start = middle - spread * _dice.between(0, 0.7)
        parts.append((limb(0, start, x, y, 0.022, 0.004), "bark"))
        t, fork = _dice.between(0.4, 0.8), turn + _dice.between(-0.6, 0.6)
        at = x * t, start + (y - start) * t
        to = at[0] + 0.4 * reach * cos(fork), at[1] + 0.4 * reach * sin(fork)
        parts.append((limb(*at, *to, 0.014, 0.004), "bark"))
    return Shape(parts)


LEAFY = [_leafy(_dice.between(0.26, 0.4)) for _ in range(16)]
BARE = [_bare(_dice.between(0.28, 0.38)) for _ in range(8)]
BUSHES = [Shape([(lump, "leaf", 0.75), (lump[::2] * 0.6 + (0.1, 0.25), "leaf", 0.95)]) for lump in LUMPS]


def tree(canvas: Canvas, dice: Dice, x, z, height, light=1.0):
    """Paint a tree, in leaf or bare."""
    bark = dice.tone((74, 62, 52))
    palette = {"bark": bark, "leaf": dice.tone(dice.pick(LEAVES), 12)}
    # twigs and sky in one; the haze has the colour of the sky at the horizon
    palette["twigs"] = tuple(0.45 * sky / canvas.exposure + 0.55 * brown for sky, brown in zip(canvas.haze, bark))
    shape = dice.pick(BARE) if dice.chance(0.3) else dice.pick(LEAFY)
    canvas.figure(shape, x, z, palette, TREE, (height * dice.pick((-1, 1)), height), light)
    if dice.chance(0.5):  # the edge of a crown, without a label
        size, aside = height * dice.between(0.04, 0.1), height * dice.pick((-1, 1)) * dice.between(0.25, 0.36)
        canvas.figure(dice.pick(BUSHES), x + aside, z, palette, VOID, size, light, foot=height * dice.between(0.5, 0.8))


def bush(canvas: Canvas, dice: Dice, x, z, width, height):
    """Paint a bush, or a clump of trees far away."""
    canvas.figure(dice.pick(BUSHES), x, z, {"leaf": dice.tone(dice.pick(LEAVES), 12)}, TREE, (width, height))


def hedge(canvas: Canvas, dice: Dice, a, b, height, light):
    """Paint a hedge from `a` to `b`, each (X, Z)."""
    leaf = dice.tone(dice.pick(LEAVES), 12)
    canvas.wall(a, b, [([(0, 1, 0, height)], shaded(leaf, 0.75), TREE)], light)
    for t in (0.0, 0.2, 0.4, 0.6, 0.8, 0.95):
        x, z = a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t
        size = 0.04 * (a[1] - b[1]) + 0.4, height * dice.between(0.5, 0.65)
        canvas.figure(dice.pick(BUSHES), x, z, {"leaf": leaf}, TREE, size, light, foot=0.5 * height)
