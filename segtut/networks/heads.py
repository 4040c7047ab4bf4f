"""Heads: from the backbone's features to class scores, still at the features' size.

Common arguments, said once:

channels : int
    C, channels of the features.
num_classes : int
    Number of classes K.
dropout : float
    Probability that a whole channel is dropped before the classifier.
inner : int, optional
    Channels inside the head; a quarter of C by default.
block : {"bn_relu", "inplace_abn"} or callable
    What a convolution block is, see `blocks`.

A head takes features (B, C, H, W) and returns a tuple of scores (B, K, H, W), the prediction first. It raises
ValueError or TypeError, with what to do, where an option or the features do not fit.
"""

import torch
from torch import Tensor, nn

from segtut.attention import ChannelAttention, CrissCrossAttention, GlobalContext, NonLocal, PositionAttention, _check
from segtut.networks.blocks import Block, block_named, classify, width


class FCNHead(nn.Module):
    """One 3×3 convolution and the classifier: every pixel on its own (Long et al. 2015)."""

    def __init__(
        self, channels: int, num_classes: int, dropout: float = 0.1, inner: int | None = None,
        block: str | Block = "bn_relu",
    ):  # fmt: skip
        super().__init__()
        inner = width(channels, inner)
        self.channels = channels
        self.conv = block_named(block)(channels, inner)
        self.classifier = classify(inner, num_classes, dropout)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """(B, C, H, W) -> scores ((B, K, H, W),)."""
        _check.module_input(x, self.channels, self.classifier[1].weight)
        return (self.classifier(self.conv(x)),)


