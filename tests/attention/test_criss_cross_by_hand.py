"""The backward by hand of criss-cross attention: against autograd, central differences, and what it keeps."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segtut.attention import criss_cross as cc
from segtut.attention import cross
from segtut.attention.criss_cross_by_hand import ca_map, ca_weight, criss_cross_by_hand
from tests.attention.common import LAYOUTS, B, C, H, W, assert_equal, randn

C_QK = 3
shapes = st.tuples(*(st.integers(1, n) for n in (3, 3, 4, 6, 6)))  # B, C_qk, C, H, W
sizes = pytest.mark.parametrize("H, W", [(1, 1), (1, 3), (3, 1), (2, 3)])
finite = lambda D: D.masked_fill(D.isinf(), 0.0)  # noqa: E731


def qkv(B=B, C_qk=C_QK, C=C, H=H, W=W, seed=0):
    return randn(B, C_qk, H, W, seed=seed), randn(B, C_qk, H, W, seed=seed + 1), randn(B, C, H, W, seed=seed + 2)


def both(by_hand, automatic, inputs, cotangent):
    """Output and gradients of the two."""
    results = []
    for function in (by_hand, automatic):
        leaves = [t.detach().requires_grad_() for t in inputs]
        out = function(*leaves)
        results.append((out.detach(), *torch.autograd.grad(out, leaves, cotangent)))
    return results


# --- the three sums ---


def test_the_sums_over_the_cross_are_what_they_say():
    a, b, m = randn(B, C, H, W, seed=1), randn(B, C, H, W, seed=2), randn(B, H, W, H + W, seed=3)
    products, gathered, scattered = torch.zeros_like(m), torch.zeros_like(a), torch.zeros_like(a)
    for i in range(H):
        for j in range(W):
            for s in range(H + W):
                h, w = (s, j) if s < H else (i, s - H)
                products[:, i, j, s] = (a[:, :, i, j] * b[:, :, h, w]).sum(1)
                gathered[:, :, i, j] += m[:, i, j, s, None] * b[:, :, h, w]
                scattered[:, :, h, w] += m[:, i, j, s, None] * a[:, :, i, j]
    assert_equal(cross.products(a, b), products)
    assert_equal(cross.gather(m, b), gathered)
    assert_equal(cross.scatter(m, a), scattered)


# --- gradients ---


@settings(deadline=None, derandomize=True, max_examples=40)
@given(shape=shapes, seed=st.integers(0, 99), layout=st.sampled_from(tuple(LAYOUTS)))
def test_the_same_as_autograd_in_any_shape_and_layout(shape, seed, layout):
    n, _, _, height, width = shape
    q, k, v = (LAYOUTS[layout](t) for t in qkv(*shape, seed))
    cotangent = LAYOUTS[layout](randn(n, height, width, height + width, seed=seed + 3))
    for ours, theirs in zip(*both(ca_weight, cc.criss_cross_affinity, (q, k), cotangent), strict=True):
        assert_equal(ours, theirs)

    attention = LAYOUTS[layout](cc.criss_cross_affinity(q, k).softmax(-1))
    cotangent = LAYOUTS[layout](randn(*v.shape, seed=seed + 4))
    for ours, theirs in zip(*both(ca_map, cc.criss_cross_aggregate, (attention, v), cotangent), strict=True):
        assert_equal(ours, theirs)


@sizes
def test_gradcheck(H, W):
    q, k, v = (t.requires_grad_() for t in qkv(2, 2, 3, H, W))
    attention = randn(2, H, W, H + W).requires_grad_()
    assert torch.autograd.gradcheck(lambda q, k: finite(ca_weight(q, k)), (q, k))
    assert torch.autograd.gradcheck(ca_map, (attention, v))
    assert torch.autograd.gradcheck(criss_cross_by_hand, (q, k, v))


def test_the_overwritten_entries_have_no_gradient():
    q, k, _ = qkv()
    cotangent = torch.zeros(B, H, W, H + W, dtype=torch.float64)
    cross.own_column_entry(cotangent).fill_(3.0)
    for gradient in both(ca_weight, cc.criss_cross_affinity, (q, k), cotangent)[0][1:]:
        assert_equal(gradient, torch.zeros_like(gradient), atol=0)


def test_the_gradient_that_comes_in_is_left_alone():
    q, k, v = (t.requires_grad_() for t in qkv())
    D, y = ca_weight(q, k), ca_map(randn(B, H, W, H + W).requires_grad_(), v)
    for out in (D, y):
        cotangent = randn(*out.shape, seed=5)
        before = cotangent.clone()
        out.backward(cotangent)
        assert torch.equal(cotangent, before)


def test_a_gradient_of_one_number():
    # that of a sum, expanded to the output's shape: all strides are 0
    q, k, v = qkv()
    attention = cc.criss_cross_affinity(q, k).softmax(-1)
    for by_hand, automatic, inputs, shape in (
        (ca_weight, cc.criss_cross_affinity, (q, k), attention.shape),
        (ca_map, cc.criss_cross_aggregate, (attention, v), v.shape),
    ):
        cotangent = torch.ones((), dtype=torch.float64).expand(shape)
        for ours, theirs in zip(*both(by_hand, automatic, inputs, cotangent), strict=True):
            assert_equal(ours, theirs)
    v.requires_grad_()
    ca_map(attention, v).sum().backward()
    assert_equal(v.grad, cross.scatter(attention, torch.ones_like(v)))


@pytest.mark.parametrize("function", [ca_weight, ca_map])
def test_a_second_derivative_is_refused(function):
    q, k, v = (t.requires_grad_() for t in qkv())
    inputs = (q, k) if function is ca_weight else (randn(B, H, W, H + W).requires_grad_(), v)
    (gradient,) = torch.autograd.grad(finite(function(*inputs)).square().sum(), inputs[0], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("needed", [0, 1])
def test_one_input_alone_can_need_a_gradient(needed):
    inputs = list(qkv()[:2])
    inputs[needed] = inputs[needed].clone().requires_grad_()
    D = ca_weight(*inputs)
    cotangent = randn(*D.shape, seed=5)
    D.backward(cotangent)
    assert_equal(inputs[needed].grad, both(ca_weight, cc.criss_cross_affinity, qkv()[:2], cotangent)[1][1 + needed])


# --- autocast ---


def test_a_float32_map_and_bfloat16_values_under_autocast():
    # what CUDA's autocast gives, whose softmax answers in float32
    results = []
    for function in (ca_map, cc.criss_cross_aggregate):
        attention = randn(B, H, W, H + W, dtype=torch.float32).softmax(-1).requires_grad_()
        v = randn(B, C, H, W, dtype=torch.bfloat16).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            out = function(attention, v)
        out.float().square().sum().backward()
        assert (out.dtype, attention.grad.dtype, v.grad.dtype) == (torch.bfloat16, torch.float32, torch.bfloat16)
        results.append((out.float(), attention.grad, v.grad.float()))
    for ours, theirs in zip(*results, strict=True):
        assert_equal(ours, theirs, atol=0.01 * theirs.abs().max().item())


def test_float32_queries_keys_and_values_under_autocast():
    results = []
    for function in (criss_cross_by_hand, cc.criss_cross):
        inputs = [t.float().requires_grad_() for t in qkv()]
        with torch.autocast("cpu", torch.bfloat16):
            out, _ = function(*inputs)
        out.float().square().sum().backward()
        assert out.dtype == torch.bfloat16
        results.append([t.grad for t in inputs])
    for ours, theirs in zip(*results, strict=True):
        assert ours.dtype == torch.float32
        assert_equal(ours, theirs, atol=0.02 * theirs.abs().max().item())


# --- memory ---


def kept_bytes(function, inputs):
    """Memory that stays occupied for the backward, each storage counted once."""
    storages = {}

    def pack(t):
        storages[t.untyped_storage().data_ptr()] = t.untyped_storage().nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        out = function(*inputs)  # stays alive, and with it the graph, so that no address is used twice
    assert storages and out
    return sum(storages.values())


@pytest.mark.parametrize("B, ratio", [(1, 1.0), (2, 0.6)])
def test_keeps_less_for_the_backward_than_autograd(B, ratio, record_property):
    H, W, C_qk, C = 15, 17, 16, 128
    q, k, v = (t.float().requires_grad_() for t in qkv(B, C_qk, C, H, W))
    kept = {name: kept_bytes(function, (q, k, v)) for name, function in cc.IMPLEMENTATIONS.items()}
    record_property("bytes kept", kept)
    assert kept["by_hand"] == 4 * B * H * W * (2 * C_qk + C + H + W)  # q, k, v and A, nothing else
    # with one image, a batch of columns is a view, and autograd has nothing to copy
    assert kept["by_hand"] <= ratio * kept["fast"]
    assert kept["by_hand"] <= 0.6 * kept["bmm"]
