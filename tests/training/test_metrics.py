import math

import pytest
import torch
import torchmetrics

from segtut.training import confusion_matrix, iou_per_class, mean_iou, pixel_accuracy


def test_by_hand():
    # 4×6 pixels, 3 classes of which the last never occurs nor is predicted, and two void pixels.
    target = torch.tensor([[0, 0, 0, 1, 1, 1]] * 3 + [[0, 0, 1, 1, 255, 255]])
    pred = torch.tensor([[0, 0, 1, 1, 1, 1]] * 3 + [[0, 0, 1, 1, 2, 0]])
    matrix = confusion_matrix(pred, target, 3)
    assert matrix.tolist() == [[8, 3, 0], [0, 11, 0], [0, 0, 0]] and matrix.dtype == torch.int64
    iou = iou_per_class(matrix)
    assert iou[0] == 8 / 11 and iou[1] == 11 / 14 and math.isnan(iou[2])
    assert mean_iou(matrix) == pytest.approx((8 / 11 + 11 / 14) / 2)
    assert pixel_accuracy(matrix) == pytest.approx(19 / 22)


@pytest.mark.parametrize("seed", range(4))
def test_against_torchmetrics(seed):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, 11, (3, 13, 17), generator=generator)
    pred = torch.where(torch.rand(target.shape, generator=generator) < 0.6, target, target.flip(-1))
    target[torch.rand(target.shape, generator=generator) < 0.2] = 255
    ours = confusion_matrix(pred, target, 11)
    theirs = torchmetrics.ConfusionMatrix(task="multiclass", num_classes=11, ignore_index=255)(pred, target)
    assert torch.equal(ours, theirs)
    jaccard = torchmetrics.JaccardIndex(task="multiclass", num_classes=11, ignore_index=255, average=None)
    torch.testing.assert_close(iou_per_class(ours).float(), jaccard(pred, target))


def test_batches_add_up():
    generator = torch.Generator().manual_seed(0)
    pred, target = (torch.randint(0, 4, (5, 7, 3), generator=generator) for _ in range(2))
    parts = sum(confusion_matrix(p, t, 4) for p, t in zip(pred, target))
    assert torch.equal(parts, confusion_matrix(pred, target, 4))


def test_nothing_but_void():
    matrix = confusion_matrix(torch.zeros(2, 3, dtype=torch.int64), torch.full((2, 3), 255), 4)
    assert matrix.sum() == 0 and math.isnan(mean_iou(matrix)) and math.isnan(pixel_accuracy(matrix))


@pytest.mark.parametrize(
    ("pred", "target", "said"),
    [
        (torch.zeros(2, 3).long(), torch.zeros(3, 2).long(), "differ in shape"),
        (torch.zeros(2).long(), torch.tensor([0, 11]), r"target holds 0…11: classes are 0…10"),
        (torch.tensor([-1, 0]), torch.zeros(2).long(), "pred holds -1"),
    ],
)
def test_errors(pred, target, said):
    with pytest.raises(ValueError, match=said):
        confusion_matrix(pred, target, 11)
