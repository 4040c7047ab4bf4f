"""Features as matrices, the right way and in the ways that mix them up."""

from einops import rearrange
from torch import Tensor


def rows(t: Tensor, way: str) -> Tensor:
    """(B, C, H, W) -> (B, N, C): positions row by row, column by column, or by a view that moves nothing."""
    if way == "view":
        return t.reshape(t.shape[0], -1, t.shape[1])
    return rearrange(t, "B C H W -> B (W H) C" if way == "columns" else "B C H W -> B (H W) C")


def folded(matrix: Tensor, way: str, H: int) -> Tensor:
    """(B, N, C) -> (B, C, H, W), likewise."""
    B, N, C = matrix.shape
    if way == "view":
        return matrix.reshape(B, C, H, N // H)
    return rearrange(matrix, "B (W H) C -> B C H W" if way == "columns" else "B (H W) C -> B C H W", H=H)


def viewed(what: str, channels: str) -> str:
    """The hint for a view that moves nothing."""
    return (
        f"{what} by .view or .reshape alone, which mixes channels with positions: (B, {channels}, H, W) lies in memory "
        f"channel by channel, so view it as (B, {channels}, N) and transpose that."
    )
