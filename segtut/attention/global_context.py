"""One context for the whole image: simplified non-local, squeeze-and-excitation, global context.

Every position gets the same, so that one map over the N positions, or none, replaces non-local's N×N::

    A       = softmax over all s of (w_k · x[s] + b_k)        attention pooling; 1/N everywhere: average pooling
    context = sum over s of A[s] x[s]                         (B, C, 1, 1)

    simplified non-local      y = x + W_v context
    squeeze-and-excitation    y = x · sigmoid(W₂ ReLU(W₁ mean + b₁) + b₂)
    global context            y = x + W₂ ReLU(LayerNorm(W₁ context + b₁)) + b₂        or times the sigmoid of it

Source: Cao et al., "GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond" (ICCVW 2019), equations
3 to 6, and xvjiarui/GCNet, mmdet/ops/gcb/context_block.py; Hu et al., "Squeeze-and-Excitation Networks" (CVPR 2018).
"""

from einops import rearrange
from torch import nn

from segtut.attention import _check
from segtut.attention.shapes import Context, Features, Shared

FUSIONS = ("add", "multiply", "both")


def attention_pool(x: Features, attention: Shared) -> Context:
    """Mean of the positions of x, (B, C, H, W), weighted by a map (B, N) that they all share: (B, C, 1, 1)."""
    _check.features("x", x)
    B, _, H, W = x.shape
    _check.same_kind("attention", attention, "x", x)
    _check.same_shape("attention", attention.shape, (B, H * W), f"(B, H·W) for x of shape {tuple(x.shape)}")
    context = rearrange(x, "B C H W -> B C (H W)") @ attention.unsqueeze(-1).to(x.dtype)
    return context.unsqueeze(-1)


class SimplifiedNonLocal(nn.Module):
    """One map for all queries (Cao et al., equations 3 and 4): ``x + W_v context``.

    Non-local attention with one shared query; the value convolution stands behind the sum, where it costs 1/N.
    `value_conv` starts at 0: a new block is the identity.

    Parameters
    ----------
    channels : int
        C, channels of input and output.
    """

    def __init__(self, channels: int):
        super().__init__()
        _check.positive("channels", channels)
        self.channels = channels
        self.conv_mask = nn.Conv2d(channels, 1, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1, bias=False)
        nn.init.zeros_(self.value_conv.weight)

    def forward(self, x: Features, return_attention: bool = False) -> Features | tuple[Features, Shared]:
        """(B, C, H, W), and with `return_attention` also A, (B, H·W), which sums to 1 over the last axis."""
        _check.module_input(x, self.channels, self.conv_mask.weight)
        attention = self.conv_mask(x).flatten(1).softmax(dim=-1)
        out = self.value_conv(attention_pool(x, attention)) + x
        return (out, attention) if return_attention else out


class SqueezeExcitation(nn.Module):
    """Channels weighted by what the mean over the image says of them (Hu et al. 2018, equations 2 to 4).

    Parameters
    ----------
    channels : int
        C, channels of input and output; a multiple of `reduction`.
    reduction : int
        r, C over the channels of the bottleneck.
    """

    def __init__(self, channels: int, reduction: int = 16):
        super().__init__()
        inner = _check.inner_channels(channels, reduction)
        self.channels = channels
        self.fc1 = nn.Conv2d(channels, inner, 1)
        self.fc2 = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Features, return_attention: bool = False) -> Features | tuple[Features, Context]:
        """(B, C, H, W), and with `return_attention` also the weights of the channels, (B, C, 1, 1), in (0, 1)."""
        _check.module_input(x, self.channels, self.fc1.weight)
        weights = self.fc2(self.fc1(x.mean(dim=(2, 3), keepdim=True)).relu()).sigmoid()
        out = x * weights
        return (out, weights) if return_attention else out


class GlobalContext(nn.Module):
    """The global context block (Cao et al., equation 6). Parameters bear the official names.

    The last convolutions start at 0, so that adding begins as the identity, and multiplying as a factor of 1/2.

    Parameters
    ----------
    channels : int
        C, channels of input and output.
    ratio : float
        Channels of the bottleneck over C, a multiplier as in the code: 1/4, 1/16. The paper's r is its inverse.
    pooling : {"attention", "average"}
        How the context is pooled.
    fusion : {"add", "multiply", "both"}
        How it comes back to x. "both": multiply first, then add; each has weights of its own.
    inner : int, optional
        Channels of the bottleneck, instead of ``channels * ratio``.
    """

    def __init__(
        self, channels: int, ratio: float = 1 / 4, pooling: str = "attention", fusion: str = "add",
        inner: int | None = None,
    ):  # fmt: skip
        super().__init__()
        inner = _check.ratio_channels(channels, ratio, inner)
        _check.choice("pooling", pooling, ("attention", "average"))
        _check.choice("fusion", fusion, FUSIONS)
        self.channels = channels
        self.conv_mask = nn.Conv2d(channels, 1, 1) if pooling == "attention" else None
        self.channel_mul_conv = self._transform(channels, inner) if fusion != "add" else None
        self.channel_add_conv = self._transform(channels, inner) if fusion != "multiply" else None
        if self.conv_mask is not None:
            nn.init.kaiming_normal_(self.conv_mask.weight)
            nn.init.zeros_(self.conv_mask.bias)

    @staticmethod
    def _transform(channels: int, inner: int) -> nn.Sequential:
        layers = (nn.Conv2d(channels, inner, 1), nn.LayerNorm([inner, 1, 1]), nn.ReLU(), nn.Conv2d(inner, channels, 1))
        nn.init.zeros_(layers[-1].weight)
        nn.init.zeros_(layers[-1].bias)
        return nn.Sequential(*layers)

    def forward(self, x: Features, return_attention: bool = False) -> Features | tuple[Features, Shared]:
        """(B, C, H, W), and with `return_attention` also A, (B, H·W), which sums to 1 over the last axis."""
        _check.module_input(x, self.channels, (self.channel_add_conv or self.channel_mul_conv)[0].weight)
        context, attention = self.context(x)
        out = x
        if self.channel_mul_conv is not None:
            out = out * self.channel_mul_conv(context).sigmoid()
        if self.channel_add_conv is not None:
            out = out + self.channel_add_conv(context)
        return (out, attention) if return_attention else out

    def context(self, x: Features) -> tuple[Context, Shared]:
        """The pooled features (B, C, 1, 1) and the map (B, H·W) that pooled them."""
        if self.conv_mask is None:
            N = x.shape[2] * x.shape[3]
            attention = x.new_full((x.shape[0], N), 1 / N)
        else:
            attention = self.conv_mask(x).flatten(1).softmax(dim=-1)
        return attention_pool(x, attention), attention
