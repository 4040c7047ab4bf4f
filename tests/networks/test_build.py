"""`build_network`: names, options, the spec that makes a network again, and files."""

import json

import pytest
import torch

from segtut.networks import HEADS, build_network
from segtut.networks.network import head_options
from segtut.training import load_network
from segtut.training.checkpoint import save_network
from tests.networks.common import awaken, images

OTHER = {  # an option of each head that is not its default
    "fcn": {"inner": 24},
    "psp": {"scales": (1, 3), "align_corners": False},
    "aspp": {"dilations": (1, 4)},
    "ema": {"bases": 5, "stages": 2, "ema_channels": 12, "momentum": 0.3},
    "nonlocal": {"mode": "dot_product", "scaled": False, "reduction": 4, "concat": False},
    "ccnet": {"recurrence": 3, "reduction": 4, "block": "inplace_abn"},
    "danet": {"branches": "channel", "variant": "paper", "dropout": 0.3},
    "gcnet": {"ratio": 1 / 8, "fusion": "both", "pooling": "average"},
}


SMALL = "resnet10t"  # the smallest ResNet that timm has


@pytest.mark.parametrize("name", HEADS)
def test_the_spec_makes_the_network_again(name):
    network = awaken(build_network(name, SMALL, 7, auxiliary=True, output_stride=16, **OTHER[name])).eval()
    assert OTHER[name].items() <= network.spec.items() and head_options(HEADS[name]).keys() <= network.spec.keys()
    again = build_network(**json.loads(json.dumps(network.spec))).eval()
    assert again.spec == network.spec
    again.load_state_dict(network.state_dict())
    x = images()
    with torch.no_grad():
        torch.testing.assert_close(again(x, all_outputs=True), network(x, all_outputs=True), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["psp", "ema"])  # with a tuple, with a buffer
def test_a_file_keeps_the_network(name, tmp_path):
    network = awaken(build_network(name, SMALL, 7, **OTHER[name])).eval()
    network.input_size = (40, 56)
    again = load_network(save_network(tmp_path / "network.safetensors", network))
    assert not again.training and again.spec == network.spec and again.input_size == (40, 56)
    x = images()
    with torch.no_grad():
        assert torch.equal(again(x), network(x))


@pytest.mark.parametrize(
    ("name", "key"), [("CCNet", "ccnet"), ("Non-Local", "nonlocal"), ("non_local", "nonlocal"), ("FCN", "fcn")]
)
def test_names_are_read_kindly(name, key):
    network = build_network(name, SMALL)
    assert network.spec["name"] == key and type(network.head) is HEADS[key]


@pytest.mark.parametrize("align_corners", [True, False])
def test_align_corners_reaches_network_and_pyramid(align_corners):
    network = build_network("psp", SMALL, align_corners=align_corners)
    assert network.align_corners is network.head.align_corners is align_corners


def test_abn_is_in_every_block():
    network = build_network("danet", SMALL, auxiliary=True, block="inplace_abn")
    norms = [type(m).__name__ for part in (network.head, network.auxiliary) for m in part.modules()]
    assert norms.count("InPlaceABN") == 5 and "BatchNorm2d" not in norms and "ReLU" not in norms


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "unet"}, "'unet' is none of fcn, psp, aspp, ema, nonlocal, ccnet, danet, gcnet"),
        ({"name": None}, "None is none of fcn"),
        ({"name": ["fcn"]}, "is none of fcn"),
        ({"name": "fcn", "backbone": "resnet19"}, "resnet19.*near it: .*resnet18"),
        ({"name": "fcn", "num_classes": 0}, "num_classes=0: must be an integer of at least 1"),
        ({"name": "fcn", "num_classes": True}, "num_classes=True"),
        ({"name": "fcn", "num_classes": 11.0}, r"num_classes=11\.0"),
        ({"name": "fcn", "output_stride": 4}, "output_stride=4: choose 8, 16 or 32"),
        ({"name": "fcn", "recurrence": 2}, "'fcn' has no option recurrence: it has dropout, inner, block"),
        ({"name": "ccnet", "branches": "both"}, "no option branches: it has dropout, inner, concat, block, recurrence"),
        ({"name": "fcn", "block": "relu"}, "block='relu' is unknown: use one of 'bn_relu', 'inplace_abn'"),
        ({"name": "fcn", "block": print}, "block=.*is unknown"),  # no file could keep it
    ],
)
def test_errors(arguments, said):
    with pytest.raises(ValueError, match=said):
        build_network(**{"backbone": SMALL} | arguments)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("fcn", {"dropout": 1.5}, r"dropout=1\.5: must be a number from 0 to 1"),
        ("fcn", {"dropout": "0.1"}, r"dropout='0\.1'"),
        ("fcn", {"inner": 0}, "inner=0: must be an integer of at least 1"),
        ("psp", {"scales": 3}, "scales=3: must be a tuple of integers"),
        ("psp", {"scales": ()}, r"scales=\(\): must be a tuple of integers"),
        ("psp", {"scales": (1, 0)}, "scales=0: must be an integer of at least 1"),
        ("aspp", {"dilations": 12}, "dilations=12: must be a tuple of integers"),
        ("aspp", {"dilations": (1, -2)}, "dilations=-2: must be an integer of at least 1"),
        ("ema", {"bases": 0}, "bases=0"),
        ("ema", {"stages": 0}, "stages=0"),
        ("ema", {"momentum": 2}, "momentum=2: must be a number from 0 to 1"),
        ("ema", {"ema_channels": 0}, "ema_channels=0"),
        ("nonlocal", {"mode": "gauss"}, "mode='gauss' is unknown: use one of 'gaussian', "),
        ("nonlocal", {"reduction": 3}, "channels=128 is not divisible by reduction=3: use a multiple"),
        ("nonlocal", {"reduction": 0}, "reduction=0: must be an integer"),
        ("ccnet", {"recurrence": -1}, "recurrence=-1: .* an integer, 0 or more"),
        ("ccnet", {"recurrence": True}, "recurrence=True"),
        ("ccnet", {"recurrence": 1.0}, r"recurrence=1\.0"),
        ("ccnet", {"reduction": 256}, "channels=128 is smaller than reduction=256.*use at least 256 channels"),
        ("danet", {"branches": "none"}, "branches='none' is unknown: use one of 'both', 'position', 'channel'"),
        ("danet", {"variant": "book"}, "variant='book' is unknown: use one of 'code', 'paper'"),
        ("gcnet", {"ratio": 4}, "ratio=4: .* r = 4 is ratio=1/4"),
        ("gcnet", {"ratio": 0.3}, "channels=128 times ratio=0.3 is 38.4, not a whole number"),
        ("gcnet", {"pooling": "max"}, "pooling='max' is unknown: use one of 'attention', 'average'"),
        ("gcnet", {"fusion": "concat"}, "fusion='concat' is unknown: use one of 'add', 'multiply', 'both'"),
    ],
)
def test_options_that_no_head_takes(name, options, said):
    with pytest.raises(ValueError, match=said):
        HEADS[name](512, 7, **options)
