"""DANet from the image to the scores, with what only training needs."""

from segtut.plot.diagram.canvas import Box, Diagram
from segtut.plot.diagram.networks import BLOCK, LOW, image_and_backbone
from segtut.plot.diagram.pictograms import channels, positions

LEFT, SUM, RIGHT = 82, 217, 352  # columns: position attention, what both come to, channel attention
NARROW = 124
OUTPUTS = ("out.1", "position only"), ("out", "scores"), ("out.2", "channel only")
"""What comes out, from left to right: the tensor and what it is called."""


def danet() -> Diagram:
    """DANet: two branches and their sum."""
    d = Diagram(
        "danet",
        "DANet",
        "DANet. The backbone turns the image (B × 3 × 8H × 8W) into features X (B × C × H × W). Two branches "
        "follow, each a 3×3 convolution to C/4 channels, attention, and another 3×3 convolution: attention among "
        "positions at the left, among channels at the right. Their sum is classified (B × K × H × W) and "
        "upsampled to B × K × 8H × 8W. In training each branch has a classifier and a loss of its own, too.",
        446,
        656,
    )
    backbone = image_and_backbone(d, SUM)
    y = 124
    d.frame(4, y, 438, 380, "head")
    tops, ends = [], []
    for x, name in ((LEFT, "position"), (RIGHT, "channel")):
        first = d.box(x, y + 60, NARROW, f"{name}_in", "3×3, C → C/4", "learned", f"head.{name}_in")
        attention = d.box(x, y + 138, NARROW, name, "attention", "attention", f"head.{name}", height=52, indent=54)
        last = d.box(x, y + 216, NARROW, f"{name}_out", "3×3, C/4 → C/4", "learned", f"head.{name}_out")
        d.down(f"head.{name}.in", "(B, C/4, H, W)", first, attention, mirrored=x == RIGHT)
        d.down(f"head.{name}.out", "(B, C/4, H, W)", attention, last, mirrored=x == RIGHT)
        tops.append(first)
        ends.append(last)
    d.draw(*positions(LEFT - 56, y + 138 - 17, 7, "position"), *channels(RIGHT - 57, y + 138 - 17))
    bend = y + 24
    d.wire(
        "head.in", "(B, C, H, W)",
        *([backbone.bottom, (SUM, bend), (box.x, bend), box.top] for box in tops),
        at=(SUM + 9, y - 14), name="X",
    )  # fmt: skip

    plus = d.sign(SUM, y + 268, "+")
    columns = dict(zip(("position_classifier", "classifier", "channel_classifier"), (LEFT, SUM, RIGHT), strict=True))
    classifiers = {
        name: d.box(
            x, y + 348, 110 if x == SUM else 148, name, "1×1, C/4 → K", "learned", f"head.{name}", optional=x != SUM
        )
        for name, x in columns.items()
    }
    for name, end, side in zip(("position", "channel"), ends, (plus.left, plus.right), strict=True):
        d.wire(
            f"head.{name}_out.out", "(B, C/4, H, W)",
            [end.bottom, classifiers[f"{name}_classifier"].top], [end.bottom, (end.x, plus.y), side],
            at=(end.x + (9 if end.x == LEFT else -9), y + 249), anchor="start" if end.x == LEFT else "end",
        )  # fmt: skip
    d.wire("head.classifier.in", "(B, C/4, H, W)", [plus.bottom, classifiers["classifier"].top], at=(SUM + 9, y + 301))

    larger = d.box(SUM, y + 434, RIGHT - LEFT + 148, "upsample", "bilinear", height=LOW)
    for (name, box), (tensor, words) in zip(classifiers.items(), OUTPUTS, strict=True):
        scores = d.box(box.x, y + 488, 112, words, kind="tensor", height=26, optional=box.x != SUM)
        here = Box(box.x, larger.y, 0, LOW)  # the part of the wide box in this column
        d.down(f"head.{name}.out", "(B, K, H, W)", box, here)
        d.down(tensor, "(B, K, 8H, 8W)", here, scores)
    d.text(SUM, y + 518, f"{BLOCK}; dashed: in training only")
    return d
