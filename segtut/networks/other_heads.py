"""Three heads that gather context without pairwise attention, for comparison. Common arguments: see `heads`."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segtut.attention import _check
from segtut.networks.blocks import Block, block_named, classify, share, width
from segtut.networks.synchronised import total


class PSPHead(nn.Module):
    """Pyramid pooling: means over grids of the image, each enlarged and put beside it (Zhao et al. 2017, figure 3).

    Parameters
    ----------
    scales : tuple of int
        Cells along a side of each grid.
    align_corners : bool
        Of the enlarging; True as in the official code.
    """

    def __init__(
        self, channels: int, num_classes: int, scales: tuple[int, ...] = (1, 2, 3, 6), align_corners: bool = True,
        dropout: float = 0.1, inner: int | None = None, block: str | Block = "bn_relu",
    ):  # fmt: skip
        super().__init__()
        _positive_each("scales", scales)
        inner, conv = width(channels, inner), block_named(block)
        self.channels, self.align_corners = channels, align_corners
        self.pools = nn.ModuleList(nn.Sequential(nn.AdaptiveAvgPool2d(s), conv(channels, inner, 1)) for s in scales)
        self.bottleneck = conv(channels + len(scales) * inner, inner)
        self.classifier = classify(inner, num_classes, dropout)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """(B, C, H, W) -> scores ((B, K, H, W),)."""
        _check.module_input(x, self.channels, self.classifier[1].weight)
        pooled = [
            F.interpolate(pool(x), size=x.shape[2:], mode="bilinear", align_corners=self.align_corners)
            for pool in self.pools
        ]
        return (self.classifier(self.bottleneck(torch.cat([x, *pooled], dim=1))),)


class ASPPHead(nn.Module):
    """Atrous pyramid: one convolution at several dilations, and the image's mean (DeepLabv3: Chen et al. 2017).

    Parameters
    ----------
    dilations : tuple of int
        Steps between the taps; a dilation of 1 is a 1×1 convolution. (1, 12, 24, 36) for output stride 8.
    """

    def __init__(
        self, channels: int, num_classes: int, dilations: tuple[int, ...] = (1, 12, 24, 36), dropout: float = 0.1,
        inner: int | None = None, block: str | Block = "bn_relu",
    ):  # fmt: skip
        super().__init__()
        _positive_each("dilations", dilations)
        inner, conv = width(channels, inner), block_named(block)
        self.channels = channels
        self.image_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv(channels, inner, 1))
        self.atrous = nn.ModuleList(conv(channels, inner, 1 if d == 1 else 3, d) for d in dilations)
        self.bottleneck = conv((len(dilations) + 1) * inner, inner)
        self.classifier = classify(inner, num_classes, dropout)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """(B, C, H, W) -> scores ((B, K, H, W),)."""
        _check.module_input(x, self.channels, self.classifier[1].weight)
        pooled = self.image_pool(x).expand(-1, -1, *x.shape[2:])
        return (self.classifier(self.bottleneck(torch.cat([pooled, *(conv(x) for conv in self.atrous)], dim=1))),)


class EMAHead(nn.Module):
    """Expectation-maximisation attention: positions attend to a few bases, found by EM (Li et al. 2019).

    For T stages: responsibilities z = softmax over the bases of x·mu; mu = mean of x weighted by z, to unit length.
    The EM has no gradient, and its output has none to the features either: it is learned through `ema_out` alone.

    Parameters
    ----------
    bases : int
        K, number of bases.
    stages : int
        T, EM iterations.
    momentum : float
        With which the initial bases follow the batches in training.
    ema_channels : int, optional
        Channels in which the EM takes place; as inside by default.
    concat : bool
        Concatenate with the input before the classifier, as in mmsegmentation.
    """

    def __init__(
        self, channels: int, num_classes: int, bases: int = 64, stages: int = 3, momentum: float = 0.1,
        dropout: float = 0.1, inner: int | None = None, ema_channels: int | None = None, concat: bool = True,
        block: str | Block = "bn_relu",
    ):  # fmt: skip
        super().__init__()
        _check.positive("bases", bases)
        _check.positive("stages", stages)
        share("momentum", momentum)
        inner, conv = width(channels, inner), block_named(block)
        ema_channels = inner if ema_channels is None else ema_channels
        _check.positive("ema_channels", ema_channels)
        self.channels, self.stages, self.momentum = channels, stages, momentum
        self.ema_in = conv(channels, ema_channels)
        self.ema_mid = nn.Conv2d(ema_channels, ema_channels, 1).requires_grad_(False)  # to negative values, too
        self.ema_out = conv(ema_channels, ema_channels, 1, activate=False)
        self.convb = conv(ema_channels, inner)
        self.bottleneck = conv(channels + inner, inner) if concat else None
        self.classifier = classify(inner, num_classes, dropout)
        mu = torch.randn(1, ema_channels, bases) * math.sqrt(2 / bases)
        self.register_buffer("mu", F.normalize(mu, dim=1))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """(B, C, H, W) -> scores ((B, K, H, W),)."""
        _check.module_input(x, self.channels, self.classifier[1].weight)
        y = self.ema_in(x)
        y = F.relu(y + self.ema_out(F.relu(self.reconstruct(self.ema_mid(y)))))
        y = self.convb(y)
        if self.bottleneck is not None:
            y = self.bottleneck(torch.cat([x, y], dim=1))
        return (self.classifier(y),)

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """Each position as a mixture of the bases that the EM found: (B, C, H, W) -> (B, C, H, W)."""
        features = x.flatten(2)
        mu = self.mu.to(x.dtype).expand(x.shape[0], -1, -1)
        for _ in range(self.stages):
            z = (features.mT @ mu).softmax(dim=-1)  # (B, N, K)
            mu = F.normalize(features @ F.normalize(z, p=1, dim=1), dim=1)
        if self.training:
            mean = F.normalize(total(mu.mean(dim=0, keepdim=True)), dim=1)  # of all processes' images
            self.mu.lerp_(mean.to(self.mu.dtype), self.momentum)
        return (mu @ z.mT).unflatten(2, x.shape[2:])


def _positive_each(name: str, values: tuple[int, ...]) -> None:
    """`values` must be integers of at least 1, and at least one of them."""
    if not isinstance(values, list | tuple) or not values:
        raise ValueError(f"{name}={values!r}: must be a tuple of integers, such as (1, 2, 3).")
    for value in values:
        _check.positive(name, value)
