"""The ledger of shapes: what it writes down, and that nothing else changes while it does."""

import ast
import re
import traceback
import weakref
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import segtut
from segtut import ledger

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


class Array:
    """Something with a shape that can tell how often it was asked."""

    def __init__(self, *shape):
        self._shape, self.asked = shape, 0

    @property
    def shape(self):
        self.asked += 1
        return self._shape

    def size(self):
        return self.shape


@pytest.fixture
def shell(monkeypatch):
    """Return an IPython in which shapes are recorded."""
    monkeypatch.setattr(ledger, "_recorder", None)
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.user_ns.update(Array=Array, B=2, C=3, H=5, W=7, x=Array(2, 3, 5, 7), y=Array(2, 3, 5, 7), v=Array(3))
    segtut.record_shapes()
    yield shell
    InteractiveShell.clear_instance()


def run(shell, *cells):
    """Run cells, and return the last one's result."""
    for cell in cells:
        result = shell.run_cell(cell, store_history=True)
    return result


def rows():
    """Return {(name, shape): sizes} of the ledger."""
    return {key: row.sizes for key, row in ledger._recorder.ledger.rows.items()}


FULL = {(2, 3, 5, 7): 1}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("assert x.shape == (B, C, H, W)", {("x", "(B, C, H, W)"): FULL}),
        ("assert (B, C, H, W) == x.shape", {("x", "(B, C, H, W)"): FULL}),
        ("assert x.shape == y.shape == (B, C, H, W)", {(name, "(B, C, H, W)"): FULL for name in "xy"}),
        ("assert y.shape == x.shape", {("y", "x.shape"): FULL}),
        ("assert (H, W) == (5, 7) == x.shape[2:]", {("x.shape[2:]", "(H, W)"): {(5, 7): 1}}),
        ("assert tuple(x.shape) == x.size() == (B, C, 5, 6 + 1)", {("x", "(B, C, 5, 6 + 1)"): FULL}),
        ("assert v.shape == (C,) and x.shape == (B, *v.shape, H, W), 'no'",
         {("v", "(C,)"): {(3,): 1}, ("x", "(B, *v.shape, H, W)"): FULL}),
        ("assert all(a.shape == (2, len(x.shape) - 1, H, W) for a in (x, y))",
         {("a", "(2, len(x.shape) - 1, H, W)"): {(2, 3, 5, 7): 2}}),
        ("for n in (4, 4, 6):\n    assert [Array(n)][0].shape == (n,)",
         {("[Array(n)][0]", "(n,)"): {(4,): 2, (6,): 1}}),
        ("class K:\n    def __f(self):\n        assert v.shape == (C,)\n    def g(self):\n        self.__f()\nK().g()",
         {("v", "(C,)"): {(3,): 1}}),
    ],
)  # fmt: skip
def test_an_assertion_of_a_shape_is_written_down(shell, cell, expected):
    assert run(shell, cell).success
    assert rows() == expected


@pytest.mark.parametrize(
    "cell",
    [
        "x.shape == (B, C, H, W)",
        "assert len(x.shape) == 4 and x.shape[0] == B and x.shape != (B, C) and (B, C) == (2, 3)",
        "assert not x.shape == (B, C)",
        "assert [x.shape == (B, C)] == [False]",
        "try:\n    assert x.shape == (B, C)\nexcept AssertionError:\n    pass",
        "assert x.shape[1:2] != (B,)",
    ],
)
def test_what_is_no_assertion_or_does_not_hold_is_not(shell, cell):
    assert run(shell, cell).success
    assert rows() == {}


@pytest.mark.parametrize(
    "cell",
    [
        "a = 1\nassert B == 2 and \\\n  x.shape == (B,\n  C), 'message'\n",
        "def f(t):\n    assert t.shape == (C, B)\n\nf(x)",
        "assert x.shape == (undefined,)",
        "assert all(\n    a.shape == (C,)\n    for a in (v, x))",
    ],
)
def test_a_failing_assertion_fails_as_it_would_without(shell, cell):
    seen = []
    for transformers in (shell.ast_transformers[:], []):
        shell.ast_transformers[:] = transformers
        error = run(shell, cell).error_in_exec
        frames = [one.lineno for one in traceback.extract_tb(error.__traceback__) if "ipython-input" in one.filename]
        seen.append((type(error), str(error), frames))
    assert seen[0] == seen[1]
    assert seen[0][0] in (AssertionError, NameError) and seen[0][2]


def test_operands_are_evaluated_once(shell):
    run(shell, "assert x.shape == (B, C, H, W)")
    assert shell.user_ns["x"].asked == 1


