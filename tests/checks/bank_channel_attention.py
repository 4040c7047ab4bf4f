"""Answers to `channel_attention(x)`."""

import functools

import numpy as np
import torch
import torch.nn.functional as F
import torch.utils.checkpoint
from einops import einsum, rearrange
from torch import nn

from segtut.attention import dual
from tests.checks.bank import Bank

bank = Bank("check_channel_attention")


# ---- right


@bank.right
def as_published(x):
    B, C, H, W = x.size()
    proj_query = x.view(B, C, -1)
    proj_key = x.view(B, C, -1).permute(0, 2, 1)
    energy = torch.bmm(proj_query, proj_key)
    energy_new = torch.max(energy, -1, keepdim=True)[0].expand_as(energy) - energy
    attention = nn.Softmax(dim=-1)(energy_new)
    return torch.bmm(attention, x.view(B, C, -1)).view(B, C, H, W)


@bank.right
def minus_the_energy(x):
    X = x.flatten(2)
    return ((-X @ X.mT).softmax(-1) @ X).view(x.shape)


@bank.right
def softmin(x):
    X = rearrange(x, "b c h w -> b c (h w)")
    A = F.softmin(X @ X.transpose(1, 2), dim=2)
    return rearrange(A @ X, "b c (h w) -> b c h w", h=x.shape[2])


@bank.right
def largest_of_the_image(x):
    X = x.flatten(2)
    E = X @ X.mT
    return torch.softmax(E.amax((1, 2), keepdim=True) - E, dim=-1).matmul(X).reshape(x.shape)


@bank.right
def largest_of_all(x):
    X = x.flatten(2)
    E = X @ X.mT
    return ((E.max() - E).softmax(-1) @ X).reshape(x.shape)


@bank.right
def einsum_on_pixels(x):
    E = torch.einsum("bchw,bdhw->bcd", x, x)
    A = (E.amax(dim=2, keepdim=True) - E).softmax(dim=2)
    return torch.einsum("bcd,bdhw->bchw", A, x)


@bank.right
def einops_einsum(x):
    E = einsum(x, x, "b c h w, b d h w -> b d c")  # symmetric
    return einsum((-E).softmax(-1), x, "b c d, b d h w -> b c h w")


@bank.right
def every_channel_in_a_loop(x):
    out = torch.zeros_like(x)
    for b in range(x.shape[0]):
        for c in range(x.shape[1]):
            energies = torch.stack([(x[b, c] * x[b, d]).sum() for d in range(x.shape[1])])
            weights = torch.softmax(energies.max() - energies, dim=0)
            out[b, c] = sum(w * x[b, d] for d, w in enumerate(weights))
    return out


@bank.right
def comprehension(x):
    def one(X):
        return torch.stack([((X @ X[c]).neg().softmax(0)[:, None] * X).sum(0) for c in range(len(X))])

    return torch.stack([one(image.flatten(1)) for image in x]).view_as(x)


@bank.right
def the_package(x):
    return dual.channel_attention(x)[0]


@bank.right
def softmax_by_hand(x):
    X = x.reshape(x.shape[0], x.shape[1], -1)
    E = torch.bmm(X, X.transpose(1, 2))
    weights = torch.exp(E.min(dim=-1, keepdim=True).values - E)
    return torch.bmm(weights / weights.sum(dim=-1, keepdim=True), X).reshape(x.shape)


@bank.right
def exp_of_the_difference(x):
    """Without subtracting anything that keeps exp small."""
    X = x.flatten(2)
    weights = torch.exp(-(X @ X.mT))
    return ((weights @ X) / weights.sum(-1, keepdim=True)).view(x.shape)


@bank.right
def one_over_exp(x):
    X = x.flatten(2)
    weights = 1 / (X @ X.mT).exp()
    return (F.normalize(weights, p=1, dim=-1) @ X).view(x.shape)


@bank.right
def in_double_and_back(x):
    X = x.double().flatten(2)
    return ((-(X @ X.mT)).softmax(-1) @ X).to(x).view(x.shape)


