"""Every right answer of the bank passes, every wrong one fails with its hint."""

import importlib
from pathlib import Path

import pytest

from segtut import checks
from tests.checks.bank import Bank

BANKS = [
    value
    for path in sorted(Path(__file__).parent.glob("bank_*.py"))
    for value in vars(importlib.import_module(f"tests.checks.{path.stem}")).values()
    if isinstance(value, Bank)
]


def name(answer):
    return getattr(answer, "__name__", type(answer).__name__)


RIGHT = [pytest.param(bank, a, id=f"{bank.check}-{name(a)}") for bank in BANKS for a in bank.rights]
WRONG = [pytest.param(bank, a, hint, id=f"{bank.check}-{name(a)}") for bank in BANKS for a, hint in bank.wrongs]


def test_every_check_has_a_bank_and_every_bank_is_large_enough():
    assert sorted(bank.check for bank in BANKS) == sorted(name for name in checks.__all__ if name.startswith("check_"))
    assert [bank.check for bank in BANKS if len(bank.rights) < 3 or len(bank.wrongs) < 10] == []
    assert [bank.check for bank in BANKS if len({hint for _, hint in bank.wrongs}) < 8] == []


@pytest.mark.parametrize(("bank", "answer"), RIGHT)
def test_a_right_answer_passes(bank, answer, capsys):
    for seed in (0, 1, 2024):
        getattr(checks, bank.check)(answer, seed=seed)
    assert capsys.readouterr().out.count("right") == 3


@pytest.mark.parametrize(("bank", "answer", "hint"), WRONG)
def test_a_wrong_answer_fails_with_its_hint(bank, answer, hint):
    for seed in (0, 7):
        with pytest.raises(AssertionError) as told:
            getattr(checks, bank.check)(answer, seed=seed)
        assert hint in str(told.value)
