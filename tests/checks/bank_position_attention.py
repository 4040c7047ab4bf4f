"""Answers to `position_attention(q, k, v)`."""

import functools
import math

import numpy as np
import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import nn

from segtut.attention import dual
from tests.checks.bank import Bank

bank = Bank("check_position_attention")


# ---- right


@bank.right
def two_bmm(q, k, v):
    B, C, H, W = v.shape
    q = q.view(B, -1, H * W).permute(0, 2, 1)
    k = k.view(B, -1, H * W)
    attention = F.softmax(torch.bmm(q, k), dim=-1)
    out = torch.bmm(v.view(B, -1, H * W), attention.permute(0, 2, 1))
    return out.view(B, C, H, W)


@bank.right
def rows_and_columns(q, k, v):
    q, k, v_rows = (rearrange(t, "b c h w -> b (h w) c") for t in (q, k, v))
    attention = (q @ k.mT).softmax(dim=-1)
    return rearrange(attention @ v_rows, "b (h w) c -> b c h w", h=v.shape[2])


@bank.right
def einsum_on_pixels(q, k, v):
    B, _, H, W = v.shape
    energy = torch.einsum("bchw,bcij->bhwij", q, k).flatten(3)
    attention = torch.softmax(energy, dim=3).view(B, H, W, H, W)
    return torch.einsum("bhwij,bcij->bchw", attention, v)


@bank.right
def einops_einsum(q, k, v):
    A = einsum(q.flatten(2), k.flatten(2), "b c u, b c s -> b u s").softmax(-1)
    return einsum(A, v.flatten(2), "b u s, b c s -> b c u").reshape(v.shape)


@bank.right
def every_pixel_in_a_loop(q, k, v):
    B, _, H, W = v.shape
    out = torch.zeros_like(v)
    for b in range(B):
        for i in range(H):
            for j in range(W):
                weights = torch.softmax((q[b, :, i, j, None] * k[b].flatten(1)).sum(0), dim=0)
                out[b, :, i, j] = (weights * v[b].flatten(1)).sum(1)
    return out


@bank.right
def pairs_in_a_loop_with_exp(q, k, v):
    images = []
    for q_b, k_b, v_b in zip(q, k, v):
        places = [(h, w) for h in range(q_b.shape[1]) for w in range(q_b.shape[2])]
        collected = []
        for h, w in places:
            weights = [torch.exp(torch.dot(q_b[:, h, w], k_b[:, i, j])) for i, j in places]
            total = sum(weights)
            collected.append(sum(a / total * v_b[:, i, j] for a, (i, j) in zip(weights, places)))
        images.append(torch.stack(collected, dim=1).view(v_b.shape))
    return torch.stack(images)


@bank.right
def sdpa(q, k, v):
    rows = [t.flatten(2).transpose(1, 2) for t in (q, k, v)]
    return F.scaled_dot_product_attention(*rows, scale=1).transpose(1, 2).unflatten(2, v.shape[2:])


@bank.right
def sdpa_with_the_scale_taken_back(q, k, v):
    q = q * math.sqrt(q.shape[1])
    rows = [t.flatten(2).mT for t in (q, k, v)]
    return F.scaled_dot_product_attention(*rows).mT.reshape(v.shape)


@bank.right
def sdpa_with_one_head(q, k, v):
    rows = [rearrange(t, "b c h w -> b 1 (h w) c") for t in (q, k, v)]
    out = F.scaled_dot_product_attention(*rows, scale=1.0)
    return rearrange(out, "b 1 (h w) c -> b c h w", h=v.shape[2])


@bank.right
def the_package(q, k, v):
    return dual.position_attention(q, k, v)[0]


@bank.right
def in_double_and_back(q, k, v):
    a, b, c = (t.double().flatten(2) for t in (q, k, v))
    return (c @ (a.mT @ b).softmax(-1).mT).view_as(v).to(v.dtype)


@bank.right
def columns_first_throughout(q, k, v):
    q, k, flat = (t.transpose(2, 3).flatten(2) for t in (q, k, v))
    out = flat @ torch.softmax(k.mT @ q, dim=1)
    return out.view(*v.shape[:2], v.shape[3], v.shape[2]).transpose(2, 3)  # not contiguous


@bank.right
def channels_last(q, k, v):
    B, _, H, W = v.shape
    A = torch.einsum("bcu,bcs->bus", q.flatten(2), k.flatten(2)).softmax(2)
    out = A @ v.flatten(2).mT
    return out.view(B, H, W, -1).permute(0, 3, 1, 2)


