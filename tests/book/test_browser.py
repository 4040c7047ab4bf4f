"""Every page of the built book, opened in headless Chromium with no way to another host."""

import base64
from pathlib import Path
from urllib.parse import urlencode

import pytest

pytestmark = pytest.mark.browser

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}

# Run in the page when everything has loaded; returns faults, one phrase each.
INSPECT = """() => {
    const faults = [];
    const maths = [...document.querySelectorAll(".math")];
    const raw = maths.filter(element => !element.querySelector("mjx-container"));
    if (raw.length) faults.push(`${raw.length} of ${maths.length} formulas not rendered: ${raw[0].textContent}`);
    for (const error of document.querySelectorAll("mjx-merror"))
        faults.push(`formula with an error: ${error.dataset.mjxError}`);
    for (const image of document.images) {
        const file = decodeURIComponent(image.src.split("/").pop());
        const alt = image.getAttribute("alt");
        // A mark beside its own name may be empty; what belongs to the text has words, which are no file name.
        const shown = image.src.startsWith("data:") ? "an embedded image" : file;
        if (alt === null || (image.closest("article") && (!alt.trim() || alt.includes(file))))
            faults.push(`image without words: ${shown}`);
        if (!image.naturalWidth) faults.push(`image that does not show: ${shown}`);
    }
    return faults;
}"""

# Run in the page at phone width: what stands outside the screen where no scrolling reaches it.
CUT_OFF = """() => {
    const scrolls = element => element !== null && element.tagName !== "ARTICLE"
        && (["auto", "scroll"].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    return [...document.querySelectorAll("article :is(p, li, pre, table, img, svg, canvas, mjx-container > mjx-math)")]
        .filter(element => {
            const {left, right} = element.getBoundingClientRect();
            return left < -1 || (right > window.innerWidth + 1 && !scrolls(element));
        })
        .map(element => `cut off on a phone: ${element.tagName} ${element.textContent.trim().slice(0, 60)}`);
}"""


def examine(chromium, address):
    """Open a page at phone width, then at the width of a desk; return what is wrong with it, one phrase each."""
    home = address[: address.index("/", len("http://"))] + "/"
    context = chromium.new_context(viewport=PHONE)
    faults = []

    def only_home(route):
        if route.request.url.startswith(home):
            return route.continue_()
        faults.append(f"asks another host: {route.request.url}")
        return route.abort()

    context.route("**/*", only_home)
    context.route_web_socket("**/*", lambda socket: faults.append(f"asks another host: {socket.url}"))
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on("console", lambda message: faults.append(f"console: {message.text}") if message.type == "error" else None)
    page.on(
        "response", lambda answer: faults.append(f"{answer.status}: {answer.url}") if answer.status >= 400 else None
    )
    page.goto(address, wait_until="networkidle")
    page.evaluate("() => window.MathJax?.startup?.promise")
    faults += page.evaluate(CUT_OFF)
    for size in (PHONE, DESK):
        page.set_viewport_size(size)
        over = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            faults.append(f"{over} pixels wider than a screen of {size['width']}")
    faults += page.evaluate(INSPECT)
    context.close()
    return faults


def test_every_page_opens_without_fault(html, chromium, serving):
    files = [path.relative_to(html) for path in sorted(html.rglob("*.html"))]
    pages = [file.as_posix() for file in files if file.parts[0] not in ("index.html", "_static")]
    assert "book/intro.html" in pages
    with serving(html) as address:
        faults = {page: found for page in pages if (found := examine(chromium, f"{address}/{page}"))}
    assert faults == {}


def test_the_front_page_leads_to_the_introduction(html, chromium, serving):
    with serving(html) as address:
        page = chromium.new_page()
        page.goto(address)
        page.wait_for_url("**/book/intro.html")
        assert "Attention" in page.title()
        page.close()


def test_search_finds_without_network(html, chromium, serving):
    with serving(html) as address:
        page = chromium.new_page()
        page.goto(f"{address}/search.html?q=affinity")
        page.locator("#search-results li a").first.wait_for()
        page.close()


SOUGHT = {
    "CrissCrossAttention": "book/api.html#segtut.attention.CrissCrossAttention",
    "criss_cross_attention": "book/api.html#segtut.attention.CrissCrossAttention",
    "criss cross attention": "notebooks/05_criss_cross.html",
    "IGNORE_INDEX": "book/api.html#segtut.data.IGNORE_INDEX",
    "gamma": "book/notation.html#symbol-",
    "γ": "book/notation.html#symbol-",
    "γ 0": "gamma-0",  # the section that asks what it means
    "energy": "book/notation.html#symbol-",
    "H + W - 1": "h-w-1",
    "softmax": ".html",
}


