import numpy as np
import pytest

from segtut.plot import explore_reach
from segtut.plot.reach import number_of_ways


def mask(H, W):
    """The cross mask of chapter 5, (N, N)."""
    i, j = np.divmod(np.arange(H * W), W)
    return ((i[:, None] == i) | (j[:, None] == j)).astype(np.int64)


@pytest.mark.parametrize(("H", "W"), [(5, 7), (2, 3), (1, 6), (8, 1), (1, 1), (9, 13)])
@pytest.mark.parametrize("R", range(5))
def test_ways_are_powers_of_the_mask(H, W, R):
    power = np.linalg.matrix_power(mask(H, W), R)
    for i, j in {(0, 0), (H - 1, W // 2), (H // 2, W - 1)}:
        np.testing.assert_array_equal(number_of_ways(H, W, (i, j), R).ravel(), power[i * W + j])


def test_the_page_gets_what_it_needs_and_says_what_the_still_picture_shows():
    page = explore_reach(5, 7, passes=4, pixel=(1, 4), R=3)
    assert {key: page.data[key] for key in ("H", "W", "passes", "pixel", "R")} == {
        "H": 5, "W": 7, "passes": 4, "pixel": (1, 4), "R": 3,
    }  # fmt: skip
    i, j = page.data["source"]
    assert i != 1 and j != 4
    assert "30 off its row and column, 43 in its column, 61 in its row, 73 from itself. In all 35 of 35" in page.alt
    line = explore_reach(1, 6, passes=1)
    assert line.data["R"] == 1 and "after 1 pass: 1 in its row, 1 from itself. In all 6 of 6" in line.alt
    assert len(explore_reach()._repr_html_()) < 100_000


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"H": 0}, "H=0: must be an integer"),
        ({"W": 2.5}, "W=2.5: must be an integer"),
        ({"H": 33, "W": 33}, "33×33 are 1089 cells, more than the 1024"),
        ({"passes": 0}, "passes=0"),
        ({"passes": 7}, "passes=7: at most 6"),
        ({"H": 1, "W": 1000, "passes": 6}, "passes=6: at most 6, and at 1×1000 so few"),
        ({"R": 4}, "R=4: a whole number from 0 to passes=3"),
        ({"R": -1}, "R=-1"),
        ({"R": True}, "R=True"),
        ({"pixel": (9, 0)}, r"\(9, 0\) lies outside"),
        ({"pixel": (0, -1)}, "lies outside"),
    ],
)
def test_bad_arguments_are_refused(arguments, error):
    with pytest.raises(ValueError, match=error):
        explore_reach(**arguments)


def test_a_pixel_that_is_no_pair_is_refused():
    with pytest.raises(TypeError, match="no pair of integers"):
        explore_reach(pixel=3)
