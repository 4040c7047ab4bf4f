"""The fast form of criss-cross attention against the clock."""

import statistics
import time

import torch

from tests.attention.common import build, randn


def test_the_fast_form_is_faster(record_property):
    modules = {name: build(f"criss_cross-{name}", 512, reduction=8, dtype=torch.float32) for name in ("fast", "bmm")}
    x = randn(1, 512, 60, 60, dtype=torch.float32)
    ratios = []
    with torch.inference_mode():
        outputs = [module(x) for module in modules.values()]
        torch.testing.assert_close(*outputs, rtol=0, atol=1e-5)
        for _ in range(15):  # in turns, so that other work on the machine hits both; the median forgets its spikes
            seconds = {}
            for name, module in modules.items():
                start = time.perf_counter()
                module(x)
                seconds[name] = time.perf_counter() - start
            ratios.append(seconds["bmm"] / seconds["fast"])
    ratio = statistics.median(ratios)
    record_property("bmm / fast", ratio)
    assert ratio >= 1.1, f"bmm takes {ratio:.2f} times as long as fast; in turns: {sorted(ratios)}"
