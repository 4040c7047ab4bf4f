"""Comparing networks over seeds: which difference is more than chance?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from segtut.networks.network import unusual


@dataclass(frozen=True)
class Interval:
    """A mean over seeds, and where the mean over all seeds there are may lie.

    Attributes
    ----------
    mean : float
    low, high : float
        Ends of the interval; infinite for a single seed.
    seeds : int
        Number of trainings.
    """

    mean: float
    low: float
    high: float
    seeds: int

    @property
    def within_noise(self) -> bool:
        """Whether 0 lies in the interval: the sign of the mean is then not known."""
        return self.low <= 0 <= self.high


def interval(values: Iterable[float], confidence: float = 0.95) -> Interval:
    """Student's interval around the mean of a few values.

    Parameters
    ----------
    values : iterable of float
        One number a seed, each from a training of its own.
    confidence : float
        Share of such intervals that hold the true mean if the values are normally distributed.

    Raises
    ------
    ValueError
        No value, one that is not finite, or a confidence that is not between 0 and 1.

    Notes
    -----
    Student (1908), "The probable error of a mean", Biometrika 6(1).
    """
    values = np.array(list(values), dtype=float)
    if len(values) == 0 or not np.isfinite(values).all():
        raise ValueError(f"values={values.tolist()}: an interval needs one finite number or more")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence}: a share between 0 and 1 is needed, such as 0.95")
    mean = values.mean()
    half = np.inf
    if len(values) > 1:
        standard_error = values.std(ddof=1) / np.sqrt(len(values))
        half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * standard_error
    return Interval(float(mean), float(mean - half), float(mean + half), len(values))


def difference(ours: Mapping[int, float], theirs: Mapping[int, float], confidence: float = 0.95) -> Interval:
    """Interval of the difference between two networks that were trained with the same seeds.

    A seed decides the order of the images and their augmentation for both, so the seeds are paired.

    Parameters
    ----------
    ours, theirs : mapping of int to float
        Seed -> score. Only seeds that both have count.
    confidence : float
        See `interval`.

    Raises
    ------
    ValueError
        The two have no seed in common.
    """
    common = sorted(set(ours) & set(theirs))
    if not common:
        raise ValueError(f"no seed in common: {sorted(ours)} against {sorted(theirs)}; train both with the same seeds")
    return interval((ours[seed] - theirs[seed] for seed in common), confidence)


def label(card: Mapping[str, Any]) -> str:
    """Name of a card's network, with what in it is unusual: ``ccnet``, ``ccnet R=3``, ``danet branches=channel``."""
    options = {"R" if key == "recurrence" else key: value for key, value in unusual(card["network"]).items()}
    return " ".join([card["network"]["name"], *(f"{key}={short(value)}" for key, value in options.items())])


def short(value: Any) -> str:
    """A value as it stands in a name: numbers without needless digits."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def scores_by_seed(cards: Iterable[Mapping[str, Any]], split: str = "test") -> pd.DataFrame:
    """Mean IoU of run cards, a row a seed and a column a network.

    Parameters
    ----------
    cards : iterable of dict
        See `segtut.training.read_cards`. All must have been trained alike: recipe, data, backbone, precision.
    split : {"val", "test"}
        Where the score was taken.

    Returns
    -------
    pandas.DataFrame
        Indexed by seed; NaN where a network was not trained with a seed.

    Raises
    ------
    ValueError
        No cards, two of the same network and seed, cards that were not trained alike, or one without that split.
    """
    cards = list(cards)
    if not cards:
        raise ValueError("no run cards to compare: `segtut train` writes them")
    alike: dict[str, Any] = {}
    found: dict[str, dict[int, float]] = {}
    for card in cards:
        recipe = {key: value for key, value in card["recipe"].items() if key != "seed"}
        for what, value in (
            ("recipe", recipe),
            ("data", card["data"]["digest"]),
            ("backbone", card["network"]["backbone"]),
            ("precision", card["precision"]),
        ):
            if alike.setdefault(what, value) != value:
                raise ValueError(
                    f"{label(card)}, seed {card['seed']}, differs from the cards before it in its {what}: "
                    "compare only what was trained alike"
                )
        if split not in card["result"]:
            raise ValueError(f"{label(card)}, seed {card['seed']}, has no score on {split!r}")
        column = found.setdefault(label(card), {})
        if card["seed"] in column:
            raise ValueError(f"two cards of {label(card)} with seed {card['seed']}: keep one")
        column[card["seed"]] = card["result"][split]["mean_iou"]
    return pd.DataFrame(found).sort_index().rename_axis("seed")
