"""Answers to the question for the aggregation of criss-cross attention."""

from functools import partial

import torch
from einops import einsum, rearrange
from torch import nn

from segtut.attention import criss_cross
from tests.checks.bank import Bank

bank = Bank("check_criss_cross_aggregate")


@bank.right
def plain_loops(attention, v):
    B, _, H, W = v.shape
    out = torch.zeros_like(v)
    for b in range(B):
        for i in range(H):
            for j in range(W):
                for h in range(H):
                    out[b, :, i, j] += attention[b, i, j, h] * v[b, :, h, j]
                for w in range(W):
                    out[b, :, i, j] += attention[b, i, j, H + w] * v[b, :, i, w]
    return out


@bank.right
def loop_over_the_cross_without_itself(attention, v):
    B, C, H, W = v.shape
    out = torch.empty(B, C, H, W, dtype=v.dtype, device=v.device)
    for i in range(H):
        for j in range(W):
            omega = {h: (h, j) for h in range(H) if h != i} | {H + w: (i, w) for w in range(W)}
            out[:, :, i, j] = sum(attention[:, i, j, s, None] * v[:, :, h, w] for s, (h, w) in omega.items())
    return out


@bank.right
def two_einsums(attention, v):
    column, row = attention.split(v.shape[2:], dim=-1)
    return torch.einsum("bijh,bchj->bcij", column, v) + torch.einsum("bijw,bciw->bcij", row, v)


@bank.right
def published_bmm(attention, v):
    B, _, H, W = v.shape
    v_H = v.permute(0, 3, 1, 2).contiguous().view(B * W, -1, H)
    v_W = v.permute(0, 2, 1, 3).contiguous().view(B * H, -1, W)
    att_H = attention[:, :, :, 0:H].permute(0, 2, 1, 3).contiguous().view(B * W, H, H)
    att_W = attention[:, :, :, H : H + W].contiguous().view(B * H, W, W)
    out_H = torch.bmm(v_H, att_H.permute(0, 2, 1)).view(B, W, -1, H).permute(0, 2, 3, 1)
    out_W = torch.bmm(v_W, att_W.permute(0, 2, 1)).view(B, H, -1, W).permute(0, 2, 1, 3)
    return out_H + out_W


@bank.right
def the_packages(attention, v):
    return criss_cross.criss_cross_aggregate(attention, v)


@bank.right
def einops_only(attention, v):
    H = v.shape[2]
    out = einsum(attention[..., :H], v, "b h w g, b c g w -> b h w c")
    out = out + einsum(attention[..., H:], v, "b h w g, b c h g -> b h w c")
    return rearrange(out, "b h w c -> b c h w")


@bank.right
def broadcast_and_sum(attention, v):
    H = v.shape[2]
    column = attention[..., :H].permute(0, 3, 1, 2)[:, None]  # (B, 1, h, H, W)
    row = attention[..., H:].permute(0, 3, 1, 2)[:, None]
    out = (column * v[:, :, :, None, :]).sum(2)
    return out + (row * v.permute(0, 1, 3, 2).unsqueeze(-1)).sum(2)


@bank.right
def as_a_dense_matrix(attention, v):
    B, C, H, W = v.shape
    dense = torch.zeros(B, H, W, H, W, dtype=v.dtype, device=v.device)
    for j in range(W):
        dense[:, :, j, :, j] = attention[:, :, j, :H]
    for i in range(H):
        dense[:, i, :, i] += attention[:, i, :, H:]
    return (v.flatten(2) @ dense.view(B, H * W, H * W).transpose(1, 2)).view(B, C, H, W)


@bank.right
def in_float64_cast_back(attention, v):
    return two_einsums(attention.double(), v.double()).type_as(v)


@bank.right
def recursive_sum(attention, v):
    H, W = v.shape[2:]

    def collect(s):
        if s == H + W:
            return torch.zeros_like(v)
        there = v[:, :, s : s + 1] if s < H else v[..., s - H : s - H + 1]
        return attention[..., s].unsqueeze(1) * there + collect(s + 1)

    return collect(0)


