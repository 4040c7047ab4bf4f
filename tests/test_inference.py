"""Windows, flips and scales: that they change nothing where they must not, and what they do elsewhere."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.testing import assert_close

from segtut import cli
from segtut.cost.memory import peak_bytes
from segtut.data import DataError, Scenes, normalise
from segtut.inference import BLENDS, blending_weights, mirrored, predict_files, probabilities, rescaled, slide
from segtut.networks import build_network
from segtut.training import predict
from segtut.training.checkpoint import save_network

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


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (13, 1)])
def test_images_of_a_pixel_or_a_line(network, size):
    line = torch.randn(B, 3, *size, generator=torch.Generator().manual_seed(3))
    for how in ({}, {"window": (5, 4)}, {"window": (1, 1), "flip": True}, {"scales": (0.3, 2.5), "window": (2, 3)}):
        p = probabilities(network, line, **how, precision="no")
        assert p.shape == (B, 4, *size)
        assert_close(p.sum(1), torch.ones(B, *size))


def test_images_of_a_batch_do_not_see_each_other(network, image):
    how = {"window": (8, 11), "flip": True, "scales": (0.7, 1.3), "precision": "no"}
    alone = torch.cat([probabilities(network, one[None], **how) for one in image])
    assert_close(probabilities(network, image, **how), alone)


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
        ({"window": (-8, 9)}, r"height in window=-8"),
        ({"window": (8.5, 9)}, r"height in window=8.5"),
        ({"window": (8, True)}, r"width in window=True"),
        ({"window": (8, 9), "overlap": float("nan")}, r"overlap=nan"),
        ({"window": (8, 9), "overlap": 1}, r"overlap=1: it is a share"),
        ({"window": (8, 9), "overlap": -0.1}, r"overlap=-0.1"),
        ({"window": (8, 9), "blend": "gauss"}, r"blend='gauss' is unknown: use one of 'hann'"),
        ({"scales": ()}, r"scales=\(\): give at least one"),
        ({"scales": (1, 0)}, r"scale 0 in scales=\(1, 0\)"),
        ({"scales": (float("inf"),)}, r"scale inf"),
        ({"scales": (float("nan"),)}, r"scale nan"),
        ({"scales": 2.0}, r"scales=2.0: give at least one"),
        ({"overlap": 2}, r"overlap=2: it is a share"),  # said although there is no window yet
        ({"precision": "half"}, r"precision='half' is none of auto, no, bf16, fp16"),
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
    for function in (probabilities, lambda _, x: slide(network, x, (8, 9)), lambda _, x: rescaled(network, x, (2,))):
        with pytest.raises(TypeError, match=r"image has dtype torch\.uint8"):
            function(network, image.byte())
    with pytest.raises(ValueError, match=r"a window of 8×9 pixels with shape \(2, 3, 4, 5\)"):
        slide(lambda x: x[..., :4, :5], image, (8, 9))
    for labels in (lambda x: x.argmax(1), lambda x: x.argmax(1, keepdim=True), lambda x: x.mean(1)):
        with pytest.raises(ValueError, match=r"floating probabilities .* class indices cannot be averaged"):
            slide(labels, image[:1], (8, 9))  # with one image, (1, h, w) would broadcast
    with pytest.raises(ValueError, match="floating probabilities"):
        slide(lambda x: x[:1], image, (8, 9))
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
        for how, said in (
            ({"scales": (-1,)}, "scale -1"), ({"window": (0, 32)}, "height in window=0"), ({"opacity": 2}, "opacity=2"),
        ):  # fmt: skip
            with pytest.raises(ValueError, match=said):  # before the first file is opened
                predict_files(ccnet, [tmp_path / "missing.png"], tmp_path / "never", **how)
        assert not (tmp_path / "never").exists()
        with pytest.raises(DataError, match="no image"):
            predict_files(ccnet, [], tmp_path / "never", window=(24, 32))
    finally:
        ccnet.input_size = None


def test_the_command_takes_windows_flips_and_scales(ccnet, tmp_path, monkeypatch, capsys):
    street, out = Scenes("test", (45, 70), length=1)[0][0], tmp_path / "out"
    Image.fromarray(street).save(tmp_path / "street.png")
    weights = save_network(tmp_path / "ccnet.safetensors", ccnet)
    words = ("predict", tmp_path / "street.png", "--run", weights, "--out", out)

    def command(*more):
        monkeypatch.setattr("sys.argv", ["segtut", *map(str, (*words, *more))])
        try:
            return cli.main()
        except SystemExit as stop:
            return stop.code

    assert "width in window=0" in command("--window", 24, 0)
    assert "scale nan" in command("--scale", "nan")
    assert not out.exists()
    assert command("--window", 24, 32, "--flip", "--scale", 0.75, "--scale", 1) in (None, 0)
    assert capsys.readouterr().out.splitlines() == [str(out / f"street_{kind}.png") for kind in ("overlay", "mask")]
    said = np.asarray(Image.open(out / "street_mask.png"))
    p = probabilities(ccnet.cpu(), normalise(street), (24, 32), flip=True, scales=(0.75, 1.0))
    assert (said == p.argmax(1)[0].numpy()).mean() > 0.999  # on a GPU the last bit may differ