def test_nothing_is_kept_alive(shell):
    run(shell, "t = Array(4)\nassert t.shape == (4,)")
    alive = weakref.ref(shell.user_ns["t"])
    del shell.user_ns["t"]
    assert alive() is None and rows()


def test_rows_are_by_name_and_shape_and_know_their_cells(shell):
    run(shell, "def f(t):\n    assert t.shape == (B, C, H, W)", "f(x)", "assert v.shape == (C,)", "v = Array(2)")
    run(shell, "assert v.shape == (B,)", "C = 4; f(Array(2, 4, 5, 7))", "assert Array(4).shape == (C,); v = Array(4)")
    run(shell, "assert v.shape == (C,)")
    lines = ledger._recorder.ledger.markdown().splitlines()
    assert lines[0] == "| Tensor | Shape | Cell |"
    assert lines[2:] == [
        "| `t` | `(B, C, H, W)`<br>2×3×5×7, 2×4×5×7; 2 times | [1] |",
        "| `v` $V$ | `(C,)`<br>3, 4; 2 times | [3], [8] |",
        "| `v` $V$ | `(B,)`<br>2 | [5] |",
        "| `Array(4)` | `(C,)`<br>4 | [7] |",
    ]


def test_many_sizes_are_counted_and_many_rows_folded(shell):
    run(shell, "for n in range(1, 9):\n    assert Array(n | 0).shape == (n | 0,)")
    table = ledger._recorder.ledger.markdown()
    assert table.endswith(r"| `Array(n \| 0)` | `(n \| 0,)`<br>1, 2, 3 and 5 more; 8 times | [1] |")
    run(shell, "\n".join(f"a{i} = Array({i})\nassert a{i}.shape == ({i},)" for i in range(ledger.LONG)))
    table = ledger._recorder.ledger.markdown()
    assert table.startswith(f"<details>\n<summary>The {ledger.LONG + 1} shapes</summary>\n\n| Tensor")
    assert table.endswith(" |\n\n</details>")


def test_sizes_that_are_no_numbers_are_left_out(shell):
    run(shell, "s = object()\nassert Array(s).shape == (s,) and Array(True).shape == (True,)")
    assert rows() == {}


def test_recording_again_begins_anew(shell):
    run(shell, "assert v.shape == (C,)")
    segtut.record_shapes()
    assert rows() == {} and len(shell.ast_transformers) == 1
    with pytest.raises(RuntimeError, match=r"call segtut\.record_shapes\(\), as a chapter's first code cell"):
        segtut.shape_ledger()
    run(shell, "%reset -f")
    shell.user_ns["v"] = Array(3)
    assert run(shell, "assert v.shape == (3,)").success and rows()


def test_the_ledger_is_displayed(shell, capsys):
    run(shell, "assert v.shape == (C,)")
    with shell.display_trap:
        segtut.shape_ledger()
    assert "Markdown object" in capsys.readouterr().out


def test_a_script_is_left_alone(capsys):
    assert not InteractiveShell.initialized()
    segtut.record_shapes()
    segtut.shape_ledger()
    assert capsys.readouterr().out == "[the ledger of shapes is kept in notebooks alone]\n"


def test_symbols_are_those_of_the_page_of_notation():
    page = (ROOT / "book/notation.md").read_text(encoding="utf-8")
    table = page[: page.index("With these")]
    found = {}
    for symbols, names in re.findall(r"^\| (\$[^|`]+) `([^|]+)` \|[^|]*\| \$", table, re.MULTILINE):
        found |= zip(names.split("`, `"), re.findall(r"\$([^$]+)\$", symbols), strict=True)
    assert found == ledger.SYMBOLS


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_asserts_shapes_and_shows_their_ledger_before_its_summary(path):
    cells = nbformat.read(path, as_version=4).cells
    at = [i for i, cell in enumerate(cells) if "shape_ledger" in cell.source]
    assert [cells[i].source for i in at] == ["segtut.shape_ledger()"]
    assert cells[at[0] - 1].source.startswith("## Shapes\n") and cells[at[0] + 1].source.startswith("## Summary\n")
    code = "\n".join(cell.source for cell in cells[: at[0]] if cell.cell_type == "code")
    tests = [
        n.test for n in ast.walk(ast.parse(re.sub(r"^( *)%.*", r"\1pass", code, flags=re.M))) if type(n) is ast.Assert
    ]
    counted = [test for test in tests if ledger.CALL in ast.unparse(ledger.compared(test, 1))]
    assert len(counted) >= 3
