import numpy as np
import pytest
import torch
import torch.nn.functional as F

from segtut.training.loss import balanced_weights, cross_entropy


def batch(void=0.3):
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(2, 5, 6, 7, generator=generator, requires_grad=True)
    target = torch.randint(0, 5, (2, 6, 7), generator=generator)
    target[torch.rand(target.shape, generator=generator) < void] = 255
    return scores, target


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_pytorch_where_that_is_defined(smoothing, weighted):
    scores, target = batch()
    weights = torch.tensor([1.0, 2.0, 0.5, 3.0, 1.5]) if weighted else None
    ours = cross_entropy(scores, target, smoothing, weights)
    theirs = F.cross_entropy(scores, target, weights, ignore_index=255, label_smoothing=smoothing)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("weights", [None, torch.ones(5)])
def test_a_batch_of_void_gives_zero_not_nan(weights):
    scores, target = batch(void=1.1)
    loss = cross_entropy(scores, target, 0.1, weights)
    assert loss.item() == 0
    loss.backward()
    assert torch.equal(scores.grad, torch.zeros_like(scores))


def test_bf16_scores_are_summed_in_float32():
    scores, target = batch()
    assert cross_entropy(scores.bfloat16(), target).dtype == torch.float32


def test_balanced_weights():
    masks = [np.array([[0, 0, 0, 1]], np.uint8), np.array([[0, 255, 255, 255]], np.uint8)]
    data = [(None, mask) for mask in masks]
    weights = balanced_weights(data, 3)
    want = [1 / np.log(1.02 + p) for p in (4 / 5, 1 / 5, 0)]
    torch.testing.assert_close(weights, torch.tensor(want, dtype=torch.float32))
