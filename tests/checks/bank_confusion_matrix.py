"""Answers to ``confusion_matrix(pred, target, num_classes, ignore_index)``."""

from collections import Counter
from functools import partial

import numpy as np
import pandas as pd
import torch

from segtut.training import confusion_matrix as the_package
from tests.checks.bank import Bank

bank = Bank("check_confusion_matrix")


@bank.right
def loop(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for p, t in zip(pred.flatten().tolist(), target.flatten().tolist()):
        if t != ignore_index:
            M[t, p] += 1
    return M


@bank.right
def bincount(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    return torch.bincount(target[keep] * num_classes + pred[keep], minlength=num_classes**2).reshape(
        num_classes, num_classes
    )


@bank.right
def transposed_twice(pred, target, num_classes, ignore_index):
    """Columns are counted first; the result is a transposed view."""
    keep = target != ignore_index
    return torch.bincount(pred[keep] * num_classes + target[keep], minlength=num_classes**2).view(num_classes, -1).T


@bank.right
def one_hot_product(pred, target, num_classes, ignore_index):
    keep = (target != ignore_index).flatten()
    t = torch.nn.functional.one_hot(target.flatten()[keep], num_classes).double()
    p = torch.nn.functional.one_hot(pred.flatten()[keep], num_classes).double()
    return (t.T @ p).long()


@bank.right
def einsum_of_masks(pred, target, num_classes, ignore_index):
    classes = torch.arange(num_classes)
    p = (pred.reshape(-1, 1) == classes).float()
    t = ((target.reshape(-1, 1) == classes) & (target.reshape(-1, 1) != ignore_index)).float()
    return torch.einsum("nk,nj->kj", t, p).to(torch.int64)


@bank.right
def comparisons(pred, target, num_classes, ignore_index):
    return torch.stack([
        torch.stack([((target == k) & (pred == j) & (target != ignore_index)).sum() for j in range(num_classes)])
        for k in range(num_classes)
    ])  # fmt: skip


@bank.right
def numpy_histogram(pred, target, num_classes, ignore_index):
    p, t = pred.numpy().ravel(), target.numpy().ravel()
    bins = np.arange(num_classes + 1) - 0.5
    M, _, _ = np.histogram2d(t[t != ignore_index], p[t != ignore_index], bins=(bins, bins))
    return torch.from_numpy(M.astype(np.int64))


@bank.right
def numpy_add_at(pred, target, num_classes, ignore_index):
    p, t = np.asarray(pred), np.asarray(target)
    M = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(M, (t[t != ignore_index], p[t != ignore_index]), 1)
    return torch.as_tensor(M)


@bank.right
def index_put(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    M = pred.new_zeros(num_classes, num_classes)
    return M.index_put_((target[keep], pred[keep]), torch.ones_like(pred[keep]), accumulate=True)


@bank.right
def own_row_cut_off(pred, target, num_classes, ignore_index):
    """Void gets a row of its own, which is cut off."""
    target = target.masked_fill(target == ignore_index, num_classes)
    pairs = target * num_classes + pred
    return torch.bincount(pairs.flatten(), minlength=(num_classes + 1) * num_classes).view(-1, num_classes)[:-1]


@bank.right
def image_by_image(pred, target, num_classes, ignore_index):
    if pred.ndim > 1:
        return sum(image_by_image(p, t, num_classes, ignore_index) for p, t in zip(pred, target))
    M = torch.zeros(num_classes, num_classes).long()
    for p, t in zip(pred, target):
        M[t if t != ignore_index else 0, p] += t != ignore_index
    return M


@bank.right
def counter(pred, target, num_classes, ignore_index):
    seen = Counter(zip(target.flatten().tolist(), pred.flatten().tolist()))
    return torch.tensor([
        [0 if k == ignore_index else seen[k, j] for j in range(num_classes)] for k in range(num_classes)
    ])  # fmt: skip


@bank.right
def scatter_add(pred, target, num_classes, ignore_index):
    flat = torch.zeros(num_classes * num_classes, dtype=torch.int64)
    weights = (target != ignore_index).long().reshape(-1)
    pairs = (target.reshape(-1) * num_classes + pred.reshape(-1)) * weights
    return flat.scatter_add(0, pairs, weights).unflatten(0, (num_classes, num_classes))


@bank.right
def unique_pairs(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    pairs, counts = torch.stack([target[keep], pred[keep]]).unique(dim=1, return_counts=True)
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    M[pairs[0], pairs[1]] = counts
    return M


@bank.right
def sparse(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    places = torch.stack([target[keep], pred[keep]])
    ones = torch.ones(places.shape[1], dtype=torch.int64)
    return torch.sparse_coo_tensor(places, ones, (num_classes, num_classes), check_invariants=True).to_dense()


@bank.right
def crosstab(pred, target, num_classes, ignore_index):
    keep = (target != ignore_index).numpy()
    t, p = pd.Series(target.numpy()[keep]), pd.Series(pred.numpy()[keep])
    counts = pd.crosstab(t, p).reindex(index=range(num_classes), columns=range(num_classes), fill_value=0)
    return torch.tensor(counts.to_numpy().astype(np.int64))


class Functor:
    def __call__(self, prediction, truth, classes, void):
        return the_package(prediction, truth, classes, void)


bank.right(Functor())
bank.right(the_package)
bank.right(partial(bincount))
bank.right(
    lambda p, t, k, i: sum(torch.eye(k * k).long()[t[t != i] * k + p[t != i]], torch.zeros(k * k).long()).view(k, k)
)


@bank.right
def prints(pred, target, num_classes, ignore_index):
    print("counting", pred.shape)
    return bincount(pred, target, num_classes, ignore_index)


# --- void


@bank.wrong("Void pixels are counted like any other")
def void_forgotten(pred, target, num_classes, ignore_index):
    pairs = target.flatten() * num_classes + pred.flatten()
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)


@bank.wrong("It is right only where no pixel is void")
def only_target_masked(pred, target, num_classes, ignore_index):
    target = target[target != ignore_index]
    pairs = target * num_classes + pred.flatten()
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)


@bank.wrong("Void pixels are counted as class 0")
def void_to_zero(pred, target, num_classes, ignore_index):
    target = torch.where(target == ignore_index, 0, target)
    return bincount(pred, target, num_classes, -5)


@bank.wrong("Void pixels are counted as class 0")
def masked_by_product(pred, target, num_classes, ignore_index):
    target = target * (target != ignore_index)
    return bincount(pred, target, num_classes, -5)


@bank.wrong("Void pixels are counted as the last class")
def void_to_last(pred, target, num_classes, ignore_index):
    target = target.masked_fill(target == ignore_index, num_classes - 1)
    return bincount(pred, target, num_classes, -5)


@bank.wrong("Void pixels are counted as right")
def void_is_right(pred, target, num_classes, ignore_index):
    return bincount(pred, torch.where(target == ignore_index, pred, target), num_classes, -5)


@bank.wrong("Void pixels are counted as the nearest class")
def void_clamped(pred, target, num_classes, ignore_index):
    return bincount(pred, target.clamp(0, num_classes - 1), num_classes, -5)


@bank.wrong("Void has a row and a column of its own")
def void_row_stays(pred, target, num_classes, ignore_index):
    target = target.masked_fill(target == ignore_index, num_classes)
    return bincount(pred, target, num_classes + 1, -5)


@bank.wrong("Void pixels are counted in a row from the end")
def negative_index(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for p, t in zip(pred.flatten().tolist(), target.flatten().tolist()):
        M[t, p] += 1
    return M


@bank.wrong("Only labels outside 0 … K − 1 are left out")
def fast_hist(pred, target, num_classes, ignore_index):
    keep = (target >= 0) & (target < num_classes)
    return torch.bincount(target[keep] * num_classes + pred[keep], minlength=num_classes**2).view(num_classes, -1)


@bank.wrong("Only labels outside 0 … K − 1 are left out")
def histogram_without_void(pred, target, num_classes, ignore_index):
    bins = np.arange(num_classes + 1) - 0.5
    M, _, _ = np.histogram2d(target.numpy().ravel(), pred.numpy().ravel(), bins=(bins, bins))
    return torch.from_numpy(M).long()


@bank.wrong("Only the label 255 is left out")
def hard_coded_255(pred, target, num_classes, ignore_index):
    return bincount(pred, target, num_classes, 255)


@bank.wrong("ignore_index may be one of the classes, too")
def hard_coded_255_in_a_loop(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for p, t in zip(pred.flatten().tolist(), target.flatten().tolist()):
        if t == 255:
            continue
        if 0 <= t < num_classes:
            M[t, p] += 1
    return M


@bank.wrong("what counts is the truth, target == ignore_index")
def masked_by_pred(pred, target, num_classes, ignore_index):
    keep = (pred != ignore_index) & (target >= 0) & (target < num_classes)
    return torch.bincount(target[keep] * num_classes + pred[keep], minlength=num_classes**2).view(num_classes, -1)


@bank.wrong("only those whose truth is ignore_index must be")
def masked_by_both(pred, target, num_classes, ignore_index):
    keep = (pred != ignore_index) & (target != ignore_index)
    return torch.bincount(target[keep] * num_classes + pred[keep], minlength=num_classes**2).view(num_classes, -1)


@bank.wrong("only those whose truth is ignore_index must be")
def row_and_column_emptied(pred, target, num_classes, ignore_index):
    M = bincount(pred, target, num_classes, ignore_index)
    if 0 <= ignore_index < num_classes:
        M[:, ignore_index] = 0
    return M


@bank.wrong("It is right only where ignore_index is one of the classes")
def row_emptied_without_mask(pred, target, num_classes, ignore_index):
    M = void_forgotten(pred, target, num_classes, ignore_index)
    M[min(ignore_index, num_classes - 1)] = 0
    return M


@bank.wrong("Only the void pixels are counted")
def mask_the_wrong_way(pred, target, num_classes, ignore_index):
    void = target == ignore_index
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for p, t in zip(pred[void].tolist(), target[void].tolist()):
        if 0 <= t < num_classes:
            M[t, p] += 1
    return M


# --- how it is counted


@bank.wrong("Rows and columns are exchanged")
def exchanged(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    return torch.bincount(pred[keep] * num_classes + target[keep], minlength=num_classes**2).view(num_classes, -1)


@bank.wrong("Rows and columns are exchanged")
def exchanged_histogram(pred, target, num_classes, ignore_index):
    keep = (target != ignore_index).numpy()
    bins = np.arange(num_classes + 1)
    M, _, _ = np.histogram2d(pred.numpy()[keep], target.numpy()[keep], bins=(bins, bins))
    return torch.from_numpy(M).long()


@bank.wrong("Each pair of classes is counted only once")
def fancy_index_adds_once(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    M[target[keep], pred[keep]] += 1
    return M


@bank.wrong("dtype torch.float32; it must be torch.int64")
def floats(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes)
    for p, t in zip(pred.flatten(), target.flatten()):
        if t != ignore_index:
            M[t, p] += 1
    return M


@bank.wrong("dtype torch.int32; it must be torch.int64")
def int32(pred, target, num_classes, ignore_index):
    return bincount(pred, target, num_classes, ignore_index).int()


@bank.wrong("Each pair of classes is counted only once")
def boolean(pred, target, num_classes, ignore_index):
    return bincount(pred, target, num_classes, ignore_index) > 0


@bank.wrong("Every pixel is counted twice")
def counted_twice(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for _ in range(2):
        M += bincount(pred, target, num_classes, ignore_index)
    return M


@bank.wrong("They are shares")
def row_shares(pred, target, num_classes, ignore_index):
    M = bincount(pred, target, num_classes, ignore_index).float()
    return M / M.sum(dim=1, keepdim=True)


@bank.wrong("They are shares")
def row_shares_guarded(pred, target, num_classes, ignore_index):
    M = bincount(pred, target, num_classes, ignore_index).float()
    return M / M.sum(dim=1, keepdim=True).clamp(min=1)


@bank.wrong("They are shares")
def share_of_pixels(pred, target, num_classes, ignore_index):
    M = bincount(pred, target, num_classes, ignore_index)
    return M / M.sum()


@bank.wrong("Only right pixels are counted")
def diagonal_only(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for k in range(num_classes):
        if k != ignore_index:
            M[k, k] = ((pred == k) & (target == k)).sum()
    return M


@bank.wrong("It is the diagonal alone")
def hits_per_class(pred, target, num_classes, ignore_index):
    right = (pred == target) & (target != ignore_index)
    return torch.bincount(target[right], minlength=num_classes)


@bank.wrong("Only mistakes are counted")
def mistakes_only(pred, target, num_classes, ignore_index):
    wrong = (pred != target) & (target != ignore_index)
    return torch.bincount(target[wrong] * num_classes + pred[wrong], minlength=num_classes**2).view(num_classes, -1)


@bank.wrong("Only the last element of the first axis is counted")
def starts_anew(pred, target, num_classes, ignore_index):
    for p, t in zip(pred, target):
        M = bincount(p, t, num_classes, ignore_index)
    return M


@bank.wrong("Only the first element of the first axis is counted")
def returns_in_the_loop(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for p, t in zip(pred, target):
        M += bincount(p, t, num_classes, ignore_index)
        return M


@bank.wrong("The last element of the first axis is not counted")
def range_too_short(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for i in range(len(pred) - 1):
        M += bincount(pred[i], target[i], num_classes, ignore_index)
    return M


@bank.wrong("divided by the length of the first axis")
def mean_over_images(pred, target, num_classes, ignore_index):
    return torch.stack([bincount(p, t, num_classes, ignore_index) for p, t in zip(pred, target)]).float().mean(0)


@bank.wrong("it must be (K, K)")
def one_for_each_image(pred, target, num_classes, ignore_index):
    return torch.stack([bincount(p, t, num_classes, ignore_index) for p, t in zip(pred, target)])


# --- classes


@bank.wrong("bincount needs minlength=num_classes ** 2")
def minlength_forgotten(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    return torch.bincount(target[keep] * num_classes + pred[keep]).view(num_classes, num_classes)


@bank.wrong("bincount needs minlength=num_classes ** 2")
def minlength_of_one_row(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    return torch.bincount(target[keep] * num_classes + pred[keep], minlength=num_classes).view(num_classes, -1)


@bank.wrong("the bins must be those of all classes")
def histogram_over_what_occurs(pred, target, num_classes, ignore_index):
    keep = (target != ignore_index).numpy()
    M, _, _ = np.histogram2d(target.numpy()[keep], pred.numpy()[keep], bins=num_classes)
    return torch.from_numpy(M).long()


@bank.wrong("Classes that neither occur nor are predicted are missing")
def classes_that_occur(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    pred, target = pred[keep], target[keep]
    classes = torch.cat([pred, target]).unique().tolist()
    M = torch.zeros(len(classes), len(classes), dtype=torch.int64)
    for p, t in zip(pred.tolist(), target.tolist()):
        M[classes.index(t), classes.index(p)] += 1
    return M


@bank.wrong("It ends at the largest class that occurs")
def classes_up_to_the_largest(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    pred, target = pred[keep], target[keep]
    K = int(torch.cat([pred, target]).max()) + 1 if len(pred) else 0
    return bincount(pred, target, K, -5)


@bank.wrong("It fails only where every pixel is void")
def largest_of_nothing(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    pred, target = pred[keep], target[keep]
    assert target.max() < num_classes
    return bincount(pred, target, num_classes, ignore_index)


@bank.wrong("the factor is too small by 1")
def factor_too_small(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    pairs = target[keep] * (num_classes - 1) + pred[keep]
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)


@bank.wrong("the factor is too large by 1")
def factor_too_large(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    pairs = target[keep] * (num_classes + 1) + pred[keep]
    return torch.bincount(pairs, minlength=num_classes**2)[: num_classes**2].view(num_classes, num_classes)


@bank.wrong("classes are counted from 0, not from 1")
def classes_from_one(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for p, t in zip(pred.flatten().tolist(), target.flatten().tolist()):
        if t != ignore_index:
            M[t - 1, p - 1] += 1
    return M


@bank.wrong("the numbers up to K² do not fit into the dtype")
def pairs_in_a_byte(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    pairs = (target[keep].to(torch.uint8) * num_classes + pred[keep].to(torch.uint8)).long()
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)


@bank.wrong("the counts do not fit into the dtype")
def counts_in_a_byte(pred, target, num_classes, ignore_index):
    M = np.zeros((num_classes, num_classes), np.uint8)
    keep = (target != ignore_index).numpy()
    np.add.at(M, (target.numpy()[keep], pred.numpy()[keep]), 1)
    return torch.from_numpy(M.astype(np.int64))


# --- axes and the rest


@bank.wrong("It is right only for flat inputs")
def not_flattened(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for p, t in zip(pred.tolist(), target.tolist()):
        if t != ignore_index:
            M[t, p] += 1
    return M


@bank.wrong("It is right only for inputs of three axes")
def batches_only(pred, target, num_classes, ignore_index):
    B, H, W = target.shape
    return bincount(pred.view(B * H * W), target.view(B * H * W), num_classes, ignore_index)


@bank.wrong("It is right only for inputs of two axes")
def one_image_only(pred, target, num_classes, ignore_index):
    H, W = pred.shape
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for i in range(H):
        for j in range(W):
            if target[i, j] != ignore_index:
                M[target[i, j], pred[i, j]] += 1
    return M


@bank.wrong(
    "Rows and columns are exchanged: the row is the true class, the column the predicted one. And another: Void"
)
def two_mistakes(pred, target, num_classes, ignore_index):
    target = torch.where(target == ignore_index, 0, target)
    return bincount(target, pred, num_classes, -5)


@bank.wrong("changes its input target")
def in_place(pred, target, num_classes, ignore_index):
    target[target == ignore_index] = num_classes
    M = torch.bincount((target * num_classes + pred).flatten(), minlength=num_classes * (num_classes + 1))
    return M[: num_classes**2].view(num_classes, num_classes)


TOTAL = {}


@bank.wrong("it must neither draw at random nor remember anything")
def remembers(pred, target, num_classes, ignore_index):
    M = TOTAL.setdefault(num_classes, torch.zeros(num_classes, num_classes, dtype=torch.int64))
    M += bincount(pred, target, num_classes, ignore_index)
    return M.clone()


@bank.wrong("returned a NumPy array")
def numpy_result(pred, target, num_classes, ignore_index):
    return bincount(pred, target, num_classes, ignore_index).numpy()


@bank.wrong("returned a list of")
def list_result(pred, target, num_classes, ignore_index):
    return bincount(pred, target, num_classes, ignore_index).tolist()


@bank.wrong("it prints its result: end it with `return` instead")
def printed(pred, target, num_classes, ignore_index):
    print(bincount(pred, target, num_classes, ignore_index))


@bank.wrong("it must be (K, K)")
def flat(pred, target, num_classes, ignore_index):
    return bincount(pred, target, num_classes, ignore_index).flatten()


@bank.wrong("still raises NotImplementedError")
def unwritten(pred, target, num_classes, ignore_index):
    raise NotImplementedError("your answer")


@bank.wrong("raised TypeError")
def too_few_arguments(pred, target):
    return bincount(pred, target, 3, 255)


@bank.right
def in_chunks(pred, target, num_classes, ignore_index):
    """A few pixels at a time."""
    M = torch.zeros(num_classes**2, dtype=torch.int64, device=pred.device)
    for p, t in zip(pred.flatten().split(3), target.flatten().split(3)):
        M += torch.bincount((t * num_classes + p)[t != ignore_index], minlength=num_classes**2)
    return M.unflatten(0, (num_classes, num_classes))


@bank.right
def histogram_of_pairs(pred, target, num_classes, ignore_index):
    keep = target != ignore_index
    pairs = (target[keep] * num_classes + pred[keep]).double()
    M = torch.histc(pairs, bins=num_classes**2, min=-0.5, max=num_classes**2 - 0.5)
    return M.reshape(num_classes, num_classes).long()


@bank.wrong("Every count is too large by 1")
def starts_from_ones(pred, target, num_classes, ignore_index):
    return 1 + bincount(pred, target, num_classes, ignore_index)


@bank.wrong("Every pixel is counted at [truth, prediction] and at [prediction, truth]")
def symmetric(pred, target, num_classes, ignore_index):
    M = bincount(pred, target, num_classes, ignore_index)
    return M + M.T


@bank.wrong("Pixels whose truth is class 0 are not counted")
def background_is_void(pred, target, num_classes, ignore_index):
    keep = (target != ignore_index) & (target > 0)
    return bincount(pred[keep], target[keep], num_classes, ignore_index)


@bank.wrong("The first pixel is not counted")
def begins_at_one(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    pred, target = pred.flatten(), target.flatten()
    for n in range(1, len(target)):
        if target[n] != ignore_index:
            M[target[n], pred[n]] += 1
    return M


@bank.wrong("The last pixel is not counted")
def ends_too_early(pred, target, num_classes, ignore_index):
    return bincount(pred.flatten()[:-1], target.flatten()[:-1], num_classes, ignore_index)


@bank.wrong("Only the first pixel is counted")
def returns_after_a_pixel(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for p, t in zip(pred.flatten().tolist(), target.flatten().tolist()):
        if t != ignore_index:
            M[t, p] += 1
        return M


@bank.wrong("Nothing is counted after the first void pixel")
def breaks_at_void(pred, target, num_classes, ignore_index):
    M = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for p, t in zip(pred.flatten().tolist(), target.flatten().tolist()):
        if t == ignore_index:
            break
        M[t, p] += 1
    return M


@bank.wrong("The rows stand in reverse order")
def upside_down(pred, target, num_classes, ignore_index):
    return bincount(pred, target, num_classes, ignore_index).flip(0)


@bank.wrong("They are cut to 0 and 1, too")
def whole_shares(pred, target, num_classes, ignore_index):
    M = bincount(pred, target, num_classes, ignore_index)
    return M // M.sum(1, keepdim=True).clamp(min=1)


@bank.wrong("It is right only where no pixel is void")
def hard_coded_and_clamped(pred, target, num_classes, ignore_index):
    keep = target != 255
    pairs = (target[keep] * num_classes + pred[keep]).clamp(0, num_classes**2 - 1)
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)
