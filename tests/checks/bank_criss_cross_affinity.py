"""Answers to the question for the affinity of criss-cross attention."""

from functools import partial

import torch
from einops import einsum, rearrange
from torch import nn
from torch.nn import functional as F

from segtut.attention import criss_cross
from tests.checks.bank import Bank

bank = Bank("check_criss_cross_affinity")


@bank.right
def plain_loops(q, k):
    B, _, H, W = q.shape
    D = torch.zeros(B, H, W, H + W, dtype=q.dtype, device=q.device)
    for b in range(B):
        for i in range(H):
            for j in range(W):
                for h in range(H):
                    D[b, i, j, h] = float("-inf") if h == i else (q[b, :, i, j] * k[b, :, h, j]).sum()
                for w in range(W):
                    D[b, i, j, H + w] = torch.dot(q[b, :, i, j], k[b, :, i, w])
    return D


@bank.right
def einsum_and_masked_fill(q, k):
    H = q.shape[2]
    eye = torch.eye(H, dtype=torch.bool, device=q.device)
    column = torch.einsum("bcij,bchj->bijh", q, k).masked_fill(eye[:, None, :], -torch.inf)
    return torch.cat([column, torch.einsum("bcij,bciw->bijw", q, k)], dim=-1)


@bank.right
def published_bmm(q, k):
    B, _, H, W = q.shape
    q_H = q.permute(0, 3, 1, 2).contiguous().view(B * W, -1, H).permute(0, 2, 1)
    q_W = q.permute(0, 2, 1, 3).contiguous().view(B * H, -1, W).permute(0, 2, 1)
    k_H = k.permute(0, 3, 1, 2).contiguous().view(B * W, -1, H)
    k_W = k.permute(0, 2, 1, 3).contiguous().view(B * H, -1, W)
    inf = -torch.diag(torch.tensor(float("inf"), dtype=q.dtype).to(q).repeat(H), 0).unsqueeze(0).repeat(B * W, 1, 1)
    energy_H = (torch.bmm(q_H, k_H) + inf).view(B, W, H, H).permute(0, 2, 1, 3)
    return torch.cat([energy_H, torch.bmm(q_W, k_W).view(B, H, W, W)], 3)


@bank.right
def the_packages(q, k):
    return criss_cross.criss_cross_affinity(q, k)


@bank.right
def dense_then_gathered(q, k):
    B, _, H, W = q.shape
    dense = (q.flatten(2).transpose(1, 2) @ k.flatten(2)).view(B, H, W, H, W)
    j, i = torch.arange(W, device=q.device), torch.arange(H, device=q.device)
    column = dense[:, :, j, :, j].permute(1, 2, 0, 3).clone()
    column[:, i, :, i] = -torch.inf
    return torch.cat((column, dense[:, i, :, i].permute(1, 0, 2, 3)), -1)


@bank.right
def matmul_in_float64_cast_back(q, k):
    dtype, (q, k) = q.dtype, (q.double(), k.double())
    column = (q.permute(0, 3, 2, 1) @ k.permute(0, 3, 1, 2)).transpose(1, 2)
    row = q.permute(0, 2, 3, 1) @ k.permute(0, 2, 1, 3)
    D = torch.cat([column, row], dim=-1)
    D.diagonal(dim1=1, dim2=3)[...] = -torch.inf
    return D.to(dtype)


@bank.right
def einops_and_where(q, k):
    H = q.shape[2]
    column, row = einsum(q, k, "b c h w, b c g w -> b h w g"), einsum(q, k, "b c h w, b c h g -> b h w g")
    own = rearrange(torch.eye(H, device=q.device), "h g -> h 1 g") == 1
    return torch.cat([torch.where(own, torch.full_like(column, -torch.inf), column), row], dim=-1)


@bank.right
def broadcast_product_and_sum(q, k):
    H = q.shape[-2]
    column = (q[:, :, :, None, :] * k[:, :, None, :, :]).sum(1).permute(0, 1, 3, 2)
    row = (q[:, :, :, :, None] * k[:, :, :, None, :]).sum(1)
    mask = torch.log(1 - torch.eye(H, dtype=q.dtype, device=q.device))
    return torch.cat([column + mask.view(1, H, 1, H), row], -1)


