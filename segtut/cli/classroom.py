"""`segtut class`: hand out, collect, grade and report on assignments."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from segtut.cli.app import app

class_app = typer.Typer(no_args_is_help=True)
app.add_typer(class_app, name="class", help="Hand out assignments, collect and grade the answers.")

Name = Annotated[str, typer.Argument(help="The assignment, such as 2_criss_cross_attention")]
Folder = Annotated[Path, typer.Option(help="Where everything of the class lies")]


@class_app.command("release")
def class_release(
    name: Name,
    folder: Folder = Path("class"),
    source: Annotated[
        Path | None, typer.Option(help="Folder of the assignments with solutions [default: notebooks/assignments]")
    ] = None,
    students: Annotated[
        Path | None, typer.Option(help="CSV, Excel or a name a line: each student gets a notebook with own numbers")
    ] = None,
    seed: Annotated[str | None, typer.Option(help="Of the own numbers [default: random, kept in the folder]")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also if answers to other questions were collected")] = False,
) -> None:
    """Make the students' version of an assignment: without solutions, hidden tests and mark schemes."""
    from segtut.classroom import release

    released = release(name, folder, source, students, seed, again)
    handed_out = folder / "release" / name
    print(f"To hand out: {handed_out / released.notebook.name}")
    if released.variants:
        print(f"With own numbers for {len(released.variants)} students: {handed_out / 'students'}")
        print(f"Who got which: {folder / 'variants' / f'{name}.csv'} (for you only)")
    elif students:
        print("There are no own numbers in this assignment: all students get the same notebook")
    print(f"Next, when they are back: segtut class collect {name} FOLDER_OF_HAND_INS{_where(folder)}")


@class_app.command("collect")
def class_collect(
    name: Name,
    hand_ins: Annotated[Path, typer.Argument(help="Folder or zip, as it comes from Moodle, Canvas or a shared drive")],
    folder: Folder = Path("class"),
) -> None:
    """Copy each student's newest hand-in into the class's folder, and say what was not taken and why."""
    from segtut.classroom import collect

    rows = collect(name, hand_ins, folder)
    for row in rows:
        if row["remark"]:
            print(f"{row['file']}: {row['remark']}")
    taken = sum(row["taken"] == "yes" for row in rows)
    print(f"Taken: {taken} of {len(rows)} files; the table of all: {folder / 'handed_in' / f'{name}.csv'}")
    print(f"Next: segtut class grade {name}{_where(folder)}")


@class_app.command("grade")
def class_grade(
    name: Name,
    folder: Folder = Path("class"),
    jobs: Annotated[int | None, typer.Option(min=1, help="Hand-ins at a time [default: one a core]")] = None,
) -> None:
    """Repair, execute and grade what was collected; run it again to go on where it was interrupted."""
    from segtut.classroom import grade

    try:
        rows = grade(name, folder, jobs)
    except KeyboardInterrupt:
        sys.exit("segtut: interrupted; the same command goes on with the hand-ins that are left")
    width = max(len(row["student"]) for row in rows)
    for row in rows:
        notes = f"  {row['notes'][:90]}{'…' if len(row['notes']) > 90 else ''}" if row["notes"] else ""
        print(f"{row['student']:{width}} {row['total']:6g} of {row['out of']:g}{notes}")
    print(f"Grades: {folder / 'grades' / f'{name}.csv'} and .xlsx")
    essays = folder / "grades" / f"{name}-essays.csv"
    if essays.is_file():
        print(f"Essays to read: fill in the points in {essays}")
    print(f"Next: segtut class report {name}{_where(folder)}")


@class_app.command("report")
def class_report(name: Name, folder: Folder = Path("class")) -> None:
    """Write the students' feedback, statistics of the questions, and pairs of answers that are worth a look."""
    from segtut.classroom import report

    reported = report(name, folder)
    if reported.failed:
        print(f"nbgrader could not make the pages of {', '.join(reported.failed)}")
    grades = folder / "grades"
    print(f"Feedback for {len(reported.feedback)} students: {folder / 'feedback'}/STUDENT/{name}.html")
    print(f"Questions: {grades / f'{name}-questions.png'} and .csv")
    look = sum(bool(row["worth a look"]) for row in reported.pairs)
    print(f"Pairs worth a look: {look}, in {grades / f'{name}-similarity.html'} and .csv")
    print(f"Grades with the essays' points so far: {grades / f'{name}.csv'} and .xlsx")


def _where(folder: Path) -> str:
    return "" if folder == Path("class") else f" --folder {folder}"
