"""The two lines of a cross: what the questions of assignment 2 share."""

import torch
from torch import Tensor


def products(q: Tensor, k: Tensor, merged: str = "right") -> tuple[Tensor, Tensor]:
    """Queries times the keys of their column, (B, H, W, H), and of their row, (B, H, W, W)."""
    B, C, H, W = q.shape
    column, row = torch.einsum("bchw,bcgw->bhwg", q, k), torch.einsum("bchw,bchg->bhwg", q, k)
    if merged in ("(B·W, C, H)", "both"):
        column = (q.reshape(B * W, C, H).mT @ k.reshape(B * W, C, H)).view(B, W, H, H).transpose(1, 2)
    if merged in ("(B·H, C, W)", "both"):
        row = (q.reshape(B * H, C, W).mT @ k.reshape(B * H, C, W)).view(B, H, W, W)
    if merged in ("(B·W, H, C)", "both, channels last"):
        column = (q.reshape(B * W, H, C) @ k.reshape(B * W, C, H)).view(B, W, H, H).transpose(1, 2)
    if merged in ("(B·H, W, C)", "both, channels last"):
        row = (q.reshape(B * H, W, C) @ k.reshape(B * H, C, W)).view(B, H, W, W)
    if merged in ("all columns", "all"):
        column = torch.einsum("bchw,bcgv->bhwg", q, k)
    if merged in ("all rows", "all"):
        row = torch.einsum("bchw,bcvg->bhwg", q, k)
    return column, row


def own_entries(H: int, W: int) -> tuple[Tensor, Tensor]:
    """Where a pixel meets itself in its column, (H, W, H), and in its row, (H, W, W)."""
    return torch.eye(H).bool()[:, None].expand(H, W, H), torch.eye(W).bool().expand(H, W, W)
