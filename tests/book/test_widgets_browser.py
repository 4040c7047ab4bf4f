"""The widgets of chapter 5 in headless Chromium, each as a page of its own: their numbers, and how one steers them."""

import re
from contextlib import contextmanager
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch

from segtut.attention.criss_cross import criss_cross, criss_cross_affinity
from segtut.plot import explore_cross, explore_reach
from segtut.plot.widget.frame import PAGE

pytestmark = pytest.mark.browser

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}

# Contrast, as WCAG 2 counts it, of every text in a cell with the cell behind it; the least of all.
LEAST_CONTRAST = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
    const luminance = colour => {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const part = [...canvas.getImageData(0, 0, 1, 1).data].map(x => x / 255);
        return [0.2126, 0.7152, 0.0722].map((w, k) =>
            w * (part[k] <= 0.04045 ? part[k] / 12.92 : ((part[k] + 0.055) / 1.055) ** 2.4)).reduce((a, b) => a + b);
    };
    const [squares, , texts] = document.querySelectorAll(".segtut-board svg > g:not(.segtut-axis)");
    const ratios = [...texts.children].flatMap((text, n) => text.textContent === "" ? [] : [
        [text, squares.children[n]].map(element => luminance(getComputedStyle(element).fill)).sort((a, b) => b - a)]);
    return Math.min(...ratios.map(([light, dark]) => (light + 0.05) / (dark + 0.05)));
}"""
CELLS = """() => [...document.querySelectorAll(".segtut-board svg > g:not(.segtut-axis)")[2].children]
    .map(text => text.textContent)"""
SAYS = "words => document.querySelector('.segtut-words').textContent.includes(words)"
WEIGHTS = """() => [...document.querySelectorAll(".segtut-places tbody tr")].filter(row => row.children.length > 1)
    .map(row => [2, 3].map(k => row.children[k].textContent.replace("−", "-").replace("∞", "Infinity")))"""


made = cache(lambda make: make())


@pytest.fixture
def opened(chromium, tmp_path):
    """Return a context manager: a widget's page, with no network, in which nothing may go wrong."""

    @contextmanager
    def open_page(widget, live=True, **how):
        context = chromium.new_context(**{"viewport": DESK, "offline": True, **how})
        page, faults = context.new_page(), []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text))
        page.on("request", lambda request: faults.append(request.url) if request.url[:4] not in ("file", "data") else 0)
        page.goto((widget if isinstance(widget, type(tmp_path)) else widget.save(tmp_path / "page.html")).as_uri())
        if live:
            page.locator(".segtut-on").first.wait_for(timeout=10_000)
        yield page
        context.close()
        assert faults == []

    return open_page


def said(page):
    return page.inner_text(".segtut-words")


def centre(page, row, column, H, W):
    """Where in the window the middle of a cell is."""
    box = page.locator(".segtut-board svg > rect").first.bounding_box()
    return box["x"] + (column + 0.5) * box["width"] / W, box["y"] + (row + 0.5) * box["height"] / H


