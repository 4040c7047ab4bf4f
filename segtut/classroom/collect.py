"""Collect hand-ins from a folder as a learning platform or a shared drive leaves it."""

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from segtut.classroom.folder import ClassFolder, ClassroomError, open_folder, safe_name
from segtut.classroom.reading import Unreadable, read_hand_in
from segtut.classroom.recognise import belongs_to
from segtut.classroom.roster import match, squeezed
from segtut.classroom.steps import need_nbgrader
from segtut.classroom.tables import read_records, write_csv
from segtut.classroom.unzip import unzip
from segtut.files import write_atomically

COLUMNS = ("student", "file", "taken", "remark")
MOODLE = re.compile(r"(.+?)_\d+_assignsubmission_(?:file|onlinetext)(?:_.*)?")
CANVAS = re.compile(r"([^_]+)(?:_LATE)?_\d+_\d+_.+")
IGNORED = ("__MACOSX", ".ipynb_checkpoints", ".git", "__pycache__", ".DS_Store", "desktop.ini", "Thumbs.db")
BROKEN = (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError)


@dataclass
class File:
    """A file that was looked at."""

    path: Path
    shown: str  # its path from the collected folder
    student: str
    remark: str = ""
    fits: bool = False
    worked_on: bool = False
    taken: bool = False


def collect(name: str, hand_ins: str | Path, folder: str | Path = "class") -> list[dict[str, str]]:
    """Copy each student's newest hand-in of an assignment, unchanged, into the class's folder.

    Parameters
    ----------
    name : str
        The assignment.
    hand_ins : path
        A folder or a zip: a folder or a notebook a student, or as Moodle or Canvas pack them; zips inside are opened.
    folder : path
        The class's.

    Returns
    -------
    list of dict
        A row for each file: ``student``, ``file``, ``taken`` (``"yes"`` or ``"no"``) and ``remark``, why or why not.
        The same stands in ``handed_in/NAME.csv``, with the rows of earlier collections.

    Raises
    ------
    ClassroomError
        nbgrader is not installed, there is no such folder, nothing is in it, or the assignment was not released.
    """
    need_nbgrader()
    there = open_folder(folder, name)
    hand_ins = Path(hand_ins)
    if not hand_ins.exists():
        raise ClassroomError(f"there is no folder and no zip {hand_ins}")
    with there.alone(), tempfile.TemporaryDirectory() as scratch:
        students = there.settings().get("students", [])
        files = []
        for path, shown, owner, remark in _walk(hand_ins, Path(scratch)):
            who = re.sub(rf"[\s_-]*{re.escape(name)}[\s_-]*", " ", owner).strip() or owner
            known = match(who, students) or match(who_by(path.stem), students)
            file = File(path, shown.as_posix(), known or (safe_name(who) if who else ""), remark)
            if not remark:
                file.fits, file.worked_on, file.remark = belongs_to(path, name, there)
            if students and who and known is None:
                file.remark = f"{file.remark} {file.student} is not on the list of students.".strip()
            files.append(file)
        earlier = [path.name for path in there.handed_in(name).glob("*") if path.is_dir()]
        if not files:
            raise ClassroomError(f"there is no file in {hand_ins}")
        for student, group in _by_student(files, earlier).items():
            _take_newest(there.handed_in(name) / student, group)
        rows = [
            {"student": file.student, "file": file.shown, "taken": "yes" if file.taken else "no", "remark": file.remark}
            for file in files
        ]
        _keep_table(there, name, rows)
    return rows


def _walk(folder: Path, scratch: Path) -> Iterator[tuple[Path, Path, str, str]]:
    """Yield each file with its path to show, whose it is by its place, and a remark if it can't be a hand-in."""
    if folder.is_dir():
        todo = [(item, Path(item.name), "") for item in _packed(folder)]
    else:
        try:
            unzip(folder, scratch / "all")
        except BROKEN as error:
            raise ClassroomError(f"{folder} is no zip that can be unpacked: {error}") from error
        todo = [(item, Path(item.name), "") for item in _packed(scratch / "all")]
    while todo:
        path, shown, owner = todo.pop(0)
        if path.name in IGNORED or path.name.startswith("._"):
            continue
        if path.is_symlink():
            yield path, shown, owner, "It is a link to another place; it was not followed."
        elif path.is_dir():
            todo += [(item, shown / item.name, owner or who_by(path.name)) for item in sorted(path.iterdir())]
        elif path.suffix.lower() == ".zip":
            owner = owner or who_by(path.stem)
            target = scratch / str(len(list(scratch.iterdir())))
            try:
                unzip(path, target)
            except BROKEN as error:
                yield path, shown, owner, f"The zip cannot be unpacked ({error})."
            else:
                todo += [(item, shown / item.name, owner) for item in sorted(target.iterdir())]
        elif path.suffix.lower() in (".rar", ".7z", ".gz", ".tar"):
            yield path, shown, owner or who_by(path.stem), f"A {path.suffix} is not opened; unpack it or ask for a zip."
        elif ".ipynb" in path.name.lower() or path.suffix.lower() == ".json":
            yield path, shown, owner or who_by(path.name[: path.name.lower().rfind(path.suffix.lower())]), ""
        else:
            yield path, shown, owner, "It is not a notebook."


