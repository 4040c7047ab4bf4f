"""A network of one's own on the probe that wants another answer of every kind, and the thresholds."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segtut.checks.probe import SIZE, check_context_network
from segtut.data.probes import COLOURS, KINDS, PROBES
from tests.checks.bank_context_network import Beacon, Matching, with_forward


class AMapForEachKind(nn.Module):
    """Three maps instead of N: each goes to the key of its kind."""

    def forward(self, x):
        colours, kinds = x[:, :COLOURS].flatten(2), x[:, COLOURS : COLOURS + KINDS].flatten(2)
        energy = 20 * (kinds + colours.sum(1, keepdim=True))
        contexts = colours @ energy.softmax(-1).mT  # (B, colours, kinds)
        return (contexts @ kinds).unflatten(2, x.shape[2:])


class AMapForEachQuery(nn.Module):
    """Non-local attention: a pixel looks at the key of its kind."""

    def forward(self, x):
        rows = x.flatten(2).mT
        q = 20 * rows[..., COLOURS : COLOURS + KINDS]
        k = rows[..., COLOURS : COLOURS + KINDS] * rows[..., :COLOURS].sum(-1, keepdim=True)
        out = F.scaled_dot_product_attention(q, k, rows[..., :COLOURS], scale=1.0)
        return out.mT.unflatten(2, x.shape[2:])


@pytest.mark.parametrize("network", [Matching(), AMapForEachKind(), AMapForEachQuery()], ids=lambda n: type(n).__name__)
def test_matching_can_be_solved_with_three_maps_or_with_one_for_each_query_or_with_twelve_numbers(network, capsys):
    for seed in range(3):
        check_context_network(network, "matching", seed=seed)
    assert capsys.readouterr().out.count("right at 100.0 %") == 3


@pytest.mark.parametrize(
    ("network", "hint"),
    [
        (Beacon(), "gives all pixels of an image the same answer"),
        (with_forward(lambda scores, x: scores.roll(1, 0), Matching), "must not hear of each other"),
        (with_forward(lambda scores, x: scores.roll(1, 1), Matching), "gives them other numbers"),
    ],
)
def test_what_goes_wrong_on_matching_is_named(network, hint):
    with pytest.raises(AssertionError) as told:
        check_context_network(network, "matching")
    assert hint in str(told.value)


class HalfAware(Matching):
    """Asks the right key for one kind, and the key of another for the others."""

    def forward(self, x):
        colours, kinds = x[:, :COLOURS], x[:, COLOURS : COLOURS + KINDS]
        contexts = F.relu(kinds[:, :, None] + colours[:, None] + self.bias).sum((3, 4), keepdim=True)
        contexts = torch.stack([contexts[:, 0], contexts[:, 0], contexts[:, 2]], dim=1)
        return F.relu(contexts + kinds[:, :, None] + self.bias).sum(1)


def test_a_network_that_knows_the_colours_but_not_whose_they_are_is_told_so():
    with pytest.raises(AssertionError, match="often not the one of the pixel's own kind"):
        check_context_network(HalfAware(), "matching")
    check_context_network(HalfAware(), "matching", needed=0.5)


def test_the_share_is_that_of_the_pixels_that_are_asked(capsys):
    """A network that is right for three colours of four is right at three quarters of them."""
    network = with_forward(lambda scores, x: scores * torch.tensor([1.0, 1, 1, -1])[:, None, None])
    with pytest.raises(AssertionError, match=r"right at 75\.0 % of the pixels of 'beacon' .*; 80 % are needed"):
        check_context_network(network, needed=0.8)
    check_context_network(network, needed=0.75)
    assert "75.0 %" in capsys.readouterr().out


def test_other_seeds_are_other_images():
    def images(seed):
        seen = []
        network = with_forward(lambda scores, x: (scores, seen.append(x.clone()))[0], Matching)
        check_context_network(network, "matching", seed=seed)
        return seen[0]

    assert images(0).shape[2:] == SIZE and torch.equal(images(0), images(0))
    assert not torch.equal(images(0), images(1))


def test_the_network_that_was_handed_in_stays_as_it_is():
    network = nn.Sequential(nn.BatchNorm2d(9), Beacon())
    before = {name: t.clone() for name, t in network.state_dict().items()}
    with pytest.raises(AssertionError, match=r"network\.eval\(\)"):
        check_context_network(network)
    assert network.training and all(torch.equal(t, before[name]) for name, t in network.state_dict().items())


def test_a_probe_that_counts_has_no_things_whose_colour_could_be_named():
    with pytest.raises(AssertionError, match=r"of the pixels of 'count'"):
        check_context_network(Beacon(), "count", needed=0.9)
    assert PROBES["count"].things is None
