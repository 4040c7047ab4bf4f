"""CrissCrossAttention as a module: gate, map, memory layout, precision, bad input."""

import pytest
import torch
from torch import nn

from segtut.attention import CrissCrossAttention

B, C, H, W = 2, 16, 5, 7
IMPLEMENTATIONS = ("fast", "bmm", "einsum", "by_hand")
implementation = pytest.mark.parametrize("implementation", IMPLEMENTATIONS)


def make_module(implementation="fast", channels=C, gamma=0.7, seed=0):
    torch.manual_seed(seed)
    module = CrissCrossAttention(channels, implementation=implementation)
    nn.init.constant_(module.gamma, gamma)
    return module


def make_x(*shape, seed=1):
    return torch.randn(*(shape or (B, C, H, W)), generator=torch.Generator().manual_seed(seed))


def gradients(module, x, cotangent=1.0):
    """Of sum(output · cotangent), by name, the input's as "x"."""
    x = x.detach().clone().requires_grad_()
    names, parameters = zip(*module.named_parameters(), strict=True)
    values = torch.autograd.grad((module(x) * cotangent).sum(), [x, *parameters])
    return dict(zip(("x", *names), values, strict=True))


@implementation
def test_a_new_module_is_the_identity_and_gamma_alone_learns_first(implementation):
    module, x = make_module(implementation, gamma=0.0), make_x()
    assert CrissCrossAttention(C).gamma.tolist() == [0.0]
    assert torch.equal(module(x), x)
    found = gradients(module, x, make_x(seed=2))
    assert found["gamma"].abs() > 0.1
    assert all((t == 0).all() for name, t in found.items() if name not in ("gamma", "x"))
    assert torch.equal(found["x"], make_x(seed=2))


def test_parameters_bear_the_official_names_and_shapes():
    shapes = {name: tuple(t.shape) for name, t in CrissCrossAttention(32, reduction=4).state_dict().items()}
    channels = {"query_conv": 8, "key_conv": 8, "value_conv": 32}
    weights = {f"{name}.weight": (n, 32, 1, 1) for name, n in channels.items()}
    biases = {f"{name}.bias": (n,) for name, n in channels.items()}
    assert shapes == {"gamma": (1,), **weights, **biases}


@pytest.mark.parametrize("shape", [(B, C, H, W), (B, C, 1, W), (B, C, H, 1), (B, C, 1, 1)])
def test_both_implementations_agree(shape):
    fast, textbook = (make_module(name).double() for name in ("fast", "bmm"))
    x, cotangent = make_x(*shape).double(), make_x(*shape, seed=2).double()
    for a, b in zip(fast(x, return_attention=True), textbook(x, return_attention=True), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)
    found, expected = gradients(fast, x, cotangent), gradients(textbook, x, cotangent)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


@implementation
def test_returns_its_map(implementation):
    module, x = make_module(implementation), make_x()
    out, attention = module(x, return_attention=True)
    assert torch.equal(out, module(x))
    assert attention.shape == (B, H, W, H + W)
    torch.testing.assert_close(attention.sum(-1), torch.ones(B, H, W))


@implementation
def test_channels_last_in_and_out(implementation):
    module, x = make_module(implementation), make_x()
    x_last = x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(module(x_last), module(x))
    if implementation == "fast":
        assert module(x_last).is_contiguous(memory_format=torch.channels_last)
        assert module(x).is_contiguous(memory_format=torch.channels_last)


# --- precision ---


@implementation
@pytest.mark.parametrize("dtype, atol", [(torch.bfloat16, 0.03), (torch.float16, 0.004)], ids=["bf16", "f16"])
def test_pure_half_precision(implementation, dtype, atol):
    module, x = make_module(implementation), make_x()
    expected, expected_attention = module(x, return_attention=True)
    out, attention = module.to(dtype)(x.to(dtype), return_attention=True)
    assert out.dtype == attention.dtype == dtype
    torch.testing.assert_close(out.float(), expected, rtol=0, atol=atol)
    torch.testing.assert_close(attention.float(), expected_attention, rtol=0, atol=atol)
    assert all(t.dtype == dtype and t.isfinite().all() for t in gradients(module, x.to(dtype)).values())


@implementation
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_autocast(implementation, dtype):
    module, x = make_module(implementation), make_x()
    expected, expected_attention = module(x, return_attention=True)
    with torch.autocast("cpu", torch.bfloat16):
        out, attention = module(x.to(dtype), return_attention=True)
        found = gradients(module, x.to(dtype))
    assert out.dtype == torch.float32  # gamma's, so that the residual loses nothing from pass to pass
    torch.testing.assert_close(out, expected, rtol=0, atol=0.02)
    torch.testing.assert_close(attention.float(), expected_attention, rtol=0, atol=0.006)
    assert all(found[name].dtype == torch.float32 for name, _ in module.named_parameters())
    reference = gradients(module, x)
    for name in reference:
        error = (found[name].float() - reference[name]).abs().max()
        assert error <= 0.05 * max(1.0, reference[name].abs().max()), f"{name}: {error}"


@implementation
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_big_logits(implementation, dtype):
    module, x = make_module(implementation).to(dtype), make_x().to(dtype)
    nn.init.constant_(module.query_conv.bias, 1e4)
    assert all(t.isfinite().all() for t in module(x, return_attention=True))
    assert all(t.isfinite().all() for t in gradients(module, x).values())


# --- bad input ---


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"channels": 4}, "channels=4 is smaller than reduction=8.*at least 8 channels or a reduction of at most 4"),
        ({"channels": 12}, "channels=12 is not divisible by reduction=8.*multiple of 8"),
        ({"channels": 0}, "channels=0: must be an integer of at least 1"),
        ({"channels": 16, "reduction": 0}, "reduction=0: must be"),
        ({"channels": 16, "reduction": 2.0}, r"reduction=2\.0: must be an integer"),
        (
            {"channels": 16, "implementation": "cuda"},
            "implementation='cuda' is unknown: use one of 'fast', 'by_hand', 'einsum', 'bmm'",
        ),
    ],
)
def test_wrong_constructor_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CrissCrossAttention(**arguments)


@implementation
@pytest.mark.parametrize(
    "x, error, message",
    [
        (torch.zeros(C, H, W), ValueError, r"x has shape \(16, 5, 7\), 3 axes.*\(B, C, H, W\).*unsqueeze"),
        (torch.zeros(B, C, H, W, dtype=torch.int64), TypeError, r"x has dtype torch.int64.*\.float\(\)"),
        (torch.zeros(B, 8, H, W), ValueError, r"x has 8 channels .* built for 16: build it with channels=8"),
        (torch.zeros(B, C, H, W).double(), TypeError, "x has dtype torch.float64 but the module's parameters torch.fl"),
        (torch.zeros(B, C, H, W, device="meta"), ValueError, r"x is on meta but the module's parameters on cpu.*\.to"),
        (torch.zeros(0, C, H, W), ValueError, r"x has shape \(0, 16, 5, 7\): every axis"),
        (torch.zeros(B, C, 0, W), ValueError, r"x has shape \(2, 16, 0, 7\): every axis"),
        (torch.zeros(B, C, H, 0), ValueError, r"x has shape \(2, 16, 5, 0\): every axis"),
        ([[1.0]], TypeError, "x is a list: pass a torch.Tensor"),
    ],
)
def test_wrong_input(implementation, x, error, message):
    with pytest.raises(error, match=message):
        make_module(implementation)(x)


def test_autocast_does_not_excuse_float64():
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(TypeError, match=r"float64.*\.to\(dtype\)"):
        make_module()(make_x().double())
