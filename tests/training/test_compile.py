"""A compiled training is the same training."""

import accelerate
import numpy as np

from segtut.training import train
from tests.training.test_loop import RECIPE, data, network


def test_a_compiled_training_has_the_same_losses(monkeypatch):
    seen, Accelerator = [], accelerate.Accelerator

    def traced(dynamo_backend, **options):
        seen.append(dynamo_backend)
        # traced, but not made into C++: that takes a minute, and tests/networks/test_compile.py does it
        return Accelerator(dynamo_backend=dynamo_backend and "eager", **options)

    monkeypatch.setattr(accelerate, "Accelerator", traced)
    plain, compiled = (
        train(network("fcn"), data(), RECIPE.but(epochs=2, compile=compiled), progress=False)
        for compiled in (False, True)
    )
    assert seen == [None, "inductor"] and compiled.card["recipe"]["compile"]
    for name in ("train_loss", "val_mean_iou"):
        np.testing.assert_allclose(compiled.history[name], plain.history[name], rtol=1e-3)
