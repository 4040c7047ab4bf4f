"""Answers to ``iou_per_class(matrix)``."""

import math
from functools import partial

import numpy as np
import torch

from segtut.training import iou_per_class as the_package
from tests.checks.bank import Bank

bank = Bank("check_iou_per_class")


@bank.right
def vectors(matrix):
    hit = matrix.diagonal()
    return hit / (matrix.sum(0) + matrix.sum(1) - hit)


@bank.right
def loops(matrix):
    K, ious = len(matrix), []
    for k in range(K):
        hit = row = column = 0
        for j in range(K):
            row += matrix[k, j].item()
            column += matrix[j, k].item()
        hit = matrix[k, k].item()
        union = row + column - hit
        ious.append(hit / union if union else math.nan)
    return torch.tensor(ious)


@bank.right
def float32(matrix):
    matrix = matrix.float()
    true, called, hit = matrix.sum(1), matrix.sum(0), torch.diag(matrix)
    return hit / (true + called - hit)


@bank.right
def false_positives_and_negatives(matrix):
    right = torch.eye(len(matrix), dtype=torch.bool)
    tp = matrix[right].double()
    errors = matrix.masked_fill(right, 0)
    return tp / (tp + errors.sum(0) + errors.sum(1))


@bank.right
def numpy_inside(matrix):
    M = matrix.numpy().astype(float)
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(np.diag(M) / (M.sum(0) + M.sum(1) - np.diag(M)))


@bank.right
def einsum(matrix):
    M = matrix.double()
    hit = torch.einsum("kk->k", M)
    union = torch.einsum("kj->k", M) + torch.einsum("jk->k", M) - hit
    return torch.where(union > 0, hit / union.clamp(min=1), torch.nan)


@bank.right
def from_dice(matrix):
    M = matrix.double()
    dice = 2 * M.trace() * 0 + 2 * M.diagonal() / (M.sum(0) + M.sum(1))
    return dice / (2 - dice)


@bank.right
def row_and_column_by_hand(matrix):
    def one(k):
        others = [j for j in range(len(matrix)) if j != k]
        union = matrix[k, k] + matrix[k, others].sum() + matrix[others, k].sum()
        return matrix[k, k] / union

    return torch.stack([one(k) for k in range(len(matrix))])


@bank.right
def with_try(matrix):
    ious = torch.empty(len(matrix), dtype=torch.float64)
    for k in range(len(matrix)):
        try:
            ious[k] = int(matrix[k, k]) / int(matrix[k].sum() + matrix[:, k].sum() - matrix[k, k])
        except ZeroDivisionError:
            ious[k] = float("nan")
    return ious


@bank.right
def transposed(matrix):
    """IoU is the same for the transposed matrix."""
    return the_package(matrix.T)


class Score:
    def __call__(self, m):
        return vectors(m.double())


bank.right(Score())
bank.right(the_package)
bank.right(partial(float32))
bank.right(lambda m: torch.stack([m[k, k] / (m[k].sum() + m[:, k].sum() - m[k, k]) for k in range(m.shape[0])]))


@bank.right
def prints(matrix):
    print(matrix)
    return vectors(matrix)


# --- the union


@bank.wrong("The union counts the hits twice")
def hits_twice(matrix):
    return matrix.diagonal() / (matrix.sum(0) + matrix.sum(1))


@bank.wrong("The union lacks the hits")
def hits_taken_off_twice(matrix):
    hit = matrix.diagonal()
    fp, fn = matrix.sum(0) - hit, matrix.sum(1) - hit
    return hit / (fp + fn)


@bank.wrong("It is recall")
def recall(matrix):
    return matrix.diagonal() / matrix.sum(1)


@bank.wrong("It is precision")
def precision(matrix):
    return torch.stack([matrix[k, k] / matrix[:, k].sum() for k in range(len(matrix))])


@bank.wrong("It is Dice (F1)")
def dice(matrix):
    hit = matrix.diagonal().double()
    return 2 * hit / (matrix.sum(0) + matrix.sum(1))


@bank.wrong("The hits are divided by all pixels")
def share_of_all(matrix):
    return matrix.diagonal() / matrix.sum()


@bank.wrong("The hits are divided by the larger of row and column")
def larger(matrix):
    return matrix.diagonal() / torch.maximum(matrix.sum(0), matrix.sum(1))


@bank.wrong("The hits are divided by the smaller of row and column")
def overlap_coefficient(matrix):
    return matrix.diagonal() / torch.minimum(matrix.sum(0), matrix.sum(1))


@bank.wrong("It is the share of pixels that are right about the class")
def one_against_all(matrix):
    total, ious = matrix.sum().double(), []
    for k in range(len(matrix)):
        tp = matrix[k, k]
        fp, fn = matrix[:, k].sum() - tp, matrix[k].sum() - tp
        tn = total - tp - fp - fn
        ious.append((tp + tn) / total)
    return torch.stack(ious)


