"""Maps as matrices over positions: any pixel's row, passes composed, the paths between positions, memory."""

import pytest
import torch

from segtut.attention import dense_attention
from segtut.attention.dense import dense_criss_cross, spread
from tests.attention.common import OPERATORS, B, C, H, LargestTensor, W, assert_equal, build, randn

N = H * W
PIXELS = [(3, 4), (0, 0), (4, 6), (3, 4)]  # in any order, also twice
MAPPED = [name for name in OPERATORS if not name.startswith(("channel", "squeeze")) and not name.endswith("pooled")]


@pytest.mark.parametrize("name", MAPPED)
def test_rows_are_the_rows_of_the_modules_map(name):
    module, x = build(name), randn(B, C, H, W)
    full = dense_attention(module, x)
    attention = module(x, return_attention=True)[1]
    if attention.ndim == 4:
        attention = dense_criss_cross(attention, H, W)
    elif attention.ndim == 2:
        attention = attention[:, None].expand(B, N, N)
    assert_equal(full, attention)
    assert_equal(dense_attention(module, x, PIXELS), full[:, [i * W + j for i, j in PIXELS]])


@pytest.mark.parametrize(
    "name", ["criss_cross-fast", "criss_cross-by_hand", "position-sdpa", "global_context-average-add"]
)
@pytest.mark.parametrize("H, W", [(1, 7), (5, 1), (1, 1)])
def test_images_of_one_row_or_column(name, H, W):
    module, x = build(name), randn(B, C, H, W)
    full = dense_attention(module, x)
    assert_equal(full.sum(-1), torch.ones(B, H * W, dtype=torch.float64))
    assert_equal(dense_attention(module, x, [(H - 1, W - 1)]), full[:, -1:])


@pytest.mark.parametrize("R", [1, 2, 3])
def test_passes_compose_to_a_product(R):
    module, x = build("criss_cross-fast"), randn(B, C, H, W)
    product, features = torch.eye(N, dtype=torch.float64), x
    for _ in range(R):
        features, attention = module(features, return_attention=True)
        product = dense_criss_cross(attention, H, W) @ product  # the later pass stands to the left
    assert_equal(dense_attention(module, x, recurrence=R), product)
    assert_equal(dense_attention(module, x, PIXELS, R), product[:, [i * W + j for i, j in PIXELS]])
    assert_equal(product.sum(-1), torch.ones(B, N, dtype=torch.float64))
    assert (product > 0).all() == (R > 1)


def test_spread_is_a_product_with_the_matrix():
    attention = build("criss_cross-fast")(randn(B, C, H, W), return_attention=True)[1]
    rows = randn(B, 3, N, seed=2)
    assert_equal(spread(rows, attention), rows @ dense_criss_cross(attention, H, W))


@pytest.mark.parametrize("H, W", [(5, 7), (2, 3), (6, 4), (1, 5), (4, 1), (1, 1)])
def test_the_number_of_paths_between_two_pixels(H, W):
    # a step goes along the column or the row, or stays; counted by powers of the matrix of steps
    attention = build("criss_cross-fast")(randn(1, C, H, W), return_attention=True)[1]
    step = (dense_criss_cross(attention, H, W)[0] > 0).double()
    i, j = torch.arange(H * W) // W, torch.arange(H * W) % W
    same_row, same_column = i[:, None] == i, j[:, None] == j

    def paths(elsewhere, row, column, pixel):
        counts = torch.full((H * W, H * W), float(elsewhere), dtype=torch.float64)
        counts[same_row], counts[same_column], counts[same_row & same_column] = row, column, pixel
        return counts

    # With X for the steps in a column, Y for those in a row, step = X + Y - 1, X² = H X, Y² = W Y, and XY = YX is 1
    # everywhere. So step² = (H - 2) X + (W - 2) Y + 2 XY + 1, and once more for step³.
    one = paths(0, row=1, column=1, pixel=1)
    two = paths(2, row=W, column=H, pixel=H + W - 1)
    column, row, elsewhere = (H - 1) * (H - 2) + 1, (W - 1) * (W - 2) + 1, 3 * (H + W - 2)
    three = paths(elsewhere, elsewhere + row, elsewhere + column, elsewhere + row + column - 1)
    for R, counts in ((1, one), (2, two), (3, three)):
        assert_equal(step.matrix_power(R), counts, atol=0)
        assert (counts.sum(1) == (H + W - 1) ** R).all()


