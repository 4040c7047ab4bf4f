"""Layers that look beyond one image, for a batch that is split over processes.

Batch norm takes statistics over the batch, dropout draws its mask for the batch. `synchronised` makes both do for
all processes together what one process does for the whole batch.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def processes() -> int:
    """Number of processes that train together, 1 without a launcher."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this one is; 0 is the main process."""
    return dist.get_rank() if processes() > 1 else 0


class _Sum(torch.autograd.Function):
    # y = x_1 + … + x_n in every process, so dL/dx_i = sum over the processes' dL/dy.
    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        x = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        return _Sum.apply(grad)


def total(x: Tensor) -> Tensor:
    """Sum of the processes' tensors of one shape, in every process, with a gradient; alone, the tensor itself."""
    return _Sum.apply(x) if processes() > 1 else x


class SyncBatchNorm2d(nn.BatchNorm2d):
    """Batch norm over the batch of all processes, each of which holds an equal share.

    For CPUs, on which `torch.nn.SyncBatchNorm` does not compute.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W), B being this process's share."""
        if not self.training:
            return super().forward(x)
        self._check_input_dim(x)
        n = processes()
        # Variance as in-between plus within: E[x²] - E[x]² would lose its digits where the mean is large.
        within, mean_here = torch.var_mean(x.to(self.weight.dtype), (0, 2, 3), correction=0)
        mean = total(mean_here) / n
        var = total(within + (mean_here - mean) ** 2) / n
        with torch.no_grad():
            count = n * x.numel() // x.shape[1]
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * count / (count - 1), self.momentum)
        scale = self.weight * (var + self.eps).rsqrt()
        shift = self.bias - mean * scale
        return (x * scale[:, None, None] + shift[:, None, None]).to(x.dtype)


class SharedDropout2d(nn.Dropout2d):
    """Dropout of channels whose mask is drawn for the batch of all processes; each applies its own share.

    So the processes' generators stay alike, and their images drop different channels.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W), B being this process's share."""
        if not self.training or self.p in (0, 1):
            return super().forward(x)
        B, C = x.shape[:2]
        mask = x.new_empty(processes() * B, C, 1, 1).bernoulli_(1 - self.p).div_(1 - self.p)
        return x * mask[rank() * B :][:B]


@contextmanager
def synchronised(network: nn.Module, device: torch.device) -> Iterator[None]:
    """Make batch norm and dropout of a network look at the batch of all processes; alone, change nothing.

    Parameters
    ----------
    network : nn.Module
        Its layers keep their parameters, buffers and names, and are afterwards what they were.
    device : torch.device
        Where it will compute: on GPUs batch norm becomes `torch.nn.SyncBatchNorm`.

    Raises
    ------
    ValueError
        The network has a kind of batch norm of which there is no synchronised form.
    """
    # On CUDA torch.nn.SyncBatchNorm.convert_sync_batchnorm would do, but it takes InPlaceABN for plain batch norm.
    norm = SyncBatchNorm2d if device.type == "cpu" else nn.SyncBatchNorm
    forms = {nn.BatchNorm2d: norm, nn.Dropout2d: SharedDropout2d} if processes() > 1 else {}
    changed = [module for module in network.modules() if type(module) in forms]
    unknown = {type(m).__name__ for m in network.modules() if isinstance(m, _BatchNorm) and m not in set(changed)}
    if processes() > 1 and unknown:
        raise ValueError(
            f"the network has {', '.join(sorted(unknown))}, which cannot be synchronised over {processes()} processes: "
            "use block='bn_relu' and a backbone with plain BatchNorm2d, or one process"
        )
    before = [type(module) for module in changed]
    try:
        for module in changed:
            module.__class__ = forms[type(module)]
            module.process_group = None  # what nn.SyncBatchNorm looks for: all processes
        yield
    finally:
        for module, kind in zip(changed, before, strict=True):
            module.__class__ = kind
            del module.process_group
