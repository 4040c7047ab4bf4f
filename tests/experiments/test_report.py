"""What an experiment found, as a table."""

import pytest

from segtut.experiments import GRIDS, plan, report
from segtut.networks import build_network
from segtut.training.code import fingerprint
from segtut.training.recipe import smoke


def cards(jobs, score, **fields):
    return [
        {
            "file": job.name,
            "network": build_network(job.network, job.backbone, **job.options).spec,
            "device": "a CPU",
            "code": fingerprint(),
            "result": {"val": {"mean_iou": score(job) + 0.1}, "test": {"mean_iou": score(job)}},
        }
        | fields
        for job in jobs
    ]


def score(job):
    return {"ccnet": 0.5, "danet": 0.3}[job.network] + 0.02 * len(job.options) + 0.01 * job.recipe.seed


def test_an_ablation_is_compared_with_its_own_network():
    (grid,) = GRIDS["gamma"]
    jobs = plan(grid, smoke(), (0, 1, 2), [])
    table = report(jobs, cards(jobs, score)).set_index("network")
    assert table["seeds"].tolist() == [3, 3, 3, 3]
    assert table.loc["ccnet", "test"] == pytest.approx(0.51) and table.loc["ccnet", "val"] == pytest.approx(0.61)
    assert table.loc["ccnet", "test sd"] == pytest.approx(0.01)
    for name in ("ccnet", "danet"):
        row = table.loc[f"{name} gamma=1"]
        assert (row["difference"], row["low"], row["high"]) == pytest.approx((0.02, 0.02, 0.02))
    assert table.loc["danet", "difference"] == pytest.approx(-0.2) and table.loc["ccnet"].isna()["difference"]
    assert report(jobs, cards(jobs, score)).attrs["notes"] == []


def test_what_is_missing_is_left_out_and_what_is_odd_is_said():
    (grid,) = GRIDS["gamma"]
    jobs = plan(grid, smoke(), (0, 1), [])
    there = cards(jobs[:3], score) + cards(jobs[3:4], score, device="a GPU", code=None)
    del there[0]["result"]["test"]
    table = report(jobs, there)
    assert table["seeds"].sum() == 4 and not {"test", "test sd"} & set(table.columns)
    silent, devices = table.attrs["notes"]
    assert silent.startswith("1 of 4 cards are older") and devices == "Trained on different devices: a CPU; a GPU."
    assert len(report(jobs, [])) == 0
