"""What lines a pavement: fences, lamps, bollards, signs, traffic lights, and what nobody labels."""

import numpy as np

from segtut.data.street.canvas import Canvas
from segtut.data.street.houses import cells, grid
from segtut.data.street.plants import BUSHES
from segtut.data.street.shapes import FENCE, POLE, SIGN, VOID, Dice, Shape, box, disc, limb, shaded


def fence(canvas: Canvas, dice: Dice, a, b, height, light):
    """Paint a fence from `a` to `b`, each (X, Z): boards, or railings with what shows between them."""
    colour = dice.pick((dice.grey(60, 105), dice.grey(120, 175), dice.tone((120, 92, 66)), dice.tone((60, 78, 66))))
    length = abs(a[1] - b[1]) + abs(a[0] - b[0])
    bars = grid(cells(max(2, min(28, round(length / 0.45))), 0.45), [(0.1, height - 0.1)])
    rail = [(0, 1, height - 0.12, height)], shaded(colour, 1.15), FENCE
    canvas.wall(a, b, [([(0, 1, 0, height)], shaded(colour, 0.76), FENCE), (bars, colour, FENCE), rail], light)


_MAST = [box(-0.09, 0.09, 0, 1.3), limb(0, 1.3, 0, 7, 0.13, 0.09)]
LAMPS = [Shape([(_MAST, "metal")])] + [
    Shape([(_MAST, "metal"), (limb(0, 7, reach, 7.25, 0.11), "metal"),
           (limb(reach * 0.7, 7.2, reach * 1.2, 7.3, 0.24), "lantern")])
    for reach in (0.8, 1.3, 1.8)
]  # fmt: skip
BOLLARD = Shape([(box(-0.09, 0.09, 0, 1.0), "metal"), (box(-0.09, 0.09, 0.8, 0.88), "band")])
POST = Shape([(box(-0.045, 0.045, 0, 2.4), "metal")])


def lamp(canvas: Canvas, dice: Dice, x, z, toward):
    """Paint a street lamp; its arm, if it has one, reaches `toward` 1 (right) or -1 (left)."""
    palette = {"metal": dice.grey(70, 165), "lantern": dice.grey(150, 220)}
    canvas.figure(dice.pick(LAMPS), x, z, palette, POLE, (toward, dice.between(0.75, 1.25)))


def bollard(canvas: Canvas, dice: Dice, x, z):
    """Paint a bollard."""
    canvas.figure(BOLLARD, x, z, {"metal": dice.grey(40, 130), "band": (214, 212, 200)}, POLE)


_TRIANGLE = np.array([(-1.1, -0.8), (1.1, -0.8), (0, 1.1)])
PLATES = [  # about the origin, of radius about 1
    Shape([(disc(0, 0, 1), "red"), (disc(0, 0, 0.72), "white")]),
    Shape([(disc(0, 0, 1), "blue"), (limb(-0.4, 0, 0.4, 0.3, 0.3), "white")]),
    Shape([(_TRIANGLE, "red"), (_TRIANGLE * 0.62, "white")]),
    Shape([(box(-1.6, 1.6, -1, 1), "blue"), (box(-1.2, 1.2, -0.1, 0.3), "white")]),
    Shape([(box(-0.9, 0.9, -1.3, 1.3), "white"), (box(-0.6, 0.6, 0.1, 0.6), "dark")]),
    Shape([(box(-1.8, 1.8, -0.9, 0.9), "green"), (box(-1.4, 1.4, 0.1, 0.4), "white")]),
    Shape([(box(-1.2, 1.2, -1, 1), "yellow"), (box(-0.8, 0.8, -0.2, 0.2), "dark")]),
    Shape([(box(-1, 1, -1.4, 1.4), "red"), (box(-0.7, 0.7, 0.3, 0.7), "white")]),
    Shape([(box(-1.3, 1.3, -1.1, 1.1), "dark"), (box(-0.9, 0.9, 0.1, 0.5), "white")]),
    Shape([(box(-1.4, 1.4, -0.9, 0.9), "white"), (box(-1.1, 1.1, -0.4, 0.0), "blue")]),
]
SIGN_COLOURS = {"red": (186, 32, 38), "blue": (34, 72, 158), "green": (26, 100, 72), "yellow": (216, 172, 44),
                "white": (226, 226, 222), "dark": (44, 44, 48)}  # fmt: skip


