import pytest
import torch

from segtut.training import RECIPES
from segtut.training.recipe import Recipe, auto, learning_rate, lesson, resolve_precision


@pytest.mark.parametrize("schedule", ["poly", "cosine"])
def test_learning_rate_rises_then_falls_to_zero(schedule):
    recipe = Recipe("r", epochs=10, batch_size=2, crop=(8, 8), schedule=schedule, warmup=2)
    rates = [learning_rate(recipe, progress / 10) for progress in range(101)]
    assert 0 < rates[0] < 1e-3 and rates[20] == pytest.approx(1) and rates[100] == pytest.approx(0, abs=1e-6)
    assert rates[:21] == sorted(rates[:21]) and rates[20:] == sorted(rates[20:], reverse=True)


def test_poly_is_the_published_formula():
    recipe = Recipe("r", epochs=8, batch_size=2, crop=(8, 8), schedule="poly", warmup=0)
    assert learning_rate(recipe, 2) == pytest.approx((1 - 2 / 8) ** 0.9)


@pytest.mark.parametrize("make", RECIPES.values())
def test_named_recipes(make):
    recipe = make()
    assert RECIPES[recipe.name] is make and make.__doc__
    assert recipe.but(epochs=1).name == f"{recipe.name}*"  # a card never takes it for the recipe itself


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("camvid", [False, True])
def test_auto_looks_at_what_is_there(monkeypatch, tmp_path, gpu, camvid):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEGTUT_CAMVID", raising=False)
    if camvid:
        (tmp_path / "data/camvid").mkdir(parents=True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert auto().name == ("camvid" if gpu and camvid else "lesson")


@pytest.mark.parametrize(
    "wrong", [{"optimiser": "lion"}, {"schedule": "step"}, {"precision": "int8"}, {"epochs": 0}, {"lr": 0.0}]
)
def test_bad_fields(wrong):
    (field,) = wrong
    with pytest.raises(ValueError, match=f"{field}="):
        lesson().but(**wrong)


def test_precision():
    assert resolve_precision("fp16", torch.device("cpu")) == "fp16"
    assert resolve_precision("auto", torch.device("cpu")) in ("bf16", "no")
    assert resolve_precision("auto", torch.device("meta")) == "no"
