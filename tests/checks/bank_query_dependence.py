"""Answers to `query_dependence(attention)`."""

import functools
from itertools import combinations, permutations

import numpy as np
import torch
from einops import einsum, reduce
from torch.nn import functional as F

from tests.checks.bank import Bank

bank = Bank("check_query_dependence")


@bank.right
def unit_rows_and_a_product(attention):
    N = attention.shape[1]
    unit = F.normalize(attention, dim=-1)
    distance = 1 - unit @ unit.mT
    return distance.sum(dim=(1, 2)) / max(N * (N - 1), 1)


@bank.right
def plain_loops(attention):
    B, N, _ = attention.shape
    out = []
    for b in range(B):
        total, rows = 0.0, attention[b].tolist()
        for u, v in permutations(rows, 2):
            product = sum(a * c for a, c in zip(u, v))
            total += 1 - product / (sum(a * a for a in u) * sum(c * c for c in v)) ** 0.5
        out.append(total / (N * (N - 1)) if N > 1 else 0.0)
    return torch.tensor(out, dtype=attention.dtype, device=attention.device)


@bank.right
def cosine_similarity_of_pairs(attention):
    N = attention.shape[1]
    if N == 1:
        return attention.new_zeros(len(attention))
    i, j = torch.triu_indices(N, N, offset=1, device=attention.device)
    return 1 - F.cosine_similarity(attention[:, i], attention[:, j], dim=-1).mean(dim=1)


@bank.right
def without_pairs(attention):
    """The sum of all cosines is the squared length of the sum of the directions."""
    N = attention.shape[-1]
    if N < 2:
        return torch.zeros_like(attention[:, 0, 0])
    direction = (attention / attention.norm(dim=-1, keepdim=True)).sum(dim=1)
    return 1 - (direction.square().sum(-1) - N) / (N * (N - 1))


@bank.right
def with_einops(attention):
    N = attention.shape[1]
    unit = attention / einsum(attention, attention, "b u s, b u s -> b u").sqrt()[..., None]
    distance = 1 - einsum(unit, unit, "b u s, b v s -> b u v")
    return reduce(distance, "b u v -> b", "sum") / (N * N - N or 1)


@bank.right
def batched_products(attention):
    norms = torch.linalg.vector_norm(attention, dim=2)
    cosine = torch.bmm(attention, attention.transpose(1, 2)) / (norms[:, :, None] * norms[:, None, :])
    own = torch.eye(attention.shape[1], dtype=torch.bool, device=attention.device)
    apart = (1 - cosine)[:, ~own]
    return apart.mean(dim=1) if apart.shape[1] else apart.sum(dim=1)


@bank.right
def numpy_inside(attention):
    A = attention.detach().cpu().numpy().astype(np.float64)
    unit = A / np.linalg.norm(A, axis=-1, keepdims=True)
    N = A.shape[1]
    distance = 1 - np.einsum("bus,bvs->buv", unit, unit)
    mean = distance.sum(axis=(1, 2)) / max(N * (N - 1), 1)
    return torch.from_numpy(mean).to(attention)


@bank.right
def nan_to_zero(attention):
    N = attention.shape[1]
    cosine = F.cosine_similarity(attention[:, :, None], attention[:, None], dim=-1)
    total = (1 - cosine).masked_fill(torch.eye(N, device=attention.device).bool(), 0).sum((1, 2))
    return (total / (N * (N - 1)) if N > 1 else total).nan_to_num(0)


@bank.right
def image_by_image(attention):
    def one(A):
        pairs = [1 - F.cosine_similarity(A[u], A[v], dim=0) for u, v in combinations(range(len(A)), 2)]
        return torch.stack(pairs).mean() if pairs else A.new_tensor(0.0)

    return torch.stack([one(A) for A in attention])


@bank.right
def upper_triangle(attention):
    N = attention.shape[1]
    unit = F.normalize(attention.double(), dim=2)
    upper = torch.triu(1 - unit @ unit.mT, diagonal=1)
    return (2 * upper.sum((1, 2)) / max(1, N * (N - 1))).to(attention.dtype)


@bank.right
def half_squared_distance_of_unit_rows(attention):
    N = attention.shape[1]
    unit = F.normalize(attention, dim=-1)
    squared = (unit[:, :, None] - unit[:, None]).square().sum(-1)
    return squared.sum((1, 2)) / 2 / max(N * (N - 1), 1)