@pytest.mark.parametrize(("H", "W"), [(9, 13), (7, 4), (1, 6)])
def test_reach_counts_powers_of_the_mask(opened, H, W):
    i, j = np.divmod(np.arange(H * W), W)
    mask = ((i[:, None] == i) | (j[:, None] == j)).astype(np.int64)
    with opened(explore_reach(H, W)) as page:
        for u in {(0, 0), (H - 1, W // 2), (H // 2, W - 1)}:
            page.mouse.click(*centre(page, *u, H, W))
            for R in range(4):
                page.get_by_role("button", name=str(R), exact=True).dispatch_event("click")
                expected = np.linalg.matrix_power(mask, R)[u[0] * W + u[1]]
                assert [int(n) for n in page.evaluate(CELLS)] == expected.tolist()
                if R:
                    of = "all" if (expected > 0).all() else f"{(expected > 0).sum()} of"
                    ways = "1 way" if expected.sum() == 1 else f"{expected.sum()} ways"
                    assert f"depend on {of} {H * W} positions, in {ways}:" in said(page)


def test_reach_says_and_draws_the_ways(opened):
    with opened(explore_reach(9, 13, pixel=(7, 9))) as page:

        def lines():
            return page.locator(".segtut-board polyline").count() // 2  # each with a rim

        page.mouse.move(*centre(page, 2, 5, 9, 13))
        assert said(page).endswith("From t = (2, 5): 2 ways, (2, 5) → (7, 5) → (7, 9) and (2, 5) → (2, 9) → (7, 9).")
        assert lines() == 2
        page.mouse.move(*centre(page, 7, 2, 9, 13))
        assert "From t = (7, 2): 13 ways, e.g. (7, 2) → (7, 0) → (7, 9)." in said(page) and lines() == 13
        page.get_by_role("button", name="3", exact=True).click()
        page.mouse.move(*centre(page, 2, 5, 9, 13))
        [way] = re.findall(r"e\.g\. (.*)\.$", said(page))
        stops = [tuple(map(int, stop)) for stop in re.findall(r"\((\d+), (\d+)\)", way)]
        assert stops[0] == (2, 5) and stops[-1] == (7, 9) and len(stops) == 4 and lines() == 1
        assert all((a[0] == b[0]) != (a[1] == b[1]) for a, b in pairwise(stops))
        page.get_by_role("button", name="1", exact=True).click()
        page.mouse.move(*centre(page, 2, 5, 9, 13))
        assert "From t = (2, 5): none." in said(page) and lines() == 0


def test_reach_by_keyboard(opened):
    with opened(explore_reach(9, 13, pixel=(4, 6))) as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # R = 1
        assert "After 1 pass " in said(page)
        for _ in range(5):
            page.keyboard.press("Tab")
        for key in ("ArrowUp", "ArrowLeft", "Shift+ArrowRight", "Shift+ArrowRight", "ArrowDown", "ArrowDown"):
            page.keyboard.press(key)
        assert said(page).startswith("u is in row 5, column 12.")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Space")  # now t moves
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        assert "u is in row 5, column 12." in said(page) and "From t = (2, 2): none." in said(page)
        heard = page.locator("[aria-live=polite]")
        page.wait_for_function("words => document.querySelector('[aria-live]').textContent === words", arg=said(page))
        assert heard.count() == 1


@pytest.mark.parametrize("own", [True, False])
def test_cross_agrees_with_the_operator(opened, own):
    g = torch.Generator().manual_seed(0)
    H, W = (5, 7) if own else (6, 4)
    q, k, v = (torch.randn(1, c, H, W, generator=g, dtype=torch.float64) for c in (2, 2, 1))
    if own:
        from segtut.plot.cross import small_house

        q, k, v = small_house()
    with opened(made(explore_cross) if own else explore_cross(q, k, v, pixel=(0, 0))) as page:
        for step, s, pixels in ((0, 0, [(1, 3)]), (3, 1, [(0, 0), (1, 3), (4, 2)]), (8, 32, [(2, 1)])):
            page.get_by_role("slider").fill(str(step))
            assert f"s = {s:g}" in page.inner_text("label")
            for u in pixels:
                page.mouse.click(*centre(page, *u, H, W))
                D, A = np.array(page.evaluate(WEIGHTS), float).T
                out, attention = criss_cross(s * q, k, v)
                expected = criss_cross_affinity(s * q, k)[0, u[0], u[1]].numpy()
                np.testing.assert_allclose(D, expected, atol=6e-3)
                np.testing.assert_allclose(A, attention[0, u[0], u[1]].numpy(), atol=6e-4)
                result = re.search(r"result \((.*)\)\.$", said(page))[1].replace("−", "-").split(", ")
                np.testing.assert_allclose(np.array(result, float), out[0, :, u[0], u[1]].numpy(), atol=6e-3)
                low, high = min(0, v.min().item()), max(1, v.max().item())
                rgb = re.findall(r"\d+", page.locator(".segtut-patch").last.evaluate(
                    "patch => getComputedStyle(patch).backgroundColor"))  # fmt: skip
                shade = 255 * (out[0, :, u[0], u[1]].numpy() - low) / (high - low)
                np.testing.assert_allclose(np.array(rgb[:3], float), np.broadcast_to(shade, 3), atol=1)


def test_cross_by_drag_and_keyboard(opened):
    with opened(made(explore_cross)) as page:
        page.mouse.move(*centre(page, 1, 3, 5, 7))
        page.mouse.down()
        page.mouse.move(*centre(page, 3, 5, 5, 7), steps=4)
        page.mouse.up()
        assert said(page).startswith("Row 3, column 5 ")
        page.mouse.move(*centre(page, 3, 0, 5, 7))
        assert page.locator(".segtut-lit th").inner_text() == "5"  # the first place of the row
        page.keyboard.press("ArrowLeft")
        assert said(page).startswith("Row 3, column 4 ")


@pytest.mark.parametrize("make", [explore_reach, explore_cross])
def test_by_finger_on_a_phone(opened, make):
    H, W = (9, 13) if make is explore_reach else (5, 7)
    with opened(made(make), viewport=PHONE, has_touch=True, is_mobile=True) as page:
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        assert page.locator(".segtut-board svg > rect").first.bounding_box()["width"] / W >= 24
        page.touchscreen.tap(*centre(page, 2, 1, H, W))
        assert "ow 2, column 1" in said(page)
        # a finger drags what it holds
        touch = page.context.new_cdp_session(page)
        for kind, *where in (("Start", 2, 1), ("Move", 3, 3), ("Move", 4, 5), ("End",)):
            points = [dict(zip("xy", centre(page, *where, H, W)))] if where else []
            touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
            if where:
                page.wait_for_function(SAYS, arg="ow {}, column {}".format(*where), timeout=5_000)
        assert page.evaluate("() => scrollY") == 0


@pytest.mark.parametrize("make", [explore_reach, explore_cross])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_all(opened, make, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with opened(made(make), color_scheme=scheme) as page:
        for passes in [*page.get_by_role("button").all()[:4], None]:
            if passes:
                passes.dispatch_event("click")
            assert page.evaluate(LEAST_CONTRAST) >= 4.5
        found = axe.Axe().run(page).response["violations"]
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found] == []
        dark = page.evaluate("() => getComputedStyle(document.querySelector('.segtut-widget')).backgroundColor")
        assert (dark == "rgb(255, 255, 255)") == (scheme == "light")


@pytest.mark.parametrize("make", [explore_reach, explore_cross])
def test_without_scripts_and_on_paper_there_is_the_picture(opened, make):
    with opened(made(make), live=False, java_script_enabled=False) as page:
        assert page.locator("img").is_visible() and page.locator("img").get_attribute("alt")
    with opened(made(make)) as page:
        assert not page.locator("img").is_visible()
        page.emulate_media(media="print")
        assert page.locator("img").is_visible() and not page.locator(".segtut-live").is_visible()


def test_several_live_on_a_page(opened, tmp_path):
    shown = [made(explore_reach), made(explore_cross), made(explore_reach)]
    path = tmp_path / "several.html"
    path.write_text(PAGE.format(title="three", body="".join(widget._repr_html_() for widget in shown)), "utf-8")
    with opened(path) as page:
        page.locator(".segtut-on").nth(2).wait_for()
        page.get_by_role("button", name="3", exact=True).last.click()
        words = page.locator(".segtut-words").all_inner_texts()
        assert "After 2 passes" in words[0] and "looks at 11 positions" in words[1] and "After 3 passes" in words[2]
