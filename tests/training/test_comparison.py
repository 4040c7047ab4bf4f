"""Comparing networks over seeds."""

import copy
import json
import math

import pytest

from segtut.networks import build_network
from segtut.training.comparison import difference, interval, label, scores_by_seed


def card(name="fcn", seed=0, score=0.5, **network):
    return {
        "network": {"name": name, "backbone": "resnet18"} | network,
        "recipe": {"name": "cpu", "epochs": 2, "seed": seed},
        "data": {"digest": {"train": "ab"}},
        "precision": "bf16",
        "seed": seed,
        "result": {"val": {"mean_iou": score + 0.1}, "test": {"mean_iou": score}},
    }


def test_students_interval_by_hand():
    # t of 0.975 with two degrees of freedom is 4.3027 (Student's table); the standard deviation of 1, 2, 3 is 1.
    found = interval([1.0, 2.0, 3.0])
    assert found.mean == 2 and found.seeds == 3
    assert found.high - found.mean == pytest.approx(4.3027 / math.sqrt(3), abs=1e-4)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)
    assert found.within_noise and not interval([2.0, 2.1, 2.2]).within_noise


def test_a_narrower_confidence_gives_a_narrower_interval_and_one_seed_none():
    assert interval([1, 2, 4], 0.5).high < interval([1, 2, 4], 0.95).high
    alone = interval([0.3])
    assert alone.mean == 0.3 and alone.low == -math.inf and alone.high == math.inf and alone.within_noise


def test_equal_differences_have_no_width():
    found = difference({0: 0.5, 1: 0.25, 7: 9}, {0: 0.25, 1: 0.0, 3: 1})
    assert (found.mean, found.low, found.high, found.seeds) == (0.25, 0.25, 0.25, 2)
    assert not found.within_noise


@pytest.mark.parametrize("values", [[], [math.nan], [1, math.inf]])
def test_values_without_an_interval_are_refused(values):
    with pytest.raises(ValueError, match="one finite number"):
        interval(values)


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95, math.nan])
def test_an_odd_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        interval([1, 2], confidence)


def test_networks_without_a_common_seed_are_refused():
    with pytest.raises(ValueError, match=r"\[0\] against \[1\]"):
        difference({0: 1.0}, {1: 1.0})


def test_scores_stand_by_seed_and_network():
    cards = [card("ccnet", 1, 0.6), card("fcn", 0, 0.4), card("ccnet", 0, 0.7), card("ccnet", 0, 0.2, recurrence=1)]
    table = scores_by_seed(cards)
    assert list(table.columns) == ["ccnet", "fcn", "ccnet R=1"] and list(table.index) == [0, 1]
    assert table.loc[0, "ccnet"] == 0.7 and table.loc[1, "ccnet"] == 0.6 and math.isnan(table.loc[1, "fcn"])
    assert scores_by_seed(cards, "val").loc[0, "fcn"] == 0.5
    assert label(card("ccnet", recurrence=2)) == label(card("ccnet")) == "ccnet"


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("danet", {}, "danet"),
        ("psp", {}, "psp"),
        ("ccnet", {"recurrence": 0}, "ccnet R=0"),
        ("danet", {"branches": "channel", "variant": "paper"}, "danet branches=channel variant=paper"),
        ("gcnet", {"ratio": 1 / 16}, "gcnet ratio=0.0625"),
        ("fcn", {"output_stride": 16, "auxiliary": True}, "fcn output_stride=16 auxiliary=True"),
    ],
)
def test_a_label_says_what_is_unusual_also_of_a_spec_from_a_file(name, options, said):
    spec = build_network(name, **options).spec
    assert label({"network": spec}) == label({"network": json.loads(json.dumps(spec))})
    assert set(label({"network": spec}).split()) == set(said.split())


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda c: c["recipe"].update(epochs=3), "in its recipe"),
        (lambda c: c["data"]["digest"].update(train="cd"), "in its data"),
        (lambda c: c["network"].update(backbone="resnet50"), "in its backbone"),
        (lambda c: c.update(precision="no"), "in its precision"),
        (lambda c: c["result"].pop("test"), "no score on 'test'"),
        (lambda c: c.update(seed=0), "two cards of fcn with seed 0"),
    ],
)
def test_what_was_not_trained_alike_is_not_compared(change, what):
    odd = copy.deepcopy(card(seed=1))
    assert len(scores_by_seed([card(), odd])) == 2
    change(odd)
    with pytest.raises(ValueError, match=what):
        scores_by_seed([card(), odd])


def test_no_cards_are_refused():
    with pytest.raises(ValueError, match="no run cards"):
        scores_by_seed([])
