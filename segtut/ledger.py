"""The shape ledger: a table of every tensor whose shape a notebook asserted, written by the assertions that ran.

Before IPython compiles a cell, it hands the cell's syntax tree to its ``ast_transformers``. Ours replaces each
comparison of shapes inside an ``assert``,

    assert attention.shape == (B, H, W, H + W)

by a call that makes the same comparison, and counts it if it holds. Only the sizes are kept, no tensor. What the cell
computes stays the same, and so does an assertion that fails: it fails in its own line.
"""

import ast
import sys
from dataclasses import dataclass, field
from itertools import pairwise

SYMBOLS = {
    "x": "X", "q": "Q", "k": "K", "v": "V", "energy": "D", "attention": "A", "gamma": r"\gamma"
}  # fmt: skip
"""Symbol, in TeX, of each name that book/notation.md gives a tensor."""

LONG = 12
"""Rows beyond which the table is folded away."""

CALL = "__segtut_shapes_equal__"  # ends in __, or Python would give it another name inside classes


@dataclass
class Row:
    """What became of the assertions of one tensor and one shape."""

    cells: dict[int, None] = field(default_factory=dict)  # numbers of the cells in which they stand, in order
    sizes: dict[tuple[int, ...], int] = field(default_factory=dict)  # what the shape was, and how often


class Ledger:
    """Its rows, by what an assertion calls the tensor and the shape."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}

    def equal(self, cell, names, shape, subject, *operands) -> bool:
        """Say whether ``operands[0] == operands[1] == ...``, and count it if so."""
        equal = all(left == right for left, right in pairwise(operands))
        size = operands[subject]
        # int alone: neither the symbols of torch.export nor a tensor are kept
        if equal and isinstance(size, tuple | list) and all(type(n) is int for n in size):
            for name in names:
                row = self.rows.setdefault((name, shape), Row())
                row.cells[cell] = None
                row.sizes[tuple(size)] = row.sizes.get(tuple(size), 0) + 1
        return equal

    def markdown(self) -> str:
        """Return the table as Markdown."""
        lines = ["| Tensor | Shape | Cell |", "| --- | --- | --- |"]
        for (name, shape), row in self.rows.items():
            symbol = f" ${SYMBOLS[name]}$" if name in SYMBOLS else ""
            sizes = ["×".join(map(str, size)) or "scalar" for size in row.sizes]
            met = ", ".join(sizes[:3]) + (f" and {len(sizes) - 3} more" if len(sizes) > 3 else "")
            times = f"; {checks:,} times" if (checks := sum(row.sizes.values())) > 1 else ""
            cells = ", ".join(f"[{cell}]" for cell in row.cells)
            tensor, asserted = (f"`{text}`".replace("|", r"\|") for text in (name, shape))
            lines.append(f"| {tensor}{symbol} | {asserted}<br>{met}{times} | {cells} |")
        table = "\n".join(lines)
        if len(self.rows) <= LONG:
            return table
        return f"<details>\n<summary>The {len(self.rows)} shapes</summary>\n\n{table}\n\n</details>"


class Recorder(ast.NodeTransformer):
    """Replaces comparisons of shapes inside assertions by calls of a ledger."""

    def __init__(self, shell) -> None:
        self.shell, self.ledger = shell, Ledger()

    def visit_Module(self, tree):
        """Put the ledger into the notebook's names, where the cell will look for it."""
        self.shell.user_ns[CALL] = self.shell.user_ns_hidden[CALL] = self.ledger.equal
        return self.generic_visit(tree)

    def visit_Assert(self, node):
        """Leave the message of the assertion as it is."""
        cell = len(self.shell.history_manager.input_hist_parsed) - 1  # execution_count is ahead in IPython 9
        node.test = compared(node.test, cell)
        return node


