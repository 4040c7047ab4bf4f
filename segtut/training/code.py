"""The code that a run depends on, as a fingerprint for its card."""

import ast
import hashlib
import io
import tokenize
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
PARTS = ("attention", "networks", "data", "training")
"""The parts of segtut in which a training computes."""
ELSEWHERE = (
    "attention/oracle.py", "data/archive.py", "data/download.py", "data/probes.py", "training/card.py",
    "training/code.py", "training/comparison.py", "training/history.py",
)  # fmt: skip
"""Files of these parts in which it does not."""


def fingerprint() -> dict[str, str]:
    """Digest of every file of `PARTS`, but for those `ELSEWHERE`, by its path in the package.

    Comments, docstrings and empty lines do not count: they change no result.
    """
    files = {path.relative_to(PACKAGE).as_posix(): path for part in PARTS for path in (PACKAGE / part).rglob("*.py")}
    names = sorted(files.keys() - set(ELSEWHERE))
    return {name: digest(files[name].read_text(encoding="utf-8")) for name in names}


def also_ran(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Commit and code of a run that one commit began and perhaps another goes on with.

    Of a file that differs between the two, no digest is right.
    """
    commits = dict.fromkeys((*str(before.get("commit")).split(", "), str(now["commit"])))
    files = before.get("code", {}).keys() | now["code"].keys()
    same = lambda file: before.get("code", {}).get(file) == now["code"].get(file)  # noqa: E731
    code = {file: now["code"][file] if same(file) else "differs within the run" for file in sorted(files)}
    return {"commit": ", ".join(commits) if commits != {"None": None} else None, "code": code}


def changed_since(card: Mapping[str, Any], now: Mapping[str, str]) -> list[str] | None:
    """Files whose code is not what the run of a card used, or that are new or gone.

    Parameters
    ----------
    card : dict
        A run card.
    now : dict
        The `fingerprint` of today.

    Returns
    -------
    list of str, or None
        Paths in the package; None for a card that does not tell.
    """
    then = card.get("code")
    if then is None:
        return None
    return sorted(path for path in now.keys() | then.keys() if now.get(path) != then.get(path))


def notes(cards: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences that must stand beside what cards say: code that has changed since, or that they do not tell."""
    now = fingerprint()
    changed = [changed_since(card, now) for card in cards]
    files = sorted({file for some in changed for file in some or []})
    said = []
    if silent := changed.count(None):
        said.append(
            f"{silent} of {len(cards)} cards are older than the field that says which code they ran, beyond the commit."
        )
    if files:
        said.append(
            f"Since {sum(map(bool, changed))} of {len(cards)} cards were made, code has changed in {', '.join(files)}: "
            "what they say is said of the code of then."
        )
    return said


def digest(source: str) -> str:
    """Digest of Python source without comments, docstrings and empty lines; the same on every version of Python."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                rows = range(statement.lineno - 1, statement.end_lineno)
                lines = ["" if row in rows else line for row, line in enumerate(lines)]
    code = "\n".join(line.rstrip() for line in lines if line.strip())
    return hashlib.sha256(code.encode()).hexdigest()[:12]
