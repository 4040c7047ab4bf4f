"""The convolution block of every head: convolution, norm, activation."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from segtut.attention import _check

Block = Callable[..., nn.Sequential]


def conv(channels: int, out: int, kernel: int = 3, dilation: int = 1, bias: bool = False) -> nn.Conv2d:
    """A convolution that leaves the size as it is."""
    return nn.Conv2d(channels, out, kernel, padding=dilation * (kernel // 2), dilation=dilation, bias=bias)


def conv_bn_relu(channels: int, out: int, kernel: int = 3, dilation: int = 1, activate: bool = True) -> nn.Sequential:
    """Convolution without bias, batch norm, and unless `activate` is False ReLU; the size stays."""
    return nn.Sequential(
        conv(channels, out, kernel, dilation), nn.BatchNorm2d(out), *[nn.ReLU(inplace=True)] * activate
    )


class InPlaceABN(nn.BatchNorm2d):
    """Batch norm with the weight |w| + eps, as CCNet's official code has it (mapillary/inplace_abn 0.x).

    Its CUDA code overwrites the input to save memory, for which it must invert the norm: hence no weight may be 0 or
    change its sign. Here the numbers are the same; nothing is overwritten.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        self._check_input_dim(x)
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight.abs() + self.eps, self.bias,
            self.training, self.momentum, self.eps,
        )  # fmt: skip


def conv_abn(channels: int, out: int, kernel: int = 3, dilation: int = 1, activate: bool = True) -> nn.Sequential:
    """As `conv_bn_relu`, with `InPlaceABN` and leaky ReLU of slope 0.01: what the official CCNet was trained with."""
    layers = conv(channels, out, kernel, dilation), InPlaceABN(out)
    return nn.Sequential(*layers, *[nn.LeakyReLU(0.01, inplace=True)] * activate)


BLOCKS: dict[str, Block] = {"bn_relu": conv_bn_relu, "inplace_abn": conv_abn}


def block_named(block: str | Block) -> Block:
    """The block of that name; a function of the same arguments passes as it is."""
    if callable(block):
        return block
    _check.choice("block", block, tuple(BLOCKS))
    return BLOCKS[block]


def width(channels: int, inner: int | None) -> int:
    """Channels inside a head: a quarter of the features', as in the official CCNet and DANet, unless named."""
    _check.positive("channels", channels)
    if inner is not None:
        _check.positive("inner", inner)
        return inner
    if channels < 4:
        raise ValueError(f"channels={channels}: a head works with a quarter of them; use at least 4, or name inner=...")
    return channels // 4


def classify(inner: int, num_classes: int, dropout: float) -> nn.Sequential:
    """Dropout of whole channels, and the 1×1 classifier."""
    _check.positive("num_classes", num_classes)
    share("dropout", dropout)
    return nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(inner, num_classes, 1))


def share(name: str, value: float) -> None:
    """`value` must be a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{name}={value!r}: must be a number from 0 to 1.")
