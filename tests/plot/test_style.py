"""The figures have one style, their colours can be told apart by everybody, and chapters use no others."""

import ast
import json
import re
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import CSS4_COLORS, is_color_like, to_rgb

from segtut.data import CLASSES, PALETTE, VOID_COLOUR
from segtut.networks.network import HEADS
from segtut.plot import (
    MARK,
    NEIGHBOURHOOD_COLOURS,
    NEIGHBOURHOODS,
    NETWORK_COLOURS,
    NETWORKS,
    NOTHING,
    PROBE_COLOURS,
    STYLE,
    class_bars,
    style,
)
from segtut.plot.palette import BRIGHT, SERIES
from segtut.plot.show import PHONE, SMALLEST
from tests.plot.vision import KINDS, ciede2000, contrast, distances, lab

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted(ROOT.glob("notebooks/*.ipynb")) + sorted(ROOT.glob("notebooks/solutions/*.ipynb"))
DARK_PAGE = re.search(
    r'data-theme="dark"\][^}]*--pst-color-background: (#\w{6})', (ROOT / "book/static/segtut.css").read_text("utf-8")
)[1]


def rgb(colour):
    return tuple(round(255 * share) for share in to_rgb(colour))


LINES = {name: rgb(colour) for name, colour in NETWORK_COLOURS.items()} | {
    "channel": rgb(NEIGHBOURHOOD_COLOURS["channel"])
}
AREAS = dict(zip(CLASSES, PALETTE, strict=True)) | {"void": VOID_COLOUR}

# -- the measure itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_colour_difference_is_that_of_its_published_test_data(one, other, expected):
    assert ciede2000(one, other) == pytest.approx(expected, abs=1e-4)
    assert ciede2000(other, one) == pytest.approx(expected, abs=1e-4)


def test_a_simulation_leaves_grey_alone_and_brings_together_what_is_confused():
    for kind in KINDS:
        np.testing.assert_allclose(lab((120, 120, 120), kind), lab((120, 120, 120)), atol=0.1)
    red_and_olive = {"red": (200, 60, 40), "olive": (128, 110, 30)}
    far, near = (distances(red_and_olive, kind)["red", "olive"] for kind in ("normal vision", "deuteranopia"))
    assert far > 3 * near
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)


# -- the colours ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("colours", "least"),
    [
        pytest.param(LINES, 11, id="networks and neighbourhoods"),
        pytest.param(AREAS, 10, id="classes and void"),
        pytest.param({colour: rgb(colour) for colour in SERIES}, 10.9, id="series"),
        pytest.param({colour: rgb(colour) for colour in PROBE_COLOURS}, 10.8, id="probes"),
    ],
)
def test_any_two_colours_differ_to_every_eye(colours, least, kind):
    (pair, difference), *_ = distances(colours, kind).items()
    assert difference >= least, f"{pair} differ by {difference:.2f} only, to {kind}"


def test_lines_stand_out_from_the_light_and_the_dark_page():
    for name, colour in LINES.items():
        assert min(contrast(colour, (255, 255, 255)), contrast(colour, rgb(DARK_PAGE))) >= 3, name
    for colour in (*SERIES, MARK):
        assert contrast(rgb(colour), (255, 255, 255)) >= 3, colour
    assert contrast(rgb(BRIGHT), (0, 0, 0)) >= 10 and is_color_like(NOTHING)


def test_every_network_has_a_look_of_its_own_in_the_order_of_the_package():
    assert list(NETWORKS) == list(NETWORK_COLOURS) == list(HEADS)
    for part in ("name", "colour", "marker"):
        assert len({getattr(look, part) for look in NETWORKS.values()}) == len(NETWORKS)
    assert len({look[1:] for look in NEIGHBOURHOODS.values()}) == len(NEIGHBOURHOODS)  # marker and line count, too
    (line,) = plt.figure().subplots().plot([1, 2], **NETWORKS["ccnet"].style)
    assert (line.get_color(), line.get_marker()) == (NETWORK_COLOURS["ccnet"], "^")
    plt.close("all")


