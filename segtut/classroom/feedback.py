"""Feedback: a page for each student that says what was checked, what it found and what was lost."""

import copy
import hashlib
import html
import re
import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from segtut.classroom.book import Marks, read_marks
from segtut.classroom.folder import ClassFolder
from segtut.classroom.reading import grade_id
from segtut.classroom.steps import generate_feedback
from segtut.classroom.template import Template, is_test
from segtut.files import write_atomically

TOGETHER = 8
"""Pages that nbgrader makes in one go: its template is read once for all of them."""
BEFORE, AFTER = ".feedback-before", ".feedback-after"
ELSEWHERE = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^>]*>.*?</script>"  # MathJax, which nbconvert takes from a CDN
    r"|<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->"
    r"|<link\b[^>]*\bhref\s*=\s*[\"']?(?:https?:)?//[^>]*>"
    r"|@import\s+url\([^)]*//[^)]*\)\s*;?",
    re.DOTALL | re.IGNORECASE,
)
ONLY_THIS_PAGE = (  # so that nothing that a hand-in brings runs or loads, whatever a filter overlooked
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:\">"
)
STYLE = "<style>td, th { padding: 0.1em 1em 0.1em 0 !important; text-align: left } #toc { display: none }</style>"
"""Room in tables; the points stand in ours, with the questions' names."""
IMAGE = re.compile(r"<img\b(?![^>]*\bsrc\s*=\s*[\"']data:)[^>]*>", re.IGNORECASE)
ALT = re.compile(r"\balt\s*=\s*[\"']([^\"']*)", re.IGNORECASE)


def write_feedback(there: ClassFolder, name: str, template: Template, students: list[str]) -> list[str]:
    """Write the students' pages through nbgrader, so that they need nothing from elsewhere.

    Hidden tests show their hint but not their source, so that they can be used again; formulas stay text. What
    is as it was is not written again.

    Returns
    -------
    list of str
        Students whose page could not be made.
    """
    marks = read_marks(there, name)
    marked = {student: _marked(there, name, template, student, marks[student]) for student in students}
    stale = {
        student: found for student, found in marked.items() if found[1] not in _last_line(there.feedback(name, student))
    }
    failed = []
    with tqdm(total=len(stale), desc="Feedback", unit="page", disable=None if stale else True) as bar:
        for start in range(0, len(stale), TOGETHER):
            group = dict(list(stale.items())[start : start + TOGETHER])
            failed += _write_pages(there, name, group)
            bar.update(len(group))
    return failed


def _marked(there: ClassFolder, name: str, template: Template, student: str, marks: Marks) -> tuple[NotebookNode, str]:
    """The notebook to show, and a digest of all that its page depends on."""
    notebook = nbformat.read(there.autograded(name, student), as_version=4)
    shown = _simplified(notebook, template)
    shown.cells.insert(0, nbformat.v4.new_markdown_cell(summary(notebook, template, marks.points), id="summary"))
    digest = hashlib.sha256((nbformat.writes(shown) + repr(marks)).encode("utf-8", "replace")).hexdigest()
    return shown, f"<!-- {digest} -->"


def _write_pages(there: ClassFolder, name: str, group: dict[str, tuple[NotebookNode, str]]) -> list[str]:
    failed = []
    try:
        for student, (shown, _) in group.items():
            before = there.root / BEFORE / student / name / f"{name}.ipynb"
            write_atomically(before, lambda file: file.write_text(nbformat.writes(shown), encoding="utf-8"))  # noqa: B023
        generate_feedback(there, name, list(group), BEFORE, AFTER)
        for student, (_, mark) in group.items():
            made = there.root / AFTER / student / name / f"{name}.html"
            if not made.is_file():
                failed.append(student)
                continue
            page = IMAGE.sub(_alt, ELSEWHERE.sub("", made.read_text(encoding="utf-8")))
            page = page.replace("<head>", f"<head>\n{ONLY_THIS_PAGE}\n{STYLE}", 1).rstrip() + f"\n{mark}\n"
            write_atomically(there.feedback(name, student), lambda file: file.write_text(page, encoding="utf-8"))  # noqa: B023
    finally:
        for step in (BEFORE, AFTER):
            shutil.rmtree(there.root / step, ignore_errors=True)
    return failed


def _last_line(path: Path) -> str:
    return path.read_text(encoding="utf-8")[-100:] if path.is_file() else ""


def hints(notebook: NotebookNode, template: Template) -> dict[str, list[str]]:
    """What the failed tests of each question said."""
    cells = {grade_id(cell): cell for cell in notebook.cells}
    found: dict[str, list[str]] = {}
    for question, parts in template.questions.items():
        said = [hint(cells[grade_id(part)]) for part in parts if is_test(part) and grade_id(part) in cells]
        found[question] = list(dict.fromkeys(text for text in said if text))
    return found


def hint(cell: NotebookNode) -> str:
    """The message of a failed test, or nothing."""
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            message = " ".join(output.evalue.split())
            if output.ename == "NotImplementedError" and message == "your answer":
                return "The answer is not filled in."
            return message if output.ename == "AssertionError" and message else f"{output.ename}: {message}"
    return ""


def summary(notebook: NotebookNode, template: Template, points: dict[str, float | None]) -> str:
    """What stands on top of the page, as Markdown: points, hints and notes."""
    lines = ["| question | points | of |", "| --- | --- | --- |"]
    lost = []
    for question, parts in template.questions.items():
        got = [points.get(grade_id(part)) for part in parts]
        most = template.points(question)
        text = "not read yet" if None in got else f"{sum(got):g}"
        lines.append(f"| {question} | {text} | {most:g} |")
        if None not in got and sum(got) < most:
            said = hints(notebook, template)[question]
            why = [f"  - {_quoted(text)}" for text in said]
            lost += [f"- **{question}**: {most - sum(got):g} of {most:g} points lost", *why]
    facts = notebook.metadata.get("segtut", {})
    notes = [*facts.get("repairs", []), *facts.get("execution", {}).get("notes", [])]
    parts = ["## Your result", "\n".join(lines)]
    parts += ["### What the tests said", "\n".join(lost)] if lost else []
    parts += (
        ["### About your notebook", "\n".join(f"- {_quoted(note)}" for note in dict.fromkeys(notes))] if notes else []
    )
    return "\n\n".join(parts)


def _simplified(notebook: NotebookNode, template: Template) -> NotebookNode:
    """Hide what the hidden tests do; of a failed test leave the hint; drop HTML that does more than to mark up text."""
    from nbconvert.preprocessors.sanitize import SanitizeHTML

    shown = copy.deepcopy(notebook)
    blanks = {grade_id(cell): cell for cell in template.blank.cells if is_test(cell)}
    for cell in shown.cells:
        cell.pop("attachments", None)
        if is_test(cell) and cell.cell_type == "code":
            cell.source = blanks[grade_id(cell)].source
            for output in cell.outputs:
                if output.output_type == "error":
                    output.traceback = [hint(cell)]
    return SanitizeHTML(enabled=True).preprocess(shown, {})[0]


def _alt(match: re.Match) -> str:
    found = ALT.search(match[0])
    return f"[{found[1]}]" if found and found[1] else ""


def _quoted(text: str) -> str:
    """Text as Markdown shows it, whatever signs are in it."""
    return re.sub(r"([\\`*_{}\[\]|#$~])", r"\\\1", html.escape(text, quote=False))
