"""The canvas that scenes are drawn on: its camera, its strokes, and what it shows of a vehicle."""

import cv2
import numpy as np
import pytest

from segtut.data.street import vehicles
from segtut.data.street.canvas import FIXED, Canvas
from segtut.data.street.shapes import CAR, Dice


def canvas(size=(100, 140)):
    return Canvas(size, (0.5, 0.4), focal=1.2, eye=1.5, bend=0.0, haze=(0, 0, 0), visibility=1e9, exposure=1.0)


def test_camera_is_a_pinhole():
    view = canvas()
    H, W = view.pixels.shape[:2]
    column, row = view.project(np.array([2.0, 0.5, 10.0])) / (1 << FIXED)
    assert column == pytest.approx(0.5 * W + 1.2 * H * 2.0 / 10, abs=0.1)
    assert row == pytest.approx(0.4 * H + 1.2 * H * (1.5 - 0.5) / 10, abs=0.1)


def test_a_stroke_paints_colour_and_label_together():
    view = canvas()
    view.wall((-1, 5), (1, 5), [(np.array([(0, 1, 0, 2.0)]), (10, 200, 30), CAR)])
    image, mask = view.develop()
    painted = mask == CAR
    assert painted.any()
    core = cv2.erode(painted.astype(np.uint8), np.ones((3, 3))) > 0
    assert (image[core] == (10, 200, 30)).all()
    assert (image[cv2.dilate(painted.astype(np.uint8), np.ones((3, 3))) == 0] == 0).all()


@pytest.mark.parametrize("body", [vehicles.SALOON, vehicles.HATCHBACK, vehicles.ESTATE, vehicles.VAN, vehicles.BUS])
def test_vehicles_show_red_lights_behind_and_white_ones_ahead(body, monkeypatch):
    monkeypatch.setattr(vehicles, "PAINTS", [(60, 60, 60)])
    monkeypatch.setattr(Dice, "chance", lambda self, probability: False)
    for turn, seen, hidden in ((0.0, "red", "white"), (np.pi, "white", "red")):
        view = canvas()
        vehicles.vehicle(view, Dice(0), body, 0.0, 8.0, turn)
        red, green, blue = np.moveaxis(view.pixels[..., :3].astype(np.int64), -1, 0)
        count = {"red": ((red > 150) & (green < 60)).sum(), "white": ((red > 200) & (blue > 215)).sum()}
        assert count[seen] > 50 and count[hidden] == 0, (turn, count)


def test_shadows_fall_where_they_are_cast():
    view = canvas()
    view.darken(-1.0, 1.0, 4.0, 6.0, 0.5)
    light = view.shade()
    column, row = view.project(np.array([0.0, 0.0, 4.8])) // (view.zoom << FIXED)
    assert light[row, column] == 128
    assert (light[: row - 12] == 255).all() and (light[:, : column - 45] == 255).all()
