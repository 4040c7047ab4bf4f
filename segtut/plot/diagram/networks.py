"""The three networks from the image to the scores of its pixels."""

from collections.abc import Callable

from segtut.plot.diagram.canvas import Box, Diagram
from segtut.plot.diagram.pictograms import positions

WIDTH = 440
LINE, BESIDE = 136, 414  # columns: what comes one after the other, and the features on their way past attention
WIDE, LOW, STEP = 224, 28, 51  # width and height of a box, distance from box to box

BLOCK = "3×3: with batch norm and ReLU"


def ccnet() -> Diagram:
    """CCNet, with the stages of its backbone."""
    d = Diagram(
        "ccnet",
        "CCNet",
        "CCNet. Four stages, the last two dilated, turn the image (B × 3 × 8H × 8W) into features X (B × C × H × "
        "W). The head: conva to C/4 channels, criss-cross attention R times with the same weights, convb, "
        "concatenation with X to C + C/4 channels, bottleneck to C/4, classifier to K scores (B × K × H × W). "
        "Upsampling brings them to B × K × 8H × 8W.",
        WIDTH,
        824,
    )
    image = d.box(LINE, 22, 76, "image", kind="tensor", height=26)
    stages = (("stem, stage 1", "stride 4"), ("stage 2", "stride 8"), ("stage 3", "stride 8, dilation 2"),
              ("stage 4", "stride 8, dilation 4"))  # fmt: skip
    d.frame(12, 60, WIDE + 24, 4 * STEP + 14, "backbone", "backbone")
    boxes = [
        d.box(LINE, 98 + k * STEP, WIDE, name, note, "learned", height=LOW) for k, (name, note) in enumerate(stages)
    ]
    d.wire("in", "(B, 3, 8H, 8W)", [image.bottom, boxes[0].top], at=(LINE + 9, 47))
    shapes = "(B, C/8, 2H, 2W)", "(B, C/4, H, W)", "(B, C/2, H, W)"
    for k, shape in enumerate(shapes):
        d.down(f"backbone.stages.layer{k + 1}.out", shape, boxes[k], boxes[k + 1])
    refine_head(d, boxes[-1], 302, criss_cross_passes)
    return d


def gcnet() -> Diagram:
    """GCNet."""
    d = Diagram(
        "gcnet",
        "GCNet",
        "GCNet. The backbone turns the image (B × 3 × 8H × 8W) into features X (B × C × H × W). The head: conva "
        "to C/4 channels, the global context block gc, which adds one vector to every position, convb, "
        "concatenation with X to C + C/4 channels, bottleneck to C/4, classifier to K scores (B × K × H × W). "
        "Upsampling brings them to B × K × 8H × 8W.",
        WIDTH,
        646,
    )
    refine_head(d, image_and_backbone(d, LINE), 124, one_context)
    return d


def image_and_backbone(d: Diagram, x: float) -> Box:
    """The image and the backbone as one box."""
    image = d.box(x, 22, 76, "image", kind="tensor", height=26)
    backbone = d.box(x, 80, WIDE, "backbone", "ResNet, output stride 8", "learned", "backbone", height=LOW)
    d.down("in", "(B, 3, 8H, 8W)", image, backbone)
    return backbone


def refine_head(d: Diagram, features: Box, y: float, attend: Callable[[Diagram, Box, float], Box]) -> None:
    """Reduce, attend, refine, concatenate, fuse, classify, enlarge; the frame of the head begins at y."""

    def box(y: float, text: str, note: str, **options: str) -> Box:
        return d.box(LINE, y, WIDE, text, note, height=LOW, **options)

    d.frame(12, y, 416, 401, "head")
    conva = box(y + 52, "conva", "3×3, C → C/4", kind="learned", part="head.conva")
    attention = attend(d, conva, y + 140)
    convb = box(y + 222, "convb", "3×3, C/4 → C/4", kind="learned", part="head.convb")
    d.down("head.convb.in", "(B, C/4, H, W)", attention, convb)
    joined = box(y + 222 + STEP, "concatenate", "features first")
    d.down("head.convb.out", "(B, C/4, H, W)", convb, joined)
    bend = y + 22
    d.wire(
        "head.in", "(B, C, H, W)",
        [features.bottom, conva.top], [features.bottom, (LINE, bend), (BESIDE, bend), (BESIDE, joined.y), joined.right],
        at=(LINE + 9, y - 11), name="X",
    )  # fmt: skip
    d.shape("head.in", "(B, C, H, W)", at=(BESIDE - 10, joined.y - 13), name="X", anchor="end")
    fuse = box(joined.y + STEP, "bottleneck", "3×3, C + C/4 → C/4", kind="learned", part="head.bottleneck")
    d.down("head.bottleneck.in", "(B, C + C/4, H, W)", joined, fuse)
    classifier = box(fuse.y + STEP, "classifier", "1×1, C/4 → K", kind="learned", part="head.classifier")
    d.down("head.classifier.in", "(B, C/4, H, W)", fuse, classifier)
    larger = box(classifier.y + STEP + 17, "upsample", "bilinear")
    d.wire(
        "head.classifier.out", "(B, K, H, W)", [classifier.bottom, larger.top], at=(LINE + 9, classifier.y + 36)
    )  # fmt: skip
    scores = d.box(LINE, larger.y + STEP, 76, "scores", kind="tensor", height=26)
    d.down("out", "(B, K, 8H, 8W)", larger, scores)
    d.text(BESIDE + 14, scores.y, BLOCK, anchor="end")


def criss_cross_passes(d: Diagram, conva: Box, y: float) -> Box:
    """R passes of criss-cross attention: a loop."""
    box = d.box(LINE, y, WIDE, "cca", "criss-cross attention", "attention", "head.cca", height=52, indent=58)
    d.draw(*positions(box.left[0] + 10, y - 19, 8, "cross"))
    again, enter, leave = 272, y - 38, y + 38
    d.wire("head.cca.in", "(B, C/4, H, W)", [conva.bottom, box.top], at=(LINE + 9, enter - 9))
    d.wire(
        "head.cca.out", "(B, C/4, H, W)",
        [box.bottom, (LINE, leave), (again, leave), (again, enter), (LINE, enter), box.top],
        at=(again + 9, y - 8),
    )  # fmt: skip
    d.text(again + 9, y + 8, "R times in all,", anchor="start")
    d.text(again + 9, y + 22, "the same weights", anchor="start")
    return box


def one_context(d: Diagram, conva: Box, y: float) -> Box:
    """The global context block."""
    box = d.box(LINE, y, WIDE, "gc", "global context", "attention", "head.gc", height=52, indent=58)
    d.draw(*positions(box.left[0] + 10, y - 19, 8, "one map"))
    d.down("head.gc.in", "(B, C/4, H, W)", conva, box)
    return box
