"""Where things are in a street: ground, what lines it, what stands and moves on it. British: traffic on the left."""

from math import pi

import numpy as np

from segtut.data.street import furniture, houses, people, plants, vehicles
from segtut.data.street.canvas import FIXED, Canvas
from segtut.data.street.light import expose
from segtut.data.street.shapes import PAVEMENT, ROAD, SKY, TREE, VOID, Dice, shaded

# sky above, sky at the horizon, exposure of the street, depth of the shadows, strength of the clouds
WEATHERS = (
    ((226, 236, 248), (252, 252, 252), 1.0, 0.8, 2),
    ((96, 146, 214), (206, 224, 240), 1.0, 0.9, 4),
    ((150, 176, 208), (226, 232, 238), 0.9, 0.4, 8),
    ((158, 164, 172), (208, 212, 216), 0.8, 0.0, 6),
    ((104, 112, 124), (172, 180, 186), 0.5, 0.0, 8),
    ((122, 134, 176), (244, 200, 150), 0.66, 0.5, 7),
)


class Street:
    """What many things in one street have in common, and the queue of what is to be painted.

    Sides are -1 (left) and 1 (right); `left` and `right` are where the kerbs are, in metres from the camera.
    """

    def __init__(self, dice: Dice):
        self.above, self.horizon, self.exposure, self.sunny, self.clouds = dice.pick(WEATHERS)
        self.exposure *= dice.between(0.85, 1.12)
        self.sun = dice.pick((-1, 1)) if self.sunny and dice.chance(0.9) else 0
        self.left, self.right = -dice.between(1.6, 2.7), dice.between(3.0, 6.0)
        self.sides = ((-1, self.left), (1, self.right))
        self.far = dice.between(60, 130)
        self.crossing = dice.between(9, 32) if dice.chance(0.35) else np.inf
        self.queue = []

    def put(self, z, draw, *args):
        """Have ``draw(canvas, dice, *args)`` called when it is the turn of what is `z` metres away."""
        self.queue.append((z, draw, args))

    def paint(self, canvas, dice):
        """Paint the queue from far to near, so that what is near covers what is far."""
        for _, draw, args in sorted(self.queue, key=lambda entry: -entry[0]):
            draw(canvas, dice, *args)
        self.queue.clear()


def street_scene(dice: Dice, size) -> tuple[np.ndarray, np.ndarray]:
    """Draw a street. The choices of `dice` don't depend on `size`, so a seed gives one street at every size."""
    street = Street(dice)
    canvas = Canvas(
        size,
        vanishing=(dice.between(0.34, 0.66), dice.between(0.44, 0.55)),
        focal=dice.between(1.15, 1.4),
        eye=dice.between(1.3, 1.55),
        bend=0.004 * dice.between(-1, 1) ** 3,
        haze=street.horizon,
        visibility=dice.between(180, 500),
        exposure=street.exposure,
    )
    sky(canvas, street)
    skyline(canvas, dice, 1.3 * street.far)
    surfaces(canvas, dice, street)
    for side, kerb in street.sides:
        roadside(canvas, dice, street, side, kerb)
    street.paint(canvas, dice)
    for side, kerb in street.sides:
        pavement(dice, street, side, kerb)
        carriageway(dice, street, side, kerb)
    street.paint(canvas, dice)
    if dice.chance(0.3):
        bonnet(canvas, dice)
    return expose(canvas, dice, street.clouds)


def sky(canvas, street):
    """Paint the sky over the whole canvas."""
    rows = min(max(1, int(canvas.y0)), len(canvas.pixels))
    t = (np.linspace(0, 1, rows) ** 1.3)[:, None]
    paint = np.full((rows, 4), SKY, np.uint8)
    paint[:, :3] = np.rint(np.array(street.above) * (1 - t) + np.array(street.horizon) * t)
    whole = canvas.pixels.view(np.uint32)[..., 0]  # pixel by pixel is much faster than channel by channel
    whole[:rows] = paint.view(np.uint32)
    whole[rows:] = paint[-1:].view(np.uint32)


def skyline(canvas, dice, z):
    """Paint what stands beyond the end of the street."""
    x = -0.75 * z
    while x < 0.75 * z:
        width, height = z * dice.between(0.06, 0.18), z * dice.between(0.02, 0.07)
        if dice.chance(0.5):
            houses.far_house(canvas, dice, x + 0.5 * width, z, width, height)
        else:
            plants.bush(canvas, dice, x + 0.5 * width, z, 0.7 * width, height)
        x += 0.8 * width