@bank.right
def comprehension_and_stack(q, k):
    H, W = q.shape[2:]
    minus_inf = torch.full_like(q[:, 0, 0, 0], -float("inf"))

    def entry(i, j, s):
        if s < H:
            return minus_inf if s == i else (q[:, :, i, j] * k[:, :, s, j]).sum(dim=1)
        return (q[:, :, i, j] * k[:, :, i, s - H]).sum(dim=1)

    rows = [
        torch.stack([torch.stack([entry(i, j, s) for s in range(H + W)], -1) for j in range(W)], 1) for i in range(H)
    ]
    return torch.stack(rows, 1)


@bank.right
def other_memory_layout(q, k):
    return einsum_and_masked_fill(q, k).permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0)


@bank.right
def scattered_onto_the_diagonal(q, k):
    B, _, H, W = q.shape
    with q.device:
        minus_inf = torch.full((B, W, H), -torch.inf, dtype=q.dtype)
    column = torch.diagonal_scatter(torch.einsum("bchw,bcgw->bhwg", q, k), minus_inf, dim1=1, dim2=3)
    return torch.cat([column, torch.einsum("bchw,bchg->bhwg", q, k)], dim=-1)


@bank.right
def pixel_after_pixel_with_new_tensor(q, k):
    def pixel(q, k, i, j):
        column, minus_inf = q[:, i, j] @ k[:, :, j], q.new_tensor([-torch.inf])
        return torch.cat([column[:i], minus_inf, column[i + 1 :], q[:, i, j] @ k[:, i]])

    H, W = q.shape[2:]
    D = [torch.stack([pixel(*both, i, j) for i in range(H) for j in range(W)]) for both in zip(q, k)]
    return torch.stack(D).unflatten(1, (H, W))


class WithItsBackward(torch.autograd.Function):
    """As published, with the gradient by hand."""

    @staticmethod
    def forward(ctx, q, k):
        ctx.save_for_backward(q, k)
        D = torch.cat([torch.einsum("bchw,bcgw->bhwg", q, k), torch.einsum("bchw,bchg->bhwg", q, k)], -1)
        D.diagonal(dim1=1, dim2=3).fill_(-torch.inf)
        return D

    @staticmethod
    def backward(ctx, dD):
        q, k = ctx.saved_tensors
        dD = dD.clone()
        dD.diagonal(dim1=1, dim2=3).zero_()
        column, row = dD.split(q.shape[2:], dim=-1)
        dq = torch.einsum("bhwg,bcgw->bchw", column, k) + torch.einsum("bhwg,bchg->bchw", row, k)
        return dq, torch.einsum("bhwg,bchw->bcgw", column, q) + torch.einsum("bhwg,bchw->bchg", row, q)


bank.right(WithItsBackward.apply)


class Affinity(nn.Module):
    """A callable object."""

    def forward(self, q, k):
        return torch.vmap(self.one)(q, k)

    def one(self, q, k):
        column = torch.einsum("chw,cgw->hwg", q, k)
        own = torch.eye(q.shape[1], device=q.device).bool().unsqueeze(1)
        return torch.cat([column.masked_fill(own, float("-inf")), torch.einsum("chw,chg->hwg", q, k)], 2)


bank.right(Affinity())


def general(q, k, scale):
    D = einsum_and_masked_fill(q, k)
    return D * scale


bank.right(partial(general, scale=1.0))


@bank.right
def additive_mask_from_numbers(q, k):
    column = torch.einsum("bchw,bcgw->bhwg", q, k)
    column = column + torch.diag(q.new_full((q.shape[2],), -torch.inf))[:, None]
    return torch.cat([column, torch.einsum("bchw,bchg->bhwg", q, k)], 3)


def column_and_row(q, k):
    return torch.einsum("bchw,bcgw->bhwg", q, k), torch.einsum("bchw,bchg->bhwg", q, k)


def masked(column):
    return column.masked_fill(torch.eye(column.shape[-1], device=column.device).bool()[:, None], -torch.inf)


@bank.wrong("itself is counted twice")
def no_mask(q, k):
    return torch.cat(column_and_row(q, k), dim=-1)


