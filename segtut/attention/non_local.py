"""Non-local attention: every position looks at every other.

For positions p and s of N = H·W, with queries q, keys k and values v::

    D[p, s] = q[p] · k[s] · scale                 affinity
    A[p, :] = softmax over all s of D[p, s]
    y[p]    = sum over s of A[p, s] v[s]

Source: Wang et al., "Non-local Neural Networks" (CVPR 2018), equations 1 to 6; its Caffe2 code scales by 1/√D, the
paper does not.
All functions take floating tensors of one dtype and device, and raise TypeError or ValueError where that, or a
shape, is not so.
"""

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from segtut.attention import _check
from segtut.attention.precision import energies, weights
from segtut.attention.shapes import Dense, Features, KeyFeatures, Keys, QueryKey, Rows

MODES = ("gaussian", "embedded_gaussian", "dot_product", "concatenation")


def positions(x: Features) -> Rows:
    """The positions of x as rows, numbered i·W + j."""
    return rearrange(x, "B C H W -> B (H W) C")


def non_local(q: QueryKey, k: Keys, v: KeyFeatures, scale: float = 1.0) -> tuple[Features, Dense]:
    """Non-local attention with its map, without residual.

    Parameters
    ----------
    q, k, v : Tensor
        Queries (B, C_qk, H, W), keys (B, C_qk, h, w), values (B, C, h, w); h and w are H and W unless pooled.
    scale : float
        Factor of the affinity, before the softmax.

    Returns
    -------
    out, attention : Tensor
        (B, C, H, W), and A, (B, H·W, h·w), which sums to 1 over the last axis.
    """
    _check.dense_qkv(q, k, v)
    attention = weights(energies(lambda q, k: scale * q @ k.mT, positions(q), positions(k)), v)
    return rearrange(attention @ positions(v), "B (H W) C -> B C H W", H=q.shape[2]), attention


def non_local_sdpa(q: QueryKey, k: Keys, v: KeyFeatures, scale: float = 1.0) -> Features:
    """`non_local` by `F.scaled_dot_product_attention`: the map is made piece by piece, and N×N is never stored."""
    _check.dense_qkv(q, k, v)
    H, C = q.shape[2], v.shape[1]
    q, k, v = (positions(t).unsqueeze(1).contiguous() for t in (q, k, v))  # one head
    if not q.is_cuda and q.shape[-1] != C:
        # The CPU's kernel wants queries, keys and values of one width, else N×N is stored: zeros add nothing to q·k.
        widest = max(q.shape[-1], C)
        q, k, v = (F.pad(t, (0, widest - t.shape[-1])) for t in (q, k, v))
    out = F.scaled_dot_product_attention(q, k, v, scale=scale)[..., :C]
    return rearrange(out, "B 1 (H W) C -> B C H W", H=H)


class NonLocal(nn.Module):
    """The non-local block: projections, attention, projection back, residual.

    Parameters bear the official names. `conv_out`, or the batch norm behind it, starts at 0: the identity.

    Parameters
    ----------
    channels : int
        C, channels of input and output; a multiple of `reduction`.
    reduction : int
        C / D, where D is the number of channels of theta, phi and g.
    mode : {"embedded_gaussian", "gaussian", "dot_product", "concatenation"}
        Pairwise function f (equations 2 to 6): exp(θ·φ) and exp(x·x), both normalised to sum 1; θ·φ and
        ReLU(w·[θ, φ]), both divided by the number of keys.
    scaled : bool
        Multiply θ·φ by 1/√D before the softmax of ``embedded_gaussian``, as in the official code; False: the paper.
    pooled : bool
        Keys and values from 2×2 max pooling (section 3.3): a quarter of the work, and H and W at least 2.
    norm : bool
        Batch norm after `conv_out`.
    inner : int, optional
        D, instead of C // reduction.
    implementation : {"sdpa", "dense"}
        `non_local_sdpa`, for the two Gaussian modes, or with the whole map: same numbers. A returned map is dense.
    """

    def __init__(
        self, channels: int, reduction: int = 2, mode: str = "embedded_gaussian", scaled: bool = True,
        pooled: bool = False, norm: bool = False, inner: int | None = None, implementation: str = "sdpa",
    ):  # fmt: skip
        super().__init__()
        D = _check.inner_channels(channels, reduction, "inner", inner)
        _check.choice("mode", mode, MODES)
        _check.choice("implementation", implementation, ("sdpa", "dense"))
        self.channels, self.mode, self.implementation = channels, mode, implementation
        self.scale = D**-0.5 if scaled and mode == "embedded_gaussian" else 1.0
        self.pool = nn.MaxPool2d(2) if pooled else nn.Identity()
        self.g = nn.Conv2d(channels, D, 1)
        self.theta = nn.Conv2d(channels, D, 1) if mode != "gaussian" else nn.Identity()
        self.phi = nn.Conv2d(channels, D, 1) if mode != "gaussian" else nn.Identity()
        self.concat_project = nn.Conv2d(2 * D, 1, 1, bias=False) if mode == "concatenation" else None
        self.conv_out = nn.Conv2d(D, channels, 1, bias=not norm)  # a bias before a batch norm is lost in it
        self.norm = nn.BatchNorm2d(channels) if norm else nn.Identity()
        for conv in (self.g, self.theta, self.phi) if mode != "gaussian" else (self.g,):
            nn.init.normal_(conv.weight, std=0.01)
            nn.init.zeros_(conv.bias)
        last = self.norm if norm else self.conv_out
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, x: Features, return_attention: bool = False) -> Features | tuple[Features, Dense]:
        """``conv_out(y) + x``, (B, C, H, W), and with `return_attention` also A, (B, H·W, number of keys)."""
        q, k, v = self.qkv(x)
        attention = None
        if "gaussian" not in self.mode or return_attention or self.implementation == "dense":
            attention = self.attention(q, k)
            out = rearrange(attention @ positions(v), "B (H W) C -> B C H W", H=x.shape[2])
        else:
            out = non_local_sdpa(q, k, v, self.scale)
        out = self.norm(self.conv_out(out)) + x
        return (out, attention) if return_attention else out

    def qkv(self, x: Features) -> tuple[Tensor, Tensor, Tensor]:
        """Queries θ(x), keys φ(x), values g(x); the latter two pooled if the block is."""
        _check.module_input(x, self.channels, self.g.weight)
        if not isinstance(self.pool, nn.Identity):
            _check.poolable(x)
        return self.theta(x), self.pool(self.phi(x)), self.pool(self.g(x))

    def attention(self, q: QueryKey, k: Keys) -> Dense:
        """The pairwise function of queries and keys, normalised."""
        q, k = positions(q), positions(k)
        if "gaussian" in self.mode:
            return weights(energies(lambda q, k: self.scale * q @ k.mT, q, k), q)
        if self.mode == "dot_product":
            return energies(lambda q, k: q @ k.mT / k.shape[1], q, k).to(q.dtype)
        # w·[θ, φ] = w₁·θ + w₂·φ: the N×N pairs of 2D channels need not be written down.
        w1, w2 = self.concat_project.weight.flatten().chunk(2)
        return F.relu((q @ w1)[:, :, None] + (k @ w2)[:, None, :]) / k.shape[1]
