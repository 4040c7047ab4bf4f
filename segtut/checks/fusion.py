"""Assignment 3: what a head of two branches computes, and what people make of it."""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from segtut.checks import draw, restrictions
from segtut.checks.channel import channel
from segtut.checks.position import position
from segtut.checks.question import Mistake, Question

CLASSES = 3
GATES, CONVS = ("gamma_position", "gamma_channel"), ("position_conv", "channel_conv", "classify")


def position_of(x: Tensor) -> Tensor:
    """Position attention with x itself as query, key and value."""
    return position(x, x, x)


def channel_of(x: Tensor) -> Tensor:
    """Channel attention."""
    return channel(x)


def _conv(parameters: Mapping[str, Tensor], name: str, t: Tensor) -> Tensor:
    return F.conv2d(t, parameters[f"{name}.weight"], parameters[f"{name}.bias"])


def _branch(
    kind: str, x: Tensor, parameters: Mapping[str, Tensor], attention: str, gate: str, residual: str, conv: str,
    relu: str,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """A branch's features before its convolution and behind it."""
    other = {"position": "channel", "channel": "position"}[kind]
    of = {"exchanged": other, "position in both": "position", "channel in both": "channel"}
    attend = {"position": position_of, "channel": channel_of}[of.get(attention, kind)]
    gamma = parameters[f"gamma_{of.get(gate, kind)}"]
    convolve = partial(_conv, parameters, f"{of.get(conv, kind)}_conv")
    if conv in ("none", f"none in {kind}"):
        convolve = lambda t: t  # noqa: E731
    asked = x
    if conv.startswith("before"):
        asked, convolve = convolve(x), lambda t: t
        x = x if conv == "before, x kept" else asked
    if attention in ("left out", f"left out in {kind}"):
        attend = torch.zeros_like
    collected = asked if attention in ("none", f"none in {kind}") else attend(asked)
    collected = collected + x if residual == "of what is collected" else collected
    if gate in ("none", f"none in {kind}"):
        gamma = torch.ones_like(gamma)
    gamma = gamma.sigmoid() if gate == "sigmoid" else gamma
    kept = residual not in ("none", f"none in {kind}", "behind the convolution")
    rest = x if kept else torch.zeros_like(x)
    before = {
        "of x": lambda: collected + gamma * rest,
        "of both": lambda: gamma * (collected + rest),
        "and its rest": lambda: gamma * collected + (1 - gamma) * rest,
        "behind the convolution": lambda: collected + rest,
    }.get(gate, lambda: gamma * collected + rest)()
    after = convolve(before)
    if conv.startswith("apart"):
        after = convolve(x) + (gamma * convolve(collected) if conv == "apart, gated" else convolve(gamma * collected))
    after = gamma * after if gate == "behind the convolution" else after
    after = after + x if residual in ("behind the convolution", "twice") else after
    return before, after.relu() if relu == "branches" else after


def dual_head(
    x: Tensor,
    parameters: Mapping[str, Tensor],
    fuse: str = "sum",
    series: str = "none",
    attention: str = "right",
    gate: str = "right",
    residual: str = "right",
    conv: str = "right",
    relu: str = "none",
    classify: str = "the sum",
    result: str = "scores",
) -> Tensor:
    """Scores, (B, classes, H, W), with the mistakes that people make as options."""
    branch = partial(
        _branch, parameters=parameters, attention=attention, gate=gate, residual=residual, conv=conv, relu=relu
    )
    first, second = ("channel", "position") if series.startswith("channel") else ("position", "channel")
    before, after = branch(first, x)
    start = {"none": x}.get(series, after if series.endswith("convolved") else before)
    branches = {first: after, second: branch(second, start)[1]}
    p, c = branches["position"], branches["channel"]
    if fuse == "last":
        p, c = branches[second], torch.zeros_like(x)
    fused = {
        "sum": p + c, "last": p + c, "position": p, "channel": c, "mean": (p + c) / 2, "difference": p - c,
        "product": p * c, "largest": torch.maximum(p, c), "with x": p + c + x,
        "then position_conv": _conv(parameters, "position_conv", p + c),
        "then both": _conv(parameters, "channel_conv", _conv(parameters, "position_conv", p + c)),
    }[fuse]  # fmt: skip
    fused = fused.relu() if relu == "sum" else fused
    scores = _conv(parameters, "classify", fused)
    if classify == "apart":
        scores = _conv(parameters, "classify", p) + _conv(parameters, "classify", c)
    return {
        "scores": lambda: scores, "fused": lambda: fused, "softmax": lambda: scores.softmax(1),
        "log-softmax": lambda: scores.log_softmax(1), "sigmoid": lambda: scores.sigmoid(),
        "relu": lambda: scores.relu(),
        "labels": lambda: scores.argmax(1), "H and W exchanged": lambda: scores.mT,
        "(B, H, W, classes)": lambda: scores.movedim(1, -1), "squeezed": lambda: scores.squeeze(),
        "enlarged": lambda: F.interpolate(scores, scale_factor=8, mode="bilinear", align_corners=False),
        "one vector": lambda: scores.mean((2, 3)), "three": lambda: scores + _conv(parameters, "classify", p)
        + _conv(parameters, "classify", c),
    }[result]()  # fmt: skip


HEAD_MISTAKES = (
    Mistake("The branches stand in series: channel attention must get x, not what the position branch made of it; "
            "and both results are summed.", {"series": "position", "fuse": "last"}),
    Mistake("The branches stand in series, each with its convolution: channel attention must get x; and both results "
            "are summed.", {"series": "position, convolved", "fuse": "last"}),
    Mistake("The branches stand in series: position attention must get x, not what the channel branch made of it; "
            "and both results are summed.", {"series": "channel", "fuse": "last"}),
    Mistake("The branches stand in series, each with its convolution: position attention must get x; and both "
            "results are summed.", {"series": "channel, convolved", "fuse": "last"}),
    Mistake("The channel branch starts from the position branch's gated features: both branches must start from x.",
            {"series": "position"}),
    Mistake("The channel branch starts from the position branch's result: both branches must start from x.",
            {"series": "position, convolved"}),
    Mistake("The position branch starts from the channel branch's gated features: both branches must start from x.",
            {"series": "channel"}),
    Mistake("The position branch starts from the channel branch's result: both branches must start from x.",
            {"series": "channel, convolved"}),
    Mistake("The channel branch has no influence: the scores are those of the sum of both.", {"fuse": "position"}),
    Mistake("The position branch has no influence: the scores are those of the sum of both.", {"fuse": "channel"}),
    Mistake("The branches are averaged: they must be summed.", {"fuse": "mean"}),
    Mistake("One branch is subtracted from the other: they must be summed.", {"fuse": "difference"}),
    Mistake("The branches are multiplied: they must be summed.", {"fuse": "product"}),
    Mistake("The larger of the two branches is taken: they must be summed.", {"fuse": "largest"}),
    Mistake("x is added to the sum once more: it comes in by the residuals of the two branches alone.",
            {"fuse": "with x"}),
    Mistake("The residual is missing in both branches: γ · attention(x) + x goes into the convolution.",
            {"residual": "none"}),
    Mistake("The residual is missing in the position branch: γ · attention(x) + x goes into the convolution.",
            {"residual": "none in position"}),
    Mistake("The residual is missing in the channel branch: γ · attention(x) + x goes into the convolution.",
            {"residual": "none in channel"}),
    Mistake("The residual is added behind the convolutions: it belongs before them, γ · attention(x) + x.",
            {"residual": "behind the convolution"}),
    Mistake("Each branch adds x twice, before its convolution and behind it: once is asked for, before.",
            {"residual": "twice"}),
    Mistake("The gate scales x as well, and x is added again: attention has no residual of its own, γ · attention(x) "
            "+ x.", {"residual": "of what is collected"}),
    Mistake("The gates have no influence: γ multiplies what attention returns.", {"gate": "none"}),
    Mistake("gamma_position has no influence: it multiplies what position attention returns.",
            {"gate": "none in position"}),
    Mistake("gamma_channel has no influence: it multiplies what channel attention returns.",
            {"gate": "none in channel"}),
    Mistake("gamma_position is used in both branches: each has its own gate.", {"gate": "position in both"}),
    Mistake("gamma_channel is used in both branches: each has its own gate.", {"gate": "channel in both"}),
    Mistake("The gates are exchanged: gamma_position belongs to position attention, gamma_channel to channel "
            "attention.", {"gate": "exchanged"}),
    Mistake("The gates stand at x: γ multiplies what attention returns, and x is added as it is.", {"gate": "of x"}),
    Mistake("The gates scale the residual as well: γ multiplies what attention returns, and x is added as it is.",
            {"gate": "of both"}),
    Mistake("x is multiplied by 1 − γ: it is added as it is.", {"gate": "and its rest"}),
    Mistake("The gates stand behind the convolutions: γ multiplies what attention returns.",
            {"gate": "behind the convolution"}),
    Mistake("A sigmoid is taken of the gates: γ multiplies as it is.", {"gate": "sigmoid"}),
    Mistake("The two attentions are exchanged.", {"attention": "exchanged"}),
    Mistake("Both branches use position attention.", {"attention": "position in both"}),
    Mistake("Both branches use channel attention.", {"attention": "channel in both"}),
    Mistake("Neither attention has an influence: γ must multiply attention(x), not x.", {"attention": "none"}),
    Mistake("Neither attention is used: the branches are convolutions of x alone.", {"attention": "left out"}),
    Mistake("Position attention is not used: its branch is a convolution of x alone.",
            {"attention": "left out in position"}),
    Mistake("Channel attention is not used: its branch is a convolution of x alone.",
            {"attention": "left out in channel"}),
    Mistake("Position attention has no influence: γ must multiply position(x), not x.",
            {"attention": "none in position"}),
    Mistake("Channel attention has no influence: γ must multiply channel(x), not x.",
            {"attention": "none in channel"}),
    Mistake("The convolutions of the branches are exchanged.", {"conv": "exchanged"}),
    Mistake("position_conv is used in both branches: each has its own.", {"conv": "position in both"}),
    Mistake("channel_conv is used in both branches: each has its own.", {"conv": "channel in both"}),
    Mistake("The convolutions stand before the attentions: they belong behind, on γ · attention(x) + x.",
            {"conv": "before"}),
    Mistake("The convolutions stand inside of the attentions, and x comes without: they belong behind, on γ · "
            "attention(x) + x.", {"conv": "before, x kept"}),
    Mistake("Each branch's convolution is applied twice and summed, to γ · attention(x) and to x, so that its bias "
            "counts twice: add first.", {"conv": "apart"}),
    Mistake("Each branch's convolution is applied to attention(x) and to x, so that its bias counts 1 + γ times: add "
            "first.", {"conv": "apart, gated"}),
    Mistake("The branches are summed before their convolutions, and only position_conv is used: each branch has its "
            "own.", {"conv": "none", "fuse": "then position_conv"}),
    Mistake("The branches are summed before their convolutions, which follow one on the other: each branch has its "
            "own.", {"conv": "none", "fuse": "then both"}),
    Mistake("Neither position_conv nor channel_conv is used.", {"conv": "none"}),
    Mistake("position_conv is not used.", {"conv": "none in position"}),
    Mistake("channel_conv is not used.", {"conv": "none in channel"}),
    Mistake("A ReLU stands behind the branches' convolutions: none is asked for.", {"relu": "branches"}),
    Mistake("A ReLU stands behind the sum: none is asked for.", {"relu": "sum"}),
    Mistake("classify is applied to either branch and the scores are added, so that its bias counts twice: sum "
            "first, then classify once.", {"classify": "apart"}),
    Mistake("The scores of the branches are added to those of the sum: classify the sum alone.", {"result": "three"}),
    Mistake("classify is not used: it makes scores of the classes from the sum.", {"result": "fused"}),
    Mistake("A softmax is taken of the scores: the loss does that, return them as they are.", {"result": "softmax"}),
    Mistake("A log-softmax is taken of the scores: the loss does that, return them as they are.",
            {"result": "log-softmax"}),
    Mistake("A sigmoid is taken of the scores: return them as they are.", {"result": "sigmoid"}),
    Mistake("A ReLU is taken of the scores: return them as they are.", {"result": "relu"}),
    Mistake("The scores are enlarged: return them at the size of x.", {"result": "enlarged"}),
    Mistake("It returns the classes of the largest scores: return the scores, one for each class.",
            {"result": "labels"}),
    Mistake("H and W of the scores are exchanged.", {"result": "H and W exchanged"}),
    Mistake("The classes stand last: the scores must be (B, classes, H, W).", {"result": "(B, H, W, classes)"}),
    Mistake("A .squeeze() takes all axes of length 1 away: the scores must be (B, classes, H, W).",
            {"result": "squeezed"}),
    Mistake("The scores are averaged over the positions: each position needs its own.", {"result": "one vector"}),
)  # fmt: skip


def _cases(seed: int) -> list[dict]:
    g = draw.generator(seed)
    cases = []
    for number, (B, H, W) in enumerate(draw.shapes(g)):
        C = 2 if number < 9 else draw.pick([4, 5], g)
        shapes = dict.fromkeys(GATES, (1,))
        for name in CONVS:
            out = CLASSES if name == "classify" else C
            shapes |= {f"{name}.weight": (out, C, 1, 1), f"{name}.bias": (out,)}
        x = draw.values((B, C, H, W), g)
        cases.append({
            "x": x if x.numel() <= 12 else x / 2,
            "parameters": {name: draw.values(shape, g) for name, shape in shapes.items()},
        })  # fmt: skip
        for name in GATES:  # a gate at 0 would hide its branch
            cases[-1]["parameters"][name] = torch.tensor([draw.pick([-1.5, -1.0, -0.5, 0.5, 1.0, 1.5], g)])
    return cases


HEAD = Question(
    "DualHead", dual_head, _cases, HEAD_MISTAKES, "(B, classes, H, W)", gradients=("x", "parameters"),
    only=restrictions.ALL,
)  # fmt: skip