def surfaces(canvas, dice, street):
    """Paint the ground: verges, pavements with kerbs, the road with repairs and markings, a side street."""
    left, right, end = street.left, street.right, 220
    asphalt = dice.grey(84, 138, 5)
    for side in (-1, 1):
        grass = dice.chance(0.3)
        colour, label = (dice.tone((92, 108, 62)), TREE) if grass else (dice.grey(100, 150), PAVEMENT)
        canvas.ground([(side, side * 150, 1, end)], colour, label)
    canvas.ground([(left - 5, right + 5, 1, end)], dice.grey(95, 165), PAVEMENT)
    canvas.ground([(left - 0.16, right + 0.16, 1, end)], dice.grey(130, 190), PAVEMENT)
    canvas.ground([(left, right, 1, end)], asphalt, ROAD)
    canvas.ground([(left, left + 0.12, 1, end), (right - 0.12, right, 1, end)], shaded(asphalt, 0.72), ROAD)
    for _ in range(dice.pick((0, 1, 2, 4))):  # repairs
        x, z = dice.between(left, right), 2.2 / dice.between(0.06, 1.0)
        patch = (x, min(right, x + dice.between(0.5, 1.8)), z, z + dice.between(1, 8))
        canvas.ground([patch], shaded(asphalt, dice.between(0.8, 1.12)), ROAD)
    white = dice.grey(196, 232, 4)
    if dice.chance(0.85):
        middle = 0.5 * (left + right) + dice.between(-0.5, 0.3)
        dash, gap = dice.pick(((2.0, 4.0), (4.0, 2.0), (3.0, 5.0)))
        begins = dice.between(0.5, 4) + (dash + gap) * np.arange(12)
        canvas.ground([(middle - 0.06, middle + 0.06, z, z + dash) for z in begins], white, ROAD)
    if dice.chance(0.6):
        lines = (left + 0.3, left + 0.5, right - 0.3, right - 0.5)[:: dice.pick((1, 2))]
        canvas.ground([(x - 0.04, x + 0.04, 1, 120) for x in lines], dice.pick(((206, 176, 70), white)), ROAD)
    if street.crossing < street.far:
        z = street.crossing
        canvas.ground([(-90, 90, z, z + 6.5)], shaded(asphalt, dice.between(0.92, 1.08)), ROAD)
        canvas.ground([(left + 0.2, 0.5 * (left + right), z - 1.2, z - 0.9)], white, ROAD)
        if dice.chance(0.5):
            stripes = [(x, x + 0.5, z - 4.5, z - 1.8) for x in np.arange(left + 0.3, right - 0.5)]
            canvas.ground(stripes, white, ROAD)


def roadside(canvas, dice, street, side, kerb):
    """Line one side of the street with houses, gardens, trees, fences and walls, and close its far end."""
    face = kerb + side * dice.between(2.0, 4.6)
    urban, height = dice.pick((0.95, 0.9, 0.7, 0.35)), dice.between(6, 11.8)
    light = {0: 0.92, side: 0.64, -side: 1.1}[street.sun]  # houses on the side of the sun show their shadow
    end = dice.between(-6, 3)
    while end < street.far:
        begin, end = end, end + dice.between(7, 20)
        if begin < street.crossing + 6.5 and end > street.crossing:  # leave the side street open
            end = street.crossing
            if end - begin < 5:
                end += 6.5
                continue
        if end < 4:
            continue
        begin = max(begin, 1.0)
        built, tall, low = dice.chance(urban), height * dice.between(0.75, 1.3), dice.between(0.8, 1.7)
        garden = not built or dice.chance(0.25)
        if built:
            front = face + side * dice.between(2, 6) if garden else face
            street.put(end, houses.building, (front, end), (front, begin), tall, light)
            if street.sun == side:
                canvas.darken(face, face - side * tall * 0.8 * street.sunny, begin, end, 0.6)
            if dice.chance(0.35):
                z = begin + (end - begin) * dice.random()
                street.put(begin, furniture.shop_sign, front - side * 0.4, z)
        else:
            for _ in range(dice.pick((1, 2, 3))):
                z = max(begin + (end - begin) * dice.random(), 4)
                street.put(z, plants.tree, face + side * dice.between(1, 6), z, dice.between(6, 13))
        if garden:
            border = dice.pick((furniture.fence, furniture.fence, plants.hedge, houses.garden_wall))
            street.put(begin, border, (face, end), (face, begin), low, light)
    x, built = 0.5 * (street.left + street.right) - 2, dice.chance(0.6)
    while abs(x) < abs(kerb) + 14:
        width = dice.between(5, 10)
        if built:
            street.put(street.far + 1, houses.far_house, x, street.far, width, dice.between(5, 11))
        else:
            street.put(street.far + 1, plants.tree, x, street.far, dice.between(6, 13))
        x += side * width


