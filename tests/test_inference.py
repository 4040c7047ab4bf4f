"""Windows, flips and scales: that they change nothing where they must not, and what they do elsewhere."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.testing import assert_close

from segtut.data import DataError, Scenes, normalise
from segtut.inference import BLENDS, blending_weights, mirrored, predict_files, probabilities, rescaled, slide
from segtut.networks import build_network
from segtut.training import predict

B, H, W = 2, 21, 34


@pytest.fixture
def image():
    return torch.randn(B, 3, H, W, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def network():
    """A convolution whose padding makes every window's rim differ from what a larger window would say."""
    torch.manual_seed(1)
    return nn.Conv2d(3, 4, 5, padding=2).eval()


@pytest.fixture(scope="module")
def ccnet():
    torch.manual_seed(2)
    network = build_network("ccnet")
    nn.init.constant_(network.head.cca.gamma, 0.5)
    with torch.no_grad():  # batch norm sees streets, else random weights call every pixel the same
        for street, _ in Scenes("train", (48, 64), length=8):
            network(torch.cat([normalise(street), normalise(street[:, ::-1])]))
    return network.eval()


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


@pytest.mark.parametrize("how", [{}, {"window": (8, 11)}, {"flip": True}, {"window": (50, 9), "scales": (0.5, 1, 1.7)}])
def test_probabilities_sum_to_1_and_are_deterministic(network, image, how):
    p = probabilities(network, image, **how, precision="no")
    assert p.shape == (B, 4, H, W) and p.dtype == torch.float32 and p.min() >= 0
    assert_close(p.sum(1), torch.ones(B, H, W))
    assert torch.equal(p, probabilities(network, image, **how, precision="no"))


def test_flips(image):
    assert torch.equal(image.flip(-1).flip(-1), image)
    one_sided = lambda x: torch.cat([x[..., :1], x[..., :-1]], -1)  # noqa: E731
    both = mirrored(one_sided)
    assert not torch.equal(one_sided(image.flip(-1)), one_sided(image).flip(-1))
    assert torch.equal(both(image.flip(-1)), both(image).flip(-1))  # the mean no longer knows left from right
    even = lambda x: 2 * x  # noqa: E731
    assert torch.equal(mirrored(even)(image), even(image))


def test_scales(image):
    seen = []

    def predictor(x):
        seen.append(tuple(x.shape[-2:]))
        return torch.full_like(x, len(seen))

    before = image.clone()
    y = rescaled(predictor, image, (0.5, 1.0, 2))
    assert seen == [(10, 17), (21, 34), (42, 68)]
    assert_close(y, torch.full_like(image, 2.0))  # the mean of 1, 2 and 3
    assert torch.equal(rescaled(lambda x: x, image, (1, 1)), image) and torch.equal(image, before)
    assert rescaled(lambda x: x, image, (0.001,)).shape == image.shape  # never smaller than a pixel


def test_ccnet_on_images_of_any_size(ccnet):
    street = normalise(Scenes("val", (45, 70), length=1)[0][0])
    for how in ({}, {"window": (24, 32)}, {"window": (100, 100), "flip": True}):
        p = probabilities(ccnet, street, **how, precision="no")
        assert p.shape == (1, 11, 45, 70)
        assert_close(p.sum(1), torch.ones(1, 45, 70))
    assert torch.equal(
        probabilities(ccnet, street, (45, 70), precision="no").argmax(1), predict(ccnet, street, precision="no")
    )


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"window": 8}, r"window=8: give height and width"),
        ({"window": (8, 0)}, r"width in window=0"),
        ({"window": (8.5, 9)}, r"height in window=8.5"),
        ({"window": (8, 9), "overlap": 1}, r"overlap=1: it is a share"),
        ({"window": (8, 9), "overlap": -0.1}, r"overlap=-0.1"),
        ({"window": (8, 9), "blend": "gauss"}, r"blend='gauss' is unknown: use one of 'hann'"),
        ({"scales": ()}, r"scales=\(\): give at least one"),
        ({"scales": (1, 0)}, r"scale 0 in scales=\(1, 0\)"),
        ({"scales": (float("inf"),)}, r"scale inf"),
    ],
)
def test_errors_name_the_argument(network, image, how, said):
    with pytest.raises(ValueError, match=said):
        probabilities(network, image, **how)


def test_more_errors(network, image):
    with pytest.raises(ValueError, match=r"call network\.eval\(\)"):
        probabilities(network.train(), image)
    with pytest.raises(ValueError, match="image has shape"):
        probabilities(network.eval(), image[0])
    with pytest.raises(ValueError, match=r"a window of 8×9 pixels with shape \(2, 3, 4, 5\)"):
        slide(lambda x: x[..., :4, :5], image, (8, 9))
    with pytest.raises(ValueError, match="window=9 is larger than length=8"):
        blending_weights(8, 9)
    with pytest.raises(ValueError, match="length=0"):
        blending_weights(0, 1)


def test_predict_files_with_windows_flips_and_scales(ccnet, tmp_path):
    street = Scenes("test", (48, 80), length=1)[0][0]
    Image.fromarray(street).save(tmp_path / "street.png")
    ccnet.input_size = (24, 32)
    try:
        masks = {}
        for name, how in {
            "plain": {}, "window": {"window": (24, 32)}, "flip": {"flip": True}, "scales": {"scales": [0.75, 1.0]},
        }.items():  # fmt: skip
            predict_files(ccnet, [tmp_path / "street.png"], tmp_path / name, **how)
            masks[name] = np.asarray(Image.open(tmp_path / name / "street_mask.png"))
            assert masks[name].shape == (48, 80) and ccnet.input_size == (24, 32)
        assert not np.array_equal(masks["plain"], masks["window"])  # the image's own size, not the training's
        whole = probabilities(ccnet.cpu(), normalise(street), (24, 32)).argmax(1)[0].numpy()
        assert (masks["window"] == whole).mean() > 0.999  # on a GPU the last bit may differ
        with pytest.raises(ValueError, match="scale -1"):
            predict_files(ccnet, [tmp_path / "street.png"], tmp_path / "never", scales=(-1,))
        assert not (tmp_path / "never").exists()
        with pytest.raises(DataError, match="no image"):
            predict_files(ccnet, [], tmp_path / "never", window=(24, 32))
    finally:
        ccnet.input_size = None
