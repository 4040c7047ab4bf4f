"""Answers to the question which pixels can influence a pixel after R passes."""

from collections import deque
from functools import lru_cache, partial

import numpy as np
import torch

from tests.checks.bank import Bank

bank = Bank("check_reach")


@bank.right
def by_reasoning(H, W, u, R):
    mask = torch.zeros(H, W, dtype=torch.bool)
    mask[u] = True
    if R >= 1:
        mask[u[0], :] = True
        mask[:, u[1]] = True
    if R >= 2:
        mask[:] = True
    return mask


@bank.right
def pass_after_pass(H, W, u, R):
    reached = {u}
    for _ in range(R):
        reached |= {(h, j) for _, j in reached for h in range(H)} | {(i, w) for i, _ in reached for w in range(W)}
    return torch.tensor([[(i, j) in reached for j in range(W)] for i in range(H)])


@bank.right
def power_of_the_mask(H, W, u, R):
    n = torch.arange(H * W)
    cross = (n[:, None] // W == n // W) | (n[:, None] % W == n % W)
    return torch.linalg.matrix_power(cross.double(), R)[u[0] * W + u[1]].reshape(H, W) > 0


@bank.right
def numpy_array(H, W, u, R):
    mask = np.zeros((H, W), dtype=bool)
    mask[u[0], u[1]] = True
    for _ in range(R):
        mask = mask.any(axis=0, keepdims=True) | mask.any(axis=1, keepdims=True)
    return mask


@bank.right
def rows_and_columns_that_hold_one(H, W, u, R):
    mask = torch.zeros(H, W).bool()
    mask[u[0]][u[1]] = True
    for _ in range(R):
        mask = mask.any(dim=0)[None, :] | mask.any(dim=1)[:, None]
    return mask


@bank.right
def recursive(H, W, u, R):
    if R == 0:
        i, j = u
        return torch.eye(H, dtype=torch.bool)[i][:, None] & torch.eye(W, dtype=torch.bool)[j]
    before = recursive(H, W, u, R - 1)
    return before.any(0).expand(H, W) | before.any(1).unsqueeze(1).expand(H, W)


@bank.right
def breadth_first_search(H, W, u, R):
    steps, queue = {tuple(u): 0}, deque([tuple(u)])
    while queue:
        i, j = queue.popleft()
        for s in [(h, j) for h in range(H)] + [(i, w) for w in range(W)]:
            if s not in steps:
                steps[s] = steps[(i, j)] + 1
                queue.append(s)
    return torch.tensor([[steps[i, j] <= R for j in range(W)] for i in range(H)], dtype=torch.bool)


@bank.right
def number_of_coordinates_that_differ(H, W, u, R):
    rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    return (rows != u[0]).int() + (columns != u[1]).int() <= R


@bank.right
def by_the_gradient(H, W, u, R):
    x = torch.zeros(H, W, requires_grad=True)
    y = x
    for _ in range(R):
        y = y.sum(0, keepdim=True) + y.sum(1, keepdim=True)
    (gradient,) = torch.autograd.grad(y[u[0], u[1]], x)
    return gradient > 0


@bank.right
def by_convolution(H, W, u, R):
    mask = dot(H, W, u)[None, None].float()
    for _ in range(R):
        down = torch.conv2d(mask, torch.ones(1, 1, 2 * H - 1, 1), padding=(H - 1, 0))
        mask = (down + torch.conv2d(mask, torch.ones(1, 1, 1, 2 * W - 1), padding=(0, W - 1)) > 0).float()
    return mask[0, 0] > 0.5


@bank.right
def numpy_from_a_cached_broadcast(H, W, u, R):
    @lru_cache
    def lines(R):
        return (np.arange(H)[:, None] != u[0]) * 1 + (np.arange(W) != u[1])

    return np.asfortranarray(lines(R) <= min(R, 2))[::-1][::-1]


bank.right(lambda H, W, u, R: torch.BoolTensor([[(i != u[0]) + (j != u[1]) <= R for j in range(W)] for i in range(H)]))
bank.right(partial(lambda extra, H, W, u, R: by_reasoning(H, W, u, R + extra), 0))


def cross(H, W, u):
    mask = torch.zeros(H, W, dtype=torch.bool)
    mask[u[0]], mask[:, u[1]] = True, True
    return mask


def dot(H, W, u):
    mask = torch.zeros(H, W, dtype=torch.bool)
    mask[u] = True
    return mask


@bank.wrong("A pass is missing")
def one_pass_too_few(H, W, u, R):
    mask = dot(H, W, u)
    for _ in range(1, R):
        mask = mask.any(0)[None] | mask.any(1)[:, None]
    return mask


@bank.wrong("There is a pass too many")
def one_pass_too_many(H, W, u, R):
    mask = dot(H, W, u)
    for _ in range(R + 1):
        mask = mask.any(0)[None] | mask.any(1)[:, None]
    return mask


@bank.wrong("the cross of a single pass every time")
def ignores_r(H, W, u, R):
    return cross(H, W, u)


@bank.wrong("After the first pass nothing is added")
def never_more_than_the_cross(H, W, u, R):
    mask = dot(H, W, u)
    if R > 0:
        mask |= cross(H, W, u)
    return mask


@bank.wrong("The second pass adds nothing")
def everything_from_three_on(H, W, u, R):
    if R < 3:
        return never_more_than_the_cross(H, W, u, R)
    return torch.ones(H, W, dtype=torch.bool)


@bank.wrong("u is read as (column, row)")
def x_and_y(H, W, u, R):
    x, y = u
    if R == 0:
        return dot(H, W, (y, x))
    return cross(H, W, (y, x)) if R == 1 else torch.ones(H, W, dtype=torch.bool)


@bank.wrong("u is read as (column, row)")
def x_and_y_in_a_comparison(H, W, u, R):
    rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    return (rows != u[1]).int() + (columns != u[0]).int() <= R


@bank.wrong("Only the row is there")
def row_only(H, W, u, R):
    mask = dot(H, W, u)
    for _ in range(R):
        mask = mask | mask.any(dim=1, keepdim=True)
    return mask


@bank.wrong("Only the column is there")
def column_only(H, W, u, R):
    mask = dot(H, W, u)
    for _ in range(R):
        mask = mask | mask.any(dim=0, keepdim=True)
    return mask


@bank.wrong("The diagonals are in it too")
def as_a_queen(H, W, u, R):
    reached = {u}
    for _ in range(R):
        reached |= {
            (h, w)
            for i, j in reached
            for h in range(H)
            for w in range(W)
            if h == i or w == j or abs(h - i) == abs(w - j)
        }
    return torch.tensor([[(i, j) in reached for j in range(W)] for i in range(H)])


@bank.wrong("the cross is only made wider")
def wider_cross(H, W, u, R):
    if R == 0:
        return dot(H, W, u)
    rows, columns = torch.arange(H)[:, None], torch.arange(W)
    return ((rows - u[0]).abs() < R) | ((columns - u[1]).abs() < R)


@bank.wrong("one step far along the cross")
def arms_of_length_r(H, W, u, R):
    mask = torch.zeros(H, W, dtype=torch.bool)
    mask[max(u[0] - R, 0) : u[0] + R + 1, u[1]] = True
    mask[u[0], max(u[1] - R, 0) : u[1] + R + 1] = True
    return mask


@bank.wrong("(a diamond)")
def diamond(H, W, u, R):
    rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    return (rows - u[0]).abs() + (columns - u[1]).abs() <= R


@bank.wrong("(a box, as in a 3×3 convolution)")
def box(H, W, u, R):
    rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    return torch.maximum((rows - u[0]).abs(), (columns - u[1]).abs()) <= R


@bank.wrong("(a box, as in a 3×3 convolution)")
def window(H, W, u, R):
    mask = np.zeros((H, W), dtype=bool)
    mask[max(u[0] - R, 0) : u[0] + R + 1, max(u[1] - R, 0) : u[1] + R + 1] = True
    return mask


@bank.wrong("One pass is said to reach everything")
def everything_at_once(H, W, u, R):
    return dot(H, W, u) if R == 0 else torch.ones(H, W, dtype=torch.bool)


@bank.wrong("It looks along the diagonals")
def diagonals(H, W, u, R):
    rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    below, right = (rows - u[0]).abs(), (columns - u[1]).abs()
    return below == right if R else below + right == 0


@bank.wrong("the first along the row and the second along the column")
def one_line_a_pass(H, W, u, R):
    mask = dot(H, W, u)
    for step in range(R):
        mask = mask | mask.any(dim=1 - step % 2, keepdim=True)
    return mask


@bank.wrong("What has reached a pixel does not stay there")
def neighbours_without_itself(H, W, u, R):
    n = torch.arange(H * W)
    looks = (n[:, None] // W == n // W) ^ (n[:, None] % W == n % W)
    return torch.linalg.matrix_power(looks.double(), R)[u[0] * W + u[1]].reshape(H, W) > 0


@bank.wrong("u itself is missing: ")
def without_itself(H, W, u, R):
    mask = by_reasoning(H, W, u, R)
    mask[u] = False
    return mask


@bank.wrong("u itself is missing from R = 1 on")
def without_itself_after_a_pass(H, W, u, R):
    mask = by_reasoning(H, W, u, R)
    if R:
        mask[u] = False
    return mask


@bank.wrong("For R = 0 nothing is reached")
def starts_empty(H, W, u, R):
    mask = torch.zeros(H, W, dtype=torch.bool)
    if R >= 1:
        mask = cross(H, W, u)
    if R >= 2:
        mask[:] = True
    return mask


@bank.wrong("u itself is missing for R = 1")
def xor_of_column_and_row(H, W, u, R):
    mask = dot(H, W, u)
    if R == 1:
        mask = (torch.arange(H) == u[0])[:, None] ^ (torch.arange(W) == u[1])
    return mask if R < 2 else ~torch.zeros_like(mask)


@bank.wrong("Only pixels that the last pass adds")
def newly_reached(H, W, u, R):
    new = done = dot(H, W, u)
    for _ in range(R):
        grown = done.any(0)[None] | done.any(1)[:, None]
        new, done = grown & ~done, grown
    return new


@bank.wrong("It is inverted")
def not_reached(H, W, u, R):
    return ~by_reasoning(H, W, u, R)


@bank.wrong("H and W are swapped")
def transposed(H, W, u, R):
    return by_reasoning(H, W, u, R).T


@bank.wrong("W rows and H columns")
def made_as_width_by_height(H, W, u, R):
    mask = torch.zeros(W, H, dtype=torch.bool)
    mask[u] = True
    for _ in range(R):
        mask = mask.any(0)[None] | mask.any(1)[:, None]
    return mask


@bank.wrong("merged into one axis")
def flat(H, W, u, R):
    return power_of_the_mask(H, W, u, R).flatten()


@bank.wrong("There is an axis too many")
def with_a_batch_axis(H, W, u, R):
    return by_reasoning(H, W, u, R)[None]


@bank.wrong("right only where H = W")
def square_only(H, W, u, R):
    n = torch.arange(H * W)
    on_cross = (n[:, None] // H == n // H) | (n[:, None] % H == n % H)
    return torch.linalg.matrix_power(on_cross.double(), R)[u[0] * H + u[1]].reshape(H, W) > 0


@bank.wrong("right only for R = 0 and R = 1")
def no_third_case(H, W, u, R):
    return {0: dot(H, W, u), 1: cross(H, W, u)}[R]


@bank.wrong("right up to R = 2 only")
def no_fourth_case(H, W, u, R):
    return [dot(H, W, u), cross(H, W, u), torch.ones(H, W, dtype=torch.bool)][R]


@bank.wrong("right up to R = 2 only")
def exactly_two(H, W, u, R):
    mask = never_more_than_the_cross(H, W, u, R)
    if R == 2:
        mask = torch.ones(H, W, dtype=torch.bool)
    return mask


@bank.wrong("dtype torch.int64; it must be torch.bool")
def number_of_ways(H, W, u, R):
    n = torch.arange(H * W)
    on_cross = (n[:, None] // W == n // W) | (n[:, None] % W == n % W)
    return torch.linalg.matrix_power(on_cross.double(), R).long()[u[0] * W + u[1]].reshape(H, W)


@bank.wrong("dtype torch.float32; it must be torch.bool")
def ones_and_zeros(H, W, u, R):
    return by_reasoning(H, W, u, R).float()


@bank.wrong("dtype torch.uint8; it must be torch.bool")
def numpy_uint8(H, W, u, R):
    return by_reasoning(H, W, u, R).numpy().astype(np.uint8)


@bank.wrong("returned a list")
def nested_lists(H, W, u, R):
    return by_reasoning(H, W, u, R).tolist()


@bank.wrong("returned a set; it must return one torch.Tensor")
def set_of_pixels(H, W, u, R):
    return {(i, j) for i in range(H) for j in range(W) if (i != u[0]) + (j != u[1]) <= R}


@bank.wrong("raised TypeError")
def without_r(H, W, u):
    return cross(H, W, u)


@bank.wrong("It is right only for a pixel with equal row and column")
def row_and_column_mixed_up(H, W, u, R):
    if R == 0:
        return dot(H, W, u)
    return cross(H, W, (min(u), min(u))) if R == 1 else torch.ones(H, W, dtype=torch.bool)


@bank.wrong("something else when it is called again")
def random_pixels(H, W, u, R):
    return torch.rand(H, W) < 0.5


@bank.wrong("still raises NotImplementedError")
def unwritten(H, W, u, R):
    raise NotImplementedError


@bank.right
def gradient_of_a_sum(H, W, u, R):
    x = torch.zeros(H, W, requires_grad=True)
    y = x
    for _ in range(R):
        y = y.sum(0, keepdim=True) + y.sum(1, keepdim=True)
    return torch.autograd.grad(y[u[0], u[1]], x)[0] != 0


@bank.right
def array_in_another_order(H, W, u, R):
    rows, columns = np.ogrid[:H, :W]
    return np.asfortranarray((rows != u[0]).astype(int) + (columns != u[1]) <= R)


@bank.wrong("The map is changed while a pass runs through it")
def grown_in_place(H, W, u, R):
    mask = torch.zeros(H, W, dtype=torch.bool)
    mask[u] = True
    for _ in range(R):
        for i in range(H):
            for j in range(W):
                if mask[i, j]:
                    mask[i, :] = True
                    mask[:, j] = True
    return mask


@bank.wrong("Nothing is True")
def nothing(H, W, u, R):
    return torch.zeros(H, W, dtype=torch.bool)


@bank.wrong("asks for a GPU, which is not there")
def on_a_gpu_by_name(H, W, u, R):
    if torch.cuda.is_available():
        raise RuntimeError("Found no NVIDIA driver on your system.")
    return by_reasoning(H, W, u, R).cuda()
