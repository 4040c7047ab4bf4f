"""What holds for every operator: its oracle, gradients, memory layouts, precision, a start as the identity."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attention.common import (
    LAYOUTS,
    OPERATORS,
    SOFTMAX,
    B,
    C,
    H,
    W,
    assert_equal,
    build,
    expected,
    gradients,
    randn,
)

operator = pytest.mark.parametrize("name", OPERATORS)
# the last layer of squeeze-and-excitation does not start at 0, as published
starting_as_identity = pytest.mark.parametrize("name", [name for name in OPERATORS if name != "squeeze_excitation"])

# of the largest number; measured here: float32 up to 1e-6, bfloat16, whose weights are rounded too, up to 0.02
RELATIVE = {torch.float32: 5e-6, torch.bfloat16: 0.04}
shapes = st.tuples(
    st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)
).filter(lambda s: s[3] != s[4] or s[3] == 1)  # B, channels inside, reduction, H, W


def close(actual, wanted, dtype):
    atol = 1e-10 if dtype == torch.float64 else RELATIVE[dtype] * max(1.0, wanted.abs().max().item())
    assert actual.dtype == dtype
    assert_equal(actual.double(), wanted, atol)


def at_least(name, sizes):
    """Pooled keys need 2×2 positions."""
    return tuple(max(2, n) for n in sizes) if name.endswith("pooled") else sizes


@operator
@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    shape=shapes,
    dtype=st.sampled_from((torch.float64, torch.float32)),
    layout=st.sampled_from(tuple(LAYOUTS)),
    seed=st.integers(0, 99),
)
def test_equals_the_oracle_at_any_shape_type_and_layout(name, shape, dtype, layout, seed):
    batch, inner, reduction, *sizes = shape
    module = build(name, inner * reduction, reduction, dtype)
    x = LAYOUTS[layout](randn(batch, inner * reduction, *at_least(name, sizes), seed=seed, dtype=dtype))
    wanted, wanted_attention = expected(module, x)
    out, attention = module(x, return_attention=True)
    close(out, wanted, dtype)
    close(attention, wanted_attention, dtype)
    close(module(x), wanted, dtype)  # without the map, some take another way


@operator
@pytest.mark.parametrize("layout", LAYOUTS)
def test_bfloat16_stays_close_to_the_float64_oracle(name, layout):
    # expanded channels are all equal, and their products add up: bfloat16 cannot tell a logit of 144 from 144.5
    size = 0.25 if layout == "expanded" else 1.0
    module, x = build(name, dtype=torch.bfloat16), LAYOUTS[layout](size * randn(B, C, H, W, dtype=torch.bfloat16))
    wanted, wanted_attention = expected(module, x)  # of the rounded weights and inputs
    out, attention = module(x, return_attention=True)
    close(out, wanted, torch.bfloat16)
    close(attention, wanted_attention, torch.bfloat16)
    close(module(x), wanted, torch.bfloat16)
    assert all(t.dtype == torch.bfloat16 and t.isfinite().all() for t in gradients(module, x).values())


@operator
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_autocast_stays_close_to_float32(name, dtype):
    module, x = build(name, dtype=torch.float32), randn(B, C, H, W, dtype=dtype)
    wanted, wanted_attention = expected(module, x)
    reference = gradients(module, x.float())
    with torch.autocast("cpu", torch.bfloat16):
        out, attention = module(x, return_attention=True)
        found = gradients(module, x)
    assert out.dtype in (torch.float32, dtype)
    assert_equal(out.double(), wanted, 0.04 * wanted.abs().max().item())
    assert_equal(attention.double(), wanted_attention, 0.04 * wanted_attention.abs().max().item())
    for parameter, gradient in found.items():
        assert gradient.dtype == (dtype if parameter == "x" else torch.float32)
        # the sum of a whole image's rounding errors; a gradient that is 0 has no scale of its own
        atol = 0.06 * max(1.0, *(g.abs().max().item() for g in reference.values()))
        assert_equal(gradient.float(), reference[parameter], atol)


@operator
@pytest.mark.parametrize("H, W, fast", [(2, 3, False), (1, 3, True), (3, 1, True), (1, 1, True)])
def test_gradcheck(name, H, W, fast):
    if name.endswith("pooled") and min(H, W) < 2:
        H, W = max(2, H), max(2, W)
    module, x = build(name, channels=4), randn(2, 4, H, W).requires_grad_()
    names, parameters = zip(*module.named_parameters(), strict=True)

    def function(x, *parameters):
        return torch.func.functional_call(
            module, dict(zip(names, parameters, strict=True)), x, {"return_attention": True}
        )

    # fast: one random direction in place of all
    assert torch.autograd.gradcheck(function, (x, *parameters), fast_mode=fast)
    assert torch.autograd.gradcheck(module, x, fast_mode=True)  # without the map, some take another way


@starting_as_identity
def test_a_new_operator_is_the_identity(name):
    module, x = OPERATORS[name](C, 2).double(), randn(B, C, H, W)
    multiplies = name.endswith(("multiply", "both"))  # by the sigmoid of 0
    assert_equal(module(x), x / 2 if multiplies else x, atol=0)


@starting_as_identity
def test_the_first_gradient_goes_to_the_last_layer_alone(name):
    module, x = OPERATORS[name](C, 2).double(), randn(B, C, H, W)
    found = gradients(module, x, randn(B, C, H, W, seed=2))
    found.pop("x")
    learning = {parameter for parameter, gradient in found.items() if gradient.abs().max() > 0}
    last = {
        "criss_cross": {"gamma"},
        "position": {"gamma"},
        "channel": {"gamma"},
        "non_local": {"norm.weight", "norm.bias"} if name.endswith("norm") else {"conv_out.weight", "conv_out.bias"},
        "simplified_non_local": {"value_conv.weight"},
        "global_context": {parameter for parameter in found if parameter.endswith((".3.weight", ".3.bias"))},
    }
    assert learning == last[name.split("-")[0]]


@pytest.mark.parametrize("name", SOFTMAX)
def test_weights_are_positive_and_sum_to_one(name):
    attention = build(name)(randn(B, C, H, W), return_attention=True)[1]
    assert (attention >= 0).all()
    assert_equal(attention.sum(-1), torch.ones(attention.shape[:-1], dtype=torch.float64), atol=1e-14)


@operator
def test_the_input_is_left_alone(name):
    x = randn(B, C, H, W).contiguous(memory_format=torch.channels_last)
    before = x.clone()
    build(name)(x)
    assert torch.equal(x, before)


@pytest.mark.parametrize("name", [name for name in SOFTMAX if name.startswith(("criss", "non_local", "position"))])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_big_logits_give_no_nan(name, dtype):
    module, x = build(name, dtype=dtype), randn(B, C, H, W, dtype=dtype)
    if hasattr(module, "query_conv"):
        torch.nn.init.constant_(module.query_conv.bias, 1e4)
    elif isinstance(module.theta, torch.nn.Conv2d):
        torch.nn.init.constant_(module.theta.bias, 1e4)
    else:
        x = x * 50  # x·x is the logit
    out, attention = module(x, return_attention=True)
    assert all(t.isfinite().all() for t in (module(x), out, attention, *gradients(module, x).values()))
    assert attention.max() > 0.9  # the logits are so big that they decide
