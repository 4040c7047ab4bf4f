"""Assignment 4: the global context block, from pooling to fusion."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from segtut.checks import draw, restrictions
from segtut.checks.context import Context
from segtut.checks.global_context_mistakes import GLOBAL_CONTEXT_MISTAKES
from segtut.checks.judging import judge
from segtut.checks.question import Question

Transform = Callable[[Tensor], Tensor]


def _weights(x: Tensor, energy: Tensor, softmax: str) -> Tensor:
    """(B, H, W) of the affinities (B, H, W), with the softmax over the right axes or over others."""
    N = energy[0].numel()
    if softmax in ("H", "W", "B"):
        return energy.softmax({"H": 1, "W": 2, "B": 0}[softmax])
    flat = energy.flatten(1)
    weights = {
        "positions": lambda: flat.softmax(1),
        "all images": lambda: flat.flatten().softmax(0),
        "mean": lambda: torch.full_like(flat, 1 / N),
        "ones": lambda: torch.ones_like(flat),
        "largest": lambda: torch.zeros_like(flat).scatter(1, flat.argmax(1, keepdim=True), 1),
        "none": lambda: flat,
        "none, mean": lambda: flat / N,
        "exp": lambda: flat.exp(),
        "times N": lambda: flat.softmax(1) * N,
        "as (W, H)": lambda: flat.softmax(1).view(-1, *energy.shape[:0:-1]).mT.flatten(1),
        "sum": lambda: flat / flat.sum(1, keepdim=True),
        "sigmoid": lambda: flat.sigmoid(),
        "log": lambda: flat.log_softmax(1),
        "twice": lambda: flat.softmax(1).softmax(1),
        "uneven": lambda: (-flat).softmax(1),
        "over N": lambda: flat.softmax(1) / N,
        "H, then W": lambda: energy.softmax(1).softmax(2).flatten(1),
        "W, then H": lambda: energy.softmax(2).softmax(1).flatten(1),
    }[softmax]()
    return weights.view_as(energy)


def global_context(
    x: Tensor,
    w_key: Tensor,
    transform: Transform,
    softmax: str = "positions",
    energy: str = "dot product",
    scale: str = "none",
    images: str = "own",
    pooled: str = "x",
    transformed: str = "context",
    fusion: str = "add",
) -> Tensor:
    """x + transform(context), (B, C, H, W), with the mistakes that people make as options."""
    B, C, H, W = x.shape
    keys = {
        "dot product": lambda: x,
        "view": lambda: x.reshape(B, H, W, C).permute(0, 3, 1, 2),
        "transposed": lambda: x.transpose(2, 3).reshape(x.shape),
        "cosine": lambda: normalize(x, dim=1),
        "unit x": lambda: normalize(x, dim=1),
        "x of softmax": lambda: x.softmax(1),
    }.get(energy, lambda: x)()
    w = {
        "cosine": lambda: normalize(w_key, dim=0),
        "unit w": lambda: normalize(w_key, dim=0),
        "softmax of w": lambda: w_key.softmax(0),
        "no w": lambda: torch.ones_like(w_key),
    }.get(energy, lambda: w_key)()
    D = torch.einsum("bchw,c->bhw", keys, w)
    if energy == "relu":
        D = D.relu()
    if energy == "absolute":
        D = D.abs()
    if energy == "square":
        D = D.square()
    if energy == "largest":
        D = (x * w[:, None, None]).amax(1)
    N = H * W
    D = (
        D
        * {"none": 1, "sqrt": C**-0.5, "C": 1 / C, "N": 1 / N, "sqrt N": N**-0.5, "times sqrt": C**0.5, "twice": 2}[
            scale
        ]
    )
    if softmax == "channels":
        A = (x * w[:, None, None]).softmax(1)
    elif softmax == "each channel":
        A = (x * w[:, None, None]).flatten(2).softmax(2).view_as(x)
    else:
        A = _weights(x, D, softmax)[:, None]
    A = {"own": A, "first": A[:1].expand_as(A), "next": A.roll(1, 0), "mean": A.mean(0, keepdim=True).expand_as(A)}[
        images
    ]
    values = {
        "x": lambda: x,
        "weighted channels": lambda: x * w_key[:, None, None],
        "view": lambda: x.reshape(B, H, W, C).permute(0, 3, 1, 2),
        "relu": lambda: x.relu(),
    }.get(pooled, lambda: x)()
    context = (A * values).sum((2, 3), keepdim=True)
    if pooled == "largest":
        context = (A * x).amax((2, 3), keepdim=True)
    if pooled == "largest of x":
        context = x.amax((2, 3), keepdim=True)
    if pooled == "next image":
        context = context.roll(1, 0)
    if pooled == "first image":
        context = context[:1].expand_as(context)
    if pooled == "mean of images":
        context = context.mean(0, keepdim=True).expand_as(context)
    if transformed == "no":
        t = context
    elif transformed == "relu":
        t = transform(context).relu()
    elif transformed == "of relu":
        t = transform(context.relu())
    elif transformed == "of softmax":
        t = transform(context.softmax(1))
    elif transformed == "twice":
        t = transform(transform(context))
    elif transformed == "plus the context":
        t = transform(context) + context
    elif transformed == "before":
        each = x.permute(2, 3, 0, 1).flatten(0, 1)[..., None, None]
        t = (A.flatten(2) * torch.stack([transform(z) for z in each], dim=2)[..., 0, 0]).sum(2)[..., None, None]
    else:
        t = transform(context)
    return {
        "add": lambda: x + t,
        "alone": lambda: t.expand_as(x),
        "one pixel": lambda: t,
        "subtract": lambda: x - t,
        "multiply": lambda: x * t,
        "sigmoid": lambda: x * t.sigmoid(),
        "add sigmoid": lambda: x + t.sigmoid(),
        "one plus": lambda: x + x * t,
        "weighted": lambda: x + A * t,
        "x": lambda: x.clone(),
        "weighted x": lambda: x + A * x,
        "to weighted x": lambda: A * x + t,
        "swapped": lambda: (x + t).mT,
        "flat": lambda: (x + t).flatten(2),
        "channels last": lambda: (x + t).permute(0, 2, 3, 1),
        "view": lambda: (x + t).permute(0, 2, 3, 1).reshape(x.shape),
        "twice": lambda: 2 * x + t,
        "mean": lambda: (x + t) / 2,
        "relu": lambda: (x + t).relu(),
        "both": lambda: x * t.sigmoid() + t,
        "concatenate": lambda: torch.cat([x, t.expand_as(x)], dim=1),
    }[fusion]()


def _cases(seed: int) -> list[dict[str, Any]]:
    g = draw.generator(seed)
    cases = []
    shapes = [(B, 2 if B * H * W <= 6 else draw.pick([3, 4, 5], g), H, W) for B, H, W in draw.shapes(g)]
    for B, C, H, W in [*shapes[1:3], (1, 1, 1, 2), *shapes[4:6], (3, 1, 2, 3), *shapes[6:]]:
        # none of a single pixel: x has the context's shape there, so that the transform cannot tell one from the other
        small = B * H * W <= 6
        x = draw.values((B, C, H, W), g)
        w_key = torch.zeros(C)
        while w_key.sum().abs() < 0.5 or not w_key.any():  # not one under which mistakes look right
            w_key = draw.values((C,), g)
        layers = () if small else (torch.randn(7, C, generator=g), torch.randn(C, 7, generator=g))
        cases.append({"x": x, "w_key": w_key, "transform": Context((B, C, H, W), layers)})
    return cases


GLOBAL_CONTEXT = Question(
    "global_context", global_context, _cases, GLOBAL_CONTEXT_MISTAKES, "(B, C, H, W)",
    gradients=("x", "w_key"),
    only=(
        ("It is right only for a single image.", restrictions.ONE_IMAGE[1]),
        ("It is wrong only where C = 1: does .squeeze() take that axis away?", lambda inputs: inputs["x"].shape[1] > 1),
        *restrictions.ALL,
    ),
)  # fmt: skip


def check_global_context(answer: Callable[[Tensor, Tensor, Transform], Tensor], seed: int = 0) -> None:
    """Check ``global_context(x, w_key, transform) -> (B, C, H, W)``: x + transform(context), one map an image.

    Parameters
    ----------
    answer : callable
        x is (B, C, H, W), w_key is (C,), and transform takes (B, C, 1, 1) to (B, C, 1, 1).
    seed : int
        Other seeds draw other sizes and numbers.

    Raises
    ------
    AssertionError
        What is wrong, in one sentence, with the smallest failing case.
    """
    judge(GLOBAL_CONTEXT, answer, seed)
