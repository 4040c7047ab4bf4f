"""Every operator as literal float64 loops over its formula: slow, obvious, the judge of all the rest.

All take floating tensors of any type, compute in float64 and return float64; no gradient flows back. Gates,
projections and residuals stand outside, but for the global context family, where the projections are the operator.
Positions p and s are numbered i·W + j, N = H·W of them.
"""

import math

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from segtut.attention import _check

Map = Float64[Tensor, "B N M"]
Out = Float64[Tensor, "B C H W"]


def softmax(energy: list[float]) -> list[float]:
    """exp(D[s]) / sum over s' of exp(D[s'])."""
    largest = max(energy)  # cancels in the quotient, and exp cannot overflow
    weight = [math.exp(d - largest) for d in energy]
    total = sum(weight)
    return [w / total for w in weight]


def sigmoid(z: float) -> float:
    """1 / (1 + exp(-z)), written so that exp cannot overflow."""
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def criss_cross(
    q: Float[Tensor, "B C_qk H W"], k: Float[Tensor, "B C_qk H W"], v: Float[Tensor, "B C H W"]
) -> tuple[Out, Float64[Tensor, "B H W H+W"]]:
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
                energy = [torch.dot(q[b, :, i, j], k[b, :, h, w]).item() for h, w in omega.values()]
                for (s, (h, w)), weight in zip(omega.items(), softmax(energy), strict=True):
                    attention[b, i, j, s] = weight
                    out[b, :, i, j] += weight * v[b, :, h, w]
    return out, attention


def non_local(
    q: Float[Tensor, "B C_qk H W"],
    k: Float[Tensor, "B C_qk h w"],
    v: Float[Tensor, "B C h w"],
    mode: str = "embedded_gaussian",
    scale: float = 1.0,
    w: Float[Tensor, " 2*C_qk"] | None = None,
) -> tuple[Out, Map]:
    """Non-local attention, one query after the other: ``y[p] = sum over s of A[p, s] v[s]``.

    With M = h·w keys::

        gaussian, embedded_gaussian   A[p, s] = exp(scale q[p]·k[s]) / sum over s' of exp(scale q[p]·k[s'])
        dot_product                   A[p, s] = q[p] · k[s] / M
        concatenation                 A[p, s] = ReLU(w · [q[p], k[s]]) / M

    Wang et al., "Non-local Neural Networks" (CVPR 2018), equations 1 to 6; `scale` as in its Caffe2 code. The two
    Gaussians differ in what q and k are: x itself, or projections of it.
    """
    _check.choice("mode", mode, ("gaussian", "embedded_gaussian", "dot_product", "concatenation"))
    H, W = q.shape[2:]
    q, k, v = (t.detach().double().flatten(2) for t in (q, k, v))
    (B, C, M), N = v.shape, H * W
    out = torch.zeros(B, C, N, dtype=torch.float64)
    attention = torch.zeros(B, N, M, dtype=torch.float64)
    for b in range(B):
        for p in range(N):
            if mode == "concatenation":
                pairs = [torch.cat([q[b, :, p], k[b, :, s]]) for s in range(M)]
                weights = [max(torch.dot(w.detach().double(), pair).item(), 0.0) / M for pair in pairs]
            else:
                energy = [torch.dot(q[b, :, p], k[b, :, s]).item() for s in range(M)]
                weights = [d / M for d in energy] if mode == "dot_product" else softmax([scale * d for d in energy])
            for s, weight in enumerate(weights):
                attention[b, p, s] = weight
                out[b, :, p] += weight * v[b, :, s]
    return out.view(B, C, H, W), attention


