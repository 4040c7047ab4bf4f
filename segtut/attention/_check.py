"""Checks of arguments, shared by the operators. Each error names the argument, its value and the remedy.

They read shapes, dtypes and devices only, never values, so they cost nothing and vanish under `torch.compile`.
"""

from numbers import Integral

import torch
from torch import Tensor


def positive(name: str, value: int) -> None:
    """`value` must be an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name}={value!r}: must be an integer of at least 1.")


def inner_channels(channels: int, reduction: int, name: str = "inner", inner: int | None = None) -> int:
    """`inner`, called `name`, or else `channels // reduction`, which must be a whole number, at least 1."""
    positive("channels", channels)
    if inner is not None:
        positive(name, inner)
        return inner
    positive("reduction", reduction)
    if channels < reduction:
        raise ValueError(
            f"channels={channels} is smaller than reduction={reduction}, which leaves no channel inside: use at least "
            f"{reduction} channels or a reduction of at most {channels}."
        )
    if channels % reduction:
        raise ValueError(
            f"channels={channels} is not divisible by reduction={reduction}: use a multiple of {reduction} "
            f"channels or a reduction that divides {channels}."
        )
    return channels // reduction


def ratio_channels(channels: int, ratio: float, inner: int | None = None) -> int:
    """`inner`, or else `channels * ratio`, which must be a whole number, at least 1."""
    positive("channels", channels)
    if inner is not None:
        positive("inner", inner)
        return inner
    if not isinstance(ratio, int | float) or not 0 < ratio <= 1:
        raise ValueError(
            f"ratio={ratio!r}: it is the bottleneck's share of the channels, above 0 and at most 1; "
            "the paper's r is its inverse, so that r = 4 is ratio=1/4."
        )
    wanted = channels * ratio
    if wanted < 1 - 1e-6:
        raise ValueError(
            f"channels={channels} times ratio={ratio:.4g} leaves no channel inside: use at least "
            f"{round(1 / ratio)} channels or a ratio of at least 1/{channels}."
        )
    if abs(wanted - round(wanted)) > 1e-6:
        raise ValueError(
            f"channels={channels} times ratio={ratio:.4g} is {wanted:.4g}, not a whole number: choose a ratio that "
            f"divides them, or name the channels inside: inner={int(wanted)}, as the published code truncates it."
        )
    return round(wanted)


def choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """`value` must be one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name}={value!r} is unknown: use one of {', '.join(map(repr, allowed))}.")


def features(name: str, x: Tensor) -> None:
    """`x` must be a floating (B, C, H, W) tensor with at least one element."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} is a {type(x).__name__}: pass a torch.Tensor of shape (B, C, H, W).")
    if x.ndim != 4:
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}, {x.ndim} axes: it must be (B, C, H, W); "
            "add missing axes, for a single image with unsqueeze(0)."
        )
    if not x.is_floating_point():
        raise TypeError(f"{name} has dtype {x.dtype}: it must be of a floating type; convert it with .float().")
    if 0 in x.shape:
        raise ValueError(f"{name} has shape {tuple(x.shape)}: every axis of (B, C, H, W) must be at least 1.")


def same_kind(name: str, x: Tensor, other_name: str, other: Tensor) -> None:
    """Dtype and device of `x` must be those of `other`; under autocast, which casts both, the dtypes may differ."""
    if x.device != other.device:
        raise ValueError(f"{name} is on {x.device} but {other_name} on {other.device}: move one with .to(device).")
    if x.dtype != other.dtype:
        # autocast leaves float64 alone, so that it cannot help there
        castable = torch.float64 not in (x.dtype, other.dtype) and torch.is_autocast_enabled(x.device.type)
        if not castable:
            raise TypeError(
                f"{name} has dtype {x.dtype} but {other_name} {other.dtype}: convert one of them with .to(dtype), "
                "or run under torch.autocast."
            )


def module_input(x: Tensor, channels: int, weight: Tensor) -> None:
    """`x` must be features of `channels` channels, of the same kind as the module's parameters."""
    features("x", x)
    if x.shape[1] != channels:
        raise ValueError(
            f"x has {x.shape[1]} channels (shape {tuple(x.shape)}) but the module was built for {channels}: "
            f"build it with channels={x.shape[1]} or project x to {channels} channels."
        )
    same_kind("x", x, "the module's parameters", weight)


def same_shape(name: str, shape: tuple[int, ...], expected: tuple[int, ...], why: str) -> None:
    """`shape` must be `expected`."""
    if tuple(shape) != tuple(expected):
        raise ValueError(f"{name} has shape {tuple(shape)}: it must be {tuple(expected)}, {why}.")


def qkv(q: Tensor, k: Tensor, v: Tensor | None = None) -> None:
    """Queries and keys of one shape, values at the same positions, all of one kind."""
    features("q", q)
    features("k", k)
    same_kind("k", k, "q", q)
    same_shape("k", k.shape, q.shape, "the shape of q")
    if v is not None:
        features("v", v)
        same_kind("v", v, "q", q)
        same_shape("v", v.shape, (q.shape[0], v.shape[1], *q.shape[2:]), "B, H and W as in q")


def criss_cross_map(attention: Tensor, v: Tensor) -> None:
    """A map of every position's column and row, for values `v`."""
    features("v", v)
    features("attention", attention)
    B, _, H, W = v.shape
    same_kind("attention", attention, "v", v)
    same_shape("attention", attention.shape, (B, H, W, H + W), f"(B, H, W, H + W) for v of shape {tuple(v.shape)}")


def dense_qkv(q: Tensor, k: Tensor, v: Tensor) -> None:
    """Queries and keys of the same channels, keys and values at the same positions, all of one kind."""
    for name, t in (("q", q), ("k", k), ("v", v)):
        features(name, t)
    same_kind("k", k, "q", q)
    same_kind("v", v, "q", q)
    same_shape("k", k.shape, (*q.shape[:2], *k.shape[2:]), "B and C_qk as in q")
    same_shape("v", v.shape, (q.shape[0], v.shape[1], *k.shape[2:]), "B as in q, H and W as in k")


def poolable(x: Tensor) -> None:
    """`x` must be at least 2×2."""
    if min(x.shape[2:]) < 2:
        raise ValueError(
            f"x has shape {tuple(x.shape)}: 2×2 pooling of the keys needs H and W of at least 2; build the block "
            "with pooled=False."
        )
