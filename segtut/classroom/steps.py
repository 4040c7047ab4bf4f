"""nbgrader's own steps, with their settings in code: generate an assignment, read grades, generate feedback."""

import os
import sysconfig
import warnings
from unittest.mock import patch

from segtut.classroom.folder import BookLocked, ClassFolder, ClassroomError
from segtut.classroom.missing import HOW

CODE_STUB = 'raise NotImplementedError("your answer")'
TEXT_STUB = "*Your answer here.*"


def need_nbgrader() -> None:
    """Raise ClassroomError if the extra `class` is not installed."""
    try:
        import nbgrader  # noqa: F401
    except ImportError:
        raise ClassroomError(f"the classroom needs nbgrader: {HOW}") from None


def generate_assignment(there: ClassFolder, name: str, release_folder: str, gradebook: bool = True) -> None:
    """Make the students' version of ``there.source(name)`` in another folder of the class."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.preprocessors import SaveCells

    def settings(config) -> None:
        config.ClearSolutions.code_stub = {"python": CODE_STUB}
        config.ClearSolutions.text_stub = TEXT_STUB
        config.ClearMarkScheme.enforce_metadata = False  # an essay has its mark scheme in the cell of the answer
        config.CourseDirectory.release_directory = release_folder
        if not gradebook:
            config.GenerateAssignment.no_database = True
            config.GenerateAssignment.preprocessors = [
                step for step in GenerateAssignment.preprocessors.default() if step is not SaveCells
            ]

    _run(GenerateAssignment, there, name, ["."], settings)


def autograde(there: ClassFolder, name: str, student: str) -> None:
    """Bring the grades of an executed hand-in into the grade book; nothing is executed here."""
    from nbgrader.converters import Autograde
    from nbgrader.preprocessors import Execute

    def settings(config) -> None:
        config.Autograde.sanitize_preprocessors = []
        config.Autograde.autograde_preprocessors = [
            step for step in Autograde.autograde_preprocessors.default() if step is not Execute
        ]
        config.Autograde.permissions = 644

    _run(Autograde, there, name, [student], settings)


def generate_feedback(there: ClassFolder, name: str, students: list[str], before: str, after: str) -> None:
    """Write nbgrader's feedback on ``before/STUDENT/name/name.ipynb`` to ``after/STUDENT/name/name.html``.

    A page that cannot be made is missing afterwards, and stops no other.
    """
    from nbgrader.converters import GenerateFeedback

    def settings(config) -> None:
        config.CourseDirectory.autograded_directory = before
        config.CourseDirectory.feedback_directory = after

    try:
        _run(GenerateFeedback, there, name, students, settings)
    except BookLocked:
        raise
    except ClassroomError:
        if len(students) == 1:
            raise


def _run(converter, there: ClassFolder, name: str, students: list[str], settings) -> None:
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.utils import capture_log
    from traitlets.config import Config

    class OfOneNotebook(converter):
        def init_notebooks(self):  # nbgrader looks by glob, for which a folder "class [2]" is a pattern
            places = [self._format_source(name, student) for student in students]
            self.assignments = {place: [f"{place}/{name}.ipynb"] for place in places}

    config = Config()
    settings(config)
    config.CourseDirectory.db_url = there.gradebook
    course = CourseDirectory(
        config=config, root=str(there.root), assignment_id=name, student_id=students[0] if len(students) == 1 else "*"
    )
    step = OfOneNotebook(coursedir=course, config=config)
    step.force = True
    # nbgrader calls alembic by its name, also where this Python's programs are not on the path (and its own `setenv`
    # takes the variable away afterwards)
    path = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)))
    with patch.dict(os.environ, PATH=path), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of SQLAlchemy's autoflush, which nbgrader lets happen
        result = capture_log(step)
    if "KeyboardInterrupt" in result.get("error", ""):  # which nbgrader takes for a failure like any other
        raise KeyboardInterrupt
    if not result["success"]:
        log = result.get("log") or result.get("error") or ""
        if "database is locked" in log:
            raise BookLocked(
                "the grade book is locked by another program, such as nbgrader's formgrader; close it and try again"
            )
        raise ClassroomError(_reason(log))


def _reason(log: str) -> str:
    """One sentence from what nbgrader logged."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.split(":")[0].rsplit(".", 1)[-1].endswith(("Error", "Exception"))]
    return f"nbgrader says: {(errors or lines or ['nothing'])[0]}"