@bank.right
def other_memory_layout(attention, v):
    return two_einsums(attention, v).permute(2, 0, 3, 1).contiguous().permute(1, 3, 0, 2)


@bank.right
def values_of_the_cross_side_by_side(attention, v):
    B, C, H, W = v.shape
    column = v.permute(0, 3, 2, 1)[:, None].expand(B, H, W, H, C)
    row = v.permute(0, 2, 3, 1)[:, :, None].expand(B, H, W, W, C)
    return (attention[..., None] * torch.cat([column, row], dim=3)).sum(dim=3).permute(0, 3, 1, 2)


class Aggregation(nn.Module):
    """A callable object."""

    def forward(self, attention, v):
        return torch.vmap(lambda a, v: two_einsums(a[None], v[None])[0])(attention, v)


bank.right(Aggregation())
bank.right(partial(lambda extra, attention, v: two_einsums(attention, v) + extra, 0))


@bank.wrong("The row is read first")
def row_first(attention, v):
    W = v.shape[3]
    row, column = attention[..., :W], attention[..., W:]
    return torch.einsum("bhwg,bcgw->bchw", column, v) + torch.einsum("bhwg,bchg->bchw", row, v)


@bank.wrong("The weights are transposed: ")
def scatters(attention, v):
    H, W = v.shape[2:]
    out = torch.zeros_like(v)
    for i in range(H):
        for j in range(W):
            for h in range(H):
                out[:, :, h, j] += attention[:, i, j, h, None] * v[:, :, i, j]
            for w in range(W):
                out[:, :, i, w] += attention[:, i, j, H + w, None] * v[:, :, i, j]
    return out


@bank.wrong("The weights are transposed: ")
def bmm_without_transposing(attention, v):
    B, C, H, W = v.shape
    v_H, v_W = v.permute(0, 3, 1, 2).reshape(B * W, C, H), v.permute(0, 2, 1, 3).reshape(B * H, C, W)
    out_H = torch.bmm(v_H, attention[..., :H].permute(0, 2, 1, 3).reshape(B * W, H, H))
    out_W = torch.bmm(v_W, attention[..., H:].reshape(B * H, W, W))
    return out_H.view(B, W, C, H).permute(0, 2, 3, 1) + out_W.view(B, H, C, W).permute(0, 2, 1, 3)


@bank.wrong("The column's weights are transposed")
def column_transposed(attention, v):
    H = v.shape[2]
    out = torch.einsum("bhwg,bchw->bcgw", attention[..., :H], v)
    return out + torch.einsum("bhwg,bchg->bchw", attention[..., H:], v)


@bank.wrong("The row's weights are transposed")
def row_transposed(attention, v):
    H = v.shape[2]
    out = torch.einsum("bhwg,bcgw->bchw", attention[..., :H], v)
    return out + torch.einsum("bhwg,bchw->bchg", attention[..., H:], v)


@bank.wrong("there is no residual in this function")
def residual(attention, v):
    return two_einsums(attention, v) + v


@bank.wrong("there is no residual in this function")
def starts_from_the_values(attention, v):
    out, H = v.clone(), v.shape[2]
    for s in range(attention.shape[-1]):
        out = out + attention[:, None, ..., s] * (v[:, :, s : s + 1] if s < H else v[..., s - H : s - H + 1])
    return out


@bank.wrong("A softmax is applied to the weights again: ")
def softmax_again(attention, v):
    return two_einsums(torch.softmax(attention, dim=-1), v)


@bank.wrong("to column and row apart: they are weights already")
def softmax_apart(attention, v):
    column, row = (part.softmax(-1) for part in attention.split(v.shape[2:], dim=-1))
    return two_einsums(torch.cat([column, row], -1), v)


@bank.wrong("Only the column is collected")
def column_alone(attention, v):
    return torch.einsum("bhwg,bcgw->bchw", attention[..., : v.shape[2]], v)


