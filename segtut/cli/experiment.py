"""`segtut experiment`."""

from pathlib import Path
from typing import Annotated

import typer

from segtut.cli.app import app, data_folder, named_recipe


@app.command()
def experiment(
    name: Annotated[
        str,
        typer.Argument(
            help="recipe, main, deep, ablations (or one of them: recurrence, branches, sign, ratio, "
            "fusion, gamma, stride), or all"
        ),
    ],
    data: Annotated[str | None, typer.Option(help="CamVid's folder, or the word: scenes")] = None,
    recipe: Annotated[str, typer.Option(help="smoke, lesson, cpu or camvid")] = "camvid",
    seeds: Annotated[int, typer.Option(min=1, help="How many")] = 3,
    out: Annotated[Path, typer.Option(help="Holds a folder for each run")] = Path("runs/experiments"),
    cards: Annotated[
        Path | None, typer.Option(help="Where the run cards go, and what is there is not repeated [default: OUT/cards]")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Trainings at a time, at most [default: as many as have room]")
    ] = None,
    layout: Annotated[str | None, typer.Option(help="segnet, fastai or folders [default: looked at]")] = None,
) -> None:
    """Train a named grid of networks and seeds; run the same command again to continue an interrupted one.

    recipe: a search on val, with the FCN; what follows uses what it chose. main: every network. deep: the best two on
    ResNet-50. The others each change one thing.
    """
    import torch

    from segtut.data import open_splits
    from segtut.experiments import GRIDS, ExperimentFailed, plan, report, run
    from segtut.training import read_cards

    if name not in GRIDS:
        raise ValueError(f"experiment {name!r} is none of {', '.join(GRIDS)}")
    base = named_recipe(recipe)
    if recipe == "camvid" and not torch.cuda.is_available():
        print("Note: there is no GPU here, and the recipe camvid is for one; --recipe cpu takes minutes a training.")
    numbers, cards = range(seeds), cards or out / "cards"
    where = data_folder(data)
    splits = open_splits(where, base.images, base.scenes_size, cache=False, layout=layout)
    digests = {split: splits[split].digest for split in splits}
    failed: list[str] = []
    for grid in GRIDS[name]:
        todo = plan(grid, base, numbers, read_cards(cards))
        try:
            run(todo, where, digests, out, cards, layout, jobs)
        except ExperimentFailed as error:  # the grids after it may do without
            failed.append(str(error))
        table = report(todo, read_cards(cards))
        if len(table):
            print(f"\n{table.to_string(index=False, float_format='{:.3f}'.format, na_rep='–')}")
            print(*(f"Note: {note}" for note in table.attrs["notes"]), sep="\n")
    if failed:
        raise ExperimentFailed("\n".join(failed))
