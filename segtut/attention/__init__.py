"""Attention operators, one file an idea; `oracle` holds each as literal loops over its formula.

The functions stay in their modules, since the module of an operator and its function bear the same name:
``from segtut.attention.criss_cross import criss_cross``.
"""

from segtut.attention.criss_cross import CrissCrossAttention
from segtut.attention.dense import dense_attention
from segtut.attention.dual import ChannelAttention, PositionAttention
from segtut.attention.global_context import GlobalContext, SimplifiedNonLocal, SqueezeExcitation
from segtut.attention.non_local import NonLocal

__all__ = [
    "ChannelAttention",
    "CrissCrossAttention",
    "GlobalContext",
    "NonLocal",
    "PositionAttention",
    "SimplifiedNonLocal",
    "SqueezeExcitation",
    "dense_attention",
]
