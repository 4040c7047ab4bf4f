"""The classroom: hand out assignments, collect the answers, grade them in a sandbox, and say what was wrong."""

try:
    from segtut.classroom.collect import collect
    from segtut.classroom.grade import grade
    from segtut.classroom.release import release
    from segtut.classroom.report import report
except ModuleNotFoundError as error:
    if (error.name or "segtut").split(".")[0] == "segtut":
        raise
    from segtut.classroom.missing import collect, grade, release, report

__all__ = ["collect", "grade", "release", "report"]
