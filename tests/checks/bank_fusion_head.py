"""Answers to `DualHead(channels, classes, position, channel)`."""

import torch
import torch.nn.functional as F
from torch import nn

from tests.checks.bank import Bank

bank = Bank("check_dual_head")


# ---- right


@bank.right
class DualHead(nn.Module):
    def __init__(self, channels, classes, position, channel):
        super().__init__()
        self.position, self.channel = position, channel
        self.gamma_position = nn.Parameter(torch.zeros(1))
        self.gamma_channel = nn.Parameter(torch.zeros(1))
        self.position_conv = nn.Conv2d(channels, channels, 1)
        self.channel_conv = nn.Conv2d(channels, channels, 1)
        self.classify = nn.Conv2d(channels, classes, kernel_size=1)

    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p + c)


@bank.right
class InAnotherOrder(nn.Module):
    """Other argument names, parameters registered in another order, a tensor of shape (1,) made in another way."""

    def __init__(self, in_channels, num_classes, pam, cam):
        nn.Module.__init__(self)
        self.classify = nn.Conv2d(in_channels, num_classes, (1, 1), stride=1, padding=0)
        self.channel_conv = nn.Conv2d(in_channels, in_channels, 1)
        self.position_conv = nn.Conv2d(in_channels, in_channels, 1)
        self.gamma_channel = nn.Parameter(torch.tensor([0.0]), requires_grad=True)
        self.gamma_position = nn.Parameter(torch.tensor([0.0]))
        self.pam, self.cam = pam, cam

    def forward(self, inputs):
        branches = []
        for attend, gamma, conv in (
            (self.cam, self.gamma_channel, self.channel_conv),
            (self.pam, self.gamma_position, self.position_conv),
        ):
            branches.append(conv(inputs + attend(inputs) * gamma))
        return self.classify(sum(branches))


@bank.right
class Functional(DualHead):
    """The convolutions as products of matrices."""

    def forward(self, x):
        def conv(layer, t):
            out = torch.einsum("kc,bchw->bkhw", layer.weight[:, :, 0, 0], t)
            return out + layer.bias[None, :, None, None]

        p = conv(self.position_conv, torch.addcmul(x, self.gamma_position, self.position(x)))
        c = conv(self.channel_conv, torch.addcmul(x, self.gamma_channel, self.channel(x)))
        return conv(self.classify, p + c)


@bank.right
class Linear(DualHead):
    """Convolutions pulled apart: W (γ a + x) = γ W a + W x."""

    def forward(self, x):
        p = self.gamma_position * F.conv2d(self.position(x), self.position_conv.weight) + self.position_conv(x)
        c = self.gamma_channel * F.conv2d(self.channel(x), self.channel_conv.weight) + self.channel_conv(x)
        return self.classify(torch.add(p, c))


@bank.right
class ClassifiedApartWithOneBias(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return F.conv2d(p, self.classify.weight) + self.classify(c)


@bank.right
class Concatenated(DualHead):
    """With the same weights for both halves: W (p + c) = [W W] [p; c]."""

    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        weight = torch.cat([self.classify.weight, self.classify.weight], dim=1)
        return F.conv2d(torch.cat([p, c], dim=1), weight, self.classify.bias)


@bank.right
class InDouble(DualHead):
    def forward(self, x):
        def conv(layer, t):
            return F.conv2d(t, layer.weight.double(), layer.bias.double())

        p = self.gamma_position.double() * self.position(x).double() + x.double()
        c = self.gamma_channel.double() * self.channel(x).double() + x.double()
        return conv(self.classify, conv(self.position_conv, p) + conv(self.channel_conv, c)).to(x.dtype)


@bank.right
class ScalarGates(DualHead):
    def __init__(self, *args):
        super().__init__(*args)
        self.gamma_position = nn.Parameter(torch.zeros(()))
        self.gamma_channel = nn.Parameter(torch.zeros(1, 1, 1, 1))


@bank.right
class InitialisedWithCare(DualHead):
    def __init__(self, channels, classes, position, channel):
        super().__init__(channels, classes, position, channel)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight)
                nn.init.zeros_(m.bias)


@bank.right
class ImageByImage(DualHead):
    def forward(self, x):
        return torch.cat([super(ImageByImage, self).forward(one[None]) for one in x]).contiguous(
            memory_format=torch.channels_last
        )


