"""Assignment 3: a head of two branches, position and channel attention, that are summed."""

from typing import Any

import torch
from torch import Tensor, nn

from segtut.checks import words
from segtut.checks.call import call
from segtut.checks.fusion import CLASSES, CONVS, GATES, HEAD, channel_of, position_of
from segtut.checks.judging import judge
from segtut.checks.modules import as_function, built, require_parameters, require_pointwise
from segtut.checks.question import close

PARAMETERS = (*GATES, *(f"{name}.{kind}" for name in CONVS for kind in ("weight", "bias")))


def _build(answer: Any, channels: int, classes: int) -> nn.Module:
    return built(answer, "DualHead", channels, classes, position_of, channel_of)


def _require_parts(head: nn.Module, channels: int, classes: int) -> None:
    """Hold a head to the names, sizes and first values that the question asks for."""
    assert type(head).forward is not nn.Module.forward, (
        "DualHead has no forward: add def forward(self, x) to the class."
    )
    parts = {name: getattr(head, name, None) for name in (*GATES, *CONVS)}
    for first, second, what in ((*GATES, "gate"), (*CONVS[:2], "convolution")):
        assert parts[first] is None or parts[first] is not parts[second], (
            f"{first} and {second} are one and the same: each branch needs a {what} of its own."
        )
    for name in CONVS:
        layer, out = parts[name], classes if name == "classify" else channels
        assert layer is not None, f"DualHead has no layer {name}: the question asks for {', '.join(CONVS)}."
        weight = getattr(layer, "weight", None)
        assert weight is not None, (
            f"{name} is {words.thing(layer)}, which has no weight of its own: it must be nn.Conv2d itself."
        )
        assert getattr(layer, "bias", None) is not None, f"{name} has no bias: leave bias=True, as nn.Conv2d has it."
        assert tuple(weight.shape) != (classes, 2 * channels, 1, 1) or name != "classify", (
            "classify takes 2·channels: the branches are summed, not concatenated, so that it takes as many as x has."
        )
        assert tuple(weight.shape[2:]) in ((), (1, 1)), (
            f"{name} has a kernel of {'×'.join(map(str, weight.shape[2:]))}: it must be a 1×1 convolution."
        )
        assert tuple(weight.shape) == (out, channels, 1, 1), (
            f"{name} has weights of shape {tuple(weight.shape)}; for DualHead({channels}, {classes}, …) it must be "
            f"nn.Conv2d({channels}, {out}, 1), whose weights have the shape {(out, channels, 1, 1)}."
        )
    require_parameters(head, "DualHead", PARAMETERS)
    for name in GATES:
        gamma = parts[name]
        assert gamma.numel() == 1, f"{name} has the shape {tuple(gamma.shape)}: it must be one number, of shape (1,)."
        assert not gamma.any(), f"{name} starts at {gamma.item():.4g}: it must start at 0."
    for name, parameter in head.named_parameters():
        assert parameter.requires_grad, f"{name} is frozen: every parameter must be learnt, with requires_grad True."
    for name in CONVS:
        require_pointwise(parts[name], name, channels, classes if name == "classify" else channels)


def _flipped(x: Tensor) -> Tensor:
    return x.flip(2, 3)


def _rolled(x: Tensor) -> Tensor:
    return x.roll(1, 1)


def _require_handed_over(answer: Any) -> None:
    """Hold a head to the callables that it is built with, and to what each call gives it."""
    head = built(answer, "DualHead", 4, CLASSES, _flipped, _rolled)
    with torch.no_grad():
        for name, parameter in head.named_parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(name))))
    for seed in range(2):
        x = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(seed))
        outcome = call(head, "DualHead", {"x": x})
        assert not outcome.problem, outcome.problem
        p = head.position_conv(head.gamma_position * _flipped(x) + x)
        c = head.channel_conv(head.gamma_channel * _rolled(x) + x)
        if not close(outcome.value, head.classify(p + c)):
            raise AssertionError(
                "DualHead gives the scores of an earlier x when it is called again: it must not remember anything."
                if seed
                else "DualHead is right with the attentions of the book, but not with others: call the position and "
                "the channel that __init__ is given, not functions of the notebook."
            )


def check_dual_head(answer: type[nn.Module], seed: int = 0) -> None:
    """Check ``DualHead(channels, classes, position, channel)``: scores (B, classes, H, W) of x (B, C, H, W).

    Each branch is a convolution of ``gamma * attention(x) + x``; the sum of both is classified.

    Parameters
    ----------
    answer : type
        A class derived from nn.Module with the parameters ``gamma_position`` and ``gamma_channel``, (1,), from 0 on,
        and the 1×1 convolutions ``position_conv``, ``channel_conv`` and ``classify``. `position` and `channel` are
        callables (B, C, H, W) -> (B, C, H, W).
    seed : int
        Other seeds draw other sizes and numbers.

    Raises
    ------
    AssertionError
        What is wrong, in one sentence, with the smallest failing case.
    """
    for channels, classes in ((4, CLASSES), (6, 5)):
        _require_parts(_build(answer, channels, classes), channels, classes)
    judge(HEAD, as_function(lambda channels: _build(answer, channels, CLASSES)), seed)
    _require_handed_over(answer)
