"""Flips and scales: that they change nothing where they must not, and what they do elsewhere."""

import pytest
import torch
from torch.testing import assert_close

from segtut.data import Scenes, normalise
from segtut.inference import blending_weights, mirrored, probabilities, rescaled, slide
from segtut.training import predict
from tests.inference.common import B, H, W


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
