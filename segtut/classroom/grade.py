"""Grade the collected hand-ins: repair, execute in the sandbox, read the grades."""

import hashlib
import os
import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from segtut.classroom import essays
from segtut.classroom.book import Marks, read_marks
from segtut.classroom.collect import hand_in_of
from segtut.classroom.folder import BookLocked, ClassFolder, ClassroomError, open_folder, safe_name
from segtut.classroom.proof import ask_for_proof, check_proof
from segtut.classroom.reading import Unreadable
from segtut.classroom.repair import repair
from segtut.classroom.steps import autograde, need_nbgrader
from segtut.classroom.tables import read_records, write_csv, write_excel
from segtut.classroom.template import Template, read_template
from segtut.classroom.variants import read_variants
from segtut.files import write_atomically


@dataclass
class Work:
    """A student's hand-in on its way to a grade."""

    student: str
    notebook: NotebookNode | None = None
    notes: list[str] = field(default_factory=list)
    digest: str = ""
    seconds: float | None = None
    failure: str = ""


def grade(
    name: str, folder: str | Path = "class", jobs: int | None = None, execute: Callable | None = None
) -> list[dict]:
    """Grade what was collected of an assignment; what is graded already and unchanged is not executed again.

    Parameters
    ----------
    name : str
        The assignment.
    folder : path
        The class's.
    jobs : int, optional
        Hand-ins to execute at a time; default one a core.
    execute : callable, optional
        From a notebook to the executed one; default the sandbox's.

    Returns
    -------
    list of dict
        A row a student: ``student``, the points of each question (None for an essay that nobody graded yet),
        ``total``, ``out of``, ``notes`` and ``seconds``; also in ``grades/NAME.csv`` and ``.xlsx``.

    Notes
    -----
    What the sandbox holds off on this machine is printed before hand-ins are executed in it.

    Raises
    ------
    ClassroomError
        The assignment was not released, nothing was collected, or the grade book is locked.
    """
    need_nbgrader()
    from segtut.classroom.sandbox import Limits  # here, since its server runs as a module of this package

    there = open_folder(folder, name)
    if not there.collected(name).is_file():
        raise ClassroomError(f"nothing of {name!r} was collected: run `segtut class collect {name} FOLDER_OF_HAND_INS`")
    with there.alone():
        template = read_template(there, name)
        works = _prepare(there, name, template, _digest_of_checks(repr(Limits())))
        _execute_and_read(there, name, works, jobs or os.cpu_count() or 1, execute)
        return write_grades(there, name, template, works)


def write_grades(there: ClassFolder, name: str, template: Template, works: list[Work]) -> list[dict]:
    """Bring the essays' grades into the grade book, and write the tables."""
    graded = [work for work in works if not work.failure]
    remarks = essays.read(there, name, template, read_marks(there, name))
    for work in graded:
        work.notes += remarks.get(work.student, [])
    marks = read_marks(there, name)
    essays.write(there, name, template, [work.student for work in graded], marks)
    rows = [_row(template, work, marks.get(work.student)) for work in works]
    columns = list(dict.fromkeys(["student", *template.questions, "total", "out of", "notes", "seconds"]))
    write_csv(there.grades(name, ".csv"), rows, columns)
    write_excel(there.grades(name, ".xlsx"), rows, columns)
    return rows


def _prepare(there: ClassFolder, name: str, template: Template, checks: bytes) -> list[Work]:
    """Repair every hand-in; also list who handed in nothing, or nothing that can be graded."""
    variants = read_variants(there.variants(name))
    collected = read_records(there.collected(name))
    remarks = {row["student"]: row["remark"] for row in collected if row["taken"] != "yes"}
    listed = [safe_name(student["name"]) for student in there.settings().get("students", [])]
    names = dict.fromkeys([*(row["student"] for row in collected if row["student"]), *listed])
    works = []
    for student in sorted(names):
        work = Work(student)
        works.append(work)
        try:
            hand_in, notes = hand_in_of(there, name, student)
            work.notebook, repairs = repair(hand_in, template, variants.get(student), variants)
            work.notes = notes + repairs
            work.digest = _digest(work.notebook, checks)
        except Unreadable as error:
            work.failure = remarks.get(student) or ("Nothing was handed in." if student in listed else str(error))
        except Exception as error:  # one hand-in never stops the others
            work.failure = f"It could not be brought onto the assignment ({type(error).__name__}: {error})."
    return works


