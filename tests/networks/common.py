"""What the tests of heads and networks share."""

import torch

from segtut.networks import HEADS

B, C, H, W, K = 2, 64, 5, 7, 11  # features and classes

# every head, with options small enough for features of 5×7
CASES = {
    "fcn": ("fcn", {}),
    "psp": ("psp", {}),
    "aspp": ("aspp", {"dilations": (1, 2, 3)}),
    "ema": ("ema", {"bases": 6}),
    "nonlocal": ("nonlocal", {}),
    "ccnet": ("ccnet", {}),
    "danet": ("danet", {}),
    "gcnet": ("gcnet", {}),
}
VARIANTS = {
    "psp-one-scale": ("psp", {"scales": (3,), "align_corners": False}),
    "ema-no-concat": ("ema", {"bases": 6, "stages": 1, "ema_channels": 12, "concat": False}),
    "nonlocal-gaussian": ("nonlocal", {"mode": "gaussian"}),
    "nonlocal-dot": ("nonlocal", {"mode": "dot_product", "concat": False}),
    "nonlocal-concat": ("nonlocal", {"mode": "concatenation", "reduction": 4}),
    "nonlocal-unscaled": ("nonlocal", {"scaled": False}),
    "ccnet-0": ("ccnet", {"recurrence": 0}),
    "ccnet-1": ("ccnet", {"recurrence": 1, "concat": False}),
    "ccnet-3": ("ccnet", {"recurrence": 3, "reduction": 4}),
    "danet-position": ("danet", {"branches": "position"}),
    "danet-channel": ("danet", {"branches": "channel", "variant": "paper"}),
    "gcnet-multiply": ("gcnet", {"fusion": "multiply", "pooling": "average"}),
    "gcnet-both": ("gcnet", {"fusion": "both", "ratio": 1 / 8}),
    "abn": ("fcn", {"block": "inplace_abn"}),
}
ALL = CASES | VARIANTS


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def awaken(module, seed=0):
    """Move parameters off their start, so that no gate is closed, no last layer 0, no affinity as good as flat."""
    g = generator(seed)
    with torch.no_grad():
        for name, p in module.named_parameters():
            if not name.startswith("backbone.") or p.ndim == 1:  # its convolutions are random enough
                p.add_(0.1 * torch.randn(p.shape, generator=g))
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.add_(0.1 * torch.randn(buffer.shape, generator=g))
            if name.endswith("running_var"):
                buffer.mul_(0.5 + torch.rand(buffer.shape, generator=g))
    return module


def make_head(case, channels=C, dtype=torch.float32, **more):
    """A head that is awake, in evaluation mode."""
    torch.manual_seed(0)
    name, options = ALL[case]
    return awaken(HEADS[name](channels, K, **options, **more)).to(dtype).eval()


def features(*shape, dtype=torch.float32, seed=1):
    return torch.randn(*(shape or (B, C, H, W)), generator=generator(seed), dtype=dtype)


def images(B=B, H=40, W=56, seed=1):
    return torch.randn(B, 3, H, W, generator=generator(seed))


def dead_parameters(case):
    """Parameters that change nothing: what is added to all logits of a softmax."""
    name, options = ALL[case]
    return {
        "ccnet": {"cca.key_conv.bias"} if options.get("recurrence", 2) else set(),
        "danet": {"position.key_conv.bias"} if options.get("branches") != "channel" else set(),
        "nonlocal": {"non_local.phi.bias"} if "mode" not in options else set(),
        "gcnet": {"gc.conv_mask.bias"} if "pooling" not in options else set(),
    }.get(name, set())
