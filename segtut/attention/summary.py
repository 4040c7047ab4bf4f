"""Numbers that sum up a row of a map: over how many positions it is spread, and how far away they are.

For rows as `segtut.attention.dense_attention` gives them, none of them negative, each with the sum 1.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from segtut.attention import _check
from segtut.attention.dense import DenseRows, number


def entropy(rows: Float[Tensor, "... N"]) -> Float[Tensor, "..."]:
    """Entropy of every row, in nats: −Σ a ln a, from 0 for a single position to ln N for all alike.

    Its exponential is the effective number of positions: of how many equal weights a row of that entropy is made.
    A position without weight adds nothing.

    Parameters
    ----------
    rows : Tensor
        (..., N).
    """
    return torch.special.entr(rows).sum(dim=-1)


def mean_distance(
    rows: DenseRows, H: int, W: int, pixels: Sequence[tuple[int, int]] | None = None
) -> Float[Tensor, "B P"]:
    """Mean attention distance: how far from its pixel a row looks, each position counted with its weight.

    As in Dosovitskiy et al. (2021, appendix D.7) and Raghu et al. (2021, section 3), who average over the pixels too.

    Parameters
    ----------
    rows : Tensor
        (B, P, N), N = H·W.
    H, W : int
        Height and width of the features.
    pixels : sequence of (row, column), optional
        Whose rows they are; all N by default.

    Returns
    -------
    Tensor
        (B, P), Euclidean, in positions of the features: 1 is from one to the next in its row or column.

    Raises
    ------
    TypeError
        `pixels` holds something else than pairs.
    ValueError
        The shape of `rows` does not fit, or a pixel lies outside.
    """
    _check.positive("H", H)
    _check.positive("W", W)
    numbers = list(range(H * W)) if pixels is None else [number(pixel, H, W) for pixel in pixels]
    wanted = (rows.shape[0], len(numbers), H * W)
    _check.same_shape("rows", rows.shape, wanted, f"(B, P, N) with P={len(numbers)} pixels and N={H}·{W}")
    i, j = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    places = torch.stack([i, j], dim=-1).view(-1, 2).to(rows)
    apart = (places[numbers, None] - places).norm(dim=-1)
    return (rows * apart).sum(dim=-1)
