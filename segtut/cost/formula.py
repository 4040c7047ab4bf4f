"""FLOPs by formula: what pencil and paper give, for every kind of module that multiplies.

`own_flops` holds one formula a kind. They see sizes only, and never the operations that `flops` counts, so that
the two can be held against each other. A product inside a module without a formula is an error, not a zero.
"""

from functools import singledispatch
from math import prod

from torch import Size, Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from segtut.attention import (
    ChannelAttention,
    CrissCrossAttention,
    GlobalContext,
    NonLocal,
    PositionAttention,
    SimplifiedNonLocal,
)
from segtut.cost.flops import MORE_PRODUCTS, pretended
from segtut.cost.probe import Shape, call
from segtut.networks import EMAHead

PRODUCTS = {*flop_registry, *MORE_PRODUCTS}


@singledispatch
def own_flops(module: nn.Module, x: Size, out: Size) -> int:
    """FLOPs that a module does itself, those of the modules inside it left out; two a multiply-add.

    Register a formula for a class of your own::

        @own_flops.register
        def _(module: MyAttention, x, out):
            B, C, H, W = x
            return 2 * B * (H * W) ** 2 * 2 * C

    Parameters
    ----------
    module : nn.Module
        The module.
    x, out : Size
        Shape of its first input and of its output, or of the first if there are several.
    """
    raise TypeError(
        f"{type(module).__name__} multiplies matrices and has no formula: register one with "
        f"@segtut.cost.own_flops.register, or count with segtut.cost.flops"
    )


@own_flops.register
def _(module: nn.Conv2d, x: Size, out: Size) -> int:
    return 2 * prod(out) * module.in_channels // module.groups * prod(module.kernel_size)


@own_flops.register
def _(module: nn.Linear, x: Size, out: Size) -> int:
    return 2 * prod(out) * module.in_features


@own_flops.register
def _(module: CrissCrossAttention, x: Size, out: Size) -> int:
    B, C, H, W = x
    return 2 * B * H * W * (H + W) * (module.query_conv.out_channels + C)  # a query meets its column and its row


@own_flops.register
def _(module: PositionAttention, x: Size, out: Size) -> int:
    B, C, H, W = x
    return 2 * B * (H * W) ** 2 * (module.query_conv.out_channels + C)


@own_flops.register
def _(module: NonLocal, x: Size, out: Size) -> int:
    B, C, H, W = x
    D = module.g.out_channels
    N, M = H * W, (H * W if isinstance(module.pool, nn.Identity) else (H // 2) * (W // 2))
    if module.mode == "concatenation":  # w₁·θ of each query and w₂·φ of each key; the pairs are sums
        return 2 * B * (N + M) * D + 2 * B * N * M * D
    return 2 * B * N * M * ((C if module.mode == "gaussian" else D) + D)


@own_flops.register
def _(module: ChannelAttention, x: Size, out: Size) -> int:
    B, C, H, W = x
    return 2 * B * H * W * C * C * 2


@own_flops.register(GlobalContext)
@own_flops.register(SimplifiedNonLocal)
def _(module: nn.Module, x: Size, out: Size) -> int:
    return 2 * prod(x)  # each feature is weighted once


@own_flops.register
def _(module: EMAHead, x: Size, out: Size) -> int:
    _, C, K = module.mu.shape
    B, _, H, W = x
    return 2 * B * H * W * C * K * (2 * module.stages + 1)  # two products a stage, one to reconstruct


def has_formula(module: nn.Module) -> bool:
    """Whether `own_flops` knows that kind of module."""
    return own_flops.dispatch(type(module)) is not own_flops.dispatch(object)


class _Watch(TorchDispatchMode):
    """Notes which modules compute products, and adds up what their formulas say."""

    def __init__(self):
        super().__init__()
        self.running: list[nn.Module] = []
        self.multiplied: set[nn.Module] = set()
        self.total = 0

    def enter(self, module: nn.Module, args: tuple) -> None:
        """Before the forward of a module."""
        self.running.append(module)

    def leave(self, module: nn.Module, args: tuple, kwargs: dict, out: Tensor | tuple[Tensor, ...]) -> None:
        """After it."""
        self.running.pop()
        if has_formula(module) or module in self.multiplied:
            x, first = next(iter((*args, *kwargs.values()))), out[0] if isinstance(out, tuple) else out
            self.total += own_flops(module, x.shape, first.shape)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if getattr(func, "overloadpacket", func) in PRODUCTS:
            self.multiplied.add(self.running[-1])
        return func(*args, **(kwargs or {}))


def flops_by_formula(module: nn.Module, shape: Shape) -> int:
    """Floating-point operations of one forward pass in evaluation mode, by the formulas of `own_flops`.

    Parameters and return value are those of `flops`, with which it agrees to the last digit.

    Raises
    ------
    TypeError
        A part of the module computes products and has no formula.
    """
    watch = _Watch()
    with pretended(module, shape) as (twin, x), watch:
        for part in twin.modules():
            part.register_forward_pre_hook(watch.enter)
            part.register_forward_hook(watch.leave, with_kwargs=True)
        call(twin, x)
    return watch.total
