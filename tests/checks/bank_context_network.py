"""Networks for `check_context_network`, on the probe "beacon"; most have weights set by hand and need no training."""

import torch
from torch import nn
from torch.nn import functional as F

from segtut.attention import GlobalContext, NonLocal
from segtut.data import IGNORE_INDEX
from segtut.data.probes import COLOURS, KINDS, PLANES, PROBES
from tests.checks.bank import Bank

bank = Bank("check_context_network")


class Beacon(nn.Module):
    """Right without training: the mean over the positions, seen by each of them."""

    def __init__(self):
        super().__init__()
        self.read = nn.Conv2d(PLANES, COLOURS, 1, bias=False)
        with torch.no_grad():
            self.read.weight.zero_()
            for k in range(COLOURS):
                self.read.weight[k, k] = 3.0

    def forward(self, x):
        return self.read(x.sum(dim=(2, 3), keepdim=True).expand_as(x))


class Matching(nn.Module):
    """Right on the probe "matching": the context holds a number for each pair of kind and colour, and x chooses."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.tensor(-1.0))

    def forward(self, x):
        colours, kinds = x[:, :COLOURS], x[:, COLOURS : COLOURS + KINDS]
        pairs = F.relu(kinds[:, :, None] + colours[:, None] + self.bias)  # 1 where the key is
        context = pairs.sum((3, 4), keepdim=True)
        return F.relu(context + kinds[:, :, None] + self.bias).sum(1)


def trained(block, steps=200):
    """A network with a block, trained for a second."""
    torch.manual_seed(0)
    C = 32
    network = nn.Sequential(nn.Conv2d(PLANES, C, 1), nn.ReLU(), block(C), nn.Conv2d(C, COLOURS, 1))
    images, answers = PROBES["beacon"].sample(32 * steps, (5, 6), torch.Generator().manual_seed(0))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for x, answer in zip(images.split(32), answers.split(32)):
        loss = F.cross_entropy(network(x), answer, ignore_index=IGNORE_INDEX)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


def with_forward(forward, base=Beacon):
    """A network whose output is another; `forward` gets the right scores and x."""

    class Network(base):
        def forward(self, x):
            return forward(super().forward(x), x)

    Network.__name__ = forward.__name__
    return Network().eval()


def by_hand(build):
    """A network of a class whose name says what it is."""
    return build().eval()


bank.right(Beacon())


@bank.right
@by_hand
class MaxPooling(nn.Module):
    """Programmed, without parameters; the scores are exactly 0 and 1."""

    def forward(self, x):
        return x[:, :COLOURS].amax((2, 3), keepdim=True).expand(-1, -1, *x.shape[2:])


@bank.right
@by_hand
class AttentionToColours(nn.Module):
    """A global context block: softmax over positions, large where a colour is."""

    def __init__(self):
        super().__init__()
        self.w_key = nn.Parameter(torch.tensor([20.0] * COLOURS + [0.0] * (PLANES - COLOURS)))

    def forward(self, x):
        A = (x * self.w_key[:, None, None]).sum(1).flatten(1).softmax(-1)
        context = torch.einsum("bn,bcn->bc", A, x.flatten(2))[:, :, None, None]
        return (x + context)[:, :COLOURS]


@bank.right
@by_hand
class CrissCrossTwice(nn.Module):
    """Each pixel adds its row and column up, twice."""

    def forward(self, x):
        y = x[:, :COLOURS]
        for _ in range(2):
            y = y + y.sum(2, keepdim=True) + y.sum(3, keepdim=True)
        return y


@bank.right
@by_hand
class Loops(nn.Module):
    """Pixel by pixel, in a few lines of Python; permuted memory."""

    def forward(self, x):
        heard = torch.zeros(len(x), COLOURS)
        for i in range(x.shape[2]):
            for j in range(x.shape[3]):
                heard = heard + x[:, :COLOURS, i, j]
        return torch.stack([torch.stack([heard] * x.shape[3], 1)] * x.shape[2], 1).permute(0, 3, 1, 2) - 0.5


@bank.right
@with_forward
def log_probabilities(scores, x):
    return scores.log_softmax(1)


@bank.right
@with_forward
def prints_its_shape(scores, x):
    print(x.shape)
    return scores


@bank.right
@with_forward
def through_numpy(scores, x):
    return torch.from_numpy(scores.detach().numpy() * 2)


class WithTrainingBehaviour(Beacon):
    """Batch norm and dropout behind the right scores."""

    def __init__(self, *layers):
        super().__init__()
        self.rest = nn.Sequential(*layers)

    def forward(self, x):
        return self.rest(super().forward(x))


bank.right(WithTrainingBehaviour(nn.BatchNorm2d(COLOURS), nn.Dropout(0.5)).eval())
bank.right(trained(lambda C: GlobalContext(C, ratio=1 / 2)))

bank.wrong("build and train it first")(None)
bank.wrong("is a class: hand over the trained network")(Beacon)
bank.wrong("a function: it must be an nn.Module")(
    lambda x: x[:, :COLOURS].sum((2, 3), keepdim=True).expand_as(x[:, :4])
)
bank.wrong("a float: it must be an nn.Module")(0.97)
bank.wrong("write it first")(nn.Module())
bank.wrong("Each pixel looks at itself only")(
    nn.Sequential(nn.Conv2d(PLANES, 8, 1), nn.ReLU(), NonLocal(8), nn.Conv2d(8, COLOURS, 1, bias=False))  # not trained
)
bank.wrong("its batch norm or dropout behaves so")(WithTrainingBehaviour(nn.BatchNorm2d(COLOURS)))
bank.wrong("its batch norm or dropout behaves so")(WithTrainingBehaviour(nn.Dropout(0.5)))
bank.wrong("its batch norm or dropout behaves so")(WithTrainingBehaviour(nn.Dropout2d(0.2)))
bank.wrong(".float() makes the network fit")(Beacon().double())
bank.wrong("at most 20,000 are allowed")(
    WithTrainingBehaviour(nn.Conv2d(COLOURS, 4000, 1), nn.Conv2d(4000, COLOURS, 1))
)
bank.wrong("The network solves 'matching'")(Matching())


class NormOfTheContext(Beacon):
    """A batch norm in training fails on a single number a channel."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(COLOURS)

    def forward(self, x):
        return self.norm(super().forward(x)[:, :, :1, :1]).expand(-1, -1, *x.shape[2:])


