"""Every student's own numbers: the variant cell, and who gets which of its choices."""

import ast
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode

from segtut.classroom.tables import read_records

MINE = re.compile(r"^MINE\s*=\s*(\{.*?\})", re.MULTILINE | re.DOTALL)


def variant_cell(notebook: NotebookNode) -> NotebookNode | None:
    """The cell with the numbers, found by its tag or, where tags were lost, by the name that it defines."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tagged = [cell for cell in code if "variant" in cell.metadata.get("tags", [])]
    return next((cell for cell in tagged + code if MINE.search(cell.source)), None)


def choices(notebook: NotebookNode) -> dict[str, list]:
    """The values that each constant of a source's variant cell may take; empty without such a cell."""
    cell = variant_cell(notebook)
    return {} if cell is None else cell.metadata.get("segtut", {}).get("variant", {})


def choose(seed: str, name: str, student: str, of: Mapping[str, list]) -> dict:
    """Choose a student's values, always the same for the same class, assignment and student.

    Parameters
    ----------
    seed : str
        The class's.
    name, student : str
        Of the assignment and the student.
    of : dict of list
        The `choices`.

    Returns
    -------
    dict
        One value of each list.
    """
    number = lambda key: int.from_bytes(hashlib.sha256("\0".join((seed, name, student, key)).encode()).digest())  # noqa: E731
    return {key: values[number(key) % len(values)] for key, values in of.items()}


def write_variant(source: str, values: Mapping) -> str:
    """Put values into the text of a variant cell."""
    literal = "{" + ", ".join(f'"{key}": {value!r}' for key, value in values.items()) + "}"
    return MINE.sub(lambda match: match[0].replace(match[1], literal), source, count=1)


def read_variant(source: str) -> dict | None:
    """The values in the text of a variant cell, or None where there is none that can be read."""
    match = MINE.search(source)
    if not match:
        return None
    try:
        values = ast.literal_eval(match[1])
    except (ValueError, SyntaxError):
        return None
    return values if isinstance(values, dict) else None


def read_variants(path: Path) -> dict[str, dict]:
    """Read the table of the students' numbers; empty if there is none."""
    if not path.is_file():
        return {}

    def value(text: str):
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text

    return {row.pop("student"): {key: value(text) for key, text in row.items()} for row in read_records(path)}
