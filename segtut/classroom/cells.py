"""What a cell's text tells: the names that it defines, and how it compares with another."""

import ast
import re
import symtable

DEFINES = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
LINE_OF_IPYTHON = re.compile(r"^(\s*)(%{1,2}[A-Za-z]|!|\?)")


def names_defined(source: str) -> set[str]:
    """Functions, classes and variables that the text defines at its outermost level, even if it does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {first or second for first, second in DEFINES.findall(source)}
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return names


def names_bound(source: str) -> set[str]:
    """Names that the text gives a meaning at its outermost level, by definition, assignment or import."""
    try:
        symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return names_defined(source)
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def plain(source: str) -> str:
    """The text without what editors change: spaces at the ends of lines, empty lines."""
    return "\n".join(line.rstrip() for line in source.splitlines() if line.strip())


def similarity(first: str, second: str) -> float:
    """How alike two texts are, from 0 to 1."""
    from rapidfuzz import fuzz

    return fuzz.ratio(first, second) / 100


def without_commands(source: str) -> tuple[str, list[str]]:
    """Comment out lines that are commands to IPython or to the shell, which a grader's machine does not run.

    Returns
    -------
    source : str
        Python.
    commands : list of str
        What was commented out.
    """
    try:
        ast.parse(source)
        return source, []  # a line that begins with % may go on from the one above
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    first = source.lstrip().split("\n", 1)[0].strip()
    if first.startswith("%%") and not re.match(r"%%(time|timeit|capture|prun)\b", first):  # the cell is not Python
        return "\n".join(f"# {line}" for line in source.splitlines()), [first]
    lines, commands = [], []
    for line in source.split("\n"):
        match = LINE_OF_IPYTHON.match(line)
        if match:
            commands.append(line.strip())
            line = f"{match[1]}{'pass  ' if match[1] else ''}# {line.strip()}"
        lines.append(line)
    return "\n".join(lines), commands
