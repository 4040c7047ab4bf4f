"""FLOPs, counted: PyTorch watches the convolutions and matrix products of one forward pass."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from segtut.attention import NonLocal, PositionAttention
from segtut.cost.probe import Shape, call, check_module, input_shape, kind


def _matrix_vector(matrix: list[int], vector: list[int], *_, **__) -> int:
    return 2 * matrix[0] * matrix[1]


def _dot(a: list[int], b: list[int], *_, **__) -> int:
    return 2 * a[0]


# Products that PyTorch's counter passes over.
MORE_PRODUCTS = {torch.ops.aten.mv: _matrix_vector, torch.ops.aten.dot: _dot}


@contextmanager
def pretended(module: nn.Module, shape: Shape) -> Iterator[tuple[nn.Module, Tensor]]:
    """A copy in evaluation mode and an input of that shape, on which nothing is computed but shapes.

    Attention by `F.scaled_dot_product_attention` is replaced by its dense form: the same two products, without the
    zeros that some of PyTorch's kernels pad them with.
    """
    check_module(module)
    sizes = input_shape(shape)
    twin = copy.deepcopy(module).eval()
    for part in twin.modules():
        if isinstance(part, NonLocal | PositionAttention):
            part.implementation = "dense"
    with torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True):
        yield twin, torch.empty(sizes, **kind(module))


def flops(module: nn.Module, shape: Shape) -> int:
    """Floating-point operations of one forward pass in evaluation mode, counted.

    Two a multiply-add, over convolutions (without bias) and matrix products; sums, norms, softmax, pooling and
    interpolation are not counted, as in the literature. Nothing is computed: any size costs milliseconds.

    Parameters
    ----------
    module : nn.Module
        An operator, head or network; it stays as it was.
    shape : (int, int, int, int) or (int, int)
        (B, C, H, W) of the input, or (H, W) of one RGB image.

    Returns
    -------
    int
        FLOPs for the whole batch.

    Raises
    ------
    TypeError, ValueError
        `module` is no module, or cannot be called on that shape.

    Examples
    --------
    >>> from segtut.attention import CrissCrossAttention, PositionAttention
    >>> round(flops(CrissCrossAttention(512), (1, 512, 97, 97)) / 1e9, 2)
    8.27
    >>> round(flops(PositionAttention(512), (1, 512, 97, 97)) / 1e9, 1)
    108.2
    """
    with pretended(module, shape) as (twin, x), FlopCounterMode(display=False, custom_mapping=MORE_PRODUCTS) as counter:
        call(twin, x)
    return counter.get_total_flops()
