"""`segtut bench`: the operators, and training, each in one run on one machine."""

from segtut.bench.entries import ENTRIES
from segtut.bench.operators import LEGEND, benchmark, header, table
from segtut.bench.train import TRAINING_LEGEND, benchmark_training, recorded_training, training_header, training_table
from segtut.bench.turns import ImplementationsDiffer

__all__ = [
    "ENTRIES", "LEGEND", "TRAINING_LEGEND", "ImplementationsDiffer", "benchmark", "benchmark_training", "header",
    "recorded_training", "table", "training_header", "training_table",
]  # fmt: skip
