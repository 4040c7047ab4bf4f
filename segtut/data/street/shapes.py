"""Random choices, outlines, and figures cut out of card: what everything in a street is made of."""

from itertools import repeat
from math import pi

import numpy as np

from segtut.data.classes import IGNORE_INDEX, NUM_CLASSES

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(NUM_CLASSES)
VOID = IGNORE_INDEX


class Dice:
    """Random choices, all made from one stream of uniform doubles: the most stable stream that numpy has."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        # drawn in blocks, since a call of numpy for each takes longer than all else that is done here
        self.random = (double for _ in repeat(None) for double in rng.random(1024).tolist()).__next__

    def between(self, low, high):
        return low + (high - low) * self.random()

    def chance(self, probability):
        return self.random() < probability

    def pick(self, options):
        return options[int(self.random() * len(options))]

    def grey(self, low, high, tint=8):
        """Return an RGB that is nearly grey."""
        level = self.between(low, high)
        return level + self.between(-tint, tint), level, level + self.between(-tint, tint)

    def tone(self, colour, spread=14):
        """Return `colour`, somewhat lighter or darker and a little off."""
        shift = self.between(-spread, spread)
        return colour[0] + shift + self.between(-5, 5), colour[1] + shift, colour[2] + shift + self.between(-5, 5)


class Shape:
    """Outlines in metres, to be painted in order.

    Parameters
    ----------
    parts : list of (outline, role) or (outline, role, tone)
        `outline` is (n, 2), to the right and up, or (n, 3); or a list of outlines that don't overlap. `role` names
        a colour of the palette that is given when the shape is painted, `tone` makes it lighter or darker.

    Attributes
    ----------
    points : numpy.ndarray, (m, 2) or (m, 3)
    parts : list of (spans, role, tone)
        `spans` says which points are the outlines: begin and end of each.
    """

    def __init__(self, parts):
        points, self.parts, count = [], [], 0
        for outlines, role, *tone in parts:
            spans = []
            for outline in outlines if isinstance(outlines, list) else [outlines]:
                points.append(outline)
                spans.append((count, count + len(outline)))
                count += len(outline)
            self.parts.append((spans, role, *(tone or [1.0])))
        self.points = np.concatenate(points).astype(np.float64)


def box(left, right, low, high):
    """Return the outline of a rectangle."""
    return np.array([(left, low), (right, low), (right, high), (left, high)], np.float64)


def disc(x, y, radius, corners=12):
    """Return the outline of a circle, or of an ellipse if `radius` is a pair."""
    turn = 2 * pi * np.arange(corners) / corners
    return np.stack([np.cos(turn), np.sin(turn)], axis=-1) * radius + (x, y)


def limb(x0, y0, x1, y1, thick, thin=None):
    """Return the outline of a straight stroke, `thick` at (x0, y0), `thin` (or as thick) at (x1, y1)."""
    across = np.array([y0 - y1, x1 - x0]) / (2 * np.hypot(x1 - x0, y1 - y0))
    begin, end = np.array([x0, y0]), np.array([x1, y1])
    thin = thick if thin is None else thin
    return np.stack([begin + across * thick, end + across * thin, end - across * thin, begin - across * thick])


def shaded(colour, factor):
    """Return `colour`, lighter or darker by `factor`."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor
