"""What a colour means in a diagram. Each kind has an outline of its own too, or stands in a place of its own."""

from segtut.plot.palette import MARK

INK = "#1d2a36"
WIRE = "#53616e"
PAPER = "#ffffff"

SANS = "system-ui, Helvetica, Arial, sans-serif"
MONO = "ui-monospace, Menlo, Consolas, monospace"
LARGE, CODE, SMALL = 12.5, 12, 11.5
"""Sizes of type in units of the drawing: on a phone, where 440 units take 358 pixels, the smallest is 9.3 pixels."""

KINDS = {
    "tensor": ("#ffffff", "#53616e"),  # what comes in and goes out
    "learned": ("#dcebf8", "#2f7fc1"),  # an operation with weights
    "fixed": ("#eef1f4", "#8593a0"),  # one without
    "attention": ("#fdf0d5", "#b27a12"),  # where positions or channels look at each other
    "gate": ("#fde4e1", "#d6281f"),  # a parameter that is a number
}
"""Kind -> (fill, outline)."""

OTHER, LOOKS = "#c9d3dc", MARK
"""In a pictogram: a position that has no part in it, the one that looks. Who is looked at has the neighbourhood's
colour, as in `segtut.plot.palette`."""
