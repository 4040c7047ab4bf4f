"""A device that is not there: finds code that would fail on a GPU, on a machine without one.

A tensor "elsewhere" keeps its numbers on the CPU and says that its device is another one. Operations that a GPU
refuses, since one tensor is there and one here, are refused. What PyTorch allows to mix stays allowed: numbers without
axes, indices, copies.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

CPU = torch.device("cpu")
DEVICE = torch.device("meta")  # any but the CPU would do; this one is in every build of PyTorch
INTO = ("aten::copy_", "aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_")
"""Operations whose result is where their first argument is; the others may be elsewhere."""
TO_ANOTHERS = (torch.Tensor.to, torch.Tensor.type_as)
"""Take a tensor to where another one is; PyTorch does not ask the other one's class."""
FROM_DATA = (torch.Tensor.new_tensor, torch.Tensor.new)
"""Make a tensor of data where another one is; PyTorch does not ask its class either."""


class OnTwoDevices(RuntimeError):
    """An operation got a tensor of one device and a tensor of another."""


class Elsewhere(torch.Tensor):
    """A tensor that says it is on `DEVICE`."""

    @staticmethod
    def __new__(cls, here: Tensor):
        return torch.Tensor._make_wrapper_subclass(
            cls, here.shape, strides=here.stride(), dtype=here.dtype, device=DEVICE
        )

    def __init__(self, here: Tensor):
        self.here = here

    def __repr__(self):
        return f"Elsewhere({self.here!r})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {})


class _Makes(TorchFunctionMode):
    """Lets functions that make tensors make them elsewhere: they have no tensor elsewhere among their arguments."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs, flat = kwargs or {}, tree_flatten((args, kwargs))[0]
        if func in TO_ANOTHERS and not isinstance(args[0], Elsewhere) and isinstance(args[-1], Elsewhere):
            return Elsewhere(func(args[0], args[-1].here, **kwargs))
        if func is torch.Tensor.tolist and isinstance(args[0], Elsewhere):
            return args[0].here.tolist()
        if func in FROM_DATA and isinstance(args[0], Elsewhere):
            return Elsewhere(func(args[0].here, *args[1:], **kwargs))
        if func is torch.device or any(isinstance(t, Elsewhere) for t in flat) or not any(map(_is_elsewhere, flat)):
            result = func(*args, **kwargs)
            if type(result) is Tensor and _is_elsewhere(result.device):  # made inside of `with x.device:`
                return Elsewhere(func(*args, **kwargs | {"device": CPU}))
            return result
        args, kwargs = tree_map(lambda a: CPU if _is_elsewhere(a) else a, (args, kwargs))
        return tree_map(lambda t: Elsewhere(t) if isinstance(t, Tensor) else t, func(*args, **kwargs))


def _is_elsewhere(argument: Any) -> bool:
    return (
        argument == DEVICE if isinstance(argument, torch.device) else argument == DEVICE.type and type(argument) is str
    )


def _run(func, args, kwargs):
    name, tensors = func._schema.name, [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, Tensor)]
    there = [t for t in tensors if isinstance(t, Elsewhere)]
    if there and name not in INTO and any(t.ndim for t in tensors if not isinstance(t, Elsewhere)):
        raise OnTwoDevices(name)
    device = kwargs.get("device")
    goes_there = bool(there) if device is None else torch.device(device).type == DEVICE.type
    if name in INTO:
        goes_there = isinstance(args[0], Elsewhere)
    if device is not None:
        kwargs = kwargs | {"device": CPU}
    unwrapped, named = tree_map(lambda t: t.here if isinstance(t, Elsewhere) else t, (args, kwargs))
    result = func(*unwrapped, **named)
    if args and isinstance(args[0], Elsewhere) and result is unwrapped[0]:  # in place
        return args[0]
    return tree_map(lambda t: Elsewhere(t) if isinstance(t, Tensor) and goes_there else t, result)


def run_elsewhere(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str | None:
    """Run a function with its tensors elsewhere, and say whether it would work on another device.

    Parameters
    ----------
    function : callable
        Called without gradients.
    *args, **kwargs
        Its arguments; tensors, also those in lists and dictionaries, are taken elsewhere.

    Returns
    -------
    str, or None
        "two devices" if it brings tensors of two devices together, "numpy" if it hands a tensor to NumPy, "result" if
        its result is not where its input was; None if it works, or if that cannot be told.
    """
    args, kwargs = tree_map(lambda t: Elsewhere(t.detach().clone()) if isinstance(t, Tensor) else t, (args, kwargs))
    try:
        with torch.no_grad(), _Makes():
            result = function(*args, **kwargs)
    except OnTwoDevices:
        return "two devices"
    except Exception as error:
        return "numpy" if "numpy" in str(error) else None
    return "result" if isinstance(result, Tensor) and not isinstance(result, Elsewhere) else None