bank.right(torch.vmap(lambda A: (1 - A @ A.T / torch.outer(*[A.norm(dim=1)] * 2)).sum() / (len(A) ** 2 - len(A) or 1)))
bank.right(functools.partial(lambda clip, A: unit_rows_and_a_product(A).clamp(min=clip), 0.0))


def cosines(attention):
    unit = F.normalize(attention, dim=-1)
    return unit @ unit.mT


def pairs(distance):
    """Mean over the pairs of different queries, (B,), of (B, N, N) with zeros on the diagonal."""
    N = distance.shape[1]
    return distance.sum((1, 2)) / max(N * (N - 1), 1)


@bank.wrong("rows must be compared with rows")
def columns(attention):
    return pairs(1 - cosines(attention.mT))


@bank.wrong("rows must be compared with rows")
def gram_matrix_the_other_way(attention):
    unit = F.normalize(attention, dim=1)
    return pairs(1 - unit.transpose(1, 2) @ unit)


@bank.wrong("It is a similarity")
def similarity(attention):
    N = attention.shape[1]
    cosine = cosines(attention)
    return (cosine.sum((1, 2)) - cosine.diagonal(dim1=1, dim2=2).sum(1)) / max(N * (N - 1), 1)


@bank.wrong("compared with itself, too")
def mean_over_all(attention):
    return (1 - cosines(attention)).mean(dim=(1, 2))


@bank.wrong("compared with itself, too")
def zeros_on_the_diagonal_counted(attention):
    distance = 1 - cosines(attention)
    distance = distance * (1 - torch.eye(attention.shape[1], dtype=distance.dtype, device=distance.device))
    return distance.flatten(1).mean(1)


@bank.wrong("left out of the sum of the cosines")
def similarities_without_diagonal_over_n_squared(attention):
    N = attention.shape[1]
    cosine = cosines(attention) * (1 - torch.eye(N, dtype=attention.dtype, device=attention.device))
    return 1 - cosine.sum((1, 2)) / N**2 if N > 1 else torch.zeros_like(cosine[:, 0, 0])


@bank.wrong("half of what it must be")
def as_in_the_chapter_but_off_the_diagonal(attention):
    return pairs((1 - cosines(attention)) / 2)


@bank.wrong("half of what it must be")
def upper_triangle_over_all_pairs(attention):
    return pairs(torch.triu(1 - cosines(attention), diagonal=1))


@bank.wrong("half of the mean over N² pairs")
def as_in_the_chapter(attention):
    unit = F.normalize(attention, dim=-1)
    return (1 - unit.mean(1).square().sum(-1)) / 2


@bank.wrong("half of the mean over N² pairs")
def mean_of_the_upper_triangle(attention):
    return torch.triu(1 - cosines(attention), diagonal=1).mean((1, 2))


@bank.wrong("torch.triu needs diagonal=1")
def upper_triangle_with_the_diagonal(attention):
    N = attention.shape[1]
    i, j = torch.triu_indices(N, N, device=attention.device)
    return (1 - cosines(attention))[:, i, j].mean(1)


@bank.wrong("twice what it must be")
def all_pairs_over_half_their_number(attention):
    return 2 * pairs(1 - cosines(attention))


@bank.wrong("It is a sum over pairs: the mean")
def sum_of_all(attention):
    return (1 - cosines(attention)).sum((1, 2))


@bank.wrong("each taken once: divide by their number")
def sum_of_the_upper_triangle(attention):
    return (1 - cosines(attention)).triu(1).sum((1, 2))


@bank.wrong("one number a query")
def keeps_the_queries(attention):
    N = attention.shape[1]
    return (1 - cosines(attention)).sum(-1) / max(N - 1, 1)


@bank.wrong("The means of the queries are summed")
def sums_the_queries(attention):
    N = attention.shape[1]
    return ((1 - cosines(attention)).sum(-1) / max(N - 1, 1)).sum(-1)


@bank.wrong("largest distance")
def largest(attention):
    return (1 - cosines(attention)).amax(dim=(1, 2))


@bank.wrong("that of a query to itself")
def smallest(attention):
    return (1 - cosines(attention)).amin(dim=(1, 2))


@bank.wrong("with the first one only")
def against_the_first(attention):
    if attention.shape[1] == 1:
        return attention.new_zeros(len(attention))
    return (1 - F.cosine_similarity(attention[:, :1], attention[:, 1:], dim=-1)).mean(1)


