"""The list of students, and whose hand-in a file is."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from segtut.classroom.folder import ClassroomError, safe_name
from segtut.classroom.tables import read_table

NAME = ("name", "student", "studentname", "fullname", "schueler", "schüler", "姓名", "名字")
FIRST = ("firstname", "first", "givenname", "vorname", "名")
LAST = ("lastname", "last", "surname", "familyname", "nachname", "姓")
NUMBER = ("id", "studentid", "idnumber", "number", "matrikelnummer", "matriculationnumber", "sisuserid", "学号")


def read_roster(path: str | Path) -> list[dict[str, str]]:
    """Read the students' names and, where there are some, their numbers.

    Parameters
    ----------
    path : path
        CSV or Excel with a column ``name`` (or first and last name, or Moodle's and Canvas's own headings) and
        perhaps ``id``; or a file with a name a line. Other columns, such as e-mail addresses, are not kept.

    Returns
    -------
    list of dict
        ``{"name": …, "id": …}``, in the file's order.

    Raises
    ------
    ClassroomError
        There is no file or no name in it, or two students have one name.
    """
    rows = read_table(path)
    if not rows:
        raise ClassroomError(f"{path} holds no student")
    heading = [squeezed(cell) for cell in rows[0]]
    find = lambda words: next((heading.index(word) for word in words if word in heading), None)  # noqa: E731
    name, first, last, number = find(NAME), find(FIRST), find(LAST), find(NUMBER)
    if name is None and first is None and last is None:  # no heading: a name a line, perhaps a number beside it
        body = rows
        if all(len(row) > 1 and any(sign.isdigit() for sign in row[1]) for row in rows):
            name, number = 0, 1
        else:  # "Lovelace, Ada"
            name, body = 0, [[" ".join(cell for cell in row if cell and "@" not in cell)] for row in rows]
    else:
        body = rows[1:]
    at = lambda row, column: row[column] if column is not None and column < len(row) else ""  # noqa: E731
    students = []
    for row in body:
        whole = at(row, name) or " ".join(part for part in (at(row, first), at(row, last)) if part)
        if whole:
            students.append({"name": unicodedata.normalize("NFC", whole), "id": at(row, number)})
    if not students:
        raise ClassroomError(f"{path} holds no student: it needs a column called name, or a name a line")
    names = Counter(squeezed(student["name"]) for student in students)
    for student in students:
        if names[squeezed(student["name"])] > 1:
            if not student["id"]:
                raise ClassroomError(f"{path}: two students are called {student['name']!r}; give them numbers, as id")
            student["name"] += f" {student['id']}"
    return students


def match(who: str, students: Sequence[dict[str, str]]) -> str | None:
    """Return the name, as a folder's, of the one student who is meant; None if it is none or more than one.

    The words may be in another order ("Lovelace, Ada"), and without spaces between them, as Canvas writes them.
    """
    key = squeezed(who)
    if not key:
        return None
    exact = {
        safe_name(student["name"]) for student in students if key in map(squeezed, (student["name"], student["id"]))
    }
    turned = {safe_name(student["name"]) for student in students if key in _ways(student["name"])}
    return next((found.pop() for found in (exact, turned) if len(found) == 1), None)


def squeezed(text: str) -> str:
    """Letters and digits only, in one case and one form of Unicode."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(sign for sign in text if sign.isalnum() or unicodedata.category(sign) in ("Mn", "Mc"))


def _ways(name: str) -> set[str]:
    words = re.split(r"[\s,]+", name.strip())
    return {squeezed("".join(words[turn:] + words[:turn])) for turn in range(len(words))}
