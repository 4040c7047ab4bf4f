"""The published modules as plain functions, written from their formulas (golden vectors' notes, 1 and 2).

A function takes the input and `Weights`, and asks these for each parameter by its published name and shape; the first
call draws it. So a function says what a module computes and what its state dict holds, and knows nothing of ours.
"""

import torch
import torch.nn.functional as F

K = 5  # classes


class Weights(dict):
    """Published parameters by name, drawn when first asked for; `under` is the name of the part that is being run."""

    def __init__(self, seed=0):
        super().__init__()
        self.generator, self.buffers, self.under = torch.Generator().manual_seed(seed), set(), ""

    def __call__(self, name, *shape, scale=1.0, positive=False, buffer=False):
        name = self.under + name
        if name not in self:
            value = torch.randn(shape, generator=self.generator, dtype=torch.float64) * scale
            self[name] = (value.abs() + 0.5 if positive else value).requires_grad_(not buffer)
            self.buffers |= {name} if buffer else set()
        assert self[name].shape == shape
        return self[name]

    def inside(self, part, function, x, *arguments, **options):
        """Run a function on the parameters whose names begin with `part`."""
        outer, self.under = self.under, f"{self.under}{part}."
        try:
            return function(x, self, *arguments, **options)
        finally:
            self.under = outer