@bank.wrong("with the next one only")
def neighbours(attention):
    if attention.shape[1] == 1:
        return attention.new_zeros(len(attention))
    return (1 - F.cosine_similarity(attention[:, :-1], attention[:, 1:], dim=-1)).mean(1)


@bank.wrong("and the last with the first")
def rolled(attention):
    return (1 - F.cosine_similarity(attention, attention.roll(1, 1), dim=-1)).mean(1)


@bank.wrong("compared with the mean map")
def against_the_mean(attention):
    mean = attention.mean(dim=1, keepdim=True)
    return (1 - F.cosine_similarity(attention, mean, dim=-1)).mean(1)


@bank.wrong("one number for the whole batch")
def averages_the_batch(attention):
    return pairs(1 - cosines(attention)).mean()


@bank.wrong("one number for the whole batch")
def sums_over_every_axis(attention):
    B, N, _ = attention.shape
    return (1 - cosines(attention)).sum() / (B * max(N * (N - 1), 1))


@bank.wrong("All images get the mean over the batch")
def spreads_the_batch_mean(attention):
    return pairs(1 - cosines(attention)).mean().repeat(len(attention))


@bank.wrong("a scalar product, not a cosine")
def scalar_products(attention):
    return pairs((attention @ attention.mT).masked_fill(torch.eye(attention.shape[1], device=attention.device) > 0, 0))


@bank.wrong("The rows are not divided by their lengths: a cosine")
def one_minus_scalar_products(attention):
    own = torch.eye(attention.shape[1], device=attention.device) > 0
    return pairs((1 - attention @ attention.mT).masked_fill(own, 0))


@bank.wrong("The rows are not divided by their lengths: a cosine")
def divides_by_the_sums(attention):
    unit = attention / attention.sum(-1, keepdim=True)
    own = torch.eye(attention.shape[1], device=attention.device) > 0
    return pairs((1 - unit @ unit.mT).masked_fill(own, 0))


@bank.wrong("norm of the whole matrix")
def norm_of_the_whole_matrix(attention):
    unit = attention / attention.norm(dim=(1, 2), keepdim=True)
    own = torch.eye(attention.shape[1], device=attention.device) > 0
    return pairs((1 - unit @ unit.mT).masked_fill(own, 0))


@bank.wrong("length of one row only")
def divides_by_one_length(attention):
    cosine = attention @ attention.mT / attention.norm(dim=-1, keepdim=True)
    own = torch.eye(attention.shape[1], device=attention.device) > 0
    return pairs((1 - cosine).masked_fill(own, 0))


@bank.wrong("give it dim=-1")
def cosine_similarity_with_its_default(attention):
    distance = 1 - F.cosine_similarity(attention[:, :, None], attention[:, None])
    return pairs(distance.masked_fill(torch.eye(attention.shape[1], device=attention.device) > 0, 0))


@bank.wrong("give it dim=-1")
def cosine_similarity_over_the_queries(attention):
    distance = 1 - F.cosine_similarity(attention[:, :, None], attention[:, None], dim=2)
    return pairs(distance.masked_fill(torch.eye(attention.shape[1], device=attention.device) > 0, 0))


@bank.wrong("divided by N: divide by the number of pairs")
def divides_by_the_queries(attention):
    return (1 - cosines(attention)).sum((1, 2)) / attention.shape[1]


@bank.wrong("with brackets")
def forgets_the_brackets(attention):
    N = attention.shape[1]
    return (1 - cosines(attention)).sum((1, 2)) / max(N * N - 1, 1)


@bank.wrong("standard deviation of the weights")
def standard_deviation(attention):
    return attention.std(dim=1, correction=attention.shape[1] > 1).mean(-1)


@bank.wrong("entropy of the maps")
def entropy(attention):
    return -torch.xlogy(attention, attention).sum(-1).mean(-1)


@bank.wrong("of the rows of length 1")
def euclid_of_unit_rows(attention):
    unit = F.normalize(attention, dim=-1)
    return pairs((unit[:, :, None] - unit[:, None]).norm(dim=-1))


@bank.wrong("twice what it must be")
def squared_euclid_of_unit_rows(attention):
    unit = F.normalize(attention, dim=-1)
    return pairs((unit[:, :, None] - unit[:, None]).square().sum(-1))