@bank.right
def sdpa_with_scale_minus_one(x):
    X = x.flatten(2)
    return F.scaled_dot_product_attention(X, X, X, scale=-1.0).reshape(x.shape)


@bank.right
def sdpa_of_a_negative_query(x):
    X = x.flatten(2)[:, None]
    return F.scaled_dot_product_attention(-X, X, X, scale=1.0)[:, 0].unflatten(-1, x.shape[2:])


@bank.right
def positions_first(x):
    X = rearrange(x, "b c h w -> b (h w) c")
    E = X.mT @ X
    A = (E.amax(1, keepdim=True) - E).softmax(1)  # columns: E is symmetric
    return rearrange(X @ A, "b (h w) c -> b c h w", h=x.shape[2])  # not contiguous


@bank.right
def image_by_image(x):
    out = []
    for image in x:
        X = image.flatten(1)
        E = X @ X.T
        out.append(((E.max(1, keepdim=True).values - E).softmax(1) @ X).unflatten(1, image.shape[1:]))
    return torch.stack(out)


@bank.right
def negligible_weights_are_zero(x):
    X = x.flatten(2)
    E = -(X @ X.mT)
    E = E.masked_fill(E.detach().amax(-1, keepdim=True) - 60 > E, -torch.inf)
    return (E.softmax(-1) @ X).view(x.shape)


@bank.right
def by_vmap(x):
    return torch.vmap(lambda X: (-(X @ X.T)).softmax(-1) @ X)(x.flatten(2)).reshape(x.shape)


@bank.right
def broadcasting(x):
    E = (x[:, :, None] * x[:, None]).sum(dim=(3, 4))
    A = torch.softmax(E.max(2, keepdim=True)[0] - E, 2)
    return (A[:, :, :, None, None] * x[:, None]).sum(2)


@bank.right
def by_distances(x):
    """−E up to a number for each row: the softmax ignores it."""
    X = x.flatten(2)
    squares = X.square().sum(-1)
    distances = squares[:, :, None] + squares[:, None] - 2 * X @ X.mT
    return (((distances - squares[:, None]) / 2).softmax(-1) @ X).view(x.shape)


@bank.right
def prints_its_map(x):
    print("hello")
    return as_published(x)


@bank.right
def by_1x1_convolutions(x):
    """Weights as those of a 1×1 convolution."""
    out = []
    for image in x:
        X = image.flatten(1)
        E = X @ X.T
        out.append(F.conv2d(image[None], (-E).softmax(1)[:, :, None, None]))
    return torch.cat(out)


@bank.right
def correlation_of_whole_channels(x):
    """E by a convolution whose kernels are the channels."""
    E = torch.stack([F.conv2d(image[:, None], image[:, None])[..., 0, 0] for image in x])
    return torch.einsum("bcd,bdhw->bchw", torch.softmax(E.amax(2, keepdim=True) - E, 2), x)


@bank.right
def in_float32_and_back(x):
    return as_published(x.float()).type_as(x)


@bank.right
def upper_triangle_only(x):
    """E is symmetric: half of it is enough."""
    B, C = x.shape[:2]
    E = [[None] * C for _ in range(C)]
    for c in range(C):
        for d in range(c, C):
            E[c][d] = E[d][c] = -(x[:, c] * x[:, d]).flatten(1).sum(1)
    A = torch.stack([torch.stack(row, -1) for row in E], 1).softmax(-1)
    assert A.shape == (B, C, C)
    return torch.einsum("bcd,bdhw->bchw", A, x)


class CAM(nn.Module):
    def __init__(self):
        super().__init__()
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, x):
        X = x.flatten(2)
        E = X @ X.mT
        return (self.softmax(E.amax(-1, keepdim=True) - E) @ X).view(x.shape)


bank.right(CAM())
bank.right(lambda x: ((-(x.flatten(2) @ x.flatten(2).mT)).softmax(-1) @ x.flatten(2)).reshape(x.shape))
partial = functools.partial(torch.utils.checkpoint.checkpoint, as_published, use_reentrant=False)
bank.right(partial)


