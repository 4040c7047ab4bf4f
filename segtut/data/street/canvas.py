"""A canvas with a camera: paints in metres, and keeps image and label map together.

The canvas has four channels: red, green, blue and the label. Every stroke paints all four at once, so the label
map is right by construction: there is no second drawing that could drift from the first. The canvas is larger
than the picture; colours are averaged down and labels are picked, so edges are smooth and labels stay labels.

World coordinates are metres: X to the right of the camera, Y up from the ground, Z ahead. Everything else is
relative to the size of the picture, so that one street can be had at any resolution.
"""

import cv2
import numpy as np

FIXED = 4
"""Fractional bits of the coordinates that OpenCV gets: its integer drawing is the same on every platform."""

NEAR = 0.9
"""Nothing is projected from closer than this, in metres: what is behind the camera has no picture."""

CANVAS_ROWS = 432
"""The canvas has at least this many rows, so that thin things keep their width in small pictures."""

STEPS = np.linspace(0, 1, 8)


class Canvas:
    """An image and its label map under one pinhole camera.

    Parameters
    ----------
    size : tuple of int
        (H, W) of the finished picture, in pixels.
    vanishing : tuple of float
        Where the street vanishes: column and row as fractions of W and H.
    focal : float
        Focal length in picture heights; 1.3 sees 54 degrees across a 4:3 picture.
    eye : float
        Height of the camera above the ground, in metres.
    bend : float
        Curvature of the street: metres sideways for each square metre ahead.
    haze, visibility : tuple of float, float
        RGB that far things fade to, and the distance in metres at which they are half faded.
    exposure : float
        Factor on every colour that is painted.
    """

    def __init__(self, size, vanishing, focal, eye, bend, haze, visibility, exposure):
        H, W = size
        self.size, self.zoom = size, 2
        while H * self.zoom < CANVAS_ROWS:
            self.zoom *= 2  # powers of two: halving is by far the fastest way down
        self.pixels = np.zeros((H * self.zoom, W * self.zoom, 4), np.uint8)
        self.x0, self.y0 = vanishing[0] * W * self.zoom, vanishing[1] * H * self.zoom
        self.origin = np.array([self.x0, self.y0]) * (1 << FIXED)
        self.focal, self.eye, self.bend = focal * H * self.zoom, eye, bend
        self.haze, self.visibility, self.exposure = haze, visibility, exposure
        self.sharp = 33 * focal  # metres from which on details are left out: a person has 5 % of the picture's height
        self.shadows = []

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project (..., 3) metres to (..., 2) canvas pixels in fixed point, int32."""
        Z = np.maximum(points[..., 2], NEAR)
        scale = (self.focal * (1 << FIXED)) / Z
        out = np.empty((*points.shape[:-1], 2))
        np.multiply(points[..., 0] + self.bend * Z * Z, scale, out=out[..., 0])
        np.multiply(self.eye - points[..., 1], scale, out=out[..., 1])
        out += self.origin
        return np.rint(out).astype(np.int32)

    def mix(self, colour, label, z, light=1.0) -> tuple[float, float, float, int]:
        """Return the four channels of `colour`, an RGB, seen `z` metres away under `light`."""
        clear = self.visibility / (self.visibility + z)
        gain, veil = self.exposure * light * clear, 1 - clear
        red, green, blue = self.haze
        return colour[0] * gain + red * veil, colour[1] * gain + green * veil, colour[2] * gain + blue * veil, label

    def fill(self, outlines, paint) -> None:
        """Fill a list of outlines, each (n, 2) from `project`. Where two of one call overlap there is a hole."""
        cv2.fillPoly(self.pixels, outlines, paint, cv2.LINE_8, FIXED)

    def fill_parts(self, outline, parts, palette, label, z, light=1.0) -> None:
        """Fill the parts of a `Shape` whose points were projected to `outline`; far away the first four will do."""
        for spans, role, tone in parts if z < self.sharp else parts[:4]:
            self.fill([outline[b:e] for b, e in spans], self.mix(palette[role], label, z, light * tone))

    def figure(self, shape, x, z, palette, label, size=1.0, light=1.0, foot=0.0) -> None:
        """Paint a flat upright `Shape` that faces the camera.

        Its origin is at (x, foot, z) metres; `size` is one factor, or two, across (negative: mirrored) and up.
        """
        across, up = size if isinstance(size, tuple) else (size, size)
        scale = self.focal * (1 << FIXED) / z
        place = self.origin + np.array([x + self.bend * z * z, self.eye - foot]) * scale
        outline = np.rint(shape.points * (across * scale, -up * scale) + place).astype(np.int32)
        self.fill_parts(outline, shape.parts, palette, label, z, light)

    def face(self, corners, colour, label, light=1.0) -> None:
        """Fill a polygon with corners (n, 3) in metres; the first says how far away it is."""
        self.fill([self.project(np.array(corners, np.float64))], self.mix(colour, label, corners[0][2], light))

    def wall(self, a, b, layers, light=1.0) -> None:
        """Paint rectangles on an upright plane between the ground points `a` and `b`, each (X, Z) in metres.

        `layers` is a list of (rectangles, colour, label), painted in order. Rectangles are (n, 4): begin and end
        as fractions of the way from `a` to `b`, low and high in metres.
        """
        (xa, za), (xb, zb) = a, b
        rectangles = np.concatenate([layer[0] for layer in layers])
        points = np.empty((len(rectangles), 4, 3))
        along = rectangles[:, (0, 1, 1, 0)]
        points[..., 0] = xa + (xb - xa) * along
        points[..., 1] = rectangles[:, (2, 2, 3, 3)]
        points[..., 2] = za + (zb - za) * along
        outlines, begin = list(self.project(points)), 0
        for rectangles, colour, label in layers:
            end = begin + len(rectangles)
            self.fill(outlines[begin:end], self.mix(colour, label, 0.5 * (za + zb), light))
            begin = end

    def ground(self, strips, colour, label) -> None:
        """Fill strips of ground, a list of (left, right, begin, end) in metres that do not overlap."""
        self.fill(list(self.project(_along_street(strips))), self.mix(colour, label, 0.5 * strips[0][2]))

    def darken(self, left, right, begin, end, light) -> None:
        """Note a shadow: ground that is seen on this strip in the end gets `light` of 1. See `shade`."""
        self.shadows.append((left, right, begin, end, light))

    def shade(self) -> np.ndarray:
        """Return the light that shadows leave on the ground, (H, W) uint8, 255 for all of it."""
        light = np.full(self.size, 255, np.uint8)
        if self.shadows:
            outlines = self.project(_along_street([shadow[:4] for shadow in self.shadows])) // self.zoom
            for outline, shadow in zip(outlines, self.shadows):
                cv2.fillPoly(light, [outline], round(255 * shadow[4]), cv2.LINE_8, FIXED)
        return cv2.blur(light, (3, 3))

    def develop(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the picture, (H, W, 3) uint8, averaged down, and its label map, (H, W) uint8, picked."""
        H, W = self.size
        pixels, zoom = self.pixels, self.zoom
        mask = pixels[zoom // 2 :: zoom, zoom // 2 :: zoom, 3].copy()
        while zoom > 1:
            zoom //= 2
            pixels = cv2.resize(pixels, (W * zoom, H * zoom), interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB), mask

    def ground_map(self) -> np.ndarray:
        """Return the homography (3, 3) from pixels of the picture to metres on the ground, (X, Z)."""
        x0, y0, focal = self.x0 / self.zoom, self.y0 / self.zoom, self.focal / self.zoom
        return np.array([[self.eye, 0, -self.eye * x0], [0, 0, self.eye * focal], [0, 1, -y0]])


def _along_street(strips):
    """Return the outlines (n, 16, 3) of strips (left, right, begin, end), with corners enough to follow a bend."""
    left, right, begin, end = np.array(strips, np.float64).T[..., None]
    begin = np.maximum(begin, NEAR)
    Z = begin * (np.maximum(end, NEAR) / begin) ** STEPS  # evenly spread over the picture rather than over the street
    out = np.zeros((len(Z), 16, 3))
    out[:, :8, 0], out[:, 8:, 0] = left, right
    out[:, :8, 2], out[:, 8:, 2] = Z, Z[:, ::-1]
    return out