@bank.wrong("itself is never counted")
def mask_on_both(q, k):
    column, row = column_and_row(q, k)
    eye = torch.eye(q.shape[3], dtype=torch.bool, device=q.device)
    return torch.cat([masked(column), row.masked_fill(eye, -torch.inf)], dim=-1)


@bank.wrong("−∞ stands at the pixel's row entry")
def mask_on_the_row(q, k):
    column, row = column_and_row(q, k)
    return torch.cat([column, row.masked_fill(torch.eye(q.shape[3]).bool(), -torch.inf)], dim=-1)


@bank.wrong("column entry is 0")
def zero_instead(q, k):
    column, row = column_and_row(q, k)
    eye = torch.eye(q.shape[2], dtype=q.dtype, device=q.device)
    return torch.cat([column * (1 - eye[:, None]), row], dim=-1)


@bank.wrong("is the finite number −1e+09")
def large_number(q, k):
    column, row = column_and_row(q, k)
    return torch.cat([column.masked_fill(torch.eye(q.shape[2]).bool()[:, None], -1e9), row], dim=-1)


@bank.wrong("is the finite number −1e+06")
def large_number_added(q, k):
    column, row = column_and_row(q, k)
    return torch.cat([column - 1e6 * torch.eye(q.shape[2])[:, None], row], dim=-1)


@bank.wrong("is the finite number −3.403e+38")
def smallest_float(q, k):
    column, row = column_and_row(q, k)
    column = column.masked_fill(torch.eye(q.shape[2]).bool()[:, None], torch.finfo(q.dtype).min)
    return torch.cat([column, row], dim=-1)


@bank.wrong("a mask of zeros and ones cannot be multiplied by −∞")
def eye_times_inf(q, k):
    column, row = column_and_row(q, k)
    return torch.cat([column + torch.eye(q.shape[2])[:, None] * float("-inf"), row], dim=-1)


@bank.wrong("is +∞: the sign is wrong")
def plus_inf(q, k):
    column, row = column_and_row(q, k)
    return torch.cat([column + torch.diag(torch.full((q.shape[2],), torch.inf))[:, None], row], dim=-1)


@bank.wrong("the mask is inverted")
def inverted_mask(q, k):
    column, row = column_and_row(q, k)
    keep = torch.eye(q.shape[2], dtype=torch.bool)[:, None]
    return torch.cat([torch.where(keep, column, -torch.inf), row], dim=-1)


@bank.wrong("The whole column is −∞")
def whole_column_masked(q, k):
    D, H = torch.cat(column_and_row(q, k), dim=-1), q.shape[2]
    for i in range(H):
        D[:, :, :, i] = -torch.inf
    return D


@bank.wrong("−∞ stands at entry j")
def mask_at_the_column_number(q, k):
    D = torch.cat(column_and_row(q, k), dim=-1)
    for j in range(q.shape[3]):
        D[:, :, j, j] = -torch.inf
    return D


@bank.wrong("only at pixels (i, j) with i = j")
def mask_on_the_images_diagonal(q, k):
    D = torch.cat(column_and_row(q, k), dim=-1)
    for i in range(min(q.shape[2:])):
        D[:, i, i, i] = -torch.inf
    return D


@bank.wrong("−∞ stands in the first image only")
def mask_in_the_first_image(q, k):
    D = torch.cat(column_and_row(q, k), dim=-1)
    for i in range(q.shape[2]):
        D[0, i, :, i] = -torch.inf
    return D


@bank.wrong("1 is subtracted at the pixel's column entry")
def eye_subtracted(q, k):
    column, row = column_and_row(q, k)
    return torch.cat([column - torch.eye(q.shape[2])[:, None], row], dim=-1)


@bank.wrong("The row comes first")
def row_first(q, k):
    column, row = column_and_row(q, k)
    return torch.cat([row, masked(column)], dim=-1)


@bank.wrong("q and k are exchanged")
def exchanged(q, k):
    return einsum_and_masked_fill(k, q)


@bank.wrong("k is not used")
def queries_with_queries(q, k):
    column = torch.einsum("bchw,bcgw->bhwg", q, q)
    return torch.cat([masked(column), torch.einsum("bchw,bchg->bhwg", q, q)], dim=-1)


