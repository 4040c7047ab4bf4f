"""Expectation-maximisation attention: the algorithm step by step, and what a batch leaves behind."""

import math

import pytest
import torch

from segtut.networks import EMAHead
from tests.networks.common import C, H, K, W, awaken, features

D, BASES, STAGES = 6, 4, 3  # channels, bases, EM iterations


def make(**options):
    torch.manual_seed(0)
    return EMAHead(C, K, bases=BASES, stages=STAGES, ema_channels=D, **options).double()


def literal(x, mu, stages):
    """One image's EM, a number at a time: x is D rows of N positions, mu D rows of bases."""
    N = len(x[0])
    for _ in range(stages):
        z = []
        for n in range(N):
            logits = [sum(x[d][n] * mu[d][k] for d in range(D)) for k in range(BASES)]
            total = sum(math.exp(logit) for logit in logits)
            z.append([math.exp(logit) / total for logit in logits])
        new = [[0.0] * BASES for _ in range(D)]
        for k in range(BASES):
            weight = sum(z[n][k] for n in range(N))
            mean = [sum(z[n][k] * x[d][n] for n in range(N)) / weight for d in range(D)]
            length = math.sqrt(sum(m * m for m in mean))
            for d in range(D):
                new[d][k] = mean[d] / length
        mu = new
    return [[sum(mu[d][k] * z[n][k] for k in range(BASES)) for n in range(N)] for d in range(D)], mu


def by_hand(head, x):
    found = [literal(image.flatten(1).tolist(), head.mu[0].tolist(), STAGES) for image in x]
    out, mu = (torch.tensor(part, dtype=torch.float64) for part in zip(*found, strict=True))
    return out.view_as(x), mu


@pytest.mark.parametrize("size", [(H, W), (1, W), (1, 1)], ids=str)
def test_reconstruct_is_the_algorithm(size):
    head, x = make().eval(), features(2, D, *size, dtype=torch.float64)
    torch.testing.assert_close(head.reconstruct(x), by_hand(head, x)[0], rtol=0, atol=1e-12)


def test_the_bases_start_and_are_found_with_length_one():
    head, x = make(momentum=1.0), features(2, D, H, W, dtype=torch.float64)
    torch.testing.assert_close(head.mu.norm(dim=1), torch.ones(1, BASES, dtype=torch.float64))
    before = head.mu.clone()
    head.reconstruct(x)  # with momentum 1 the bases are the batch's own
    torch.testing.assert_close(head.mu.norm(dim=1), torch.ones(1, BASES, dtype=torch.float64))
    assert (head.mu - before).abs().max() > 0.1


def test_the_bases_follow_the_batches_in_training_only():
    head, x = make(momentum=0.1), features(2, D, H, W, dtype=torch.float64)
    before = head.mu.clone()
    head.eval().reconstruct(x)
    assert torch.equal(head.mu, before)
    out, mu = by_hand(head, x)
    torch.testing.assert_close(head.train().reconstruct(x), out)  # of the bases as they were
    mean = mu.mean(dim=0, keepdim=True)
    torch.testing.assert_close(head.mu, 0.9 * before + 0.1 * mean / mean.norm(dim=1, keepdim=True))


def test_the_bases_are_saved_and_not_trained():
    head = make()
    assert "mu" in head.state_dict() and "mu" not in dict(head.named_parameters())
    assert not head.ema_mid.weight.requires_grad and not head.ema_mid.bias.requires_grad


def test_nothing_flows_through_the_em():
    head, x = awaken(make()), features(dtype=torch.float64).requires_grad_()
    head(x)[0].sum().backward()
    assert head.ema_mid.weight.grad is None and x.grad is not None
    assert not head.reconstruct(features(2, D, H, W, dtype=torch.float64).requires_grad_()).requires_grad


def test_head_is_its_parts():
    head, x = awaken(make()).eval(), features(dtype=torch.float64)
    y = head.ema_in(x)
    y = (y + head.ema_out(by_hand(head, head.ema_mid(y))[0].relu())).relu()
    want = head.classifier[1](head.bottleneck(torch.cat([x, head.convb(y)], 1)))
    torch.testing.assert_close(head(x), (want,))
