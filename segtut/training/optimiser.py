"""The optimiser."""

import torch

from segtut.training.recipe import Recipe


def make_optimiser(network: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """SGD or AdamW; biases, batch norm and γ are not decayed: shrinking them regularises nothing."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    free = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": free, "weight_decay": 0.0}]
    # fused: one kernel for all parameters instead of several for each
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=0.9, fused=True)
    return torch.optim.AdamW(groups, lr=recipe.lr, fused=True)
