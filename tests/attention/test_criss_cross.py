"""Criss-cross attention as functions: all forms against the oracle, gradients, and properties of the formula."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import jaxtyped

from segtut.attention import criss_cross as cc
from segtut.attention import oracle
from segtut.attention.dense import dense_criss_cross
from tests.attention.common import B, C, H, W, assert_equal

C_QK = 3
FORMS = cc.IMPLEMENTATIONS
form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
shapes = st.tuples(*(st.integers(1, n) for n in (3, 3, 4, 6, 6)))  # B, C_qk, C, H, W


def make_qkv(B=B, C_qk=C_QK, C=C, H=H, W=W, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    sizes = ((B, C_qk, H, W), (B, C_qk, H, W), (B, C, H, W))
    return tuple(torch.randn(size, generator=generator, dtype=torch.float64).to(dtype) for size in sizes)


@form
@settings(deadline=None, derandomize=True, max_examples=40)
@given(shape=shapes, seed=st.integers(0, 2**16), logits=st.sampled_from((1.0, 30.0, 1e4)))
def test_equals_the_oracle_at_any_shape(form, shape, seed, logits):
    q, k, v = make_qkv(*shape, seed=seed)
    out, attention = form(q * logits, k, v)
    expected, expected_attention = oracle.criss_cross(q * logits, k, v)
    assert_equal(out, expected)
    assert_equal(attention, expected_attention)


@form
@pytest.mark.parametrize("H, W", [(1, 1), (1, 7), (5, 1), (5, 7)])
def test_degenerate_images(form, H, W):
    q, k, v = make_qkv(H=H, W=W)
    out, attention = form(q, k, v)
    assert out.shape == (B, C, H, W)
    assert attention.shape == (B, H, W, H + W)
    assert_equal(out, oracle.criss_cross(q, k, v)[0])
    if (H, W) == (1, 1):
        assert_equal(out, v)


@form
@pytest.mark.parametrize("H, W", [(1, 1), (3, 1), (1, 3), (2, 3)])
def test_gradcheck(form, H, W):
    inputs = [t.requires_grad_() for t in make_qkv(B=2, C_qk=2, C=3, H=H, W=W)]
    assert torch.autograd.gradcheck(form, inputs)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(shape=shapes, seed=st.integers(0, 2**16))
def test_all_forms_have_the_same_gradients(shape, seed):
    gradients = []
    cotangent = make_qkv(*shape, seed=seed + 1)[2]
    for function in FORMS.values():
        inputs = [t.requires_grad_() for t in make_qkv(*shape, seed=seed)]
        gradients.append(torch.autograd.grad(function(*inputs)[0], inputs, cotangent))
    for first, *others in zip(*gradients, strict=True):
        for other in others:
            assert_equal(other, first)


@form
def test_weights_sum_to_one_and_the_pixel_counts_once(form):
    q, k, v = make_qkv()
    attention = form(q, k, v)[1]
    assert_equal(attention.sum(-1), torch.ones(B, H, W, dtype=torch.float64), atol=1e-14)
    own_column_entry = attention[..., :H].diagonal(dim1=1, dim2=3)
    assert own_column_entry.shape == (B, W, H)
    assert (own_column_entry == 0).all()
    assert (attention == 0).sum() == B * H * W  # nothing else is masked


def test_affinity_is_the_unscaled_product_with_minus_infinity_at_the_pixel_itself():
    q, k, _ = make_qkv()
    energy = cc.criss_cross_affinity(q, k)
    i, j, h, w = 1, 4, 3, 6
    assert_equal(energy[0, i, j, h], q[0, :, i, j] @ k[0, :, h, j])
    assert_equal(energy[0, i, j, H + w], q[0, :, i, j] @ k[0, :, i, w])
    assert energy[0, i, j, i] == -torch.inf
    assert_equal(energy[0, i, j, H + j], q[0, :, i, j] @ k[0, :, i, j])
    assert torch.isinf(energy).sum() == B * H * W


@form
def test_a_constant_added_to_all_logits_changes_nothing(form):
    q, k, v = make_qkv()
    bias = torch.randn(1, C_QK, 1, 1, dtype=torch.float64, requires_grad=True)  # q·(k + bias) = q·k + q·bias
    out = form(q, k + bias, v)[0]
    assert_equal(out, form(q, k, v)[0])
    (gradient,) = torch.autograd.grad(out.square().sum(), bias)
    assert_equal(gradient, torch.zeros_like(bias), atol=1e-12)


@form
def test_transposing_the_image_transposes_the_output(form):
    q, k, v = make_qkv()
    out, attention = form(q, k, v)
    out_t, attention_t = form(q.mT, k.mT, v.mT)
    assert_equal(out_t, out.mT)
    # the pixel's own weight moves from the row's part to what is now the row's part
    dense = dense_criss_cross(attention, H, W).view(B, H, W, H, W)
    dense_t = dense_criss_cross(attention_t, W, H).view(B, W, H, W, H)
    assert_equal(dense_t, dense.permute(0, 2, 1, 4, 3))


@form
def test_any_memory_layout(form):
    q, k, v = make_qkv()
    expected, expected_attention = form(q, k, v)
    as_slice = lambda t: torch.stack([t, t + 1], dim=-1)[..., 0]  # noqa: E731
    for layout in (
        lambda t: t.contiguous(memory_format=torch.channels_last),
        lambda t: t.mT.contiguous().mT,
        as_slice,
        lambda t: t.flip(0).flip(0),
    ):
        arguments = [layout(t) for t in (q, k, v)]
        out, attention = form(*arguments)
        assert_equal(out, expected)
        assert_equal(attention, expected_attention)
    assert not as_slice(v).is_contiguous()


def test_inputs_are_left_alone():
    q, k, v = (t.contiguous(memory_format=torch.channels_last) for t in make_qkv())
    before = [t.clone() for t in (q, k, v)]
    cc.criss_cross(q, k, v)
    for t, copy in zip((q, k, v), before, strict=True):
        assert_equal(t, copy, atol=0)


@form
def test_big_logits_give_no_nan(form):
    q, k, v = make_qkv(dtype=torch.float32)
    q = (q * 1e4).requires_grad_()
    out, attention = form(q, k, v)
    (gradient,) = torch.autograd.grad(out.sum(), q)
    assert torch.isfinite(out).all() and torch.isfinite(attention).all() and torch.isfinite(gradient).all()
    torch.testing.assert_close(attention.sum(-1), torch.ones(B, H, W))


@form
def test_dense_form_is_softmax_under_a_cross_mask(form):
    q, k, v = make_qkv()
    out, attention = form(q, k, v)
    dense = dense_criss_cross(attention, H, W)
    N = H * W
    row, column = torch.arange(N) // W, torch.arange(N) % W
    cross = (row[:, None] == row) | (column[:, None] == column)
    assert (cross.sum(1) == H + W - 1).all()
    logits = (q.flatten(2).mT @ k.flatten(2)).masked_fill(~cross, -torch.inf)
    assert_equal(dense, logits.softmax(-1))
    assert (dense[:, ~cross] == 0).all()
    assert_equal(dense.sum(-1), torch.ones(B, N, dtype=torch.float64))
    assert_equal((dense @ v.flatten(2).mT).mT.view(B, C, H, W), out)


def test_two_passes_reach_every_position_and_one_does_not():
    q, k, v = make_qkv()
    first = dense_criss_cross(cc.criss_cross(q, k, v)[1], H, W)
    second = dense_criss_cross(cc.criss_cross(k, q, v)[1], H, W)
    assert (first == 0).any()
    assert (second @ first > 0).all()


def test_dense_form_is_differentiable():
    attention = cc.criss_cross(*make_qkv(B=1, C=2, H=2, W=3))[1].requires_grad_()
    assert torch.autograd.gradcheck(lambda a: dense_criss_cross(a, 2, 3), [attention])


@form
def test_the_shapes_that_the_annotations_promise(form):
    q, k, v = make_qkv()
    out, attention = form(q, k, v)
    with jaxtyped("context"):
        assert all(
            isinstance(t, annotation) for t, annotation in ((q, cc.QueryKey), (k, cc.QueryKey), (v, cc.Features))
        )
        assert isinstance(out, cc.Features)
        assert isinstance(attention, cc.CrissCross)
        assert not isinstance(attention[..., 1:], cc.CrissCross)


@pytest.mark.parametrize("function", [*FORMS.values(), lambda q, k, v: cc.criss_cross_affinity(q, k)])
@pytest.mark.parametrize(
    "change, error, message",
    [
        (lambda q, k, v: (q, k[:1], v), ValueError, r"k has shape \(1, 3, 5, 7\).* \(2, 3, 5, 7\)"),
        (lambda q, k, v: (q, k.mT, v), ValueError, r"k has shape \(2, 3, 7, 5\)"),
        (lambda q, k, v: (q[0], k, v), ValueError, r"q has shape \(3, 5, 7\), 3 axes.*unsqueeze"),
        (lambda q, k, v: (q, k.float(), v), TypeError, r"k has dtype torch.float32 but q torch.float64.*\.to"),
        (lambda q, k, v: (q.long(), k, v), TypeError, r"q has dtype torch.int64.*\.float\(\)"),
    ],
)
def test_wrong_queries_and_keys(function, change, error, message):
    with pytest.raises(error, match=message):
        function(*change(*make_qkv()))


@form
def test_wrong_values(form):
    q, k, v = make_qkv()
    with pytest.raises(ValueError, match=r"v has shape \(2, 16, 4, 7\).* \(2, 16, 5, 7\), B, H and W as in q"):
        form(q, k, v[:, :, 1:])
    with pytest.raises(ValueError, match=r"v has shape \(2, 16, 0, 7\): every axis"):
        form(q, k, v[:, :, :0])


def test_wrong_map():
    q, k, v = make_qkv()
    attention = cc.criss_cross(q, k, v)[1]
    with pytest.raises(ValueError, match=r"attention has shape \(2, 5, 7, 11\): it must be \(2, 5, 7, 12\)"):
        cc.criss_cross_aggregate(attention[..., 1:], v)
    with pytest.raises(TypeError, match=r"attention has dtype torch.float64 but v torch.float32"):
        cc.criss_cross_aggregate(attention, v.float())
    with pytest.raises(ValueError, match=r"attention has shape \(2, 5, 7, 12\): it must be \(2, 7, 5, 12\)"):
        dense_criss_cross(attention, W, H)
