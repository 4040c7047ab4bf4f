"""The oracle on cases worked by hand: it judges the rest, and nothing judges it but arithmetic on paper."""

import math

import pytest
import torch

from segtut.attention import oracle
from tests.attention.common import assert_equal, randn


def t(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


LN3 = math.log(3)


# Two positions of one channel. The queries are 1; the keys 0 and ln 3, so that softmax weighs 1/4 and 3/4.
Q, K, V = t(1, 1), t(0, LN3), t(8, 4)


@pytest.mark.parametrize("H, W", [(1, 2), (2, 1)])
@pytest.mark.parametrize("mode", ["position", "gaussian", "embedded_gaussian"])
def test_softmax_over_positions(mode, H, W):
    q, k, v = (x.view(1, 1, H, W) for x in (Q, K, V))
    out, attention = oracle.position_attention(q, k, v) if mode == "position" else oracle.non_local(q, k, v, mode)
    assert_equal(attention[0], t(1, 3, 1, 3).view(2, 2) / 4)
    assert_equal(out.flatten(), t(5, 5))


def test_criss_cross():
    out, attention = oracle.criss_cross(*(x.view(1, 1, 2, 1) for x in (Q, K, V)))
    # entries: column (upper, lower), then the row, which is the pixel itself
    assert_equal(attention.view(2, 3), t(0, 0.75, 0.25, 0.25, 0, 0.75).view(2, 3))
    assert_equal(out.flatten(), t(5, 5))


def test_criss_cross_sees_no_other_column_and_row():
    v = torch.zeros(1, 1, 3, 2, dtype=torch.float64)
    v[0, 0, 1, 1] = 8.0
    q = torch.zeros_like(v)  # four positions on each cross, all alike
    assert_equal(oracle.criss_cross(q, q, v)[0].view(3, 2), t(0, 2, 2, 2, 0, 2).view(3, 2))


def test_non_local_scale_dot_product_and_concatenation():
    q, k, v = (x.view(1, 1, 1, 2) for x in (t(2, 4), t(0, LN3), t(8, 4)))
    assert_equal(oracle.non_local(q, k, v, scale=0.5)[1][0], t(1 / 4, 3 / 4, 1 / 10, 9 / 10).view(2, 2))
    out, attention = oracle.non_local(q, t(1, 3).view(1, 1, 1, 2), v, "dot_product")
    assert_equal(attention[0], t(1, 3, 2, 6).view(2, 2))
    assert_equal(out.flatten(), t(20, 40))
    # w = (1, -1): ReLU(2 - 1), ReLU(2 - 3), ReLU(4 - 1), ReLU(4 - 3), over 2 keys
    out, attention = oracle.non_local(q, t(1, 3).view(1, 1, 1, 2), v, "concatenation", w=t(1, -1))
    assert_equal(attention[0], t(1, 0, 3, 1).view(2, 2) / 2)
    assert_equal(out.flatten(), t(4, 14))


def test_non_local_with_fewer_keys_than_queries():
    out, attention = oracle.non_local(randn(1, 2, 3, 4), torch.zeros(1, 2, 1, 2), t(8, 4).view(1, 1, 1, 2))
    assert attention.shape == (1, 12, 2)
    assert_equal(out, torch.full((1, 1, 3, 4), 6.0, dtype=torch.float64))


def test_channel_attention_of_code_and_paper():
    # E = [[ln 3, 0], [0, 0]]
    x = t(math.sqrt(LN3), 0, 0, 0).view(1, 2, 1, 2)
    assert_equal(oracle.channel_attention(x, "paper")[1][0], t(3 / 4, 1 / 4, 1 / 2, 1 / 2).view(2, 2))
    out, attention = oracle.channel_attention(x, "code")
    assert_equal(attention[0], t(1 / 4, 3 / 4, 1 / 2, 1 / 2).view(2, 2))
    assert_equal(out.flatten(), math.sqrt(LN3) * t(1 / 4, 0, 1 / 2, 0))


# Two positions of two channels, (0, 8) and (ln 3, 4): the mask looks at the first, and its bias cancels.
X = t(0, LN3, 8, 4).view(1, 2, 1, 2)
CONTEXT = t(0.75 * LN3, 5)


def test_simplified_non_local():
    out, attention = oracle.simplified_non_local(X, t(1, 0), t(7)[0], t(0, 1, 0, 2).view(2, 2))
    assert_equal(attention, t(0.25, 0.75)[None])
    assert_equal(out.flatten(), X.flatten() + t(5, 5, 10, 10))


def test_squeeze_excitation():
    # means (ln 3 / 2, 6), the hidden channel is 6 - 5 = 1, the weights σ(ln 3) = 3/4 and σ(-ln 3) = 1/4
    arguments = t(0, 1)[None], t(-5), t(LN3, -LN3).view(2, 1), t(0, 0)
    out, weights = oracle.squeeze_excitation(X, *arguments)
    assert_equal(weights.flatten(), t(3, 1) / 4)
    assert_equal(out.flatten(), X.flatten() * t(3, 3, 1, 1) / 4)


def test_global_context():
    # LayerNorm of (5, 3) is ±1 over √(1 + eps); the gain undoes that, so that ReLU gives (1, 0)
    gain = math.sqrt(1 + 1e-5)
    first = t(0, 1, 0, 1).view(2, 2), t(0, -2), t(gain, gain), t(0, 0)
    add = (*first, t(10, 1, 20, 1).view(2, 2), t(1, 2))
    multiply = (*first, t(LN3, 1, -LN3, 1).view(2, 2), t(0, 0))
    added, factor = t(11, 11, 22, 22), t(3, 3, 1, 1) / 4
    x = X.flatten()
    mask = t(1, 0), t(7)[0]
    for transforms, wanted in (
        ((None, add), x + added),
        ((multiply, None), x * factor),
        ((multiply, add), x * factor + added),
    ):
        out, attention = oracle.global_context(X, *mask, *transforms)
        assert_equal(attention, t(0.25, 0.75)[None])
        assert_equal(out.flatten(), wanted)
    # the average of the positions is 6 in the second channel: (6, 4) normalises as (5, 3) does
    out, attention = oracle.global_context(X, None, None, None, add)
    assert_equal(attention, t(0.5, 0.5)[None])
    assert_equal(out.flatten(), x + added)


def test_big_numbers_overflow_nowhere():
    x = 1e4 * randn(1, 2, 2, 3)
    for out, attention in (
        oracle.criss_cross(x, x, x),
        oracle.position_attention(x, x, x),
        oracle.non_local(x, x, x),
        oracle.channel_attention(x),
        oracle.squeeze_excitation(x, t(1, 1)[None], t(0), t(1, -1).view(2, 1), t(0, 0)),
    ):
        assert out.isfinite().all() and attention.isfinite().all()


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="mode='gauss' is unknown"):
        oracle.non_local(X, X, X, "gauss")
    with pytest.raises(ValueError, match="variant='paper2' is unknown"):
        oracle.channel_attention(X, "paper2")