@bank.wrong("It is the Euclidean distance: it")
def euclid(attention):
    return pairs((attention[:, :, None] - attention[:, None]).norm(dim=-1))


@bank.wrong("squared Euclidean")
def squared_euclid(attention):
    return pairs((attention[:, :, None] - attention[:, None]).pow(2).sum(-1))


@bank.wrong("mean squared difference")
def mean_squared_error(attention):
    a, b = torch.broadcast_tensors(attention[:, :, None], attention[:, None])
    return pairs(F.mse_loss(a, b, reduction="none").mean(-1))


@bank.wrong("It is a sum of absolute differences")
def city_block(attention):
    return pairs((attention[:, :, None] - attention[:, None]).abs().sum(-1))


@bank.wrong("half a sum of absolute differences")
def total_variation(attention):
    return pairs((attention[:, :, None] - attention[:, None]).abs().sum(-1)) / 2


@bank.wrong("It is the angle")
def angle(attention):
    own = torch.eye(attention.shape[1], device=attention.device) > 0
    return pairs(cosines(attention).clamp(-1, 1).acos().masked_fill(own, 0))


@bank.wrong("The cosine is squared")
def squared_cosine(attention):
    return pairs(1 - cosines(attention) ** 2)


@bank.wrong("Jensen-Shannon")
def jensen_shannon(attention):
    a, b = attention[:, :, None], attention[:, None]
    middle = (a + b) / 2
    return pairs((torch.xlogy(a, a) + torch.xlogy(b, b)).sum(-1) / 2 - torch.xlogy(middle, middle).sum(-1))


@bank.wrong("softmax on the rows")
def softmax_again(attention):
    return pairs(1 - cosines(attention.softmax(-1)))


@bank.wrong("a correlation")
def correlation(attention):
    if attention.shape[1] == 1:
        return attention.new_zeros(len(attention))
    return pairs((1 - cosines(attention - attention.mean(-1, keepdim=True))).masked_fill(
        torch.eye(attention.shape[1], device=attention.device) > 0, 0))  # fmt: skip


@bank.wrong("square root on the mean")
def root_of_the_mean(attention):
    return pairs(1 - cosines(attention)).clamp(min=0).sqrt()


@bank.wrong("not 0/0 = NaN")
def nan_for_one_query(attention):
    N = attention.shape[1]
    return (1 - cosines(attention)).sum((1, 2)).mul(N > 1) / (N * (N - 1)) if N > 1 else attention[:, 0, 0] * torch.nan


@bank.wrong("not 0/0 = NaN")
def mean_of_no_pairs(attention):
    N = attention.shape[1]
    own = torch.eye(N, dtype=torch.bool, device=attention.device)
    return (1 - cosines(attention))[:, ~own].mean(dim=1)


@bank.wrong("right except where N = 1")
def divides_integers_by_zero(attention):
    N = attention.shape[1]
    return (1 - cosines(attention)).sum((1, 2)) * (1 / (N * (N - 1)))


@bank.wrong("Queries of one image are compared with those of another")
def wrong_image(attention):
    unit = F.normalize(attention, dim=-1)
    distance = 1 - unit @ unit.roll(1, 0).mT
    return pairs(distance.masked_fill(torch.eye(attention.shape[1], device=attention.device) > 0, 0))


@bank.wrong("Queries of different images are compared")
def all_images_together(attention):
    unit = F.normalize(attention, dim=-1).flatten(0, 1)
    distance = 1 - unit @ unit.T
    M = len(unit)
    return (distance.sum() / max(M * (M - 1), 1)).expand(len(attention))


@bank.wrong("changes its input attention")
def normalises_in_place(attention):
    attention /= attention.norm(dim=-1, keepdim=True)
    return pairs(1 - attention @ attention.mT)


@bank.wrong("works on the CPU only")
def identity_on_the_cpu(attention):
    N = attention.shape[1]
    distance = (1 - cosines(attention)) * (1 - torch.eye(N, dtype=attention.dtype))
    return distance.sum((1, 2)) / max(N * (N - 1), 1)


@bank.wrong("NumPy cannot read a tensor on a GPU")
def numpy_of_a_tensor_on_a_gpu(attention):
    return torch.tensor(plain_loops(torch.from_numpy(attention.numpy())).numpy())


@bank.wrong("not in float64")
def float32_result(attention):
    return torch.tensor(plain_loops(attention).tolist(), device=attention.device)