@bank.wrong("Only the row is collected")
def row_alone(attention, v):
    return (attention[..., v.shape[2] :] @ v.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@bank.wrong("The values come back as they were")
def nothing_yet(attention, v):
    return v.clone()


@bank.wrong("are multiplied: they must be added")
def product(attention, v):
    column, row = attention.split(v.shape[2:], dim=-1)
    return torch.einsum("bhwg,bcgw->bchw", column, v) * torch.einsum("bhwg,bchg->bchw", row, v)


@bank.wrong("stand side by side on the channel axis")
def side_by_side(attention, v):
    column, row = attention.split(v.shape[2:], dim=-1)
    parts = torch.einsum("bhwg,bcgw->bchw", column, v), torch.einsum("bhwg,bchg->bchw", row, v)
    return torch.cat(parts, dim=1)


@bank.wrong("The sum is divided by 2")
def mean_of_both(attention, v):
    column, row = attention.split(v.shape[2:], dim=-1)
    parts = torch.einsum("bhwg,bcgw->bchw", column, v), torch.einsum("bhwg,bchg->bchw", row, v)
    return torch.stack(parts).mean(dim=0)


@bank.wrong("divided by H + W, or a mean is taken")
def mean_over_the_cross(attention, v):
    B, C, H, W = v.shape
    column = v.permute(0, 3, 2, 1)[:, None].expand(B, H, W, H, C)
    row = v.permute(0, 2, 3, 1)[:, :, None].expand(B, H, W, W, C)
    return (attention[..., None] * torch.cat([column, row], dim=3)).mean(dim=3).permute(0, 3, 1, 2)


@bank.wrong("A mean over the column and a mean over the row")
def mean_over_each(attention, v):
    H = v.shape[2]
    column = (attention[..., :H].permute(0, 3, 1, 2)[:, None] * v[:, :, :, None]).mean(dim=2)
    return column + (attention[..., H:][:, None] * v[:, :, :, None]).mean(dim=-1)


@bank.wrong("The weights are divided by their sum: ")
def normalised(attention, v):
    return two_einsums(attention / attention.sum(dim=-1, keepdim=True), v)


@bank.wrong("in column and row apart: take them as they are")
def normalised_apart(attention, v):
    column, row = (part / part.sum(-1, keepdim=True) for part in attention.split(v.shape[2:], dim=-1))
    return two_einsums(torch.cat([column, row], -1), v)


@bank.wrong("The weights are not used")
def plain_sum(attention, v):
    return v.sum(dim=2, keepdim=True) + v.sum(dim=3, keepdim=True)


@bank.wrong("Only the value with the largest weight")
def hard_attention(attention, v):
    hard = nn.functional.one_hot(attention.argmax(dim=-1), attention.shape[-1])
    return two_einsums(hard.to(v.dtype), v)


@bank.wrong("own value is counted twice")
def itself_in_both(attention, v):
    H, W = v.shape[2:]
    attention = attention.clone()
    for i in range(H):
        for j in range(W):
            attention[:, i, j, i] = attention[:, i, j, H + j]
    return two_einsums(attention, v)


@bank.wrong("own value is never counted")
def itself_in_neither(attention, v):
    H, W = v.shape[2:]
    out = torch.zeros_like(v)
    for i in range(H):
        for j in range(W):
            for h in range(H):
                if h != i:
                    out[:, :, i, j] += attention[:, i, j, h, None] * v[:, :, h, j]
            for w in range(W):
                if w != j:
                    out[:, :, i, j] += attention[:, i, j, H + w, None] * v[:, :, i, w]
    return out


@bank.wrong("Each weight meets the pixel's own value")
def broadcasts_by_accident(attention, v):
    return (attention.unsqueeze(1) * v.unsqueeze(-1)).sum(dim=-1)


@bank.wrong("The mean over the channels is taken")
def channels_averaged(attention, v):
    return two_einsums(attention, v).mean(dim=1, keepdim=True).expand_as(v)


@bank.wrong("read upside down")
def column_upside_down(attention, v):
    H = v.shape[2]
    out = sum(attention[..., h].unsqueeze(1) * v[:, :, [H - 1 - h]] for h in range(H))
    return out + torch.einsum("bhwg,bchg->bchw", attention[..., H:], v)


@bank.wrong("brought to (B·W, H, H) by .view or .reshape alone")
def column_weights_viewed(attention, v):
    B, C, H, W = v.shape
    v_H = v.permute(0, 3, 1, 2).reshape(B * W, C, H)
    att_H = attention[..., :H].reshape(B * W, H, H)
    out_H = torch.bmm(v_H, att_H.transpose(1, 2)).view(B, W, C, H).permute(0, 2, 3, 1)
    return out_H + torch.einsum("bhwg,bchg->bchw", attention[..., H:], v)


@bank.wrong("The column's values are brought to (B·W, C, H) by .view")
def column_values_viewed(attention, v):
    B, C, H, W = v.shape
    att_H = attention[..., :H].permute(0, 2, 1, 3).reshape(B * W, H, H)
    out_H = torch.bmm(v.view(B * W, C, H), att_H.transpose(1, 2)).view(B, W, C, H).permute(0, 2, 3, 1)
    return out_H + torch.einsum("bhwg,bchg->bchw", attention[..., H:], v)


@bank.wrong("The values of columns and of rows are merged into the batch")
def values_viewed(attention, v):
    B, C, H, W = v.shape
    att_H = attention[..., :H].permute(0, 2, 1, 3).reshape(B * W, H, H)
    att_W = attention[..., H:].reshape(B * H, W, W)
    out_H = torch.bmm(v.view(B * W, C, H), att_H.transpose(1, 2)).view(B, W, C, H).permute(0, 2, 3, 1)
    out_W = torch.bmm(v.view(B * H, C, W), att_W.transpose(1, 2)).view(B, H, C, W).permute(0, 2, 1, 3)
    return out_H + out_W


@bank.wrong("The column's result, (B·W, C, H), is brought to (B, C, H, W) by .view alone")
def column_result_viewed(attention, v):
    B, C, H, W = v.shape
    att_H = attention[..., :H].permute(0, 2, 1, 3).reshape(B * W, H, H)
    out_H = torch.bmm(v.permute(0, 3, 1, 2).reshape(B * W, C, H), att_H.transpose(1, 2)).view(B, C, H, W)
    return out_H + torch.einsum("bhwg,bchg->bchw", attention[..., H:], v)


@bank.wrong("The results of columns and of rows are brought to (B, C, H, W) by .view alone")
def results_viewed(attention, v):
    B, C, H, W = v.shape
    att_H = attention[..., :H].permute(0, 2, 1, 3).reshape(B * W, H, H)
    att_W = attention[..., H:].reshape(B * H, W, W)
    out_H = torch.bmm(v.permute(0, 3, 1, 2).reshape(B * W, C, H), att_H.transpose(1, 2))
    out_W = torch.bmm(v.permute(0, 2, 1, 3).reshape(B * H, C, W), att_W.transpose(1, 2))
    return out_H.view(B, C, H, W) + out_W.view(B, C, H, W)


@bank.wrong("Rows and columns of the column's result are exchanged")
def column_result_not_permuted(attention, v):
    B, C, H, W = v.shape
    att_H = attention[..., :H].permute(0, 2, 1, 3).reshape(B * W, H, H)
    out_H = torch.bmm(v.permute(0, 3, 1, 2).reshape(B * W, C, H), att_H.transpose(1, 2)).view(B, W, C, H)
    return out_H.permute(0, 2, 1, 3) + torch.einsum("bhwg,bchg->bchw", attention[..., H:], v)


@bank.wrong("H and W are swapped")
def h_and_w_swapped(attention, v):
    return two_einsums(attention, v).permute(0, 1, 3, 2)


@bank.wrong("The channels stand on the last axis")
def channels_last(attention, v):
    column, row = attention.split(v.shape[2:], dim=-1)
    return torch.einsum("bhwg,bcgw->bhwc", column, v) + torch.einsum("bhwg,bchg->bhwc", row, v)


@bank.wrong("The result's channels are brought to the front by .view")
def channels_first_by_view(attention, v):
    return channels_last(attention, v).reshape(v.shape)


@bank.wrong("merged into one axis")
def flat(attention, v):
    return two_einsums(attention, v).flatten(2)


@bank.wrong("All images collect the values of the first one")
def first_images_values(attention, v):
    column, row = attention.split(v.shape[2:], dim=-1)
    return torch.einsum("bhwg,cgw->bchw", column, v[0]) + torch.einsum("bhwg,chg->bchw", row, v[0])


@bank.wrong("All images use the weights of the first one")
def first_images_weights(attention, v):
    column, row = attention[0].split(v.shape[2:], dim=-1)
    return torch.einsum("hwg,bcgw->bchw", column, v) + torch.einsum("hwg,bchg->bchw", row, v)


@bank.wrong("the first H weights belong to the column, the W behind them to the row. And another: The values are")
def two_mistakes(attention, v):
    return row_first(attention, v) + v


@bank.wrong("right only where H = W")
def square_only(attention, v):
    W = v.shape[3]
    column, row = attention[..., :W], attention[..., W:]
    return torch.einsum("bhwg,bcgw->bchw", column, v) + torch.einsum("bhwg,bchg->bchw", row, v)


@bank.wrong("right only for a single image")
def batch_of_one(attention, v):
    H, W = v.shape[2:]
    out = torch.zeros_like(v)
    for i in range(H):
        for j in range(W):
            out[0, :, i, j] = v[0, :, :, j] @ attention[0, i, j, :H] + v[0, :, i] @ attention[0, i, j, H:]
    return out


@bank.wrong("does a .squeeze() take that axis away?")
def squeezed(attention, v):
    return two_einsums(attention, v).squeeze(3).squeeze(2)


@bank.wrong("changes its input v")
def in_place(attention, v):
    v.copy_(two_einsums(attention, v))
    return v


@bank.wrong("changes its input attention")
def zeroes_its_input(attention, v):
    attention[..., 0] = 0
    return two_einsums(attention, v)


@bank.wrong("nothing before it can learn")
def through_numpy(attention, v):
    import numpy as np

    a, x, H = attention.detach().numpy(), v.detach().numpy(), v.shape[2]
    out = np.einsum("bhwg,bcgw->bchw", a[..., :H], x) + np.einsum("bhwg,bchg->bchw", a[..., H:], x)
    return torch.from_numpy(out)


@bank.wrong("no gradient reaches attention")
def attention_detached(attention, v):
    return two_einsums(attention.detach(), v)


@bank.wrong("works on the CPU only: it makes a tensor there")
def result_on_the_cpu(attention, v):
    out, H = torch.zeros(v.shape, dtype=v.dtype), v.shape[2]
    out = out + torch.einsum("bhwg,bcgw->bchw", attention[..., :H], v)
    return out + torch.einsum("bhwg,bchg->bchw", attention[..., H:], v)


@bank.wrong("dtype torch.float16; it must be the inputs'")
def half(attention, v):
    return two_einsums(attention, v).half()


@bank.wrong("raised RuntimeError")
def matmul_of_other_shapes(attention, v):
    return torch.bmm(attention.flatten(0, 1), v.flatten(0, 1))


@bank.wrong("returned None; it prints its result")
def prints(attention, v):
    print(two_einsums(attention, v))


@bank.wrong("still raises NotImplementedError")
def unwritten(attention, v):
    raise NotImplementedError


def parts(attention, v):
    column, row = attention.split(v.shape[2:], dim=-1)
    return torch.einsum("bijh,bchj->bcij", column, v), torch.einsum("bijw,bciw->bcij", row, v)


@bank.right
def scattered_into_dense(attention, v):
    B, C, H, W = v.shape
    n = torch.arange(H * W, device=v.device)
    column = torch.arange(H, device=v.device) * W + (n % W)[:, None]
    row = torch.arange(W, device=v.device) + (n // W * W)[:, None]
    places = torch.cat([column, row], dim=1).expand(B, -1, -1)
    A = attention.new_zeros(B, H * W, H * W).scatter_add(2, places, attention.reshape(B, H * W, -1))
    return (v.flatten(2) @ A.mT).view(B, C, H, W)


@bank.right
def weight_after_weight(attention, v):
    out = v.new_zeros(v.shape)
    for h in range(v.shape[2]):
        out = out + attention[..., h].unsqueeze(1) * v[:, :, h : h + 1]
    for w in range(v.shape[3]):
        out = out + attention.select(-1, v.shape[2] + w)[:, None] * v[..., w : w + 1]
    return out


@bank.right
def indices_made_on_the_cpu(attention, v):
    H, W = v.shape[2:]
    n = torch.arange(H * W)
    values = torch.cat([v[..., n % W].permute(0, 3, 2, 1), v[:, :, n // W].permute(0, 2, 3, 1)], dim=2)
    return torch.einsum("bns,bnsc->bcn", attention.flatten(1, 2), values).unflatten(2, (H, W))


@bank.wrong("The row's weights are read from place 0 on")
def row_without_its_offset(attention, v):
    column, row = attention[..., : v.shape[2]], attention[..., : v.shape[3]]
    return torch.einsum("bijh,bchj->bcij", column, v) + torch.einsum("bijw,bciw->bcij", row, v)


@bank.wrong("The result is 0 everywhere")
def zeros(attention, v):
    return 0 * sum(parts(attention, v))


@bank.wrong("Only the last summand is left")
def assigned_not_added(attention, v):
    out, (H, W) = torch.zeros_like(v), v.shape[2:]
    for i in range(H):
        for j in range(W):
            for h in range(H):
                out[:, :, i, j] = attention[:, i, j, h, None] * v[:, :, h, j]
            for w in range(W):
                out[:, :, i, j] = attention[:, i, j, H + w, None] * v[:, :, i, w]
    return out


@bank.wrong("The last row is left out of the column")
def one_row_short(attention, v):
    out = parts(attention, v)[1]
    for h in range(v.shape[2] - 1):
        out = out + attention[..., h][:, None] * v[:, :, h : h + 1]
    return out


@bank.wrong("The last column is left out of the row")
def one_column_short(attention, v):
    out = parts(attention, v)[0]
    for w in range(v.shape[3] - 1):
        out = out + attention[..., v.shape[2] + w][:, None] * v[..., w : w + 1]
    return out


@bank.wrong("Only the first channel is collected")
def first_channel(attention, v):
    return sum(parts(attention, v[:, :1].expand_as(v)))


@bank.wrong("The values of the column's row h are summed up")
def einsum_sums_the_columns_up(attention, v):
    return torch.einsum("bijh,bchw->bcij", attention[..., : v.shape[2]], v) + parts(attention, v)[1]


@bank.wrong("The values of the row's column w are summed up")
def einsum_sums_the_rows_up(attention, v):
    return parts(attention, v)[0] + torch.einsum("bijw,bchw->bcij", attention[..., v.shape[2] :], v)


@bank.wrong("A ReLU is taken of the result")
def relu_at_the_end(attention, v):
    return sum(parts(attention, v)).relu()


@bank.wrong("The column's result, (B·W, H, C), is brought to (B, C, H, W) by .view alone")
def column_viewed_channels_last(attention, v):
    column, row = parts(attention, v)
    return column.permute(0, 3, 2, 1).reshape(v.shape) + row


@bank.wrong("The row's result, (B·H, W, C), is brought to (B, C, H, W) by .view alone")
def row_viewed_channels_last(attention, v):
    column, row = parts(attention, v)
    return column + row.permute(0, 2, 3, 1).reshape(v.shape)
