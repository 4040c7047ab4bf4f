"""The published heads, each as one of ours: a function with the published constructor's arguments.

Arguments that a published constructor has and that change no number here (losses, data layout) are accepted.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from segtut.attention import _check
from segtut.networks.blocks import classify, conv, conv_abn, conv_bn_relu
from segtut.networks.heads import CCHead, DAHead, FCNHead, GCHead, NonLocalHead, number_of_passes
from segtut.networks.other_heads import ASPPHead, EMAHead, PSPHead
from segtut.published.operators import (
    CONV,
    criss_cross,
    global_context,
    non_local,
    norm_layer,
    only,
    position_danet,
    position_mmseg,
)

RELU = {"type": "ReLU"}


def _activation(act_cfg: dict[str, Any]) -> nn.Module:
    """mmcv's activation of that configuration: torch's class of that name and its arguments."""
    options = {key: value for key, value in act_cfg.items() if key not in ("type", "inplace")}
    kind = getattr(nn, str(act_cfg.get("type")), None)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise ValueError(f"act_cfg={act_cfg!r} is not offered: its type must be one of torch.nn's activations.")
    return kind(**options)


def _conv_module(
    channels: int, out: int, kernel: int = 3, dilation: int = 1, activate: bool = True, *,
    norm_cfg: Any, act_cfg: Any, window: tuple[int, int] | None = None,
) -> nn.Sequential:  # fmt: skip
    """mmcv's ConvModule as a block of ours: a bias only where no norm follows. `window`: its kernel and dilation."""
    kernel, dilation = window or (kernel, dilation)
    layers = [conv(channels, out, kernel, dilation, bias=not norm_cfg)]
    if norm_cfg:
        layers.append(norm_layer(norm_cfg, out))
    if activate and act_cfg:
        layers.append(_activation(act_cfg))
    return nn.Sequential(*layers)


def _mmseg(
    head: Callable[..., nn.Module], in_channels: int, channels: int, num_classes: int, *, dropout_ratio: float = 0.1,
    norm_cfg: Any = None, act_cfg: Any = RELU, conv_cfg: Any = None, out_channels: int | None = None,
    options: dict[str, Any], window: tuple[int, int] | None = None,
    in_index: int = -1, input_transform: None = None, align_corners: bool = False, loss_decode: Any = None,
    ignore_index: int = 255, sampler: None = None, init_cfg: Any = None, threshold: float | None = None,
) -> nn.Module:  # fmt: skip
    """A head of ours with the arguments of mmsegmentation's BaseDecodeHead and its ConvModules as blocks."""
    only("conv_cfg", conv_cfg, CONV)
    only("input_transform", input_transform, (None,))
    block = partial(_conv_module, norm_cfg=norm_cfg, act_cfg=act_cfg, window=window)
    module = head(
        in_channels, out_channels or num_classes, dropout=dropout_ratio, inner=channels, block=block, **options
    )
    module.in_index = in_index
    return module


def _refine(
    head: Callable[..., nn.Module], options: dict[str, Any], concat_input: bool = True, kernel_size: int = 3,
    dilation: int = 1, **base: Any,
) -> nn.Module:  # fmt: skip
    """A head that mmsegmentation derives from its FCNHead, whose convolutions have a size and a dilation."""
    module = _mmseg(head, options=options | {"concat": concat_input}, window=(kernel_size, dilation), **base)
    if concat_input:  # the fusing one is never dilated
        module.bottleneck = _conv_module(
            module.channels + module.inner, module.inner, kernel_size,
            norm_cfg=base.get("norm_cfg"), act_cfg=base.get("act_cfg", RELU),
        )  # fmt: skip
    return module


def fcn_head(
    num_convs: int = 2, concat_input: bool = True, kernel_size: int = 3, dilation: int = 1, **base: Any
) -> nn.Module:
    """mmseg's FCNHead as auxiliary heads are configured: one convolution, nothing concatenated."""
    if num_convs != 1 or concat_input:
        raise ValueError(
            f"FCNHead with num_convs={num_convs}, concat_input={concat_input} is not offered: use 1 and False."
        )
    return _mmseg(FCNHead, options={}, window=(kernel_size, dilation), **base)


