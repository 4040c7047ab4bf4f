"""One backbone with the four heads whose maps the explorer shows, trained together."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from segtut.data import NUM_CLASSES, Scenes, normalise, open_splits
from segtut.files import write_atomically
from segtut.networks import CCHead, DAHead, GCHead, NonLocalHead, SegmentationNetwork, build_network
from segtut.training import CheckpointError, Recipe, Run, train

EPOCHS = (0, 1, 3, 8, 16, 30)
"""After how many epochs the weights are kept, for the explorer's slider."""


def recipe() -> Recipe:
    """Train on all procedural scenes, in float32 on one CPU core in 70 minutes (``recorded/card.json``)."""
    return Recipe(
        "explorer", epochs=EPOCHS[-1], batch_size=8, crop=(96, 128), zoom=(1.0, 1.6), colour=0.2, balance=True,
        scenes_size=(120, 160),
    )  # fmt: skip


class SideBySide(nn.Module):
    """Heads on the same features, each with a loss of its own: scores (B, K, H, W) of each, in order."""

    def __init__(self, heads: dict[str, nn.Module]):
        super().__init__()
        self.heads = nn.ModuleDict(heads)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, C, H, W) -> a tuple of scores, the prediction of each head."""
        return tuple(head(x)[0] for head in self.heads.values())


def four_heads() -> SegmentationNetwork:
    """CCNet (R = 2), non-local, DANet (position attention alone) and GCNet on one ResNet-18, with random weights."""
    torch.manual_seed(0)
    network = build_network("fcn", "resnet18", NUM_CLASSES)
    C = network.backbone.channels[-1]
    network.head = SideBySide(
        {
            "ccnet": CCHead(C, NUM_CLASSES, recurrence=2),
            "nonlocal": NonLocalHead(C, NUM_CLASSES),
            "danet": DAHead(C, NUM_CLASSES, branches="position"),
            "gcnet": GCHead(C, NUM_CLASSES),
        }
    )
    # `build_network` cannot make this one again, so its description has a name of its own
    network.spec = {"name": "side by side", "heads": list(network.head.heads), "backbone": "resnet18",
                    "num_classes": NUM_CLASSES, "output_stride": 8}  # fmt: skip
    return network


def snapshot(folder: Path, epoch: int) -> Path:
    """Where the weights after `epoch` epochs are."""
    return folder / f"epoch-{epoch:03}.safetensors"


def train_side_by_side(
    folder: str | Path, how: Recipe | None = None, epochs: tuple[int, ...] = EPOCHS, progress: bool = True
) -> Run:
    """Train the four heads, and keep the weights after each of `epochs`.

    Parameters
    ----------
    folder : path
        As for `segtut.training.train`: an interrupted training goes on, a finished one is read.
    how : Recipe, optional
        `recipe` by default.
    epochs : tuple of int
        When the weights are kept; 0 is before the first step.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Run
    """
    folder, how = Path(folder), how or recipe()
    folder.mkdir(parents=True, exist_ok=True)
    network = four_heads()

    def keep(history=None) -> None:
        epoch = 0 if history is None else int(history["epoch"].iloc[-1])
        if epoch in epochs:
            weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
            write_atomically(snapshot(folder, epoch), lambda file: save_file(weights, file))

    if not snapshot(folder, 0).is_file():
        keep()
    data = open_splits("scenes", how.images, how.scenes_size)
    return train(network, data, how, folder, on_epoch=keep, progress=progress)


def at_epoch(folder: str | Path, epoch: int, how: Recipe | None = None) -> SegmentationNetwork:
    """The network with the weights that it had after `epoch` epochs, ready to look at images.

    Before training batch norm has seen nothing yet: it then looks at 32 images of train, and no weight changes.
    """
    file = snapshot(Path(folder), epoch)
    if not file.is_file():  # killed between writing its checkpoint and its weights, a training goes on without them
        raise CheckpointError(f"{file} is not there: empty {folder}, and train again")
    network = four_heads()
    network.load_state_dict(load_file(file))
    if epoch == 0:
        how = how or recipe()
        train_images = Scenes("train", how.scenes_size, length=how.images and how.images[0])
        count = min(32, len(train_images))
        update_bn([torch.cat([normalise(train_images[i][0]) for i in range(count)])], network)
    return network.eval()