@bank.right
class InPlaceOnItsOwn(DualHead):
    def forward(self, x):
        out = x.clone()
        out = out + self.gamma_position * self.position(x)
        out = self.position_conv(out)
        out += self.channel_conv(x + self.gamma_channel * self.channel(x))
        return self.classify(out)


@bank.right
class Prints(DualHead):
    def forward(self, x):
        print("x:", x.shape)
        return super().forward(x)


class _Branch(nn.Module):
    def __init__(self, head, kind):
        super().__init__()
        self.__dict__["head"], self.kind = head, kind  # not registered as a part of the branch

    def forward(self, x):
        head, kind = self.head, self.kind
        return getattr(head, f"{kind}_conv")(getattr(head, f"gamma_{kind}") * getattr(head, kind)(x) + x)


@bank.right
class OfBranches(DualHead):
    """Branches as modules of their own, without parameters of their own."""

    def __init__(self, *args):
        super().__init__(*args)
        self.branches = nn.ModuleList([_Branch(self, "position"), _Branch(self, "channel")])

    def forward(self, x):
        return self.classify(torch.stack([branch(x) for branch in self.branches]).sum(dim=0))


# ---- wrong: what is built


bank.wrong("DualHead is None: write it first")(None)


@bank.wrong("it must be a class derived from nn.Module")
class NoModule:
    def __init__(self, channels, classes, position, channel):
        self.classify = nn.Conv2d(channels, classes, 1)


@bank.wrong("it must be a class derived from nn.Module")
def a_function(channels, classes, position, channel):
    return DualHead(channels, classes, position, channel)


bank.wrong("hand over the class, without parentheses")(DualHead(4, 3, lambda x: x, lambda x: x))


@bank.wrong("Does __init__ begin with super().__init__()?")
class NoSuper(DualHead):
    def __init__(self, channels, classes, position, channel):
        self.gamma_position = nn.Parameter(torch.zeros(1))


@bank.wrong("raised TypeError")
class TooFewArguments(DualHead):
    def __init__(self, channels, classes):
        super().__init__(channels, classes, None, None)


@bank.wrong("gamma_position starts at 1")
class StartsAtOne(DualHead):
    def __init__(self, *args):
        super().__init__(*args)
        self.gamma_position = nn.Parameter(torch.ones(1))


@bank.wrong("gamma_channel starts at")
class StartsAtRandom(DualHead):
    def __init__(self, *args):
        super().__init__(*args)
        self.gamma_channel = nn.Parameter(torch.randn(1))


@bank.wrong("gamma_position and gamma_channel are one and the same")
class OneGate(DualHead):
    def __init__(self, *args):
        super().__init__(*args)
        self.gamma_position = self.gamma_channel = nn.Parameter(torch.zeros(1))


@bank.wrong("no parameter gamma_position")
class GateCalledGamma(nn.Module):
    def __init__(self, channels, classes, position, channel):
        super().__init__()
        self.position, self.channel = position, channel
        self.gamma = nn.Parameter(torch.zeros(1))
        self.position_conv = nn.Conv2d(channels, channels, 1)
        self.channel_conv = nn.Conv2d(channels, channels, 1)
        self.classify = nn.Conv2d(channels, classes, 1)

    def forward(self, x):
        p = self.position_conv(self.gamma * self.position(x) + x)
        c = self.channel_conv(self.gamma * self.channel(x) + x)
        return self.classify(p + c)


@bank.wrong("no parameter gamma_channel: an optimiser would never see it")
class GateOfNoParameter(DualHead):
    def __init__(self, *args):
        super().__init__(*args)
        del self.gamma_channel
        self.gamma_channel = torch.zeros(1)


@bank.wrong("no parameter gamma_position: an optimiser would never see it")
class GateAsBuffer(DualHead):
    def __init__(self, *args):
        super().__init__(*args)
        del self.gamma_position
        self.register_buffer("gamma_position", torch.zeros(1))


@bank.wrong("it must be one number, of shape (1,)")
class GateForEachChannel(DualHead):
    def __init__(self, channels, *args):
        super().__init__(channels, *args)
        self.gamma_position = nn.Parameter(torch.zeros(1, channels, 1, 1))


@bank.wrong("gamma_channel is frozen")
class FrozenGate(DualHead):
    def __init__(self, *args):
        super().__init__(*args)
        self.gamma_channel.requires_grad_(False)


