"""The history of a run as tables."""

from pathlib import Path

import pandas as pd

from segtut.files import write_atomically


def frame(history: list[dict]) -> pd.DataFrame:
    """One row an epoch; an undefined score is NaN."""
    table = pd.DataFrame(history)
    return table.astype({name: float for name in table if name not in ("epoch", "step")})  # None becomes NaN


def write_history(folder: Path, history: pd.DataFrame) -> None:
    """Write the history as ``history.csv`` and ``history.xlsx``."""
    write_atomically(folder / "history.csv", lambda file: history.to_csv(file, index=False))
    write_atomically(folder / "history.xlsx", lambda file: history.to_excel(file, index=False))
