"""The search for one recipe that is good for all networks: with the FCN, on val, before any heads are compared.

First every change alone, then together those that helped alone. Nothing here looks at test.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from segtut.experiments.job import Job
from segtut.training.recipe import Recipe

Cards = Sequence[Mapping[str, Any]]

CHANGES: dict[str, Callable[[Recipe], dict[str, Any]]] = {
    "wider": lambda base: {"zoom": (0.5, base.zoom[1])},
    "closer": lambda base: {"zoom": (base.zoom[0], 1.25 * base.zoom[1])},
    "crop": lambda base: {"crop": tuple(max(8, round(0.1 * side) * 8) for side in base.crop)},
    "colour": lambda base: {"colour": 0.5},
    "balance": lambda base: {"balance": not base.balance},
    "smooth": lambda base: {"label_smoothing": 0.1},
    "ema": lambda base: {"ema": 0.999},
    "decay": lambda base: {"weight_decay": 5 * base.weight_decay},
    "cosine": lambda base: {"schedule": "cosine"},
    "slow": lambda base: {"lr": base.lr / 2},
    "fast": lambda base: {"lr": base.lr * 2},
    "half-batch": lambda base: {"batch_size": max(1, base.batch_size // 2)},
    "long": lambda base: {"epochs": 2 * base.epochs},
    "sgd": lambda base: {"optimiser": "sgd", "lr": 0.02, "weight_decay": 5e-4},
}
"""Name -> the fields that a change sets."""


def candidate(base: Recipe, changes: Sequence[str], seed: int) -> Job:
    """The FCN with a changed recipe; the score on test is not taken."""
    fields: dict[str, Any] = {}
    for change in changes:
        fields |= CHANGES[change](base)
    name = "+".join((base.name, *(changes or ["base"])))
    return Job("fcn", replace(base, **fields, name=name, seed=seed, report_test=False))


def single_changes(base: Recipe, seeds: Sequence[int], cards: Cards) -> list[Job]:
    """The base, and every change alone."""
    return [candidate(base, changes, seed) for seed in seeds for changes in ((), *((name,) for name in CHANGES))]


def together(base: Recipe, seeds: Sequence[int], cards: Cards) -> list[Job]:
    """All changes that helped alone, in one recipe; none where fewer than two did.

    Raises
    ------
    ValueError
        A change alone has not been tried yet.
    """
    means = val_means(single_changes(base, seeds, cards), cards)
    gains = {name: means[f"{base.name}+{name}"] - means[f"{base.name}+base"] for name in CHANGES}
    taken: list[str] = []
    for name in sorted(CHANGES, key=gains.get, reverse=True):  # of two that set one field, the better
        if gains[name] > 0 and not any(CHANGES[name](base).keys() & CHANGES[other](base).keys() for other in taken):
            taken.append(name)
    return [candidate(base, sorted(taken), seed) for seed in seeds] if len(taken) > 1 else []


def chosen(base: Recipe, cards: Cards) -> Recipe:
    """The recipe with the best mean on val, to be reported on test; the base where nothing has been searched.

    The seeds are those of the search, whatever is trained with its recipe afterwards.

    Raises
    ------
    ValueError
        The search is not finished.
    """
    seeds = sorted({card["seed"] for card in cards if card["recipe"]["name"].startswith(f"{base.name}+")})
    if not seeds:
        return base
    jobs = single_changes(base, seeds, cards) + together(base, seeds, cards)
    means = val_means(jobs, cards)
    best = max(means, key=means.get)
    recipe = next(job.recipe for job in jobs if job.recipe.name == best)
    return replace(recipe, name=f"{base.name}-tuned", report_test=True)


def val_means(jobs: Sequence[Job], cards: Cards) -> dict[str, float]:
    """Mean over the seeds of the mean IoU on val, by the recipe's name.

    Raises
    ------
    ValueError
        A job has no card.
    """
    scores = {card["file"]: card["result"]["val"]["mean_iou"] for card in cards}
    if missing := [job.name for job in jobs if job.name not in scores]:
        raise ValueError(
            f"the search for a recipe lacks {len(missing)} of {len(jobs)} trainings, such as {missing[0]}: "
            "finish it with `segtut experiment recipe`, with the same seeds"
        )
    found: dict[str, list[float]] = {}
    for job in jobs:
        found.setdefault(job.recipe.name, []).append(scores[job.name])
    return {name: float(np.mean(values)) for name, values in found.items()}
