"""Entropy and distance of rows, against loops and against rows whose answer is known."""

import math

import pytest
import torch

from segtut.attention import dense_attention
from segtut.attention.summary import entropy, mean_distance
from tests.attention.common import B, C, H, W, assert_equal, build, randn

N = H * W
PIXELS = [(3, 4), (0, 0), (4, 6)]


def rows_of(P=N):
    return randn(B, P, N, seed=3).softmax(dim=-1)


def test_entropy_is_the_loop():
    rows = rows_of(3)
    looped = [[-sum(a * math.log(a) for a in row.tolist()) for row in image] for image in rows]
    assert_equal(entropy(rows), torch.tensor(looped, dtype=torch.float64))


@pytest.mark.parametrize("n", [1, 4, N])
def test_n_equal_weights_count_as_n_positions(n):
    row = torch.zeros(N, dtype=torch.float64)
    row[:n] = 1 / n
    assert_equal(entropy(row).exp(), torch.tensor(float(n), dtype=torch.float64))


def test_one_pass_of_criss_cross_has_at_most_the_entropy_of_its_cross():
    module, x = build("criss_cross-fast"), 0.3 * randn(B, C, H, W)  # affinities so small that rows are nearly flat
    once, twice = (entropy(dense_attention(module, x, recurrence=R)) for R in (1, 2))
    assert (once <= math.log(H + W - 1)).all()
    assert (twice > math.log(H + W - 1)).any() and (twice <= math.log(N)).all()


def test_distance_is_the_loop():
    rows = rows_of(len(PIXELS))
    looped = [
        [sum(row[s] * math.hypot(i - s // W, j - s % W) for s in range(N)) for row, (i, j) in zip(image, PIXELS)]
        for image in rows.tolist()
    ]
    assert_equal(mean_distance(rows, H, W, PIXELS), torch.tensor(looped, dtype=torch.float64))


def test_distance_of_all_pixels_is_that_of_each():
    rows = rows_of()
    chosen = [i * W + j for i, j in PIXELS]
    assert_equal(mean_distance(rows, H, W)[:, chosen], mean_distance(rows[:, chosen], H, W, PIXELS))


def test_who_looks_at_itself_looks_nowhere_else():
    assert_equal(mean_distance(torch.eye(N, dtype=torch.float64)[None], H, W), torch.zeros(1, N, dtype=torch.float64))


def test_a_step_to_the_side_is_1_and_rows_are_no_columns():
    row = torch.zeros(1, 1, N, dtype=torch.float64)
    row[..., 2 * W + 5] = 1  # all weight on (2, 5)
    for pixel, apart in (((2, 4), 1), ((1, 5), 1), ((2, 0), 5), ((4, 5), 2)):
        assert mean_distance(row, H, W, [pixel]).item() == apart


@pytest.mark.parametrize(
    ("rows", "pixels", "error", "words"),
    [
        (rows_of(), PIXELS, ValueError, "rows"),
        (rows_of()[..., 1:], None, ValueError, "rows"),
        (rows_of(1), [(H, 0)], ValueError, "outside"),
        (rows_of(1), [3], TypeError, "pairs"),
    ],
)
def test_what_does_not_fit_is_named(rows, pixels, error, words):
    with pytest.raises(error, match=words):
        mean_distance(rows, H, W, pixels)


def test_sizes_are_whole_numbers():
    with pytest.raises(ValueError, match="H=0"):
        mean_distance(rows_of(), 0, W)
