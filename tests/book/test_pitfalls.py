"""Every pitfall of the page happens, and every fix mends it: the page's blocks are run."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "book/pitfalls.md"
CHECK = re.compile(r"^\s*(assert |with raises\(|torch\.testing\.assert_close\()", re.MULTILINE)


def split(page):
    """Return the block that all sections begin with, and the blocks of each section by its title."""
    start, *rest = re.split(r"^### (.+)$", page, flags=re.MULTILINE)
    blocks = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    [setup] = blocks.findall(start)
    return setup, {title: blocks.findall(body) for title, body in zip(rest[::2], rest[1::2], strict=True)}


def run(setup, blocks):
    """Execute the blocks one after another, in one namespace."""
    names = {}
    for i, block in enumerate([setup, *blocks]):
        exec(compile(block, f"block {i}", "exec"), names)


SETUP, SECTIONS = split(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("title", SECTIONS)
def test_the_pitfall_happens_and_the_fix_mends_it(title):
    run(SETUP, SECTIONS[title])


def test_every_section_has_a_demonstration_and_a_fix_and_both_check_something():
    assert len(SECTIONS) >= 15
    assert [title for title, blocks in SECTIONS.items() if len(blocks) < 2] == []
    assert [title for title, blocks in SECTIONS.items() if not all(map(CHECK.search, blocks))] == []


def test_a_block_that_is_wrong_is_found():
    setup, sections = split(
        "```python\nx = 1\n```\n## A\n### B\n```python\nassert x == 1\n```\n```python\nassert x == 2\n```\n"
    )
    run(setup, sections["B"][:1])
    with pytest.raises(AssertionError):
        run(setup, sections["B"])
