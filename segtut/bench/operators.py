"""The benchmark of the operators, and its table."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import torch
from torch import Tensor

from segtut.attention import _check
from segtut.bench import machine
from segtut.bench.entries import ENTRIES, build
from segtut.bench.turns import take_turns
from segtut.cost.probe import out_of_memory


def benchmark(
    sizes: Sequence[int] = (28, 60, 97),
    channels: int = 512,
    batch: int = 1,
    device: str = "auto",
    dtype: str = "float32",
    operators: Sequence[str] = tuple(ENTRIES),
    repeats: int | None = None,
    threads: int | None = None,
    report: Callable[[dict[str, Any]], None] = lambda result: None,
) -> dict[str, Any]:
    """Measure the operators.

    Parameters
    ----------
    sizes : sequence of int
        Height and width of the features, in positions.
    channels, batch : int
        C and B of the features.
    device : {"auto", "cpu", "cuda"}
        "auto": a GPU if there is one.
    dtype : {"float32", "bfloat16"}
        Of features and parameters.
    operators : sequence of str
        Names in `entries.ENTRIES`.
    repeats : int, optional
        Timed calls of each kind; by default as many as fit into a time budget, see `turns`.
    threads : int, optional
        PyTorch's threads on the CPU; by default as they are set.
    report : callable
        Called with the result so far when a size is done.

    Returns
    -------
    dict
        The settings, the machine, the software, and ``rows``: a `turns.Row` as a dict for each size and operator. It
        can be written as JSON.

    Raises
    ------
    ValueError
        An argument is out of range, or the device is not there.
    ImplementationsDiffer
        Implementations of one function disagree by more than `turns.TOLERANCE`.
    """
    for size in sizes:
        _check.positive("size", size)
    _check.positive("channels", channels)
    _check.positive("batch", batch)
    _check.choice("dtype", dtype, ("float32", "bfloat16"))
    for name in operators:
        _check.choice("operator", name, tuple(ENTRIES))
    for name, value in (("repeats", repeats), ("threads", threads)):
        if value is not None:
            _check.positive(name, value)
    place = machine.device_named(device)
    with machine.threads(threads):
        result: dict[str, Any] = {
            **machine.facts(place), "dtype": dtype, "batch": batch, "channels": channels, "rows": [],
        }  # fmt: skip
        modules = build(operators, channels, place, getattr(torch, dtype))
        for size in dict.fromkeys(sizes):
            x = _features((batch, channels, size, size), place, getattr(torch, dtype))
            result["rows"] += [asdict(row) for row in take_turns(modules, x, repeats)]
            result["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
            report(result)
    return result


def _features(shape: tuple[int, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    try:
        x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device, dtype)
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise ValueError(
            f"features of shape {shape} alone do not fit into memory: choose a smaller batch, size or channels"
        ) from error
    return x.requires_grad_()


def header(result: dict[str, Any]) -> str:
    """Where and how it was measured."""
    return machine.header(result, result["dtype"], f"{result['channels']} channels", f"batch {result['batch']}")


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows of one size, one line each; times are medians."""
    columns = ("forward ms", "fwd+bwd ms", "peak MiB", "kept MiB", "GFLOP", "ratio")
    positions = f"{rows[0]['H']}×{rows[0]['W']} positions"
    lines = [f"{positions:26}" + "".join(f"{name:>12}" for name in columns)]
    for row in rows:
        if row["error"]:
            cells = [row["error"]]
        else:
            ratio = row["ratio_forward_backward"]
            cells = [
                f"{1e3 * row['forward_s']['median']:.2f}",
                f"{1e3 * row['forward_backward_s']['median']:.2f}",
                f"{row['peak_bytes'] / 2**20:.1f}",
                f"{row['kept_bytes'] / 2**20:.1f}",
                f"{row['flops'] / 1e9:.2f}",
                "–" if ratio is None else f"{ratio:.2f}",
            ]
        lines.append(f"{row['title']:26}" + "".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)


LEGEND = """\
forward: without a graph. fwd+bwd: gradients of features and parameters. Times are medians; quartiles are in the JSON.
peak: most memory beyond features and parameters, forward + backward. kept: what the graph keeps for the backward.
GFLOP: of the forward, two a multiply-add; SDPA as the dense form. ratio: of fwd+bwd to the textbook bmm form.
The GFLOP published for non-local attention (108 at 97×97) are those of PAM's widths, queries C/8 and values C; the
non-local block here works in C/2, as in its own paper."""
