"""Answers to `global_context(x, w_key, transform)`."""

import functools
import math

import torch
from einops import einsum, rearrange, reduce
from torch.nn import functional as F

from segtut.attention.global_context import attention_pool
from tests.checks.bank import Bank

bank = Bank("check_global_context")


@bank.right
def einsum_and_softmax(x, w_key, transform):
    A = torch.einsum("bchw,c->bhw", x, w_key).flatten(1).softmax(dim=-1)
    context = torch.einsum("bn,bcn->bc", A, x.flatten(2))
    return x + transform(context[:, :, None, None])


@bank.right
def plain_loops(x, w_key, transform):
    B, C, H, W = x.shape
    contexts = []
    for b in range(B):
        energies = [sum(w_key[c] * x[b, c, i, j] for c in range(C)) for i in range(H) for j in range(W)]
        largest = max(energies)
        weights = [(e - largest).exp() for e in energies]
        total = sum(weights)
        context = [sum(a / total * x[b, c, n // W, n % W] for n, a in enumerate(weights)) for c in range(C)]
        contexts.append(torch.stack(context))
    return x + transform(torch.stack(contexts)[:, :, None, None])


@bank.right
def matrix_products(x, w_key, transform):
    B, C, H, W = x.shape
    rows = x.view(B, C, H * W)
    A = torch.softmax(w_key @ rows, dim=1)
    return x + transform(torch.bmm(rows, A.unsqueeze(2)).view(B, C, 1, 1))


@bank.right
def convolution(x, w_key, transform):
    A = F.conv2d(x, w_key.view(1, -1, 1, 1))
    A = A.flatten(2).softmax(-1).view_as(A)
    return transform((A * x).sum(dim=(2, 3), keepdim=True)) + x


@bank.right
def scaled_dot_product_attention(x, w_key, transform):
    rows = x.flatten(2).mT[:, None]
    query = w_key.expand(len(x), 1, 1, -1)
    context = F.scaled_dot_product_attention(query, rows, rows, scale=1.0)
    return x + transform(context.squeeze(1).mT.unsqueeze(3))


@bank.right
def with_einops(x, w_key, transform):
    A = rearrange(einsum(x, w_key, "b c h w, c -> b h w"), "b h w -> b (h w)").softmax(-1)
    weighted = rearrange(x, "b c h w -> b c (h w)") * rearrange(A, "b n -> b 1 n")
    return x + transform(reduce(weighted, "b c n -> b c 1 1", "sum"))


@bank.right
def of_the_package(x, w_key, transform):
    A = (x * w_key[:, None, None]).sum(1).flatten(1).softmax(-1)
    return x + transform(attention_pool(x, A))


@bank.right
def in_float64_and_back(x, w_key, transform):
    y = x.double()
    A = torch.einsum("bchw,c->bhw", y, w_key.double())
    A = (A - A.logsumexp((1, 2), keepdim=True)).exp()
    return (y + transform(torch.einsum("bhw,bchw->bc", A, y)[..., None, None])).to(x.dtype)


@bank.right
def channels_last(x, w_key, transform):
    rows = x.permute(0, 2, 3, 1).reshape(len(x), -1, x.shape[1])
    A = (rows @ w_key).softmax(1)
    context = (rows * A[..., None]).sum(1)
    return (rows + transform(context[..., None, None]).flatten(1)[:, None]).mT.unflatten(2, x.shape[2:])


@bank.right
def other_strides(x, w_key, transform):
    return einsum_and_softmax(x, w_key, transform).to(memory_format=torch.channels_last)


@bank.right
def list_of_contexts(x, w_key, transform):
    maps = [torch.tensordot(w_key, image, dims=1).reshape(-1).softmax(0) for image in x]
    contexts = torch.stack([image.flatten(1) @ a for image, a in zip(x, maps)])
    return torch.add(x, transform(contexts.reshape(*contexts.shape, 1, 1)))


@bank.right
def streaming_softmax(x, w_key, transform):
    """One position after the other with a running largest affinity."""
    rows = x.flatten(2)
    best = torch.full((len(x), 1), -torch.inf, dtype=x.dtype, device=x.device)
    total, context = torch.zeros_like(best), torch.zeros_like(rows[..., 0])
    for s in rows.unbind(2):
        energy = (s * w_key).sum(1, keepdim=True)
        new = torch.maximum(best, energy)
        keep, add = (best - new).exp(), (energy - new).exp()
        best, total, context = new, total * keep + add, context * keep + add * s
    return x + transform((context / total)[..., None, None])


@bank.right
def says_what_it_does(x, w_key, transform):
    print("shape", x.shape)
    return einsum_and_softmax(x, w_key, transform)


@bank.right
def looks_at_the_shape_first(x, w_key, transform):
    B, C = x.shape[:2]
    A = (w_key[None, :, None] * x.flatten(2)).sum(1, keepdim=True).softmax(-1)
    context = (x.flatten(2) @ A.mT).view(B, C, 1, 1)
    assert transform(context).shape == context.shape
    return x + transform(context).expand_as(x)


def of_one_softmax(x, w_key):
    A = F.softmax((x * w_key[None, :, None, None]).sum(1, True).flatten(1), 1)
    return (x * A.view(len(x), 1, *x.shape[2:])).sum((2, 3), True)


class Block:
    def __call__(self, x, w_key, transform):
        A = F.softmax(torch.matmul(x.movedim(1, -1), w_key).flatten(1), -1)
        return x + transform(torch.matmul(x.flatten(2), A[..., None])[..., None])


bank.right(Block())
bank.right(functools.partial(lambda pool, x, w_key, transform: x + transform(pool(x, w_key)), of_one_softmax))


def pooled(x, A):
    """(B, C, 1, 1) of weights (B, N)."""
    return (x.flatten(2) @ A[..., None])[..., None]


def affinity(x, w_key):
    return torch.einsum("bchw,c->bhw", x, w_key).flatten(1)


@bank.wrong("w_key must say how much each position counts")
def average_pooling(x, w_key, transform):
    return x + transform(x.mean(dim=(2, 3), keepdim=True))


@bank.wrong("w_key must say how much each position counts")
def adaptive_average_pooling(x, w_key, transform):
    return x + transform(F.adaptive_avg_pool2d(x, 1))


@bank.wrong("largest feature of each channel")
def max_pooling(x, w_key, transform):
    return x + transform(x.amax((-2, -1), keepdim=True))


@bank.wrong("All positions have the weight 1")
def softmax_over_the_single_channel(x, w_key, transform):
    A = F.conv2d(x, w_key.view(1, -1, 1, 1)).softmax(dim=1)
    return x + transform((A * x).sum((2, 3), keepdim=True))


@bank.wrong("All positions have the weight 1")
def sum_pooling(x, w_key, transform):
    return x + transform(x.sum(dim=(2, 3), keepdim=True))


@bank.wrong("runs over the channels")
def softmax_over_channels(x, w_key, transform):
    A = (x * w_key.view(1, -1, 1, 1)).softmax(dim=1)
    return x + transform((A * x).sum((2, 3), keepdim=True))


@bank.wrong("Each channel has a map of its own")
def a_map_for_each_channel(x, w_key, transform):
    A = (x * w_key.view(1, -1, 1, 1)).flatten(2).softmax(-1)
    return x + transform((A * x.flatten(2)).sum(-1)[:, :, None, None])


@bank.wrong("runs over the axis H alone")
def softmax_over_rows(x, w_key, transform):
    A = torch.einsum("bchw,c->bhw", x, w_key).softmax(dim=-2)
    return x + transform(torch.einsum("bhw,bchw->bc", A, x)[:, :, None, None])


@bank.wrong("runs over the axis W alone")
def softmax_over_the_last_axis(x, w_key, transform):
    A = torch.einsum("bchw,c->bhw", x, w_key).softmax(dim=-1)
    return x + transform(torch.einsum("bhw,bchw->bc", A, x)[:, :, None, None])


@bank.wrong("over H and then over W")
def softmax_over_h_then_w(x, w_key, transform):
    A = torch.einsum("bchw,c->bhw", x, w_key).softmax(1).softmax(2)
    return x + transform(torch.einsum("bhw,bchw->bc", A, x)[:, :, None, None])


@bank.wrong("runs over the images of the batch")
def softmax_over_the_batch(x, w_key, transform):
    A = F.softmax(affinity(x, w_key), dim=0)
    return x + transform(pooled(x, A))


@bank.wrong("positions of all images together")
def softmax_of_the_flat_batch(x, w_key, transform):
    A = affinity(x, w_key)
    A = A.flatten().softmax(0).view_as(A)
    return x + transform(pooled(x, A))


@bank.wrong("the affinities themselves are the weights")
def forgets_the_softmax(x, w_key, transform):
    return x + transform(pooled(x, affinity(x, w_key)))


@bank.wrong("without the division by their sum")
def exp_alone(x, w_key, transform):
    return x + transform(pooled(x, affinity(x, w_key).exp()))


@bank.wrong("divided by their sum: a softmax takes exp")
def divides_by_the_sum(x, w_key, transform):
    A = affinity(x, w_key)
    return x + transform(pooled(x, A / A.sum(dim=1, keepdim=True)))


@bank.wrong("a sigmoid of the affinities")
def sigmoid_weights(x, w_key, transform):
    return x + transform(pooled(x, torch.sigmoid(affinity(x, w_key))))


@bank.wrong("log_softmax")
def log_weights(x, w_key, transform):
    return x + transform(pooled(x, F.log_softmax(affinity(x, w_key), dim=-1)))


@bank.wrong("taken twice")
def softmax_twice(x, w_key, transform):
    return x + transform(pooled(x, affinity(x, w_key).softmax(1).softmax(1)))


@bank.wrong("x where the affinity is largest")
def hard_attention(x, w_key, transform):
    best = affinity(x, w_key).argmax(1)
    return x + transform(x.flatten(2)[torch.arange(len(x)), :, best][:, :, None, None])


@bank.wrong("divided by H·W once more")
def mean_of_the_weighted(x, w_key, transform):
    B, _, H, W = x.shape
    A = affinity(x, w_key).softmax(1).view(B, 1, H, W)
    return x + transform((A * x).mean(dim=(2, 3), keepdim=True))


@bank.wrong("divided by √C")
def scaled_like_a_transformer(x, w_key, transform):
    A = (affinity(x, w_key) / math.sqrt(x.shape[1])).softmax(-1)
    return x + transform(pooled(x, A))


@bank.wrong("divided by √C")
def sdpa_with_its_default_scale(x, w_key, transform):
    rows = x.flatten(2).mT
    context = F.scaled_dot_product_attention(w_key.expand(len(x), 1, -1), rows, rows)
    return x + transform(context.mT.unsqueeze(-1))


@bank.wrong("a mean over the channels instead of a sum")
def mean_over_channels(x, w_key, transform):
    A = (x * w_key[:, None, None]).mean(1).flatten(1).softmax(-1)
    return x + transform(pooled(x, A))


@bank.wrong("affinity is the sum of the channels")
def forgets_w_key(x, w_key, transform):
    return x + transform(pooled(x, x.sum(1).flatten(1).softmax(-1)))


@bank.wrong("w_key is normalised")
def unit_key(x, w_key, transform):
    return x + transform(pooled(x, affinity(x, w_key / w_key.norm()).softmax(1)))


@bank.wrong("x is normalised")
def unit_features(x, w_key, transform):
    return x + transform(pooled(x, affinity(F.normalize(x, dim=1), w_key).softmax(1)))


@bank.wrong("is a cosine")
def cosine_similarity(x, w_key, transform):
    A = F.cosine_similarity(x, w_key.view(1, -1, 1, 1), dim=1).flatten(1).softmax(-1)
    return x + transform(pooled(x, A))


@bank.wrong("ReLU on the affinity")
def relu_before_the_softmax(x, w_key, transform):
    return x + transform(pooled(x, F.relu(affinity(x, w_key)).softmax(1)))


@bank.wrong("mixes channels and positions")
def view_instead_of_permute(x, w_key, transform):
    B, C, H, W = x.shape
    A = (x.view(B, H * W, C) @ w_key).softmax(1)
    return x + transform(pooled(x, A))


@bank.wrong("mixes channels and positions")
def view_for_both(x, w_key, transform):
    B, C, H, W = x.shape
    rows = x.reshape(B, H * W, C)
    A = (rows @ w_key).softmax(1)
    return x + transform((A[:, None] @ rows).view(B, C, 1, 1))


@bank.wrong("different orders")
def columns_first(x, w_key, transform):
    A = torch.einsum("bchw,c->bwh", x, w_key).flatten(1).softmax(1)
    return x + transform(pooled(x, A))


@bank.wrong("weights of the first one")
def map_of_the_first_image(x, w_key, transform):
    A = torch.einsum("chw,c->hw", x[0], w_key).flatten().softmax(0)
    return x + transform((x.flatten(2) @ A)[:, :, None, None])


@bank.wrong("the mean over the batch")
def one_context_for_the_batch(x, w_key, transform):
    context = pooled(x, affinity(x, w_key).softmax(1)).mean(0, keepdim=True)
    return x + transform(context.expand(len(x), -1, -1, -1))


@bank.wrong("w_key makes the weights only")
def pools_the_products(x, w_key, transform):
    y = x * w_key[:, None, None]
    A = y.sum(1).flatten(1).softmax(-1)
    return x + transform(pooled(y, A))


@bank.wrong("largest of the weighted features")
def max_of_the_weighted(x, w_key, transform):
    A = affinity(x, w_key).softmax(1).view(len(x), 1, *x.shape[2:])
    return x + transform((A * x).amax(dim=(2, 3), keepdim=True))


@bank.wrong("without the transform")
def no_transform(x, w_key, transform):
    return x + pooled(x, affinity(x, w_key).softmax(1))


@bank.wrong("applied twice")
def transform_twice(x, w_key, transform):
    return x + transform(transform(pooled(x, affinity(x, w_key).softmax(1))))


@bank.wrong("residual is missing")
def no_residual(x, w_key, transform):
    return transform(pooled(x, affinity(x, w_key).softmax(1))).expand_as(x)


@bank.wrong("every position but one")
def no_residual_and_one_pixel(x, w_key, transform):
    return transform(pooled(x, affinity(x, w_key).softmax(1)))


@bank.wrong("x is multiplied by the transformed context")
def multiplies(x, w_key, transform):
    return x * transform(pooled(x, affinity(x, w_key).softmax(1)))


@bank.wrong("as in squeeze-and-excitation")
def excites(x, w_key, transform):
    return x * transform(pooled(x, affinity(x, w_key).softmax(1))).sigmoid()


@bank.wrong("before it is added")
def multiplies_and_adds(x, w_key, transform):
    return x + x * transform(pooled(x, affinity(x, w_key).softmax(1)))


@bank.wrong("The context itself is added too")
def transform_with_a_shortcut(x, w_key, transform):
    context = pooled(x, affinity(x, w_key).softmax(1))
    return x + context + transform(context)


@bank.wrong("ReLU behind the sum")
def relu_at_the_end(x, w_key, transform):
    return F.relu(einsum_and_softmax(x, w_key, transform))


@bank.wrong("2C channels")
def concatenates(x, w_key, transform):
    t = transform(pooled(x, affinity(x, w_key).softmax(1)))
    return torch.cat((x, t.expand_as(x)), dim=1)


@bank.wrong("weighted by the map once more")
def scatters_the_context(x, w_key, transform):
    A = affinity(x, w_key).softmax(1)
    return x + A.view(len(x), 1, *x.shape[2:]) * transform(pooled(x, A))


@bank.wrong("It is subtracted: the block is x + transform(context). Smallest case: x = [[[[")
def subtracts(x, w_key, transform):
    return x - transform(pooled(x, affinity(x, w_key).softmax(1)))


@bank.wrong("transform = (z ↦ 2z + 1)")
def a_shortcut_of_half(x, w_key, transform):
    return x / 2 + transform(pooled(x, affinity(x, w_key).softmax(1)))


@bank.wrong("never summed to a context")
def weights_without_pooling(x, w_key, transform):
    A = affinity(x, w_key).softmax(1).view(len(x), 1, *x.shape[2:])
    return x + A * x


@bank.wrong("It returns x and nothing else")
def identity(x, w_key, transform):
    return x.clone()


@bank.wrong("It returns x and nothing else")
def gate_at_zero(x, w_key, transform):
    gamma = torch.zeros(1, dtype=x.dtype, device=x.device)
    return x + gamma * transform(pooled(x, affinity(x, w_key).softmax(1)))


@bank.wrong("move the channel axis back with permute")
def view_back(x, w_key, transform):
    B, C, H, W = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(B, H * W, C)
    context = (rows @ w_key).softmax(1)[:, None] @ rows
    return (rows + transform(context.view(B, C, 1, 1)).view(B, 1, C)).view(B, C, H, W)


@bank.wrong("The channels are on the last axis")
def stays_channels_last(x, w_key, transform):
    rows = x.permute(0, 2, 3, 1)
    context = torch.einsum("bn,bnc->bc", (rows @ w_key).flatten(1).softmax(1), rows.flatten(1, 2))
    return rows + transform(context[:, :, None, None]).permute(0, 2, 3, 1)


@bank.wrong("H and W are swapped")
def swaps_at_the_end(x, w_key, transform):
    return einsum_and_softmax(x, w_key, transform).permute(0, 1, 3, 2)


@bank.wrong("The positions have one axis")
def stays_flat(x, w_key, transform):
    return einsum_and_softmax(x, w_key, transform).flatten(2)


@bank.wrong("ReLU behind the transform")
def relu_behind_the_transform(x, w_key, transform):
    return x + F.relu(transform(pooled(x, affinity(x, w_key).softmax(1))))


@bank.wrong("context of the first one")
def context_of_the_first(x, w_key, transform):
    context = pooled(x, affinity(x, w_key).softmax(1))
    return x + transform(context[:1].repeat(len(x), 1, 1, 1))


@bank.wrong("pool before you transform")
def transform_of_every_position(x, w_key, transform):
    A = affinity(x, w_key).softmax(1)
    return x + pooled(transform(x), A)


@bank.wrong("pool before you transform")
def transform_of_x_plus_context(x, w_key, transform):
    return transform(x + pooled(x, affinity(x, w_key).softmax(1)))


@bank.wrong("the axes of one pixel")
def context_without_axes(x, w_key, transform):
    context = torch.einsum("bn,bcn->bc", affinity(x, w_key).softmax(1), x.flatten(2))
    return x + transform(context)[:, :, None, None]


@bank.wrong("call it once, with all images")
def transform_image_by_image(x, w_key, transform):
    out = []
    for image in x:
        A = torch.einsum("chw,c->hw", image, w_key).flatten().softmax(0)
        context = (image.flatten(1) @ A)[None, :, None, None]
        out.append(image + transform(context)[0])
    return torch.stack(out)


@bank.wrong("channels belong on the second axis")
def channels_last_context(x, w_key, transform):
    rows = x.permute(0, 2, 3, 1)
    A = (rows @ w_key).flatten(1).softmax(1).view(rows.shape[:3])
    context = (rows * A[..., None]).sum((1, 2), keepdim=True)
    return x + transform(context).permute(0, 3, 1, 2)


@bank.wrong("changes its input x")
def in_place(x, w_key, transform):
    x += transform(pooled(x, affinity(x, w_key).softmax(1)))
    return x


@bank.wrong("no gradient reaches w_key")
def detached_map(x, w_key, transform):
    A = affinity(x, w_key).softmax(1).detach()
    return x + transform(pooled(x, A))


@bank.wrong("gradient")
def context_without_gradient(x, w_key, transform):
    with torch.no_grad():
        context = transform(pooled(x, affinity(x, w_key).softmax(1)))
    return x + context


@bank.wrong("works on the CPU only")
def makes_its_own_zeros(x, w_key, transform):
    context = torch.zeros(len(x), x.shape[1], dtype=x.dtype)
    A = affinity(x, w_key).softmax(1)
    for n in range(A.shape[1]):
        context = context + A[:, n, None] * x.flatten(2)[:, :, n]
    return x + transform(context[:, :, None, None])


@bank.wrong("not in float64")
def float32_zeros(x, w_key, transform):
    context = torch.zeros(x.shape[:2], device=x.device)
    for b in range(len(x)):
        context[b] = x[b].flatten(1).float() @ affinity(x[b : b + 1], w_key).softmax(1)[0].float()
    return (x + transform(context[:, :, None, None])).float()


@bank.wrong("returned a tuple of 2")
def with_its_map(x, w_key, transform):
    A = affinity(x, w_key).softmax(1)
    return x + transform(pooled(x, A)), A


@bank.wrong("does it end with `return`?")
def forgets_to_return(x, w_key, transform):
    x + transform(pooled(x, affinity(x, w_key).softmax(1)))


@bank.wrong("end it with `return` instead")
def prints_instead(x, w_key, transform):
    print(x + transform(pooled(x, affinity(x, w_key).softmax(1))))


@bank.wrong("only for a single image")
def squeezes_the_batch(x, w_key, transform):
    A = affinity(x, w_key).softmax(1)
    context = (x[0].flatten(1) @ A[0])[None, :, None, None]
    return x[:1] + transform(context)


@bank.wrong("does a .squeeze() take")
def squeezes_the_map(x, w_key, transform):
    A = F.conv2d(x, w_key.view(1, -1, 1, 1)).flatten(2).softmax(-1).squeeze()
    return x + transform(torch.einsum("bn,bcn->bc", A, x.flatten(2))[:, :, None, None])


@bank.wrong("called again with the same input")
def drops_out(x, w_key, transform):
    A = F.dropout(affinity(x, w_key).softmax(1), 0.5)
    return x + transform(pooled(x, A))


@bank.wrong("And another:")
def scaled_and_without_residual(x, w_key, transform):
    A = (affinity(x, w_key) / x.shape[1] ** 0.5).softmax(1)
    return transform(pooled(x, A)).expand_as(x)


@bank.wrong("write it first")
def unwritten(x, w_key, transform):
    raise NotImplementedError


@bank.wrong("raised NameError")
def a_slip_of_the_pen(x, w_key, transform):
    A = affinity(x, w_kei).softmax(1)  # noqa: F821
    return x + transform(pooled(x, A))


bank.wrong("write it first")(None)
bank.wrong("it must be a function")(torch.zeros(1, 2, 1, 1))


@bank.right
def one_query_for_all(x, w_key, transform):
    rows = x.flatten(2).mT
    query = w_key.expand(len(x), 1, -1)
    context = F.scaled_dot_product_attention(query, rows, rows, scale=1.0)
    return x + transform(context.mT[..., None])


@bank.wrong("divided by √(H·W)")
def scaled_by_the_positions(x, w_key, transform):
    N = x.shape[2] * x.shape[3]
    return x + transform(pooled(x, (affinity(x, w_key) / N**0.5).softmax(1)))


@bank.wrong("The weights are multiplied by H·W")
def weights_that_sum_to_the_positions(x, w_key, transform):
    A = affinity(x, w_key).softmax(1)
    return x + transform(pooled(x, A * A.shape[1]))


@bank.wrong("The map is viewed as (W, H)")
def map_of_exchanged_sides(x, w_key, transform):
    B, _, H, W = x.shape
    A = affinity(x, w_key).softmax(1).view(B, W, H).mT
    return x + transform((A[:, None] * x).sum((2, 3), keepdim=True))


@bank.wrong("It is wrong only where C = 1")
def squeezes_a_single_channel(x, w_key, transform):
    context = pooled(x, affinity(x, w_key).softmax(1)).squeeze()
    return x + transform(context[None, :, None, None] if len(x) == 1 and x.shape[1] > 1 else context[..., None, None])
