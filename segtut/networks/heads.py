"""Heads: from the backbone's features to class scores, still at the features' size."""

import torch
from torch import Tensor, nn

from segtut.attention import CrissCrossAttention


def conv_bn_relu(channels: int, out: int) -> nn.Sequential:
    """3×3 convolution, batch norm, ReLU; the size stays."""
    return nn.Sequential(nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True))


class FCNHead(nn.Module):
    """One 3×3 convolution and the classifier: every pixel on its own (Long et al. 2015).

    Parameters
    ----------
    channels : int
        Channels of the features.
    num_classes : int
        Number of classes K.
    dropout : float
        Probability that a whole channel is dropped before the classifier.
    """

    def __init__(self, channels: int, num_classes: int, dropout: float = 0.1):
        super().__init__()
        inner = channels // 4
        self.conv = conv_bn_relu(channels, inner)
        self.classifier = nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(inner, num_classes, 1))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """(B, C, H, W) -> scores ((B, K, H, W),)."""
        return (self.classifier(self.conv(x)),)


class CCHead(nn.Module):
    """Criss-cross attention, applied R times with the same weights (Huang et al. 2019, section 3.3).

    Follows ``RCCAModule`` of the official code: reduce to a quarter of the channels, attend R times, refine,
    concatenate with the input (input first), fuse, classify. Batch norm and ReLU stand for its InPlaceABN with
    leaky ReLU, as in mmsegmentation.

    Parameters
    ----------
    channels : int
        Channels of the features.
    num_classes : int
        Number of classes K.
    recurrence : int
        R, how often every pixel looks along its row and column. 0: no attention; 2: every pixel reaches every other.
    dropout : float
        Probability that a whole channel is dropped before the classifier.
    """

    def __init__(self, channels: int, num_classes: int, recurrence: int = 2, dropout: float = 0.1):
        super().__init__()
        if not isinstance(recurrence, int) or recurrence < 0:
            raise ValueError(f"recurrence={recurrence!r}: the number of passes R is an integer, 0 or more")
        inner = channels // 4
        self.recurrence = recurrence
        self.conva = conv_bn_relu(channels, inner)
        self.cca = CrissCrossAttention(inner) if recurrence else None
        self.convb = conv_bn_relu(inner, inner)
        self.bottleneck = conv_bn_relu(channels + inner, inner)
        self.classifier = nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(inner, num_classes, 1))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """(B, C, H, W) -> scores ((B, K, H, W),)."""
        y = self.conva(x)
        for _ in range(self.recurrence):
            y = self.cca(y)
        y = self.convb(y)
        return (self.classifier(self.bottleneck(torch.cat([x, y], dim=1))),)
