"""The tensors that the diagrams name, from modules and networks that run, and what a label says of their shapes."""

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction

import torch
from torch import Tensor, nn
from torch.testing import assert_close

from segtut.attention import ChannelAttention, CrissCrossAttention, GlobalContext, NonLocal, PositionAttention
from segtut.attention.criss_cross import criss_cross_affinity, criss_cross_aggregate
from segtut.networks import build_network
from segtut.plot.diagram import Wire

# no two of them equal, nor equal to what the labels make of them
SIZES = {"B": 2, "C": 32, "H": 5, "W": 7, "N": 35}
NETWORK_SIZES = {**SIZES, "C": 512, "K": 11}


def shape(label: str, sizes: Mapping[str, int]) -> tuple[Fraction, ...]:
    """The shape that a label such as "(B, C + C/4, 8H, 8W)" stands for."""
    python = re.sub(r"(\d)([A-Z])", r"\1 * \2", label).replace("C′", "C_qk")
    return eval(python, {"__builtins__": {}}, {name: Fraction(value) for name, value in sizes.items()})


def wrong(wires: Iterable[Wire], tensors: Mapping[str, Tensor], sizes: Mapping[str, int]) -> list[str]:
    """What is wrong with the labels of wires: one line each."""
    found = []
    for wire in wires:
        if wire.tensor not in tensors:
            found.append(f"{wire.tensor}: no such tensor")
        elif shape(wire.shape, sizes) != (real := tuple(tensors[wire.tensor].shape)):
            said = ", ".join(map(str, shape(wire.shape, sizes)))
            found.append(f"{wire.tensor}: {wire.shape} is ({said}), but the tensor has the shape {real}")
    return found


def run(module: nn.Module, x: Tensor, **options: bool) -> dict[str, Tensor]:
    """Input, output, and what goes in and out of every part."""
    tensors = {"in": x}

    def note(name):
        def hook(part, inputs, output):
            tensors[f"{name}.in"] = inputs[0]
            # the backbone gives its third stage too, a head other scores behind its own
            tensors[f"{name}.out"] = output[-1 if name == "backbone" else 0] if isinstance(output, tuple) else output
            tensors[f"{name}.passes"] = tensors.get(f"{name}.passes", 0) + 1

        return hook

    hooks = [part.register_forward_hook(note(name)) for name, part in module.named_modules() if name]
    with torch.no_grad():
        result = module(x, **options)
    for hook in hooks:
        hook.remove()
    if options.get("return_attention"):
        result, tensors["attention"] = result
    results = result if isinstance(result, tuple) else (result,)
    return tensors | {f"out.{n}" if n else "out": result for n, result in enumerate(results)}


def randomised(module: nn.Module) -> nn.Module:
    """The module in float64 with no parameter left at 0, where a mistake would not be seen."""
    torch.manual_seed(0)
    for parameter in module.double().eval().parameters():
        nn.init.normal_(parameter, std=0.3)
    return module


def features() -> Tensor:
    """Features of sizes that all differ."""
    B, C, H, W = (SIZES[name] for name in "BCHW")
    return torch.randn(B, C, H, W, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def rows(t: Tensor) -> Tensor:
    """Positions as rows, (B, N, C)."""
    return t.flatten(2).mT


def gated(module: nn.Module, t: dict[str, Tensor]) -> None:
    """γ and what it makes of what was collected; with the input that is the output."""
    t["gamma"] = module.gamma
    t["gated"] = module.gamma * t["collected"]
    assert_close(t["out"], t["gated"] + t["in"])


def non_local():
    module = randomised(NonLocal(SIZES["C"]))
    t = run(module, features(), return_attention=True)
    t["energy"] = module.scale * rows(t["theta.out"]) @ rows(t["phi.out"]).mT
    assert_close(t["attention"], t["energy"].softmax(-1))
    t["collected"] = (t["attention"] @ rows(t["g.out"])).mT.unflatten(2, features().shape[2:])
    assert_close(t["conv_out.in"], t["collected"])
    assert_close(t["out"], t["conv_out.out"] + t["in"])
    return module, t, {**SIZES, "C_qk": SIZES["C"] // 2}


def criss_cross():
    module = randomised(CrissCrossAttention(SIZES["C"]))
    t = run(module, features(), return_attention=True)
    t["energy"] = criss_cross_affinity(t["query_conv.out"], t["key_conv.out"])
    assert_close(t["attention"], t["energy"].softmax(-1))
    t["collected"] = criss_cross_aggregate(t["attention"], t["value_conv.out"])
    gated(module, t)
    return module, t, {**SIZES, "C_qk": SIZES["C"] // 8}


def position():
    module = randomised(PositionAttention(SIZES["C"]))
    t = run(module, features(), return_attention=True)
    t["energy"] = rows(t["query_conv.out"]) @ rows(t["key_conv.out"]).mT
    assert_close(t["attention"], t["energy"].softmax(-1))
    t["collected"] = (t["attention"] @ rows(t["value_conv.out"])).mT.unflatten(2, features().shape[2:])
    gated(module, t)
    return module, t, {**SIZES, "C_qk": SIZES["C"] // 8}


def channel():
    module = randomised(ChannelAttention())
    t = run(module, features(), return_attention=True)
    t["rows"] = t["in"].flatten(2)
    t["rows.T"] = t["rows"].mT
    t["energy"] = t["rows"] @ t["rows.T"]
    assert_close(t["attention"], (t["energy"].amax(-1, keepdim=True) - t["energy"]).softmax(-1))
    t["collected rows"] = t["attention"] @ t["rows"]
    t["collected"] = t["collected rows"].view_as(t["in"])
    gated(module, t)
    return module, t, SIZES


def global_context():
    module = randomised(GlobalContext(SIZES["C"]))
    t = run(module, features(), return_attention=True)
    assert_close(t["attention"], t["conv_mask.out"].flatten(1).softmax(-1))
    t["context"] = (t["in"].flatten(2) @ t["attention"][..., None])[..., None]
    assert_close(t["channel_add_conv.0.in"], t["context"])
    assert_close(t["out"], t["in"] + t["channel_add_conv.3.out"])
    return module, t, {**SIZES, "P": SIZES["C"] // 4}


def network(name: str):
    """A network on a ResNet-18, with all its outputs."""
    B, H, W = (NETWORK_SIZES[name] for name in "BHW")
    module = build_network(name).eval()
    t = run(module, torch.zeros(B, 3, 8 * H, 8 * W), all_outputs=True)
    for part in ("cca", "position", "channel", "gc"):
        if hasattr(module.head, part):
            with torch.no_grad():
                t[f"head.{part}.attention"] = getattr(module.head, part)(t[f"head.{part}.in"], return_attention=True)[1]
    if name == "ccnet":
        assert t["head.cca.passes"] == module.head.recurrence
    return module, t, NETWORK_SIZES


MODULES = {
    "non-local": non_local,
    "criss-cross": criss_cross,
    "position": position,
    "channel": channel,
    "global-context": global_context,
}
