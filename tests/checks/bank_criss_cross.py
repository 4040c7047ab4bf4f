"""Answers to the question for criss-cross attention as a module."""

import torch
from torch import nn
from torch.nn import functional as F

from segtut.attention import CrissCrossAttention
from tests.checks.bank import Bank

bank = Bank("check_criss_cross")


def criss_cross_affinity(q, k):
    own = torch.eye(q.shape[2], dtype=torch.bool, device=q.device)
    column = torch.einsum("bchw,bcgw->bhwg", q, k).masked_fill(own[:, None], -torch.inf)
    return torch.cat([column, torch.einsum("bchw,bchg->bhwg", q, k)], dim=-1)


def criss_cross_aggregate(attention, v):
    column, row = attention.split(v.shape[2:], dim=-1)
    return torch.einsum("bhwg,bcgw->bchw", column, v) + torch.einsum("bhwg,bchg->bchw", row, v)


class Convolutions(nn.Module):
    """What most answers begin with."""

    def __init__(self, channels):
        super().__init__()
        self.query_conv = nn.Conv2d(channels, channels // 8, 1)
        self.key_conv = nn.Conv2d(channels, channels // 8, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def attend(self, x):
        energy = criss_cross_affinity(self.query_conv(x), self.key_conv(x))
        return criss_cross_aggregate(energy.softmax(dim=-1), self.value_conv(x))


@bank.right
class Plain(Convolutions):
    def forward(self, x):
        q, k, v = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        attention = torch.softmax(criss_cross_affinity(q, k), dim=-1)
        return self.gamma * criss_cross_aggregate(attention, v) + x


@bank.right
class WithoutBias(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.query_conv = nn.Conv2d(channels, channels // 8, kernel_size=1, bias=False)
        self.key_conv = nn.Conv2d(channels, channels // 8, kernel_size=1, bias=False)
        self.value_conv = nn.Conv2d(channels, channels, kernel_size=1, bias=False)
        self.gamma = nn.Parameter(torch.tensor([0.0]))

    def forward(self, x):
        A = F.softmax(criss_cross_affinity(self.query_conv(x), self.key_conv(x)), -1)
        return x + criss_cross_aggregate(A, self.value_conv(x)) * self.gamma.view(1, 1, 1, 1)


@bank.right
class Published(Convolutions):
    def __init__(self, in_dim):
        super().__init__(in_dim)
        self.softmax = nn.Softmax(dim=3)

    def forward(self, x):
        B, _, H, W = x.size()
        q, k, v = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        q_H = q.permute(0, 3, 1, 2).contiguous().view(B * W, -1, H).permute(0, 2, 1)
        q_W = q.permute(0, 2, 1, 3).contiguous().view(B * H, -1, W).permute(0, 2, 1)
        k_H = k.permute(0, 3, 1, 2).contiguous().view(B * W, -1, H)
        k_W = k.permute(0, 2, 1, 3).contiguous().view(B * H, -1, W)
        v_H = v.permute(0, 3, 1, 2).contiguous().view(B * W, -1, H)
        v_W = v.permute(0, 2, 1, 3).contiguous().view(B * H, -1, W)
        inf = -torch.diag(torch.full((H,), float("inf"), device=x.device, dtype=x.dtype)).unsqueeze(0)
        energy_H = (torch.bmm(q_H, k_H) + inf).view(B, W, H, H).permute(0, 2, 1, 3)
        energy_W = torch.bmm(q_W, k_W).view(B, H, W, W)
        concate = self.softmax(torch.cat([energy_H, energy_W], 3))
        att_H = concate[:, :, :, 0:H].permute(0, 2, 1, 3).contiguous().view(B * W, H, H)
        att_W = concate[:, :, :, H : H + W].contiguous().view(B * H, W, W)
        out_H = torch.bmm(v_H, att_H.permute(0, 2, 1)).view(B, W, -1, H).permute(0, 2, 3, 1)
        out_W = torch.bmm(v_W, att_W.permute(0, 2, 1)).view(B, H, -1, W).permute(0, 2, 1, 3)
        return self.gamma * (out_H + out_W) + x


bank.right(CrissCrossAttention)


@bank.right
class MaskedDenseAttention(Convolutions):
    def forward(self, x):
        B, C, H, W = x.shape
        n = torch.arange(H * W, device=x.device)
        cross = (n[:, None] // W == n // W) | (n[:, None] % W == n % W)
        q, k, v = (f(x).flatten(2) for f in (self.query_conv, self.key_conv, self.value_conv))
        A = (q.mT @ k).masked_fill(~cross, float("-inf")).softmax(-1)
        return self.gamma * (v @ A.mT).view(B, C, H, W) + x


@bank.right
class ScaledDotProductAttention(Convolutions):
    def forward(self, x):
        H, W = x.shape[2:]
        n = torch.arange(H * W, device=x.device)
        cross = (n[:, None] // W == n // W) | (n[:, None] % W == n % W)
        q, k, v = (f(x).flatten(2).transpose(1, 2) for f in (self.query_conv, self.key_conv, self.value_conv))
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=cross, scale=1.0)
        return x + self.gamma * out.transpose(1, 2).unflatten(2, (H, W))


@bank.right
class LoopOverPixels(Convolutions):
    def forward(self, x):
        H, W = x.shape[2:]
        q, k, v = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        y = torch.zeros_like(x)
        for i in range(H):
            for j in range(W):
                omega = [(h, j) for h in range(H) if h != i] + [(i, w) for w in range(W)]
                rows, columns = zip(*omega)
                keys, values = k[:, :, list(rows), list(columns)], v[:, :, list(rows), list(columns)]
                weights = torch.softmax((q[:, :, i, j, None] * keys).sum(1), dim=1)
                y[:, :, i, j] = x[:, :, i, j] + self.gamma * (values * weights[:, None]).sum(-1)
        return y


@bank.right
class SoftmaxWrittenOut(Convolutions):
    def forward(self, x, eps=0.0):
        energy = criss_cross_affinity(self.query_conv(x), self.key_conv(x))
        weight = torch.exp(energy - energy.amax(dim=-1, keepdim=True))
        return self.gamma * criss_cross_aggregate(weight / (weight.sum(-1, keepdim=True) + eps), self.value_conv(x)) + x


@bank.right
class InFloat64(Convolutions):
    def forward(self, x):
        energy = criss_cross_affinity(self.query_conv(x).double(), self.key_conv(x).double())
        out = criss_cross_aggregate(energy.softmax(-1), self.value_conv(x).double())
        return (self.gamma.double() * out + x.double()).to(x.dtype).contiguous(memory_format=torch.channels_last)


@bank.right
class FunctionalConvolutions(Convolutions):
    """One bias is missing, the attention is kept, and operations work in place on what the module made itself."""

    def __init__(self, channels):
        super().__init__(channels)
        self.query_conv = nn.Conv2d(channels, channels // 8, (1, 1), bias=False)

    def forward(self, x):
        q, k, v = (F.conv2d(x, f.weight, f.bias) for f in (self.query_conv, self.key_conv, self.value_conv))
        self.attention = criss_cross_affinity(q, k).softmax(-1)
        y = criss_cross_aggregate(self.attention, v)
        y *= self.gamma
        y += x
        return y


@bank.right
class ManyAttributes(Convolutions):
    """Carries a buffer, modules without parameters, zero initialisation, and an optional second result."""

    def __init__(self, channels, reduction=8):
        super().__init__(channels)
        self.register_buffer("minus_inf", torch.tensor(float("-inf")))
        self.softmax, self.drop, self.last = nn.Softmax(dim=-1), nn.Dropout(0.0), None
        nn.init.zeros_(self.query_conv.weight)
        nn.init.constant_(self.gamma, 0)

    def forward(self, x, return_attention=False):
        own = torch.eye(x.shape[2], device=x.device) > 0
        energy = criss_cross_affinity(self.query_conv(x), self.key_conv(x))
        energy[..., : x.shape[2]] = torch.where(own[:, None], self.minus_inf, energy[..., : x.shape[2]])
        self.last = self.softmax(energy)
        y = self.drop(criss_cross_aggregate(self.last, self.value_conv(x))) * self.gamma + x
        return (y, self.last) if return_attention else y


@bank.wrong("The residual is missing")
class NoResidual(Convolutions):
    def forward(self, x):
        return self.gamma * self.attend(x)


@bank.wrong("gamma is missing")
class NoGamma(Convolutions):
    def forward(self, x):
        return self.attend(x) + x


@bank.wrong("gamma and the residual are missing")
class NeitherGammaNorResidual(Convolutions):
    def forward(self, x):
        return self.attend(x)


@bank.wrong("x comes back as it was")
class Identity(Convolutions):
    def forward(self, x):
        return x.clone()


@bank.wrong("gamma multiplies x too")
class GammaOnBoth(Convolutions):
    def forward(self, x):
        return self.gamma * (self.attend(x) + x)


@bank.wrong("gamma multiplies x instead of")
class GammaOnTheInput(Convolutions):
    def forward(self, x):
        return self.attend(x) + self.gamma * x


@bank.wrong("x is multiplied by 1 − gamma")
class Blend(Convolutions):
    def forward(self, x):
        return torch.lerp(x, self.attend(x), self.gamma)


@bank.wrong("The values are added instead of x")
class Overwritten(Convolutions):
    def forward(self, x):
        energy = criss_cross_affinity(self.query_conv(x), self.key_conv(x))
        x = self.value_conv(x)
        return self.gamma * criss_cross_aggregate(energy.softmax(-1), x) + x


@bank.wrong("A sigmoid of gamma is the gate")
class SigmoidGate(Convolutions):
    def forward(self, x):
        return torch.sigmoid(self.gamma) * self.attend(x) + x


@bank.wrong("The softmax is missing")
class NoSoftmax(Convolutions):
    def forward(self, x):
        q, k, v = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        return self.gamma * criss_cross_aggregate(criss_cross_affinity(q, k), v) + x


@bank.wrong("what is NaN in it is made 0: it must run over column and row together")
class SoftmaxApartWhereThereIsAColumn(Convolutions):
    def forward(self, x):
        energy = criss_cross_affinity(self.query_conv(x), self.key_conv(x))
        column, row = energy.split(x.shape[2:], dim=-1)
        column = column.softmax(-1) if x.shape[2] > 1 else torch.zeros_like(column)
        A = torch.cat([column, row.softmax(-1)], -1)
        return self.gamma * criss_cross_aggregate(A, self.value_conv(x)) + x


@bank.wrong("must run over column and row together")
class SoftmaxesApart(Convolutions):
    def forward(self, x):
        energy = criss_cross_affinity(self.query_conv(x), self.key_conv(x))
        A = torch.cat([part.softmax(-1) for part in energy.split(x.shape[2:], dim=-1)], -1)
        return self.gamma * criss_cross_aggregate(A, self.value_conv(x)) + x


@bank.wrong("The softmax runs over axis 1")
class SoftmaxOverAxis1(Convolutions):
    def forward(self, x):
        A = torch.softmax(criss_cross_affinity(self.query_conv(x), self.key_conv(x)), dim=1)
        return self.gamma * criss_cross_aggregate(A, self.value_conv(x)) + x


@bank.wrong("The softmax runs over axis 2")
class SoftmaxOverAxis2(Convolutions):
    def forward(self, x):
        A = F.softmax(criss_cross_affinity(self.query_conv(x), self.key_conv(x)), dim=-2)
        return self.gamma * criss_cross_aggregate(A, self.value_conv(x)) + x


@bank.wrong("A sigmoid makes the weights")
class SigmoidWeights(Convolutions):
    def forward(self, x):
        A = torch.sigmoid(criss_cross_affinity(self.query_conv(x), self.key_conv(x)))
        return self.gamma * criss_cross_aggregate(A, self.value_conv(x)) + x


@bank.wrong("value_conv is not used")
class ValuesNotProjected(Convolutions):
    def forward(self, x):
        A = criss_cross_affinity(self.query_conv(x), self.key_conv(x)).softmax(-1)
        return self.gamma * criss_cross_aggregate(A, x) + x


@bank.wrong("q and k are exchanged")
class QueriesAndKeysExchanged(Convolutions):
    def forward(self, x):
        q, k = self.key_conv(x), self.query_conv(x)
        return self.gamma * criss_cross_aggregate(criss_cross_affinity(q, k).softmax(-1), self.value_conv(x)) + x


@bank.wrong("The keys come from query_conv")
class KeysFromTheQueries(Convolutions):
    def forward(self, x):
        A = criss_cross_affinity(self.query_conv(x), self.query_conv(x)).softmax(-1)
        return self.gamma * criss_cross_aggregate(A, self.value_conv(x)) + x


@bank.wrong("divided by √C")
class Scaled(Convolutions):
    def forward(self, x):
        q, k, v = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        A = torch.softmax(criss_cross_affinity(q, k) / q.shape[1] ** 0.5, dim=-1)
        return self.gamma * criss_cross_aggregate(A, v) + x


@bank.wrong("The pixel itself is counted twice")
class CountedTwice(Convolutions):
    def forward(self, x):
        q, k, v = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        energy = torch.cat([torch.einsum("bchw,bcgw->bhwg", q, k), torch.einsum("bchw,bchg->bhwg", q, k)], dim=-1)
        return self.gamma * criss_cross_aggregate(energy.softmax(-1), v) + x


@bank.wrong("The weights are transposed")
class TransposedAttention(Convolutions):
    def forward(self, x):
        A = criss_cross_affinity(self.query_conv(x), self.key_conv(x)).softmax(-1)
        v, H = self.value_conv(x), x.shape[2]
        out = torch.einsum("bhwg,bchw->bcgw", A[..., :H], v) + torch.einsum("bhwg,bchw->bchg", A[..., H:], v)
        return self.gamma * out + x


@bank.wrong("A ReLU stands at the end")
class ReLUAtTheEnd(Convolutions):
    def forward(self, x):
        return F.relu(self.gamma * self.attend(x) + x)


@bank.wrong("A ReLU stands behind the convolutions")
class ReLUBehindTheConvolutions(Convolutions):
    def forward(self, x):
        q, k, v = (f(x).relu() for f in (self.query_conv, self.key_conv, self.value_conv))
        return self.gamma * criss_cross_aggregate(criss_cross_affinity(q, k).softmax(-1), v) + x


@bank.wrong("Two passes are made")
class Recurrent(Convolutions):
    def forward(self, x, R=2):
        for _ in range(R):
            x = self.gamma * self.attend(x) + x
        return x


@bank.wrong(
    "The residual is missing: x must be added to gamma times what was collected. And another: It is divided by √C"
)
class TwoMistakes(Convolutions):
    def forward(self, x):
        q, k, v = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        A = torch.softmax(criss_cross_affinity(q, k) / q.shape[1] ** 0.5, dim=-1)
        return self.gamma * criss_cross_aggregate(A, v)


@bank.wrong("right only where H = W")
class SquareOnly(Convolutions):
    def forward(self, x):
        q, k, v = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        n = x.shape[3]
        A = criss_cross_affinity(q, k).softmax(-1)
        out = torch.einsum("bhwg,bcgw->bchw", A[..., :n], v) + torch.einsum("bhwg,bchg->bchw", A[..., n:], v)
        return self.gamma * out + x


@bank.wrong("has no parameter gamma: an optimiser would never see it")
class GammaIsATensor(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        del self.gamma
        self.gamma = torch.zeros(1)

    def forward(self, x):
        return self.gamma * self.attend(x) + x


@bank.wrong("has no parameter gamma")
class GammaIsABuffer(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        del self.gamma
        self.register_buffer("gamma", torch.zeros(1))

    def forward(self, x):
        return self.gamma * self.attend(x) + x


@bank.wrong("gamma has the shape (): it must be (1,)")
class GammaWithoutAxis(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        self.gamma = nn.Parameter(torch.tensor(0.0))

    def forward(self, x):
        return self.gamma * self.attend(x) + x


@bank.wrong("it must be (1,), one number for all channels")
class GammaForEachChannel(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x):
        return self.gamma * self.attend(x) + x


@bank.wrong("gamma starts at 1: it must start at 0")
class GammaStartsAt1(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        self.gamma = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.gamma * self.attend(x) + x


@bank.wrong("gamma has requires_grad=False")
class GammaNeverLearns(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        self.gamma = nn.Parameter(torch.zeros(1), requires_grad=False)

    def forward(self, x):
        return self.gamma * self.attend(x) + x


@bank.wrong("no gradient reaches gamma")
class GammaDetached(Convolutions):
    def forward(self, x):
        return self.gamma.detach() * self.attend(x) + x


@bank.wrong("no gradient reaches gamma")
class GammaAsANumber(Convolutions):
    def forward(self, x):
        return self.gamma.item() * self.attend(x) + x


@bank.wrong("no gradient reaches query_conv.weight")
class AttentionWithoutGradient(Convolutions):
    def forward(self, x):
        with torch.no_grad():
            A = criss_cross_affinity(self.query_conv(x), self.key_conv(x)).softmax(-1)
        return self.gamma * criss_cross_aggregate(A, self.value_conv(x)) + x


@bank.wrong("query_conv of CrissCross(8) looks at a position's neighbours")
class Convolutions3x3(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        self.query_conv = nn.Conv2d(channels, channels // 8, 3, padding=1)
        self.key_conv = nn.Conv2d(channels, channels // 8, 3, padding=1)

    def forward(self, x):
        return self.gamma * self.attend(x) + x


@bank.wrong("it must be a 1×1 convolution from 8 to 1 channels")
class Reduction4(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        self.query_conv = nn.Conv2d(channels, channels // 4, 1)
        self.key_conv = nn.Conv2d(channels, channels // 4, 1)

    def forward(self, x):
        return self.gamma * self.attend(x) + x


@bank.wrong("value_conv of CrissCross(8) makes of (1, 8, 3, 4) the shape (1, 1, 3, 4)")
class ValuesReduced(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        self.value_conv = nn.Conv2d(channels, channels // 8, 1)

    def forward(self, x):
        return self.gamma * self.attend(x) + x


@bank.wrong("it must be a plain 1×1 convolution")
class Grouped(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        self.value_conv = nn.Conv2d(channels, channels, 1, groups=2)

    def forward(self, x):
        return self.gamma * self.attend(x) + x


@bank.wrong("It must be a 1×1 convolution of 8 channels")
class LinearLayers(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        self.query_conv = nn.Linear(channels, channels // 8)
        self.key_conv = nn.Linear(channels, channels // 8)

    def forward(self, x):
        x_last = x.permute(0, 2, 3, 1)
        q, k = (f(x_last).permute(0, 3, 1, 2) for f in (self.query_conv, self.key_conv))
        return self.gamma * criss_cross_aggregate(criss_cross_affinity(q, k).softmax(-1), self.value_conv(x)) + x


@bank.wrong("has no parameter query_conv.weight: an optimiser would never see it")
class LayersInAList(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.convolutions = [nn.Conv2d(channels, out, 1) for out in (channels // 8, channels // 8, channels)]
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        q, k, v = (f(x) for f in self.convolutions)
        return self.gamma * criss_cross_aggregate(criss_cross_affinity(q, k).softmax(-1), v) + x


@bank.wrong("has no parameter query_conv.weight")
class LayersMadeInForward(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.channels = channels
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        query_conv, key_conv = (nn.Conv2d(self.channels, self.channels // 8, 1) for _ in range(2))
        A = criss_cross_affinity(query_conv(x), key_conv(x)).softmax(-1)
        return self.gamma * criss_cross_aggregate(A, nn.Conv2d(self.channels, self.channels, 1)(x)) + x


@bank.wrong("has a parameter too many, out_conv.bias")
class OneLayerTooMany(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        self.out_conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return self.gamma * self.out_conv(self.attend(x)) + x


@bank.wrong("Does __init__ begin with super().__init__()?")
class NoSuper(nn.Module):
    def __init__(self, channels):
        self.query_conv = nn.Conv2d(channels, channels // 8, 1)


@bank.wrong("raised TypeError")
class WithoutChannels(nn.Module):
    def __init__(self):
        super().__init__()


@bank.wrong("value_conv of CrissCross(8) raised RuntimeError")
class ChannelsWrittenIn(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.query_conv = nn.Conv2d(channels, channels // 8, 1)
        self.key_conv = nn.Conv2d(channels, channels // 8, 1)
        self.value_conv = nn.Conv2d(64, 64, 1)
        self.gamma = nn.Parameter(torch.zeros(1))


@bank.wrong("still raises NotImplementedError")
class NoForward(Convolutions):
    pass


@bank.wrong("returned a tuple of 2")
class ReturnsTheAttention(Convolutions):
    def forward(self, x):
        A = criss_cross_affinity(self.query_conv(x), self.key_conv(x)).softmax(-1)
        return self.gamma * criss_cross_aggregate(A, self.value_conv(x)) + x, A


@bank.wrong("changes its input x")
class AddsInPlace(Convolutions):
    def forward(self, x):
        x += self.gamma * self.attend(x)
        return x


@bank.wrong("works on the CPU only: it makes a tensor there")
class MaskOnTheCPU(Convolutions):
    def forward(self, x):
        q, k, v = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        mask = torch.diag(torch.full((x.shape[2],), float("-inf"), dtype=x.dtype))[:, None]
        energy = torch.cat(
            [torch.einsum("bchw,bcgw->bhwg", q, k) + mask, torch.einsum("bchw,bchg->bhwg", q, k)], dim=-1
        )
        return self.gamma * criss_cross_aggregate(energy.softmax(-1), v) + x


@bank.wrong("returns something else when it is called again")
class Dropout(Convolutions):
    def forward(self, x):
        return self.gamma * F.dropout(self.attend(x), 0.5) + x


@bank.wrong("it must be a class derived from nn.Module")
def a_function(channels):
    return Plain(channels)


bank.wrong("is a module already: hand over the class")(Plain(16))


@bank.right
class AlongAllPixelsWithAMask(Convolutions):
    def forward(self, x):
        q, k, v = self.query_conv(x).flatten(2).mT, self.key_conv(x).flatten(2).mT, self.value_conv(x).flatten(2).mT
        n = torch.arange(q.shape[1], device=x.device)
        on_the_cross = (n[:, None] // x.shape[3] == n // x.shape[3]) | (n[:, None] % x.shape[3] == n % x.shape[3])
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=on_the_cross, scale=1.0)
        return self.gamma * out.mT.reshape(x.shape) + x


@bank.right
class FiniteMaskBeforeTheSoftmax(Convolutions):
    def forward(self, x):
        energy = criss_cross_affinity(self.query_conv(x), self.key_conv(x)).nan_to_num(neginf=-1e9)
        return torch.addcmul(x, self.gamma, criss_cross_aggregate(energy.softmax(-1), self.value_conv(x)))


@bank.wrong("The absolute value of gamma is the gate")
class AbsoluteGate(Convolutions):
    def forward(self, x):
        return self.gamma.abs() * self.attend(x) + x


@bank.wrong("A ReLU of gamma is the gate")
class ReluOfTheGate(Convolutions):
    def forward(self, x):
        return self.gamma.relu() * self.attend(x) + x


@bank.wrong("While gamma is 0, as in a new module, no gradient reaches it")
class ShortCut(Convolutions):
    def forward(self, x):
        return x if self.gamma == 0 else self.gamma * self.attend(x) + x


@bank.wrong("divided by √C, with the C of x")
class ScaledByAllChannels(Convolutions):
    def forward(self, x):
        energy = criss_cross_affinity(self.query_conv(x), self.key_conv(x)) / x.shape[1] ** 0.5
        return self.gamma * criss_cross_aggregate(energy.softmax(-1), self.value_conv(x)) + x


@bank.wrong("The softmax runs over the column alone")
class ColumnAlone(Convolutions):
    def forward(self, x):
        q, k, v = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        column = torch.einsum("bchw,bcgw->bhwg", q, k).softmax(dim=-1)
        return self.gamma * torch.einsum("bhwg,bcgw->bchw", column, v) + x


@bank.wrong("Every pixel looks at all pixels")
class Dense(Convolutions):
    def forward(self, x):
        q, k, v = self.query_conv(x).flatten(2), self.key_conv(x).flatten(2), self.value_conv(x).flatten(2)
        return self.gamma * (v @ (q.mT @ k).softmax(dim=-1).mT).view(x.shape) + x


@bank.wrong("has no parameter key_conv.weight of its own: it is query_conv.weight once more")
class SharedLayer(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        self.key_conv = self.query_conv

    def forward(self, x):
        return self.gamma * self.attend(x) + x


@bank.wrong("value_conv must be the layer itself")
class LayerInASequence(Convolutions):
    def __init__(self, channels):
        super().__init__(channels)
        self.value_conv = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels))
