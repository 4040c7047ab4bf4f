"""What light and lens do to a painted street: texture by class, shadows on the ground, tint, blur and noise."""

import cv2
import numpy as np

from segtut.data.street.canvas import Canvas
from segtut.data.street.shapes import PAVEMENT, ROAD, SKY, TREE, Dice

# strength, in percent of brightness, of fine grain and of mottles; on road and pavement the mottles lie flat
_STRENGTH = np.full((2, 256), [[4], [6]], np.int16)
_STRENGTH[:, TREE] = 10, 10
_STRENGTH[:, SKY] = 1, 0  # clouds: see expose
_GROUND = np.zeros(256, np.uint8)
_GROUND[[ROAD, PAVEMENT]] = 255
TILE = 512


def _tile(cells):
    """Return noise, (TILE, TILE) uint8, mean 128 and deviation 32: the sum of one octave for each cell size."""
    rng = np.random.default_rng(0)
    tile = np.zeros((TILE, TILE))
    for cell in cells:
        knots = rng.integers(0, 256, (TILE // cell, TILE // cell), np.uint8)
        knots = cv2.copyMakeBorder(knots, 1, 1, 1, 1, cv2.BORDER_WRAP)  # so that the tile goes on across its edges
        octave = cv2.resize(knots, None, fx=cell, fy=cell, interpolation=cv2.INTER_LINEAR)[cell:-cell, cell:-cell]
        tile += octave * cell**0.5
    return np.clip(np.rint(128 + 32 * (tile - tile.mean()) / tile.std()), 0, 255).astype(np.uint8)


GRAIN = _tile((1, 2))
MOTTLE = _tile((2, 4, 8, 16, 32, 64))


def _crop(tile, dice, size):
    """Return a crop of `size` from a random place of `tile`, repeated if it is too small, as int16 about 0."""
    tile = np.pad(tile, [(0, max(0, side - TILE)) for side in size], "wrap") if max(size) > TILE else tile
    y, x = (int(dice.random() * (whole - side + 1)) for whole, side in zip(tile.shape, size))
    return tile[y : y + size[0], x : x + size[1]].astype(np.int16) - 128


def _lie_down(canvas, dice, mottles, ground):
    """Replace `mottles`, where there is `ground`, by some that lie on it: 20 pixels of the tile to the metre."""
    H, W = canvas.size
    top = min(max(0, int(canvas.y0 / canvas.zoom) + 1), H - 1)
    place = np.array([[20, 0, dice.between(0, TILE)], [0, 20, dice.between(0, TILE)], [0, 0, 1]])
    below = np.array([[1, 0, 0], [0, 1, top], [0, 0, 1]])  # there is no ground above the horizon
    homography = place @ canvas.ground_map() @ below
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    lying = cv2.warpPerspective(MOTTLE, homography, (W, H - top), flags=flags, borderMode=cv2.BORDER_WRAP)
    np.copyto(mottles[top:], lying.astype(np.int16) - 128, where=ground[top:] > 0)


def expose(canvas: Canvas, dice: Dice, clouds) -> tuple[np.ndarray, np.ndarray]:
    """Develop the canvas and make a photograph of it; `clouds` is the strength of mottles in the sky.

    Returns
    -------
    image : numpy.ndarray, (H, W, 3) uint8, RGB
    mask : numpy.ndarray, (H, W) uint8, class or 255
    """
    image, mask = canvas.develop()
    H, W = canvas.size
    grain_strength, mottle_strength = _STRENGTH.copy()
    mottle_strength[SKY] = clouds
    ground = cv2.LUT(mask, _GROUND)
    # mottles have a size relative to the picture, grain has not
    mottles = cv2.resize(_crop(MOTTLE, dice, (120, 160)), (W, H), interpolation=cv2.INTER_LINEAR)
    _lie_down(canvas, dice, mottles, ground)
    gain = grain_strength.take(mask) * _crop(GRAIN, dice, (H, W)) + mottle_strength.take(mask) * mottles
    gain = np.clip((gain >> 5) + 128, 0, 255).astype(np.uint8)  # 128 leaves a pixel as it is
    sunlit = cv2.max(canvas.shade(), cv2.bitwise_not(ground))  # shadows fall on ground alone
    gain = cv2.multiply(gain, sunlit, scale=1 / 255)
    image = cv2.multiply(image, cv2.merge([gain, gain, gain]), scale=1 / 128)
    # the camera: contrast, white balance, a lens that is not quite sharp
    warm = dice.between(-0.05, 0.05)
    level = 255 * (np.arange(256) / 255) ** dice.between(0.85, 1.15)
    curve = level[:, None] * (1 + warm, 1.0, 1 - warm)
    image = cv2.LUT(image, np.clip(np.rint(curve), 0, 255).astype(np.uint8)[None])
    return cv2.GaussianBlur(image, (3, 3), dice.between(0.2, 0.5)), mask
