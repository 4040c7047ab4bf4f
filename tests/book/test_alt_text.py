"""Every image of the built book says in words what it shows."""

import re

import pytest
from bs4 import BeautifulSoup

FILE = re.compile(r"\.(png|svg|jpe?g|gif|webp)\b|^[\w-]*_[\w-]*$", re.IGNORECASE)
ADDS_NOTHING = re.compile(
    r"(an? )?(image|picture|figure|plot|photo|graphic) (of|showing)\b|(image|figure|plot)$", re.IGNORECASE
)
CODE = re.compile(r"<pre>.*?</pre>", re.DOTALL)
SHORTEST, LONGEST = 10, 450  # characters: a few words, and what one still listens to


def faults_of_words(words):
    """Return what is wrong with the words for an image, one phrase each."""
    faults = []
    if FILE.search(words):
        faults.append("a file name")
    if ADDS_NOTHING.match(words):
        faults.append("words that say only that it is an image")
    if not SHORTEST <= len(words) <= LONGEST:
        faults.append(f"{len(words)} characters")
    return faults


def faults_of_images(text):
    """Return what is wrong with the images of a page, one phrase each."""
    page = BeautifulSoup(CODE.sub("", text), "html.parser")  # much of a page, and no image in it
    faults, said = [], {}

    def hidden(element):
        return any(e.get("aria-hidden") == "true" or e.name == "noscript" for e in [element, *element.parents])

    for image in page.find_all("img"):
        name = image.get("src", "")[:60]
        words = image.get("alt")
        in_text = image.find_parent("article") is not None
        if words is None or (in_text and not words.strip() and not hidden(image)):
            faults.append(f"{name}: no words")
        elif in_text and words.strip():
            faults += [f"{name}: {fault}" for fault in faults_of_words(words.strip())]
            if said.setdefault(words, image["src"]) != image["src"]:
                faults.append(f"{name}: the words of another image")
    for drawing in page.find_all("svg"):
        title = drawing.find("title", recursive=False)
        if not (hidden(drawing) or drawing.get("aria-label", "").strip() or (title and title.get_text().strip())):
            faults.append(f"{str(drawing)[:60]}: a drawing without title")
    for canvas in page.find_all("canvas"):
        if not (hidden(canvas) or canvas.get("aria-label", "").strip() or canvas.get_text().strip() or canvas.img):
            faults.append(f"{str(canvas)[:60]}: a canvas without words")
    return faults


@pytest.mark.browser  # for it needs the built book, too
def test_every_image_has_words(html):
    pages = [path for path in sorted(html.rglob("*.html")) if "_static" not in path.parts]
    assert len(pages) > 3
    assert any("<img" in path.read_text(encoding="utf-8") for path in pages)
    faults = {path.name: found for path in pages if (found := faults_of_images(path.read_text(encoding="utf-8")))}
    assert faults == {}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<img src='x.png' alt=''><article><img src='x.png' alt='A street in the rain'></article>", None),
        ("<img src='x.png'>", "x.png: no words"),
        ("<article><img src='x.png' alt=' '></article>", "x.png: no words"),
        ("<article><img src='x.png' alt='_images/long-name.png'></article>", "x.png: a file name"),
        ("<article><img src='x.png' alt='attention_maps_2'></article>", "x.png: a file name"),
        ("<article><img src='x.png' alt='Image of a street in the rain'></article>", "only that it is an image"),
        ("<article><img src='x.png' alt='Figure'></article>", "x.png: 6 characters"),
        (f"<article><img src='x.png' alt='{'street ' * 80}'></article>", "x.png: 559 characters"),
        ("<article><img src='x' alt='A wide street'><img src='y' alt='A wide street'></article>", "another image"),
        ("<article><img src='x' alt='A wide street'><img src='x' alt='A wide street'></article>", None),
        ("<svg><path/></svg>", "a drawing without title"),
        ("<svg><g><title>part</title></g></svg>", "a drawing without title"),
        ("<svg><title>A cross</title></svg><svg aria-label='x'></svg><i aria-hidden='true'><svg></svg></i>", None),
        ("<canvas></canvas>", "a canvas without words"),
        ("<canvas>A map of weights</canvas><canvas aria-label='x'></canvas>", None),
    ],
)
def test_each_fault_of_an_image_is_found(body, fault):
    found = faults_of_images(body)
    assert found == [] if fault is None else any(fault in phrase for phrase in found), found