def _packed(folder: Path) -> list[Path]:
    """What is in a folder; if that is one folder of folders, what is in that one."""
    items = [item for item in sorted(folder.iterdir()) if item.name not in IGNORED]
    if len(items) == 1 and items[0].is_dir() and not items[0].is_symlink():
        inside = [item for item in items[0].iterdir() if item.name not in IGNORED]
        if folder.name == "all" or all(item.is_dir() for item in inside):
            return sorted(inside)
    return items


def who_by(name: str) -> str:
    """Whose hand-in it is, by the name of a folder or of a file without its ending.

    >>> who_by("Ada Lovelace_1234_assignsubmission_file_")
    'Ada Lovelace'
    """
    for pattern in (MOODLE, CANVAS):
        if found := pattern.fullmatch(name):
            return found[1]
    return re.sub(r"\s*\(\d+\)$", "", name)  # a browser's second download


def _by_student(files: list[File], known: list[str]) -> dict[str, list[File]]:
    """Group files by student; names that differ only in case or in the form of Unicode are one."""
    first = {squeezed(student): student for student in known}
    groups: dict[str, list[File]] = {}
    for file in files:
        file.student = first.setdefault(squeezed(file.student) or file.student, file.student)
        groups.setdefault(file.student, []).append(file)
    return groups


def _take_newest(target: Path, files: list[File]) -> None:
    """Copy the newest hand-in that fits; an untouched copy of the assignment counts less than an answer."""
    fitting = sorted(
        (file for file in files if file.fits), key=lambda file: (file.worked_on, file.path.stat().st_mtime, file.shown)
    )
    if not fitting:
        return
    newest = fitting[-1]
    for file in fitting[:-1]:
        why = "is newer and counts" if file.worked_on or not newest.worked_on else "holds answers and counts"
        file.remark = f"{newest.shown} {why}. {file.remark}".strip()
    there = next((path for path in target.glob("*") if path.is_file()), None)
    if there is not None and there.read_bytes() != newest.path.read_bytes():
        if there.stat().st_mtime > newest.path.stat().st_mtime:
            newest.remark = f"A newer one was collected before and counts. {newest.remark}".strip()
            return
        newest.remark = f"It takes the place of the one collected before. {newest.remark}".strip()
    newest.taken = True
    write_atomically(target / newest.path.name, lambda file: shutil.copy2(newest.path, file))
    if there is not None and there.name != newest.path.name:
        there.unlink()


def _keep_table(there: ClassFolder, name: str, rows: list[dict]) -> None:
    """Write the table; rows of earlier collections stay unless the same file was looked at again."""
    path = there.collected(name)
    now = {(row["student"], row["file"]) for row in rows}
    renewed = {row["student"] for row in rows if row["taken"] == "yes"}
    earlier = [row for row in read_records(path) if (row["student"], row["file"]) not in now] if path.is_file() else []
    for row in earlier:
        if row["taken"] == "yes" and row["student"] in renewed:
            row |= {"taken": "no", "remark": "A newer one was collected."}
    write_csv(path, sorted(earlier + rows, key=lambda row: (row["student"], row["file"])), COLUMNS)


def hand_in_of(there: ClassFolder, name: str, student: str):
    """Read a student's collected notebook: the notebook and notes on how it was read."""
    path = next((path for path in sorted((there.handed_in(name) / student).glob("*")) if path.is_file()), None)
    if path is None:
        raise Unreadable("Nothing that can be graded was handed in.")
    return read_hand_in(path.read_bytes())