@bank.right
def image_by_image(q, k, v):
    return torch.stack(
        [(b.flatten(1) @ (a.flatten(1).T @ c.flatten(1)).softmax(1).T).view_as(b) for a, c, b in zip(q, k, v)]
    )


@bank.right
def softmax_by_hand(q, k, v):
    energy = q.flatten(2).transpose(1, 2) @ k.flatten(2)
    weights = torch.exp(energy - energy.max(dim=2, keepdim=True)[0])
    weights = weights / weights.sum(2, keepdim=True)
    return torch.matmul(weights, v.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(v.shape)


@bank.right
def without_the_largest(q, k, v):
    weights = (q.flatten(2).mT @ k.flatten(2)).exp()
    return ((v.flatten(2) @ weights.mT) / weights.sum(-1)[:, None]).view(v.shape)


@bank.right
def through_log_softmax(q, k, v):
    log = torch.log_softmax(q.flatten(2).mT @ k.flatten(2), -1)
    return torch.bmm(log.exp(), v.flatten(2).mT).mT.contiguous().view(*v.shape)


@bank.right
def by_broadcasting(q, k, v):
    energy = (q.flatten(2)[:, :, :, None] * k.flatten(2)[:, :, None, :]).sum(dim=1)
    A = energy.softmax(dim=-1)
    return (A[:, None] * v.flatten(2)[:, :, None, :]).sum(dim=-1).reshape(v.shape)


@bank.right
def keys_in_pieces(q, k, v):
    """The largest affinity, the sum and the mixture so far, as FlashAttention does it."""
    Q, K, V = (t.flatten(2).mT for t in (q, k, v))
    m = torch.full_like(Q[..., :1], -torch.inf)
    z, out = torch.zeros_like(m), torch.zeros_like(V)
    for keys, values in zip(K.split(2, dim=1), V.split(2, dim=1)):
        energy = Q @ keys.mT
        new = torch.maximum(m, energy.amax(-1, keepdim=True))
        p = (energy - new).exp()
        z, out = z * (m - new).exp() + p.sum(-1, keepdim=True), out * (m - new).exp() + p @ values
        m = new
    return (out / z).mT.reshape(v.shape)


@bank.right
def in_place_on_its_own_copies(q, k, v):
    energy = torch.bmm(q.flatten(2).mT, k.flatten(2)).clone()
    energy -= energy.detach().amax(-1, keepdim=True)
    A = energy.softmax(-1)
    out = v.clone()
    out = torch.bmm(out.flatten(2), A.mT)
    return out.reshape_as(v)


@bank.right
def by_vmap(q, k, v):
    def one(q, k, v):
        return ((q.flatten(1).T @ k.flatten(1)).softmax(-1) @ v.flatten(1).T).T.reshape(v.shape)

    return torch.vmap(one)(q, k, v)


@bank.right
def prints_shapes(q, k, v):
    print(q.shape, k.shape, v.shape)
    return two_bmm(q, k, v)


@bank.right
def by_1x1_convolutions(q, k, v):
    """Keys and values as the weights of 1×1 convolutions."""
    out = []
    for q_b, k_b, v_b in zip(q, k, v):
        energy = F.conv2d(q_b[None], k_b.flatten(1).T[:, :, None, None])  # (1, N, H, W)
        out.append(F.conv2d(energy.softmax(dim=1), v_b.flatten(1)[:, :, None, None]))
    return torch.cat(out)


@bank.right
def in_float32_and_back(q, k, v):
    return two_bmm(q.float(), k.float(), v.float()).type_as(v)


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(ctx, Q, K, V):
        A = (Q.mT @ K).softmax(-1)
        ctx.save_for_backward(Q, K, V, A)
        return V @ A.mT

    @staticmethod
    def backward(ctx, dY):
        Q, K, V, A = ctx.saved_tensors
        dA = dY.mT @ V
        dD = A * (dA - (A * dA).sum(-1, keepdim=True))
        return K @ dD.mT, Q @ dD, dY @ A


@bank.right
def backward_by_hand(q, k, v):
    return _Attend.apply(q.flatten(2), k.flatten(2), v.flatten(2)).view(v.shape)


@bank.right
def by_halves(q, k, v):
    """The queries of the upper half, then those of the lower, by recursion."""
    if q.shape[2] > 1:
        top, bottom = q.split([q.shape[2] // 2, q.shape[2] - q.shape[2] // 2], dim=2)
        return torch.cat([by_halves(top, k, v), by_halves(bottom, k, v)], dim=2)
    A = torch.einsum("bciw,bcs->biws", q, k.flatten(2)).softmax(-1)
    return torch.einsum("biws,bcs->bciw", A, v.flatten(2))


@bank.right
def four_loops_and_item_free(q, k, v):
    B, C, H, W = v.shape
    rows = []
    for b in range(B):
        for c in range(C):
            for i in range(H):
                for j in range(W):
                    e = (q[b, :, i, j][:, None, None] * k[b]).sum(0)
                    a = e.exp() / e.exp().sum()
                    rows.append((a * v[b, c]).sum())
    return torch.stack(rows).reshape(B, C, H, W)


class Attend(nn.Module):
    def forward(self, q, k, v):
        return two_bmm(q, k, v)


bank.right(Attend())
bank.right(lambda q, k, v: (v.flatten(2) @ (q.flatten(2).mT @ k.flatten(2)).softmax(-1).mT).reshape(v.shape))
partial_of_two_bmm = functools.partial(two_bmm)
bank.right(partial_of_two_bmm)


# ---- wrong


@bank.wrong("The softmax runs over the queries")
def softmax_dim_1(q, k, v):
    energy = torch.bmm(q.flatten(2).mT, k.flatten(2))
    attention = torch.softmax(energy, dim=1)
    return torch.bmm(v.flatten(2), attention.mT).view(v.shape)


@bank.wrong("The softmax runs over the queries")
def softmax_on_keys_by_queries(q, k, v):
    energy = torch.einsum("bcs,bcu->bsu", k.flatten(2), q.flatten(2))
    return torch.einsum("bcs,bsu->bcu", v.flatten(2), energy.softmax(-1)).view(v.shape)


@bank.wrong("The attention is applied transposed")
def forgot_to_transpose_attention(q, k, v):
    B, C, H, W = v.shape
    attention = F.softmax(torch.bmm(q.view(B, -1, H * W).permute(0, 2, 1), k.view(B, -1, H * W)), dim=-1)
    return torch.bmm(v.view(B, -1, H * W), attention).view(B, C, H, W)


@bank.wrong("q and k are exchanged")
def keys_look_at_queries(q, k, v):
    q, k, rows = (rearrange(t, "b c h w -> b (h w) c") for t in (q, k, v))
    return rearrange((k @ q.mT).softmax(-1) @ rows, "b (h w) c -> b c h w", h=v.shape[2])


@bank.wrong("The attention is applied transposed")
def aggregated_over_u(q, k, v):
    A = torch.einsum("bcu,bcs->bus", q.flatten(2), k.flatten(2)).softmax(-1)
    return torch.einsum("bus,bcu->bcs", A, v.flatten(2)).view_as(v)


@bank.wrong("divided by √C_qk")
def sdpa_as_it_is(q, k, v):
    return F.scaled_dot_product_attention(*(t.flatten(2).mT for t in (q, k, v))).mT.reshape(v.shape)


@bank.wrong("divided by √C_qk")
def scaled_as_in_transformers(q, k, v):
    B, d_k = q.shape[:2]
    scores = q.reshape(B, d_k, -1).transpose(-2, -1) @ k.reshape(B, d_k, -1) / math.sqrt(d_k)
    return (scores.softmax(-1) @ v.flatten(2).transpose(-2, -1)).transpose(-2, -1).reshape(v.shape)


@bank.wrong("It is divided by √C: ")
def scaled_by_value_channels(q, k, v):
    energy = q.flatten(2).mT @ k.flatten(2) / v.shape[1] ** 0.5
    return (energy.softmax(-1) @ v.flatten(2).mT).mT.reshape(v.shape)


@bank.wrong("It is divided by C_qk, as a mean")
def mean_over_channels(q, k, v):
    energy = (q.flatten(2)[:, :, :, None] * k.flatten(2)[:, :, None]).mean(1)
    return (energy.softmax(-1) @ v.flatten(2).mT).mT.reshape(v.shape)


@bank.wrong("divided by N before the softmax")
def divided_by_positions(q, k, v):
    energy = q.flatten(2).mT @ k.flatten(2) / (q.shape[2] * q.shape[3])
    return (energy.softmax(-1) @ v.flatten(2).mT).mT.reshape(v.shape)


@bank.wrong("divided by N in place of a softmax")
def the_dot_product_mode(q, k, v):
    energy = q.flatten(2).mT @ k.flatten(2)
    return (energy / energy.shape[-1] @ v.flatten(2).mT).mT.reshape(v.shape)


@bank.wrong("A residual is added")
def with_residual(q, k, v):
    return two_bmm(q, k, v) + v


@bank.wrong("The softmax is missing")
def no_softmax(q, k, v):
    return (v.flatten(2) @ (q.flatten(2).mT @ k.flatten(2)).mT).view(v.shape)


@bank.wrong("sigmoid in place of the softmax")
def with_sigmoid(q, k, v):
    return (v.flatten(2) @ torch.sigmoid(q.flatten(2).mT @ k.flatten(2)).mT).view(v.shape)


@bank.wrong("exp without dividing by its sum")
def unnormalised(q, k, v):
    return (v.flatten(2) @ torch.exp(q.flatten(2).mT @ k.flatten(2)).mT).view(v.shape)


@bank.wrong("One softmax runs over all N·N affinities")
def one_softmax_for_all(q, k, v):
    energy = q.flatten(2).mT @ k.flatten(2)
    A = F.softmax(energy.reshape(len(q), -1), dim=1).reshape(energy.shape)
    return (v.flatten(2) @ A.mT).view(v.shape)


@bank.wrong("The softmax runs over the images of the batch")
def softmax_dim_0(q, k, v):
    A = (q.flatten(2).mT @ k.flatten(2)).softmax(dim=0)
    return (v.flatten(2) @ A.mT).view(v.shape)


@bank.wrong("The softmax runs over each row of the image apart")
def softmax_of_five_axes(q, k, v):
    A = torch.softmax(torch.einsum("bchw,bcij->bhwij", q, k), dim=-1)
    return torch.einsum("bhwij,bcij->bchw", A, v)


@bank.wrong("The softmax runs over each column of the image apart")
def softmax_of_five_axes_the_other(q, k, v):
    A = torch.softmax(torch.einsum("bchw,bcij->bhwij", q, k), dim=-2)
    return torch.einsum("bhwij,bcij->bchw", A, v)


@bank.wrong("The softmax is taken twice")
def softmax_before_and_in_the_sum(q, k, v):
    A = (q.flatten(2).mT @ k.flatten(2)).softmax(-1)
    return (F.softmax(A, dim=-1) @ v.flatten(2).mT).mT.reshape(v.shape)


@bank.wrong("best position alone")
def argmax(q, k, v):
    best = (q.flatten(2).mT @ k.flatten(2)).argmax(-1)
    return v.flatten(2).gather(2, best[:, None].expand(-1, v.shape[1], -1)).view(v.shape)


@bank.wrong("the weights sum to 1 already")
def averaged(q, k, v):
    A = (q.flatten(2).mT @ k.flatten(2)).softmax(-1)
    return (A[:, None] * v.flatten(2)[:, :, None]).mean(-1).view(v.shape)


@bank.wrong("divided by their sum in place of a softmax")
def shares(q, k, v):
    A = q.flatten(2).mT @ k.flatten(2)
    A = A / A.sum(dim=-1, keepdim=True)
    return (v.flatten(2) @ A.mT).view(v.shape)


@bank.wrong("Each query meets only the key of its own position, so that all positions collect the same")
def elementwise_and_pooled(q, k, v):
    A = (q * k).sum(1).flatten(1).softmax(-1)
    return (A[:, None] * v.flatten(2)).sum(-1)[:, :, None, None].expand_as(v)


@bank.wrong("Each query meets only the key of its own position, and each value is scaled")
def elementwise(q, k, v):
    A = (q * k).sum(1, keepdim=True)
    return A.flatten(1).softmax(-1).view(A.shape) * v


@bank.wrong("minus the squared distance")
def gaussian_of_the_distance(q, k, v):
    Q, K = q.flatten(2).mT, k.flatten(2).mT
    energy = -(Q[:, :, None] - K[:, None]).square().sum(-1)
    return (v.flatten(2) @ energy.softmax(-1).mT).view(v.shape)


@bank.wrong("divided by √W")
def scaled_by_the_last_axis(q, k, v):
    d_k = q.size(-1)
    energy = torch.einsum("bchw,bcij->bhwij", q, k) / d_k**0.5
    A = energy.flatten(3).softmax(-1).view_as(energy)
    return torch.einsum("bhwij,bcij->bchw", A, v)


@bank.wrong("divided by √N")
def scaled_by_the_last_axis_of_a_matrix(q, k, v):
    Q, K = q.flatten(2), k.flatten(2)
    return (v.flatten(2) @ (Q.mT @ K / Q.size(-1) ** 0.5).softmax(-1).mT).view(v.shape)


@bank.wrong("All positions get the same weight")
def the_mean(q, k, v):
    return v.mean((2, 3), keepdim=True).expand_as(v)


@bank.wrong("The softmax runs over the images of the batch")
def functional_softmax_without_dim(q, k, v):
    A = F.softmax(q.flatten(2).mT @ k.flatten(2))
    return (v.flatten(2) @ A.mT).view(v.shape)


@bank.wrong("raised TypeError")
def softmax_without_dim(q, k, v):
    A = torch.softmax(q.flatten(2).mT @ k.flatten(2))
    return (v.flatten(2) @ A.mT).view(v.shape)


@bank.wrong("H and W of the result are exchanged")
def transposed_result(q, k, v):
    return two_bmm(q, k, v).transpose(2, 3)


@bank.wrong("The batch axis is gone")
def first_image_alone(q, k, v):
    return two_bmm(q, k, v)[0]


@bank.wrong("returned a NumPy array")
def numpy_array(q, k, v):
    return two_bmm(q, k, v).detach().numpy()


@bank.wrong("returned the dtype torch.float64")
def double_result(q, k, v):
    return two_bmm(q.double(), k.double(), v.double())


@bank.wrong("right only for a single image")
def reshaped_across_images(q, k, v):
    Q, K, V = (t.transpose(0, 1).reshape(len(t), t.shape[1], -1) for t in (q, k, v))
    return (V @ (Q.mT @ K).softmax(-1).mT).view(v.shape)


@bank.wrong("works on the CPU only: NumPy cannot read")
def numpy_for_the_shape(q, k, v):
    scale = float(np.ones_like(q.detach().numpy()).max())
    return two_bmm(q * scale, k, v)


@bank.wrong("not a cosine")
def cosines(q, k, v):
    q, k = F.normalize(q, dim=1), F.normalize(k, dim=1)
    return two_bmm(q, k, v)


@bank.wrong("q is made a matrix of N rows by .view or .reshape alone")
def view_in_place_of_permute_for_q(q, k, v):
    B, C, H, W = v.shape
    q = q.view(B, H * W, -1)
    attention = torch.softmax(q @ k.view(B, -1, H * W), dim=-1)
    return (v.view(B, C, -1) @ attention.mT).view(B, C, H, W)


@bank.wrong("k is made a matrix of N rows by .view or .reshape alone")
def view_in_place_of_permute_for_k(q, k, v):
    B, C, H, W = v.shape
    K = k.reshape(B, H * W, -1)
    attention = torch.softmax(q.flatten(2).mT @ K.mT, dim=-1)
    return (v.view(B, C, -1) @ attention.mT).view(B, C, H, W)


@bank.wrong("v is made a matrix of N rows by .view or .reshape alone")
def view_in_place_of_permute_for_v(q, k, v):
    attention = torch.softmax(q.flatten(2).mT @ k.flatten(2), dim=-1)
    return (attention @ v.view(len(v), -1, v.shape[1])).mT.reshape(v.shape)


@bank.wrong("(B, N, C) must be transposed to (B, C, N) first")
def folded_without_transposing(q, k, v):
    q, k, rows = (t.flatten(2).transpose(1, 2) for t in (q, k, v))
    return ((q @ k.mT).softmax(-1) @ rows).reshape(v.shape)


@bank.wrong("q, k, v and the result get their shapes by .view or .reshape alone")
def only_views(q, k, v):
    B, C, H, W = v.shape
    Q, K, V = (t.view(B, H * W, -1) for t in (q, k, v))
    return ((Q @ K.mT).softmax(-1) @ V).view(B, C, H, W)


@bank.wrong("The positions of k are numbered column by column")
def w_before_h_in_k(q, k, v):
    Q, V = (rearrange(t, "b c h w -> b (h w) c") for t in (q, v))
    K = rearrange(k, "b c h w -> b (w h) c")
    return rearrange((Q @ K.mT).softmax(-1) @ V, "b (h w) c -> b c h w", h=v.shape[2])


@bank.wrong("column by column where the result is folded back")
def w_before_h_in_the_result(q, k, v):
    Q, K, V = (rearrange(t, "b c h w -> b (h w) c") for t in (q, k, v))
    return rearrange((Q @ K.mT).softmax(-1) @ V, "b (w h) c -> b c h w", h=v.shape[2])


@bank.wrong("column by column where q becomes a matrix")
def permuted_the_wrong_way(q, k, v):
    Q, K, V = (t.permute(0, 3, 2, 1).flatten(1, 2) for t in (q, k, v))
    return ((Q @ K.mT).softmax(-1) @ V).mT.reshape(v.shape)


@bank.wrong("folded to (B, C, W, H)")
def width_first(q, k, v):
    B, C, W, H = v.shape
    flat = two_bmm(q, k, v).flatten(2)
    return flat.view(B, C, H, W)


@bank.wrong("All images look at the keys of the first one")
def keys_of_the_first(q, k, v):
    A = (q.flatten(2).mT @ k[0].flatten(1)).softmax(-1)
    return (v.flatten(2) @ A.mT).view(v.shape)


@bank.wrong("All images collect the values of the first one")
def values_of_the_first(q, k, v):
    A = (q.flatten(2).mT @ k.flatten(2)).softmax(-1)
    return torch.stack([v[0].flatten(1) @ a.T for a in A]).view(v.shape)


@bank.wrong("The positions of all images look at each other")
def batch_among_the_positions(q, k, v):
    B, H = v.shape[0], v.shape[2]
    Q, K, V = (rearrange(t, "b c h w -> (b h w) c") for t in (q, k, v))
    return rearrange((Q @ K.T).softmax(-1) @ V, "(b h w) c -> b c h w", b=B, h=H)


@bank.wrong("Only the first image of the batch is computed")
def returns_in_the_loop(q, k, v):
    out = torch.zeros_like(v)
    for b in range(len(q)):
        out[b] = (v[b].flatten(1) @ (q[b].flatten(1).T @ k[b].flatten(1)).softmax(-1).T).view(v[b].shape)
        return out


@bank.wrong("It collects keys")
def keys_as_values(q, k, v):
    return two_bmm(q, k, k)


@bank.wrong("It returns 0 everywhere")
def gate_at_zero(q, k, v):
    gamma = torch.zeros(1, dtype=v.dtype, device=v.device)
    return gamma * two_bmm(q, k, v)


@bank.wrong("It returns v itself")
def gate_and_residual(q, k, v):
    return 0 * two_bmm(q, k, v) + v


@bank.wrong("It returns the attention map")
def the_map(q, k, v):
    return (q.flatten(2).mT @ k.flatten(2)).softmax(-1)


@bank.wrong("The result is a matrix still: fold (B, C, N)")
def not_folded(q, k, v):
    return two_bmm(q, k, v).flatten(2)


@bank.wrong("The result is a matrix still: transpose (B, N, C)")
def not_folded_nor_transposed(q, k, v):
    return two_bmm(q, k, v).flatten(2).mT


@bank.wrong("The channels stand last")
def channels_at_the_end(q, k, v):
    return two_bmm(q, k, v).permute(0, 2, 3, 1)


@bank.wrong("A position does not look at itself")
def itself_masked(q, k, v):
    energy = q.flatten(2).mT @ k.flatten(2)
    energy = energy.masked_fill(torch.eye(energy.shape[1], dtype=torch.bool, device=q.device), -torch.inf)
    return (v.flatten(2) @ energy.softmax(-1).mT).view(v.shape)


@bank.wrong("row and column only, as in criss-cross")
def criss_cross(q, k, v):
    from segtut.attention.criss_cross import criss_cross_einsum

    return criss_cross_einsum(q, k, v)[0]


@bank.wrong("only at those before it")
def causal(q, k, v):
    rows = (t.flatten(2).mT for t in (q, k, v))
    return F.scaled_dot_product_attention(*rows, is_causal=True, scale=1).mT.reshape(v.shape)


@bank.wrong("And another: ")
def scaled_and_residual(q, k, v):
    return sdpa_as_it_is(q, k, v) + v


@bank.wrong("divided by √C_qk")
def scaled_and_transposed(q, k, v):
    A = (q.flatten(2).mT @ k.flatten(2) / q.shape[1] ** 0.5).softmax(-1)
    return torch.bmm(v.flatten(2), A).view(v.shape)


@bank.wrong("returned a tuple of 2")
def map_as_well(q, k, v):
    return dual.position_attention(q, k, v)


@bank.wrong("changes its input v")
def into_v(q, k, v):
    out = two_bmm(q, k, v)
    v.copy_(out)
    return v


@bank.wrong("changes its input k")
def centres_k_in_place(q, k, v):
    """The numbers are right: a softmax ignores what that adds to a whole row."""
    k -= k.mean(dim=(2, 3), keepdim=True)
    return two_bmm(q, k, v)


@bank.wrong("nothing before it can learn")
def in_numpy(q, k, v):
    Q, K, V = (t.detach().double().numpy().reshape(len(t), t.shape[1], -1) for t in (q, k, v))
    energy = np.exp(np.einsum("bcu,bcs->bus", Q, K))
    out = np.einsum("bus,bcs->bcu", energy / energy.sum(-1, keepdims=True), V)
    return torch.from_numpy(out).to(v.dtype).view(v.shape)


@bank.wrong("no gradient reaches q and k")
def detached_attention(q, k, v):
    A = (q.flatten(2).mT @ k.flatten(2)).softmax(-1).detach()
    return (v.flatten(2) @ A.mT).view(v.shape)


@bank.wrong("works on the CPU only: it makes a tensor there")
def filled_on_the_cpu(q, k, v):
    out = torch.zeros(v.shape, dtype=v.dtype)
    A = (q.flatten(2).mT @ k.flatten(2)).softmax(-1)
    out = out + (v.flatten(2) @ A.mT).view(v.shape)
    return out


@bank.wrong("works in float32 but not in float64")
def always_float32(q, k, v):
    return two_bmm(q.float(), k.float(), v.float())


@bank.wrong("right only where H = W")
def sides_mixed_up(q, k, v):
    H, W = v.shape[2:]
    out = torch.zeros_like(v)
    flat = two_bmm(q, k, v)
    for i in range(H):
        for j in range(H):
            if j < W:
                out[:, :, i, j] = flat[:, :, i, j]
    return out


@bank.wrong("right only where C = C_qk")
def one_number_of_channels(q, k, v):
    B, C, H, W = q.shape
    A = (q.flatten(2).mT @ k.flatten(2)).softmax(-1)
    return (A @ v.flatten(2).mT).mT.reshape(B, C, H, W)


@bank.wrong("wrong only for a single image")
def squeezed(q, k, v):
    A = (q.flatten(2).mT @ k.flatten(2)).softmax(-1)
    return (v.flatten(2) @ A.mT).view(v.shape).squeeze(0)


@bank.wrong("something else when it is called again")
def with_dropout(q, k, v):
    A = F.dropout((q.flatten(2).mT @ k.flatten(2)).softmax(-1), 0.5)
    return (v.flatten(2) @ A.mT).view(v.shape)


@bank.wrong("raised RuntimeError")
def untransposed_product(q, k, v):
    return (q.flatten(2) @ k.flatten(2)).softmax(-1) @ v.flatten(2)


@bank.wrong("still raises NotImplementedError")
def blank(q, k, v):
    # YOUR CODE HERE
    raise NotImplementedError


@bank.wrong("returned None; does it end with `return`?")
def no_return(q, k, v):
    two_bmm(q, k, v)


@bank.wrong("The numbers are nearly right")
def in_bfloat16_and_back(q, k, v):
    return two_bmm(q.bfloat16(), k.bfloat16(), v.bfloat16()).to(v.dtype)


@bank.wrong("The numbers are nearly right")
def a_large_epsilon(q, k, v):
    weights = (q.flatten(2).mT @ k.flatten(2)).exp()
    weights = weights / (weights.sum(-1, keepdim=True) + 1e-3)
    return (v.flatten(2) @ weights.mT).view(v.shape)


@bank.wrong("sparse")
def sparse_result(q, k, v):
    return two_bmm(q, k, v).to_sparse()


@bank.wrong("changes its input v")
def adds_into_v(q, k, v):
    out = two_bmm(q, k, v)
    v -= v
    v += out
    return v


@bank.right
def all_shifts(q, k, v):
    energies, values = [], []
    for i in range(v.shape[2]):
        for j in range(v.shape[3]):
            energies.append((q * k.roll((i, j), (2, 3))).sum(1, keepdim=True))
            values.append(v.roll((i, j), (2, 3)))
    return (torch.stack(energies).softmax(0) * torch.stack(values)).sum(0)


@bank.right
def sum_by_a_column_of_ones(q, k, v):
    ones = torch.ones(v[0, 0].numel(), 1, dtype=v.dtype, device=v.device)
    weights = (q.flatten(2).mT @ k.flatten(2)).exp()
    return ((weights @ v.flatten(2).mT) / (weights @ ones)).mT.reshape(v.shape)


def collect(A, v):
    return (v.flatten(2) @ A.mT).view(v.shape)


def affinity(q, k):
    return q.flatten(2).mT @ k.flatten(2)


@bank.wrong("go through a ReLU before the softmax")
def relu_of_the_affinities(q, k, v):
    return collect(affinity(q, k).relu().softmax(-1), v)


@bank.wrong("A position hardly looks at itself")
def itself_masked_by_a_number(q, k, v):
    itself = torch.eye(q[0, 0].numel(), dtype=torch.bool, device=q.device)
    return collect(affinity(q, k).masked_fill(itself, -1e9).softmax(-1), v)


@bank.wrong("weight for itself is set to 0 after the softmax")
def itself_at_0(q, k, v):
    return collect(affinity(q, k).softmax(-1) * (1 - torch.eye(q[0, 0].numel(), dtype=q.dtype, device=q.device)), v)


@bank.wrong("counts itself twice")
def itself_twice(q, k, v):
    weights = affinity(q, k).exp()
    weights = weights + torch.diag_embed(weights.diagonal(dim1=1, dim2=2))
    return collect(weights / weights.sum(-1, keepdim=True), v)


@bank.wrong("over the rows of the image and then over its columns")
def softmax_of_either_axis(q, k, v):
    A = torch.einsum("bchw,bcij->bhwij", q, k).softmax(-1).softmax(-2)
    return torch.einsum("bhwij,bcij->bchw", A, v)


@bank.wrong("as in efficient attention")
def efficient_attention(q, k, v):
    context = v.flatten(2) @ k.flatten(2).softmax(-1).mT
    return (context @ q.flatten(2).softmax(1)).view(v.shape)


@bank.wrong("All affinities of the batch share one sum")
def exp_over_the_sum_of_all(q, k, v):
    weights = affinity(q, k).exp()
    return collect(weights / weights.sum(), v)


@bank.wrong("Queries are compared with queries")
def queries_only(q, k, v):
    return collect(affinity(q, q).softmax(-1), v)


@bank.wrong("Keys are compared with keys")
def keys_only(q, k, v):
    return collect(affinity(k, k).softmax(-1), v)


@bank.wrong("All images use the weights of the first one")
def map_of_the_first(q, k, v):
    return collect(affinity(q[:1], k[:1]).softmax(-1), v)


@bank.wrong("And another: All images use the weights of the first one")
def map_of_the_first_transposed(q, k, v):
    return collect(affinity(q[:1], k[:1]).softmax(-1).mT, v)


@bank.wrong("The maps are averaged over the batch")
def mean_of_the_maps(q, k, v):
    return collect(affinity(q, k).softmax(-1).mean(0, keepdim=True), v)


@bank.wrong("The affinities are summed over the batch")
def einsum_without_b(q, k, v):
    A = torch.einsum("bcu,bcs->us", q.flatten(2), k.flatten(2)).softmax(-1)
    return collect(A[None], v)


@bank.wrong("A .squeeze() takes all axes of length 1 away")
def squeezed_everywhere(q, k, v):
    return two_bmm(q, k, v).squeeze()


@bank.wrong("raised RuntimeError")
def untransposed_and_unfinished(q, k, v):
    return (q.flatten(2) @ k.flatten(2)).softmax(-1)


@bank.wrong("returns the same for different inputs")
def remembers_the_first_call(q, k, v, kept=[]):  # noqa: B006
    if not kept:
        kept.append(two_bmm(q, k, v))
    return kept[0]


@bank.wrong("no gradient reaches q, k and v")
def wrapped_in_a_parameter(q, k, v):
    return nn.Parameter(two_bmm(q, k, v))


@bank.wrong("position_attention is a class: it must be a function")
class PAM(nn.Module):
    def forward(self, q, k, v):
        return two_bmm(q, k, v)
