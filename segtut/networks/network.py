"""Backbone + head = network, and `build_network`, which makes one from a name."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from segtut.attention import _check
from segtut.networks.backbone import Backbone
from segtut.networks.blocks import BLOCKS
from segtut.networks.heads import CCHead, DAHead, FCNHead, GCHead, NonLocalHead
from segtut.networks.other_heads import ASPPHead, EMAHead, PSPHead

HEADS = {
    "fcn": FCNHead,
    "psp": PSPHead,
    "aspp": ASPPHead,
    "ema": EMAHead,
    "nonlocal": NonLocalHead,
    "ccnet": CCHead,
    "danet": DAHead,
    "gcnet": GCHead,
}
AUXILIARY_WEIGHT = 0.4


class SegmentationNetwork(nn.Module):
    """A backbone, a head, and bilinear upsampling of the scores to the image's size.

    The head classifies before the upsampling: a 1×1 convolution commutes with bilinear interpolation, and K
    channels are cheaper to enlarge than 512.

    Parameters
    ----------
    backbone : Backbone
        Gives the features of its third and fourth stage.
    head : nn.Module
        Features of the fourth stage -> a tuple of scores (B, K, h, w), the prediction first.
    auxiliary : nn.Module, optional
        A second head on the third stage, a help in training only.
    align_corners : bool
        How interpolation places the corners; True as in the official CCNet and DANet.

    Attributes
    ----------
    spec : dict
        Arguments with which `build_network` makes this network again.
    input_size : (int, int) or None
        Height and width of the data's images when they come here, reduced before; images of another shape come at that
        height and keep theirs. None: they come as they are.
    """

    def __init__(
        self, backbone: Backbone, head: nn.Module, auxiliary: nn.Module | None = None, align_corners: bool = True
    ):
        super().__init__()
        self.backbone, self.head, self.auxiliary = backbone, head, auxiliary
        self.align_corners = align_corners
        self.spec: dict[str, Any] = {}
        self.input_size: tuple[int, int] | None = None

    def forward(
        self, x: Float[Tensor, "B 3 H W"], size: tuple[int, int] | None = None, all_outputs: bool = False
    ) -> Tensor | tuple[Tensor, ...]:
        """Class scores of every pixel.

        Parameters
        ----------
        x : Tensor
            Normalised images (B, 3, H, W).
        size : (int, int), optional
            Height and width of the result, if not those of `x`.
        all_outputs : bool
            Also return what only the training loss needs: a tuple, the prediction first.

        Returns
        -------
        Tensor or tuple of Tensor
            Scores before softmax, (B, K, H, W), or with `size` in place of H and W.

        Raises
        ------
        ValueError, TypeError
            `x` has another shape or is empty, or its dtype or device is not that of the parameters.
        """
        _check.features("x", x)
        if x.shape[1] != 3:
            raise ValueError(f"x has shape {tuple(x.shape)}: needs (B, 3, H, W), normalised RGB")
        _check.same_kind("x", x, "the network's parameters", next(self.parameters()))
        third, fourth = self.backbone(x)
        outputs = self.head(fourth)
        if not all_outputs:
            return self._upsample(outputs[0], size or x.shape[-2:])
        if self.auxiliary is not None:
            outputs = (*outputs, *self.auxiliary(third))
        return tuple(self._upsample(scores, size or x.shape[-2:]) for scores in outputs)

    def loss_weights(self, outputs: int) -> tuple[float, ...]:
        """Weight of each of the `outputs` of ``all_outputs=True`` in the loss."""
        own = outputs - (self.auxiliary is not None)
        return (1.0,) * own + (AUXILIARY_WEIGHT,) * (outputs - own)

    def _upsample(self, scores: Tensor, size: tuple[int, int]) -> Tensor:
        # In float32: bf16 keeps 8 bits, too few to interpolate between scores without steps.
        return F.interpolate(scores.float(), size=tuple(size), mode="bilinear", align_corners=self.align_corners)


def build_network(
    name: str,
    backbone: str = "resnet18",
    num_classes: int = 11,
    *,
    pretrained: bool = False,
    allow_random: bool = False,
    output_stride: int = 8,
    auxiliary: bool = False,
    align_corners: bool = True,
    **head: Any,
) -> SegmentationNetwork:
    """Build a segmentation network.

    Parameters
    ----------
    name : {"fcn", "psp", "aspp", "ema", "nonlocal", "ccnet", "danet", "gcnet"}
        Which head; case, hyphens and underscores do not matter.
    backbone : str
        Any timm ResNet.
    num_classes : int
        Number of classes K.
    pretrained, allow_random, output_stride
        See `Backbone`.
    auxiliary : bool
        Add an FCN head on the third stage, with weight 0.4 in the loss.
    align_corners : bool
        See `SegmentationNetwork`.
    **head
        Options of the head, such as ``recurrence=2`` or ``dropout=0.1``.

    Returns
    -------
    SegmentationNetwork
        With random weights but for a pretrained backbone; ``network.spec`` holds the arguments that make it again.

    Raises
    ------
    ValueError
        Unknown name or backbone, an option that this head does not have, or a value that does not fit.
    """
    key = str(name).lower().replace("-", "").replace("_", "")
    if key not in HEADS:
        raise ValueError(f"network {name!r} is none of {', '.join(HEADS)}")
    _check.positive("num_classes", num_classes)
    defaults = head_options(HEADS[key])
    unknown = [option for option in head if option not in defaults]
    if unknown:
        raise ValueError(f"network {key!r} has no option {', '.join(unknown)}: it has {', '.join(defaults)}")
    # a file keeps a tuple as a list
    head = {option: tuple(value) if isinstance(value, list) else value for option, value in head.items()}
    if "align_corners" in defaults:  # a head that interpolates does it as the network does
        head["align_corners"] = align_corners
    if "block" in head:
        _check.choice("block", head["block"], tuple(BLOCKS))  # by name, so that the spec can be written to a file
    body = Backbone(backbone, pretrained, allow_random, output_stride)
    third, fourth = body.channels
    top = HEADS[key](fourth, num_classes, **head)
    extra = FCNHead(third, num_classes, block=head.get("block", "bn_relu")) if auxiliary else None
    network = SegmentationNetwork(body, top, extra, align_corners)
    network.spec = {
        **defaults, **head, "name": key, "backbone": backbone, "num_classes": num_classes,
        "output_stride": output_stride, "auxiliary": auxiliary, "align_corners": align_corners,
    }  # fmt: skip
    return network


def unusual(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What in the spec of a network is not as `build_network` makes it if it is told nothing but name and backbone."""
    options = inspect.signature(build_network).parameters.values()
    usual = {option.name: option.default for option in options} | head_options(HEADS[spec["name"]])
    # a file keeps a tuple as a list
    named = {key: tuple(value) if isinstance(value, list) else value for key, value in spec.items()}
    return {key: value for key, value in named.items() if key not in ("name", "backbone") and value != usual.get(key)}


def head_options(head: type[nn.Module]) -> dict[str, Any]:
    """Options of a head and their defaults, those that it hands on to its parent included."""
    own = inspect.signature(head).parameters.values()
    handed_on = any(option.kind is option.VAR_KEYWORD for option in own)
    inherited = head_options(head.__bases__[0]) if handed_on else {}
    return inherited | {option.name: option.default for option in own if option.default is not option.empty}
