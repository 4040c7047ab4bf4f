"""Boxes, signs and wires on a sheet, written as SVG that a person can read.

Coordinates are units of the drawing, x to the right, y down. A wire carries a tensor: it has the tensor's shape as a
label, and in ``data-tensor`` the name by which the tests find the tensor in the running module.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from segtut.plot.diagram.kinds import CODE, INK, KINDS, LARGE, MONO, PAPER, SANS, SMALL, WIRE

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle, and the points of its sides where wires begin and end."""

    x: float
    y: float
    width: float
    height: float

    @property
    def top(self) -> Point:
        """Middle of the upper side."""
        return self.x, self.y - self.height / 2

    @property
    def bottom(self) -> Point:
        """Middle of the lower side."""
        return self.x, self.y + self.height / 2

    @property
    def left(self) -> Point:
        """Middle of the left side."""
        return self.x - self.width / 2, self.y

    @property
    def right(self) -> Point:
        """Middle of the right side."""
        return self.x + self.width / 2, self.y


@dataclass(frozen=True)
class Wire:
    """A tensor on its way.

    Attributes
    ----------
    tensor : str
        Which one: "in" and "out" of the whole, "PART.in" and "PART.out" of a part, and whatever is made in between by
        a name of its own.
    shape : str
        In the book's notation.
    paths : tuple of tuples of (float, float)
        The corners of its arrows, from the tail to the tip.
    """

    tensor: str
    shape: str
    paths: tuple[tuple[Point, ...], ...] = ()