bank.right(NormOfTheContext().eval())
bank.wrong("its batch norm or dropout behaves so")(NormOfTheContext())


@bank.wrong("Each pixel looks at itself only")
@by_hand
class OneByOneOnly(nn.Module):
    def forward(self, x):
        return 5 * x[:, :COLOURS]


@bank.wrong("A pixel hears its neighbours only")
@by_hand
class ThreeByThree(nn.Module):
    def forward(self, x):
        return F.avg_pool2d(x[:, :COLOURS], 3, stride=1, padding=1)


@bank.wrong("at every pixel of every image")
@by_hand
class Constant(nn.Module):
    def forward(self, x):
        return torch.tensor([0.0, 0, 1, 0])[:, None, None].expand(len(x), -1, *x.shape[2:])


@bank.wrong("at every pixel of every image")
@with_forward
def all_scores_equal(scores, x):
    return scores * 0


@bank.wrong("the same answers to every image")
@by_hand
class OnlyPosition(nn.Module):
    """Knows where it is and nothing else."""

    def forward(self, x):
        columns = torch.arange(x.shape[3]) % COLOURS
        return F.one_hot(columns, COLOURS).float().T[:, None].expand(len(x), -1, *x.shape[2:])


@bank.wrong("hardly better than guessing")
@by_hand
class DrawnWeights(nn.Module):
    """Not trained, from a start at which everything is heard."""

    def __init__(self):
        super().__init__()
        g = torch.Generator().manual_seed(3)
        self.mix = nn.Parameter(torch.randn(COLOURS, 2 * PLANES, generator=g))

    def forward(self, x):
        heard = (9 * x.flatten(2).cumsum(2).view_as(x)).sin()
        return torch.einsum(
            "kc,bchw->bkhw", self.mix, torch.cat([(7 * x).cos(), heard.sum((2, 3), True).sin() + heard], 1)
        )


@bank.wrong("has learnt a part of the task")
@with_forward
def two_colours_alike(scores, x):
    return torch.cat([scores[:, :2].sum(1, keepdim=True), scores[:, 1:2] * 0 - 1, scores[:, 2:]], 1)