def pavement(dice, street, side, kerb):
    """Put lamps, signs, trees, railings, people and what has no label on one pavement."""

    def depths(counts, near=0.7, far=0.06):
        """Return some depths in metres, evenly spread over the picture rather than over the street."""
        return [4 / dice.between(far, near) for _ in range(dice.pick(counts))]

    z, gap = dice.between(11, 30), dice.between(20, 36)
    while z < street.far:
        street.put(z, furniture.lamp, kerb + side * 0.4, z, -side)
        z += gap
    for z in depths((0, 0, 0, 1)):
        street.put(z, furniture.bollard, kerb + side * 0.3, z)
    for z in depths((0, 0, 1, 2, 4), 0.46):
        street.put(z, people.pedestrian, kerb + side * dice.between(0.5, 2.2), z)
    for z in depths((0, 0, 1, 2), 0.5):
        street.put(z, furniture.sign, kerb + side * 0.4, z)
    for z in depths((0, 1, 2), 0.38):
        street.put(z, furniture.clutter, kerb + side * dice.between(1.4, 2.2), z)
    for z in depths((2, 3, 4), 0.09, 0.04):
        street.put(z, furniture.muddle, kerb + side * dice.between(0, 3), z)
    if dice.chance(0.3):
        for z in depths((1, 2, 3), 0.4):
            street.put(z, plants.tree, kerb + side * 0.9, z, dice.between(5, 9))
    if dice.chance(0.33):
        z, length = dice.between(4, 25), dice.between(5, 15)
        street.put(z, furniture.fence, (kerb + side * 0.3, z + length), (kerb + side * 0.3, z), 1.0, 1.0)
    if street.crossing < street.far:
        street.put(street.crossing - 1, furniture.traffic_light, kerb + side * 0.4, street.crossing - 1)


def carriageway(dice, street, side, kerb):
    """Put vehicles on one half of the road, parked and driving, a cyclist, and what crosses."""
    turn = 0.0 if side < 0 else pi
    bodies = (*vehicles.CARS, *vehicles.CARS, *vehicles.CARS, vehicles.VAN, vehicles.BUS)
    parked, z = dice.chance(0.38), dice.between(3, 22)
    while parked and z < 60:
        x = kerb - side * dice.between(0.3, 1.0)
        askew = turn + dice.between(-0.04, 0.04)
        street.put(z, vehicles.vehicle, dice.pick(vehicles.CARS), x, z, askew, street.sun)
        z += dice.between(5.2, 14)
    if dice.chance(0.45):
        z = 5 / dice.between(0.08, 0.75)
        street.put(z, people.bicyclist, kerb - side * (2.3 if parked else dice.between(0.5, 1.2)), z)
    lane = 0.2 * street.left if side < 0 else 0.3 * street.left + 0.7 * street.right
    z = dice.between(8, 50)
    while z < 100:
        street.put(z, vehicles.vehicle, dice.pick(bodies), lane + dice.between(-0.2, 0.2), z, turn, street.sun)
        z += dice.between(18, 70)
    if dice.chance(0.15):
        x, z = dice.between(street.left, street.right), dice.between(9, 40)
        street.put(z, people.pedestrian, x, z)
    if street.crossing < 40:
        x, z = dice.between(-9, 9), street.crossing + (1.2 if side < 0 else 4.0)
        if dice.chance(0.3):
            street.put(z, vehicles.vehicle, dice.pick(bodies), x, z, side * 0.5 * pi, street.sun)
        elif dice.chance(0.2):
            street.put(z, people.bicyclist, x, z, people.ACROSS)


def bonnet(canvas, dice):
    """Paint the bonnet of the car that carries the camera; it has no label."""
    H, W = canvas.pixels.shape[:2]
    rise, middle, half = dice.between(0.03, 0.08), dice.between(0.3, 0.7), dice.between(0.5, 0.8)
    x = np.linspace(0, 1, 17)
    y = 1 - np.maximum(rise * (1 - ((x - middle) / half) ** 2), 0)
    outline = np.r_[np.c_[x, y], [(1, 1.02), (0, 1.02)]] * (W << FIXED, H << FIXED)
    canvas.fill([np.rint(outline).astype(np.int32)], canvas.mix(dice.grey(20, 60), VOID, 0))
