"""Small pictures: who is looked at, an image, the same image in classes."""

from segtut.data import CLASSES, PALETTE
from segtut.plot.diagram.kinds import LOOKS, OTHER, PAPER, WIRE
from segtut.plot.palette import NEIGHBOURHOOD_COLOURS

ROWS, COLUMNS = 5, 7
LOOKER = (2, 4)
"""Row and column of the position that looks, as in the book's mark."""

# how much each position of an image has to say, for the picture of one map for all
SHARES = ("1232111", "1354211", "2465321", "1254631", "1123421")


def positions(x: float, y: float, cell: float, neighbourhood: str) -> list[str]:
    """A grid of positions with its upper left corner at (x, y), and who is looked at.

    `neighbourhood` is "cross", "everybody", "position", or "one map", in which nobody in particular looks.
    """
    colour = NEIGHBOURHOOD_COLOURS[neighbourhood]
    places = [(i, j) for i in range(ROWS) for j in range(COLUMNS)]
    if neighbourhood == "one map":
        by_share = {share: [s for s in places if SHARES[s[0]][s[1]] == share] for share in "123456"}
        return [_squares(x, y, cell, _tint(colour, int(share) / 6), group) for share, group in by_share.items()]
    cross = neighbourhood == "cross"
    other = [s for s in places if cross and s[0] != LOOKER[0] and s[1] != LOOKER[1]]
    seen = [s for s in places if s not in other and s != LOOKER]
    eye = x + (LOOKER[1] + 0.5) * cell - 0.5, y + (LOOKER[0] + 0.5) * cell - 0.5
    return [
        *([_squares(x, y, cell, OTHER, other)] if other else []),
        _squares(x, y, cell, colour, seen),
        _squares(x, y, cell, LOOKS, [LOOKER]),
        f'<circle cx="{eye[0]:g}" cy="{eye[1]:g}" r="{cell / 5:g}" fill="{PAPER}"/>',  # for who does not see red
    ]


def _tint(colour: str, share: float) -> str:
    """A colour thinned with white."""
    rgb = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - c)):02x}" for c in rgb)


def _squares(x: float, y: float, cell: float, fill: str, places: list[tuple[int, int]]) -> str:
    side = cell - 1
    path = " ".join(f"M{x + j * cell:g} {y + i * cell:g}h{side:g}v{side:g}h-{side:g}z" for i, j in places)
    return f'<path fill="{fill}" d="{path}"/>'


def channels(x: float, y: float) -> list[str]:
    """A stack of five channels, 52 wide and 34 high, of which one looks at all; (x, y) is the upper left corner."""
    return [
        *(
            f'<rect x="{x + 7 * k:g}" y="{y + 4 * k:g}" width="24" height="18" rx="1.5" '
            f'fill="{LOOKS if k == 4 else NEIGHBOURHOOD_COLOURS["channel"]}" stroke="{PAPER}"/>'
            for k in range(5)
        ),
        f'<circle cx="{x + 40:g}" cy="{y + 25:g}" r="2" fill="{PAPER}"/>',
    ]


PHOTOGRAPH = {"sky": "#dfeaf2", "building": "#b9a79a", "tree": "#a8b89a", "road": "#9aa0a6", "car": "#e7e3da"}


def street(x: float, y: float, width: float, classes: bool = False) -> list[str]:
    """A street of width `width`, three quarters as high, as a camera sees it or in the colours of its classes."""
    colours = {name: "#{:02x}{:02x}{:02x}".format(*PALETTE[CLASSES.index(name)]) for name in PHOTOGRAPH}
    if not classes:
        colours = PHOTOGRAPH
    w, h = width, 0.75 * width

    def area(left: float, top: float, across: float, down: float, paint: str) -> str:
        place = f'x="{x + left * w:.4g}" y="{y + top * h:.4g}" width="{across * w:.4g}" height="{down * h:.4g}"'
        return f"<rect {place} {paint}/>"

    car = f"M{x + 0.55 * w:.4g} {y + 0.84 * h:.4g}v-{0.13 * h:.3g}h{0.06 * w:.3g}l{0.05 * w:.3g} -{0.12 * h:.3g}"
    car += f"h{0.14 * w:.3g}l{0.05 * w:.3g} {0.12 * h:.3g}h{0.06 * w:.3g}v{0.13 * h:.3g}z"
    tree = f'cx="{x + 0.82 * w:.4g}" cy="{y + 0.42 * h:.4g}" r="{0.15 * w:.3g}"'
    return [
        area(0, 0, 1, 1, f'fill="{colours["sky"]}"'),
        area(0, 0.18, 0.38, 0.5, f'fill="{colours["building"]}"'),
        f'<circle {tree} fill="{colours["tree"]}"/>',
        area(0, 0.64, 1, 0.36, f'fill="{colours["road"]}"'),
        f'<path d="{car}" fill="{colours["car"]}"/>',
        area(0, 0, 1, 1, f'rx="2" fill="none" stroke="{WIRE}"'),
    ]