@bank.wrong("position_conv and channel_conv are one and the same")
class OneConvolution(DualHead):
    def __init__(self, *args):
        super().__init__(*args)
        self.channel_conv = self.position_conv


@bank.wrong("classify takes 2·channels: the branches are summed, not concatenated")
class ConcatenatedBranches(DualHead):
    def __init__(self, channels, classes, position, channel):
        super().__init__(channels, classes, position, channel)
        self.classify = nn.Conv2d(2 * channels, classes, 1)

    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(torch.cat([p, c], 1))


@bank.wrong("position_conv has no bias")
class WithoutBias(DualHead):
    def __init__(self, channels, classes, position, channel):
        super().__init__(channels, classes, position, channel)
        self.position_conv = nn.Conv2d(channels, channels, 1, bias=False)


@bank.wrong("channel_conv has a kernel of 3×3")
class Kernels(DualHead):
    def __init__(self, channels, classes, position, channel):
        super().__init__(channels, classes, position, channel)
        self.channel_conv = nn.Conv2d(channels, channels, 3, padding=1)


@bank.wrong("position_conv has weights of shape (2, 4, 1, 1)")
class Reduces(DualHead):
    def __init__(self, channels, classes, position, channel):
        super().__init__(channels, classes, position, channel)
        self.position_conv = nn.Conv2d(channels, channels // 2, 1)


@bank.wrong("position_conv has weights of shape (4, 1, 1, 1)")
class Depthwise(DualHead):
    def __init__(self, channels, classes, position, channel):
        super().__init__(channels, classes, position, channel)
        self.position_conv = nn.Conv2d(channels, channels, 1, groups=channels)


@bank.wrong("classify has weights of shape (3, 4)")
class LinearClassifier(DualHead):
    def __init__(self, channels, classes, position, channel):
        super().__init__(channels, classes, position, channel)
        self.classify = nn.Linear(channels, classes)

    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify((p + c).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@bank.wrong("DualHead has no layer classify")
class OtherNames(DualHead):
    def __init__(self, channels, classes, position, channel):
        super().__init__(channels, classes, position, channel)
        self.classifier = self.classify
        del self.classify


@bank.wrong("position_conv is a Sequential, which has no weight of its own")
class BlocksOfLayers(DualHead):
    def __init__(self, channels, classes, position, channel):
        super().__init__(channels, classes, position, channel)
        self.position_conv = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels), nn.ReLU())


@bank.wrong("a parameter too many, norm.bias")
class WithNorm(DualHead):
    def __init__(self, channels, classes, position, channel):
        super().__init__(channels, classes, position, channel)
        self.norm = nn.BatchNorm2d(channels)


@bank.wrong("has no forward")
class NoForward(nn.Module):
    def __init__(self, channels, classes, position, channel):
        super().__init__()
        self.gamma_position = nn.Parameter(torch.zeros(1))
        self.gamma_channel = nn.Parameter(torch.zeros(1))
        self.position_conv = nn.Conv2d(channels, channels, 1)
        self.channel_conv = nn.Conv2d(channels, channels, 1)
        self.classify = nn.Conv2d(channels, classes, 1)


# ---- wrong: what is computed


@bank.wrong("The branches stand in series: channel attention must get x")
class InSeries(DualHead):
    def forward(self, x):
        x = self.gamma_position * self.position(x) + x
        x = self.gamma_channel * self.channel(x) + x
        return self.classify(self.channel_conv(x))


@bank.wrong("in series, each with its convolution: channel attention must get x")
class InSeriesWithConvolutions(DualHead):
    def forward(self, x):
        x = self.position_conv(self.gamma_position * self.position(x) + x)
        x = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(x)


@bank.wrong("in series, each with its convolution: position attention must get x")
class InSeriesTheOtherWay(DualHead):
    def forward(self, x):
        for kind in ("channel", "position"):
            gamma, conv = getattr(self, f"gamma_{kind}"), getattr(self, f"{kind}_conv")
            x = conv(gamma * getattr(self, kind)(x) + x)
        return self.classify(x)


@bank.wrong("channel branch starts from the position branch's result")
class OverwritesX(DualHead):
    def forward(self, x):
        x = p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p + c)


@bank.wrong("The channel branch has no influence")
class PositionAlone(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p)


@bank.wrong("The position branch has no influence")
class ChannelTwiceOver(DualHead):
    def forward(self, x):
        out = self.position_conv(self.gamma_position * self.position(x) + x)
        out = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(out)


