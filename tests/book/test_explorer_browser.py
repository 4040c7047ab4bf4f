"""The attention explorer in headless Chromium: by mouse, touch and keyboard, and its numbers."""

import re

import numpy as np
import pytest

from segtut.plot.explorer.coding import panels_in, row_of
from segtut.plot.explorer.record import RECORDED, recorded

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return recorded().save(tmp_path_factory.mktemp("explorer") / "page.html")


@pytest.fixture
def page(chromium, file):
    context = chromium.new_context(viewport={"width": 900, "height": 1000}, offline=True)
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text))
    page.on("request", lambda request: faults.append(request.url) if request.url.startswith("http") else None)
    page.goto(file.as_uri())
    page.wait_for_selector(".segtut-live")
    page.wait_for_function("document.querySelector('.segtut-words').textContent")
    yield page
    assert faults == []
    context.close()


def place(page):
    """Row and column of the pixel, as the page names them."""
    found = re.match(r"Row (\d+), column (\d+) of 15×20", page.text_content(".segtut-words"))
    return int(found[1]), int(found[2])


def point(page, selector, row, column, do):
    """Do something (hover, click, tap) at the middle of a cell."""
    box = page.locator(selector).bounding_box()
    H, W = 15, 20
    do(box["x"] + (column + 0.5) * box["width"] / W, box["y"] + (row + 0.5) * box["height"] / H)


def test_keys_move_the_pixel_and_stop_at_the_edge(page):
    row, column = place(page)
    page.focus(".segtut-grid[role=application]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert place(page) == (row + 1, column - 1)
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
    assert place(page) == (row + 1, 19)
    assert f"Row {row + 1}, column 19" in page.text_content(".segtut-facts caption")


def test_a_click_a_tap_and_a_drag_choose(page, chromium, file):
    point(page, ".segtut-top canvas", 3, 4, page.mouse.click)
    assert place(page) == (3, 4)
    point(page, ".segtut-panels figure:nth-child(4) canvas", 9, 12, page.mouse.click)
    assert place(page) == (9, 12)
    page.mouse.down()
    point(page, ".segtut-panels figure:nth-child(4) canvas", 10, 13, page.mouse.move)
    page.mouse.up()
    assert place(page) == (10, 13)
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = context.new_page()
    phone.goto(file.as_uri())
    phone.wait_for_function("document.querySelector('.segtut-words')?.textContent")
    point(phone, ".segtut-top canvas", 7, 2, phone.touchscreen.tap)
    assert place(phone) == (7, 2)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_the_slider_goes_through_the_training(page):
    final = page.text_content(".segtut-words")
    slider = page.locator("input[type=range]")
    assert "After 30 epochs" in final and slider.get_attribute("aria-valuetext") == "After 30 epochs"
    slider.focus()
    page.keyboard.press("Home")
    assert "Before training" in page.text_content(".segtut-words")
    page.keyboard.press("End")
    assert page.text_content(".segtut-words") == final


def test_weights_under_the_pointer_are_those_of_the_maps(page):
    with np.load(RECORDED / "looks.npz") as stored:
        arrays = dict(stored)
    H, W = arrays["size"].tolist()
    moment = len(arrays["epochs"]) - 1
    panels = panels_in(arrays, moment)
    compared = 0
    for row, column in ((0, 0), (7, 12), (14, 3)):
        point(page, ".segtut-top canvas", row, column, page.mouse.click)
        for over in ((row, 18), (13, column), (9, 9)):
            point(page, ".segtut-top canvas", *over, page.mouse.move)
            notes = page.locator(".segtut-panels .segtut-note").all_inner_texts()
            for panel, note in zip(panels, notes, strict=True):
                wanted = 100 * row_of(arrays, moment, panel, row * W + column, H, W)[over[0] * W + over[1]]
                shown = float(re.search(r": ([\d.]+)\s%", note)[1])
                assert abs(shown - wanted) <= 0.006 + 0.06 * wanted, (panel, note, wanted)
                compared += shown > 0
    assert compared > 20


def test_words_say_what_the_pixel_is_and_what_it_is_taken_for(page):
    words = page.text_content(".segtut-words")
    cells = page.locator(".segtut-facts tr").all_inner_texts()
    assert len(cells) == 5 and cells[0].startswith("truth")
    assert all(f"{name} says " in words for name in ("CCNet", "non-local", "DANet, position", "GCNet"))
    page.wait_for_function("document.querySelector('.segtut-heard').textContent")
    assert page.text_content(".segtut-heard") == words


def test_without_scripts_there_is_a_picture_with_words(chromium, file):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    image = page.locator(".segtut-still")
    assert image.is_visible() and len(image.get_attribute("alt")) > 80
    assert page.locator(".segtut-live").count() == 0
    context.close()


def test_the_picture_is_printed(page):
    assert not page.locator(".segtut-still").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".segtut-still").is_visible() and not page.locator(".segtut-live").is_visible()


def test_it_lives_in_a_frame_of_another_origin(chromium, file):
    """As in Colab's output frame: scripts run, and the page around is out of reach."""
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.set_content('<iframe sandbox="allow-scripts" width="700" height="1200"></iframe>')
    page.evaluate("text => { document.querySelector('iframe').srcdoc = text; }", recorded()._repr_html_())
    frame = page.frame_locator("iframe")
    frame.locator(".segtut-live").wait_for()
    before = frame.locator(".segtut-facts caption").text_content()
    frame.locator(".segtut-grid[role=application]").press("ArrowLeft")
    assert frame.locator(".segtut-facts caption").text_content() != before
    context.close()
