"""Non-local attention: its functions, identities, and what the fast path never stores."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from segtut.attention import NonLocal, oracle
from segtut.attention.non_local import non_local, non_local_sdpa, positions
from tests.attention.common import LAYOUTS, B, C, H, LargestTensor, W, assert_equal, build, randn

sizes = st.integers(1, 5)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    batch=st.integers(1, 3), C_qk=sizes, C=sizes, H=sizes, W=sizes, h=sizes, w=sizes,
    scale=st.sampled_from((1.0, 0.25, -2.0, 1e3)), layout=st.sampled_from(tuple(LAYOUTS)), seed=st.integers(0, 99),
)  # fmt: skip
def test_equals_the_oracle_with_any_queries_and_keys(batch, C_qk, C, H, W, h, w, scale, layout, seed):
    shapes = (batch, C_qk, H, W), (batch, C_qk, h, w), (batch, C, h, w)
    q, k, v = (LAYOUTS[layout](randn(*shape, seed=seed + i)) for i, shape in enumerate(shapes))
    expected, expected_attention = oracle.non_local(q, k, v, scale=scale)
    out, attention = non_local(q, k, v, scale)
    assert_equal(out, expected)
    assert_equal(attention, expected_attention)
    assert_equal(non_local_sdpa(q, k, v, scale), expected)


@pytest.mark.parametrize("function", [lambda *qkv: non_local(*qkv, 0.7), lambda *qkv: non_local_sdpa(*qkv, 0.7)])
@pytest.mark.parametrize("C_qk, C", [(2, 3), (3, 3), (3, 2)])
@pytest.mark.parametrize("H, W, h, w", [(2, 3, 2, 3), (2, 3, 1, 2), (1, 3, 1, 1), (1, 1, 1, 1)])
def test_gradcheck(function, C_qk, C, H, W, h, w):
    shapes = (2, C_qk, H, W), (2, C_qk, h, w), (2, C, h, w)
    inputs = [randn(*shape, seed=i).requires_grad_() for i, shape in enumerate(shapes)]
    assert torch.autograd.gradcheck(function, inputs, fast_mode=True)


# --- identities ---


def test_equals_torchs_own_attention():
    q, k, v = (randn(B, 3, H, W, seed=i) for i in range(3))
    by_torch = F.scaled_dot_product_attention(*(positions(t)[:, None] for t in (q, k, v)), scale=0.7)
    assert_equal(positions(non_local(q, k, v, 0.7)[0]), by_torch[:, 0])
    assert_equal(positions(non_local_sdpa(q, k, v, 0.7)), by_torch[:, 0])


@pytest.mark.parametrize("implementation", ["sdpa", "dense"])
def test_scaling_is_a_smaller_theta(implementation):
    scaled, unscaled = (NonLocal(C, scaled=s, implementation=implementation).double() for s in (True, False))
    scaled.load_state_dict(build("non_local-unscaled").state_dict())
    unscaled.load_state_dict(scaled.state_dict())
    x = randn(B, C, H, W)
    assert (scaled(x) - unscaled(x)).abs().max() > 1e-3
    with torch.no_grad():
        for parameter in unscaled.theta.parameters():
            parameter *= (C // 2) ** -0.5
    assert_equal(scaled(x), unscaled(x))


def test_only_the_embedded_gaussian_is_scaled():
    for mode in ("gaussian", "dot_product", "concatenation"):
        modules = [NonLocal(C, mode=mode, scaled=scaled).double() for scaled in (True, False)]
        state = build(f"non_local-{mode}-dense").state_dict()
        assert all(str(module.load_state_dict(state)) == "<All keys matched successfully>" for module in modules)
        assert_equal(*(module(randn(B, C, H, W)) for module in modules), atol=0)


@pytest.mark.parametrize("pooled", ["", "-pooled"])
def test_concatenation_is_a_convolution_of_all_pairs(pooled):
    module, x = build(f"non_local-concatenation-dense{pooled}"), randn(B, C, H, W)
    q, k, _ = module.qkv(x)
    N, M = H * W, k[0, 0].numel()
    pairs = torch.cat([q.flatten(2)[..., None].expand(-1, -1, N, M), k.flatten(2)[:, :, None].expand(-1, -1, N, M)], 1)
    expected = module.concat_project(pairs).relu()[:, 0] / M
    assert 0 < (expected == 0).double().mean() < 1  # the ReLU does something
    assert_equal(module(x, return_attention=True)[1], expected)


def test_pooled_keys_are_maxima_of_the_projections():
    module, x = build("non_local-embedded_gaussian-sdpa-pooled"), randn(B, C, H, W)
    q, k, v = module.qkv(x)
    assert q.shape[2:] == (H, W) and k.shape[2:] == v.shape[2:] == (H // 2, W // 2)
    assert_equal(k[1, :, 1, 2], module.phi(x)[1, :, 2:4, 4:6].amax((1, 2)))
    assert_equal(v[1, :, 1, 2], module.g(x)[1, :, 2:4, 4:6].amax((1, 2)))
    assert module(x, return_attention=True)[1].shape == (B, H * W, (H // 2) * (W // 2))


def test_positions_are_numbered_along_the_rows():
    x = randn(B, C, H, W)
    assert_equal(positions(x)[:, 3 * W + 4], x[:, :, 3, 4], atol=0)


# --- memory ---


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("C_qk, C", [(8, 16), (16, 16), (16, 8)])
def test_the_fast_path_never_stores_all_pairs(C_qk, C, dtype):
    H, W = 20, 24
    N = H * W
    q, k, v = (randn(B, c, H, W, seed=i, dtype=dtype).requires_grad_() for i, c in enumerate((C_qk, C_qk, C)))
    largest = {}
    for function in (non_local_sdpa, lambda *qkv: non_local(*qkv)[0]):
        with LargestTensor() as seen:
            function(q, k, v).square().sum().backward()
        largest[function] = seen.elements
    sdpa, dense = largest.values()
    assert sdpa < B * N * N / 4
    assert dense >= B * N * N


@pytest.mark.parametrize("name", ["embedded_gaussian-sdpa", "embedded_gaussian-sdpa-pooled", "gaussian-sdpa"])
def test_neither_does_the_block(name):
    module, (H, W) = build(f"non_local-{name}"), (20, 24)
    N, M = H * W, H * W // (4 if name.endswith("pooled") else 1)
    x = randn(B, C, H, W).requires_grad_()
    with LargestTensor() as seen:
        module(x).square().sum().backward()
    assert seen.elements < B * N * M / 2
    with LargestTensor() as seen:
        module(x, return_attention=True)
    assert seen.elements >= B * N * M


# --- the module ---


def test_parameters_bear_the_official_names_and_shapes():
    shapes = {name: tuple(p.shape) for name, p in NonLocal(32, reduction=4, mode="concatenation").named_parameters()}
    inside = {
        f"{conv}.{p}": s for conv in ("g", "theta", "phi") for p, s in (("weight", (8, 32, 1, 1)), ("bias", (8,)))
    }
    outside = {"concat_project.weight": (1, 16, 1, 1), "conv_out.weight": (32, 8, 1, 1), "conv_out.bias": (32,)}
    assert shapes == inside | outside
    names = {name for name, _ in NonLocal(32, mode="gaussian", norm=True).named_parameters()}
    assert names == {"g.weight", "g.bias", "conv_out.weight", "norm.weight", "norm.bias"}


def test_starts_as_published():
    torch.manual_seed(0)
    module = NonLocal(256)
    for conv in (module.g, module.theta, module.phi):
        assert conv.weight.std().item() == pytest.approx(0.01, rel=0.05)
        assert (conv.bias == 0).all()
    assert (module.conv_out.weight == 0).all() and (module.conv_out.bias == 0).all()
    assert NonLocal(256, norm=True).conv_out.weight.std() > 0.01
