"""From a published module's name, arguments and parameters to one of ours that gives its numbers."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from segtut.published import heads, names, operators

_RCCA = "speedinghzl/CCNet RCCAModule (InPlaceABNSync leaky_relu 0.01)"
_ALEX = "AlexHex7 NONLocalBlock2D"

# qualified name: our module from the published arguments, our parameter names from the published ones
MODULES: dict[str, tuple[Callable[..., nn.Module], names.Rules]] = {
    "mmcv.ops.CrissCrossAttention": (operators.criss_cross_mmcv, names.GAMMA),
    "speedinghzl/CCNet CrissCrossAttention": (operators.criss_cross_ccnet, names.GAMMA),
    "mmseg PAM": (operators.position_mmseg, [*names.POSITION, *names.GAMMA]),
    "junfu1115/DANet PAM_Module": (operators.position_danet, names.GAMMA),
    "mmseg CAM": (operators.channel_mmseg, names.GAMMA),
    "junfu1115/DANet CAM_Module": (operators.channel_danet, names.GAMMA),
    "mmcv.cnn.ContextBlock": (operators.global_context, []),
    "xvjiarui/GCNet ContextBlock": (operators.global_context_gcnet, []),
    "mmcv.cnn.NonLocal2d": (operators.non_local, names.NON_LOCAL),
    "xvjiarui/GCNet NonLocal2D": (operators.non_local_gcnet, names.NON_LOCAL),
    **{
        f"{_ALEX} {mode}": (partial(operators.non_local_alex, mode=mode), names.NON_LOCAL_ALEX)
        for mode in ("gaussian", "embedded_gaussian", "dot_product", "concatenation")
    },
    "mmseg FCNHead": (heads.fcn_head, names.FCN),
    "mmseg CCHead": (heads.cc_head, names.REFINE),
    "mmseg NLHead": (heads.non_local_head, names.REFINE),
    "mmseg GCHead": (heads.gc_head, names.REFINE),
    "mmseg DAHead": (heads.da_head, names.DUAL),
    "mmseg PSPHead": (heads.psp_head, names.PSP),
    "mmseg ASPPHead": (heads.aspp_head, names.ASPP),
    "mmseg EMAHead": (heads.ema_head, names.EMA),
    _RCCA: (heads.RCCAModule, names.RCCA),
    "speedinghzl/CCNet RCCAModule": (heads.RCCAModule, names.RCCA),
    "junfu1115/DANet DANetHead": (heads.danet_head, names.DANET),
}
NOT_OFFERED = {
    "mmseg PSAHead": "its point-wise masks are sized for one image size and need a CUDA operator of their own, and the "
    "book does not teach it; use 'mmseg DAHead' or 'mmseg NLHead' for attention of every position to every other",
}


def build(module: str, constructor: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
    """One of our modules with the weights of a published one.

    Parameters
    ----------
    module : str
        Qualified name of the published module, one of `MODULES`.
    constructor : mapping
        Its constructor's arguments, by name.
    tensors : mapping
        Its parameters and buffers: ``param.NAME`` and ``buffer.NAME`` (other keys are not looked at), or a plain
        state dict. ``num_batches_tracked`` may be missing.

    Returns
    -------
    nn.Module
        In evaluation mode, of the parameters' dtype and device. It is called as the published module is: a head of
        mmsegmentation takes a list of feature maps, too, and one output comes bare, not in a tuple. Its
        `published_names` maps the published names of the parameters to ours.

    Raises
    ------
    ValueError
        Unknown or not offered module, an argument that it does not have, or missing, unknown or misshapen parameters.
    """
    if module in NOT_OFFERED:
        raise ValueError(f"module={module!r} is not offered: {NOT_OFFERED[module]}.")
    if module not in MODULES:
        raise ValueError(f"module={module!r} is unknown: use one of {', '.join(map(repr, MODULES))}.")
    make, rules = MODULES[module]
    try:
        ours = make(**constructor)
    except TypeError as error:
        raise ValueError(
            f"constructor={dict(constructor)} does not fit {module!r}, {inspect.signature(make)}: {error}"
        ) from error

    state = state_of(tensors)
    dtypes = {tensor.dtype for tensor in state.values() if tensor.is_floating_point()}
    if len(dtypes) > 1:
        raise ValueError(f"tensors are of several types, {', '.join(sorted(map(str, dtypes)))}: convert them to one.")
    for tensor in state.values():
        ours = ours.to(tensor.device, *dtypes)
        break
    ours.published_names = load(ours, state, lambda name: names.rename(name, rules))
    if module.startswith("mmseg ") and module.endswith("Head"):
        ours.register_forward_pre_hook(_take_feature_map)
    ours.register_forward_hook(_unpack_single)
    return ours.eval()


def state_of(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters and buffers by their published names."""
    prefixes = ("param.", "buffer.")
    if any(name.startswith(prefixes) for name in tensors):
        tensors = {name.split(".", 1)[1]: t for name, t in tensors.items() if name.startswith(prefixes)}
    return {name: t for name, t in tensors.items() if not name.endswith("num_batches_tracked")}


def load(module: nn.Module, state: Mapping[str, Tensor], rename: Callable[[str], str]) -> dict[str, str]:
    """Copy published parameters into ours; returns our names by the published ones.

    Raises
    ------
    ValueError
        Lists what is missing, what has no place, and what has another shape.
    """
    own = {name: t for name, t in module.state_dict().items() if not name.endswith("num_batches_tracked")}
    found = {name: rename(name) for name in state}
    problems = [f"missing {name}" for name in own if name not in found.values()]
    problems += [f"unknown {name}" for name, ours in found.items() if ours not in own]
    problems += [
        f"{name} is {tuple(state[name].shape)}, must be {tuple(own[ours].shape)}"
        for name, ours in found.items()
        # gamma is () in mmcv and (1,) here
        if ours in own and state[name].shape != own[ours].shape and (state[name].numel(), own[ours].numel()) != (1, 1)
    ]
    if problems:
        raise ValueError(f"the parameters do not fit {type(module).__name__}: {'; '.join(problems)}.")
    with torch.no_grad():
        for name, ours in found.items():
            own[ours].copy_(state[name].view(own[ours].shape))  # a state dict shares its tensors with the module
    return found


def gradients(module: nn.Module) -> dict[str, Tensor]:
    """Gradients of a module that `build` made, by the published names of its parameters.

    Frozen parameters and such as nothing flowed to are left out.
    """
    own = dict(module.named_parameters())
    found = {name: own[ours].grad for name, ours in module.published_names.items() if ours in own}
    return {name: gradient for name, gradient in found.items() if gradient is not None}


def _take_feature_map(module: nn.Module, arguments: tuple) -> tuple:
    """mmsegmentation's heads take the backbone's list of feature maps and choose one."""
    (x,) = arguments
    return (x[module.in_index] if isinstance(x, list | tuple) else x,)


def _unpack_single(module: nn.Module, arguments: tuple, output: Any) -> Any:
    """The published heads return one output as it is."""
    return output[0] if isinstance(output, tuple) and len(output) == 1 else output
