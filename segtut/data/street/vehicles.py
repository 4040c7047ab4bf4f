"""Cars, vans and buses: side views extruded to meshes, of which the faces that turn to the camera are painted."""

from math import cos, sin

import numpy as np

from segtut.data.street.canvas import Canvas
from segtut.data.street.shapes import CAR, Dice, Shape, disc

PAINTS = (
    (30, 32, 38), (48, 52, 60), (96, 100, 106), (168, 172, 176), (206, 208, 210), (232, 232, 230), (34, 48, 92),
    (60, 84, 130), (150, 28, 32), (104, 24, 30), (36, 72, 56), (120, 128, 120), (176, 160, 120),
)  # fmt: skip


class Body:
    """A vehicle as a mesh. Its own coordinates are metres to the right, up, and ahead of its middle.

    Parameters
    ----------
    profile : list of (ahead, up)
        The side view, from the rear bumper over the roof to the front bumper.
    glass : tuple of int
        Which strips between two corners of the profile are panes.
    windows : list of (begin, end, low, high, slant)
        Side windows; the top of the front edge is `slant` further back.
    width, wheel : float
        Width of the vehicle and radius of its wheels.
    axles : tuple of float
        Where along the vehicle the wheels are.
    """

    def __init__(self, profile, glass, windows, width, wheel, axles):
        ahead, up = np.array(profile).T
        taper = 0.22 * np.clip(up - 0.95, 0, 0.5) if width < 2 else 0 * up  # cars are narrower above the doors
        half = 0.5 * width * (1 - taper)
        self.half, self.length = 0.5 * width, ahead.max() - ahead.min()
        faces = [self._underside(ahead[0], 1), self._underside(ahead[-1], -1)]
        for i in range(len(profile) - 1):
            a, b = half[i], half[i + 1]
            strip = np.array([(-a, up[i], ahead[i]), (a, up[i], ahead[i]), (b, up[i + 1], ahead[i + 1]),
                              (-b, up[i + 1], ahead[i + 1])])  # fmt: skip
            steep = abs(up[i + 1] - up[i]) / np.hypot(up[i + 1] - up[i], ahead[i + 1] - ahead[i])
            face = [(strip, "glass" if i in glass else "paint", 1.15 - 0.3 * steep)]
            if i in glass:
                face.append((strip[0] + (strip - strip[0]) * (0.45, 0.9, 1), "shine"))
            if i == 0:
                face += self._end(ahead[1], up[1], "rear light")
            elif i == len(profile) - 2:
                face += self._end(ahead[-2], up[-2], "head light")
            faces.append(face)
        rising = np.maximum.accumulate(up[: len(up) // 2]), half[: len(up) // 2]
        for side in (-1, 1):

            def flat(points, side=side):
                """Return points of the side view, (n, 3), in the order that turns them outwards."""
                s, v = np.array(points).T
                return np.stack([side * np.interp(v, *rising), v, s], axis=-1)[::side]

            panes = [flat([(b, low), (b, high), (e - slant, high), (e, low)]) for b, e, low, high, slant in windows]
            tyres, hubs = ([flat(disc(at, wheel, wheel * r)) for at in axles] for r in (1.1, 0.6))
            faces.append([(flat(profile[::-1]), "paint", 0.88), (panes, "glass", 0.9), (tyres, "tyre"), (hubs, "hub")])
        shape = Shape([part for face in faces for part in face])
        self.points = shape.points
        ends = np.cumsum([len(face) for face in faces])
        self.faces = [shape.parts[end - len(face) : end] for end, face in zip(ends, faces)]
        self.first = np.array([face[0][0][0][0] for face in self.faces])  # the first corner of each face

    def _across(self, ahead, left, right, low, high):
        """Return an upright rectangle across the vehicle; `left` and `right` in half widths."""
        left, right = left * self.half, right * self.half
        return np.array([(left, low, ahead), (right, low, ahead), (right, high, ahead), (left, high, ahead)])

    def _underside(self, ahead, turned):
        """Return the dark below a bumper, and the tyres in it; `turned` is 1 at the rear and -1 at the front."""
        tyres = [self._across(ahead, a, b, 0, 0.4) for a, b in ((-0.96, -0.68), (0.68, 0.96))]
        return [(self._across(ahead, -0.8 * turned, 0.8 * turned, 0.16, 0.4), "tyre"), (tyres, "tyre")]

    def _end(self, ahead, top, lights):
        """Return bumper, lights and number plate."""
        lamps = [self._across(ahead, a, b, top - 0.2, top) for a, b in ((-0.96, -0.66), (0.66, 0.96))]
        bumper, plate = self._across(ahead, -1, 1, 0.3, 0.44), self._across(ahead, -0.3, 0.3, 0.46, 0.58)
        return [(bumper, "paint", 0.45), (lamps, lights), (plate, "plate")]


SALOON = Body(
    profile=[(-2.2, 0.28), (-2.25, 0.74), (-2.15, 0.96), (-1.5, 1.0), (-0.95, 1.42), (0.3, 1.43), (1.05, 0.99),
             (2.1, 0.82), (2.25, 0.6), (2.2, 0.28)],
    glass=(3, 5), windows=[(-1.35, -0.3, 1.0, 1.36, 0), (-0.22, 0.9, 1.0, 1.36, 0.55)],
    width=1.76, wheel=0.3, axles=(-1.35, 1.4),
)  # fmt: skip
HATCHBACK = Body(
    profile=[(-1.85, 0.28), (-1.92, 0.78), (-1.8, 1.0), (-1.4, 1.46), (0.2, 1.5), (0.95, 1.02), (1.75, 0.88),
             (1.92, 0.62), (1.88, 0.28)],
    glass=(2, 4), windows=[(-1.5, -0.5, 1.02, 1.4, 0), (-0.42, 0.8, 1.02, 1.4, 0.55)],
    width=1.7, wheel=0.29, axles=(-1.2, 1.2),
)  # fmt: skip
ESTATE = Body(
    profile=[(-2.15, 0.36), (-2.2, 0.9), (-2.15, 1.1), (-1.95, 1.7), (0.2, 1.74), (0.95, 1.12), (2.0, 1.0),
             (2.2, 0.72), (2.15, 0.36)],
    glass=(2, 4), windows=[(-1.9, -0.7, 1.12, 1.6, 0), (-0.62, 0.8, 1.12, 1.6, 0.55)],
    width=1.84, wheel=0.34, axles=(-1.35, 1.35),
)  # fmt: skip
VAN = Body(
    profile=[(-2.5, 0.4), (-2.55, 1.1), (-2.52, 1.3), (-2.45, 1.9), (-2.3, 2.15), (1.1, 2.15), (1.8, 1.25),
             (2.45, 1.05), (2.5, 0.4)],
    glass=(2, 5), windows=[(0.2, 1.5, 1.25, 1.85, 0.45)],
    width=1.95, wheel=0.34, axles=(-1.6, 1.6),
)  # fmt: skip
BUS = Body(
    profile=[(-4.8, 0.4), (-4.85, 1.2), (-4.85, 1.4), (-4.8, 2.5), (-4.75, 3.0), (4.7, 3.0), (4.8, 2.6), (4.85, 1.2),
             (4.85, 1.0), (4.8, 0.4)],
    glass=(2, 6), windows=[(-4.4 + 1.5 * i, -3.1 + 1.5 * i, 1.3, 2.4, 0) for i in range(6)],
    width=2.5, wheel=0.46, axles=(-2.8, 3.0),
)  # fmt: skip
CARS = (SALOON, HATCHBACK, HATCHBACK, ESTATE)


def vehicle(canvas: Canvas, dice: Dice, body: Body, x, z, turn=0.0, sun=0):
    """Paint a vehicle that begins `z` metres away, turned by `turn` radians; at 0 it is seen from behind.

    `sun` is the side that the sun is on: -1 left, 1 right, 0 for an overcast day.
    """
    palette = {
        "paint": dice.tone(dice.pick(PAINTS), 10), "glass": dice.grey(28, 84), "shine": dice.grey(60, 150),
        "tyre": (24, 24, 26), "hub": (124, 126, 130), "rear light": (180, 26, 24), "head light": (228, 230, 226),
        "plate": (214, 186, 70) if cos(turn) > 0 else (220, 220, 214),  # British: yellow behind, white ahead
    }  # fmt: skip
    if body is BUS and dice.chance(0.6):
        palette["paint"] = dice.tone((170, 30, 34))
    c, s = cos(turn), sin(turn)
    reach = body.half * abs(c) + 0.5 * body.length * abs(s)
    depth = body.half * abs(s) + 0.5 * body.length * abs(c)
    z += depth
    left, right = x - reach - 0.1 - 0.6 * (sun > 0), x + reach + 0.1 + 0.6 * (sun < 0)
    canvas.darken(left, right, z - depth - 0.1, z + depth, 0.42)
    outline = canvas.project(body.points @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) + (x, 0, z))
    corners = outline[body.first[:, None] + np.arange(3)].astype(np.float64)
    (ax, ay), (bx, by) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    for face, turned in zip(body.faces, ax * by - ay * bx):
        if turned < 0:  # its corners run against the clock: it turns to the camera
            canvas.fill_parts(outline, face, palette, CAR, z)