@bank.wrong("returned a list of")
def list_of_floats(attention):
    return plain_loops(attention).tolist()


@bank.wrong("returned a float")
def one_float(attention):
    return pairs(1 - cosines(attention)).mean().item()


@bank.wrong("it must be (B,) =")
def keeps_an_axis(attention):
    return pairs(1 - cosines(attention))[:, None]


@bank.wrong("take the batch axis away")
def squeezed(attention):
    return pairs(1 - cosines(attention)).squeeze()


@bank.wrong("only for a single image")
def first_image(attention):
    return pairs(1 - cosines(attention))[:1]


@bank.wrong("only where no weight is 0")
def cosine_by_logarithms(attention):
    """exp of logsumexp, which is NaN where all products are 0."""
    log = attention.log()
    unit = log - (2 * log).logsumexp(-1, keepdim=True) / 2
    products = unit[:, :, None] + unit[:, None]
    largest = products.amin(-1, keepdim=True)
    cosine = ((products - largest).exp().sum(-1).log() + largest[..., 0]).exp()
    return pairs(1 - cosine)


@bank.wrong("does it end with `return`?")
def forgets_to_return(attention):
    pairs(1 - cosines(attention))


@bank.wrong("called again with the same input")
def a_sample_of_pairs(attention):
    N = attention.shape[1]
    u, v = torch.randint(N, (2, 10), device=attention.device)
    return (1 - F.cosine_similarity(attention[:, u], attention[:, v], dim=-1)).mean(1)


@bank.wrong("And another:")
def columns_and_similarity(attention):
    N = attention.shape[1]
    cosine = cosines(attention.mT)
    return (cosine.sum((1, 2)) - cosine.diagonal(dim1=1, dim2=2).sum(1)) / max(N * (N - 1), 1)


bank.wrong("write it first")(...)


@bank.right
def shifted_against_itself(attention):
    N, unit = attention.shape[1], F.normalize(attention, dim=2)
    total = attention.new_zeros(len(attention))
    for step in range(1, N):
        total = total + (1 - (unit * unit.roll(step, 1)).sum(-1)).mean(1)
    return total / max(N - 1, 1)


@bank.right
def squared_differences_of_directions(attention):
    """For unit vectors, 1 − cos is half of the squared distance."""
    N, unit = attention.shape[1], F.normalize(attention, dim=-1)
    return (unit[:, :, None] - unit[:, None]).square().sum((1, 2, 3)) / 2 / max(N * (N - 1), 1)


@bank.wrong("Pairs of maps that are alike are left out of the mean")
def mean_of_what_is_not_zero(attention):
    unit = F.normalize(attention, dim=-1)
    found = [d[d > 1e-5] for d in 1 - unit @ unit.mT]
    return torch.stack([d.mean() if len(d) else attention.new_zeros(()) for d in found])


@bank.wrong("divided by the lengths of the columns")
def normalised_over_queries(attention):
    N, unit = attention.shape[1], F.normalize(attention, dim=1)
    return (1 - unit @ unit.mT).sum((1, 2)) / max(N * (N - 1), 1)


@bank.wrong("divided by their squared lengths")
def root_forgotten(attention):
    N, unit = attention.shape[1], attention / attention.square().sum(-1, keepdim=True)
    distance = (1 - unit @ unit.mT).masked_fill(torch.eye(N, dtype=torch.bool, device=attention.device), 0)
    return distance.sum((1, 2)) / max(N * (N - 1), 1)


@bank.wrong("transpose the second factor")
def transpose_forgotten(attention):
    N, unit = attention.shape[1], F.normalize(attention, dim=-1)
    return (1 - unit @ unit).sum((1, 2)) / max(N * (N - 1), 1)


@bank.wrong("the diagonal of 1 − product is not 0")
def products_with_the_diagonal(attention):
    N = attention.shape[1]
    return (1 - attention @ attention.mT).sum((1, 2)) / max(N * (N - 1), 1)


@bank.wrong("N is attention.shape[1]")
def counts_the_images(attention):
    N, unit = len(attention), F.normalize(attention, dim=-1)
    return (1 - unit @ unit.mT).sum((1, 2)) / max(N * (N - 1), 1)


@bank.wrong("works on the CPU only")
def lists_become_a_tensor_anywhere(attention):
    """Goes to lists, and forgets to go back to the device."""
    return torch.tensor(shifted_against_itself(attention).tolist(), dtype=attention.dtype)
