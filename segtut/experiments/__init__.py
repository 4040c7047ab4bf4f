"""Experiments: named grids of trainings, run side by side, resumed where they stopped."""

from segtut.experiments.grids import GRIDS, plan
from segtut.experiments.job import Job
from segtut.experiments.report import report
from segtut.experiments.runner import ExperimentFailed, run

__all__ = ["GRIDS", "ExperimentFailed", "Job", "plan", "report", "run"]
