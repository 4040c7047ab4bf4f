"""Attention operators, one file an idea; `oracle` holds each as literal loops over its formula.

The functions stay in their modules, since the module of an operator and its function bear the same name:
``from segtut.attention.criss_cross import criss_cross``.
"""

from segtut.attention.criss_cross import CrissCrossAttention

__all__ = ["CrissCrossAttention"]