@bank.wrong("divided by √C")
def scaled_as_a_transformer(q, k):
    return einsum_and_masked_fill(q, k) / q.shape[1] ** 0.5


@bank.wrong("the mean is taken over the channels")
def mean_over_channels(q, k):
    column = (q.unsqueeze(3) * k.unsqueeze(2)).mean(dim=1).transpose(2, 3)
    row = (q.unsqueeze(4) * k.unsqueeze(3)).mean(dim=1)
    return torch.cat([masked(column), row], dim=-1)


@bank.wrong("divided by √(H + W)")
def scaled_by_the_last_axis(q, k):
    D = einsum_and_masked_fill(q, k)
    return D / D.shape[-1] ** 0.5


@bank.wrong("(the cosine)")
def cosine(q, k):
    return einsum_and_masked_fill(F.normalize(q, dim=1), F.normalize(k, dim=1))


@bank.wrong("Only the first channel is used")
def first_channel(q, k):
    column = q[:, 0, :, None, :] * k[:, 0, None, :, :]
    return torch.cat([masked(column.transpose(2, 3)), q[:, 0, :, :, None] * k[:, 0, :, None, :]], dim=-1)


@bank.wrong("minus the squared distance")
def distance(q, k):
    column = -(q.unsqueeze(3) - k.unsqueeze(2)).pow(2).sum(1).transpose(2, 3)
    row = -(q.unsqueeze(4) - k.unsqueeze(3)).pow(2).sum(1)
    return torch.cat([masked(column), row], dim=-1)


@bank.wrong("The ReLU is taken")
def relu(q, k):
    column, row = column_and_row(q, k)
    return torch.cat([masked(column.relu()), row.relu()], dim=-1)


@bank.wrong("The absolute value is taken")
def absolute(q, k):
    column, row = column_and_row(q, k)
    return torch.cat([masked(column.abs()), row.abs()], dim=-1)


@bank.wrong("exp, which belongs to the softmax")
def exponential(q, k):
    return torch.exp(einsum_and_masked_fill(q, k))


@bank.wrong("In the column, queries and keys are transposed")
def column_transposed(q, k):
    column = torch.einsum("bchw,bcgw->bgwh", q, k)
    return torch.cat([masked(column), torch.einsum("bchw,bchg->bhwg", q, k)], dim=-1)


@bank.wrong("In the row, queries and keys are transposed")
def row_transposed(q, k):
    column = torch.einsum("bchw,bcgw->bhwg", q, k)
    return torch.cat([masked(column), torch.einsum("bchw,bchg->bhgw", q, k)], dim=-1)


@bank.wrong("H and W are swapped")
def h_and_w_swapped(q, k):
    B, _, H, W = q.shape
    column = torch.bmm(q.permute(0, 3, 2, 1).reshape(B * W, H, -1), k.permute(0, 3, 1, 2).reshape(B * W, -1, H))
    column = (column + torch.diag(torch.full((H,), -torch.inf))).view(B, W, H, H)
    row = torch.bmm(q.permute(0, 2, 3, 1).reshape(B * H, W, -1), k.permute(0, 2, 1, 3).reshape(B * H, -1, W))
    return torch.cat([column, row.view(B, H, W, W).transpose(1, 2)], dim=-1)


@bank.wrong("stand on the second axis")
def entries_as_channels(q, k):
    return einsum_and_masked_fill(q, k).permute(0, 3, 1, 2)


@bank.wrong("merged into one axis")
def positions_flattened(q, k):
    return einsum_and_masked_fill(q, k).flatten(1, 2)


@bank.wrong("by .view alone before −∞ is filled in")
def result_viewed(q, k):
    B, _, H, W = q.shape
    column = torch.bmm(q.permute(0, 3, 2, 1).reshape(B * W, H, -1), k.permute(0, 3, 1, 2).reshape(B * W, -1, H))
    column = column.view(B, H, W, H)
    i = torch.arange(H)
    column[:, i, :, i] = -torch.inf
    return torch.cat([column, torch.einsum("bchw,bchg->bhwg", q, k)], dim=-1)


