"""The command itself, and what several of its parts need."""

import platform
from pathlib import Path

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _print_versions(asked: bool) -> None:
    """Print, in one line, what an issue should say of the machine."""
    if asked:
        from segtut.training.card import software

        print(", ".join(f"{name} {version}" for name, version in software().items()), platform.platform(), sep=", ")
        raise typer.Exit


@app.callback()
def _about(
    version: bool = typer.Option(False, "--version", is_eager=True, callback=_print_versions, help="Print versions."),
) -> None:
    """Attention for semantic segmentation, built from scratch."""


def data_folder(named: str | None) -> str | Path:
    """The data that was named, or CamVid where it is found; else say how to get some."""
    from segtut.data import DataError, find_camvid

    where = named or find_camvid()
    if where is None:
        raise DataError(
            "no data: name CamVid's folder with --data DIR (get it by `segtut data camvid`), or --data scenes"
        )
    return where


def named_recipe(name: str):
    """Make the recipe of that name."""
    from segtut.training import RECIPES

    if name not in RECIPES:
        raise ValueError(f"recipe {name!r} is none of {', '.join(RECIPES)}")
    return RECIPES[name]()


def print_scores(result: dict) -> None:
    """Print a table of scores, one column a split; a dash where a score is undefined."""
    splits = [split for split in ("train", "val", "test") if split in result]
    rows = {name: [result[split]["iou"][name] for split in splits] for name in result[splits[0]]["iou"]}
    rows["mean"] = [result[split]["mean_iou"] for split in splits]
    rows["pixel accuracy"] = [result[split]["pixel_accuracy"] for split in splits]
    print(f"{'IoU':14}" + "".join(f"{split:>8}" for split in splits))
    for name, values in rows.items():
        print(f"{name:14}" + "".join(f"{'–' if value is None else f'{value:.3f}':>8}" for value in values))