def position_attention(
    q: Float[Tensor, "B C_qk H W"], k: Float[Tensor, "B C_qk H W"], v: Float[Tensor, "B C H W"]
) -> tuple[Out, Map]:
    """Position attention, ``A[p, s] = exp(q[p]·k[s]) / sum over s' of exp(q[p]·k[s'])``: not scaled.

    Fu et al., "Dual Attention Network for Scene Segmentation" (CVPR 2019), equations 1 and 2, without the residual.
    """
    q, k, v = (t.detach().double() for t in (q, k, v))
    B, C, H, W = v.shape
    image = [(i, j) for i in range(H) for j in range(W)]
    out = torch.zeros(B, C, H, W, dtype=torch.float64)
    attention = torch.zeros(B, H * W, H * W, dtype=torch.float64)
    for b in range(B):
        for i, j in image:
            energy = [torch.dot(q[b, :, i, j], k[b, :, g, h]).item() for g, h in image]
            for s, weight in enumerate(softmax(energy)):
                attention[b, i * W + j, s] = weight
                out[b, :, i, j] += weight * v[b, :, s // W, s % W]
    return out, attention


def channel_attention(x: Float[Tensor, "B C H W"], variant: str = "code") -> tuple[Out, Float64[Tensor, "B C C"]]:
    """Channel attention, one channel after the other: ``y[c] = sum over d of A[c, d] x[d]``.

    With E[c, d] = sum over p of x[c, p] x[d, p]::

        code    A[c, d] = exp(T[c, d]) / sum over d' of exp(T[c, d']),    T[c, d] = max over d' of E[c, d'] - E[c, d]
        paper   A[c, d] = exp(E[c, d]) / sum over d' of exp(E[c, d'])

    Fu et al. (CVPR 2019), equations 3 and 4, without the residual; junfu1115/DANet, encoding/nn/da_att.py.
    """
    _check.choice("variant", variant, ("code", "paper"))
    x = x.detach().double()
    B, C = x.shape[:2]
    out = torch.zeros_like(x, memory_format=torch.contiguous_format)
    attention = torch.zeros(B, C, C, dtype=torch.float64)
    for b in range(B):
        for c in range(C):
            energy = [(x[b, c] * x[b, d]).sum().item() for d in range(C)]
            if variant == "code":
                energy = [max(energy) - e for e in energy]
            for d, weight in enumerate(softmax(energy)):
                attention[b, c, d] = weight
                out[b, c] += weight * x[b, d]
    return out, attention


def pooled(
    x: Float[Tensor, "B C H W"], w_k: Float[Tensor, " C"] | None, b_k: Float[Tensor, ""] | None
) -> tuple[Float64[Tensor, "B C"], Float64[Tensor, "B N"]]:
    """``z = sum over s of A[s] x[s]`` and A: a softmax of w_k · x[s] + b_k, or 1/N everywhere if w_k is None.

    Cao et al., "GCNet" (ICCVW 2019), equation 6.
    """
    x = x.detach().double().flatten(2)
    B, C, N = x.shape
    context = torch.zeros(B, C, dtype=torch.float64)
    attention = torch.full((B, N), 1 / N, dtype=torch.float64)
    for b in range(B):
        if w_k is not None:
            energy = [torch.dot(w_k.detach().double(), x[b, :, s]).item() + b_k.item() for s in range(N)]
            attention[b] = torch.tensor(softmax(energy), dtype=torch.float64)
        for s in range(N):
            context[b] += attention[b, s] * x[b, :, s]
    return context, attention


def affine(W: Float[Tensor, "n m"], z: Float64[Tensor, " m"], b: Float[Tensor, " n"] | None = None) -> list[float]:
    """The numbers ``sum over j of W[i, j] z[j] + b[i]``: a 1×1 convolution at one position."""
    W = W.detach().double()
    return [torch.dot(row, z).item() + (0.0 if b is None else b[i].item()) for i, row in enumerate(W)]


def simplified_non_local(
    x: Float[Tensor, "B C H W"], w_k: Float[Tensor, " C"], b_k: Float[Tensor, ""], W_v: Float[Tensor, "C C"]
) -> tuple[Out, Float64[Tensor, "B N"]]:
    """Simplified non-local attention, ``y[p] = x[p] + W_v z``, z pooled by attention (Cao et al., equation 4)."""
    context, attention = pooled(x, w_k, b_k)
    out = x.detach().double().clone()
    for b in range(len(x)):
        for c, value in enumerate(affine(W_v, context[b])):
            out[b, c] += value
    return out, attention


def squeeze_excitation(
    x: Float[Tensor, "B C H W"], W1: Float[Tensor, "r C"], b1: Float[Tensor, " r"],
    W2: Float[Tensor, "C r"], b2: Float[Tensor, " C"],
) -> tuple[Out, Float64[Tensor, "B C 1 1"]]:  # fmt: skip
    """Squeeze-and-excitation, ``y[c, p] = x[c, p] σ(W2 ReLU(W1 z + b1) + b2)[c]``, z the mean; and the weights σ.

    Hu et al., "Squeeze-and-Excitation Networks" (CVPR 2018), equations 2 to 4.
    """
    mean, _ = pooled(x, None, None)
    out = x.detach().double().clone()
    weights = torch.zeros(*x.shape[:2], 1, 1, dtype=torch.float64)
    for b in range(len(x)):
        hidden = torch.tensor([max(z, 0.0) for z in affine(W1, mean[b], b1)], dtype=torch.float64)
        for c, z in enumerate(affine(W2, hidden, b2)):
            weights[b, c] = sigmoid(z)
            out[b, c] *= sigmoid(z)
    return out, weights


def global_context(
    x: Float[Tensor, "B C H W"], w_k: Float[Tensor, " C"] | None, b_k: Float[Tensor, ""] | None,
    multiply: tuple[Tensor, ...] | None, add: tuple[Tensor, ...] | None, eps: float = 1e-5,
) -> tuple[Out, Float64[Tensor, "B N"]]:  # fmt: skip
    """The global context block, ``y[p] = x[p] σ(f_multiply(z)) + f_add(z)``; a transform that is None is left out.

    For its six tensors (W1, b1, gain, shift, W2, b2)::

        f(z) = W2 ReLU(LayerNorm(W1 z + b1)) + b2
        LayerNorm(h) = gain (h - mean(h)) / √(var(h) + eps) + shift    var: the mean of the squared deviations

    Cao et al. (ICCVW 2019), equation 6; xvjiarui/GCNet, mmdet/ops/gcb/context_block.py.
    """
    context, attention = pooled(x, w_k, b_k)
    out = x.detach().double().clone()
    for b in range(len(x)):
        for transform, multiplies in ((multiply, True), (add, False)):  # in this order
            if transform is None:
                continue
            W1, b1, gain, shift, W2, b2 = transform
            h = affine(W1, context[b], b1)
            mean = sum(h) / len(h)
            deviation = math.sqrt(sum((z - mean) ** 2 for z in h) / len(h) + eps)
            h = [max(g.item() * (z - mean) / deviation + s.item(), 0.0) for z, g, s in zip(h, gain, shift, strict=True)]
            for c, value in enumerate(affine(W2, torch.tensor(h, dtype=torch.float64), b2)):
                out[b, c] = out[b, c] * sigmoid(value) if multiplies else out[b, c] + value
    return out, attention
