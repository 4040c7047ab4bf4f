"""What the book's extensions and sheets promise about its look, checked without building it."""

import importlib.util
import re
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from docutils import nodes
from docutils.utils import new_document
from pygments import highlight
from pygments.lexers import PythonLexer

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "book/static"


def extension(name):
    """Load one of the book's extensions."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"book/_ext/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


findable, folded_code, light_pages, not_found = map(extension, ("findable", "folded_code", "light_pages", "not_found"))


def colours(theme):
    """Return the hexadecimal colours that the book's sheets set for a theme, by the name of their property."""
    sheets = "".join((STATIC / name).read_text(encoding="utf-8") for name in ("segtut.css", "segtut-code.css"))
    blocks = re.findall(rf'^html\[data-theme="{theme}"\] {{(.*?)^}}', sheets, re.DOTALL | re.MULTILINE)
    if theme == "print":
        blocks = [(STATIC / "segtut-print.css").read_text(encoding="utf-8")]
    return dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{3,6});", "".join(blocks)))


def contrast(one, other):
    """Return the contrast of two hexadecimal colours as WCAG 2 defines it."""

    def luminance(colour):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_of_black_and_white_is_21():
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#fff") == pytest.approx(4.54, abs=0.01)  # the lightest grey that AA allows on white


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_every_text_stands_out_from_every_ground(theme):
    known = colours(theme)
    paper = known.get("--pst-color-background", "#ffffff")
    texts = [f"--pst-color-{name}" for name in ("text-base", "text-muted", "link", "link-hover", "inline-code")]
    texts += [f"--segtut-{name}" for name in ("keyword", "string", "number", "name", "comment")]
    weak = {
        (text, ground): round(contrast(known[text], ground), 2)
        for text in texts
        for ground in (paper, known["--segtut-wash"])
        if contrast(known[text], ground) < 4.5
    }
    assert weak == {}
    assert contrast(known["--pst-color-primary"], paper) >= 4.5  # a button's words have the paper's colour
    if theme != "print":
        assert contrast(known["--pst-color-text-base"], known["--pst-color-target"]) >= 4.5
        assert contrast(known["--segtut-mark"], known["--segtut-wash"]) >= 3


@pytest.mark.parametrize("name", ["logo.svg", "favicon.svg"])
def test_the_mark_is_a_small_drawing_with_a_name(name):
    text = (STATIC / name).read_text(encoding="utf-8")
    drawing = ET.fromstring(text)
    assert drawing.find("{http://www.w3.org/2000/svg}title").text
    assert len(text) < 1500


def test_every_sheet_and_script_of_the_settings_is_there():
    settings = (ROOT / "_config.yml").read_text(encoding="utf-8")
    names = re.findall(r"segtut[\w-]*\.(?:css|js)", settings)
    assert len(names) >= 6
    assert [name for name in names if not (STATIC / name).is_file()] == []


# Long code


def cell(lines, **attributes):
    """Return a document with one cell of that many lines."""
    document = new_document("page")
    outer = nodes.container(nb_element="cell_code", **attributes)
    source = nodes.container(nb_element="cell_code_source")
    source += nodes.literal_block(text="\n".join(["x = 1"] * lines))
    outer += source
    document += outer
    folded_code.FoldedCode(document).run()
    return [node.astext() for node in document.findall(nodes.raw)]


def test_long_code_begins_folded_and_says_how_long_it_is():
    checkbox, label = cell(folded_code.LONGEST + 1)
    assert 'type="checkbox"' in checkbox and 'id="fold-0"' in checkbox
    assert 'for="fold-0"' in label and f"Show all {folded_code.LONGEST + 1} lines" in label
    shown = re.search(r"--segtut-shown: (\d+);", (STATIC / "segtut-code.css").read_text(encoding="utf-8"))
    assert int(shown[1]) == folded_code.SHOWN


def test_short_code_and_hidden_cells_stay_as_they_are():
    assert cell(folded_code.LONGEST) == []
    assert cell(100, hide_mode="all") == cell(100, hide_mode="input") == []
    assert cell(100, hide_mode="output") != []


# The page for wrong addresses


@pytest.mark.parametrize(
    ("address", "home"),
    [("https://a.github.io/segtut/", "/segtut/"), ("https://a.org", "/"), ("https://a.org/x/y", "/x/y/"), (None, "/")],
)
def test_the_home_of_a_site_is_the_path_of_its_address(address, home):
    assert not_found.home_of(address) == home


