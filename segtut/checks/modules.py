"""Classes derived from nn.Module, judged as functions of their input and their parameters."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from segtut.checks import words
from segtut.checks.call import call


def built(cls: Any, name: str, *args: Any) -> nn.Module:
    """Build a student's module; AssertionError with a sentence if that fails."""
    assert cls is not None and cls is not Ellipsis, f"{name} is {cls}: write it first."
    assert not isinstance(cls, nn.Module), f"{name} is a module already: hand over the class, without parentheses."
    assert isinstance(cls, type), f"{name} is {words.thing(cls)}: it must be a class derived from nn.Module."
    assert issubclass(cls, nn.Module), f"{name} is no module: it must be a class derived from nn.Module."
    said = ", ".join(getattr(arg, "__name__", repr(arg)) for arg in args)
    outcome = call(cls, f"{name}({said})", {str(i): arg for i, arg in enumerate(args)})
    hint = " Does __init__ begin with super().__init__()?" if "__init__() call" in str(outcome.problem) else ""
    assert not outcome.problem, f"{outcome.problem}{hint}"
    return outcome.value


def as_function(build: Callable[[int], nn.Module]) -> Callable[[Tensor, dict[str, Tensor]], Any]:
    """A module as a function of (x, parameters); built anew for the channels of x, buffers where x is."""

    def run(x: Tensor, parameters: dict[str, Tensor]) -> Any:
        module = build(x.shape[1])
        buffers = {
            name: b.to(device=x.device, dtype=x.dtype if b.is_floating_point() else b.dtype)
            for name, b in module.named_buffers()
        }
        return functional_call(module, parameters | buffers, (x,))

    return run


def drawn_parameters(module: nn.Module, g: torch.Generator) -> dict[str, Tensor]:
    """Random numbers for every parameter, float32."""
    return {name: torch.randn(p.shape, generator=g) for name, p in module.named_parameters()}


def require_parameters(module: nn.Module, name: str, required: Sequence[str], optional: Sequence[str] = ()) -> None:
    """Hold a module's parameters to the names they must have."""
    found = {key for key, _ in module.named_parameters()}
    if missing := [key for key in required if key not in found]:
        raise AssertionError(f"{name} has no parameter {missing[0]}{_why_missing(module, missing[0])}")
    if extra := sorted(found - {*required, *optional}):
        raise AssertionError(
            f"{name} has a parameter too many, {extra[0]}: the question asks for {', '.join(required)}."
        )


def _why_missing(module: nn.Module, key: str) -> str:
    """The end of a sentence that says that a module has no parameter of this name."""
    every = dict(module.named_parameters(remove_duplicate=False))
    if key in every:
        other = next(name for name, p in module.named_parameters() if p is every[key])
        return f" of its own: it is {other} once more. Make a layer for each."
    layer = key.partition(".")[0]
    if inside := [name for name in every if name.startswith(f"{layer}.")]:
        return f", but {inside[0]}: {layer} must be the layer itself, with nothing around it."
    return (
        ": an optimiser would never see it. Layers belong into attributes of the module, single numbers into "
        "nn.Parameter, under the names that the question gives."
    )


def require_pointwise(layer: nn.Module, name: str, channels: int, out: int) -> None:
    """Hold a layer to what a 1×1 convolution does: (B, channels, H, W) -> (B, out, H, W), each position by itself."""
    x = torch.randn(1, channels, 3, 4, generator=torch.Generator().manual_seed(0))
    outcome = call(layer, name, {"x": x})
    assert not outcome.problem, f"{outcome.problem} It must be a 1×1 convolution of {channels} channels."
    shape = tuple(outcome.value.shape)
    assert shape == (1, out, 3, 4), (
        f"{name} makes of (1, {channels}, 3, 4) the shape {shape}: it must be a 1×1 convolution from {channels} to "
        f"{out} channels."
    )
    changed = x.clone()
    changed[..., 1, 1] += 1
    moved = ~torch.isclose(layer(changed), outcome.value, atol=1e-6).all(dim=1)
    moved[..., 1, 1] = False
    assert not moved.any(), f"{name} looks at a position's neighbours: it must be a 1×1 convolution."
