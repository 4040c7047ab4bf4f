"""What an experiment found, as a table."""

from collections.abc import Sequence

import pandas as pd

from segtut.experiments.job import Job
from segtut.experiments.search import Cards
from segtut.training import code
from segtut.training.comparison import difference, interval, label


def report(jobs: Sequence[Job], cards: Cards) -> pd.DataFrame:
    """Mean IoU of every network or recipe of a grid, over its seeds.

    Parameters
    ----------
    jobs : sequence of Job
        The grid. A network is compared with the first of its name, which ablations begin with; the first of a name
        with the first of all.
    cards : sequence of dict
        See `read_cards`; those of other jobs are left out.

    Returns
    -------
    pandas.DataFrame
        A row for each network, backbone and recipe: number of seeds, mean and standard deviation of mean IoU on val
        and, where it was taken, on test; on the last split, the mean difference to what it is compared with, for the
        same seeds, and the ends of its 95 % interval. The attribute ``notes`` holds what a reader must know.
    """
    by_name = {card["file"]: card for card in cards}
    groups: dict[tuple[str, str, str], dict[int, dict]] = {}
    for job in jobs:
        if card := by_name.get(job.name):
            key = (label(card), job.backbone, job.recipe.name)
            groups.setdefault(key, {})[job.recipe.seed] = card
    results = [card["result"] for group in groups.values() for card in group.values()]
    splits = [split for split in ("val", "test") if all(split in result for result in results)]
    rows: list[dict] = []
    first: dict[str, dict[int, float]] = {}
    for (network, backbone, recipe), found in groups.items():
        row = {"network": network, "backbone": backbone, "recipe": recipe, "seeds": len(found)}
        for split in splits:
            scores = {seed: card["result"][split]["mean_iou"] for seed, card in found.items()}
            row |= {split: interval(scores.values()).mean, f"{split} sd": pd.Series(scores).std()}
        name = network.split()[0]
        usual = first.get(name) or next(iter(first.values()), {})
        first.setdefault(name, scores)
        if scores.keys() & usual.keys():
            gap = difference(scores, usual)
            row |= {"difference": gap.mean, "low": gap.low, "high": gap.high}
        rows.append(row)
    table = pd.DataFrame(rows)
    found = [card for group in groups.values() for card in group.values()]
    devices = sorted({card["device"] for card in found})
    table.attrs["notes"] = code.notes(found)
    if len(devices) > 1:
        table.attrs["notes"].append(f"Trained on different devices: {'; '.join(devices)}.")
    return table