# ---- wrong


@bank.wrong("as in the paper")
def the_paper(x):
    return dual.channel_attention(x, "paper")[0]


@bank.wrong("softmax(E − max) is softmax(E)")
def energy_minus_the_largest(x):
    X = x.flatten(2)
    E = X @ X.mT
    return ((E - E.max(-1, keepdim=True)[0]).softmax(-1) @ X).view(x.shape)


@bank.wrong("as in the paper")
def sdpa(x):
    X = x.flatten(2)
    return F.scaled_dot_product_attention(X, X, X, scale=1).view(x.shape)


@bank.wrong("as in the paper")
def minus_in_both_factors(x):
    X = -x.flatten(2)
    return ((X @ X.mT).softmax(-1) @ x.flatten(2)).view(x.shape)


@bank.wrong("The minus sign stands outside of the softmax of E")
def minus_outside(x):
    X = x.flatten(2)
    return (-(X @ X.mT).softmax(-1) @ X).view(x.shape)


@bank.wrong("1 − softmax(E) does turn the order")
def one_minus_the_map(x):
    X = x.flatten(2)
    return ((1 - (X @ X.mT).softmax(-1)) @ X).view(x.shape)


@bank.wrong("but is no softmax")
def one_minus_the_map_divided(x):
    X = x.flatten(2)
    A = 1 - (X @ X.mT).softmax(-1)
    return (A / A.sum(-1, keepdim=True) @ X).view(x.shape)


@bank.wrong("1 / softmax(E) does turn the order")
def one_over_the_map(x):
    X = x.flatten(2)
    return ((1 / (X @ X.mT).softmax(-1)) @ X).view(x.shape)


@bank.wrong("The energies lose their signs")
def absolute_energies(x):
    X = x.flatten(2)
    return ((-(X @ X.mT).abs()).softmax(-1) @ X).view(x.shape)


@bank.wrong("The channels of all images are compared and mixed")
def batch_among_the_channels(x):
    X = x.flatten(0, 1).flatten(1)
    return ((-(X @ X.T)).softmax(-1) @ X).view(x.shape)


@bank.wrong("as in the paper")
def energy_minus_the_smallest(x):
    X = x.flatten(2)
    E = X @ X.mT
    return ((E - E.amin(-1, keepdim=True)).softmax(-1) @ X).view(x.shape)


@bank.wrong("All channels get the same weight")
def mean_of_the_channels(x):
    return x.mean(1, keepdim=True).expand_as(x)


@bank.wrong("It divides by C in place of a softmax")
def averaged_energies(x):
    X = x.flatten(2)
    E = X @ X.mT
    E = E.amax(-1, keepdim=True) - E
    return (E / E.shape[-1] @ X).view(x.shape)


@bank.wrong("H and W of the result are exchanged")
def transposed_result(x):
    return as_published(x).mT


@bank.wrong("as in squeeze-and-excitation")
def squeeze_and_excitation(x):
    return x * x.mean((2, 3), keepdim=True).sigmoid()


@bank.wrong("The result has the wrong sign")
def minus_everywhere(x):
    X = -x.flatten(2)
    return ((-(X @ X.mT)).softmax(-1) @ X).view(x.shape)


@bank.wrong("The softmax runs over the wrong axis")
def softmax_dim_1(x):
    X = x.flatten(2)
    E = X @ X.mT
    return ((E.amax(-1, keepdim=True) - E).softmax(1) @ X).view(x.shape)


@bank.wrong("The attention is applied transposed")
def transposed_product(x):
    X = x.flatten(2)
    A = (-(X @ X.mT)).softmax(-1)
    return torch.einsum("bcd,bcn->bdn", A, X).reshape(x.shape)


@bank.wrong("The attention is applied transposed")
def minus_and_dim_1(x):
    X = x.flatten(2)
    return ((-(X @ X.mT)).softmax(dim=1) @ X).view(x.shape)


