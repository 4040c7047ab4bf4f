"""Assignment 2: criss-cross attention as a module."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from segtut.checks import draw, restrictions
from segtut.checks.criss_cross_affinity import AFFINITY_MISTAKES, affinity
from segtut.checks.criss_cross_aggregate import AGGREGATE_MISTAKES, aggregate
from segtut.checks.modules import as_function, built, require_parameters, require_pointwise
from segtut.checks.question import Mistake, Question, judge

LAYERS = ("query_conv", "key_conv", "value_conv")
WEIGHTS, BIASES = (tuple(f"{layer}.{part}" for layer in LAYERS) for part in ("weight", "bias"))
CHANNELS = (8, 16, 24)


def _weights(D: Tensor, H: int, softmax: str) -> Tensor:
    """Attention from affinity, where the column has H entries."""
    column, row = D[..., :H], D[..., H:]
    apart = torch.cat([column.softmax(-1), row.softmax(-1)], -1)
    return {
        "together": D.softmax(-1),
        "none": D,
        "apart": apart,
        "apart, halved": apart / 2,
        "apart, NaN as 0": apart.nan_to_num(),
        "twice": D.softmax(-1).softmax(-1),
        "over axis 1": D.softmax(1),
        "over axis 2": D.softmax(2),
        "sigmoid": D.sigmoid(),
        "negative": torch.where(-torch.inf == D, D, -D).softmax(-1),
        "row alone": torch.cat([torch.zeros_like(column), row.softmax(-1)], -1),
    }[softmax]


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
        g = parameters["gamma"]
        g = {"gamma": g, "sigmoid": g.sigmoid(), "tanh": g.tanh(), "1 + gamma": 1 + g, "square": g * g}[gamma]
        x = {
            "gamma * out + x": g * out + x,
            "out + x": out + x,
            "gamma * out": g * out,
            "out": out,
            "x": x,
            "gamma * (out + x)": g * (out + x),
            "out + gamma * x": out + g * x,
            "gamma * out + (1 - gamma) * x": g * out + (1 - g) * x,
            "gamma * x + (1 - gamma) * out": g * x + (1 - g) * out,
            "gamma * out + v": g * out + v,
            "gamma * out * x": g * out * x,
            "gamma * out + 2 * x": g * out + 2 * x,
            "x - gamma * out": x - g * out,
            "gamma + out + x": g + out + x,
        }[gate]
    return x.relu() if relu == "at the end" else x


MISTAKES = (
    Mistake("The residual is missing: x must be added to gamma times what was collected.", {"gate": "gamma * out"}),
    Mistake("gamma is missing: what was collected must be multiplied by it before x is added.", {"gate": "out + x"}),
    Mistake("gamma and the residual are missing.", {"gate": "out"}),
    Mistake("x comes back as it was: gamma times what was collected must be added.", {"gate": "x"}),
    Mistake("gamma multiplies x too: it gates only what was collected, as in gamma * out + x.",
            {"gate": "gamma * (out + x)"}),
    Mistake("gamma multiplies x instead of what was collected.", {"gate": "out + gamma * x"}),
    Mistake("x is multiplied by 1 − gamma: it must be added as it is.", {"gate": "gamma * out + (1 - gamma) * x"}),
    Mistake("x is multiplied by gamma and what was collected by 1 − gamma: it must be gamma * out + x.",
            {"gate": "gamma * x + (1 - gamma) * out"}),
    Mistake("The values are added instead of x: the residual is the input itself.", {"gate": "gamma * out + v"}),
    Mistake("x is multiplied by what was collected: it must be added.", {"gate": "gamma * out * x"}),
    Mistake("x is added twice: does aggregation add it already?", {"gate": "gamma * out + 2 * x"}),
    Mistake("What was collected is subtracted from x: it must be added.", {"gate": "x - gamma * out"}),
    Mistake("gamma is added: it must multiply what was collected.", {"gate": "gamma + out + x"}),
    Mistake("A sigmoid of gamma is the gate: it must be gamma itself.", {"gamma": "sigmoid"}),
    Mistake("tanh of gamma is the gate: it must be gamma itself.", {"gamma": "tanh"}),
    Mistake("The gate is 1 + gamma: it must be gamma itself, so that a new module changes nothing.",
            {"gamma": "1 + gamma"}),
    Mistake("gamma is multiplied twice.", {"gamma": "square"}),
    Mistake("The softmax is missing: the affinity is no weight yet.", {"softmax": "none"}),
    Mistake("The softmax runs over column and row apart: it must run over column and row together.",
            {"softmax": "apart"}),
    Mistake("The softmax runs over column and row apart, and each has half: it must run over column and row "
            "together.", {"softmax": "apart, halved"}),
    Mistake("The softmax runs over column and row apart, and what is NaN in it is made 0: it must run over column "
            "and row together.", {"softmax": "apart, NaN as 0"}),
    Mistake("The softmax runs over the row alone: it must run over column and row together.",
            {"softmax": "row alone"}),
    Mistake("The softmax is applied twice.", {"softmax": "twice"}),
    Mistake("The softmax runs over axis 1, the pixels of a column, and not over what a pixel looks at: that is the "
            "last axis.", {"softmax": "over axis 1"}),
    Mistake("The softmax runs over axis 2, the pixels of a row, and not over what a pixel looks at: that is the "
            "last axis.", {"softmax": "over axis 2"}),
    Mistake("A sigmoid makes the weights: it must be a softmax over the last axis.", {"softmax": "sigmoid"}),
    Mistake("The softmax gets the negative affinity: the larger the affinity, the larger the weight.",
            {"softmax": "negative"}),
    Mistake("value_conv is not used: what is collected are the values, not x itself.", {"layers": "value from x"}),
    Mistake("The queries come from key_conv, and query_conv is not used.", {"layers": "key as query"}),
    Mistake("The keys come from query_conv, and key_conv is not used.", {"layers": "query as key"}),
    Mistake("A ReLU stands behind the convolutions: queries, keys and values are taken as they are.",
            {"relu": "behind the convolutions"}),
    Mistake("A ReLU stands at the end: the result is gamma * out + x as it is.", {"relu": "at the end"}),
    Mistake("Two passes are made: the module makes one, and a network calls it twice.", {"passes": 2}),
    Mistake("Three passes are made: the module makes one.", {"passes": 3}),
    *(Mistake(mistake.sentence, {"affinities": mistake.options}) for mistake in AFFINITY_MISTAKES
      if mistake.options.get("itself") in ("both", "-inf in both", 0.0, "-inf at entry j", "-inf where i = j")
      or {"exchanged", "scale", "channels", "order", "batch", "merged"} & mistake.options.keys()
      or str(mistake.options.get("axes")).startswith(("queries", "column "))),
    *(Mistake(mistake.sentence, {"weights": mistake.options}) for mistake in AGGREGATE_MISTAKES
      if {"order", "transposed", "batch", "merged", "entries", "divided"} & mistake.options.keys()
      or mistake.options.get("parts") in ("column alone", "row alone", "product")
      or mistake.options.get("axes") in ("(B, C, W, H)", "(B, H, W, C) viewed")),
)  # fmt: skip


def _cases(seed: int, names: tuple[str, ...] = (*WEIGHTS, *BIASES)) -> list[dict[str, Any]]:
    g = draw.generator(seed)
    cases = []
    for B, H, W in draw.shapes(g):
        C = CHANNELS[0] if B * H * W <= 2 else draw.pick([*CHANNELS[1:]], g)
        parameters = {"gamma": torch.rand(1, generator=g) + 0.5}
        for weight, bias in zip(WEIGHTS, BIASES):
            out = C if weight == "value_conv.weight" else C // 8
            # products of a size that a softmax neither flattens nor makes a choice of one
            parameters[weight] = torch.randn(out, C, 1, 1, generator=g) * 1.2 * C**-0.5
            parameters[bias] = torch.randn(out, generator=g) / 2
        x = draw.values((B, C, H, W), g)
        cases.append({"x": x, "parameters": {key: parameters[key] for key in ("gamma", *names)}})
    return cases


CRISS_CROSS = Question(
    "CrissCross", criss_cross, _cases, MISTAKES, "(B, C, H, W)",
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
    names = tuple(name for name, _ in module.named_parameters() if name != "gamma")
    run = as_function(lambda channels: built(answer, "CrissCross", channels))
    judge(replace(CRISS_CROSS, cases=lambda seed: _cases(seed, names)), run, seed)
