"""Report on a graded assignment: feedback for the students, figures and similar answers for the teacher."""

from dataclasses import dataclass
from pathlib import Path

import nbformat

from segtut.classroom.feedback import hints, write_feedback
from segtut.classroom.folder import ClassroomError, open_folder
from segtut.classroom.grade import Work, write_grades
from segtut.classroom.questions import plot_questions, question_statistics
from segtut.classroom.similarity import similar_pairs, write_similarity
from segtut.classroom.steps import need_nbgrader
from segtut.classroom.tables import read_records, write_csv
from segtut.classroom.template import read_template
from segtut.classroom.variants import read_variants


@dataclass(frozen=True)
class Reported:
    """What `report` wrote."""

    feedback: list[Path]
    questions: list[dict]
    pairs: list[dict]
    failed: list[str]


def report(name: str, folder: str | Path = "class") -> Reported:
    """Write feedback for each student, statistics of each question, and the pairs of answers that are worth a look.

    Points that were filled in for essays since the grading are taken over first.

    Parameters
    ----------
    name : str
        The assignment.
    folder : path
        The class's.

    Returns
    -------
    Reported
        Paths of the pages, rows of the two tables, and the students whose page could not be made.

    Raises
    ------
    ClassroomError
        The assignment was not released or not graded, or the grade book is locked.
    """
    need_nbgrader()
    there = open_folder(folder, name)
    table = there.grades(name, ".csv")
    if not table.is_file():
        raise ClassroomError(f"{name!r} was not graded yet: run `segtut class grade {name}`")
    with there.alone():
        template = read_template(there, name)
        works = [_work(row, there.autograded(name, row["student"]).is_file()) for row in read_records(table)]
        rows = write_grades(there, name, template, works)
        graded = [work.student for work in works if not work.failure]
        failed = write_feedback(there, name, template, graded)
        notebooks = {student: nbformat.read(there.autograded(name, student), as_version=4) for student in graded}
        said = {student: hints(notebook, template) for student, notebook in notebooks.items()}
        questions = question_statistics([row for row in rows if row["student"] in notebooks], template, said)
        write_csv(there.grades(name, "-questions.csv"), questions)
        plot_questions(
            questions, [row for row in rows if row["student"] in notebooks], there.grades(name, "-questions.png")
        )
        pairs = similar_pairs(notebooks, template, read_variants(there.variants(name)))
        write_similarity(there, name, pairs, notebooks)
    pages = [there.feedback(name, student) for student in graded if student not in failed]
    return Reported(pages, questions, pairs, failed)


def _work(row: dict[str, str], graded: bool) -> Work:
    """A row of the table of grades, as `write_grades` takes it."""
    seconds = float(row["seconds"]) if row["seconds"] else None
    work = Work(row["student"], notes=[row["notes"]] if row["notes"] else [], seconds=seconds)
    if seconds is None or not graded:
        work.failure, work.notes = row["notes"], []
    return work
