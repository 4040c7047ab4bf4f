import base64
import zlib

import numpy as np
import pytest
import torch

from segtut.attention.criss_cross import criss_cross, criss_cross_affinity
from segtut.plot import explore_cross
from segtut.plot.cross import small_house


def qkv(B=1, C_qk=2, C=3, H=5, W=7):
    g = torch.Generator().manual_seed(0)
    return tuple(torch.randn(B, channels, H, W, generator=g, dtype=torch.float64) for channels in (C_qk, C_qk, C))


def arrays_of(page):
    """The float arrays that the page unpacks."""
    raw = np.frombuffer(zlib.decompress(base64.b64decode(page.data["packed"])), "<f4")
    ends = np.cumsum([size for _, _, size in page.data["arrays"]])
    return dict(zip([name for name, _, _ in page.data["arrays"]], np.split(raw, ends[:-1]), strict=True))


def test_the_page_gets_the_energies_and_values_of_the_operator():
    q, k, v = qkv()
    page = explore_cross(q.float().requires_grad_(), k.float(), v.float(), pixel=(1, 4))
    arrays = arrays_of(page)
    np.testing.assert_allclose(arrays["energies"], criss_cross_affinity(q, k).float().ravel(), atol=1e-5)
    np.testing.assert_allclose(arrays["values"], v.float().ravel(), atol=1e-6)
    _, attention = criss_cross(q, k, v)
    assert (
        f"row 1, column 4 carry the weights with which it looks at them, the largest {attention[0, 1, 4].max():.2f}"
        in (page.alt)
    )
    assert page.data["low"] == pytest.approx(v.min().item()) and page.data["high"] == pytest.approx(v.max().item())


def test_values_that_are_colours_stay_as_they_are():
    q, k, v = qkv(C=1)
    page = explore_cross(q, k, v.sigmoid())
    assert (page.data["low"], page.data["high"], page.data["C"]) == (0, 1, 1) and page.data["pixel"] == (2, 3)


def test_the_house_denoises_itself():
    _, _, v = small_house()
    _, attention = criss_cross(*small_house())
    # a window looks mostly at windows: itself and two more of its row, and the one below
    assert attention[0, 1, 3, [3, 5 + 1, 5 + 3, 5 + 5]].sum() > 0.7
    assert v.min() >= 0 and v.max() <= 1
    assert len(explore_cross()._repr_html_()) < 100_000


@pytest.mark.parametrize(
    ("tensors", "kind", "error"),
    [
        ((*qkv()[:2], None), TypeError, "q, k and v go together"),
        (qkv(B=2), ValueError, r"hold 2 images: give one, such as q\[:1\]"),
        (qkv(C=16), ValueError, r"v has 16 channels: .* v\[:, :3\]"),
        (qkv(W=17), ValueError, "5×17: a page lists at most 16 rows"),
        ((qkv()[0], qkv(H=7, W=5)[1], qkv()[2]), ValueError, "k has shape"),
        ((*qkv()[:2], qkv(H=7, W=5)[2]), ValueError, "v has shape"),
        ((*qkv()[:2], qkv()[2].float()), TypeError, "v has dtype"),
        ((*qkv()[:2], qkv()[2] / 0), ValueError, "v has values that are not finite"),
        ((1, 2, 3), TypeError, "q is a int"),
    ],
)
def test_bad_tensors_are_refused(tensors, kind, error):
    with pytest.raises(kind, match=error):
        explore_cross(*tensors)


def test_a_pixel_outside_is_refused():
    with pytest.raises(ValueError, match=r"\(5, 0\) lies outside"):
        explore_cross(*qkv(), pixel=(5, 0))
