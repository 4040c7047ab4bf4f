"""Pairs of hand-ins that are worth a look, because they share what few others have."""

import ast
import html
import math
from collections import Counter
from collections.abc import Mapping
from itertools import combinations

from nbformat import NotebookNode

from segtut.classroom.feedback import hints
from segtut.classroom.folder import ClassFolder
from segtut.classroom.reading import grade_id
from segtut.classroom.tables import write_csv
from segtut.classroom.template import Template, is_answer, is_test
from segtut.classroom.tokens import grams, numbers, unusual
from segtut.files import write_atomically

COLUMNS = ("first", "second", "worth a look", "shared and rare", "alike", "answers", "signs")
RARE, ALIKE = 15.0, 0.5
"""From here on an answer is worth a look: the weight of what is shared, and its part of what the two wrote."""
CROWD = 3
"""So many students with the same numbers, and that somebody had them tells nothing about any one of these."""
SHOWN = 200


def similar_pairs(
    notebooks: Mapping[str, NotebookNode], template: Template, variants: Mapping[str, Mapping]
) -> list[dict]:
    """Rank pairs of students by what only few others have in common with them.

    Runs of tokens count, each by the logarithm of how rare it is in the class, in which the teacher's own solution
    takes part; what stands in the release does not count. So the obvious right answer, which many find, weighs nothing.

    Parameters
    ----------
    notebooks : dict of NotebookNode
        Graded, by student.
    template : Template
        Of the assignment.
    variants : dict of dict
        Each student's own numbers.

    Returns
    -------
    list of dict
        Rows with the columns ``first``, ``second``, ``worth a look`` (``"yes"`` or nothing), ``shared and rare`` (the
        weight), ``alike`` (the part of the answers named in ``answers``, 0 to 1) and ``signs``, in sentences.
    """
    answers = {student: _answers(notebook) for student, notebook in notebooks.items()}
    shared: dict[tuple[str, str], list[tuple[str, float, float]]] = {}
    for number in template.answers:
        blank = template.blank.cells[number]
        for pair, found in _compare(grade_id(blank), answers, template, number).items():
            shared.setdefault(pair, []).append((grade_id(blank), *found))
    signs, crowded = _signs(notebooks, answers, template, variants)
    rows = []
    for first, second in {*shared, *signs}:
        found = shared.get((first, second), [])
        strong = [(name, weight, part) for name, weight, part in found if part >= ALIKE and weight >= RARE / 3]
        weight = sum(weight for _, weight, _ in found)
        sure = (first, second) in signs and ((first, second) not in crowded or weight >= RARE / 3)
        look = sure or sum(weight for _, weight, _ in strong) >= RARE
        rows.append(
            {
                "first": first,
                "second": second,
                "worth a look": "yes" if look else "",
                "shared and rare": round(weight, 1),
                "alike": round(max((part for *_, part in strong or found), default=0.0), 2),
                "answers": ", ".join(name for name, *_ in strong),
                "signs": " ".join(signs.get((first, second), [])),
            }
        )
    rows.sort(key=lambda row: (not row["worth a look"], not row["signs"], -row["shared and rare"], row["first"]))
    return rows[:SHOWN]


def write_similarity(there: ClassFolder, name: str, pairs: list[dict], notebooks: Mapping[str, NotebookNode]) -> None:
    """Write the pairs as a table, and as a page with the answers of those worth a look side by side."""
    write_csv(there.grades(name, "-similarity.csv"), pairs, COLUMNS)
    look = [row for row in pairs if row["worth a look"]]
    parts = [f"<p>{len(look)} pairs are worth a look. Only a talk with both can tell what happened.</p>"]
    for row in look[:30]:
        heading = f"{html.escape(row['first'])} and {html.escape(row['second'])}"
        parts.append(f"<h2>{heading}</h2><p>{html.escape(row['signs'])}</p>")
        both = [_answers(notebooks[row[side]]) for side in ("first", "second")]
        for question in row["answers"].split(", ") if row["answers"] else []:
            cells = "".join(f"<td><pre>{html.escape(answers.get(question, ''))}</pre></td>" for answers in both)
            parts.append(f"<h3>{html.escape(question)}</h3><table><tr>{cells}</tr></table>")
    page = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(name)}: worth a look</title>'
        "<style>body{font-family:sans-serif;margin:2em}table{width:100%;table-layout:fixed}"
        "td{vertical-align:top;background:#f4f4f4;padding:.5em}pre{white-space:pre-wrap;margin:0}</style></head>"
        f"<body><h1>{html.escape(name)}: worth a look</h1>{''.join(parts)}</body></html>\n"
    )
    write_atomically(there.grades(name, "-similarity.html"), lambda file: file.write_text(page, encoding="utf-8"))


