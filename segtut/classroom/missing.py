"""What stands in for the classroom's steps where a package of the extra `class` is not installed."""

from typing import NoReturn

from segtut.classroom.folder import ClassroomError

HOW = 'pip install "segtut[class]"'


def need_extra(*_, **__) -> NoReturn:
    """Raise ClassroomError with what is missing, whatever the arguments."""
    try:
        import nbformat  # noqa: F401, without it no other part of the classroom can be read
        import psutil  # noqa: F401
    except ModuleNotFoundError as error:
        raise ClassroomError(f"the classroom needs {error.name}: {HOW}") from None
    raise ClassroomError(f"a package that the classroom needs is missing or broken: {HOW}")


collect = grade = release = report = need_extra
