"""DANet's channel attention: channels look at channels."""

from segtut.plot.diagram.canvas import Diagram
from segtut.plot.diagram.looking import KEY, MIDDLE, QUERY, SUM, VALUE, WIDTH, add_input, gate
from segtut.plot.diagram.pictograms import channels


def channel() -> Diagram:
    """Channel attention as in the published code."""
    d = Diagram(
        "channel",
        "Channel attention",
        "Channel attention, without convolutions. X (B × C × H × W) as a matrix with a row for each channel (B × "
        "C × N, N = H · W), times its transpose, is the energy E of all channels with all (B × C × C). A softmax "
        "of max E − E over the last axis, as in the published code, is A. A times the matrix becomes B × C × H × "
        "W again, is multiplied by the gate γ, and X is added.",
        WIDTH,
        690,
    )
    x = d.box(SUM, 22, 52, "X", kind="tensor", height=26)
    rows = d.box(SUM, 96, 134, "reshape", "one row a channel")
    d.wire("in", "(B, C, H, W)", [x.bottom, rows.top], at=(SUM + 9, 46))
    transpose = d.box(KEY, 182, 92, "transpose", height=28)
    affinity = d.box(MIDDLE, 254, 223, "E = X Xᵀ", "all channels with all", "attention", height=54, indent=62)
    d.draw(*channels(affinity.left[0] + 10, 254 - 17))
    product = d.box(SUM, 430, 342, "A X", "sum of channels, weighted by A", "attention", height=36)
    bend = 141
    d.wire(
        "rows", "(B, C, N)",
        [rows.bottom, transpose.top], [rows.bottom, (SUM, bend), (QUERY, bend), (QUERY, 227)],
        [rows.bottom, (SUM, bend), (VALUE, bend), (VALUE, 412)],
        at=(SUM + 9, 128),
    )  # fmt: skip
    d.wire("rows.T", "(B, N, C)", [transpose.bottom, (KEY, 227)], at=(KEY + 9, 210))
    softmax = d.box(MIDDLE, 338, 178, "softmax of max E − E", "over the last axis", "attention")
    d.wire("energy", "(B, C, C)", [affinity.bottom, softmax.top], at=(MIDDLE + 9, 299), name="E")
    d.wire("attention", "(B, C, C)", [softmax.bottom, (MIDDLE, 412)], at=(MIDDLE + 9, 383), name="A")
    back = d.box(SUM, 496, 134, "reshape", height=28)
    d.wire("collected rows", "(B, C, N)", [product.bottom, back.top], at=(SUM + 9, 464))
    gate(d, back, 553)
    add_input(d, 614, "N = H · W")
    return d
