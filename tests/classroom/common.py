"""A small assignment with two questions, own numbers and an essay, and a stand-in for the sandbox."""

import contextlib
import io
import json
import traceback

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

NAME = "1_small"


def marks(grade_id, grade=False, solution=False, locked=False, points=None):
    kind = {"grade_id": grade_id, "grade": grade, "solution": solution, "locked": locked, "task": False}
    return {"nbgrader": kind | {"schema_version": 3} | ({} if points is None else {"points": points})}


def answer(grade_id, source):
    return new_code_cell(source, metadata=marks(grade_id, solution=True))


def tests(grade_id, source, points):
    return new_code_cell(source, metadata=marks(grade_id, grade=True, locked=True, points=points))


def hidden(grade_id, source, points):
    text = f"# Your teacher's tests run here.\n### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS"
    return tests(grade_id, text, points)


def assignment():
    """The source, with solutions."""
    variant = {"tags": ["variant"], "segtut": {"variant": {"H": [4, 5, 6], "W": [7, 8, 9]}}}
    essay = (
        "**Why?** Say it in two sentences.\n\n"
        "### BEGIN SOLUTION\nBecause a model answer of the teacher stands here.\n### END SOLUTION\n"
        "=== BEGIN MARK SCHEME ===\n- names the reason the teacher thinks of: 2 points\n- gives an example: 1 point\n"
        "=== END MARK SCHEME ===\n"
    )
    cells = [
        new_markdown_cell("# A small assignment"),
        new_code_cell("from math import isclose", metadata={"tags": ["bootstrap"]}),
        new_code_cell("import math"),
        new_code_cell('MINE = {"H": 4, "W": 7}  # your own numbers', metadata=variant),
        new_markdown_cell("## The area of a rectangle\n\nWrite `area`."),
        answer(
            "area",
            'def area(height, width):\n    """Area."""\n'
            "    ### BEGIN SOLUTION\n    return float(height) * float(width)\n    ### END SOLUTION",
        ),
        tests("area-test", "assert isclose(area(2, 3), 6), 'area(2, 3) must be 6'", 2),
        hidden("area-hidden", "assert isclose(area(20, 30.5), 610), 'wrong for halves'", 3),
        new_markdown_cell("## A class\n\nWrite `Box`."),
        answer(
            "box",
            "class Box:\n    def __init__(self, side):\n        self.side = side\n\n    def volume(self):\n"
            "        ### BEGIN SOLUTION\n        return self.side * self.side * self.side\n        ### END SOLUTION",
        ),
        tests("box-test", "assert Box(2).volume() == 8, 'a box of side 2 holds 8'", 1),
        hidden("box-hidden", "assert Box(30).volume() == 27000, 'a larger box fails'", 1),
        new_markdown_cell("## Your own numbers"),
        answer("own", "### BEGIN SOLUTION\nnumber_of_mine = 100 * MINE['H'] + MINE['W']\n### END SOLUTION"),
        tests("own-test", "assert number_of_mine == 100 * MINE['H'] + MINE['W'], 'not for your numbers'", 1),
        new_markdown_cell(essay, metadata=marks("essay", grade=True, solution=True, points=3)),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = str(number)
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


ANSWERS = {
    "area": "def area(height, width):\n    return height * width",
    "box": (
        "class Box:\n    def __init__(self, side):\n        self.side = side\n\n"
        "    def volume(self):\n        return self.side**3"
    ),
    "own": "number_of_mine = 407",
    "essay": "**Why?** Say it in two sentences.\n\nBecause it is so, for example here.",
}


def own(values):
    """The right answer for a student's own numbers."""
    return f"number_of_mine = {100 * values['H'] + values['W']}"


def by_id(notebook, grade_id):
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def answered(blank, **answers):
    """A student's notebook: the release with answers filled in."""
    notebook = nbformat.from_dict(json.loads(json.dumps(blank)))
    for name, source in (ANSWERS | answers).items():
        if source is not None:
            by_id(notebook, name).source = source
    return notebook


def write(path, notebook):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path


def run_here(notebook):
    """Execute a notebook in this process: quick, and good enough for answers that the tests wrote."""
    executed = nbformat.from_dict(json.loads(json.dumps(notebook)))
    space = {"__name__": "__main__"}
    for cell in executed.cells:
        if cell.cell_type != "code":
            continue
        out, cell.outputs = io.StringIO(), []
        try:
            with contextlib.redirect_stdout(out):
                exec(compile(cell.source, "<cell>", "exec"), space)
        except BaseException as error:
            cell.outputs.append(
                new_output("error", ename=type(error).__name__, evalue=str(error), traceback=[traceback.format_exc()])
            )
        if out.getvalue():
            cell.outputs.insert(0, new_output("stream", name="stdout", text=out.getvalue()))
    executed.metadata["segtut"] = {"execution": {"seconds": 0.1, "notes": []}}
    return executed