def cc_head(recurrence: int = 2, **base: Any) -> nn.Module:
    """mmseg's CCHead."""
    head = _refine(CCHead, {"recurrence": recurrence, "reduction": 1}, **base)
    head.cca = criss_cross(head.inner)
    return head


def non_local_head(
    reduction: int = 2, use_scale: bool = True, mode: str = "embedded_gaussian", **base: Any
) -> nn.Module:
    """mmseg's NLHead."""
    head = _refine(NonLocalHead, {"reduction": 1}, **base)
    head.non_local = non_local(head.inner, reduction, use_scale, norm_cfg=base.get("norm_cfg"), mode=mode)
    return head


def gc_head(
    ratio: float = 1 / 4, pooling_type: str = "att", fusion_types: Any = ("channel_add",), **base: Any
) -> nn.Module:
    """mmseg's GCHead."""
    head = _refine(GCHead, {"ratio": 1}, **base)
    head.gc = global_context(head.inner, ratio, pooling_type, fusion_types)
    return head


def da_head(pam_channels: int, **base: Any) -> nn.Module:
    """mmseg's DAHead."""
    head = _mmseg(DAHead, options={"reduction": 1}, **base)
    head.position = position_mmseg(base["channels"], pam_channels)
    return head


def psp_head(pool_scales: Any = (1, 2, 3, 6), align_corners: bool = False, **base: Any) -> nn.Module:
    """mmseg's PSPHead."""
    return _mmseg(PSPHead, options={"scales": tuple(pool_scales), "align_corners": align_corners}, **base)


def aspp_head(dilations: Any = (1, 6, 12, 18), **base: Any) -> nn.Module:
    """mmseg's ASPPHead."""
    return _mmseg(ASPPHead, options={"dilations": tuple(dilations)}, **base)


def ema_head(
    ema_channels: int, num_bases: int, num_stages: int, concat_input: bool = True, momentum: float = 0.1, **base: Any
) -> nn.Module:
    """mmseg's EMAHead."""
    options = {
        "ema_channels": ema_channels, "bases": num_bases, "stages": num_stages, "momentum": momentum,
        "concat": concat_input,
    }  # fmt: skip
    return _mmseg(EMAHead, options=options, **base)


class RCCAModule(CCHead):
    """speedinghzl/CCNet, networks/ccnet.py: the number of passes is an argument of the call, 1 by default."""

    def __init__(self, in_channels: int, out_channels: int, num_classes: int, recurrence: int = 1):
        super().__init__(in_channels, num_classes, recurrence, reduction=1, block=conv_abn)
        self.cca = criss_cross(self.inner)
        self.bottleneck = conv_abn(in_channels + self.inner, out_channels)
        self.classifier = classify(out_channels, num_classes, dropout=0.1)

    def forward(self, x: Tensor, recurrence: int | None = None) -> tuple[Tensor]:
        """(B, C, H, W) -> scores ((B, K, H, W),)."""
        _check.module_input(x, self.channels, self.classifier[1].weight)
        passes = self.recurrence if recurrence is None else number_of_passes(recurrence)
        y = self.conva(x)
        for _ in range(passes):
            y = self.cca(y)
        return (self.classifier(self.bottleneck(torch.cat([x, self.convb(y)], dim=1))),)


def danet_head(in_channels: int, out_channels: int, norm_layer: Any = "nn.BatchNorm2d") -> DAHead:
    """junfu1115/DANet, encoding/models/sseg/danet.py."""
    only("norm_layer", getattr(norm_layer, "__name__", norm_layer), ("nn.BatchNorm2d", "BatchNorm2d"))
    head = DAHead(in_channels, out_channels, reduction=1, block=conv_bn_relu)
    inner = in_channels // 4
    head.position = position_danet(inner)
    return head
