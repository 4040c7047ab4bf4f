"""Houses: roofs, fronts in perspective with windows, doors and shops, end walls; garden walls; the skyline."""

from functools import cache

import numpy as np

from segtut.data.street.canvas import Canvas
from segtut.data.street.shapes import BUILDING, VOID, Dice, Shape, box, shaded

BRICK_AND_RENDER = (
    (150, 92, 70), (128, 78, 62), (176, 150, 112), (196, 178, 140), (214, 208, 194), (232, 230, 224),
    (142, 140, 138), (112, 110, 110), (168, 164, 160), (92, 80, 74), (172, 120, 92), (158, 150, 128),
)  # fmt: skip
SLATE_AND_TILE = ((92, 84, 82), (120, 78, 62), (74, 76, 84))
SHOP_COLOURS = (
    (150, 32, 34), (24, 60, 110), (24, 82, 58), (40, 40, 44), (214, 206, 190), (190, 140, 40), (90, 30, 70),
)  # fmt: skip
CHIMNEYS = [
    Shape([(box(-0.5, 0.5, -1, 1.2), "stone"), (box(-0.3, 0.3, 1.2, 1.6), "stone", 0.7)]),
    Shape([(box(-0.9, 0.9, -1, 0.9), "stone", 0.8), (box(-0.9, 0.9, 0.7, 0.9), "stone")]),
]
BLOCK = Shape([(box(-0.5, 0.5, -0.1, 1), "stone"), ([box(x, x + 0.14, 0.4, 0.6) for x in (-0.4, -0.1, 0.2)], "glass")])


_EDGES = np.array([-0.5, 0.5])
_middles = cache(lambda n: (np.arange(n)[:, None] + 0.5) / n)


def cells(n, share):
    """Return (n, 2): begin and end of `n` equal cells of the unit interval, the middle `share` of each."""
    return _middles(n) + _EDGES * (share / n)


def grid(across, up):
    """Return the rectangles `across` x `up`, (n * m, 4), for `Canvas.wall`."""
    n, m = len(across), len(up)
    out = np.empty((m, n, 4))
    out[..., :2] = across
    out[..., 2:] = np.asarray(up)[:, None]
    return out.reshape(n * m, 4)


def building(canvas: Canvas, dice: Dice, a, b, height, light, deep=9.0):
    """Paint a house: roof, front from `a` (far) to `b` (near), each (X, Z), and the end wall that faces the camera."""
    (xa, za), (xb, zb) = a, b
    out = 1 if xb > 0 else -1
    stone = dice.tone(dice.pick(BRICK_AND_RENDER))
    roofed = dice.chance(0.6)
    end = [(xb, 0, zb), (xb + out * deep, 0, zb), (xb + out * deep, height, zb), (xb, height, zb)]
    if roofed:
        x, top = xb + out * dice.between(3.0, 4.5), height + dice.between(1.6, 3.0)
        tiles, at = dice.tone(dice.pick(SLATE_AND_TILE)), za + (zb - za) * dice.random()
        roof = [(xb, height, zb), (x, top, zb), (x + xa - xb, top, za), (xa, height, za)]
        canvas.face(roof, tiles, BUILDING, light)
        canvas.figure(dice.pick(CHIMNEYS), x, max(at, 1), {"stone": stone}, BUILDING, foot=top)
        end.insert(3, (x, top, zb))
    canvas.wall(a, b, front(dice, stone, height, max(za - zb, 1.0), zb < canvas.sharp, plain_top=not roofed), light)
    canvas.face(end, dice.tone(stone, 10), BUILDING, 0.9)  # shows where the next house is lower, set back or missing


