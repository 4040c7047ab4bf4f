"""Every operator as literal float64 loops over its formula: slow, obvious, the judge of all the rest."""

import math

import torch
from jaxtyping import Float, Float64
from torch import Tensor


def criss_cross(
    q: Float[Tensor, "B C_qk H W"], k: Float[Tensor, "B C_qk H W"], v: Float[Tensor, "B C H W"]
) -> tuple[Float64[Tensor, "B C H W"], Float64[Tensor, "B H W H+W"]]:
    """Criss-cross attention, one position after the other.

    For the position u = (i, j), Ω(u) is its column without u itself, followed by its whole row::

        D[u, s] = q[u] · k[s]                                    for s in Ω(u)
        A[u, s] = exp(D[u, s]) / sum over s' in Ω(u) of exp(D[u, s'])
        y[u]    = sum over s in Ω(u) of A[u, s] v[s]

    Parameters
    ----------
    q, k : Tensor
        Queries and keys, (B, C_qk, H, W), any floating type.
    v : Tensor
        Values, (B, C, H, W).

    Returns
    -------
    out : Tensor
        y, (B, C, H, W), float64. No gradient flows back.
    attention : Tensor
        A, (B, H, W, H + W), float64: the column's H entries, then the row's W. The pixel's own entry in
        the column is 0, since it is counted in the row.

    Notes
    -----
    Huang et al., "CCNet: Criss-Cross Attention for Semantic Segmentation" (ICCV 2019), equations 1 and 2,
    without the residual.
    """
    q, k, v = (t.detach().double() for t in (q, k, v))
    B, C, H, W = v.shape
    out = torch.zeros(B, C, H, W, dtype=torch.float64)
    attention = torch.zeros(B, H, W, H + W, dtype=torch.float64)
    for b in range(B):
        for i in range(H):
            for j in range(W):
                column = {h: (h, j) for h in range(H) if h != i}
                row = {H + w: (i, w) for w in range(W)}
                omega = column | row  # entry on the last axis -> position
                energy = {s: torch.dot(q[b, :, i, j], k[b, :, h, w]).item() for s, (h, w) in omega.items()}
                largest = max(energy.values())  # cancels in the quotient, and exp cannot overflow
                weight = {s: math.exp(d - largest) for s, d in energy.items()}
                total = sum(weight.values())
                for s, (h, w) in omega.items():
                    attention[b, i, j, s] = weight[s] / total
                    out[b, :, i, j] += attention[b, i, j, s] * v[b, :, h, w]
    return out, attention