def test_search_knows_symbols_formulas_and_classes(html, chromium, serving):
    with serving(html) as address:
        page = chromium.new_page()
        page.route("**/*.html", lambda route: route.abort())  # the excerpts, which would fetch every page found
        page.route("**/*.css*", lambda route: route.abort())
        found = {}
        for asked in SOUGHT:
            page.goto(f"{address}/search.html?{urlencode({'q': asked})}", wait_until="commit")
            found[asked] = page.locator("#search-results li a").first.get_attribute("href")
        page.close()
    assert {asked: link for asked, link in found.items() if SOUGHT[asked] not in link} == {}
    for link in filter(lambda link: "#" in link, found.values()):  # the place is there
        path, anchor = link.split("#")
        assert f'id="{anchor}"' in (html / path).read_text(encoding="utf-8")


def test_a_wrong_address_leads_to_the_search(html, chromium, serving):
    with serving(html) as address:
        page = chromium.new_page()
        page.goto(f"{address}/notebooks/deep/nothing.html")
        assert "no such page" in page.locator("article h1").inner_text()
        page.locator(".segtut-not-found input").fill("gamma")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search.html?q=gamma")
        page.close()


def test_long_code_opens_by_keyboard_in_print_and_without_scripts(html, chromium, serving):
    height = "() => document.querySelector('.segtut-fold ~ div pre').clientHeight"
    with serving(html) as address:
        chapter = f"{address}/notebooks/05_criss_cross.html"
        page = chromium.new_page()
        page.route("**/mathjax/**", lambda route: route.abort())  # busy for a while, and not asked here
        page.goto(chapter, wait_until="domcontentloaded")
        folded = page.evaluate(height)
        assert "lines" in page.locator(".segtut-fold").first.evaluate("box => box.labels[0].innerText")
        page.locator(".segtut-fold").first.focus()
        page.keyboard.press("Space")
        opened = page.evaluate(height)
        page.keyboard.press("Space")
        assert page.evaluate(height) == folded < opened
        page.locator(".copybtn").first.wait_for(state="attached")
        page.wait_for_function("() => [...document.querySelectorAll('.copybtn')].every(button => button.ariaLabel)")
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate(height) > folded
        assert not page.locator(".bd-sidebar-primary, .copybtn, .segtut-unfold").first.is_visible()
        page.close()
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(chapter)
        assert page.locator(".segtut-fold ~ div pre").first.bounding_box()["height"] >= opened
        context.close()


def test_figures_stand_on_a_light_card_in_the_dark(html, chromium, serving):
    with serving(html) as address:
        context = chromium.new_context(color_scheme="dark")
        page = context.new_page()
        page.goto(f"{address}/book/notation.html")
        colour = "element => getComputedStyle(element).backgroundColor"
        assert page.evaluate(colour, page.query_selector("article figure img")) == "rgb(255, 255, 255)"
        assert page.evaluate(colour, page.query_selector("body")) != "rgb(255, 255, 255)"
        context.close()


DOT = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
GOOD = """<img src="dot.png" alt="one grey pixel"><img src="dot.png" alt="">
<article><div style="overflow: auto"><p style="width: 2000px">this can be scrolled</p></div></article>"""


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (GOOD, None),
        ("<script>missing()</script>", "script error: missing is not defined"),
        ("<script>console.error('trouble')</script>", "console: trouble"),
        ("<script src='http://example.org/x.js'></script>", "asks another host: http://example.org/x.js"),
        ("<script>fetch('https://example.org/').catch(() => 0)</script>", "asks another host: https://example.org/"),
        ("<script>new WebSocket('wss://example.org/')</script>", "asks another host: wss://example.org/"),
        ("<link rel='stylesheet' href='none.css'>", "404: "),
        (r"<span class='math'>\(x\)</span>", "1 of 1 formulas not rendered"),
        ("<mjx-merror data-mjx-error='no'>x</mjx-merror>", "formula with an error: no"),
        ("<img src='dot.png'>", "image without words: dot.png"),
        ("<article><img src='dot.png' alt=' '></article>", "image without words: dot.png"),
        ("<article><img src='dot.png' alt='_images/dot.png'></article>", "image without words: dot.png"),
        ("<img src='data:image/png;base64,AA' alt='x'>", "image that does not show: an embedded image"),
        ("<div style='width: 900px'>wide</div>", "510 pixels wider than a screen of 390"),
        ("<article style='overflow: hidden'><p style='width: 700px'>wide", "cut off on a phone: P wide"),
        ("<article><p style='margin: 0 -9px'>left", "cut off on a phone: P left"),
        ("<div style='width: 1300px'>wide</div>", "20 pixels wider than a screen of 1280"),
    ],
)
def test_each_fault_of_a_page_is_found(tmp_path: Path, chromium, serving, body, fault):
    (tmp_path / "dot.png").write_bytes(DOT)
    style = "<meta name='viewport' content='width=device-width'><link rel='icon' href='dot.png'>"
    (tmp_path / "page.html").write_text(f"<!doctype html>{style}<body style='margin: 0'>{body}")
    with serving(tmp_path) as address:
        faults = examine(chromium, f"{address}/page.html")
    if fault is None:
        assert faults == []
    else:
        assert any(found.startswith(fault) for found in faults), faults