@bank.wrong("The attention is applied transposed")
def positions_first_and_untransposed(x):
    X = rearrange(x, "b c h w -> b (h w) c")
    A = (-(X.mT @ X)).softmax(-1)
    return rearrange(X @ A, "b (h w) c -> b c h w", h=x.shape[2])


@bank.wrong("The largest energy is taken along the wrong axis")
def largest_along_dim_1(x):
    X = x.flatten(2)
    E = X @ X.mT
    return ((E.max(1, keepdim=True).values - E).softmax(-1) @ X).view(x.shape)


@bank.wrong("The largest energy is taken along the wrong axis")
def without_keepdim(x):
    """Runs for one image only: for several, the axes do not fit."""
    X = x.flatten(2)
    E = X @ X.mT
    return ((torch.max(E, -1)[0] - E).softmax(-1) @ X).view(x.shape)


@bank.wrong("raised TypeError")
def the_tuple_of_max(x):
    X = x.flatten(2)
    E = X @ X.mT
    return ((torch.max(E, -1, keepdim=True) - E).softmax(-1) @ X).view(x.shape)


@bank.wrong("One softmax runs over all C·C energies")
def one_softmax(x):
    X = x.flatten(2)
    E = X @ X.mT
    E = E.amax(-1, keepdim=True) - E
    return (E.flatten(1).softmax(1).view_as(E) @ X).view(x.shape)


@bank.wrong("One softmax runs over all C·C negative energies")
def one_softmax_of_minus(x):
    X = x.flatten(2)
    E = X @ X.mT
    return (F.softmax((-E).flatten(1), dim=-1).view(E.shape) @ X).view(x.shape)


@bank.wrong("The softmax runs over the images of the batch")
def softmax_dim_0(x):
    X = x.flatten(2)
    E = X @ X.mT
    return ((E.amax(-1, keepdim=True) - E).softmax(0) @ X).view(x.shape)


@bank.wrong("The softmax is missing")
def no_softmax(x):
    X = x.flatten(2)
    E = X @ X.mT
    return ((E.amax(-1, keepdim=True) - E) @ X).view(x.shape)


@bank.wrong("sigmoid in place of the softmax")
def with_sigmoid(x):
    X = x.flatten(2)
    E = X @ X.mT
    return (torch.sigmoid(E.amax(-1, keepdim=True) - E) @ X).view(x.shape)


@bank.wrong("exp without dividing by its sum")
def unnormalised(x):
    X = x.flatten(2)
    E = X @ X.mT
    return (torch.exp(E.amax(-1, keepdim=True) - E) @ X).view(x.shape)


@bank.wrong("It takes a log-softmax")
def log_softmax(x):
    X = x.flatten(2)
    return (F.log_softmax(-(X @ X.mT), dim=-1) @ X).view(x.shape)


@bank.wrong("one channel alone")
def argmin(x):
    X = x.flatten(2)
    least = (X @ X.mT).argmin(-1)
    return torch.stack([image[d] for image, d in zip(x, least)])


@bank.wrong("It compares positions: E must be (C, C)")
def positions_and_minus(x):
    X = x.flatten(2)
    E = X.mT @ X
    A = (E.amax(-1, keepdim=True) - E).softmax(-1)
    return (X @ A.mT).view(x.shape)


@bank.wrong("It compares positions, and with the paper's sign")
def position_attention_of_x(x):
    return dual.position_attention(x, x, x)[0]


@bank.wrong("It compares the channels' means")
def pooled(x):
    s = F.adaptive_avg_pool2d(x, 1).flatten(1)
    E = s[:, :, None] * s[:, None, :]
    A = (E.amax(-1, keepdim=True) - E).softmax(-1)
    return (A @ x.flatten(2)).view(x.shape)


@bank.wrong("The mean of each channel is subtracted first")
def covariance(x):
    X = x.flatten(2)
    D = X - X.mean(-1, keepdim=True)
    return ((-(D @ D.mT)).softmax(-1) @ X).view(x.shape)


