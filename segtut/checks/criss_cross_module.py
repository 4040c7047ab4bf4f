"""Assignment 2: criss-cross attention as a module."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from segtut.checks import draw, restrictions
from segtut.checks.call import call
from segtut.checks.criss_cross_affinity import affinity
from segtut.checks.criss_cross_aggregate import aggregate
from segtut.checks.criss_cross_module_mistakes import CRISS_CROSS_MISTAKES
from segtut.checks.judging import judge
from segtut.checks.modules import as_function, built, require_parameters, require_pointwise
from segtut.checks.question import Question

LAYERS = ("query_conv", "key_conv", "value_conv")
WEIGHTS, BIASES = (tuple(f"{layer}.{part}" for layer in LAYERS) for part in ("weight", "bias"))
CHANNELS = (8, 16, 24)


GATES = {
    "gamma * out + x": lambda g, out, x, v: g * out + x,
    "out + x": lambda g, out, x, v: out + x,
    "gamma * out": lambda g, out, x, v: g * out,
    "out": lambda g, out, x, v: out,
    "x": lambda g, out, x, v: x,
    "gamma * (out + x)": lambda g, out, x, v: g * (out + x),
    "out + gamma * x": lambda g, out, x, v: out + g * x,
    "gamma * out + (1 - gamma) * x": lambda g, out, x, v: g * out + (1 - g) * x,
    "gamma * x + (1 - gamma) * out": lambda g, out, x, v: g * x + (1 - g) * out,
    "gamma * out + v": lambda g, out, x, v: g * out + v,
    "gamma * out * x": lambda g, out, x, v: g * out * x,
    "gamma * out + 2 * x": lambda g, out, x, v: g * out + 2 * x,
    "x - gamma * out": lambda g, out, x, v: x - g * out,
    "gamma + out + x": lambda g, out, x, v: g + out + x,
}
"""What becomes of what was collected, with the weight g."""
GAMMAS = {
    "gamma": lambda g: g, "abs": torch.abs, "relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
    "1 + gamma": lambda g: 1 + g, "square": torch.square,
}  # fmt: skip


def _apart(column: Tensor, row: Tensor) -> Tensor:
    return torch.cat([column.softmax(-1), row.softmax(-1)], -1)


def _weights(D: Tensor, H: int, softmax: str) -> Tensor:
    """Attention from affinity, where the column has H entries."""
    column, row = D[..., :H], D[..., H:]
    return {
        "together": lambda: D.softmax(-1),
        "over all pixels": lambda: D,  # not used
        "none": lambda: D,
        "apart": lambda: _apart(column, row),
        "apart, halved": lambda: _apart(column, row) / 2,
        "apart, NaN as 0": lambda: _apart(column, row).nan_to_num(),
        "twice": lambda: D.softmax(-1).softmax(-1),
        "over axis 1": lambda: D.softmax(1),
        "over axis 2": lambda: D.softmax(2),
        "sigmoid": lambda: D.sigmoid(),
        "negative": lambda: torch.where(-torch.inf == D, D, -D).softmax(-1),
        "row alone": lambda: torch.cat([torch.zeros_like(column), row.softmax(-1)], -1),
        "column alone": lambda: torch.cat([column.softmax(-1), torch.zeros_like(row)], -1),
    }[softmax]()


def criss_cross(
    x: Tensor,
    parameters: Mapping[str, Tensor],
    *,
    layers: str = "right",
    affinities: Mapping[str, Any] = {},
    softmax: str = "together",
    weights: Mapping[str, Any] = {},
    gate: str = "gamma * out + x",
    gamma: str = "gamma",
    passes: int = 1,
    relu: str = "nowhere",
) -> Tensor:
    """Gamma times criss-cross attention, plus x, with the mistakes that people make as options."""

    def layer(name: str) -> Tensor:
        weight, bias = parameters[f"{name}.weight"].flatten(1), parameters.get(f"{name}.bias")
        out = torch.einsum("oc,bchw->bohw", weight, x)
        return out if bias is None else out + bias[:, None, None]

    for _ in range(passes):
        q, k, v = (layer(name) for name in LAYERS)
        if layers == "value from x":
            v = x
        if layers == "key as query":
            q = k
        if layers == "query as key":
            k = q
        if relu == "behind the convolutions":
            q, k, v = q.relu(), k.relu(), v.relu()
        A = _weights(affinity(q, k, **affinities), x.shape[2], softmax)
        out = aggregate(A, v, **weights)
        if softmax == "over all pixels":
            out = (v.flatten(2) @ (q.flatten(2).mT @ k.flatten(2)).softmax(-1).mT).view(x.shape)
        g = GAMMAS[gamma](parameters["gamma"])
        x = GATES[gate](g, out, x, v)
    return x.relu() if relu == "at the end" else x


def _cases(seed: int, names: tuple[str, ...] = (*WEIGHTS, *BIASES)) -> list[dict[str, Any]]:
    g = draw.generator(seed)
    cases = []
    for B, H, W in draw.shapes(g):
        C = CHANNELS[0] if B * H * W <= 2 else draw.pick([*CHANNELS[1:]], g)
        sign = 1 - 2 * (len(cases) % 2)
        parameters = {"gamma": sign * (torch.rand(1, generator=g) + 0.5)}
        for weight, bias in zip(WEIGHTS, BIASES):
            out = C if weight == "value_conv.weight" else C // 8
            # products of a size that a softmax neither flattens nor makes a choice of one
            parameters[weight] = torch.randn(out, C, 1, 1, generator=g) * 1.2 * C**-0.5
            parameters[bias] = torch.randn(out, generator=g) / 2
        x = draw.values((B, C, H, W), g)
        cases.append({"x": x, "parameters": {key: parameters[key] for key in ("gamma", *names)}})
    return cases


CRISS_CROSS = Question(
    "CrissCross", criss_cross, _cases, CRISS_CROSS_MISTAKES, "(B, C, H, W)",
    gradients=("x", "parameters"), only=restrictions.ALL,
)  # fmt: skip


def _require_structure(module: nn.Module, channels: int) -> None:
    require_parameters(module, "CrissCross", ["gamma", *WEIGHTS], BIASES)
    shape = tuple(module.gamma.shape)
    assert shape == (1,), f"gamma has the shape {shape}: it must be (1,), one number for all channels."
    start = module.gamma.item()
    assert start == 0, f"gamma starts at {start:.4g}: it must start at 0, so that a new module changes nothing."
    for name, parameter in module.named_parameters():
        assert parameter.requires_grad, f"{name} has requires_grad=False, so it never learns."
        assert parameter.dtype == torch.float32, f"{name} has the dtype {parameter.dtype}: it must be torch.float32."
    for name in LAYERS:
        out, layer = (channels if name == "value_conv" else channels // 8), getattr(module, name)
        require_pointwise(layer, f"{name} of CrissCross({channels})", channels, out)
        assert layer.weight.numel() == out * channels, (
            f"{name} has a weight of shape {tuple(layer.weight.shape)}: it must be a plain 1×1 convolution, "
            f"nn.Conv2d({channels}, {out}, 1)."
        )


def _reaches_gamma(module: nn.Module, channels: int, gamma: float) -> bool:
    x = torch.randn(2, channels, 2, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        module.gamma.fill_(gamma)
    out = call(module, "CrissCross", {"x": x}).value
    if not isinstance(out, Tensor) or not out.requires_grad:
        return False
    (gradient,) = torch.autograd.grad(out.sum(), module.gamma, allow_unused=True)
    return gradient is not None


def _require_learning(module: nn.Module, channels: int) -> None:
    """Hold a new module, whose gamma is 0, to a gradient of gamma, if there is one elsewhere."""
    assert _reaches_gamma(module, channels, 0.0) or not _reaches_gamma(module, channels, 0.5), (
        "While gamma is 0, as in a new module, no gradient reaches it, so that it stays 0: compute the attention also "
        "then, without a short cut."
    )


def check_criss_cross(answer: type[nn.Module], seed: int = 0) -> None:
    """Check the class ``CrissCross(channels)``, whose ``forward(x)`` is gamma times criss-cross attention, plus x.

    Parameters
    ----------
    answer : class
        Derived from nn.Module, with query_conv and key_conv (C -> C // 8) and value_conv (C -> C), 1×1 convolutions
        with or without bias, and gamma, a parameter of shape (1,) that starts at 0.
    seed : int
        Other seeds draw other sizes, numbers and weights.

    Raises
    ------
    AssertionError
        What is wrong, in one sentence, with the smallest failing case.
    """
    for channels in CHANNELS:
        module = built(answer, "CrissCross", channels)
        _require_structure(module, channels)
    _require_learning(module, channels)
    names = tuple(name for name, _ in module.named_parameters() if name != "gamma")
    run = as_function(lambda channels: built(answer, "CrissCross", channels))
    judge(replace(CRISS_CROSS, cases=lambda seed: _cases(seed, names)), run, seed)