@bank.wrong("The branches are averaged")
class Mean(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(torch.stack([p, c]).mean(0))


@bank.wrong("The branches are multiplied")
class Product(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p * c)


@bank.wrong("The larger of the two branches is taken")
class Maximum(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(torch.max(p, c))


@bank.wrong("x is added to the sum once more")
class ResidualAroundAll(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p + c + x)


@bank.wrong("The residual is missing in both branches")
class NoResidual(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x))
        c = self.channel_conv(self.gamma_channel * self.channel(x))
        return self.classify(p + c)


@bank.wrong("The residual is missing in the channel branch")
class HalfAResidual(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x))
        return self.classify(p + c)


@bank.wrong("The residual is added behind the convolutions")
class ResidualBehind(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x)) + x
        c = self.channel_conv(self.gamma_channel * self.channel(x)) + x
        return self.classify(p + c)


@bank.wrong("Each branch adds x twice")
class ResidualTwice(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x) + x
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x) + x
        return self.classify(p + c)


@bank.wrong("attention has no residual of its own")
class ResidualInAttention(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * (self.position(x) + x) + x)
        c = self.channel_conv(self.gamma_channel * (self.channel(x) + x) + x)
        return self.classify(p + c)


@bank.wrong("The gates have no influence")
class NoGates(DualHead):
    def forward(self, x):
        return self.classify(self.position_conv(self.position(x) + x) + self.channel_conv(self.channel(x) + x))


@bank.wrong("gamma_channel has no influence")
class OneBranchGated(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        return self.classify(p + self.channel_conv(self.channel(x) + x))


@bank.wrong("gamma_position is used in both branches")
class CopiedGate(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_position * self.channel(x) + x)
        return self.classify(p + c)


@bank.wrong("The gates are exchanged")
class ExchangedGates(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_channel * self.position(x) + x)
        c = self.channel_conv(self.gamma_position * self.channel(x) + x)
        return self.classify(p + c)


@bank.wrong("The gates stand at x")
class GatedInput(DualHead):
    def forward(self, x):
        p = self.position_conv(self.position(x) + self.gamma_position * x)
        c = self.channel_conv(self.channel(x) + self.gamma_channel * x)
        return self.classify(p + c)


@bank.wrong("The gates scale the residual as well")
class GatedTogether(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * (self.position(x) + x))
        c = self.channel_conv(self.gamma_channel * (self.channel(x) + x))
        return self.classify(p + c)


@bank.wrong("x is multiplied by 1 − γ")
class Lerp(DualHead):
    def forward(self, x):
        p = self.position_conv(torch.lerp(x, self.position(x), self.gamma_position))
        c = self.channel_conv(torch.lerp(x, self.channel(x), self.gamma_channel))
        return self.classify(p + c)


@bank.wrong("The gates stand behind the convolutions")
class GatedBranches(DualHead):
    def forward(self, x):
        p = self.gamma_position * self.position_conv(self.position(x) + x)
        c = self.gamma_channel * self.channel_conv(self.channel(x) + x)
        return self.classify(p + c)


@bank.wrong("The two attentions are exchanged")
class ExchangedAttentions(DualHead):
    def __init__(self, channels, classes, channel, position):
        super().__init__(channels, classes, position, channel)


@bank.wrong("Both branches use position attention")
class PositionTwice(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.position(x) + x)
        return self.classify(p + c)


@bank.wrong("The convolutions of the branches are exchanged")
class ExchangedConvolutions(DualHead):
    def forward(self, x):
        p = self.channel_conv(self.gamma_position * self.position(x) + x)
        c = self.position_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p + c)


@bank.wrong("position_conv is used in both branches")
class CopiedConvolution(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.position_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p + c)


@bank.wrong("The convolutions stand before the attentions")
class ConvolutionsFirst(DualHead):
    def forward(self, x):
        p, c = self.position_conv(x), self.channel_conv(x)
        return self.classify(self.gamma_position * self.position(p) + p + self.gamma_channel * self.channel(c) + c)


@bank.wrong("Neither position_conv nor channel_conv is used")
class NoConvolutions(DualHead):
    def forward(self, x):
        p = self.gamma_position * self.position(x) + x
        c = self.gamma_channel * self.channel(x) + x
        return self.classify(p + c)