def compared(test: ast.expr, cell: int) -> ast.expr:
    """Return the test of an assertion with its comparisons of shapes replaced by calls.

    Looks only where nothing but true or false counts: at the test itself, the parts of an ``and``, each item of an
    ``all(...)``.
    """
    if isinstance(test, ast.BoolOp):
        test.values = [compared(value, cell) for value in test.values]
    elif isinstance(test, ast.Call) and getattr(test.func, "id", "") == "all":
        for argument in test.args:
            if isinstance(argument, ast.GeneratorExp | ast.ListComp):
                argument.elt = compared(argument.elt, cell)
    elif isinstance(test, ast.Compare) and all(isinstance(op, ast.Eq) for op in test.ops):
        return counted(test, cell)
    return test


def counted(test: ast.Compare, cell: int) -> ast.Compare:
    """Return ``a.shape == b.shape == (B, C)`` as a call with the three, or as it is if it holds no shape.

    All three are evaluated, the third also where the first two differ.
    """
    operands = [test.left, *test.comparators]
    names = [subject(operand) for operand in operands]
    if not any(names):
        return test
    first = next(i for i, name in enumerate(names) if name)
    if tuples := [operand for operand in operands if isinstance(operand, ast.Tuple)]:
        # of (4, 6) == (H, W), the one with names
        said = max(tuples, key=lambda one: any(isinstance(part, ast.Name) for part in ast.walk(one)))
        tensors = dict.fromkeys(name for name in names if name)
    else:  # y.shape == x.shape: what y has is said to be the shape of x
        said, tensors = operands[first - 1 if first else 1], [names[first]]
    known = [
        ast.Constant(cell),
        ast.Tuple([ast.Constant(name) for name in tensors], ast.Load()),
        ast.Constant(ast.unparse(said)),
        ast.Constant(first),
    ]
    call = ast.Call(ast.Name(CALL, ast.Load()), [*known, *operands], [])
    # a comparison again, so that Python reports a failure in the same line as before
    same = ast.Compare(call, [ast.Is()], [ast.Constant(True)])
    return ast.fix_missing_locations(ast.copy_location(same, test))


def subject(node: ast.expr) -> str | None:
    """Return what an expression calls the array whose shape it is, or None if it is no shape.

    The shape may be cut, ``x.shape[2:]``, and stand in a ``tuple(...)`` or ``list(...)``.
    """
    if isinstance(node, ast.Call) and len(node.args) == 1 and getattr(node.func, "id", "") in ("tuple", "list"):
        return subject(node.args[0])
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and subject(node.value):
        return ast.unparse(node)
    if isinstance(node, ast.Attribute) and node.attr == "shape":
        return ast.unparse(node.value)
    if isinstance(node, ast.Call) and not node.args and getattr(node.func, "attr", "") == "size":
        return ast.unparse(node.func.value)
    return None


def _shell():
    """Return the IPython in which this runs, or None."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


_recorder: Recorder | None = None


def record_shapes() -> None:
    """Keep a ledger, from the next cell on, of the shapes that assertions check.

    Begins a new one if there is one already. Outside IPython, where nobody shows us the code before it runs, it does
    nothing.
    """
    global _recorder
    if (shell := _shell()) is None:
        return
    shell.ast_transformers[:] = [one for one in shell.ast_transformers if type(one).__name__ != Recorder.__name__]
    _recorder = Recorder(shell)
    shell.ast_transformers.append(_recorder)


def shape_ledger() -> None:
    """Display the ledger of shapes as a table: tensor, shape as asserted and in numbers, how often, in which cells.

    Outside IPython it says that there is none.

    Raises
    ------
    RuntimeError
        No shape has been recorded.
    """
    if _shell() is None:
        print("[the ledger of shapes is kept in notebooks alone]")
        return
    from IPython.display import Markdown, display

    if _recorder is None or not _recorder.ledger.rows:
        raise RuntimeError(
            "the ledger of shapes is empty: in a notebook, call segtut.record_shapes(), as a chapter's first code cell "
            "does, and run the cells that assert shapes"
        )
    display(Markdown(_recorder.ledger.markdown()))