@bank.wrong("asked for is the product, not the cosine")
def cosines(x):
    X = x.flatten(2)
    E = F.cosine_similarity(X[:, :, None], X[:, None], dim=-1)
    return ((-E).softmax(-1) @ X).view(x.shape)


@bank.wrong("neither energies nor result take a norm")
def normalised_everywhere(x):
    X = F.normalize(x.flatten(2), dim=-1)
    return ((-(X @ X.mT)).softmax(-1) @ X).view(x.shape)


@bank.wrong("Each position's vector is brought to length 1")
def normalised_over_channels(x):
    """F.normalize takes dim=1 unless told otherwise."""
    X = F.normalize(x).flatten(2)
    return ((-(X @ X.mT)).softmax(-1) @ x.flatten(2)).view(x.shape)


@bank.wrong("divided by √N")
def scaled(x):
    X = x.flatten(2)
    return ((-(X @ X.mT) / X.shape[-1] ** 0.5).softmax(-1) @ X).view(x.shape)


@bank.wrong("divided by √N")
def sdpa_with_its_own_scale(x):
    X = x.flatten(2)
    return F.scaled_dot_product_attention(-X, X, X).view(x.shape)


@bank.wrong("divided by N, as a mean")
def mean_over_positions(x):
    E = (x[:, :, None] * x[:, None]).mean(dim=(3, 4))
    return ((-E).softmax(-1) @ x.flatten(2)).view(x.shape)


@bank.wrong("divided by √C")
def scaled_by_channels(x):
    X = x.flatten(2)
    return ((-(X @ X.mT) * X.shape[1] ** -0.5).softmax(-1) @ X).view(x.shape)


@bank.wrong("A channel does not look at itself")
def itself_masked(x):
    X = x.flatten(2)
    E = -(X @ X.mT)
    E = E.masked_fill(torch.eye(E.shape[1], dtype=torch.bool, device=x.device), float("-inf"))
    return (E.softmax(-1) @ X).view(x.shape)


@bank.wrong("becomes +∞ where the energies are turned")
def masked_before_it_is_turned(x):
    X = x.flatten(2)
    E = X @ X.mT + torch.diag(torch.full((X.shape[1],), -torch.inf)).to(x)
    return ((E.amax(-1, keepdim=True) - E).softmax(-1) @ X).view(x.shape)


@bank.wrong("A residual is added")
def with_residual(x):
    return as_published(x) + x


@bank.wrong("It returns x itself")
def whole_module(x):
    gamma = torch.zeros(1, dtype=x.dtype, device=x.device)
    return gamma * as_published(x) + x


@bank.wrong("It returns 0 everywhere")
def gate_without_residual(x):
    return torch.zeros(1, dtype=x.dtype, device=x.device) * as_published(x)


@bank.wrong("x is multiplied by the mixture")
def as_a_gate(x):
    return x * as_published(x)


@bank.wrong("It returns the attention map")
def the_map(x):
    X = x.flatten(2)
    return (-(X @ X.mT)).softmax(-1)


@bank.wrong("The result is a matrix still: fold (B, C, N)")
def not_folded(x):
    X = x.flatten(2)
    return (-(X @ X.mT)).softmax(-1) @ X


@bank.wrong("The result is folded to (B, C, W, H)")
def width_first(x):
    B, C, W, H = x.shape
    X = x.flatten(2)
    return ((-(X @ X.mT)).softmax(-1) @ X).view(B, C, H, W)


@bank.wrong("The second factor of E gets its N rows by .view or .reshape alone")
def view_in_place_of_permute(x):
    B, C, H, W = x.shape
    energy = torch.bmm(x.view(B, C, H * W), x.view(B, H * W, C))
    return ((energy.amax(-1, keepdim=True) - energy).softmax(-1) @ x.view(B, C, -1)).view(B, C, H, W)


@bank.wrong("x is made a matrix of N rows, and the result folded back, by .view")
def only_views(x):
    B, C, H, W = x.shape
    X = x.reshape(B, H * W, C)
    A = (-(X.mT @ X)).softmax(-1)
    return (X @ A.mT).reshape(B, C, H, W)