@bank.wrong("and x comes without")
class ConvolutionsInside(DualHead):
    def forward(self, x):
        p = self.gamma_position * self.position(self.position_conv(x)) + x
        c = self.gamma_channel * self.channel(self.channel_conv(x)) + x
        return self.classify(p + c)


@bank.wrong("so that its bias counts twice: add first")
class ConvolvesEach(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x)) + self.position_conv(x)
        c = self.channel_conv(self.gamma_channel * self.channel(x)) + self.channel_conv(x)
        return self.classify(p + c)


@bank.wrong("its bias counts 1 + γ times")
class ConvolvesEachGated(DualHead):
    def forward(self, x):
        p = self.gamma_position * self.position_conv(self.position(x)) + self.position_conv(x)
        c = self.gamma_channel * self.channel_conv(self.channel(x)) + self.channel_conv(x)
        return self.classify(p + c)


@bank.wrong("summed before their convolutions, and only position_conv is used")
class OneConvolutionBehindTheSum(DualHead):
    def forward(self, x):
        p = self.gamma_position * self.position(x) + x
        c = self.gamma_channel * self.channel(x) + x
        return self.classify(self.position_conv(p + c))


@bank.wrong("summed before their convolutions, which follow one on the other")
class BothConvolutionsBehindTheSum(DualHead):
    def forward(self, x):
        p = self.gamma_position * self.position(x) + x
        c = self.gamma_channel * self.channel(x) + x
        return self.classify(self.channel_conv(self.position_conv(p + c)))


@bank.wrong("And another: ")
class ResidualAndGateBehind(DualHead):
    def forward(self, x):
        p = self.gamma_position * self.position_conv(self.position(x)) + x
        c = self.gamma_channel * self.channel_conv(self.channel(x)) + x
        return self.classify(p + c)


@bank.wrong("position_conv is not used")
class ForgetsAConvolution(DualHead):
    def forward(self, x):
        p = self.gamma_position * self.position(x) + x
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p + c)


@bank.wrong("Channel attention has no influence")
class ForgetsAnAttention(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * x + x)
        return self.classify(p + c)


@bank.wrong("One branch is subtracted")
class Difference(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p - c)


@bank.wrong("The scores of the branches are added to those of the sum")
class SumOfThreeScores(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p + c) + self.classify(p) + self.classify(c)


@bank.wrong("A log-softmax is taken")
class LogProbabilities(DualHead):
    def forward(self, x):
        return F.log_softmax(super().forward(x), dim=1)


@bank.wrong("A sigmoid is taken of the gates")
class SigmoidGates(DualHead):
    def forward(self, x):
        p = self.position_conv(torch.sigmoid(self.gamma_position) * self.position(x) + x)
        c = self.channel_conv(torch.sigmoid(self.gamma_channel) * self.channel(x) + x)
        return self.classify(p + c)


@bank.wrong("returned the dtype torch.int64")
class Labels(DualHead):
    def forward(self, x):
        return super().forward(x).argmax(1, keepdim=True).expand(-1, 3, -1, -1)


@bank.wrong("works in float32 but not in float64")
class AlwaysFloat32(DualHead):
    def forward(self, x):
        a = F.one_hot(torch.zeros(1, dtype=torch.long), 1).float()
        return (super().forward(x) * a).float()


@bank.wrong("works on the CPU only")
class MadeHere(DualHead):
    def forward(self, x):
        out = torch.zeros(x.shape, dtype=x.dtype)
        out = out + self.position_conv(self.gamma_position * self.position(x) + x)
        return self.classify(out + self.channel_conv(self.gamma_channel * self.channel(x) + x))


@bank.wrong("A ReLU stands behind the branches' convolutions")
class WithReLU(DualHead):
    def forward(self, x):
        p = F.relu(self.position_conv(self.gamma_position * self.position(x) + x))
        c = F.relu(self.channel_conv(self.gamma_channel * self.channel(x) + x))
        return self.classify(p + c)


