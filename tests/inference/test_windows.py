"""Windows: that they change nothing where they must not, and leave no seam elsewhere."""

from itertools import pairwise

import pytest
import torch
from torch.testing import assert_close

from segtut.cost.memory import peak_bytes
from segtut.inference import BLENDS, blending_weights, probabilities, slide
from tests.inference.common import B, H, W


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("overlap", [0, 0.25, 1 / 3, 0.5, 0.9])
@pytest.mark.parametrize(("length", "window"), [(21, 8), (34, 34), (34, 33), (9, 1), (100, 10), (1, 1)])
def test_weights_sum_to_1_everywhere(length, window, overlap, blend):
    starts, weights = blending_weights(length, window, overlap, blend)
    assert weights.shape == (len(starts), window) and weights.min() > 0
    assert starts[0] == 0 and starts[-1] == length - window and starts == sorted(set(starts))
    assert all(b - a <= max(1, window * (1 - overlap) + 1e-6) for a, b in pairwise(starts))
    total = torch.zeros(length, dtype=torch.float64)
    for start, weight in zip(starts, weights):
        total[start : start + window] += weight
    assert_close(total, torch.ones(length, dtype=torch.float64), rtol=0, atol=1e-14)


def test_hann_at_half_overlap_needs_no_division():
    """sin² of a window and of its neighbour, half a window on, are sin² and cos² of one angle."""
    starts, weights = blending_weights(40, 16, 0.5, "hann")
    assert starts == [0, 8, 16, 24]
    ramp = torch.sin(torch.pi * (torch.arange(16, dtype=torch.float64) + 0.5) / 16) ** 2
    assert_close(weights[1], ramp)
    assert_close(weights[2], ramp)
    assert_close(weights[0, 8:], ramp[8:])
    assert (weights[0, :8] == 1).all()  # nobody else looks there


def test_as_few_windows_as_the_overlap_allows():
    assert blending_weights(100, 10, 0.9)[0] == list(range(91))  # 100 * (1 - 0.9) is below 10 in floats
    assert len(blending_weights(1024, 256, 0.25)[0]) == 5
    assert len(blending_weights(1025, 256, 0.0)[0]) == 5


@pytest.mark.parametrize("blend", BLENDS)
def test_edges_fade_unless_the_blend_is_a_mean(blend):
    _, weights = blending_weights(96, 32, 0.5, blend)
    edge = weights[1, 0].item()
    if blend == "mean":
        assert edge == 0.5
    else:
        assert edge < 0.04


@pytest.mark.parametrize("window", [(H, W), (H + 5, W + 1), (H, 999)])
def test_a_window_as_large_as_the_image_changes_nothing(network, image, window):
    whole = probabilities(network, image, precision="no")
    assert torch.equal(probabilities(network, image, window, precision="no"), whole)
    with torch.no_grad():
        assert_close(whole, network(image).softmax(1))


def test_slide_against_a_loop_over_pixels(network, image):
    h, w = 8, 12
    predictor = lambda x: network(x).softmax(1)  # noqa: E731
    with torch.no_grad():
        y = slide(predictor, image, (h, w), overlap=0.25, blend="pyramid")
        tops, a = blending_weights(H, h, 0.25, "pyramid")
        lefts, b = blending_weights(W, w, 0.25, "pyramid")
        expected = torch.zeros(B, 4, H, W)
        for i in range(H):
            for j in range(W):
                for m, top in enumerate(tops):
                    for n, left in enumerate(lefts):
                        if 0 <= i - top < h and 0 <= j - left < w:
                            p = predictor(image[..., top : top + h, left : left + w])
                            expected[..., i, j] += a[m, i - top] * b[n, j - left] * p[..., i - top, j - left]
    assert y.shape == (B, 4, H, W)
    assert_close(y, expected)


@pytest.mark.parametrize("blend", BLENDS)
def test_a_predictor_without_borders_is_blended_into_itself(image, blend):
    pointwise = lambda x: x.softmax(1)  # noqa: E731
    for window in ((5, 7), (20, 33), (1, 1)):
        assert_close(slide(pointwise, image, window, 0.5, blend), pointwise(image))


def test_memory_is_the_result_and_one_window(network):
    """The bound of chapter 14, equation 14.9, and the weights of both axes, which are lines and not images."""
    h, w, K = 32, 40, 4
    look = lambda x: network(x).softmax(1)  # noqa: E731

    def peak(function, *size):
        x = torch.zeros(1, 3, *size)
        function(x)  # what libraries allocate once is no cost of a call
        return peak_bytes(lambda: function(x), x.device)

    with torch.no_grad():
        one = peak(look, h, w)
        for H, W in ((96, 160), (192, 160), (192, 320)):
            lines = 40 * (H + W)
            bound = 4 * K * H * W + one + 20 * h * w + lines
            assert 4 * K * H * W < peak(lambda x: slide(look, x, (h, w)), H, W) <= bound < 0.75 * peak(look, H, W)
