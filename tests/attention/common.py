"""Every operator with its oracle, small random inputs and what they are held to, shared by the tests of this folder."""

import copy
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from segtut.attention import (
    ChannelAttention,
    CrissCrossAttention,
    GlobalContext,
    NonLocal,
    PositionAttention,
    SimplifiedNonLocal,
    SqueezeExcitation,
    oracle,
)

B, C, H, W = 2, 16, 5, 7

CRISS_CROSS = {f"criss_cross-{i}": {"implementation": i} for i in ("fast", "by_hand", "einsum", "bmm")}
POSITION = {f"position-{i}": {"implementation": i} for i in ("sdpa", "dense")}
CHANNEL = {f"channel-{v}": {"variant": v} for v in ("code", "paper")}
GLOBAL_CONTEXT = {
    f"global_context-{p}-{f}": {"pooling": p, "fusion": f}
    for p in ("attention", "average")
    for f in ("add", "multiply", "both")
}
NON_LOCAL = {
    f"non_local-{mode}-{implementation}{'-pooled' if pooled else ''}": {
        "mode": mode, "implementation": implementation, "pooled": pooled,
    }
    for mode in ("embedded_gaussian", "gaussian", "dot_product", "concatenation")
    for implementation in (("sdpa", "dense") if "gaussian" in mode else ("dense",))
    for pooled in (False, True)
} | {
    "non_local-unscaled": {"scaled": False},
    "non_local-unscaled-dense": {"scaled": False, "implementation": "dense"},
    "non_local-norm": {"norm": True},
}  # fmt: skip


def _global_context(channels, reduction, **options):
    return GlobalContext(channels, ratio=1 / reduction, **options)


OPERATORS = {
    **{name: partial(CrissCrossAttention, **options) for name, options in CRISS_CROSS.items()},
    **{name: partial(NonLocal, **options) for name, options in NON_LOCAL.items()},
    **{name: partial(PositionAttention, **options) for name, options in POSITION.items()},
    **{name: lambda C, _, options=options: ChannelAttention(C, **options) for name, options in CHANNEL.items()},
    "simplified_non_local": lambda channels, _: SimplifiedNonLocal(channels),
    "squeeze_excitation": SqueezeExcitation,
    **{name: partial(_global_context, **options) for name, options in GLOBAL_CONTEXT.items()},
}
# a softmax over the last axis of the map that they return
SOFTMAX = tuple(name for name in OPERATORS if not any(s in name for s in ("squeeze", "dot_product", "concatenation")))


def randn(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    """The same numbers for all types, rounded."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def build(name: str, channels: int = C, reduction: int = 2, dtype: torch.dtype = torch.float64) -> nn.Module:
    """The operator in eval mode; all its parameters are random, so that no layer is left out by weights of 0."""
    module = OPERATORS[name](channels, reduction).eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5, generator=generator)
    if isinstance(module, NonLocal) and isinstance(module.norm, nn.BatchNorm2d):
        nn.init.normal_(module.norm.running_mean, generator=generator)
        nn.init.uniform_(module.norm.running_var, 0.5, 2.0, generator=generator)
    return module.to(dtype)


def expected(module: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Output and map of a module by the oracle, in float64."""
    m, x = copy.deepcopy(module).double(), x.detach().double()

    def project(layer: nn.Module) -> Tensor:
        return x if isinstance(layer, nn.Identity) else _conv(layer, x)

    match m:
        case CrissCrossAttention() | PositionAttention():
            function = oracle.criss_cross if isinstance(m, CrissCrossAttention) else oracle.position_attention
            out, attention = function(*(project(layer) for layer in (m.query_conv, m.key_conv, m.value_conv)))
            return m.gamma.detach() * out + x, attention
        case NonLocal():
            q, k, v = (project(layer) for layer in (m.theta, m.phi, m.g))
            if isinstance(m.pool, nn.MaxPool2d):
                k, v = (F.max_pool2d(t, 2) for t in (k, v))
            w = None if m.concat_project is None else m.concat_project.weight.flatten()
            out, attention = oracle.non_local(q, k, v, m.mode, m.scale, w)
            return m.norm(_conv(m.conv_out, out)).detach() + x, attention
        case ChannelAttention():
            out, attention = oracle.channel_attention(x, m.variant)
            return m.gamma.detach() * out + x, attention
        case SimplifiedNonLocal():
            return oracle.simplified_non_local(x, *_mask(m), _matrix(m.value_conv))
        case SqueezeExcitation():
            return oracle.squeeze_excitation(x, _matrix(m.fc1), m.fc1.bias, _matrix(m.fc2), m.fc2.bias)
        case GlobalContext():
            transforms = []
            for layers in (m.channel_mul_conv, m.channel_add_conv):
                first, norm, _, last = layers or (None,) * 4
                norm = layers and (norm.weight.flatten(), norm.bias.flatten())
                transforms.append(layers and (_matrix(first), first.bias, *norm, _matrix(last), last.bias))
            return oracle.global_context(x, *(_mask(m) if m.conv_mask else (None, None)), *transforms)
    raise TypeError(type(m))


def _conv(conv: nn.Conv2d, x: Tensor) -> Tensor:
    out = torch.einsum("dc, bchw -> bdhw", _matrix(conv), x)
    return (out if conv.bias is None else out + conv.bias[:, None, None]).detach()


def _matrix(conv: nn.Conv2d) -> Tensor:
    return conv.weight.flatten(1).detach()


def _mask(module: nn.Module) -> tuple[Tensor, Tensor]:
    return _matrix(module.conv_mask)[0], module.conv_mask.bias[0]


LAYOUTS = {
    "contiguous": lambda t: t.contiguous(),
    "channels_last": lambda t: t.contiguous(memory_format=torch.channels_last),
    "transposed": lambda t: t.mT.contiguous().mT,
    "sliced": lambda t: torch.stack([t, t + 1], dim=-1)[..., 0],
    "expanded": lambda t: t[:1, :1].expand(t.shape),  # other numbers: strides of 0
}


def assert_equal(actual: Tensor, wanted: Tensor, atol: float = 1e-10) -> None:
    """Equal up to `atol`; nothing is relative."""
    torch.testing.assert_close(actual, wanted, rtol=0, atol=atol)


def gradients(module: nn.Module, x: Tensor, cotangent: Tensor | float = 1.0) -> dict[str, Tensor]:
    """Of sum(output · cotangent), by parameter, the input's as "x"."""
    x = x.detach().clone().requires_grad_()
    names, parameters = zip(*module.named_parameters(), strict=True)
    values = torch.autograd.grad((module(x) * cotangent).sum(), [x, *parameters])
    return dict(zip(("x", *names), values, strict=True))


class LargestTensor(TorchDispatchMode):
    """Records the memory of the largest tensor that any operation, of forward or backward, gives: `elements`."""

    def __init__(self):
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for t in tree_leaves(result):
            if isinstance(t, Tensor):  # of a view, what it looks at: an expanded tensor takes no memory
                self.elements = max(self.elements, t.untyped_storage().nbytes() // t.itemsize)
        return result
