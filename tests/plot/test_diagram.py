"""The diagrams show what the modules do, and are legible."""

import itertools
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from torch import nn

from segtut.plot import diagram
from segtut.plot.diagram import DIAGRAMS, Diagram
from segtut.plot.diagram.kinds import SMALL
from segtut.plot.show import PHONE, SMALLEST
from tests.plot import diagram_tensors as real
from tools import diagrams as tool

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
NETWORKS = [name for name in DIAGRAMS if name.endswith("net")]


def running(name):
    """The module that a diagram shows, its tensors, the sizes of its letters."""
    return run_once(name.removeprefix("small-"))


@cache
def run_once(name):
    return real.MODULES[name]() if name in real.MODULES else real.network(name)


@pytest.mark.parametrize("name", DIAGRAMS)
def test_every_shape_is_that_of_the_running_module(name):
    _, tensors, sizes = running(name)
    assert real.wrong(diagram(name).wires, tensors, sizes) == []


@pytest.mark.parametrize("name", DIAGRAMS)
def test_a_wrong_label_is_found_on_every_wire(name):
    _, tensors, sizes = running(name)
    for wire in diagram(name).wires:
        swapped = wire.shape.replace("C′", "C").translate(str.maketrans("HWBCN", "WHCBH")).replace("(1,)", "(2,)")
        longer = wire.shape.removesuffix(")").removesuffix(",") + ", 1)"
        for label in (swapped, longer):
            assert len(real.wrong([replace(wire, shape=label)], tensors, sizes)) == 1, label
    assert real.wrong([replace(wire, tensor="nothing")], tensors, sizes) == ["nothing: no such tensor"]


@pytest.mark.parametrize("name", [name for name in DIAGRAMS if not name.startswith("small-")])
def test_every_part_is_shown_and_wired(name):
    module, _, _ = running(name)
    d = diagram(name)
    if name in NETWORKS:
        wanted = {"backbone"} | {f"head.{part}" for part, _ in module.head.named_children()}
    else:
        wanted = {part for part, child in module.named_children() if not isinstance(child, nn.Identity)}
        wanted |= {parameter for parameter, _ in module.named_parameters(recurse=False)}
    assert wanted <= d.parts.keys() <= dict(module.named_modules()).keys() | dict(module.named_parameters()).keys()
    ends = [(wire.tensor, path[0], path[-1]) for wire in d.wires for path in wire.paths]
    for part, box in d.parts.items():
        wholes = [other for other in d.parts if other.startswith(f"{part}.")] or (name, part) == ("ccnet", "backbone")
        if not wholes:
            assert any(touches(tail, box) for _, tail, _ in ends), f"nothing leaves {part}"
            assert part == "gamma" or any(touches(tip, box) for _, _, tip in ends), f"nothing enters {part}"
        tails = [tail for tensor, tail, _ in ends if tensor == f"{part}.out"]
        tips = [tip for tensor, _, tip in ends if tensor == f"{part}.in"]
        assert not tails or any(touches(tail, box) for tail in tails), f"{part}.out begins elsewhere"
        assert not tips or any(touches(tip, box) for tip in tips), f"{part}.in ends elsewhere"


def touches(point, box):
    """Whether a point lies on the edge of a box."""
    x, y = abs(point[0] - box.x), abs(point[1] - box.y)
    return (x == box.width / 2 and y <= box.height / 2) or (y == box.height / 2 and x <= box.width / 2)


@pytest.mark.parametrize("name", DIAGRAMS)
def test_nothing_overlaps(name):
    assert overlaps(str(diagram(name))) == []


def test_an_overlap_is_found():
    d = Diagram("name", "title", "description", 200, 200)
    upper = d.box(100, 40, 60, "much too long")
    lower = d.box(100, 160, 100, "short")
    d.wire("out", "(B, C)", [upper.bottom, lower.bottom], at=(100, 100))
    d.text(85, 103, "beside")
    d.text(190, 180, "outside")
    assert [line.split(" at ")[0] for line in overlaps(str(d))] == [
        "outside", "(B, C)", "much too long", "out runs through short", "out runs through (B, C)",
        "out runs through beside", "out runs through a box",
    ]  # fmt: skip


def overlaps(svg):
    """What in a drawing lies on something else: one line each. Text is as wide as in DejaVu Sans, a wide type."""
    root = ET.fromstring(svg)
    sheet = (2, 2, float(root.get("width")) - 2, float(root.get("height")) - 2)
    texts = {f"{''.join(t.itertext())} at {t.get('x')}, {t.get('y')}": extent(t) for t in root.iter(f"{SVG}text")}
    edges = {
        group.get("class"): [extent_of_box(e) for e in group if e.tag in (f"{SVG}rect", f"{SVG}circle")]
        for group in root.iter(f"{SVG}g")
    }
    found = [f"{words} leaves the sheet" for words, box in texts.items() if not inside(box, sheet)]
    found += [f"{a} on {b}" for a, b in itertools.combinations(texts, 2) if meet(texts[a], texts[b])]
    for (words, text), box in itertools.product(texts.items(), itertools.chain(*edges.values())):
        if meet(text, box) and not inside(text, box):
            found.append(f"{words} crosses the edge of a box")
    for wire in root.iter(f"{SVG}path"):
        if name := wire.get("data-tensor"):
            pieces = list(segments(wire.get("d")))
            found += [f"{name} runs through {words}" for words, text in texts.items() if any_meets(pieces, text)]
            cores = [(x0 + 2, y0 + 2, x1 - 2, y1 - 2) for x0, y0, x1, y1 in edges["boxes"]]
            found += [f"{name} runs through a box at {box}" for box in cores if any_meets(pieces, box)]
    return found


