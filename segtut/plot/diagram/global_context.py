"""GCNet's global context block: one context for all positions."""

from segtut.plot.diagram.canvas import Diagram
from segtut.plot.diagram.looking import ALONG, WIDTH
from segtut.plot.diagram.pictograms import positions

MASK, POOL, DOWN = 98, 270, 184  # columns: the map, the features to be pooled, what becomes of the context


def global_context() -> Diagram:
    """Attention pooling, bottleneck, addition."""
    d = Diagram(
        "global-context",
        "The global context block",
        "The global context block. The 1×1 convolution conv_mask gives each position of X (B × C × H × W) one "
        "number; their softmax is one map A (B × N, N = H · W) for all. The positions weighted by A sum up to the "
        "context z (B × C × 1 × 1). The bottleneck channel_add_conv, 1×1 convolution to P = C/r channels, layer "
        "norm, ReLU, 1×1 convolution to C, makes a vector of it that is added to X at every position.",
        WIDTH,
        704,
    )
    x = d.box(DOWN, 22, 52, "X", kind="tensor", height=26)
    mask = d.box(MASK, 96, 116, "conv_mask", "1×1, C → 1", "learned", part="conv_mask")
    bend = 58
    pool = d.box(DOWN, 266, 336, "pooling", "sum of positions, weighted by A", "attention", height=54, indent=62)
    d.draw(*positions(pool.left[0] + 10, 266 - 19, 8, "one map"))
    d.wire(
        "in", "(B, C, H, W)",
        [x.bottom, (DOWN, bend), (MASK, bend), mask.top], [x.bottom, (DOWN, bend), (POOL, bend), (POOL, 239)],
        at=(DOWN + 9, 46),
    )  # fmt: skip
    softmax = d.box(MASK, 170, 132, "softmax", "over all positions", "attention")
    d.wire("conv_mask.out", "(B, 1, H, W)", [mask.bottom, softmax.top], at=(MASK + 9, 133))
    d.wire("attention", "(B, N)", [softmax.bottom, (MASK, 239)], at=(MASK + 9, 213), name="A")

    d.frame(24, 322, 274, 266, "channel_add_conv", "channel_add_conv")
    first = d.box(DOWN, 368, 112, "1×1", "C → P", "learned", "channel_add_conv.0")
    d.wire("context", "(B, C, 1, 1)", [pool.bottom, first.top], at=(DOWN + 9, 308), name="z")
    norm = d.box(DOWN, 434, 112, "layer norm", kind="learned", part="channel_add_conv.1", height=28)
    d.wire("channel_add_conv.0.out", "(B, P, 1, 1)", [first.bottom, norm.top], at=(DOWN + 9, 403))
    relu = d.box(DOWN, 492, 112, "ReLU", part="channel_add_conv.2", height=28)
    d.wire("channel_add_conv.1.out", "(B, P, 1, 1)", [norm.bottom, relu.top], at=(DOWN + 9, 463))
    last = d.box(DOWN, 556, 112, "1×1", "P → C", "learned", "channel_add_conv.3")
    d.wire("channel_add_conv.2.out", "(B, P, 1, 1)", [relu.bottom, last.top], at=(DOWN + 9, 521))

    y = 626
    plus = d.sign(DOWN, y, "+")
    d.wire("channel_add_conv.3.out", "(B, C, 1, 1)", [last.bottom, plus.top], at=(DOWN + 9, 601))
    d.text(DOWN - 18, y, "at every position", anchor="end")
    d.wire(
        "in", "(B, C, H, W)", [(DOWN, bend), (ALONG, bend), (ALONG, y), plus.right],
        at=(ALONG - 10, y - 13), name="X", anchor="end",
    )  # fmt: skip
    out = d.box(DOWN, y + 55, 52, "Y", kind="tensor", height=26)
    d.wire("out", "(B, C, H, W)", [plus.bottom, out.top], at=(DOWN + 9, y + 25))
    d.text(16, y + 55, "P = C/r, N = H · W", anchor="start")
    return d
