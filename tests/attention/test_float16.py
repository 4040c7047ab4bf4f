"""float16 ends at 65504, and the energies of attention without a scale do not."""

import pytest
import torch
from torch.nn import init

from segtut.attention import ChannelAttention, CrissCrossAttention, GlobalContext, NonLocal, PositionAttention

B, C, H, W = 2, 32, 9, 11
MODULES = {
    "criss-cross": lambda: CrissCrossAttention(C, C_qk=16),
    "criss-cross by hand": lambda: CrissCrossAttention(C, C_qk=16, implementation="by_hand"),
    "position, SDPA": lambda: PositionAttention(C, C_qk=16),
    "position, dense": lambda: PositionAttention(C, C_qk=16, implementation="dense"),
    "non-local, unscaled": lambda: NonLocal(C, scaled=False, implementation="dense"),
    "non-local, SDPA": lambda: NonLocal(C),
    "non-local, dot product": lambda: NonLocal(C, mode="dot_product"),
    "channel": lambda: ChannelAttention(C),
    "global context": lambda: GlobalContext(C),
}


def large(make):
    """A module whose queries and keys, at these features, have products of more than a hundred thousand."""
    torch.manual_seed(0)
    module = make()
    for name, p in module.named_parameters():
        if name.split(".")[0] in ("query_conv", "key_conv", "theta", "phi"):
            # Without a softmax the energies are the result, which must itself fit into float16.
            init.normal_(p, std=0.5 if getattr(module, "mode", "") == "dot_product" else 6.0)
        elif not p.any():
            init.uniform_(p, 0.1, 0.5)
    return module, 5 * torch.randn(B, C, H, W)


@pytest.mark.parametrize("name", MODULES)
def test_autocast_to_float16_does_not_overflow(name):
    module, x = large(MODULES[name])
    x.requires_grad_()
    expected = module(x)
    (slope,) = torch.autograd.grad(expected.square().mean(), x)
    with torch.autocast("cpu", torch.float16):
        out = module(x)
    (found,) = torch.autograd.grad(out.float().square().mean(), x)
    for a, b in ((out.float(), expected), (found, slope)):
        assert torch.isfinite(a).all()
        # Where two large energies nearly tie, rounding to 11 bits decides: not every pixel can agree.
        assert (a - b).abs().median() < 0.01 * b.abs().max()


@pytest.mark.parametrize("name", ["criss-cross", "criss-cross by hand", "position, dense", "non-local, unscaled"])
def test_the_energies_were_beyond_float16(name):
    module, x = large(MODULES[name])
    q, k = module.qkv(x)[:2] if isinstance(module, NonLocal) else (module.query_conv(x), module.key_conv(x))
    assert (q * k).sum(1).max() > 2 * torch.finfo(torch.float16).max


@pytest.mark.parametrize("name", MODULES)
def test_a_module_of_float16_answers_in_float16(name):
    module, x = large(MODULES[name])
    expected = module(x)
    out = module.half()(x.half())
    assert out.dtype == torch.float16 and torch.isfinite(out).all()
    assert (out - expected).abs().median() < 0.01 * expected.abs().max()
