"""The classroom: hand out assignments, collect the answers, grade them in a sandbox, and say what was wrong."""

from segtut.classroom.collect import collect
from segtut.classroom.grade import grade
from segtut.classroom.release import release
from segtut.classroom.report import report

__all__ = ["collect", "grade", "release", "report"]