@bank.wrong("gives them other numbers")
@with_forward
def colours_from_one(scores, x):
    return scores.roll(1, dims=1)


@bank.wrong("The lowest score is at the right colour")
@with_forward
def wrong_sign(scores, x):
    return -scores


@bank.wrong("on which was it trained?")
@by_hand
class AnotherSize(nn.Module):
    """Compares the mean with that of one coloured pixel among 8×8."""

    def forward(self, x):
        mean = x[:, :COLOURS].mean((2, 3), keepdim=True)
        return -(64 * mean - 1).abs().expand(-1, -1, *x.shape[2:])


@bank.wrong("leave argmax to whoever wants one")
@with_forward
def classes(scores, x):
    return scores.argmax(1)


@bank.wrong("leave argmax to whoever wants a colour")
@with_forward
def one_hot_integers(scores, x):
    return F.one_hot(scores.argmax(1), COLOURS).permute(0, 3, 1, 2)


@bank.wrong("return the scores before the softmax")
@with_forward
def probabilities(scores, x):
    return scores.softmax(dim=1)


@bank.wrong("colours belong on the second axis")
@with_forward
def channels_last(scores, x):
    return scores.permute(0, 2, 3, 1)


@bank.wrong("not the image as a whole")
@with_forward
def one_answer_an_image(scores, x):
    return scores[:, :, 0, 0]


@bank.wrong("not the image as a whole")
@with_forward
def one_pixel(scores, x):
    return scores.mean((2, 3), keepdim=True)


@bank.wrong("the last layer must have 4 channels")
@with_forward
def a_class_for_blank(scores, x):
    return torch.cat([scores, scores[:, :1] - 1], dim=1)


@bank.wrong("give the positions their two axes back")
@with_forward
def flat(scores, x):
    return scores.flatten(2)


@bank.wrong("H and W are swapped")
@with_forward
def swapped(scores, x):
    return scores.mT


@bank.wrong("must not hear of each other")
@with_forward
def softmax_over_the_batch(scores, x):
    return scores + 4 * scores.softmax(dim=0)


@bank.wrong("must not hear of each other")
@with_forward
def minus_the_batch_mean(scores, x):
    return scores - scores.mean(0, keepdim=True) * (len(x) > 1)


@bank.wrong("works for many images but not for one")
@with_forward
def squeezes(scores, x):
    return scores.squeeze()


@bank.wrong("answers the same images otherwise")
@with_forward
def noise(scores, x):
    return scores + 0.1 * torch.randn_like(scores)


@bank.wrong("did the training diverge?")
@with_forward
def nan(scores, x):
    return scores / 0 * 0


@bank.wrong("returned ∞")
@with_forward
def infinite(scores, x):
    return (scores + 1) / 0


@bank.wrong("must be the input's, torch.float32")
@with_forward
def float64(scores, x):
    return scores.double()


@bank.wrong("changes its input x")
@with_forward
def in_place(scores, x):
    x += 1
    return scores


@bank.wrong("returned a tuple of 2")
@with_forward
def with_its_map(scores, x):
    return scores, x


@bank.wrong("returned None")
@with_forward
def forgets_to_return(scores, x):
    scores.relu()


@bank.wrong("no layer may have the size built in")
@by_hand
class FullyConnected(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(30, 30, bias=False)
        nn.init.ones_(self.mix.weight)

    def forward(self, x):
        return self.mix(x[:, :COLOURS].flatten(2)).unflatten(2, (5, 6))


@bank.wrong("There it returned the shape")
@with_forward
def makes_5_by_6(scores, x):
    return scores[:, :, :1, :1].expand(-1, -1, 5, 6)


@bank.wrong("9 planes an image")
@by_hand
class ColourImages(nn.Module):
    """Expects 3 channels."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, COLOURS, 1)

    def forward(self, x):
        return self.conv(x)


bank.right(torch.nn.Sequential(Beacon(), nn.LogSoftmax(dim=1)).eval())
bank.wrong("hold no numbers")(Beacon().to("meta").eval())


@bank.wrong("The lowest score is at the right colour")
@with_forward
def negative(scores, x):
    return -scores
