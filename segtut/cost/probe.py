"""A module with an input to call it on: what is measured."""

import copy
from collections.abc import Sequence
from numbers import Integral

import torch
from torch import Tensor, nn

Shape = Sequence[int]


def check_module(module: nn.Module) -> None:
    """Raise TypeError unless `module` is a module."""
    if not isinstance(module, nn.Module):
        what = f"the class {module.__name__}" if isinstance(module, type) else f"a {type(module).__name__}"
        raise TypeError(f"module is {what}: pass an nn.Module, for instance CrissCrossAttention(512)")


def input_shape(shape: Shape) -> tuple[int, int, int, int]:
    """(B, C, H, W), where (H, W) stands for (1, 3, H, W); ValueError if `shape` is neither."""
    sizes = tuple(shape) if isinstance(shape, Sequence) and not isinstance(shape, str) else ()
    if len(sizes) not in (2, 4) or any(isinstance(n, bool) or not isinstance(n, Integral) or n < 1 for n in sizes):
        raise ValueError(
            f"shape={shape!r}: pass (B, C, H, W), or (H, W) of an image for a network, of integers of at least 1"
        )
    sizes = tuple(map(int, sizes))  # NumPy's integers, too
    return (1, 3, *sizes) if len(sizes) == 2 else sizes


def kind(module: nn.Module) -> dict[str, torch.device | torch.dtype]:
    """Device and dtype of the first floating parameter or buffer; those that are PyTorch's defaults if none."""
    for t in (*module.parameters(), *module.buffers()):
        if t.is_floating_point():
            return {"device": t.device, "dtype": t.dtype}
    return {"device": torch.get_default_device(), "dtype": torch.get_default_dtype()}


def out_of_memory(error: BaseException) -> bool:
    """Whether that is what `error` says: CUDA has a class for it, the CPU's allocator but a message."""
    said = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and ("can't allocate memory" in said or "not enough memory" in said)
    )


def call(module: nn.Module, x: Tensor) -> Tensor | tuple[Tensor, ...]:
    """``module(x)``; what PyTorch says of a wrong shape becomes a ValueError that names the shape."""
    try:
        return module(x)
    except RuntimeError as error:
        if out_of_memory(error):
            raise
        raise ValueError(
            f"shape={tuple(x.shape)}: {type(module).__name__} cannot be called on it ({str(error).splitlines()[0]}); "
            "pass (B, C, H, W) with the channels that it was built for, or (H, W) of an image for a network"
        ) from error


def _numbers(shape: Shape, device: torch.device, dtype: torch.dtype, seed: int) -> Tensor:
    """Normally distributed, the same for every layout in memory."""
    return torch.randn(shape, generator=torch.Generator(device).manual_seed(seed), device=device, dtype=dtype)


class Probe:
    """A module and its input, called as in evaluation (`forward`) or as in training (`forward_backward`).

    Parameters
    ----------
    module : nn.Module
        What is measured. It is used as it is: batch norm in training mode moves its running statistics.
    x : Tensor
        Its input; needs a gradient if it stands for features in the midst of a network.
    """

    def __init__(self, module: nn.Module, x: Tensor):
        self.module, self.x = module, x
        self.wanted = [t for t in (x, *module.parameters()) if t.requires_grad]
        self.cotangents: list[Tensor] | None = None

    @classmethod
    def of(cls, module: nn.Module, shape: Shape) -> "Probe":
        """A copy of the module, and random features of that shape, or an image, which needs no gradient."""
        check_module(module)
        sizes = input_shape(shape)
        x = _numbers(sizes, **kind(module), seed=0)
        return cls(copy.deepcopy(module), x.requires_grad_(len(shape) == 4))

    @torch.no_grad()
    def forward(self) -> Tensor | tuple[Tensor, ...]:
        """The output, without a graph."""
        return call(self.module, self.x)

    def graph(self) -> tuple[Tensor, ...]:
        """The outputs that have a graph."""
        out = call(self.module, self.x)
        return tuple(t for t in ((out,) if isinstance(out, Tensor) else out) if t.requires_grad)

    def forward_backward(self) -> tuple[tuple[Tensor, ...], tuple[Tensor | None, ...]]:
        """The outputs, and the gradients of x, where it needs one, and of the parameters."""
        outputs = self.graph()
        if not outputs:
            raise ValueError(f"module: nothing in {type(self.module).__name__} has a gradient, so there is no backward")
        if self.cotangents is None:  # made once: they are not part of what is measured
            self.cotangents = [torch.empty_like(t).copy_(_numbers(t.shape, t.device, t.dtype, 1)) for t in outputs]
        return outputs, torch.autograd.grad(outputs, self.wanted, self.cotangents, allow_unused=True)
