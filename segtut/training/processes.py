"""One training by several processes: a step of n processes is the step that one would take."""

import atexit
from collections.abc import Callable
from functools import cache
from typing import Any

import accelerate
import torch
import torch.distributed as dist
from accelerate.state import AcceleratorState, PartialState
from torch import Tensor

from segtut.networks.synchronised import processes, rank, total
from segtut.training.recipe import Recipe, resolve_precision


def start(recipe: Recipe) -> accelerate.Accelerator:
    """Join the processes that `accelerate launch` or `torchrun` started, or be alone.

    Batches that are prepared by the result are split: with n processes, process i gets the i-th of n equal shares.

    Raises
    ------
    ValueError
        The batch cannot be split evenly.
    """
    AcceleratorState._reset_state(reset_partial_state=True)  # an earlier run may have had another precision
    cpu = not torch.cuda.is_available()  # MPS is left out: nobody has measured this loop there
    device = PartialState(cpu=cpu).device
    if processes() > 1:
        _leave_at_exit()
    if recipe.batch_size % processes():
        raise ValueError(
            f"batch_size={recipe.batch_size} is for all {processes()} processes together and cannot be split evenly: "
            f"choose a multiple of {processes()}, or another number of processes"
        )
    torch.backends.cudnn.benchmark = True  # crops have one size, for which cuDNN may look for its fastest convolution
    return accelerate.Accelerator(
        mixed_precision=resolve_precision(recipe.precision, device), cpu=cpu,
        dynamo_backend="inductor" if recipe.compile else None,
        dataloader_config=accelerate.DataLoaderConfiguration(split_batches=True, non_blocking=True),
    )  # fmt: skip


def share(weight: Tensor) -> Tensor:
    """n·w / Σw: the factor that makes the mean of the processes' means the mean over all their pixels; alone, 1.

    Parameters
    ----------
    weight : Tensor
        Scalar: how many labelled pixels this process's mean is over, or the sum of their weights.
    """
    whole = total(weight.double())
    return processes() * weight / whole.clamp(min=torch.finfo(whole.dtype).tiny)


def from_main(make: Callable[[], Any]) -> Any:
    """What `make` returns in the main process, in all of them."""
    box = [make() if rank() == 0 else None]
    if processes() > 1:
        dist.broadcast_object_list(box)
    return box[0]


@cache
def _leave_at_exit() -> None:
    """A process that ends without leaving the group is aborted."""
    atexit.register(lambda: dist.is_initialized() and dist.destroy_process_group())
