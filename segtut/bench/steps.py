"""One training step, as tutorials write it and as `segtut.training.train` does it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segtut.bench.textbook import TextbookCCNet
from segtut.data import IGNORE_INDEX
from segtut.networks import SegmentationNetwork
from segtut.training.loss import network_loss
from segtut.training.optimiser import make_optimiser
from segtut.training.recipe import Recipe

Batch = tuple[Tensor, Tensor]
DTYPES = {"no": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass
class Step:
    """A network, its loss and its optimiser; a call trains it on one batch.

    Attributes
    ----------
    network : nn.Module
        Whose parameters are trained.
    loss : callable
        Images (B, 3, H, W) and label map (B, H, W) -> loss.
    optimiser : Optimizer
        Of the network's parameters.
    device : torch.device
        Where the network is, and batches go.
    precision : {"no", "bf16", "fp16"}
        Of the forward pass, by autocast; fp16 scales the loss, so that small gradients do not vanish.
    tuned : bool
        Let cuDNN look for its fastest convolutions, as `segtut.training.processes.start` does.
    """

    network: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    optimiser: torch.optim.Optimizer
    device: torch.device
    precision: str = "no"
    tuned: bool = False

    def __post_init__(self):
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.precision == "fp16")

    def forward(self, batch: Batch) -> Tensor:
        """The loss, with its graph."""
        image, target = (t.to(self.device, non_blocking=True) for t in batch)
        with torch.autocast(self.device.type, DTYPES[self.precision], enabled=self.precision != "no"):
            return self.loss(image, target)

    def __call__(self, batch: Batch) -> None:
        """Forward, backward, update."""
        with torch.backends.cudnn.flags(enabled=True, benchmark=self.tuned):
            self.scaler.scale(self.forward(batch)).backward()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)


def textbook_step(network: SegmentationNetwork, recipe: Recipe, device: torch.device) -> Step:
    """NCHW, float32, PyTorch's loss and its AdamW as they come."""
    network = TextbookCCNet(network).train().to(device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)

    def loss(image: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(network(image), target, ignore_index=IGNORE_INDEX)

    return Step(network, loss, optimiser, device)


def our_step(network: SegmentationNetwork, recipe: Recipe, device: torch.device, precision: str) -> Step:
    """channels_last, autocast, our loss and the recipe's optimiser; the weights are copied."""
    network = copy.deepcopy(network).train().to(device, memory_format=torch.channels_last)
    optimiser = make_optimiser(network, recipe)
    return Step(network, partial(network_loss, network), optimiser, device, precision, tuned=True)
