"""The three modules in which queries meet keys: non-local, criss-cross, position attention."""

from segtut.plot.diagram.canvas import Box, Diagram
from segtut.plot.diagram.pictograms import positions

WIDTH = 440
QUERY, KEY, VALUE, ALONG = 68, 187, 306, 416  # columns: the three projections, and the residual at the right
MIDDLE = (QUERY + KEY) / 2  # of what queries and keys do together
SUM = 187  # the column below the aggregation


def non_local() -> Diagram:
    """The non-local block in its embedded Gaussian mode."""
    d = Diagram(
        "non-local",
        "The non-local block, embedded Gaussian",
        "The non-local block. Three 1×1 convolutions of X (B × C × H × W), theta, phi and g, give queries, keys "
        "and values, each B × C′ × H × W with C′ = C/2. The scaled products of all queries with all keys are D (B "
        "× N × N, N = H · W), a softmax over its last axis is A. The values weighted by A go through conv_out "
        "back to C channels, and X is added.",
        WIDTH,
        564,
    )
    project(d, ("theta", "phi", "g"), ("C′", "C′", "C′"))
    collected = attend(d, "everybody", "all with all, · 1/√C′", "(B, N, N)", "(B, C′, H, W)")
    out = d.box(SUM, 434, 112, "conv_out", "1×1, C′ → C", "learned", part="conv_out")
    d.wire("collected", "(B, C′, H, W)", [collected.bottom, out.top], at=(SUM + 9, 396))
    d.wire("conv_out.out", "(B, C, H, W)", [out.bottom, (SUM, 478)], at=(SUM + 9, 464))
    add_input(d, 488, "C′ = C/2, N = H · W")
    return d


def criss_cross() -> Diagram:
    """Criss-cross attention, one pass."""
    d = Diagram(
        "criss-cross",
        "Criss-cross attention, one pass",
        "Criss-cross attention. Three 1×1 convolutions of X (B × C × H × W) give queries and keys (B × C′ × H × "
        "W, C′ = C/8) and values (B × C × H × W). The products of each query with the keys of its column and row, "
        "minus infinity for itself in the column, are D (B × H × W × (H + W)), a softmax over its last axis is A. "
        "The values of column and row weighted by A are multiplied by the gate γ, and X is added.",
        WIDTH,
        564,
    )
    project(d, ("query_conv", "key_conv", "value_conv"), ("C′", "C′", "C"))
    collected = attend(d, "cross", "with its column and row", "(B, H, W, H + W)", "(B, C, H, W)")
    gate(d, collected)
    add_input(d, 488, "C′ = C/8")
    return d


def position() -> Diagram:
    """DANet's position attention."""
    d = Diagram(
        "position",
        "Position attention",
        "Position attention. Three 1×1 convolutions of X (B × C × H × W) give queries and keys (B × C′ × H × W, "
        "C′ = C/8) and values (B × C × H × W). The products of all queries with all keys, not scaled, are D (B × "
        "N × N, N = H · W), a softmax over its last axis is A. The values weighted by A are multiplied by the "
        "gate γ, and X is added.",
        WIDTH,
        564,
    )
    project(d, ("query_conv", "key_conv", "value_conv"), ("C′", "C′", "C"))
    collected = attend(d, "position", "all with all, not scaled", "(B, N, N)", "(B, C, H, W)")
    gate(d, collected)
    add_input(d, 488, "C′ = C/8, N = H · W")
    return d


def project(d: Diagram, convs: tuple[str, str, str], channels: tuple[str, str, str]) -> None:
    """The input, its way to three 1×1 convolutions, and what they make of it down to where it meets."""
    x = d.box(SUM, 22, 52, "X", kind="tensor", height=26)
    columns = (QUERY, KEY, VALUE)
    boxes = [
        d.box(column, 96, 104, conv, f"1×1, C → {out}", "learned", part=conv)
        for column, conv, out in zip(columns, convs, channels, strict=True)
    ]
    bend = 58
    d.wire(
        "in", "(B, C, H, W)",
        *([x.bottom, (SUM, bend), (box.x, bend), box.top] for box in boxes),
        at=(SUM + 9, 46),
    )  # fmt: skip
    ends = ((QUERY, 160), (KEY, 160), (VALUE, 342))
    for name, conv, out, box, end in zip("QKV", convs, channels, boxes, ends, strict=True):
        d.wire(f"{conv}.out", f"(B, {out}, H, W)", [box.bottom, end], at=(box.x + 9, 134), name=name)


def attend(d: Diagram, neighbourhood: str, words: str, map_shape: str, value_shape: str) -> Box:
    """Affinity, softmax, aggregation; returns the box of the last."""
    affinity = d.box(MIDDLE, 187, 223, "affinity", words, "attention", height=54, indent=62)
    d.draw(*positions(affinity.left[0] + 10, 187 - 19, 8, neighbourhood))
    softmax = d.box(MIDDLE, 269, 120, "softmax", "over the last axis", "attention")
    d.wire("energy", map_shape, [affinity.bottom, softmax.top], at=(MIDDLE + 9, 233), name="D")
    aggregate = d.box(SUM, 360, 342, "aggregation", "sum of values, weighted by A", "attention", height=36)
    d.wire("attention", map_shape, [softmax.bottom, (MIDDLE, 342)], at=(MIDDLE + 9, 313), name="A")
    return aggregate


def gate(d: Diagram, collected: Box, y: float = 427) -> None:
    """Times γ."""
    times = d.sign(SUM, y, "×")
    gamma = d.box(QUERY, y, 44, "γ", kind="gate", height=26, part="gamma")
    d.wire("collected", "(B, C, H, W)", [collected.bottom, times.top], at=(SUM + 9, y - 31))
    d.wire("gamma", "(1,)", [gamma.right, times.left], at=(134, y - 11), anchor="middle")
    d.wire("gated", "(B, C, H, W)", [times.bottom, (SUM, y + 51)], at=(SUM + 9, y + 28))


def add_input(d: Diagram, y: float, sizes: str) -> None:
    """Plus the input, which comes down at the right, and the output; `sizes` says what its letters are."""
    plus = d.sign(SUM, y, "+")
    d.wire(
        "in", "(B, C, H, W)", [(SUM, 58), (ALONG, 58), (ALONG, y), plus.right],
        at=(ALONG - 10, y - 13), name="X", anchor="end",
    )  # fmt: skip
    out = d.box(SUM, y + 55, 52, "Y", kind="tensor", height=26)
    d.wire("out", "(B, C, H, W)", [plus.bottom, out.top], at=(SUM + 9, y + 25))
    d.text(16, y + 55, sizes, anchor="start")