@pytest.mark.parametrize("name", ["criss_cross-fast", "non_local-gaussian-sdpa", "non_local-concatenation-dense",
                                  "position-sdpa", "global_context-attention-add"])  # fmt: skip
@torch.inference_mode()
def test_one_pixel_needs_no_matrix_over_positions(name):
    N = 97 * 97
    module, x = build(name, dtype=torch.float32), randn(1, C, 97, 97, dtype=torch.float32)
    with LargestTensor() as seen:
        rows = dense_attention(module, x, [(40, 60)], recurrence=2 if name.startswith("criss_cross") else 1)
    assert rows.shape == (1, 1, N)
    assert 0 < seen.elements < N * N / 4


def test_without_pixels_all_rows_are_made():
    with LargestTensor() as seen:  # so that the test above could fail
        dense_attention(build("position-sdpa"), randn(B, C, 20, 24))
    assert seen.elements >= B * (20 * 24) ** 2


@pytest.mark.parametrize(
    "module, arguments, error, message",
    [
        ("criss_cross-fast", {"pixels": [(5, 0)]}, ValueError, r"pixels: \(5, 0\) .* rows go from 0 to 4, .* 0 to 6"),
        ("criss_cross-fast", {"pixels": [(0, 0), (0, -1)]}, ValueError, r"pixels: \(0, -1\) lies outside"),
        ("criss_cross-fast", {"pixels": (3, 4)}, TypeError, r"pixels: 3 is no pair.*\[\(3, 4\)\]"),
        ("criss_cross-fast", {"pixels": [(3, 4, 0)]}, TypeError, r"pixels: \(3, 4, 0\) is no pair"),
        ("criss_cross-fast", {"pixels": [(0.5, 1)]}, TypeError, r"pixels: \(0.5, 1\) is no pair of integers"),
        ("criss_cross-fast", {"recurrence": 0}, ValueError, "recurrence=0: must be an integer of at least 1"),
        ("criss_cross-fast", {"recurrence": -1}, ValueError, "recurrence=-1: must be"),
        ("criss_cross-fast", {"recurrence": True}, ValueError, "recurrence=True: must be"),
        ("position-sdpa", {"recurrence": 2}, ValueError, "recurrence=2: only criss-cross .* use recurrence=1"),
        ("channel-code", {}, TypeError, "ChannelAttention has no map over positions: use criss-cross"),
        ("squeeze_excitation", {}, TypeError, "SqueezeExcitation has no map over positions: use criss-cross"),
        ("non_local-gaussian-sdpa-pooled", {}, ValueError, "module has pooled keys.*return_attention"),
    ],
)
def test_wrong_arguments(module, arguments, error, message):
    with pytest.raises(error, match=message):
        dense_attention(build(module), randn(B, C, H, W), **arguments)


@pytest.mark.parametrize(
    "name", ["criss_cross-fast", "non_local-gaussian-dense", "position-dense", "simplified_non_local"]
)
def test_wrong_input(name):
    with pytest.raises(ValueError, match=r"x has shape \(16, 5, 7\), 3 axes.*unsqueeze"):
        dense_attention(build(name), randn(C, H, W))
    with pytest.raises(ValueError, match=r"x has 8 channels .* built for 16: build it with channels=8"):
        dense_attention(build(name), randn(B, 8, H, W))
    with pytest.raises(TypeError, match=r"x has dtype torch.float32 but the module's parameters torch.float64"):
        dense_attention(build(name), randn(B, C, H, W).float())


def test_only_operators_are_taken():
    with pytest.raises(TypeError, match="ReLU has no map over positions"):
        dense_attention(torch.nn.ReLU(), randn(B, C, H, W))