def front(dice: Dice, stone, height, length, detailed, plain_top):
    """Return the layers of a house front for `Canvas.wall`: wall, bands, windows with frames, doors or a shop."""
    trim = dice.pick((dice.grey(190, 235), dice.grey(60, 110), dice.tone(stone, 30)))
    glass = dice.pick((dice.grey(26, 60), dice.grey(60, 100), (120, 140, 158), dice.grey(165, 205)))
    storeys = max(2, round(height / dice.between(2.8, 3.5)))
    storey = height / storeys
    columns = max(1, round(length / dice.between(1.9, 3.6)))
    shop, share = dice.chance(0.45), dice.between(0.34, 0.62)
    sill, lintel = dice.between(0.25, 0.36), dice.between(0.75, 0.9)
    floors, windows = np.arange(1 if shop else 0, storeys)[:, None], cells(columns, share)

    def up(low, high):
        """Return heights on every floor, from fractions of a storey."""
        return (floors + np.array([low, high])) * storey

    layers = [([(0, 1, 0, height)], stone, BUILDING)]
    if plain_top:
        layers.append(([(0, 1, height - 0.5, height)], trim, BUILDING))
    if dice.chance(0.5):
        band = storey * dice.pick((1, 1, 2))
        layers.append(([(0, 1, band - 0.12, band + 0.12)], trim, BUILDING))
    framed, lower, doors = dice.chance(0.7), dice.pick((0.7, 1.35)), dice.between(0.14, 0.2)
    if detailed and framed:
        layers.append((grid(cells(columns, share + 0.14), up(sill - 0.04, lintel + 0.03)), trim, BUILDING))
    layers.append((grid(windows, up(sill, lintel)), glass, BUILDING))
    if detailed:
        panes = grid(windows[::2], up(sill, 0.5 * (sill + lintel)))
        layers.append((panes, shaded(glass, lower), BUILDING))
        layers.append((grid(cells(columns, share * 0.14), up(sill, lintel)), trim, BUILDING))
    if shop:
        layers += shop_front(dice, storey, length)[: 5 if detailed else 2]
    else:
        at = grid(cells(max(1, round(length / 6)), doors), [(0, 2.2)])
        layers.append((at, dice.tone(dice.pick(SHOP_COLOURS)), BUILDING))
    if dice.chance(0.35):  # a dark gateway, left without a label
        begin = dice.between(0.1, 0.7)
        layers.append(([(begin, begin + min(0.25, 3.2 / length), 0, 3.2)], (32, 30, 30), VOID))
    return layers


def shop_front(dice: Dice, storey, length):
    """Return the layers of a shop on the ground floor: panes, what is behind them, the board above."""
    bays, board = max(1, round(length / 5)), dice.tone(dice.pick(SHOP_COLOURS))
    return [
        ([(0, 1, 0, storey)], board, BUILDING),
        (grid(cells(bays, 0.72), [(0.5, storey - 0.9)]), dice.grey(24, 80), BUILDING),
        (grid(cells(bays * 3, 0.34), [(0.6, storey - 1.0)]), dice.grey(50, 150, 30), BUILDING),
        ([(0, 1, 0, 0.5), (0, 1, storey - 0.9, storey - 0.75)], shaded(board, 0.7), BUILDING),
        (grid(cells(bays, 0.5), [(storey - 0.55, storey - 0.3)]), dice.grey(180, 240), BUILDING),
    ]


def garden_wall(canvas: Canvas, dice: Dice, a, b, height, light):
    """Paint a wall from `a` to `b`; CamVid's walls are in one group with buildings."""
    stone = dice.tone(dice.pick(BRICK_AND_RENDER))
    coping = [(0, 1, height - 0.12, height)]
    canvas.wall(a, b, [([(0, 1, 0, height)], stone, BUILDING), (coping, shaded(stone, 1.2), BUILDING)], light)


def far_house(canvas: Canvas, dice: Dice, x, z, width, height):
    """Paint a house on the skyline."""
    palette = {"stone": dice.tone(dice.pick(BRICK_AND_RENDER)), "glass": (70, 74, 80)}
    canvas.figure(BLOCK, x, z, palette, BUILDING, (width, height), 0.85)