@bank.wrong("The column's product stays (B, W, H, H)")
def result_not_permuted(q, k):
    B, _, H, W = q.shape
    column = torch.bmm(q.permute(0, 3, 2, 1).reshape(B * W, H, -1), k.permute(0, 3, 1, 2).reshape(B * W, -1, H))
    column = (column + torch.diag(torch.full((H,), -torch.inf))).view(B, W, H, H)
    return torch.cat([column, torch.einsum("bchw,bchg->bhwg", q, k)], dim=-1)


@bank.wrong("(B·W, H, H), is brought to (B, H, W, H) by .view alone: ")
def masked_result_viewed(q, k):
    B, _, H, W = q.shape
    column = torch.bmm(q.permute(0, 3, 2, 1).reshape(B * W, H, -1), k.permute(0, 3, 1, 2).reshape(B * W, -1, H))
    column = column + torch.diag(torch.full((H,), -torch.inf))
    return torch.cat([column.view(B, H, W, H), torch.einsum("bchw,bchg->bhwg", q, k)], dim=-1)


@bank.wrong("comes without .permute(0, 3, 1, 2) before it")
def columns_viewed(q, k):
    B, C, H, W = q.shape
    column = torch.bmm(q.view(B * W, C, H).transpose(1, 2), k.view(B * W, C, H)).view(B, W, H, H).permute(0, 2, 1, 3)
    return torch.cat([masked(column), torch.einsum("bchw,bchg->bhwg", q, k)], dim=-1)


@bank.wrong("merged into the batch by .view or .reshape without a .permute")
def columns_and_rows_viewed(q, k):
    B, C, H, W = q.shape
    column = torch.bmm(q.view(B * W, C, H).transpose(1, 2), k.view(B * W, C, H)).view(B, W, H, H).permute(0, 2, 1, 3)
    row = torch.bmm(q.view(B * H, C, W).transpose(1, 2), k.view(B * H, C, W)).view(B, H, W, W)
    return torch.cat([masked(column), row], dim=-1)


@bank.wrong("The channels are brought to the end by .view")
def channels_last_by_view(q, k):
    B, C, H, W = q.shape
    q, k = q.view(B, H, W, C), k.view(B, H, W, C)
    column = torch.einsum("bhwc,bgwc->bhwg", q, k)
    return torch.cat([masked(column), torch.einsum("bhwc,bhgc->bhwg", q, k)], dim=-1)


@bank.wrong("own column entry is left out")
def column_without_itself(q, k):
    H, D = q.shape[2], []
    for i in range(H):
        others = [h for h in range(H) if h != i]
        column = torch.einsum("bcw,bcgw->bwg", q[:, :, i], k[:, :, others])
        D.append(torch.cat([column, torch.einsum("bcw,bcg->bwg", q[:, :, i], k[:, :, i])], dim=-1))
    return torch.stack(D, dim=1)


@bank.wrong("Only the column is there")
def column_alone(q, k):
    return masked(torch.einsum("bchw,bcgw->bhwg", q, k))


@bank.wrong("All images look at the keys of the first one")
def first_images_keys(q, k):
    column = torch.einsum("bchw,cgw->bhwg", q, k[0])
    return torch.cat([masked(column), torch.einsum("bchw,chg->bhwg", q, k[0])], dim=-1)


@bank.wrong("keys of the first one. And another: All images look with the queries of the first one")
def first_images_affinity(q, k):
    return einsum_and_masked_fill(q[:1], k[:1]).repeat(len(q), 1, 1, 1)


@bank.wrong("A softmax is in it already: ")
def softmaxed(q, k):
    return einsum_and_masked_fill(q, k).softmax(dim=-1)


@bank.wrong("one for the column and one for the row")
def softmaxed_apart(q, k):
    column, row = column_and_row(q, k)
    return torch.cat([masked(column).softmax(dim=-1), row.softmax(dim=-1)], dim=-1)


@bank.wrong("the pixel that looks brings the query, the others their keys. And another: It is divided by √C")
def two_mistakes(q, k):
    return einsum_and_masked_fill(k, q) / q.size(1) ** 0.5


