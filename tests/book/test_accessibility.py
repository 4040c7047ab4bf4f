"""axe-core over every page of the built book: dark on a phone, then light on a desk.

What is slow and says nothing new is left out: the inside of a formula (that it has MathML, which screen readers read,
is checked by itself) and, when contrast is measured, every text but the first of each look.
"""

import importlib.resources
import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
AT_A_TIME = 2
SETTLES = 500  # milliseconds: the theme looks 300 after a change of size which boxes scroll, and so take the focus
AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")

PREPARE = """() => {
    window.faults = new Set();
    const formulas = [...document.querySelectorAll("mjx-container")];
    const mute = formulas.filter(formula => !formula.querySelector("mjx-assistive-mml math"));
    if (mute.length) faults.add(`${mute.length} formulas without MathML`);
    for (const formula of formulas) formula.replaceWith("formula");

    // Colours of a text and of what may stand behind it, its size and weight.
    const look = element => {
        const {color, fontSize, fontWeight} = getComputedStyle(element), behind = [];
        for (let box = element; box; box = box.parentElement) {
            const style = getComputedStyle(box);
            behind.push(style.backgroundColor, style.backgroundImage, style.opacity);
            if (!style.backgroundColor.startsWith("rgba")) break;
        }
        return [color, fontSize, fontWeight, ...behind].join();
    };
    // axe-core judges no single letter.
    const written = element =>
        [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim().length > 1);
    const run = async (...options) => {
        for (const {id, impact, nodes} of (await axe.run(...options)).violations)
            if (["serious", "critical"].includes(impact))
                for (const {target, any} of nodes)
                    faults.add(`${id}: ${target.join(" ")}${any.length ? ", " + any[0].message : ""}`);
    };
    window.checkContrast = async () => {
        const texts = [...document.body.querySelectorAll("*")].filter(written)
            .filter(element => element.checkVisibility({visibilityProperty: true}));
        const seen = new Set();
        const fresh = texts.map(element => { const kind = look(element); return !seen.has(kind) && seen.add(kind); });
        texts.forEach((element, i) => element.style.visibility = fresh[i] ? "visible" : "hidden");
        await run({runOnly: ["color-contrast"], resultTypes: ["violations"]});
        texts.forEach(element => element.style.removeProperty("visibility"));
    };
    window.checkStructure = async () => {
        for (const code of document.querySelectorAll(".highlight pre")) code.textContent = code.textContent;
        const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
        const rules = {"color-contrast": {enabled: false}};
        await run({runOnly: {type: "tag", values: tags}, rules, resultTypes: ["violations"]});
    };
    window.checkScrolling = () => run({runOnly: ["scrollable-region-focusable"], resultTypes: ["violations"]});
}"""


def examine(browser, addresses):
    """Return the serious faults of some pages, one phrase each, by address; they are examined side by side."""
    context = browser.new_context(viewport=PHONE, color_scheme="dark")
    context.set_default_timeout(120_000)
    pages = {address: context.new_page() for address in addresses}
    for address, page in pages.items():
        page.goto(address, wait_until="commit")

    def in_all(script):
        # Every page starts before the first is waited for.
        for page in pages.values():
            page.evaluate(f"() => {{ window.done = (async () => {{ {script} }})(); }}")
        for page in pages.values():
            page.evaluate("() => window.done")

    for page in pages.values():
        page.wait_for_load_state()
        page.evaluate("() => window.MathJax?.startup?.promise")
        page.evaluate(AXE)
        page.evaluate(PREPARE)
    next(iter(pages.values())).wait_for_timeout(SETTLES)
    in_all("await checkContrast(); await checkScrolling();")
    for page in pages.values():
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESK)
        page.bring_to_front()
        page.wait_for_timeout(SETTLES)
    in_all("await checkContrast(); await checkStructure();")
    faults = {address: page.evaluate("() => [...faults]") for address, page in pages.items()}
    context.close()
    return {address: found for address, found in faults.items() if found}


@pytest.mark.timeout(900)
def test_no_page_has_a_serious_fault(html, chromium, serving):
    files = [path.relative_to(html) for path in sorted(html.rglob("*.html"))]
    names = [file.as_posix() for file in files if file.parts[0] not in ("index.html", "_static")]
    assert "book/intro.html" in names
    with serving(html) as address:
        pages = [f"{address}/{name}" for name in names]
        faults = {}
        for first in range(0, len(pages), AT_A_TIME):
            faults |= examine(chromium, pages[first : first + AT_A_TIME])
    assert faults == {}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<p>dark on light</p><a href='#'>link</a>", None),
        ("<p>black</p><p style='color: #999'>grey</p>", "color-contrast: p:nth-child(2)"),
        ("<style>@media (prefers-color-scheme: dark) {p {color: #ddd}}</style><p>dark", "color-contrast"),
        ("<style>@media (width > 900px) {p {color: #eee}}</style><p>light", "color-contrast: p"),
        ("<button></button>", "button-name: button"),
        ("<a href='#'></a>", "link-name: a"),
        ("<img src='data:,'>", "image-alt: img"),
        ("<pre style='overflow: auto; width: 9em'>" + "wide " * 50, "scrollable-region-focusable: pre"),
        ("<mjx-container>x</mjx-container>", "1 formulas without MathML"),
        ("<mjx-container>x<mjx-assistive-mml><math></math></mjx-assistive-mml></mjx-container>", None),
    ],
)
def test_each_fault_is_found(tmp_path, chromium, serving, body, fault):
    head = "<!doctype html><html lang=en><title>t</title><link rel=icon href='data:,'>"
    (tmp_path / "page.html").write_text(f"{head}<body><main>{body}</main>", encoding="utf-8")
    with serving(tmp_path) as address:
        found = examine(chromium, [f"{address}/page.html"]).get(f"{address}/page.html", [])
    assert found == [] if fault is None else any(phrase.startswith(fault) for phrase in found), found


def test_what_scrolls_takes_the_focus(tmp_path, chromium, serving):
    (tmp_path / "scroll.js").write_text((ROOT / "book/static/segtut-scroll.js").read_text(encoding="utf-8"))
    head = "<!doctype html><html lang=en><title>t</title><link rel=icon href='data:,'><style>p {overflow: auto}</style>"
    body = f"<article><p class=math>{'wide' * 20}<p class=math>narrow</article><script src=scroll.js></script>"
    (tmp_path / "page.html").write_text(head + body, encoding="utf-8")
    with serving(tmp_path) as address:
        page = chromium.new_page(viewport=PHONE)
        page.goto(f"{address}/page.html")
        page.locator("p[tabindex='0'][role='group'][aria-label='Formula, scrolls sideways']").wait_for()
        assert page.locator("[tabindex]").all_inner_texts() == ["wide" * 20]
        page.set_viewport_size(DESK)
        page.locator("p:not([tabindex])").nth(1).wait_for()
        assert page.locator("[tabindex], [role], [aria-label]").count() == 0
        page.close()


def test_pages_are_mended_once():
    spec = importlib.util.spec_from_file_location("accessible", ROOT / "book/_ext/accessible.py")
    accessible = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(accessible)
    link = '<a class="reference internal" href="x.html">Solutions</a><details><summary{}><span></span></summary>'
    named = link.format(' aria-label="Pages below: Solutions"')
    assert accessible.mend_page(link.format("")) == named
    assert accessible.mend_page(named) == named
    entry = '<div role="list"><div class="citation" role="{}">'
    assert accessible.mend_page(entry.format("doc-biblioentry")) == entry.format("listitem")
