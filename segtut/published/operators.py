"""The published operators, each as one of ours: a function with the published constructor's arguments."""

from typing import Any

from torch import nn

from segtut.attention import ChannelAttention, CrissCrossAttention, GlobalContext, NonLocal, PositionAttention, _check

CONV = (None, "Conv2d", "Conv")  # conv_cfg
NORMS = {  # norm_cfg; SyncBN gives a single process the numbers of BN
    "BN": nn.BatchNorm2d, "BN2d": nn.BatchNorm2d, "SyncBN": nn.BatchNorm2d, "GN": nn.GroupNorm,
    "IN": nn.InstanceNorm2d, "IN2d": nn.InstanceNorm2d,
}  # fmt: skip


def criss_cross(channels: int) -> CrissCrossAttention:
    """mmcv's and speedinghzl's: channels // 8 query channels, rounded down."""
    return CrissCrossAttention(channels, C_qk=channels // 8)


def criss_cross_mmcv(in_channels: int) -> CrissCrossAttention:
    """mmcv/ops/cc_attention.py."""
    return criss_cross(in_channels)


def criss_cross_ccnet(in_dim: int) -> CrissCrossAttention:
    """speedinghzl/CCNet, cc_attention/functions.py."""
    return criss_cross(in_dim)


def position_mmseg(in_channels: int, channels: int) -> PositionAttention:
    """mmseg's PAM: query channels are free."""
    return PositionAttention(in_channels, C_qk=channels)


def position_danet(in_dim: int) -> PositionAttention:
    """junfu1115/DANet's PAM_Module: in_dim // 8 query channels, rounded down."""
    return PositionAttention(in_dim, C_qk=in_dim // 8)


def channel_mmseg() -> ChannelAttention:
    """mmseg's CAM."""
    return ChannelAttention()


def channel_danet(in_dim: int) -> ChannelAttention:
    """junfu1115/DANet's CAM_Module."""
    return ChannelAttention(in_dim)


def global_context(
    in_channels: int, ratio: float, pooling_type: str = "att", fusion_types: Any = ("channel_add",)
) -> GlobalContext:
    """mmcv's ContextBlock: int(channels * ratio) channels inside."""
    _check.choice("pooling_type", pooling_type, ("att", "avg"))
    fusion_types = tuple(fusion_types)
    if not fusion_types or not set(fusion_types) <= {"channel_add", "channel_mul"}:
        raise ValueError(f"fusion_types={fusion_types!r}: one or both of 'channel_add' and 'channel_mul'.")
    fusion = {1: {"channel_add": "add", "channel_mul": "multiply"}[fusion_types[0]], 2: "both"}[len(set(fusion_types))]
    pooling = {"att": "attention", "avg": "average"}[pooling_type]
    return GlobalContext(in_channels, pooling=pooling, fusion=fusion, inner=int(in_channels * ratio))


def global_context_gcnet(inplanes: int, ratio: float, **options: Any) -> GlobalContext:
    """xvjiarui/GCNet's ContextBlock."""
    return global_context(inplanes, ratio, **options)


def non_local(
    in_channels: int, reduction: int = 2, use_scale: bool = True, conv_cfg: Any = None, norm_cfg: Any = None,
    mode: str = "embedded_gaussian", sub_sample: bool = False, zeros_init: bool = True, std: float = 0.01,
) -> NonLocal:  # fmt: skip
    """mmcv's NonLocal2d: max(channels // reduction, 1) channels inside."""
    only("conv_cfg", conv_cfg, CONV)
    inner = max(in_channels // reduction, 1)
    block = NonLocal(in_channels, mode=mode, scaled=use_scale, pooled=sub_sample, norm=bool(norm_cfg), inner=inner)
    if norm_cfg:
        block.norm = norm_layer(norm_cfg, in_channels)
    return block


def non_local_gcnet(in_channels: int, reduction: int = 2, use_scale: bool = True, **options: Any) -> NonLocal:
    """xvjiarui/GCNet's NonLocal2D, which multiplies the scaled affinity by √D where √D was to divide it."""
    block = non_local(in_channels, reduction, use_scale, **options)
    block.scale = 1 / block.scale
    return block


def non_local_alex(
    in_channels: int, inter_channels: int | None = None, sub_sample: bool = True, bn_layer: bool = True, *, mode: str
) -> NonLocal:
    """AlexHex7/Non-local_pytorch: never scaled; its last convolution keeps a bias before the batch norm."""
    inner = inter_channels if inter_channels is not None else max(in_channels // 2, 1)
    block = NonLocal(in_channels, mode=mode, scaled=False, pooled=sub_sample, norm=bn_layer, inner=inner)
    block.conv_out = nn.Conv2d(inner, in_channels, 1)
    return block


def only(name: str, value: Any, allowed: tuple[str | None, ...]) -> None:
    kind = value.get("type") if isinstance(value, dict) else value
    if kind not in allowed:
        raise ValueError(f"{name}={value!r} is not offered: use {' or '.join(map(repr, allowed))}.")


def norm_layer(norm_cfg: dict[str, Any], channels: int) -> nn.Module:
    """mmcv's norm layer of that configuration."""
    norm_cfg = dict(norm_cfg)
    kind, trained = norm_cfg.pop("type", None), norm_cfg.pop("requires_grad", True)
    if kind not in NORMS:
        raise ValueError(f"norm_cfg={kind!r} is not offered: use {', '.join(NORMS)} or None.")
    layer = NORMS[kind](**norm_cfg, **{"num_channels" if kind == "GN" else "num_features": channels})
    return layer.requires_grad_(trained)
