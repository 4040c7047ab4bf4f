"""The grade book: read and write points through nbgrader."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from segtut.classroom.folder import BookLocked, ClassFolder


@contextmanager
def grade_book(there: ClassFolder) -> Iterator:
    """Open nbgrader's grade book; one that another program holds is an error of one sentence."""
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import OperationalError

    try:
        with Gradebook(there.gradebook) as book:
            yield book
    except OperationalError as error:
        raise BookLocked(
            f"the grade book {there.root / 'gradebook.db'} is locked or damaged ({error.orig}); close nbgrader's "
            "formgrader and other programs that use it, and run this again"
        ) from error


@dataclass(frozen=True)
class Marks:
    """What the grade book holds of a student's hand-in: points (None: a teacher has to read it) and comments."""

    points: dict[str, float | None]
    comments: dict[str, str]


def read_marks(there: ClassFolder, name: str) -> dict[str, Marks]:
    """Read the points and comments of each graded cell, for every student of whom something was graded."""
    with grade_book(there) as book:
        waits = lambda grade: grade.manual_score is None and grade.auto_score is None  # noqa: E731
        return {
            submission.student.id: Marks(
                {grade.name: None if waits(grade) else grade.score for grade in submission.grades},
                {comment.name: comment.comment for comment in submission.comments if comment.comment},
            )
            for submission in book.notebook_submissions(name, name)
        }


def set_manual(there: ClassFolder, name: str, student: str, cell: str, points: float, comment: str = "") -> None:
    """Enter a teacher's points, and a comment, for a cell."""
    with grade_book(there) as book:
        grade = book.find_grade(cell, name, name, student)
        if grade.manual_score != points:
            grade.manual_score, grade.needs_manual_grade = points, False
        if comment:
            book.find_comment(cell, name, name, student).manual_comment = comment
        book.db.commit()