def test_links_of_the_page_for_wrong_addresses_start_at_the_root():
    page = '<a href="book/a.html"><a href="#x"><a href="https://a.org"><a href="/k"><img src="./i.png">'
    page += '<p data-content_root="./">'
    wanted = page.replace('"book', '"/s/book').replace('"./i', '"/s/i').replace('"./"', '"/s/"')
    assert not_found.from_root(page, "/s/") == wanted


def test_the_server_shows_the_page_at_any_depth(serving, tmp_path):
    (tmp_path / "index.html").write_text("home")
    (tmp_path / "404.html").write_text('<html data-content_root="/segtut/"><a href="/segtut/index.html">home</a>')
    with serving(tmp_path) as address:
        assert urllib.request.urlopen(f"{address}/").read() == b"home"
        with pytest.raises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(f"{address}/notebooks/no/thing.html?x=1")
        assert missing.value.code == 404
        assert missing.value.read() == b'<html data-content_root="/"><a href="/index.html">home</a>'
        (tmp_path / "404.html").unlink()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{address}/nothing")


# The search


@pytest.mark.parametrize(
    ("formula", "text"),
    [("H + W - 1", "H + W − 1"), (r"\gamma = 0", "γ = 0"), (r"\Omega(u)", "Ω(u)"), ("-\\infty", "−∞"), ("C'", "C'")],
)
def test_formulas_become_text(formula, text):
    assert findable.plain(formula) == text
    assert findable.plain_title(rf"Why \({formula}\)?") == f"Why {text}?"


def test_classes_get_the_name_a_function_would_have():
    names = ("CrissCrossAttention", "CCHead", "CamVid", "NonLocal", "Scenes")
    assert [findable.snake_case(name) for name in names] == [
        "criss_cross_attention", "cc_head", "cam_vid", "non_local", "scenes",
    ]  # fmt: skip


def test_the_index_gains_names_and_a_second_time_changes_nothing():
    index = {
        "docnames": ["api", "book/notation"], "titles": [r"About \(\gamma\)", "Notation"],
        "alltitles": {r"About \(\gamma\)": [[0, None]]}, "terms": {"gamma": 0, "γ": [1]},
        "objects": {"segtut.attention": [[0, 0, 1, "", "CrissCrossAttention"]]},
        "objtypes": {"0": "py:class"}, "objnames": {"0": ["py", "class", "Python class"]},
    }  # fmt: skip
    collected = {"api": [], "book/notation": [["symbol-0", "γ", "a gate < 1"]]}
    for _ in range(2):
        findable.enrich(index, collected)
        assert index["objects"][""] == [
            [1, 1000, 0, "symbol-0", "γ"],
            [0, 1001, 1, "segtut.attention.CrissCrossAttention", "criss_cross_attention"],
        ]
        assert index["objnames"]["1000"][2] == "a gate &lt; 1"
        assert index["terms"] == {"gamma": [0, 1], "γ": [0, 1]}
        assert index["titles"][0] == "About γ" and index["alltitles"] == {"About γ": [[0, None]]}


# The weight


def test_a_sheet_keeps_what_is_used():
    css = """@charset "UTF-8"; /* a comment { */ .used, .gone > p { color: red } p:not(.gone) { margin: 0 }
    @media print { .gone { top: 0 } .used::before { content: "}\\f107" } } @media screen { .gone { top: 1px } }
    .py-1\\.5 { left: 0 } .gone:is(.used) { right: 0 } @font-face { src: url(a;b.woff) }
    :is(.gone, .used) { top: 2px }"""
    thin = light_pages.thin(css, {"used", "py-1.5"})
    assert thin == (
        '@charset "UTF-8";.used{ color: red }p:not(.gone){ margin: 0 }@media print{.used::before{ content: "}\\f107" }}'
        ".py-1\\.5{ left: 0 }@font-face{ src: url(a;b.woff) }:is(.gone, .used){ top: 2px }"
    )
    assert light_pages.thin(thin, {"used", "py-1.5"}) == thin


def test_code_has_marks_for_what_has_a_colour_and_loses_nothing():
    code = 'def f(x):\n    return {"a": x + 1}  # <&>\n'
    html = highlight(code, PythonLexer(), light_pages.MarkedCode())
    assert "".join(ET.fromstring(html.replace("&nbsp;", " ")).itertext()) == code
    assert set(re.findall(r'<span class="(\w+)"', html)) == {"k", "nf", "s2", "mi", "c1"}
