"""What the published modules call their parameters, and what we call them.

Rules are tried from first to last on a parameter's name; each is a regular expression and what replaces it.
"""

import re
from collections.abc import Sequence

Rules = Sequence[tuple[str, str]]

# mmcv's ConvModule keeps convolution and norm under names, our blocks under 0 and 1; its Scale keeps the number inside.
_CONV_MODULE: Rules = [(r"\.conv\.", ".0."), (r"\.(bn|gn|in)\.", ".1."), (r"gamma\.scale$", "gamma")]

NON_LOCAL: Rules = [
    # a sub-sampled convolution stands in a sequence with its pooling
    (r"\b(g|phi)\.0\.conv\.", r"\1."),
    (r"\b(g|theta|phi|concat_project)\.conv\.", r"\1."),
    (r"\bconv_out\.conv\.", "conv_out."),
    (r"\bconv_out\.(bn|gn|in)\.", "norm."),
]

NON_LOCAL_ALEX: Rules = [
    (r"^(g|phi|concat_project)\.0\.", r"\1."),
    (r"^W\.0\.", "conv_out."),
    (r"^W\.1\.", "norm."),
    (r"^W\.", "conv_out."),
]

POSITION: Rules = [(r"\b(query|key|value)_project\.", r"\1_conv.")]

GAMMA: Rules = [(r"\bgamma\.scale$", "gamma")]

_CLASSIFIER: Rules = [(r"^conv_seg\.", "classifier.1.")]

# mmsegmentation's heads
FCN: Rules = [(r"^convs\.0\.", "conv."), *_CONV_MODULE, *_CLASSIFIER]
REFINE: Rules = [
    *NON_LOCAL,
    (r"^nl_block\.", "non_local."),
    (r"^gc_block\.", "gc."),
    (r"^convs\.0\.", "conva."),
    (r"^convs\.1\.", "convb."),
    (r"^conv_cat\.", "bottleneck."),
    *_CONV_MODULE,
    *_CLASSIFIER,
]
DUAL: Rules = [
    (r"^pam_conv_seg\.", "position_classifier.1."),
    (r"^cam_conv_seg\.", "channel_classifier.1."),
    (r"^pam_(in|out)_conv\.", r"position_\1."),
    (r"^cam_(in|out)_conv\.", r"channel_\1."),
    (r"^pam\.", "position."),
    (r"^cam\.", "channel."),
    *POSITION,
    *_CONV_MODULE,
    *_CLASSIFIER,
]
PSP: Rules = [(r"^psp_modules\.", "pools."), *_CONV_MODULE, *_CLASSIFIER]
ASPP: Rules = [(r"^aspp_modules\.", "atrous."), *_CONV_MODULE, *_CLASSIFIER]
EMA: Rules = [
    (r"^ema_module\.bases$", "mu"),
    (r"^ema_mid_conv\.conv\.", "ema_mid."),
    (r"^ema_(in|out)_conv\.", r"ema_\1."),
    (r"^bottleneck\.", "convb."),
    (r"^conv_cat\.", "bottleneck."),
    *_CONV_MODULE,
    *_CLASSIFIER,
]

# the official heads
RCCA: Rules = [(r"^bottleneck\.[34]\.", "classifier.1.")]
DANET: Rules = [
    (r"^conv5a\.", "position_in."),
    (r"^conv51\.", "position_out."),
    (r"^conv5c\.", "channel_in."),
    (r"^conv52\.", "channel_out."),
    (r"^sa\.", "position."),
    (r"^sc\.", "channel."),
    (r"^conv6\.", "position_classifier."),
    (r"^conv7\.", "channel_classifier."),
    (r"^conv8\.", "classifier."),
]


def rename(name: str, rules: Rules) -> str:
    """Our name of a published parameter."""
    for pattern, ours in rules:
        name = re.sub(pattern, ours, name)
    return name
