"""Memory of activations: what is kept for the backward, and the peak of a call."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.profiler import ProfilerActivity, profile

from segtut.cost.probe import Probe, Shape


def activation_memory(module: nn.Module, shape: Shape) -> int:
    """Bytes that the graph of one forward pass keeps for the backward.

    Every storage counts once, however many views of it are kept. Included: whatever the call has made, copies of the
    input in another layout too. Not included: parameters, buffers and the input itself, which exist anyway, and what
    is freed before the forward pass ends.

    Parameters
    ----------
    module : nn.Module
        An operator, head or network, in the mode, on the device and with the dtype that count; it stays as it was.
    shape : (int, int, int, int) or (int, int)
        (B, C, H, W) of the input, which needs a gradient, or (H, W) of one RGB image, which does not.

    Returns
    -------
    int
        Bytes for the whole batch.

    Raises
    ------
    TypeError, ValueError
        `module` is no module, or cannot be called on that shape.
    """
    return kept_bytes(Probe.of(module, shape))


def kept_bytes(probe: Probe) -> int:
    """As `activation_memory`, of a module and its input."""
    kept: dict[int, int] = {}

    def keep(t: Tensor) -> Tensor:
        storage = t.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return t

    with saved_tensors_hooks(keep, lambda t: t):
        outputs = probe.graph()  # while it lives, no address is used twice
    for t in (probe.x, *probe.module.parameters(), *probe.module.buffers()):
        kept.pop(t.untyped_storage().data_ptr(), None)
    del outputs
    return sum(kept.values())


def peak_memory(module: nn.Module, shape: Shape, backward: bool = True) -> int:
    """Bytes allocated at the worst moment of a call, beyond those allocated before it.

    Included: activations, temporaries, the output, and the gradients of input and parameters. Not included:
    parameters, the input, the gradient that comes in, and memory that libraries take past PyTorch's allocator, such
    as oneDNN's scratch space. On CUDA the caching allocator counts; on a CPU PyTorch's profiler gives every
    allocation and release, and they are added up.

    Parameters
    ----------
    module, shape
        See `activation_memory`.
    backward : bool
        Forward and backward, or False: forward alone, without a graph.

    Returns
    -------
    int
        Bytes for the whole batch.

    Raises
    ------
    TypeError, ValueError
        `module` is no module, or cannot be called on that shape.
    """
    probe = Probe.of(module, shape)
    work = probe.forward_backward if backward else probe.forward
    work()  # what libraries allocate once is no cost of a call
    return peak_bytes(work, probe.x.device)


def peak_bytes(work: Callable[[], object], device: torch.device) -> int:
    """Bytes allocated at the worst moment of ``work()``, beyond those allocated before it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    if device.type != "cpu":
        raise ValueError(f"device={device}: peak memory is measured on cpu or cuda; move the module to one of them")
    return _peak_of_allocations(work)


def _peak_of_allocations(work: Callable[[], object]) -> int:
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else the profiler writes lines of its own to stderr
    # acc_events changes nothing here, but that PyTorch 2.11 does not warn of its absence
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as profiler:
        work()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    now = peak = 0
    live: dict[int, int] = {}
    for event in sorted((e for e in events if e.get("name") == "[memory]"), key=lambda e: e["ts"]):
        address, size = event["args"]["Addr"], event["args"]["Bytes"]
        if size > 0:
            live[address] = size
            now += size
            peak = max(peak, now)
        else:  # what was allocated before is not ours
            now -= live.pop(address, 0)
    return peak