@bank.wrong("(B, N, C) must be transposed to (B, C, N) first")
def folded_without_transposing(x):
    X = rearrange(x, "b c h w -> b (h w) c")
    A = (-(X.mT @ X)).softmax(-1)
    return (X @ A.mT).reshape(x.shape)


@bank.wrong("The positions of the second factor of E are numbered column by column")
def two_orders(x):
    X, K = rearrange(x, "b c h w -> b c (h w)"), rearrange(x, "b c h w -> b (w h) c")
    return ((-(X @ K)).softmax(-1) @ X).view(x.shape)


@bank.wrong("The positions of the result are numbered column by column")
def folded_column_by_column(x):
    X = x.flatten(2)
    return rearrange((-(X @ X.mT)).softmax(-1) @ X, "b c (w h) -> b c h w", h=x.shape[2])


@bank.wrong("The energies are summed over the images")
def einsum_without_b(x):
    E = torch.einsum("bchw,bdhw->cd", x, x)
    return torch.einsum("cd,bdhw->bchw", (-E).softmax(-1), x)


@bank.wrong("All images use the energies of the first one")
def energies_of_the_first(x):
    X = x.flatten(2)
    return ((-(X[0] @ X[0].T)).softmax(-1) @ X).view(x.shape)


@bank.wrong("All images mix the channels of the first one")
def channels_of_the_first(x):
    X = x.flatten(2)
    return ((-(X @ X.mT)).softmax(-1) @ X[0]).view(x.shape)


@bank.wrong("Only the first image of the batch is computed")
def index_always_0(x):
    out = torch.zeros_like(x)
    for _ in x:
        X = x[0].flatten(1)
        out[0] = ((-(X @ X.T)).softmax(-1) @ X).view(x[0].shape)
    return out


@bank.wrong("The softmax is taken twice")
def softmax_of_a_softmax(x):
    X = x.flatten(2)
    return ((-(X @ X.mT)).softmax(-1).softmax(-1) @ X).view(x.shape)


@bank.wrong("And another: A residual is added")
def paper_and_residual(x):
    return the_paper(x) + x


@bank.wrong("And another: ")
def scaled_and_transposed(x):
    X = x.flatten(2)
    A = (-(X @ X.mT) / X.shape[1] ** 0.5).softmax(-1)
    return (A.mT @ X).view(x.shape)


@bank.wrong("returned a tuple of 2")
def map_as_well(x):
    return dual.channel_attention(x)


@bank.wrong("changes its input x")
def written_into_x(x):
    x.copy_(as_published(x.clone()))
    return x


@bank.wrong("works in float32 but not in float64")
def to_float(x):
    return as_published(x.float())


@bank.wrong("nothing before it can learn")
def in_numpy(x):
    X = x.detach().cpu().numpy().reshape(*x.shape[:2], -1)
    E = np.exp(-np.einsum("bcn,bdn->bcd", X, X))
    return torch.tensor(E / E.sum(-1, keepdims=True) @ X, dtype=x.dtype).view(x.shape)


@bank.wrong("the gradient of x is another")
def detached_energies(x):
    X = x.flatten(2)
    E = (X @ X.mT).data
    return ((-E).softmax(-1) @ X).view(x.shape)


@bank.wrong("works on the CPU only: it makes a tensor there")
def filled_on_the_cpu(x):
    X, A = x.flatten(2), torch.zeros(len(x), x.shape[1], x.shape[1], dtype=x.dtype)
    A = A - X @ X.mT
    return (A.softmax(-1) @ X).view(x.shape)


@bank.wrong("something else when it is called again")
def with_dropout(x):
    X = x.flatten(2)
    return (F.dropout((-(X @ X.mT)).softmax(-1), 0.3) @ X).view(x.shape)


@bank.wrong("right only for a single image")
def reshaped_across_images(x):
    X = x.transpose(0, 1).reshape(len(x), x.shape[1], -1)
    return ((-(X @ X.mT)).softmax(-1) @ X).view(x.shape)