@bank.wrong("The row is added twice")
def row_twice(matrix):
    hit = matrix.diagonal()
    return hit / (matrix.sum(1) + matrix.sum(dim=-1) - hit)


@bank.wrong("The column is added twice")
def column_twice(matrix):
    hit = matrix.diagonal()
    return hit / (matrix.sum(0) + matrix.T.sum(1) - hit)


@bank.wrong("The hits of all classes are added up")
def hits_of_all(matrix):
    hit = matrix.diagonal().sum()
    return hit / (matrix.sum(0) + matrix.sum(1) - hit)


# --- classes that are nowhere


@bank.wrong("has 0: it must be NaN")
def nan_to_num(matrix):
    return torch.nan_to_num(vectors(matrix))


@bank.wrong("has 0: it must be NaN")
def epsilon_below(matrix):
    hit = matrix.diagonal()
    return hit / (matrix.sum(0) + matrix.sum(1) - hit + 1e-9)


@bank.wrong("has 0: it must be NaN")
def clamped_union(matrix):
    hit = matrix.diagonal()
    return hit / (matrix.sum(0) + matrix.sum(1) - hit).clamp(min=1)


@bank.wrong("has 0: it must be NaN")
def zeros_to_fill(matrix):
    ious = torch.zeros(len(matrix))
    for k in range(len(matrix)):
        union = matrix[k].sum() + matrix[:, k].sum() - matrix[k, k]
        if union > 0:
            ious[k] = matrix[k, k] / union
    return ious


@bank.wrong("has 1: it must be NaN")
def ones_where_absent(matrix):
    return torch.nan_to_num(vectors(matrix), nan=1.0)


@bank.wrong("has 1: it must be NaN")
def epsilon_above_and_below(matrix):
    hit = matrix.diagonal()
    return (hit + 1e-7) / (matrix.sum(0) + matrix.sum(1) - hit + 1e-7)


@bank.wrong("has −1: it must be NaN")
def minus_one(matrix):
    return torch.nan_to_num(vectors(matrix), nan=-1.0)


@bank.wrong("has ∞: it must be NaN")
def infinity(matrix):
    union = matrix.sum(0) + matrix.sum(1) - matrix.diagonal()
    return torch.where(union == 0, torch.inf, matrix.diagonal() / union)


@bank.wrong("the result must have K entries, NaN there")
def absent_left_out(matrix):
    ious = vectors(matrix)
    return ious[~ious.isnan()]


@bank.wrong("A class that never occurs has NaN though it is predicted")
def absent_by_truth(matrix):
    ious = vectors(matrix)
    ious[matrix.sum(1) == 0] = torch.nan
    return ious


@bank.wrong("A class that is never predicted has NaN though it occurs")
def absent_by_prediction(matrix):
    ious = vectors(matrix)
    ious[matrix.sum(0) == 0] = torch.nan
    return ious


@bank.wrong("A class that occurs without being predicted, or the other way round, has NaN")
def precision_and_recall(matrix):
    """Dice of precision and recall, which are 0 / 0 where there is nothing in a column or a row."""
    M = matrix.double()
    p, r = M.diagonal() / M.sum(0), M.diagonal() / M.sum(1)
    f1 = torch.where((p == 0) & (r == 0), 0, 2 * p * r / (p + r))
    return f1 / (2 - f1)


@bank.wrong("A class without hits has NaN")
def without_hits(matrix):
    hit = matrix.diagonal()
    return torch.where(hit > 0, vectors(matrix), torch.nan)


@bank.wrong("A class without hits has NaN")
def inverse_formula(matrix):
    """1 / (1/p + 1/r − 1) with the 0 / 0 of a class without hits."""
    M = matrix.double()
    hit = M.diagonal()
    return hit * hit / (hit * (M.sum(0) + M.sum(1) - hit))


@bank.wrong("It is right only where every class occurs or is predicted")
def division_by_zero(matrix):
    M = matrix.tolist()
    K = len(M)
    return torch.tensor([M[k][k] / (sum(M[k]) + sum(M[j][k] for j in range(K)) - M[k][k]) for k in range(K)])


@bank.wrong("Something is added to hits and union")
def laplace(matrix):
    hit = matrix.diagonal()
    return (hit + 1) / (matrix.sum(0) + matrix.sum(1) - hit + 1)


# --- hits and counts


@bank.wrong("The largest entry of each row is taken for the hits")
def row_maximum(matrix):
    hit = matrix.max(dim=1).values
    return hit / (matrix.sum(0) + matrix.sum(1) - hit)


@bank.wrong("The largest entry of each column is taken for the hits")
def column_maximum(matrix):
    hit = matrix.amax(dim=0)
    return hit / (matrix.sum(0) + matrix.sum(1) - hit)


@bank.wrong("The hits are read off the wrong diagonal")
def other_diagonal(matrix):
    hit = matrix.flip(1).diagonal()
    return hit / (matrix.sum(0) + matrix.sum(1) - hit)


@bank.wrong("The counts do not fit into 32 bits")
def int32(matrix):
    return vectors(matrix.int())


