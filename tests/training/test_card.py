"""Reading run cards."""

import json

import pytest

from segtut.files import write_json
from segtut.training import read_cards

CARD = {"network": {"name": "fcn"}, "recipe": {"name": "smoke"}, "seed": 1, "result": {}, "history": []}


def test_the_cards_of_the_package_are_read_with_their_file_names():
    cards = read_cards()
    assert [card["file"] for card in cards] == sorted(card["file"] for card in cards)
    card = next(card for card in cards if card["file"] == "ccnet-resnet18-cpu-s0")
    assert card["network"]["name"] == "ccnet" and card["recipe"]["name"] == "cpu" and card["seed"] == 0
    assert len(card["history"]) == card["recipe"]["epochs"]


@pytest.mark.parametrize("card", read_cards(), ids=lambda card: card["file"])
def test_a_card_of_the_package_is_consistent(card):
    result = card["result"]
    best = max(row["val_mean_iou"] for row in card["history"])
    assert result["val"]["mean_iou"] == best
    assert card["history"][result["best_epoch"] - 1]["val_mean_iou"] == best
    assert ("test" in result) == card["recipe"]["report_test"]
    for split in result.keys() & {"val", "test"}:
        classes = [iou for iou in result[split]["iou"].values() if iou is not None]
        assert sum(classes) / len(classes) == pytest.approx(result[split]["mean_iou"])
    assert card["data"]["images"] == {"train": 367, "val": 101, "test": 233}
    assert card["recipe"]["seed"] == card["seed"] and card["commit"] and not card["commit"].endswith("+")


def test_a_folder_of_cards_is_read_in_order(tmp_path):
    for name in ("b", "a"):
        write_json(tmp_path / f"{name}.json", CARD)
    (tmp_path / "notes.txt").write_text("no card")
    assert [card["file"] for card in read_cards(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize("text", ["{", "[]", "3", json.dumps({"network": {}}), json.dumps(CARD | {"recipe": None})])
def test_what_is_no_card_is_named(tmp_path, text):
    (tmp_path / "odd.json").write_text(text)
    with pytest.raises(ValueError, match=r"odd\.json is no run card"):
        read_cards(tmp_path)
