"""Keep a hand-in's own definitions from standing in for what the tests use."""

import ast

import nbformat
from nbformat import NotebookNode

from segtut.classroom.cells import names_bound
from segtut.classroom.template import Template, is_answer, is_test


def shield(cells: list[NotebookNode], template: Template, notes: list[str]) -> list[NotebookNode]:
    """Import again, before a test, each name that a student's cell gave another meaning to.

    A cell that says ``check_reach = print``, by intent or because the student wanted a check of that name, would
    otherwise let every answer pass. The same goes for the cell with the student's own numbers.
    """
    variant = None if template.variant is None else template.blank.cells[template.variant].get("id")
    meanings: dict[str, str] = {}  # what the template's cells so far let a name mean
    rebound: set[str] = set()
    shielded: list[NotebookNode] = []
    said: set[str] = set()
    for cell in cells:
        if cell.cell_type == "code" and (is_answer(cell) or cell.id.startswith("own-")):
            imports = _imports(cell.source)
            rebound |= {name for name in names_bound(cell.source) if imports.get(name) != meanings.get(name, "")}
        elif cell.cell_type == "code" and is_test(cell):
            back = [name for name in meanings if name in rebound and name in _names_used(cell.source)]
            if back:
                text = "\n".join(dict.fromkeys(meanings[name] for name in back))
                shielded.append(nbformat.v4.new_code_cell(text, id=f"shield-{len(shielded)}"))
                for name in set(back) - said:
                    notes.append(f"Your notebook gives {name} another meaning; the tests use the assignment's.")
                said |= set(back)
        elif cell.cell_type == "code":
            meanings |= _imports(cell.source)
            if cell.get("id") == variant:
                meanings["MINE"] = cell.source
        shielded.append(cell)
    return shielded


def _imports(source: str) -> dict[str, str]:
    """The statement behind each imported name."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                node.names, names = [alias], node.names
                found[alias.asname or alias.name.split(".")[0]] = ast.unparse(node)
                node.names = names
    return found


def _names_used(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
