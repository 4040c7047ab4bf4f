"""Which trainings an experiment is made of.

A grid is a function (recipe, seeds, cards so far) -> jobs. Grids share trainings: a job of the same name is the same
run, so the ablation over R finds R = 2 among the runs of the main table.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from segtut.experiments import search
from segtut.experiments.job import Job
from segtut.experiments.search import Cards
from segtut.training.comparison import scores_by_seed
from segtut.training.recipe import Recipe

Grid = Callable[[Recipe, Sequence[int], Cards], list[Job]]

NETWORKS = ("fcn", "psp", "aspp", "nonlocal", "ccnet", "danet", "gcnet")
"""The main table."""

ABLATIONS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "recurrence": tuple(("ccnet", {} if R == 2 else {"recurrence": R}) for R in (0, 1, 2, 3)),
    "branches": (("danet", {}), ("danet", {"branches": "position"}), ("danet", {"branches": "channel"})),
    "sign": (("danet", {}), ("danet", {"variant": "paper"})),
    "ratio": (("gcnet", {}), ("gcnet", {"ratio": 1 / 8}), ("gcnet", {"ratio": 1 / 16})),
    "fusion": (("gcnet", {}), ("gcnet", {"fusion": "multiply"}), ("gcnet", {"fusion": "both"})),
    "gamma": (("ccnet", {}), ("ccnet", {"gamma": 1.0}), ("danet", {}), ("danet", {"gamma": 1.0})),
    "stride": tuple((name, o) for name in ("fcn", "ccnet") for o in ({}, {"output_stride": 16})),
}
"""Networks that differ in one thing each."""


def main(recipe: Recipe, seeds: Sequence[int], cards: Cards) -> list[Job]:
    """Every network of the main table on ResNet-18."""
    return [Job(name, recipe.but(name=recipe.name, seed=seed)) for seed in seeds for name in NETWORKS]


def deep(recipe: Recipe, seeds: Sequence[int], cards: Cards) -> list[Job]:
    """The FCN and the two networks that were best on val in the main table, on ResNet-50."""
    wanted = {job.name for job in main(recipe, seeds, cards)}
    found = [card for card in cards if card["file"] in wanted]
    if len(found) < len(wanted):
        raise ValueError(f"deep takes the best two of the main table, which has {len(found)} of {len(wanted)} cards: "
                         "run `segtut experiment main` first")  # fmt: skip
    means = scores_by_seed(found, "val").mean().drop("fcn")
    names = ["fcn", *means.nlargest(2).index]
    return [Job(name, recipe.but(name=recipe.name, seed=seed), "resnet50") for seed in seeds for name in names]


def ablation(rows: Iterable[tuple[str, dict[str, Any]]]) -> Grid:
    """A grid of networks that differ in one thing."""
    return lambda recipe, seeds, cards: [
        Job(name, recipe.but(name=recipe.name, seed=seed), options=options) for seed in seeds for name, options in rows
    ]


GRIDS: dict[str, tuple[Grid, ...]] = {
    "recipe": (search.single_changes, search.together),
    "main": (main,),
    "deep": (deep,),
    **{name: (ablation(rows),) for name, rows in ABLATIONS.items()},
    "ablations": tuple(ablation(rows) for rows in ABLATIONS.values()),
    "all": (search.single_changes, search.together, main, deep, *map(ablation, ABLATIONS.values())),
}
"""Name -> the grids it runs, one after another: each may look at the cards of those before it."""


def plan(grid: Grid, recipe: Recipe, seeds: Sequence[int], cards: Cards) -> list[Job]:
    """Jobs of a grid, with the recipe that the search has chosen, if there was one.

    Parameters
    ----------
    grid : callable
        One of `GRIDS`.
    recipe : Recipe
        Where the search for a recipe begins.
    seeds : sequence of int
        The seeds of every training.
    cards : sequence of dict
        What is there so far, see `read_cards`.

    Raises
    ------
    ValueError
        The grid needs cards that are not there.
    """
    if grid not in (search.single_changes, search.together):
        recipe = search.chosen(recipe, cards)
    return list({job.name: job for job in grid(recipe, seeds, cards)}.values())
