"""From a checkpoint of mmsegmentation to one of our networks."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from segtut.networks import SegmentationNetwork, build_network
from segtut.published import names
from segtut.published.build import load, state_of
from segtut.training.checkpoint import CheckpointError, save_network

_DEPTHS = {(3, 4, 6, 3): 50, (3, 4, 23, 3): 101, (3, 8, 36, 3): 152}  # by the blocks in each stage
_BACKBONE: names.Rules = [
    (r"^stem\.7\.", "bn1."),
    (r"^stem\.", "conv1."),
    (r"^", "stages."),
]


def convert(
    source: str | Path, out: str | Path, kind: str = "mmseg", align_corners: bool = False, **options: Any
) -> SegmentationNetwork:
    """Turn a checkpoint of mmsegmentation into a network of ours, and write it as `save_network` does.

    The backbone must be a ResNetV1c or ResNet of depth 50, 101 or 152 and output stride 8, the head CCHead,
    DAHead, GCHead or NLHead; an auxiliary FCNHead comes along. The rest is read from names and shapes.

    Parameters
    ----------
    source : path
        A ``.pth`` file: a state dict, or a dict that holds it as ``state_dict``. No code in it is run.
    out : path
        The ``.safetensors`` file to write.
    kind : {"mmseg"}
        Whose checkpoint it is.
    align_corners : bool
        As in the configuration the network was trained with: weights do not tell. mmsegmentation's default is False.
    **options
        Of the head, where the configuration differs from the default and weights do not tell: ``recurrence`` of
        CCNet, ``scaled`` and ``mode`` of the non-local block.

    Returns
    -------
    SegmentationNetwork
        In evaluation mode.

    Raises
    ------
    CheckpointError
        The file cannot be read without running code in it, holds no such network, or does not fit: missing and
        unknown keys are listed.
    """
    if kind != "mmseg":
        raise ValueError(f"kind={kind!r} is unknown: use 'mmseg'.")
    if Path(out).suffix != ".safetensors":
        raise ValueError(f"out={str(out)!r}: name a file that ends in .safetensors.")
    state = state_of(_read(Path(source)))
    body = backbone_name(state)
    head, rules, found = head_options(state)
    auxiliary = any(name.startswith("auxiliary_head.") for name in state)
    network = build_network(
        head, body, len(state["decode_head.conv_seg.weight"]), auxiliary=auxiliary, align_corners=align_corners,
        **found | options,
    )  # fmt: skip
    parts = {
        "backbone": ("backbone", _BACKBONE),
        "decode_head": ("head", rules),
        "auxiliary_head": ("auxiliary", names.FCN),
    }

    def rename(name: str) -> str:
        part, _, rest = name.partition(".")
        ours, part_rules = parts.get(part, (part, []))
        return f"{ours}.{names.rename(rest, part_rules)}"

    try:
        load(network, state, rename)
    except ValueError as error:
        raise CheckpointError(f"{source}: {error}") from error
    save_network(out, network)
    return network.eval()


def backbone_name(state: Mapping[str, Tensor]) -> str:
    """timm's name of the ResNet whose weights these are.

    Raises
    ------
    CheckpointError
        None that timm has with the same numbers.
    """
    blocks = [0, 0, 0, 0]
    for name in state:
        if match := re.match(r"backbone\.layer([1-4])\.(\d+)\.", name):
            blocks[int(match[1]) - 1] = max(blocks[int(match[1]) - 1], int(match[2]) + 1)
    depth = _DEPTHS.get(tuple(blocks))
    deep_stem = "backbone.stem.0.weight" in state
    if depth is None or not (deep_stem or "backbone.conv1.weight" in state):
        raise CheckpointError(f"the backbone is no ResNet of depth 50, 101 or 152: its stages have {blocks} blocks")
    if "backbone.layer1.0.conv3.weight" not in state:  # ResNet-34 has as many blocks as ResNet-50
        raise CheckpointError(
            "the backbone is made of basic blocks (depth 18 or 34): where it is dilated, timm dilates both of a block's"
            " convolutions and mmsegmentation the first, so that the numbers would differ; use depth 50 or more"
        )
    if "backbone.layer2.0.downsample.1.weight" in state and state["backbone.layer2.0.downsample.1.weight"].ndim == 4:
        raise CheckpointError(
            "the backbone is a ResNetV1d: where it is dilated, timm averages before the shortcut's convolution and "
            "mmsegmentation does not, so that the numbers would differ; use a ResNetV1c"
        )
    return f"resnet{depth}{'c' if deep_stem else ''}"


def head_options(state: Mapping[str, Tensor]) -> tuple[str, names.Rules, dict[str, Any]]:
    """Name, renaming rules and options of the head whose weights these are.

    Raises
    ------
    CheckpointError
        None of the four that are converted.
    """
    filters = {
        name.removeprefix("decode_head."): len(t)
        for name, t in state.items()
        if name.startswith("decode_head.") and t.ndim
    }
    if "conv_seg.weight" not in filters:
        raise CheckpointError(
            "there is no decode head (decode_head.conv_seg.weight): name a whole segmentation network"
        )
    inner = state["decode_head.conv_seg.weight"].shape[1]

    def reduction(projection: str) -> int:
        if inner % filters[projection]:
            raise CheckpointError(f"{projection} has {filters[projection]} filters, which do not divide {inner}")
        return inner // filters[projection]

    options: dict[str, Any] = {"inner": inner}
    if "pam.query_project.weight" in filters:
        return "danet", names.DUAL, options | {"reduction": reduction("pam.query_project.weight")}
    options["concat"] = "conv_cat.conv.weight" in filters
    if "cca.query_conv.weight" in filters:
        return "ccnet", names.REFINE, options | {"reduction": reduction("cca.query_conv.weight")}
    if "nl_block.g.conv.weight" in filters:
        mode = "concatenation" if "nl_block.concat_project.conv.weight" in filters else "embedded_gaussian"
        mode = mode if "nl_block.theta.conv.weight" in filters else "gaussian"
        return "nonlocal", names.REFINE, options | {"reduction": reduction("nl_block.g.conv.weight"), "mode": mode}
    for fusion, transforms in (("both", ("add", "mul")), ("add", ("add",)), ("multiply", ("mul",))):
        first = [f"gc_block.channel_{transform}_conv.0.weight" for transform in transforms]
        if all(name in filters for name in first):
            pooling = "attention" if "gc_block.conv_mask.weight" in filters else "average"
            ratio = filters[first[0]] / inner
            return "gcnet", names.REFINE, options | {"ratio": ratio, "pooling": pooling, "fusion": fusion}
    raise CheckpointError(
        f"the decode head is none of CCHead, DAHead, GCHead, NLHead; it has {', '.join(sorted(filters))}"
    )


def _read(path: Path) -> dict[str, Tensor]:
    """The state dict in a file, without the prefix that data parallelism leaves."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a different kind for each way of being damaged
        raise CheckpointError(
            f"{path} is damaged, or holds more than tensors and plain values, which is not loaded since that could run "
            "code. If you trust it, keep its weights alone: torch.save(torch.load(SOURCE, weights_only=False)"
            f"['state_dict'], SOURCE). ({str(error).splitlines()[0]})"
        ) from error
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(f"{path} holds no state dict: a mapping of names to tensors, or one under 'state_dict'")
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}