@bank.wrong("It is right only for small counts")
def float16(matrix):
    return vectors(matrix.half()).float()


@bank.wrong("The rows are divided by their sums first")
def rows_normalised(matrix):
    return vectors(matrix / matrix.sum(1, keepdim=True))


@bank.wrong("The columns are divided by their sums first")
def columns_normalised(matrix):
    return vectors(matrix / matrix.sum(0, keepdim=True))


# --- the result


@bank.wrong("This one is the mean IoU")
def mean(matrix):
    return vectors(matrix).nanmean()


@bank.wrong("This one is a mean")
def mean_with_nan(matrix):
    return vectors(matrix).mean()


@bank.wrong("This one is the pixel accuracy")
def accuracy(matrix):
    return matrix.trace() / matrix.sum()


@bank.wrong("Class 0 is missing")
def background_left_out(matrix):
    return vectors(matrix)[1:]


@bank.wrong("It is 1 minus the IoU")
def distance(matrix):
    return 1 - vectors(matrix)


@bank.wrong("the classes must not be weighted")
def frequency_weighted(matrix):
    return matrix.sum(1) / matrix.sum() * vectors(matrix)


@bank.wrong("It is rounded")
def rounded(matrix):
    return torch.round(vectors(matrix), decimals=2)


@bank.wrong("It is in percent")
def percent(matrix):
    return 100 * vectors(matrix)


@bank.wrong("It is divided without the decimals")
def whole_numbers(matrix):
    return torch.floor(vectors(matrix))


@bank.wrong("It is divided without the decimals")
def integer_division(matrix):
    hit = matrix.diagonal()
    return hit // (matrix.sum(0) + matrix.sum(1) - hit)


@bank.wrong("0: it must be NaN, so that a mean can leave it out. A small number added to the denominator, "
            "nan_to_num and clamp do that. And another: It is divided without the decimals")  # fmt: skip
def filled_integers(matrix):
    ious = torch.zeros_like(matrix[0])
    for k in range(len(matrix)):
        union = matrix[k].sum() + matrix[:, k].sum() - matrix[k, k]
        if union:
            ious[k] = matrix[k, k] / union
    return ious


@bank.wrong("it must be torch.float32 or torch.float64")
def half_precision(matrix):
    return the_package(matrix).to(torch.bfloat16)


@bank.wrong("changes its input matrix")
def in_place(matrix):
    hit = matrix.diagonal().clone()
    errors = matrix.fill_diagonal_(0)
    return hit / (hit + errors.sum(0) + errors.sum(1))


@bank.wrong("subtract them once. And another: A class")
def two_mistakes(matrix):
    return torch.nan_to_num(hits_twice(matrix))


@bank.wrong("it must be (K,) = ")
def table(matrix):
    return vectors(matrix)[:, None]


@bank.wrong("returned a list of")
def python_list(matrix):
    return vectors(matrix).tolist()


@bank.wrong("returned a dict")
def by_name(matrix):
    return dict(enumerate(vectors(matrix)))


@bank.wrong("does it end with `return`?")
def nothing(matrix):
    vectors(matrix)


@bank.wrong("raised IndexError")
def eleven_classes(matrix):
    return torch.stack([matrix[k, k] / (matrix[k].sum() + matrix[:, k].sum() - matrix[k, k]) for k in range(11)])


@bank.right
def of_masks(matrix):
    """Row and column of a class as one mask."""
    ious = []
    for k in range(len(matrix)):
        union = torch.zeros_like(matrix, dtype=torch.bool)
        union[k], union[:, k] = True, True
        ious.append(matrix[k, k].double() / matrix[union].sum())
    return torch.stack(ious)


@bank.wrong("All classes have the same number, the mean IoU")
def mean_for_all(matrix):
    return vectors(matrix).nanmean().expand(len(matrix))


@bank.wrong("It is recall, hits divided by the row: the union has the column, too. And another: A class that neither")
def recall_or_zero(matrix):
    return matrix.diagonal() / matrix.sum(1).clamp(min=1)


@bank.wrong("It is precision")
def precision_or_zero(matrix):
    return (matrix.diagonal() / matrix.sum(0)).nan_to_num()


@bank.wrong("Class 0 has NaN")
def background_is_nan(matrix):
    iou = vectors(matrix)
    iou[0] = math.nan
    return iou


@bank.wrong("The rows are divided by their sums first, where")
def rows_normalised_guarded(matrix):
    return vectors(matrix / matrix.sum(1, keepdim=True).clamp(min=1))


@bank.wrong("The last class is missing")
def last_class_left_out(matrix):
    return vectors(matrix)[:-1]


@bank.wrong("The last row and column are left out")
def last_row_and_column_are_void(matrix):
    return vectors(matrix[:-1, :-1])


@bank.wrong("It is right only for small counts")
def sums_in_32_bits(matrix):
    matrix = matrix.int()
    hit = matrix.diagonal()
    return hit / (matrix.sum(0, dtype=torch.int32) + matrix.sum(1, dtype=torch.int32) - hit)
