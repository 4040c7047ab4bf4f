"""What the tests of windows, flips, scales, files and export share."""

import pytest
import torch
from torch import nn

from segtut.data import Scenes, normalise
from segtut.networks import build_network
from tests.inference.common import B, H, W


@pytest.fixture
def image():
    return torch.randn(B, 3, H, W, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def network():
    """A convolution whose padding makes every window's rim differ from what a larger window would say."""
    torch.manual_seed(1)
    return nn.Conv2d(3, 4, 5, padding=2).eval()


@pytest.fixture(scope="module")
def ccnet():
    torch.manual_seed(2)
    network = build_network("ccnet")
    nn.init.constant_(network.head.cca.gamma, 0.5)
    with torch.no_grad():  # batch norm sees streets, else random weights call every pixel the same
        for street, _ in Scenes("train", (48, 64), length=8):
            network(torch.cat([normalise(street), normalise(street[:, ::-1])]))
    return network.eval()
