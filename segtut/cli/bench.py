"""`segtut bench`."""

from pathlib import Path
from typing import Annotated

import typer

from segtut.cli.app import app

bench_app = typer.Typer(invoke_without_command=True)
app.add_typer(bench_app, name="bench")


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
    from segtut import bench
    from segtut.files import write_json

    refuse_folder(out)

    def report(result: dict) -> None:
        rows = [row for row in result["rows"] if row["H"] == result["rows"][-1]["H"]]
        if len(rows) == len(result["rows"]):
            print(bench.header(result))
        print(f"\n{bench.table(rows)}", flush=True)
        write_json(out, result)  # an interrupted run leaves a part

    bench.benchmark(
        size or (28, 60, 97), channels, batch, device, dtype, operator or tuple(bench.ENTRIES), repeats, threads, report
    )
    print(f"\n{bench.LEGEND}\nWritten: {out}")


@bench_app.command("train")
def bench_train(
    backbone: Annotated[str, typer.Option(help="Any timm ResNet")] = "resnet50",
    size: Annotated[tuple[int, int], typer.Option(help="Height and width of the images")] = (224, 224),
    batch: Annotated[int, typer.Option(help="Images a step")] = 8,
    steps: Annotated[int, typer.Option(help="Timed turns: a step on a CPU, 20 on a GPU")] = 5,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    threads: Annotated[int | None, typer.Option(help="On the CPU; else PyTorch's choice")] = None,
    compile: Annotated[bool, typer.Option("--compile", help="Also measure our step with torch.compile")] = False,
    out: Annotated[Path, typer.Option(help="The same numbers and more as JSON")] = Path("bench_train.json"),
) -> None:
    """Measure training steps of CCNet and the loaders of their data: a textbook's against ours."""
    from segtut import bench
    from segtut.files import write_json

    refuse_folder(out)
    result = bench.benchmark_training(backbone, size, batch, steps, device, threads, compile)
    write_json(out, result)
    print(f"{bench.training_header(result)}\n\n{bench.training_table(result)}\n\n{bench.TRAINING_LEGEND}")
    print(f"Written: {out}")


def refuse_folder(out: Path) -> None:
    """Raise ValueError if no file can be called so."""
    if out.is_dir() or (out.parent.exists() and not out.parent.is_dir()):
        raise ValueError(f"out={str(out)!r}: this must be a file in a folder, such as results/bench.json")
