"""Which trainings an experiment is made of."""

import pytest

from segtut.experiments import GRIDS, plan
from segtut.experiments.grids import ABLATIONS, NETWORKS, deep, main
from segtut.experiments.search import CHANGES, candidate, chosen, single_changes, together
from segtut.networks import build_network
from segtut.training import Recipe
from segtut.training.recipe import camvid, smoke

BASE = smoke()


def card(job, score):
    return {
        "file": job.name,
        "network": {"name": job.network, "backbone": job.backbone},
        "recipe": {"name": job.recipe.name, "seed": job.recipe.seed},
        "seed": job.recipe.seed,
        "data": {"digest": "d"},
        "precision": "no",
        "result": {"val": {"mean_iou": score}},
    }


def searched(gains, seeds=(0, 1)):
    """Cards of a search in which each change alone gains so much."""
    names = {f"{BASE.name}+base": 0.5} | {f"{BASE.name}+{change}": 0.5 + gains.get(change, -0.1) for change in CHANGES}
    return [card(job, names[job.recipe.name] + 0.01 * job.recipe.seed) for job in single_changes(BASE, seeds, [])]


def test_the_main_table():
    jobs = main(BASE, (0, 1, 2), [])
    assert len({job.name for job in jobs}) == len(jobs) == 21
    assert {job.network for job in jobs} == set(NETWORKS) and {job.recipe.seed for job in jobs} == {0, 1, 2}
    assert jobs[4].name == "ccnet-resnet18-smoke-s0" and jobs[4].recipe.name == "smoke"
    assert [job.recipe.seed for job in jobs[:7]] == [0] * 7  # one whole comparison first


def test_ablations_share_the_main_tables_runs_and_differ_in_one_thing():
    table = {job.name for job in main(BASE, (0,), [])}
    assert set(ABLATIONS) < set(GRIDS)
    for name in ABLATIONS:
        jobs = plan(GRIDS[name][0], BASE, (0,), [])
        assert len({job.name for job in jobs}) == len(jobs) >= 2
        assert any(job.name in table for job in jobs), name
        assert {len(job.options) for job in jobs} == {0, 1}
    names = {job.name for grid in GRIDS["ablations"] for job in plan(grid, BASE, (0,), [])}
    assert {"ccnet-resnet18-recurrence3-smoke-s0", "danet-resnet18-branchesposition-smoke-s0",
            "danet-resnet18-variantpaper-smoke-s0", "gcnet-resnet18-ratio0.0625-smoke-s0",
            "gcnet-resnet18-fusionboth-smoke-s0", "ccnet-resnet18-gamma1-smoke-s0",
            "fcn-resnet18-output_stride16-smoke-s0"} <= names  # fmt: skip


@pytest.mark.parametrize("network, options", [row for rows in ABLATIONS.values() for row in rows if row[1]])
def test_every_network_of_an_ablation_can_be_built_and_is_what_it_says(network, options):
    spec = build_network(network, **options).spec
    assert {key: spec[key] for key in options} == options


@pytest.mark.parametrize("name", ["main", "stride", "gamma"])
def test_what_is_there_already_does_not_look_like_a_search(name):
    (grid,) = GRIDS[name]
    jobs = plan(grid, BASE, (0, 1), [])
    assert plan(grid, BASE, (0, 1), [card(job, 0.5) for job in jobs]) == jobs
    assert not {job.name for job in jobs} & {job.name for job in single_changes(BASE, (0, 1), [])}


def test_deep_takes_the_best_two_on_val_and_the_fcn():
    jobs = main(BASE, (0, 1), [])
    score = {name: 0.3 + 0.01 * i for i, name in enumerate(NETWORKS)} | {"aspp": 0.9, "fcn": 0.8}
    cards = [card(job, score[job.network]) for job in jobs]
    found = deep(BASE, (0, 1), cards)
    assert [job.network for job in found[:3]] == ["fcn", "aspp", "gcnet"] and len(found) == 6
    assert {job.backbone for job in found} == {"resnet50"}
    with pytest.raises(ValueError, match=r"has 13 of 14 cards.*segtut experiment main"):
        deep(BASE, (0, 1), cards[1:])


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_changes_the_recipe_and_nothing_looks_at_test(change):
    for base in (BASE, camvid()):
        job = candidate(base, (change,), 1)
        fields = CHANGES[change](base)
        assert fields and all(getattr(job.recipe, key) == value != getattr(base, key) for key, value in fields.items())
        assert job.recipe.name == f"{base.name}+{change}" and job.recipe.seed == 1 and not job.recipe.report_test
        assert isinstance(job.recipe, Recipe) and job.network == "fcn"


def test_what_helps_alone_is_tried_together():
    cards = searched({"ema": 0.02, "balance": 0.01, "slow": 0.03, "sgd": 0.02})
    jobs = together(BASE, (0, 1), cards)
    # sgd sets the learning rate, too, and slow was better
    assert [job.recipe.name for job in jobs] == ["smoke+balance+ema+slow"] * 2
    assert jobs[0].recipe.ema == 0.999 and jobs[0].recipe.balance and jobs[0].recipe.lr == BASE.lr / 2
    assert together(BASE, (0, 1), searched({"ema": 0.02})) == []


def test_the_best_recipe_on_val_is_chosen_once_the_search_is_done():
    assert chosen(BASE, []) == BASE
    cards = searched({"ema": 0.02})
    best = chosen(BASE, cards)
    assert best == BASE.but(name="smoke-tuned", ema=0.999)
    assert plan(main, BASE, (0,), cards)[0].recipe == best  # whatever the seeds that it is used with
    assert plan(main, BASE, (0, 1, 2), cards)[0].recipe == best
    with pytest.raises(ValueError, match=r"lacks 1 of 30 trainings, such as fcn-resnet18-smoke\+base-s0: finish it"):
        chosen(BASE, cards[1:])
    cards = searched({"ema": 0.02, "balance": 0.01})
    with pytest.raises(ValueError, match=r"lacks 2 of 32 trainings, such as fcn-resnet18-smoke\+balance\+ema-s0"):
        chosen(BASE, cards)
    for score, ema, balance in ((0.6, 0.999, True), (0.4, 0.999, False)):
        both = [card(job, score) for job in together(BASE, (0, 1), cards)]
        best = chosen(BASE, cards + both)
        assert (best.ema, best.balance, best.report_test, best.name) == (ema, balance, True, "smoke-tuned")
