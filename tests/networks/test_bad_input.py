"""What no head takes: the error names argument, value and remedy."""

import pytest
import torch

from segtut.networks import HEADS
from tests.networks.common import CASES, C, features, make_head


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("bad", "kind", "said"),
    [
        (lambda x: x[0], ValueError, r"x has shape \(64, 5, 7\), 3 axes: .* unsqueeze\(0\)"),
        (
            lambda x: x[:, :32],
            ValueError,
            r"x has 32 channels \(shape \(2, 32, 5, 7\)\) .* built for 64: .*channels=32",
        ),
        (lambda x: x.long(), TypeError, r"x has dtype torch.int64: .* convert it with .float"),
        (lambda x: x[:0], ValueError, r"x has shape \(0, 64, 5, 7\): every axis"),
        (lambda x: x[..., :0], ValueError, r"x has shape \(2, 64, 5, 0\): every axis"),
        (lambda x: x.double(), TypeError, r"x has dtype torch.float64 but the module's parameters torch.float32: conv"),
        (lambda x: x.to("meta"), ValueError, r"x is on meta but the module's parameters on cpu: move one"),
        (lambda x: [x], TypeError, "x is a list: pass a torch.Tensor"),
    ],
    ids=["rank", "channels", "integer", "no-images", "no-columns", "dtype", "device", "list"],
)
def test_features_that_do_not_fit(case, bad, kind, said):
    with pytest.raises(kind, match=said):
        make_head(case)(bad(features()))


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((3, 7), r"channels=3: a head works with a quarter of them; use at least 4, or name inner=\.\.\."),
        ((0, 7), "channels=0: must be an integer of at least 1"),
        ((True, 7), "channels=True: must be an integer"),
        ((64.0, 7), r"channels=64\.0: must be an integer"),
        ((C, 0), "num_classes=0: must be an integer of at least 1"),
        ((C, True), "num_classes=True: must be an integer"),
        ((C, "11"), "num_classes='11': must be an integer"),
    ],
    ids=str,
)
def test_sizes_that_do_not_fit(name, arguments, said):
    with pytest.raises(ValueError, match=said):
        HEADS[name](*arguments)


def test_few_channels_with_a_named_width():
    x = torch.randn(2, 3, 5, 7)
    for name, head in HEADS.items():
        assert head(3, 7, inner=8).eval()(x)[0].shape == (2, 7, 5, 7), name
