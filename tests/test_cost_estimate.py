"""The estimate of training time: its arithmetic, and the table on the setup page."""

import re
from pathlib import Path

import pytest
from torch import nn

from segtut.cost import DEVICES, estimate_time, flops
from segtut.cost.estimate import BACKWARD, UTILISATION
from segtut.data import IMAGE_SIZE, NUM_CLASSES, SPLIT_SIZES
from segtut.networks import HEADS, build_network
from segtut.training import RECIPES

PAGE = Path(__file__).parents[1] / "book" / "setup.md"
NETWORK = nn.Conv2d(3, 5, 1)  # 30 FLOPs a pixel
CAMVID = RECIPES["camvid"]()


def test_operations_of_steps_and_of_scoring_over_a_share_of_the_peak():
    recipe = CAMVID.but(epochs=7, crop=(10, 20), images=(3, 2, 1), input_size=(5, 6))
    estimate = estimate_time(NETWORK, recipe, utilisation=(0.2, 0.5))
    assert estimate.flops == 7 * (3 * 3 * 30 * 200 + 2 * 30 * 30)
    assert estimate.fastest == pytest.approx(estimate.flops / (0.5 * 65e12))
    assert estimate.slowest == pytest.approx(estimate.flops / (0.2 * 65e12))
    float32 = estimate_time(NETWORK, recipe, precision="no", utilisation=(0.2, 0.5))
    assert float32.fastest / estimate.fastest == pytest.approx(65 / 8.1)


def test_camvid_is_what_is_counted_where_the_recipe_names_nothing():
    train, val = (SPLIT_SIZES[split] for split in ("train", "val"))
    a_pass = flops(NETWORK, IMAGE_SIZE)
    assert estimate_time(NETWORK, CAMVID).flops == 300 * a_pass * ((1 + BACKWARD) * train + val)


def test_it_says_what_it_is():
    assert str(estimate_time(NETWORK, CAMVID)).endswith("h (estimate, not measured)")
    assert "data sheet" in DEVICES["t4"].source


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"device": "t5"}, "device='t5' is none of t4"),
        ({"precision": "bf16"}, "precision='bf16' is none of fp16, no"),
        ({"utilisation": (0.4, 0.1)}, "the worst share and the best"),
        ({"utilisation": (0, 1)}, "above 0"),
        ({"images": (0, 3)}, "images"),
    ],
)
def test_bad_arguments(wrong, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        estimate_time(NETWORK, CAMVID, **wrong)


def test_the_table_on_the_setup_page():
    page = PAGE.read_text(encoding="utf-8")
    hours = re.findall(r"^\| `(\w+)` \| ([\d.]+ to [\d.]+) \|$", page, re.MULTILINE)
    want = [
        (name, str(estimate_time(build_network(name, "resnet18", NUM_CLASSES), CAMVID)).split(" h ")[0])
        for name in HEADS
    ]
    assert hours == want
    quoted = re.search(r"ResNet-50 the FCN takes (.+?) h, and CCNet (.+?) h", page).groups()
    for name, said in zip(("fcn", "ccnet"), quoted, strict=True):
        assert str(estimate_time(build_network(name, "resnet50", NUM_CLASSES), CAMVID)).startswith(f"{said} h")
    worst, best = UTILISATION
    assert f"{worst:.0%} to {best:.0%}" in page and f"{CAMVID.epochs} epochs" in page
    assert "estimates, not measurements" in page
