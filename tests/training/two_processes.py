"""What two processes do in `test_processes`: FOLDER is where the results go. Ends with the death of one of them."""

import json
import os
import signal
import sys
from contextlib import nullcontext
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from segtut.data import Scenes
from segtut.networks import build_network
from segtut.networks.synchronised import SharedDropout2d, SyncBatchNorm2d, processes, rank, synchronised, total
from segtut.training import evaluate, loop, train
from segtut.training.processes import from_main, share, start
from segtut.training.recipe import smoke

SIZE = (32, 48)
RECIPE = smoke().but(epochs=2, crop=SIZE, precision="no", optimiser="sgd", lr=0.02, balance=True)


def data(val=3):
    sizes = {"train": 8, "val": val, "test": 1}  # an odd number, and fewer than processes
    return {split: Scenes(split, SIZE, length=length) for split, length in sizes.items()}


def network(name="fcn", **options):
    torch.manual_seed(0)
    return build_network(name, **options)


def whole_batch():
    """Features (6, 5, 4, 7) with a large mean, what is learned of them, and a seed for dropout."""
    generator = torch.Generator().manual_seed(1)
    return 100 + torch.randn(6, 5, 4, 7, generator=generator), torch.randn(6, 5, 4, 7, generator=generator)


def layers():
    torch.manual_seed(2)
    body = nn.Sequential(nn.BatchNorm2d(5), nn.Conv2d(5, 5, 1), nn.Dropout2d(0.4), nn.BatchNorm2d(5))
    nn.init.normal_(body[0].weight)
    return body


def main(folder: Path) -> None:
    start(RECIPE)
    assert processes() == 2 and rank() == int(os.environ["RANK"])
    mine = slice(3 * rank(), 3 * rank() + 3)

    # Layers: outputs, gradients and buffers of each share.
    body, (x, wanted) = layers(), whole_batch()
    x = x[mine].requires_grad_()
    with synchronised(body, x.device):
        assert [type(layer) for layer in body[::2]] == [SyncBatchNorm2d, SharedDropout2d] and len(body) == 4
        model = DistributedDataParallel(body)  # kept: with it go its hooks
        out = model(x)
        loss = (out * wanted[mine]).sum() * 2  # the sum over the whole batch, as the mean of two
        loss.backward()
    assert type(body[0]) is nn.BatchNorm2d and type(body[2]) is nn.Dropout2d
    grads = [p.grad for p in body.parameters()]
    torch.save([out.detach(), x.grad / 2, grads, body.state_dict()], folder / f"layers_{rank()}.pt")

    # The mean over labelled pixels: 3 of 4 here, 1 of 4 there; and nothing anywhere.
    labelled = torch.tensor(3 - 2 * rank())
    assert share(labelled) == 2 * labelled / 4 and share(torch.tensor(0)) == 0
    assert total(torch.tensor([rank() + 1])).tolist() == [3]
    assert from_main(lambda: f"said by {rank()}") == "said by 0"

    for n in (3, 1):
        matrix = evaluate(network().eval(), data(val=n)["val"], 2, precision="no")
        torch.save(matrix, folder / f"matrix_{n}_{rank()}.pt")

    said = []
    for net, how in ((network(), RECIPE.but(batch_size=3)), (network(block="inplace_abn"), RECIPE)):
        try:
            train(net, data(), how, progress=False)
        except ValueError as error:
            said.append(str(error))
    (folder / f"said_{rank()}.json").write_text(json.dumps(said))

    seen = []
    run = train(network(), data(), RECIPE, folder / "two", on_epoch=lambda h: seen.append(len(h)), progress=False)
    assert seen == ([1, 2] if rank() == 0 else []) and (run.folder is None) == (rank() > 0)
    train(network(), data(), RECIPE, folder / "continued", progress=False)

    loop.synchronised = lambda *_: nullcontext()
    train(network(), data(), RECIPE, folder / "alone", progress=False)

    (folder / f"done_{rank()}").write_text(str(os.getpid()))
    dist.barrier()
    if rank() == 1:
        step = torch.optim.SGD.step
        torch.optim.SGD.step = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL) or step
    train(network(), data(), RECIPE, progress=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