@bank.wrong("right only where H = W")
def square_only(q, k):
    B, _, H, W = q.shape
    column, row = torch.einsum("bchw,bcgw->bhwg", q, k), torch.einsum("bchw,bchg->bhwg", q, k)
    D = torch.empty(B, H, W, 2 * H, dtype=q.dtype)
    D[..., :H], D[..., H:] = masked(column), row
    return D


@bank.wrong("does a .squeeze() take the batch axis away?")
def squeezed(q, k):
    return einsum_and_masked_fill(q, k).squeeze(0)


@bank.wrong("changes its input q")
def scales_in_place(q, k):
    q *= 1.0 / q.shape[1]
    return einsum_and_masked_fill(q, k) * q.shape[1]


@bank.wrong("nothing before it can learn")
def detached(q, k):
    return plain_loops(q.detach(), k.detach())


@bank.wrong("nothing before it can learn")
def through_item(q, k):
    B, _, H, W = q.shape
    D = torch.full((B, H, W, H + W), -torch.inf, dtype=q.dtype)
    for b in range(B):
        for i in range(H):
            for j in range(W):
                for h in range(H):
                    if h != i:
                        D[b, i, j, h] = torch.dot(q[b, :, i, j], k[b, :, h, j]).item()
                for w in range(W):
                    D[b, i, j, H + w] = torch.dot(q[b, :, i, j], k[b, :, i, w]).item()
    return D


@bank.wrong("no gradient reaches k")
def keys_detached(q, k):
    return einsum_and_masked_fill(q, k.data)


@bank.wrong("works on the CPU only: it makes a tensor there")
def mask_on_the_cpu(q, k):
    column, row = column_and_row(q, k)
    mask = torch.diag(torch.full((q.shape[2],), -torch.inf, dtype=q.dtype))
    return torch.cat([column + mask[:, None], row], dim=-1)


@bank.wrong("works in float32 but not in float64")
def float32_result(q, k):
    B, _, H, W = q.shape
    D = torch.zeros(B, H, W, H + W)
    D[..., :H], D[..., H:] = column_and_row(q, k)
    D[..., :H] = masked(D[..., :H])
    return D


@bank.wrong("dtype torch.float64; it must be the inputs'")
def float64_result(q, k):
    return einsum_and_masked_fill(q.double(), k.double())


@bank.wrong("returned None; does it end with `return`?")
def no_return(q, k):
    einsum_and_masked_fill(q, k)


@bank.wrong("returned a tuple of 2")
def two_results(q, k):
    column, row = column_and_row(q, k)
    return masked(column), row


@bank.wrong("still raises NotImplementedError")
def unwritten(q, k):
    raise NotImplementedError


def parts(q, k):
    return torch.einsum("bcij,bchj->bijh", q, k), torch.einsum("bcij,bciw->bijw", q, k)


def with_column_mask(q, k, mask):
    column, row = parts(q, k)
    return torch.cat([column.masked_fill(mask.to(q.device)[:, None], -torch.inf), row], dim=-1)


@bank.right
def indices_made_on_the_cpu(q, k):
    B, C, H, W = q.shape
    b, n = torch.arange(B).repeat_interleave(H * W), torch.arange(H * W).repeat(B)
    i, j = n // W, n % W
    keys = torch.cat([k.permute(0, 3, 1, 2)[b, j], k.permute(0, 2, 1, 3)[b, i]], dim=-1)
    D = (q.permute(0, 2, 3, 1).reshape(-1, 1, C) @ keys).squeeze(1)
    D = D.index_put((torch.arange(len(n)), i), torch.tensor(-torch.inf, dtype=q.dtype, device=q.device))
    return D.view(B, H, W, H + W)


@bank.right
def log_of_a_mask(q, k):
    column, row = parts(q, k)
    own = torch.eye(q.shape[2], dtype=q.dtype, device=q.device)
    return torch.cat([column + torch.log(1 - own)[:, None], row], dim=-1)


@bank.right
def own_entry_put_between(q, k):
    column, row = parts(q, k)
    own = torch.full_like(column[:, 0, :, :1], -torch.inf)
    rows = [torch.cat([column[:, i, :, :i], own, column[:, i, :, i + 1 :]], -1) for i in range(q.shape[2])]
    return torch.cat([torch.stack(rows, dim=1), row], dim=-1)