@bank.wrong("wrong only for a single image")
def squeezed(x):
    return as_published(x).squeeze(0)


@bank.wrong("still raises NotImplementedError")
def blank(x):
    # YOUR CODE HERE
    raise NotImplementedError()


bank.wrong("channel_attention is None: write it first")(None)


@bank.wrong("returned None; it prints its result")
def prints_its_result(x):
    print(as_published(x))


@bank.wrong("raised NameError")
def q_is_not_defined(x):
    return dual.position_attention(q, q, x)[0]  # noqa: F821


@bank.right
def softmax_over_the_columns_of_a_symmetric_matrix(x):
    X = x.flatten(2)
    return ((-(X @ X.mT)).softmax(1).mT @ X).view(x.shape)


def mix(A, x):
    return (A @ x.flatten(2)).view(x.shape)


def energy(x):
    return x.flatten(2) @ x.flatten(2).mT


@bank.wrong("The largest is taken of the weights")
def largest_weight_minus_the_weights(x):
    A = energy(x).softmax(-1)
    return mix(A.amax(-1, keepdim=True) - A, x)


@bank.wrong("differences from the largest energy are divided by their sum")
def shares_of_the_differences(x):
    difference = energy(x).amax(-1, keepdim=True) - energy(x)
    return mix(difference / difference.sum(-1, keepdim=True), x)


@bank.wrong("The matrix of which E is made gets its N rows by .view or .reshape alone")
def view_for_the_energies(x):
    rows = x.reshape(x.shape[0], -1, x.shape[1])
    return mix((-(rows.mT @ rows)).softmax(-1), x)


@bank.wrong("transpose (B, N, C) and fold it back")
def positions_first_and_not_folded(x):
    return as_published(x).flatten(2).mT


@bank.wrong("A .squeeze() takes all axes of length 1 away")
def squeezed_everywhere(x):
    return as_published(x).squeeze()


@bank.wrong("weight for itself is set to 0 after the softmax")
def itself_at_0(x):
    A = (-energy(x)).softmax(-1)
    return mix(A * (1 - torch.eye(A.shape[1], dtype=A.dtype, device=A.device)), x)


@bank.wrong("A channel counts itself twice")
def itself_twice(x):
    weights = (-energy(x)).exp()
    weights = weights + torch.diag_embed(weights.diagonal(dim1=1, dim2=2))
    return mix(weights / weights.sum(-1, keepdim=True), x)


@bank.wrong("a sigmoid of −E in place of the softmax")
def sigmoid_of_minus(x):
    return mix((-energy(x)).sigmoid(), x)


@bank.wrong("exp(−E) without dividing by its sum")
def exp_of_minus(x):
    return mix((-energy(x)).exp(), x)


@bank.wrong("a softmax of the channels' means")
def gate_of_means(x):
    return x * x.mean((2, 3), keepdim=True).softmax(1)


@bank.wrong("squared distance, and the nearest gets the most weight")
def nearest(x):
    X = x.flatten(2)
    return mix((-(X[:, :, None] - X[:, None]).square().sum(-1)).softmax(-1), x)


@bank.wrong("squared distance: asked for is their product")
def farthest(x):
    X = x.flatten(2)
    return mix((X[:, :, None] - X[:, None]).square().sum(-1).softmax(-1), x)


@bank.wrong("The maps are averaged over the batch")
def mean_of_the_maps(x):
    return mix((-energy(x)).softmax(-1).mean(0, keepdim=True), x)


@bank.wrong("And another: It takes one channel alone")
def argmax(x):
    return mix(F.one_hot(energy(x).argmax(-1), x.shape[1]).to(x.dtype), x)


SOMETHING = torch.tensor([1.0, -0.5]).view(1, 2, 1, 1)


@bank.wrong("returns the same for different inputs")
def of_a_variable_of_the_notebook(inputs):
    return as_published(SOMETHING)


@bank.wrong("channel_attention is a class: it must be a function")
class Unbuilt(nn.Module):
    def forward(self, x):
        return as_published(x)
