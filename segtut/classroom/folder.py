"""The class's folder: where everything of a class lies, its seed and its list of students."""

import json
import re
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from segtut.files import write_json


class ClassroomError(RuntimeError):
    """A step with a class cannot be done; the message says what is missing and what to do."""


class BookLocked(ClassroomError):
    """Another program holds the grade book, so that nobody's grades can be entered."""


@dataclass(frozen=True)
class ClassFolder:
    """Paths of a class; those that nbgrader uses are laid out as its own programs expect them."""

    root: Path

    def source(self, name: str) -> Path:
        """The teacher's notebook, with solutions."""
        return self.root / "source" / name / f"{name}.ipynb"

    def release(self, name: str) -> Path:
        """What is handed out."""
        return self.root / "release" / name / f"{name}.ipynb"

    def students(self, name: str) -> Path:
        """Folder of the notebooks with each student's own numbers."""
        return self.root / "release" / name / "students"

    def variants(self, name: str) -> Path:
        """Table of the numbers that each student got."""
        return self.root / "variants" / f"{name}.csv"

    def handed_in(self, name: str) -> Path:
        """Folder of the originals, one folder a student."""
        return self.root / "handed_in" / name

    def collected(self, name: str) -> Path:
        """Table with a line for every file that was looked at."""
        return self.root / "handed_in" / f"{name}.csv"

    def executed(self, name: str, student: str) -> Path:
        """A repaired hand-in with its outputs, where nbgrader looks for hand-ins."""
        return self.root / "submitted" / student / name / f"{name}.ipynb"

    def autograded(self, name: str, student: str) -> Path:
        """The same after nbgrader read its grades."""
        return self.root / "autograded" / student / name / f"{name}.ipynb"

    def feedback(self, name: str, student: str) -> Path:
        """What a student reads."""
        return self.root / "feedback" / student / f"{name}.html"

    def grades(self, name: str, ending: str) -> Path:
        """A table or figure of an assignment, such as ``grades("1_x", "-questions.png")``."""
        return self.root / "grades" / f"{name}{ending}"

    @property
    def gradebook(self) -> str:
        """Address of nbgrader's data base."""
        return f"sqlite:///{self.root / 'gradebook.db'}"

    def settings(self) -> dict:
        """What is kept between commands: the seed of the variants and the students."""
        path = self.root / "class.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def keep(self, **changes) -> dict:
        """Change settings; the first call draws the seed."""
        settings = self.settings()
        new = {"seed": secrets.token_hex(16)} | settings | changes
        if new != settings:
            write_json(self.root / "class.json", new)
        return new

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one command at a time work in the folder."""
        self.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.root / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise ClassroomError(
                f"another `segtut class` command is at work in {self.root}; wait until it is done"
            ) from None
        try:
            yield
        finally:
            lock.release()


def open_folder(folder: str | Path, name: str | None = None) -> ClassFolder:
    """Return the class's folder; with `name`, of an assignment that was released there.

    Raises
    ------
    ClassroomError
        There is no such folder, or the assignment was not released in it.
    """
    there = ClassFolder(Path(folder).absolute())
    if name is None:
        return there
    if not there.root.is_dir():
        raise ClassroomError(f"there is no class in {folder}: release an assignment first, or name it by --folder")
    if not (there.source(name).is_file() and there.release(name).is_file()):
        released = ", ".join(sorted(path.parent.name for path in there.root.glob("release/*/*.ipynb"))) or "nothing yet"
        raise ClassroomError(
            f"assignment {name!r} was not released in {folder} (there is: {released}); "
            f"do it by `segtut class release {name}`"
        )
    return there


def find_source(source: str | Path | None = None) -> Path:
    """Folder with the assignments' sources: the one named, one below here, or the one of an editable install."""
    own = Path(__file__).parents[2] / "notebooks" / "assignments"
    here = Path("notebooks") / "assignments"
    candidates = [Path(source)] if source else [here, own]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise ClassroomError(
        f"there are no assignments in {candidates[0]}: name the folder that holds them, with solutions, by --source"
    )


def source_notebook(name: str, source: str | Path | None = None) -> Path:
    """Path of an assignment's source; if there is none of that name, the error lists the names."""
    folder = find_source(source)
    path = folder / f"{name}.ipynb"
    if not path.is_file():
        names = ", ".join(sorted(path.stem for path in folder.glob("*.ipynb"))) or "none"
        raise ClassroomError(f"assignment {name!r} is none of those in {folder}: {names}")
    return path


def safe_name(name: str) -> str:
    """A student's name as the name of a folder on any system: NFC, without signs that mean something there.

    >>> safe_name("  Ada   King/Lovelace ")
    'Ada King_Lovelace'
    """
    name = re.sub(r"[\x00-\x1f<>:\"/\\|?*\[\]{}+]", "_", unicodedata.normalize("NFC", name))
    return re.sub(r"\s+", " ", name).strip(" .")[:80].rstrip(" .") or "unnamed"
