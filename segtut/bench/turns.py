"""Operators measured at one size.

They take turns, so that whatever else the machine does hits all alike. Those that are one function in several
implementations must give the same numbers before they are timed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from segtut import cost
from segtut.bench.entries import BASELINE, ENTRIES
from segtut.cost.latency import Timing, seconds_of
from segtut.cost.memory import kept_bytes, peak_bytes
from segtut.cost.probe import Probe, out_of_memory

BUDGET = 4.0  # seconds of timed calls an operator and size, if `repeats` is not given
REPEATS = (3, 25)  # at least and at most, within the budget
# Largest difference of one function's implementations, relative to the largest number: TensorFloat-32 on a GPU, and
# bfloat16's 8 bits through a forward and a backward.
TOLERANCE = {torch.float32: 2e-3, torch.bfloat16: 5e-2}


class ImplementationsDiffer(RuntimeError):
    """Two implementations of one function gave different numbers."""


@dataclass
class Row:
    """One operator at one size; seconds, bytes and FLOPs of a batch. Measured values are None where `error` says why.

    Attributes
    ----------
    flops : int
        Of the forward pass, see `cost.flops`.
    kept_bytes, peak_bytes : int or None
        See `cost.activation_memory` and `cost.peak_memory`, of forward and backward.
    ratio_forward, ratio_forward_backward : float or None
        Median time over that of the textbook bmm form at this size.
    """

    operator: str
    title: str
    H: int
    W: int
    parameters: int
    flops: int
    kept_bytes: int | None = None
    peak_bytes: int | None = None
    forward_s: Timing | None = None
    forward_backward_s: Timing | None = None
    ratio_forward: float | None = None
    ratio_forward_backward: float | None = None
    error: str | None = None


def take_turns(modules: dict[str, nn.Module], x: Tensor, repeats: int | None) -> list[Row]:
    """Check, measure and time the modules on the features x, which need a gradient."""
    H, W = x.shape[2:]
    rows = {
        name: Row(name, ENTRIES[name].title, H, W, cost.parameters(module), cost.flops(module, tuple(x.shape)))
        for name, module in modules.items()
    }
    probes = {name: Probe(module, x) for name, module in modules.items()}
    references: dict[str, tuple[Tensor, Tensor]] = {}
    for name in progress(modules, f"{H}×{W}, checking"):
        guarded(rows[name], lambda name=name: _prepare(rows[name], probes[name], references))
    references.clear()

    seconds: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in modules}
    fewest, most = (repeats, repeats) if repeats else REPEATS
    for turn in progress(range(most), f"{H}×{W}, timing"):
        for name, (forward, both) in seconds.items():
            if rows[name].error is None and (turn < fewest or sum(forward) + sum(both) < BUDGET):
                guarded(rows[name], lambda p=probes[name], f=forward, b=both: _time(p, f, b))
    for name, (forward, both) in seconds.items():
        if rows[name].error is None:
            rows[name].forward_s, rows[name].forward_backward_s = Timing.of(forward), Timing.of(both)
        else:
            rows[name].kept_bytes = rows[name].peak_bytes = None
    _compare(rows)
    return list(rows.values())


def _prepare(row: Row, probe: Probe, references: dict[str, tuple[Tensor, Tensor]]) -> None:
    """Memory, and the same numbers as others that are the same function; it warms up, too."""
    row.kept_bytes = kept_bytes(probe)
    outputs, gradients = probe.forward_backward()
    found = outputs[0].detach(), gradients[0]
    expected = references.setdefault(ENTRIES[row.operator].function, found)
    for what, a, b in zip(("output", "gradient of x"), found, expected, strict=True):
        refuse_difference(
            f"{row.title} at {row.H}×{row.W}: its {what}", "the same operator's other implementation",
            a, b, TOLERANCE[a.dtype],
        )  # fmt: skip
    del outputs, gradients, found, expected, a, b
    row.peak_bytes = peak_bytes(probe.forward_backward, probe.x.device)


def refuse_difference(
    what: str, other: str, found: Tensor, expected: Tensor, tolerance: float, floor: float = 0.0
) -> float:
    """Largest difference over the largest number, or `floor`; ImplementationsDiffer if above `tolerance`."""
    difference = ((found - expected).abs().max() / expected.abs().max().clamp(min=floor)).item()
    if not difference <= tolerance:  # NaN, too
        raise ImplementationsDiffer(
            f"{what} differs from that of {other} by {difference:.1e} of the largest number; "
            f"up to {tolerance:.0e} is rounding"
        )
    return difference


def _time(probe: Probe, forward: list[float], both: list[float]) -> None:
    forward.append(seconds_of(probe.forward, probe.x.device))
    both.append(seconds_of(probe.forward_backward, probe.x.device))


def guarded(row: Any, work: Callable[[], None]) -> None:
    """Run ``work()``; if memory runs out, the row says so and the others go on."""
    try:
        work()
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        row.error = "out of memory"
    if row.error and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _compare(rows: dict[str, Row]) -> None:
    base = rows.get(BASELINE)
    if base is None or base.error:
        return
    for row in rows.values():
        if row.error is None:
            row.ratio_forward = row.forward_s.median / base.forward_s.median
            row.ratio_forward_backward = row.forward_backward_s.median / base.forward_backward_s.median


def progress(items, what: str):
    return tqdm(items, desc=what, leave=False, disable=None)  # None: not when stderr is a file
