"""Exercises: each can be read where it stands, its hint is folded, and it leads to its answer and back."""

import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from docutils.nodes import make_id
from myst_parser.mdit_to_docutils.base import default_slugify

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
HEADING = re.compile(r"^(#+) Exercise (\d+): (.+)$", re.MULTILINE)
HINT = re.compile(r"\n\n<details>\n<summary>Hint</summary>\n\n(?!\s|</)(.+?)\n\n</details>\n\n", re.DOTALL)


def prose(path):
    """Return the Markdown of a notebook."""
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def sections(text, level):
    """Return [(number, title, text)] of the exercises or answers, whose headings have that level."""
    parts = re.split(rf"^(?=#{{1,{level}}} )", text, flags=re.MULTILINE)
    found = [(HEADING.match(part), part) for part in parts]
    return [(m[2], m[3], part[m.end() :]) for m, part in found if m and len(m[1]) == level]


def anchor(number, title):
    """Return the anchor of a heading, on which the book and GitHub have to agree."""
    heading = f"Exercise {number}: {title}"
    assert make_id(heading) == default_slugify(heading), f"{heading!r}: take words and spaces only"
    return make_id(heading)


def faults(chapter, answers, name):
    """Return what is wrong between a chapter's exercises and their answers, one phrase each."""
    asked = sections(chapter[chapter.index("\n## Exercises\n") :], 3)
    answered = sections(answers, 2)
    found = []
    if [number for number, *_ in asked] != [str(n) for n in range(1, len(asked) + 1)] or not 2 <= len(asked) <= 4:
        found.append("not exercises 1 to 2, 3 or 4")
    if [one[:2] for one in asked] != [one[:2] for one in answered]:
        found.append("other answers than exercises")
    for number, title, text in asked:
        if not HINT.search(text) or text.count("<details>") != 1:
            found.append(f"exercise {number} has not one folded hint")
        if not text.rstrip().endswith(f"\n\n[Answer](solutions/{name}#{anchor(number, title)})"):
            found.append(f"exercise {number} does not end in a link to its answer")
    for number, title, text in answered:
        first = text.strip().partition("\n\n")[0]
        if not first.endswith(f" [Back to the exercise](../{name}#{anchor(number, title)})"):
            found.append(f"answer {number} does not begin with its question and a link back")
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_exercise_has_its_hint_and_its_answer(path):
    assert faults(prose(path), prose(path.parent / "solutions" / path.name), path.name) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_answer_is_executed(path):
    cells = nbformat.read(path.parent / "solutions" / path.name, as_version=4).cells
    number, has_code = None, {}
    for cell in cells:
        if cell.cell_type == "markdown":
            for match in HEADING.finditer(cell.source):
                number = match[2]
                has_code[number] = False
        elif number:
            has_code[number] = True
    assert has_code and all(has_code.values())


RIGHT = (
    "# T\n\n## Summary\n\n- s\n\n## Exercises\n\nTry.\n\n"
    + "\n\n".join(
        f"### Exercise {n}: {title}\n\nDo $x$.\n\n<details>\n<summary>Hint</summary>\n\nSo $y$.\n\n</details>\n\n"
        f"[Answer](solutions/a.ipynb#exercise-{n}-{title.lower()})"
        for n, title in ((1, "One"), (2, "Two"))
    )
    + "\n\n## References\n\n- r"
)
ANSWERS = "# S\n\n" + "\n\n".join(
    f"## Exercise {n}: {title}\n\n*Do $x$.* [Back to the exercise](../a.ipynb#exercise-{n}-{title.lower()})\n\nDone."
    for n, title in ((1, "One"), (2, "Two"))
)


@pytest.mark.parametrize(
    ("chapter", "answers", "fault"),
    [
        (RIGHT.replace("Exercise 2", "Exercise 3"), ANSWERS.replace("Exercise 2", "Exercise 3"), "not exercises 1 to"),
        (RIGHT, ANSWERS.replace("2: Two", "2: Too"), "other answers"),
        (RIGHT, ANSWERS[: ANSWERS.index("## Exercise 2")], "other answers"),
        (RIGHT.replace("</summary>\n\nSo", "</summary>\nSo"), ANSWERS, "exercise 1 has not one folded hint"),
        (RIGHT.replace("$y$.\n\n</", "$y$.\n</"), ANSWERS, "exercise 2 has not one folded hint"),
        (RIGHT.replace("#exercise-2-two", "#exercise-2-too"), ANSWERS, "exercise 2 does not end in"),
        (RIGHT.replace("[Answer](solutions/a.ipynb#exercise-1-one)", ""), ANSWERS, "exercise 1 does not end in"),
        (RIGHT, ANSWERS.replace("#exercise-1-one", ""), "answer 1 does not begin"),
    ],
)
def test_each_fault_is_found(chapter, answers, fault):
    assert faults(RIGHT, ANSWERS, "a.ipynb") == []
    assert any(one.startswith(fault) for one in faults(chapter, answers, "a.ipynb"))


def test_a_title_has_one_anchor():
    with pytest.raises(AssertionError, match="words and spaces only"):
        anchor(2, r"$-\infty$ twice")


@pytest.mark.browser
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_book_opens_answers_and_names_sections_in_place(html, path):
    page = BeautifulSoup((html / "notebooks" / f"{path.stem}.html").read_bytes(), "html.parser")
    numbers = [number for number, *_ in sections(prose(path), 3)]
    answers = page.select("section > details.answer")
    assert [answer.summary.get_text() for answer in answers] == [f"Answer to Exercise {number}" for number in numbers]
    for answer in answers:
        assert answer.select(".cell_output, .cell_input")
        assert answer.select("a")[-1]["href"].startswith(f"solutions/{path.stem}.html#exercise-")
    anchors = [tag["id"] for tag in page.find_all(id=True)]
    assert len(anchors) == len(set(anchors))
    head = page.select_one("#shapes table thead").get_text(" ", strip=True)
    assert head == "Tensor Shape Section"
    assert all(row.select("td:nth-child(3) a") for row in page.select("#shapes table tbody tr"))