def sign(canvas: Canvas, dice: Dice, x, z):
    """Paint a traffic sign on its post."""
    canvas.figure(POST, x, z, {"metal": dice.grey(100, 170)}, POLE)
    size, light = dice.between(0.3, 0.5), dice.between(0.6, 1.1)
    canvas.figure(dice.pick(PLATES), x, z, SIGN_COLOURS, SIGN, size, light, foot=2.3)


def shop_sign(canvas: Canvas, dice: Dice, x, z):
    """Paint a sign that hangs out from a house."""
    size, light, foot = dice.between(0.4, 0.7), dice.between(0.5, 1.1), dice.between(2.8, 4.2)
    canvas.figure(dice.pick(PLATES[3:]), x, z, SIGN_COLOURS, SIGN, size, light, foot)


_LAMPS = [disc(0, 3.03 - 0.36 * i, 0.13, 8) for i in range(3)]
_CASE = (box(-0.25, 0.25, 2.1, 3.25), "case")
SIGNALS = [
    Shape([_CASE, (_LAMPS[1:], "off"), (_LAMPS[0], "red")]),
    Shape([_CASE, (_LAMPS[:2], "off"), (_LAMPS[2], "green")]),
]
SIGNAL_COLOURS = {"case": (30, 30, 32), "off": (52, 46, 46), "red": (245, 44, 32), "green": (60, 235, 150)}


def traffic_light(canvas: Canvas, dice: Dice, x, z):
    """Paint a traffic light on its post."""
    canvas.figure(POST, x, z, {"metal": dice.grey(60, 140)}, POLE)
    canvas.figure(dice.pick(SIGNALS), x, z, SIGNAL_COLOURS, SIGN)


_WHEELS = [disc(0.44 * i - 0.66, 0.34, (0.2, 0.34)) for i in range(4)]
_FRAMES = [limb(0.44 * i - 0.8, 0.4, 0.44 * i - 0.5, 1.0, 0.1) for i in range(4)]
CLUTTER = [
    Shape([(box(-0.4, 0.4, 0, 1.2), "a"), (box(-0.44, 0.44, 1.05, 1.2), "b")]),
    Shape([(box(-0.28, 0.28, 0, 1.0), "a"), (disc(0, 1.0, (0.3, 0.14)), "a", 0.6)]),
    Shape([(_WHEELS, "dark"), (_FRAMES, "b")]),
    Shape([(box(-1.3, 1.3, 0.1, 2.2), "a", 0.7), (box(-1.4, 1.4, 2.2, 2.4), "b"), (box(-1.2, 1.2, 0.5, 1.9), "c")]),
]


def clutter(canvas: Canvas, dice: Dice, x, z):
    """Paint what none of the classes covers: a bin, parked bicycles, a shelter."""
    colour = dice.pick((dice.grey(30, 80), dice.tone((40, 60, 90)), dice.tone((60, 90, 60)), dice.tone((150, 40, 40))))
    palette = {"a": colour, "b": dice.grey(60, 140, 20), "c": dice.grey(90, 170), "dark": dice.grey(24, 70)}
    canvas.figure(dice.pick(CLUTTER), x, z, palette, VOID, dice.between(0.9, 1.3))


def muddle(canvas: Canvas, dice: Dice, x, z):
    """Paint something at the far end of the street that is too small to be named."""
    size = dice.between(0.8, 2.4), dice.between(0.7, 1.3)
    canvas.figure(dice.pick(BUSHES), x, z, {"leaf": dice.grey(40, 110, 14)}, VOID, size, foot=size[1])
