"""`segtut bench`: the operators side by side, in one run on one machine."""

from segtut.bench.entries import ENTRIES
from segtut.bench.operators import LEGEND, benchmark, header, table
from segtut.bench.turns import ImplementationsDiffer

__all__ = ["ENTRIES", "LEGEND", "ImplementationsDiffer", "benchmark", "header", "table"]