@bank.right
def vmap_over_the_batch(q, k):
    return torch.vmap(lambda q, k: einsum_and_masked_fill(q[None], k[None])[0])(q, k)


for axis in (0, 1, 2):
    bank.wrong(f"A softmax over axis {axis} is in it already")(
        lambda q, k, axis=axis: einsum_and_masked_fill(q, k).softmax(dim=axis)
    )
for number in (-9999.0, -999999.0, -1e38):
    bank.wrong("it must be −∞ itself")(
        lambda q, k, number=number: einsum_and_masked_fill(q, k).nan_to_num(neginf=number)
    )


@bank.wrong("at another entry of the column than the pixel's own")
def mask_of_the_next_entry(q, k):
    return with_column_mask(q, k, torch.eye(q.shape[2]).roll(1, 1).bool())


@bank.wrong("at another entry of the column than the pixel's own")
def mask_beside_the_diagonal(q, k):
    return with_column_mask(q, k, torch.ones(q.shape[2], q.shape[2]).triu(1).tril(1).bool())


@bank.wrong("at another entry of the column than the pixel's own")
def mask_upside_down(q, k):
    return with_column_mask(q, k, torch.eye(q.shape[2]).flip(0).bool())


@bank.wrong("at all entries from i of the column, as in a causal mask")
def causal_mask(q, k):
    return with_column_mask(q, k, torch.ones(q.shape[2], q.shape[2]).triu().bool())


@bank.wrong("at all entries behind i of the column, as in a causal mask")
def strict_causal_mask(q, k):
    return with_column_mask(q, k, torch.ones(q.shape[2], q.shape[2]).triu(1).bool())


@bank.wrong("The queries of the columns are brought to (B·W, H, C) by .view")
def queries_of_the_column_viewed_channels_last(q, k):
    B, C, H, W = q.shape
    column = (q.contiguous().view(B * W, H, C) @ k.contiguous().view(B * W, C, H)).view(B, W, H, H).transpose(1, 2)
    own = torch.eye(H, dtype=torch.bool, device=q.device)
    return torch.cat([column.masked_fill(own[:, None], -torch.inf), parts(q, k)[1]], dim=-1)


@bank.wrong("In the column, the keys of other columns are summed up")
def einsum_sums_the_columns_up(q, k):
    column = torch.einsum("bcij,bchw->bijh", q, k)
    own = torch.eye(q.shape[2], dtype=torch.bool, device=q.device)
    return torch.cat([column.masked_fill(own[:, None], -torch.inf), parts(q, k)[1]], dim=-1)


@bank.wrong("In the row, the keys of other rows are summed up")
def einsum_sums_the_rows_up(q, k):
    column = einsum_and_masked_fill(q, k)[..., : q.shape[2]]
    return torch.cat([column, torch.einsum("bcij,bchw->bijw", q, k)], dim=-1)


@bank.wrong("Every pixel is compared with all pixels")
def dense(q, k):
    return q.flatten(2).transpose(1, 2) @ k.flatten(2)


@bank.wrong("wrong only where B, H or W is 1")
def squeezed_everywhere(q, k):
    return einsum_and_masked_fill(q, k).squeeze()


@bank.wrong("wrong only where H or W is 1: is that case treated apart")
def no_mask_for_one_row(q, k):
    return torch.cat(parts(q, k), dim=-1) if q.shape[2] == 1 else einsum_and_masked_fill(q, k)


@bank.wrong("asks for a GPU, which is not there")
def on_a_gpu_by_name(q, k):
    if torch.cuda.is_available():
        raise RuntimeError("Found no NVIDIA driver on your system.")
    return einsum_and_masked_fill(q.cuda(), k.cuda())


@bank.wrong("the gradient of q and k is NaN")
def log_of_a_masked_exp(q, k):
    column, row = parts(q, k)
    return torch.cat([torch.log(column.exp() * (1 - torch.eye(q.shape[2]).to(q)[:, None])), row], dim=-1)


bank.wrong("is Ellipsis: write it first")(...)