def inside(inner, outer):
    """Whether a rectangle lies in another."""
    return outer[0] < inner[0] and outer[1] < inner[1] and inner[2] < outer[2] and inner[3] < outer[3]


def any_meets(pieces, box):
    """Whether one of the rectangles meets another."""
    return any(meet(piece, box) for piece in pieces)


def meet(a, b):
    """Whether two rectangles have more than an edge in common."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def extent(text):
    """Left, upper, right, lower end of a line of text."""
    size = float(text.get("font-size", SMALL))
    runs = [(text.text, text)] + [part for span in text for part in ((span.text, span), (span.tail, text))]
    length = 0
    for words, element in runs:
        if words:
            prop = FontProperties(
                family="DejaVu Sans Mono" if "mono" in element.get("font-family", "") else "DejaVu Sans",
                weight=element.get("font-weight", "normal"), size=float(element.get("font-size", size)),
            )  # fmt: skip
            length += text_to_path.get_text_width_height_descent(f"|{words}|", prop, False)[0]
            length -= text_to_path.get_text_width_height_descent("||", prop, False)[0]
            length += float(element.get("dx", 0))
    x, y = float(text.get("x")), float(text.get("y"))
    x -= {"start": 0, "middle": length / 2, "end": length}[text.get("text-anchor", "middle")]
    return x, y - 0.75 * size, x + length, y + 0.2 * size


def extent_of_box(element):
    """The same of a rectangle or circle."""
    number = {
        key: float(element.get(key)) for key in ("x", "y", "width", "height", "cx", "cy", "r") if element.get(key)
    }
    if "r" in number:
        return tuple(number[c] + sign * number["r"] for sign in (-1, 1) for c in ("cx", "cy"))
    return number["x"], number["y"], number["x"] + number["width"], number["y"] + number["height"]


def segments(path):
    """The straight pieces of a wire, a unit wide."""
    for line in path.split("M")[1:]:
        points = [tuple(map(float, pair)) for pair in re.findall(r"([\d.]+) ([\d.]+)", line)]
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            yield min(x0, x1) - 1, min(y0, y1) - 1, max(x0, x1) + 1, max(y0, y1) + 1


@pytest.mark.parametrize("name", DIAGRAMS)
def test_type_is_legible_on_a_phone_and_the_drawing_has_words(name):
    d = diagram(name)
    svg = ET.fromstring(str(d))
    sizes = [float(e.get("font-size")) for e in svg.iter() if e.get("font-size")]
    assert min(sizes) * min(1, PHONE / d.width) >= SMALLEST
    assert len(d.description) <= 450  # what one still listens to
    assert svg.find(f"{SVG}title").text == d.title and svg.find(f"{SVG}desc").text == d.description
    assert "<text" in d._repr_svg_() and d._repr_html_().startswith("<svg ") and svg.get("role") == "img"


def test_an_unknown_name_lists_those_that_there_are():
    assert diagram("Criss_Cross").name == "criss-cross"
    with pytest.raises(ValueError, match=r"'crosscriss' is none of non-local, criss-cross, .*small-gcnet"):
        diagram("crosscriss")


def test_files_are_as_drawn(tmp_path, capsys):
    tool.main(["--check"])
    with pytest.raises(SystemExit, match="make derive"):
        tool.main(["--check"], tmp_path)
    tool.main([], tmp_path)
    folder = tmp_path / "book" / "static" / "diagrams"
    (folder / "old.svg").write_text("<svg/>")
    (folder / "ccnet.svg").write_text("<svg/>")
    with pytest.raises(SystemExit, match="make derive"):
        tool.main(["--check"], tmp_path)
    capsys.readouterr()
    tool.main([], tmp_path)
    assert [line.split("/")[-1] for line in capsys.readouterr().out.splitlines()] == [
        "ccnet.svg: written",
        "old.svg: removed",
    ]
    tool.main(["--check"], tmp_path)


def test_chapters_describe_the_diagrams_in_their_own_words():
    image = re.compile(r"!\[([^]]*)\]\(\.\./book/static/diagrams/([\w-]+)\.svg\)")
    shown = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for alt, name in image.findall("".join(cell["source"])):
                assert alt == diagram(name).description, f"{path.name}: {name} is described otherwise"
                shown[name] = path.name
    assert shown.keys() == {name for name in DIAGRAMS if not name.startswith("small-")}