@dataclass
class Diagram:
    """A drawing that shows itself in a notebook; ``str`` of it is the SVG.

    Attributes
    ----------
    name, title, description : str
        The description says in words what the drawing shows.
    width, height : float
        In units of the drawing, of which one is a CSS pixel unless the page is narrower.
    wires : list of Wire
        Every labelled tensor.
    parts : dict of str to Box
        Where the parts of the module stand, by their names in it.
    """

    name: str
    title: str
    description: str
    width: float
    height: float
    wires: list[Wire] = field(default_factory=list)
    parts: dict[str, Box] = field(default_factory=dict)
    _layers: dict[str, list[str]] = field(default_factory=lambda: {"frames": [], "wires": [], "boxes": [], "words": []})

    def box(
        self, x: float, y: float, width: float, text: str, note: str = "", kind: str = "fixed", part: str = "",
        height: float = 38, indent: float = 0, optional: bool = False,
    ) -> Box:  # fmt: skip
        """A box around (x, y) with a text and a note, which stands below it if the box is high enough.

        A text that names the `part` is set as code; `indent` leaves room at the left. A tensor and a gate are round at
        the sides; what is `optional` has a dashed outline.
        """
        fill, outline = KINDS[kind]
        box = Box(x, y, width, height)
        corner = height / 2 if kind in ("tensor", "gate") else 6
        dashes = ' stroke-dasharray="4 3"' if optional else ""
        self._layers["boxes"].append(
            f'<rect x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width:g}" height="{height:g}" rx="{corner:g}" '
            f'fill="{fill}" stroke="{outline}"{dashes}/>'
        )
        middle, code, below = x + indent / 2, text == part.rpartition(".")[2], height >= 38
        self.text(
            middle,
            y - (8 if note and below else 0),
            text,
            CODE if code else LARGE,
            code=code,
            note="" if below else note,
        )
        if note and below:
            self.text(middle, y + 8, note)
        if part:
            self.parts[part] = box
        return box

    def sign(self, x: float, y: float, text: str) -> Box:
        """A small circle with + or ×."""
        self._layers["boxes"].append(f'<circle cx="{x:g}" cy="{y:g}" r="10" fill="{PAPER}" stroke="{INK}"/>')
        self.text(x, y, text, size=15)
        return Box(x, y, 20, 20)

    def frame(self, x: float, y: float, width: float, height: float, text: str, part: str = "") -> None:
        """A dashed line around what belongs together, named at its upper left corner, which is (x, y)."""
        self._layers["frames"].append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="10" fill="#f8fafb" '
            f'stroke="#b4bfc9" stroke-dasharray="4 3"/>'
        )
        self.text(x + 10, y + 14, text, anchor="start", code=bool(part))
        if part:
            self.parts[part] = Box(x + width / 2, y + height / 2, width, height)

    def wire(
        self, tensor: str, shape: str, *paths: Sequence[Point], at: Point, name: str = "", anchor: str = "start"
    ) -> None:
        """Arrows along paths of corners, all carrying one tensor; its name and shape stand at `at`."""
        lines = " ".join(_rounded(path) for path in paths)
        heads = " ".join(_head(*path[-2:]) for path in paths)
        self._layers["wires"].append(f'<path d="{lines}" data-tensor="{escape(tensor)}"/>')
        self._layers["wires"].append(f'<path d="{heads}" fill="{WIRE}" stroke="none"/>')
        self.wires.append(Wire(tensor, shape, tuple(map(tuple, paths))))
        self.text(*at, shape, anchor=anchor, name=name)

    def down(self, tensor: str, shape: str, upper: Box, lower: Box, name: str = "", mirrored: bool = False) -> None:
        """A wire straight down from box to box, labelled at the middle of its right, or `mirrored` of its left."""
        middle = (upper.bottom[1] + lower.top[1]) / 2 - 3  # of the line without its head
        at, anchor = ((upper.x - 9, middle), "end") if mirrored else ((upper.x + 9, middle), "start")
        self.wire(tensor, shape, [upper.bottom, (upper.x, lower.top[1])], at=at, name=name, anchor=anchor)

    def shape(self, tensor: str, shape: str, at: Point, name: str = "", anchor: str = "middle") -> None:
        """Name and shape of a tensor, without an arrow."""
        self.wires.append(Wire(tensor, shape))
        self.text(*at, shape, anchor=anchor, name=name)

    def text(
        self, x: float, y: float, text: str, size: float = SMALL, anchor: str = "middle", code: bool = False,
        name: str = "", note: str = "",
    ) -> None:  # fmt: skip
        """A line of text whose middle is at height y; a `name` stands before it in bold italics, a `note` behind it."""
        words = escape(text, quote=False)
        extra = f' font-size="{size}"' if size != SMALL else ""
        if code and not note:
            extra += f' font-family="{MONO}"'
        elif code:
            words = f'<tspan font-family="{MONO}">{words}</tspan>'
        if name:
            words = f'<tspan font-style="italic" font-weight="bold">{escape(name)}</tspan> {words}'
        if note:
            words += f' <tspan font-size="{SMALL}" dx="6">{escape(note, quote=False)}</tspan>'
        anchored = f' text-anchor="{anchor}"' if anchor != "middle" else ""
        self._layers["words"].append(
            f'<text x="{x:g}" y="{round(y + 0.35 * size, 1):g}"{anchored}{extra}>{words}</text>'
        )

    def draw(self, *elements: str) -> None:
        """Put elements of SVG among the boxes."""
        self._layers["boxes"].extend(elements)

    def __str__(self) -> str:
        """The SVG file."""
        groups = {
            "frames": "",
            "wires": f' fill="none" stroke="{WIRE}" stroke-width="1.4"',
            "boxes": ' stroke-width="1.2"',
            "words": f' font-family="{SANS}" font-size="{SMALL}" text-anchor="middle" fill="{INK}"',
        }
        body = "".join(
            f'  <g class="{layer}"{attributes}>\n'
            + "".join(f"    {line}\n" for line in self._layers[layer])
            + "  </g>\n"
            for layer, attributes in groups.items()
            if self._layers[layer]
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'width="{self.width:g}" height="{self.height:g}" role="img">\n'
            f"  <title>{escape(self.title, quote=False)}</title>\n"
            f"  <desc>{escape(self.description, quote=False)}</desc>\n"
            f'  <rect width="{self.width:g}" height="{self.height:g}" rx="8" fill="{PAPER}"/>\n{body}</svg>\n'
        )

    def _repr_svg_(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        # inline, so that text stays text; shrinks with the page
        return str(self).replace("<svg ", '<svg style="max-width: 100%; height: auto" ', 1)


def _rounded(path: Sequence[Point], radius: float = 7) -> str:
    """SVG of a line through the points, its corners rounded."""
    words = ["M{:g} {:g}".format(*path[0])]
    for before, corner, after in zip(path, path[1:], path[2:], strict=False):
        (x0, y0), (x1, y1) = _towards(corner, before, radius), _towards(corner, after, radius)
        words.append(f"L{x0:g} {y0:g} Q{corner[0]:g} {corner[1]:g} {x1:g} {y1:g}")
    return " ".join([*words, "L{:g} {:g}".format(*_towards(path[-1], path[-2], 5))])


def _head(before: Point, tip: Point) -> str:
    """SVG of the triangle at the end of an arrow."""
    x, y = _towards(tip, before, 8)
    across_x, across_y = (y - tip[1]) / 2, (tip[0] - x) / 2
    return f"M{tip[0]:g} {tip[1]:g} L{x + across_x:g} {y + across_y:g} L{x - across_x:g} {y - across_y:g} Z"


def _towards(start: Point, end: Point, distance: float) -> Point:
    """The point at a distance from `start` towards `end`, at most half-way."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = (dx * dx + dy * dy) ** 0.5
    share = min(distance / length, 0.5) if length else 0
    return round(start[0] + share * dx, 2), round(start[1] + share * dy, 2)
