"""torch.compile in one graph and torch.export with free sizes: the same numbers."""

import pytest
import torch
from torch.export import Dim

from segtut.networks import HEADS, build_network
from tests.networks.common import ALL, CASES, K, awaken, features, images, make_head


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()  # heads share a forward, and only so many versions of one are kept
    yield
    torch._dynamo.reset()


def compiled(module):
    return torch.compile(module, fullgraph=True, backend="aot_eager")


def gradients(module, outputs):
    """Of the parameters, and of nothing else: scores are weighted by fixed numbers."""
    own = [p for p in module.parameters() if p.requires_grad]
    loss = sum((s * features(*s.shape, seed=3)).sum() for s in outputs)
    return torch.autograd.grad(loss, own)


@pytest.mark.parametrize("case", CASES)
def test_a_compiled_head_and_its_gradients(case):
    head, x = make_head(case), features()
    want, found = head(x), compiled(head)(x)
    torch.testing.assert_close(found, want, rtol=0, atol=1e-5)
    wanted = gradients(head, want)
    largest = max(gradient.abs().max().item() for gradient in wanted)
    for a, b in zip(gradients(head, found), wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5 * largest)


def test_compiled_bases_follow_the_batches():
    """A buffer changed in place, inside the graph."""
    one, other, x = make_head("ema"), make_head("ema"), features()
    start = one.mu.clone()
    compiled(one.train())(x)
    other.train()(x)
    torch.testing.assert_close(one.mu, other.mu, rtol=0, atol=1e-5)
    assert (one.mu - start).abs().max() > 1e-3


@pytest.mark.parametrize("case", ["nonlocal-concat", "gcnet-both", "abn"])
def test_a_compiled_variant(case):
    head, x = make_head(case), features()
    with torch.no_grad():
        torch.testing.assert_close(compiled(head)(x), head(x), rtol=0, atol=1e-5)


def test_a_compiled_network():
    """Backbone, upsampling, three outputs and the auxiliary one; the heads are compiled above."""
    network, x = awaken(build_network("danet", "resnet10t", K, auxiliary=True)).eval(), images()
    with torch.no_grad():
        want = network(x, all_outputs=True)
        torch.testing.assert_close(compiled(network)(x, all_outputs=True), want, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", HEADS)
def test_an_exported_network_takes_any_size(name):
    network = awaken(build_network(name, "resnet10t", K)).eval()
    h, w = Dim("h", min=2, max=30), Dim("w", min=2, max=30)
    sizes = {0: Dim("B", min=1, max=8), 2: 8 * h, 3: 8 * w}
    exported = torch.export.export(network, (images(2, 40, 56),), dynamic_shapes=(sizes,)).module()
    with torch.no_grad():
        for shape in ((3, 64, 48), (1, 16, 32)):
            x = images(*shape)
            torch.testing.assert_close(exported(x), network(x), rtol=0, atol=1e-4)


@pytest.mark.parametrize("case", [case for case in ALL if case not in CASES])
def test_an_exported_head_takes_any_size(case):
    head = make_head(case)
    exported = torch.export.export(
        head, (features(),), dynamic_shapes=({0: Dim("B", max=8), 2: Dim("H", max=30), 3: Dim("W", max=30)},)
    ).module()
    with torch.no_grad():
        x = features(3, 64, 4, 9)
        torch.testing.assert_close(exported(x), head(x), rtol=0, atol=1e-5)
