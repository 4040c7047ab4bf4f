"""The three networks at a glance: image, backbone, who looks at whom, classes."""

from segtut.plot.diagram.canvas import Diagram
from segtut.plot.diagram.kinds import KINDS, OTHER
from segtut.plot.diagram.pictograms import channels, positions, street

MIDDLE = 88  # the height at which everything is strung
LOOK = 203  # the middle of the picture of who looks at whom


def small_ccnet() -> Diagram:
    """CCNet: every position looks along its column and row, twice."""
    d = _chain(
        "small-ccnet",
        "CCNet at a glance",
        "In CCNet a backbone turns an image of shape B × 3 × 8H × 8W into features of shape B × C × H × W. There "
        "each position looks along its own column and row, twice; its map has the shape B × H × W × (H + W). "
        "Class scores of shape B × K × 8H × 8W come out.",
        "its cross, twice",
    )
    d.draw(*positions(LOOK - 34.5, MIDDLE - 24.5, 10, "cross"))
    d.shape("head.cca.attention", "(B, H, W, H + W)", at=(LOOK, MIDDLE + 77), name="A")
    return d


def small_danet() -> Diagram:
    """DANet: every position looks at all, every channel at all."""
    d = _chain(
        "small-danet",
        "DANet at a glance",
        "In DANet a backbone turns an image of shape B × 3 × 8H × 8W into features of shape B × C × H × W. There "
        "each position looks at all positions, with a map of shape B × N × N, and beside it each channel at all "
        "channels; both are added. Class scores of shape B × K × 8H × 8W come out.",
        "positions + channels",
    )
    d.draw(*positions(LOOK - 27.5, MIDDLE - 53, 8, "position"))
    d.text(LOOK, MIDDLE, "+", size=15)
    d.draw(*channels(LOOK - 26, MIDDLE + 10))
    d.shape("head.position.attention", "(B, N, N)", at=(LOOK - 12, MIDDLE + 77), anchor="end", name="A")
    d.shape("head.channel.attention", "(B, C/4, C/4)", at=(LOOK + 8, MIDDLE + 77), anchor="start", name="A")
    return d


def small_gcnet() -> Diagram:
    """GCNet: one map for all."""
    d = _chain(
        "small-gcnet",
        "GCNet at a glance",
        "In GCNet a backbone turns an image of shape B × 3 × 8H × 8W into features of shape B × C × H × W. There "
        "one map of shape B × N, the same for all positions, collects one context, which is added to every "
        "position. Class scores of shape B × K × 8H × 8W come out.",
        "one map for all",
    )
    d.draw(*positions(LOOK - 34.5, MIDDLE - 24.5, 10, "one map"))
    d.shape("head.gc.attention", "(B, N)", at=(LOOK, MIDDLE + 77), name="A")
    return d


def _chain(name: str, title: str, description: str, words: str) -> Diagram:
    """What the three have in common, with a gap for the picture of who looks at whom, and words below it."""
    d = Diagram(name, title, description, 320, 180)
    d.draw(*street(6, MIDDLE - 17, 45))
    fill, outline = KINDS["learned"]
    for x, width, height in ((92, 6, 50), (102, 8, 38), (114, 12, 26)):  # stages: ever smaller, ever deeper
        d.draw(
            f'<rect x="{x}" y="{MIDDLE - height / 2:g}" width="{width}" height="{height}" rx="2" '
            f'fill="{fill}" stroke="{outline}"/>'
        )
    d.draw(*street(269, MIDDLE - 17, 45, classes=True))
    for x, text in ((28, "image"), (109, "backbone"), (LOOK, words), (291, "classes")):
        d.text(x, MIDDLE + 59, text)
    d.draw(*(f'<path d="M{x} 26V{MIDDLE - 5}" stroke="{OTHER}"/>' for x in (70, 146, 253)))
    d.wire("in", "(B, 3, 8H, 8W)", [(55, MIDDLE), (88, MIDDLE)], at=(6, 16))
    d.wire("head.in", "(B, C, H, W)", [(130, MIDDLE), (164, MIDDLE)], at=(146, 16), anchor="middle")
    d.wire("out", "(B, K, 8H, 8W)", [(242, MIDDLE), (265, MIDDLE)], at=(314, 16), anchor="end")
    return d