class RefineHead(nn.Module):
    """Reduce, attend, refine, concatenate with the input, fuse, classify: the frame of three heads.

    `attend` is what they differ in. `concat` False leaves the input and the fusing convolution out.
    """

    def __init__(
        self, channels: int, num_classes: int, dropout: float = 0.1, inner: int | None = None, concat: bool = True,
        block: str | Block = "bn_relu",
    ):  # fmt: skip
        super().__init__()
        inner = width(channels, inner)
        self.channels, self.inner = channels, inner
        conv = block_named(block)
        self.conva = conv(channels, inner)
        self.convb = conv(inner, inner)
        self.bottleneck = conv(channels + inner, inner) if concat else None
        self.classifier = classify(inner, num_classes, dropout)

    def attend(self, y: Tensor) -> Tensor:
        """Features (B, inner, H, W) with context, of the same shape."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """(B, C, H, W) -> scores ((B, K, H, W),)."""
        _check.module_input(x, self.channels, self.classifier[1].weight)
        y = self.convb(self.attend(self.conva(x)))
        if self.bottleneck is not None:
            y = self.bottleneck(torch.cat([x, y], dim=1))  # input first, as published
        return (self.classifier(y),)


def number_of_passes(recurrence: int) -> int:
    """R as it is, if it is an integer of at least 0."""
    if isinstance(recurrence, bool) or not isinstance(recurrence, int) or recurrence < 0:
        raise ValueError(f"recurrence={recurrence!r}: the number of passes R must be an integer, 0 or more.")
    return recurrence


class CCHead(RefineHead):
    """Criss-cross attention, applied R times with the same weights (Huang et al. 2019, section 3.3).

    Follows ``RCCAModule`` of the official code. ``block="bn_relu"`` stands for its InPlaceABN with leaky ReLU, as in
    mmsegmentation; ``block="inplace_abn"`` is that one.

    Parameters
    ----------
    recurrence : int
        R, how often every pixel looks along its row and column. 0: no attention; 2: every pixel reaches every other.
    reduction : int
        Channels inside over query channels.
    gamma : float
        Where the gate γ starts; 0 in the official code: at first the passes change nothing.
    """

    def __init__(
        self, channels: int, num_classes: int, recurrence: int = 2, reduction: int = 8, gamma: float = 0.0, **common
    ):
        super().__init__(channels, num_classes, **common)
        self.recurrence = number_of_passes(recurrence)
        self.cca = CrissCrossAttention(self.inner, reduction) if recurrence else None
        if recurrence:
            nn.init.constant_(self.cca.gamma, gamma)

    def attend(self, y: Tensor) -> Tensor:
        """R passes."""
        for _ in range(self.recurrence):
            y = self.cca(y)
        return y


class NonLocalHead(RefineHead):
    """A non-local block with batch norm (Wang et al. 2018), framed as mmsegmentation's ``NLHead``.

    Parameters
    ----------
    reduction, mode, scaled
        See `NonLocal`.
    """

    def __init__(
        self, channels: int, num_classes: int, reduction: int = 2, mode: str = "embedded_gaussian",
        scaled: bool = True, **common,
    ):  # fmt: skip
        super().__init__(channels, num_classes, **common)
        self.non_local = NonLocal(self.inner, reduction, mode, scaled, norm=True)

    def attend(self, y: Tensor) -> Tensor:
        """Every position looks at every other."""
        return self.non_local(y)


class GCHead(RefineHead):
    """A global context block (Cao et al. 2019), framed as mmsegmentation's ``GCHead``.

    Parameters
    ----------
    ratio, pooling, fusion
        See `GlobalContext`.
    """

    def __init__(
        self, channels: int, num_classes: int, ratio: float = 1 / 4, pooling: str = "attention", fusion: str = "add",
        **common,
    ):  # fmt: skip
        super().__init__(channels, num_classes, **common)
        self.gc = GlobalContext(self.inner, ratio, pooling, fusion)

    def attend(self, y: Tensor) -> Tensor:
        """Every position gets the context of the image."""
        return self.gc(y)


class DAHead(nn.Module):
    """Position and channel attention side by side, summed (Fu et al. 2019, section 3.4).

    Each branch: 3×3 block, attention, 3×3 block. The input is not concatenated. Follows ``DANetHead``.

    Parameters
    ----------
    branches : {"both", "position", "channel"}
        "both" gives three scores, each with a loss of its own: of the sum, of position, of channel attention.
    reduction : int
        Channels inside over query channels of position attention.
    variant : {"code", "paper"}
        Sign of the channels' energy, see `channel_attention`.
    gamma : float
        Where both gates γ start; 0 in the official code.
    """

    def __init__(
        self, channels: int, num_classes: int, branches: str = "both", reduction: int = 8, variant: str = "code",
        gamma: float = 0.0, dropout: float = 0.1, inner: int | None = None, block: str | Block = "bn_relu",
    ):  # fmt: skip
        super().__init__()
        _check.choice("branches", branches, ("both", "position", "channel"))
        self.channels, self.branches = channels, branches
        inner = width(channels, inner)
        conv = block_named(block)
        if branches != "channel":
            self.position_in, self.position_out = conv(channels, inner), conv(inner, inner)
            self.position = PositionAttention(inner, reduction)
            nn.init.constant_(self.position.gamma, gamma)
        if branches != "position":
            self.channel_in, self.channel_out = conv(channels, inner), conv(inner, inner)
            self.channel = ChannelAttention(inner, variant)
            nn.init.constant_(self.channel.gamma, gamma)
        if branches == "both":
            self.position_classifier = classify(inner, num_classes, dropout)
            self.channel_classifier = classify(inner, num_classes, dropout)
        self.classifier = classify(inner, num_classes, dropout)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, C, H, W) -> scores (B, K, H, W) of the sum, and for "both" of position and of channel attention."""
        _check.module_input(x, self.channels, self.classifier[1].weight)
        if self.branches != "channel":
            position = self.position_out(self.position(self.position_in(x)))
        if self.branches != "position":
            channel = self.channel_out(self.channel(self.channel_in(x)))
        if self.branches != "both":
            return (self.classifier(position if self.branches == "position" else channel),)
        return (
            self.classifier(position + channel),
            self.position_classifier(position),
            self.channel_classifier(channel),
        )