@bank.wrong("A ReLU stands behind the sum")
class WithReLUOfTheSum(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify((p + c).relu())


@bank.wrong("its bias counts twice")
class ClassifiesEach(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p) + self.classify(c)


@bank.wrong("classify is not used")
class Features(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        return p + self.channel_conv(self.gamma_channel * self.channel(x) + x)


@bank.wrong("A softmax is taken of the scores")
class Probabilities(DualHead):
    def forward(self, x):
        return super().forward(x).softmax(dim=1)


@bank.wrong("The scores are enlarged")
class Upsamples(DualHead):
    def forward(self, x):
        return F.interpolate(super().forward(x), scale_factor=8, mode="bilinear", align_corners=False)


@bank.wrong("The scores are averaged over the positions")
class Pools(DualHead):
    def forward(self, x):
        return F.adaptive_avg_pool2d(super().forward(x), 1).flatten(1)


@bank.wrong("returned a tuple of 3")
class ThreeScores(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p + c), self.classify(p), self.classify(c)


@bank.wrong("something else when it is called again")
class WithDropout(DualHead):
    def __init__(self, *args):
        super().__init__(*args)
        self.dropout = nn.Dropout2d(0.1)

    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(self.dropout(p + c))


@bank.wrong("no gradient reaches gamma_position")
class DetachedGate(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position.detach() * self.position(x) + x)
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        return self.classify(p + c)


@bank.wrong("changes its input x")
class IntoX(DualHead):
    def forward(self, x):
        c = self.channel_conv(self.gamma_channel * self.channel(x) + x)
        x += self.gamma_position * self.position(x)
        return self.classify(self.position_conv(x) + c)


@bank.wrong("raised AttributeError")
class Forgets(DualHead):
    def __init__(self, *args):
        super().__init__(*args)
        del self.channel


@bank.wrong("takes 1 positional argument but 3 were given")
class ThreeArguments(DualHead):
    def forward(self, x):
        p = self.position_conv(self.gamma_position * self.position(x, x, x) + x)
        return self.classify(p + self.channel_conv(self.gamma_channel * self.channel(x) + x))


@bank.wrong("returned None; does it end with `return`?")
class NoReturn(DualHead):
    def forward(self, x):
        super().forward(x)


@bank.wrong("And another: ")
class AveragedWithoutGates(DualHead):
    def forward(self, x):
        return self.classify((self.position_conv(self.position(x) + x) + self.channel_conv(self.channel(x) + x)) / 2)


@bank.right
class OneConvolutionOfBoth(DualHead):
    """Both convolutions and their sum as one convolution of the branches side by side."""

    def forward(self, x):
        both = torch.cat([self.gamma_position * self.position(x) + x, self.gamma_channel * self.channel(x) + x], 1)
        weight = torch.cat([self.position_conv.weight, self.channel_conv.weight], 1)
        return self.classify(F.conv2d(both, weight, self.position_conv.bias + self.channel_conv.bias))


@bank.wrong("is right with the attentions of the book, but not with others")
class AttentionOfItsOwn(DualHead):
    def __init__(self, channels, classes, position, channel):
        super().__init__(channels, classes, self.attend, channel)

    @staticmethod
    def attend(x):
        X = x.flatten(2)
        return (X @ (X.mT @ X).softmax(-1).mT).view(x.shape)


@bank.wrong("gives the scores of an earlier x")
class Remembers(DualHead):
    def forward(self, x):
        if not hasattr(self, "scores"):
            self.scores = super().forward(x)
        return self.scores


@bank.wrong("the gradient of x is another")
class ChannelsWithoutGradient(DualHead):
    def forward(self, x):
        with torch.no_grad():
            c = self.channel(x)
        p = self.position_conv(self.gamma_position * self.position(x) + x)
        return self.classify(p + self.channel_conv(self.gamma_channel * c + x))


@bank.wrong("Neither attention is used")
class WithoutAttention(DualHead):
    def forward(self, x):
        return self.classify(self.position_conv(x) + self.channel_conv(x))


@bank.wrong("It returns the classes of the largest scores")
class Classes(DualHead):
    def forward(self, x):
        return super().forward(x).argmax(1)


@bank.wrong("H and W of the scores are exchanged")
class Transposed(DualHead):
    def forward(self, x):
        return super().forward(x).transpose(2, 3)


@bank.wrong("The classes stand last")
class ClassesLast(DualHead):
    def forward(self, x):
        return super().forward(x).permute(0, 2, 3, 1)


@bank.wrong("A .squeeze() takes all axes of length 1 away")
class SqueezedEverywhere(DualHead):
    def forward(self, x):
        return super().forward(x).squeeze()


@bank.wrong("it must be a 1×1 convolution from 4 to 3 channels")
class Strides(DualHead):
    def __init__(self, channels, classes, position, channel):
        super().__init__(channels, classes, position, channel)
        self.classify = nn.Conv2d(channels, classes, 1, stride=2)