def _answers(notebook: NotebookNode) -> dict[str, str]:
    return {grade_id(cell): cell.source for cell in notebook.cells if is_answer(cell)}


def _compare(question: str, answers: Mapping[str, Mapping[str, str]], template: Template, number: int) -> dict:
    """Weight of what each pair shares of an answer, and its part of what the two have."""
    code = template.blank.cells[number].cell_type == "code"
    given = set().union(*(grams(cell.source, code) for cell in template.blank.cells))
    sets = {student: grams(of.get(question, ""), code) - given for student, of in answers.items()}
    model = grams(template.source.cells[number].source, code) - given
    having = Counter(gram for found in [*sets.values(), model] for gram in found)
    everyone = sum(map(bool, sets.values())) + 2
    weight = {gram: math.log(everyone / count) for gram, count in having.items()}
    total = lambda found: sum(map(weight.__getitem__, found))  # noqa: E731
    result = {}
    for first, second in combinations(sorted(sets), 2):
        both = sets[first] & sets[second]
        if both:
            result[first, second] = total(both), total(both) / total(sets[first] | sets[second])
    return result


def _signs(notebooks: Mapping, answers: Mapping, template: Template, variants: Mapping) -> tuple[dict, set]:
    """Sentences on what two hand-ins can hardly have in common by chance, by pair.

    Also the pairs of which that is all, where several students have the numbers that were found.
    """
    signs: dict[tuple[str, str], list[str]] = {}
    add = lambda first, second, text: signs.setdefault(tuple(sorted((first, second))), []).append(text)  # noqa: E731
    crowded: set[tuple[str, str]] = set()

    def add_numbers(student: str, other: str, text: str) -> None:
        add(student, other, text)
        if list(variants.values()).count(variants.get(other)) >= CROWD:
            crowded.add(tuple(sorted((student, other))))

    for student, notebook in notebooks.items():
        for other in notebook.metadata.get("segtut", {}).get("variant_of", []):
            if other in notebooks:
                add_numbers(student, other, f"The hand-in of {student} came with the numbers of {other}.")
    for question in _own_numbers(template):
        typed = {student: numbers(of.get(question, "")) for student, of in answers.items()}
        right = {student: not hints(notebook, template)[question] for student, notebook in notebooks.items()}
        for first, second in combinations(sorted(notebooks.keys() & variants.keys()), 2):
            same = typed[first] and typed[first] == typed[second] and variants[first] != variants[second]
            if same and right[first] != right[second]:
                wrong, other = (second, first) if right[first] else (first, second)
                add_numbers(wrong, other, f"In {question} {wrong} typed the numbers that are right for {other}.")
    known = set().union(*(unusual(cell.source) for cell in [*template.blank.cells, *template.source.cells]))
    texts = {
        student: set().union(*(unusual(cell.source) for cell in notebook.cells if cell.cell_type == "code")) - known
        for student, notebook in notebooks.items()
    }
    having = Counter(text for found in texts.values() for text in found)
    for first, second in combinations(sorted(notebooks), 2):
        both = sorted((text for text in texts[first] & texts[second] if having[text] == 2), key=len, reverse=True)
        if len(both) > 1 or any(" " in text for text in both):  # one long name may be chance
            add(first, second, f"Only these two have {', '.join(repr(text[:60]) for text in both[:3])}.")
            crowded.discard((first, second))
    return signs, crowded


def _own_numbers(template: Template) -> list[str]:
    """Questions whose tests look at the student's own numbers."""
    names = lambda source: {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}  # noqa: E731
    return [
        question
        for question in template.questions
        if any(
            is_test(cell) and cell.cell_type == "code" and "MINE" in names(cell.source)
            for cell in template.cells
            if grade_id(cell) in {grade_id(part) for part in template.questions[question]}
        )
    ]