# -- the style ------------------------------------------------------------------------------------------------


def test_the_style_is_the_same_called_once_or_twice_and_warns_of_no_font(recwarn):
    with matplotlib.rc_context():
        style()
        once = dict(matplotlib.rcParams)
        style()
        assert dict(matplotlib.rcParams) == once and once["figure.constrained_layout.use"]
        figure, axes = plt.subplots()
        axes.plot([1, 2])
        axes.set(title="$γ$ and $\\gamma$, −1", xlabel="positions → N′")
        figure.canvas.draw()
        assert axes.lines[0].get_color() == SERIES[0] and figure.get_facecolor() == (1, 1, 1, 1)
    plt.close("all")
    assert [str(warning.message) for warning in recwarn] == []
    (family,) = STYLE["font.sans-serif"]
    found = matplotlib.font_manager.findfont(family, fallback_to_default=False)
    assert Path(found).is_relative_to(matplotlib.get_data_path())


def test_the_smallest_type_is_legible_on_a_phone_in_a_figure_of_five_inches_and_a_half():
    sizes = [value for key, value in STYLE.items() if key.endswith("size") and "marker" not in key]
    assert min(sizes) / 72 * PHONE / 5.6 >= SMALLEST


def test_figures_of_the_package_have_the_style_without_a_call_and_leave_no_trace():
    before = dict(matplotlib.rcParams)
    figure = class_bars({"sky": 0.5}, "IoU")
    assert figure.axes[0].xaxis.label.get_color() == STYLE["axes.labelcolor"]
    assert dict(matplotlib.rcParams) == before
    plt.close("all")


# -- the chapters ---------------------------------------------------------------------------------------------

PLAIN = {"white", "black", "grey", "none", "C0", "C1", "C2", "C3"}
"""What a chapter may call a colour: ink and paper, and the series. All else has a name in `segtut.plot`."""

SCALES = {
    "viridis",  # maps
    "Blues",  # counts and masks under text
    "PuOr", "PuOr_r",  # below and above zero
    "gray",  # a file as a viewer shows it
    "Pastel1",  # kinds, each with its number written on it
}  # fmt: skip


def code_of(chapter):
    """Syntax trees of the code cells that Python reads: those without a magic."""
    for cell in json.loads(chapter.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and not re.search(r"^\s*[%!]", source, re.MULTILINE):
            yield ast.parse(source)


def foreign_colours(tree):
    """Colours and colour scales of a cell that are not the palette's."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            word = node.value
            if re.fullmatch(r"#(\w{3,4}|\w{6}|\w{8})", word) and is_color_like(word):
                found.append(word)
            if (word in CSS4_COLORS or re.fullmatch(r"tab:\w+|C\d+", word)) and word not in PLAIN | SCALES:
                found.append(word)
        if isinstance(node, ast.keyword) and node.arg == "cmap" and isinstance(node.value, ast.Constant):
            found += [node.value.value] * (node.value.value not in SCALES)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get_cmap":
            found += [name.value for name in node.args if isinstance(name, ast.Constant) and name.value not in SCALES]
    return found


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_chapter_draws_in_the_style_and_in_no_colours_of_its_own(chapter):
    trees = list(code_of(chapter))
    assert [colour for tree in trees for colour in foreign_colours(tree)] == []
    calls = [
        node.func.id
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    if "show" in calls:
        assert "style" in calls[: calls.index("show")], "call style() after the imports"


def test_the_rule_finds_what_it_is_for():
    cell = """
axes.plot(x, color="#264aaa")
axes.plot(x, color="red", label="#12")
axes.imshow(y, cmap="jet")
plt.get_cmap("hsv")
axes.plot(x, color="C7")
axes.plot(x, color="C1", label="grey")
axes.imshow(y, cmap="viridis")
"""
    assert sorted(foreign_colours(ast.parse(cell))) == ["#264aaa", "C7", "hsv", "jet", "red"]