def conv(x, p, name, out, kernel=1, dilation=1, bias=True):
    weight = p(f"{name}.weight", out, x.shape[1], kernel, kernel, scale=(x.shape[1] * kernel**2) ** -0.5)
    return F.conv2d(x, weight, p(f"{name}.bias", out) if bias else None, padding=dilation * (kernel // 2),
                    dilation=dilation)  # fmt: skip


def norm(x, p, name, kind="BN", groups=2, absolute=False):
    channels = x.shape[1]
    weight, bias = p(f"{name}.weight", channels), p(f"{name}.bias", channels)
    if kind == "GN":
        grouped = x.reshape(len(x), groups, -1)
        mean, var = grouped.mean(-1, keepdim=True), grouped.var(-1, unbiased=False, keepdim=True)
        x = ((grouped - mean) / (var + 1e-5).sqrt()).reshape(x.shape)
    else:
        mean = p(f"{name}.running_mean", channels, buffer=True)
        var = p(f"{name}.running_var", channels, buffer=True, positive=True)
        x = (x - mean[:, None, None]) / (var + 1e-5)[:, None, None].sqrt()
    weight = weight.abs() + 1e-5 if absolute else weight
    return x * weight[:, None, None] + bias[:, None, None]


def conv_module(x, p, name, out, kernel=3, dilation=1, kind="BN", act=F.relu):
    """mmcv's: convolution, norm, activation; the convolution has a bias where there is no norm."""
    x = conv(x, p, f"{name}.conv", out, kernel, dilation, bias=kind is None)
    if kind:
        x = norm(x, p, f"{name}.{'gn' if kind == 'GN' else 'bn'}", kind)
    return act(x) if act else x


def sequence(x, p, name, out, kernel=3, act=F.relu, absolute=False):
    """The official repositories': convolution 0, norm 1, activation."""
    return act(norm(conv(x, p, f"{name}.0", out, kernel, bias=False), p, f"{name}.1", absolute=absolute))


def leaky(x, slope=0.01):
    return torch.where(x > 0, x, slope * x)


def gate(p, mmcv):
    return p("gamma.scale") if mmcv else p("gamma", 1)


def attend(q, k, v, scale=1.0, allowed=None):
    """Softmax attention over all positions, or over the allowed ones; all (B, C, H, W)."""
    energy = torch.einsum("bcp, bcs -> bps", q.flatten(2), k.flatten(2)) * scale
    if allowed is not None:
        energy = energy.masked_fill(~allowed, -torch.inf)
    return torch.einsum("bps, bcs -> bcp", energy.softmax(-1), v.flatten(2)).unflatten(2, q.shape[2:])


def cross(H, W):
    """Pairs of positions in one row or one column; a position and itself are one pair."""
    i, j = torch.arange(H * W) // W, torch.arange(H * W) % W
    return (i[:, None] == i) | (j[:, None] == j)


def projections(x, p, names, C_qk):
    return (conv(x, p, name, out) for name, out in zip(names, (C_qk, C_qk, x.shape[1]), strict=True))


def criss_cross(x, p, mmcv=False):
    q, k, v = projections(x, p, ("query_conv", "key_conv", "value_conv"), x.shape[1] // 8)
    return gate(p, mmcv) * attend(q, k, v, allowed=cross(*x.shape[2:])) + x


def position(x, p, mmcv=False, C_qk=None):
    last = "project" if mmcv else "conv"
    q, k, v = projections(x, p, [f"{name}_{last}" for name in ("query", "key", "value")], C_qk or x.shape[1] // 8)
    return gate(p, mmcv) * attend(q, k, v) + x


def channel(x, p, mmcv=False):
    X = x.flatten(2)
    energy = X @ X.mT
    attention = (energy.max(-1, keepdim=True).values - energy).softmax(-1)
    return gate(p, mmcv) * (attention @ X).view_as(x) + x


def context_block(x, p, ratio, pooling_type="att", fusion_types=("channel_add",)):
    C = x.shape[1]
    inner = int(C * ratio)
    if pooling_type == "att":
        attention = conv(x, p, "conv_mask", 1).flatten(1).softmax(-1)
        z = torch.einsum("bcs, bs -> bc", x.flatten(2), attention)
    else:
        z = x.mean(dim=(2, 3))

    def transform(name):
        y = conv(z[:, :, None, None], p, f"{name}.0", inner)[:, :, 0, 0]
        y = (y - y.mean(1, keepdim=True)) / (y.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
        y = y * p(f"{name}.1.weight", inner, 1, 1).flatten() + p(f"{name}.1.bias", inner, 1, 1).flatten()
        return conv(y.relu()[:, :, None, None], p, f"{name}.3", C)

    out = x
    if "channel_mul" in fusion_types:
        out = out * torch.sigmoid(transform("channel_mul_conv"))
    if "channel_add" in fusion_types:
        out = out + transform("channel_add_conv")
    return out


def pairwise(theta, phi, g, mode, scale, w):
    """Non-local attention of any mode; w holds the 2D weights of "concatenation"."""
    if "gaussian" in mode:
        return attend(theta, phi, g, scale)
    q, k = theta.flatten(2), phi.flatten(2)
    if mode == "dot_product":
        f = q.mT @ k
    else:
        pairs = torch.cat([q[:, :, :, None].expand(-1, -1, -1, k.shape[2]),
                           k[:, :, None, :].expand(-1, -1, q.shape[2], -1)], dim=1)  # fmt: skip
        f = torch.einsum("bcps, c -> bps", pairs, w).relu()
    return (g.flatten(2) @ f.mT / k.shape[2]).unflatten(2, theta.shape[2:])


def non_local(
    x, p, reduction=2, use_scale=True, mode="embedded_gaussian", sub_sample=False, kind=None, repository="mmcv",
    inner=None,
):  # fmt: skip
    """Of mmcv, of GCNet's repository, which multiplies by √D what it should divide, and of AlexHex7, never scaled."""
    C, alex = x.shape[1], repository == "alex"
    D = inner or max(C // reduction, 1)
    last, pooled = ("" if alex else ".conv"), (".0" if sub_sample else "")
    pool = (lambda y: F.max_pool2d(y, 2)) if sub_sample else (lambda y: y)
    g = pool(conv(x, p, f"g{pooled}{last}", D))
    theta, phi, w, scale = x, pool(x), None, 1.0
    if mode != "gaussian":
        theta, phi = conv(x, p, f"theta{last}", D), pool(conv(x, p, f"phi{pooled}{last}", D))
    if mode == "concatenation":
        w = p(f"concat_project.{'0' if alex else 'conv'}.weight", 1, 2 * D, 1, 1, scale=(2 * D) ** -0.5).flatten()
    if mode == "embedded_gaussian" and use_scale:
        scale = {"mmcv": D**-0.5, "gcnet": D**0.5, "alex": 1.0}[repository]
    y = pairwise(theta, phi, g, mode, scale, w)
    if alex:
        return x + (norm(conv(y, p, "W.0", C), p, "W.1") if kind else conv(y, p, "W", C))
    return x + conv_module(y, p, "conv_out", C, 1, kind=kind, act=None)


def refine(x, p, part, attention, channels, recurrence=1, concat_input=True, kernel_size=3, dilation=1, kind=None,
           act=F.relu):  # fmt: skip
    """mmseg's heads of the FCNHead family."""
    options = {"kernel": kernel_size, "kind": kind, "act": act}
    y = conv_module(x, p, "convs.0", channels, dilation=dilation, **options)
    for _ in range(recurrence):
        y = p.inside(part, attention, y)
    y = conv_module(y, p, "convs.1", channels, dilation=dilation, **options)
    if concat_input:
        y = conv_module(torch.cat([x, y], 1), p, "conv_cat", channels, **options)
    return conv(y, p, "conv_seg", K)


def rcca(x, p, out_channels, recurrence=1):
    """speedinghzl's, with InPlaceABN."""
    inner = x.shape[1] // 4
    y = sequence(x, p, "conva", inner, act=leaky, absolute=True)
    for _ in range(recurrence):
        y = p.inside("cca", criss_cross, y)
    y = sequence(y, p, "convb", inner, act=leaky, absolute=True)
    y = sequence(torch.cat([x, y], 1), p, "bottleneck", out_channels, act=leaky, absolute=True)
    return conv(y, p, "bottleneck.3", K)


def dual_mmseg(x, p, channels, pam_channels, kind=None, act=F.relu):
    parts = []
    for name, attention, options in (("pam", position, {"C_qk": pam_channels}), ("cam", channel, {})):
        y = conv_module(x, p, f"{name}_in_conv", channels, kind=kind, act=act)
        y = p.inside(name, attention, y, mmcv=True, **options)
        parts.append(conv_module(y, p, f"{name}_out_conv", channels, kind=kind, act=act))
    pam, cam = parts
    return conv(pam + cam, p, "conv_seg", K), conv(pam, p, "pam_conv_seg", K), conv(cam, p, "cam_conv_seg", K)


def dual_danet(x, p):
    inner, parts = x.shape[1] // 4, []
    for first, name, attention, last in (("conv5a", "sa", position, "conv51"), ("conv5c", "sc", channel, "conv52")):
        y = p.inside(name, attention, sequence(x, p, first, inner))
        parts.append(sequence(y, p, last, inner))
    sa, sc = parts
    return conv(sa + sc, p, "conv8.1", K), conv(sa, p, "conv6.1", K), conv(sc, p, "conv7.1", K)


def psp(x, p, channels, pool_scales=(1, 2, 3, 6), align_corners=False, kind=None, act=F.relu, classes=K):
    parts = [x]
    for i, scale in enumerate(pool_scales):
        y = conv_module(F.adaptive_avg_pool2d(x, scale), p, f"psp_modules.{i}.1", channels, 1, kind=kind, act=act)
        parts.append(F.interpolate(y, x.shape[2:], mode="bilinear", align_corners=align_corners))
    return conv(conv_module(torch.cat(parts, 1), p, "bottleneck", channels, kind=kind, act=act), p, "conv_seg", classes)


def aspp(x, p, channels, dilations=(1, 6, 12, 18), kind=None, act=F.relu):
    mean = conv_module(x.mean((2, 3), keepdim=True), p, "image_pool.1", channels, 1, kind=kind, act=act)
    parts = [mean.expand(-1, -1, *x.shape[2:])]
    for i, d in enumerate(dilations):
        parts.append(conv_module(x, p, f"aspp_modules.{i}", channels, 1 if d == 1 else 3, d, kind=kind, act=act))
    return conv(conv_module(torch.cat(parts, 1), p, "bottleneck", channels, kind=kind, act=act), p, "conv_seg", K)


def ema(x, p, channels, ema_channels, num_bases, num_stages, concat_input=True, kind=None, act=F.relu):
    options = {"kind": kind, "act": act}
    y = conv_module(x, p, "ema_in_conv", ema_channels, **options)
    with torch.no_grad():
        f = conv(y, p, "ema_mid_conv.conv", ema_channels).flatten(2)
        bases = p("ema_module.bases", 1, ema_channels, num_bases, buffer=True)
        for _ in range(num_stages):
            z = torch.einsum("bcn, bck -> bnk", f, bases.expand(len(x), -1, -1)).softmax(-1)
            bases = F.normalize(torch.einsum("bcn, bnk -> bck", f, z / z.sum(1, keepdim=True)), dim=1)
        recon = torch.einsum("bck, bnk -> bcn", bases, z).view_as(y).relu()
    y = (y + conv_module(recon, p, "ema_out_conv", ema_channels, 1, kind=kind, act=None)).relu()
    y = conv_module(y, p, "bottleneck", channels, **options)
    if concat_input:
        y = conv_module(torch.cat([x, y], 1), p, "conv_cat", channels, **options)
    return conv(y, p, "conv_seg", K)
