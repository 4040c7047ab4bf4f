"""Essays are read by a teacher: the table with the answers and the rubric, to be filled in."""

import re

import nbformat

from segtut.classroom.book import Marks, set_manual
from segtut.classroom.folder import ClassFolder
from segtut.classroom.leaks import secret_lines
from segtut.classroom.reading import grade_id
from segtut.classroom.tables import read_records, write_csv
from segtut.classroom.template import Template

POINTS = re.compile(r"(\d+(?:\.\d+)?)\s*(?:points?|pts?|marks?)\b", re.IGNORECASE)


def rubric(template: Template, question: str) -> dict[str, float]:
    """The columns to fill in for an essay, with the most points of each: the lines of its mark scheme with points."""
    cell = next(cell for cell in template.source.cells if grade_id(cell) == question)
    columns = {}
    for kind, line in secret_lines(cell.source):
        if kind == "MARK SCHEME" and (found := POINTS.search(line)):
            text = re.sub(r"\s+", " ", POINTS.sub("", line)).strip(" -*:=—–()#")
            columns[f"{text[:80] or 'points'} (of {float(found[1]):g})"] = float(found[1])
    return columns or {f"points (of {template.points(question):g})": template.points(question)}


def write(there: ClassFolder, name: str, template: Template, students: list[str], marks: dict[str, Marks]) -> None:
    """Write the table of the answers; what the teacher filled in stays."""
    questions = {question: rubric(template, question) for question in template.questions if template.is_essay(question)}
    if not questions:
        return
    path = there.grades(name, "-essays.csv")
    before = _before(path)
    rows = []
    for student in students:
        points = marks[student].points if student in marks else {}
        notebook = nbformat.read(there.executed(name, student), as_version=4)
        answers = {grade_id(cell): cell.source for cell in notebook.cells}
        for question in questions:
            kept = before.get((student, question), {})
            if kept or not _blank(template, question, answers[question]):
                facts = {"student": student, "question": question, "answer": answers[question]}
                rows.append(kept | facts | {"in the grade book": points.get(question)})
    columns = ["student", "question", "answer", *(column for columns in questions.values() for column in columns)]
    earlier = [column for row in before.values() for column in row if column]
    write_csv(path, rows, list(dict.fromkeys([*columns, *earlier, "comment", "in the grade book"])))


def read(there: ClassFolder, name: str, template: Template, marks: dict[str, Marks]) -> dict[str, list[str]]:
    """Enter the points that the teacher filled in into the grade book.

    Columns of a row that are left empty count as 0 as soon as one is filled in. A row without any leaves the grade
    book as it is, so that grades given in nbgrader's formgrader stay.

    Returns
    -------
    dict of list of str
        For a student a sentence for each thing that is not as it should be; the nearest possible value was taken.
    """
    remarks: dict[str, list[str]] = {}
    for (student, question), row in _before(there.grades(name, "-essays.csv")).items():
        if question not in template.questions or student not in marks:
            continue
        said = remarks.setdefault(student, [])
        answer = _answer(there, name, student, question)
        filled = {column: row[column] for column in rubric(template, question) if row.get(column)}
        if filled and answer is not None and _squeezed(answer) != _squeezed(row["answer"]):
            said.append(f"The answer {question} changed after it was graded.")
        values = [_value(text, rubric(template, question)[column], column, said) for column, text in filled.items()]
        if None in values or not values:
            continue
        most = template.points(question)
        if sum(values) > most:
            said.append(f"{question}: {sum(values):g} points are more than {most:g}; it got {most:g}.")
        set_manual(there, name, student, question, min(sum(values), most), row.get("comment", ""))
    return remarks


def _before(path) -> dict[tuple[str, str], dict[str, str]]:
    return {(row["student"], row["question"]): row for row in read_records(path)} if path.is_file() else {}


def _answer(there: ClassFolder, name: str, student: str, question: str) -> str | None:
    path = there.executed(name, student)
    cells = nbformat.read(path, as_version=4).cells if path.is_file() else []
    return next((cell.source for cell in cells if grade_id(cell) == question), None)


def _value(text: str, most: float, column: str, said: list[str]) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        said.append(f"{text!r} under {column!r} is no number; the essay is not graded.")
        return None
    if not 0 <= value <= most:
        said.append(f"{text} under {column!r} is not from 0 to {most:g}; the nearest was taken.")
    return min(max(value, 0.0), most)


def _blank(template: Template, question: str, answer: str) -> bool:
    given = next(cell.source for cell in template.blank.cells if grade_id(cell) == question)
    return _squeezed(answer) == _squeezed(given)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
