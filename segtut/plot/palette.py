"""One colour, marker and line for every network and neighbourhood, the same in every figure, diagram and widget.

Start: the palette of Okabe and Ito (2008), "Color Universal Design", https://jfly.uni-koeln.de/color/. Its yellow,
orange and sky blue are too light for lines on white, and some of its pairs come close for one kind of colour
blindness or another, so a search moved the colours as little as possible until

* each has a contrast of at least 3 with white and with the dark page (#14181d), as WCAG 2.2 (1.4.11) asks of graphics;
* any two differ by at least 11 in CIEDE2000, to normal vision and to the three kinds of colour blindness, as Machado et
  al. (2009) simulate them. About 1 is just noticed side by side; two thin lines of one chart need several times that,
  and marker and line differ as well.

They are colours of lines and areas, not of text, which needs a contrast of 4.5. ``tests/plot/test_style.py`` measures
all this.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Look(NamedTuple):
    """How a network or a neighbourhood is called and drawn.

    Attributes
    ----------
    name : str
        In legends and tables.
    colour : str
        Hexadecimal RGB.
    marker, line : str
        As matplotlib writes them.
    """

    name: str
    colour: str
    marker: str
    line: str = "-"

    @property
    def style(self) -> dict[str, str]:
        """Colour, marker and line as keywords of ``Axes.plot``."""
        return {"color": self.colour, "marker": self.marker, "linestyle": self.line}


NETWORKS: Mapping[str, Look] = MappingProxyType(
    {
        "fcn": Look("FCN", "#747575", "o"),
        "psp": Look("PSP", "#ed64a9", "P"),
        "aspp": Look("ASPP", "#c18b00", "X"),
        "ema": Look("EMA", "#5194fa", "p"),
        "nonlocal": Look("non-local", "#b85815", "s"),
        "ccnet": Look("CCNet", "#226997", "^"),
        "danet": Look("DANet", "#169f73", "D"),
        "gcnet": Look("GCNet", "#8a49eb", "v"),
    }
)
"""Name of a network, as in `segtut.networks.HEADS` -> its look. Their order is that of every table."""

NEIGHBOURHOODS: Mapping[str, Look] = MappingProxyType(
    {
        "window": Look("window", NETWORKS["fcn"].colour, "o"),
        "everybody": Look("everybody", NETWORKS["nonlocal"].colour, "s"),
        "cross": Look("cross, once", NETWORKS["ccnet"].colour, "<", "--"),
        "cross twice": Look("cross, twice", NETWORKS["ccnet"].colour, "^"),
        "position": Look("position", NETWORKS["danet"].colour, "D"),
        "channel": Look("channel", "#8a6044", "*", "-."),
        "one map": Look("one map for all", NETWORKS["gcnet"].colour, "v"),
    }
)
"""Who is looked at -> its look: the colour of the network that looks there."""

NETWORK_COLOURS: Mapping[str, str] = MappingProxyType({name: look.colour for name, look in NETWORKS.items()})
"""Name of a network -> its colour."""

NEIGHBOURHOOD_COLOURS: Mapping[str, str] = MappingProxyType(
    {name: look.colour for name, look in NEIGHBOURHOODS.items()}
)
"""Who is looked at -> its colour."""

SERIES = ("#264aaa", "#b8860b", "#c8321f", "#777777")
"""Colours of curves that belong to no network, ``"C0"`` to ``"C3"`` in matplotlib: blue, gold, red, grey.

Any two differ by at least 10.9, and each has a contrast of at least 3 with white.
"""

MARK = "#c8321f"
"""The red of the frame around the pixel that looks."""

BRIGHT = "#ffd400"
"""The yellow of marks on photographs and drawn streets, which are dark."""

NOTHING = "#d9d9d9"
"""The grey of positions that carry no weight at all, in a map whose scale begins elsewhere."""

PROBE_COLOURS = ("#e0e0e0", "#56b4e9", "#e69f00", "#009e73", "#cc79a7")
"""Blank, and the four colours of `segtut.data.probes`: areas, so the light ones of Okabe and Ito serve."""