def _execute_and_read(there: ClassFolder, name: str, works: list[Work], jobs: int, execute: Callable | None) -> None:
    from segtut.classroom.sandbox import stop

    marks = read_marks(there, name)
    done = lambda work: work.student in marks and _digest_in(there.autograded(name, work.student)) == work.digest  # noqa: E731
    todo = [work for work in works if work.notebook is not None and not done(work)]
    if todo and execute is None:
        from segtut.classroom.protections import protections
        from segtut.classroom.sandbox import execute

        print("Executing hand-ins in the sandbox. Tried on this machine:", *protections(), sep="\n", flush=True)
    pool = ThreadPoolExecutor(jobs)
    try:
        running: dict[Future, Work] = {pool.submit(_execute, there, name, work, execute): work for work in todo}
        for future in tqdm(
            as_completed(running), total=len(todo), desc="Grading", unit="hand-in", disable=None if todo else True
        ):
            work = running[future]
            try:
                future.result()
                autograde(there, name, work.student)
            except BookLocked:
                raise
            except ClassroomError as error:
                work.failure = f"It could not be graded: {error}."
            except Exception as error:  # one hand-in never stops the others
                work.failure = f"It could not be graded ({type(error).__name__}: {error})."
    except BaseException:  # Ctrl-C, or a locked grade book
        stop()  # what is being executed; the next grading does it again
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    for work in works:
        if work.notebook is not None and not work.failure:
            facts = nbformat.read(there.executed(name, work.student), as_version=4).metadata.segtut
            work.seconds = facts.get("execution", {}).get("seconds")
            work.notes += facts.get("execution", {}).get("notes", [])


def _execute(there: ClassFolder, name: str, work: Work, execute: Callable) -> None:
    """Execute a hand-in unless that was done, and keep the result; an interrupted grading goes on from here."""
    path = there.executed(name, work.student)
    if _digest_in(path) == work.digest:
        return
    token = secrets.token_hex(8)
    executed = execute(ask_for_proof(work.notebook, token))
    executed = check_proof(executed, work.notebook, token)
    executed.metadata.setdefault("segtut", {}).update(digest=work.digest, repairs=work.notes)
    write_atomically(path, lambda file: file.write_text(nbformat.writes(executed), encoding="utf-8"))


def _digest_in(path: Path) -> str | None:
    if not path.is_file():
        return None
    return nbformat.read(path, as_version=4).metadata.get("segtut", {}).get("digest")


def _digest(notebook: NotebookNode, checks: bytes) -> str:
    """Of everything that an execution's outcome depends on: the notebook with its tests, the checks, the limits."""
    return hashlib.sha256(nbformat.writes(notebook).encode() + checks).hexdigest()


def _digest_of_checks(limits: str) -> bytes:
    files = sorted((Path(__file__).parents[1] / "checks").glob("*.py"))
    return limits.encode() + b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)


def _row(template: Template, work: Work, marks: Marks | None) -> dict:
    if marks is None and not work.failure:
        work.failure = "The grade book holds no grades of it."
    points = None if work.failure else marks.points
    row: dict = {"student": work.student}
    for question, cells in template.questions.items():
        parts = [points[cell.metadata.nbgrader.grade_id] for cell in cells] if points else [0.0]
        row[question] = None if None in parts else round(sum(parts), 2)
    row["total"] = round(sum(row[question] or 0 for question in template.questions), 2)
    row["out of"] = round(sum(map(template.points, template.questions)), 2)
    row["notes"] = work.failure or " ".join(dict.fromkeys(work.notes))
    row["seconds"] = None if work.seconds is None else round(work.seconds, 1)
    return row
