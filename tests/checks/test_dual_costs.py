"""Every student's numbers can be told from every wrong one, and no hint gives them away."""

import itertools
from pathlib import Path

import nbformat
import pytest

from segtut.checks import check_dual_costs
from segtut.checks.dual_costs import _expected

NOTEBOOK = Path(__file__).parents[2] / "notebooks/assignments/3_dual_attention.ipynb"
VARIANT = next(
    cell.metadata.segtut.variant
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells
    if "variant" in cell.metadata.get("tags", [])
)
SIZES = [dict(zip(VARIANT, values)) for values in itertools.product(*VARIANT.values())]


@pytest.mark.parametrize("mine", SIZES, ids=str)
def test_wrong_numbers_are_told_for_all_sizes_and_the_right_ones_pass(mine):
    expected = _expected(**mine)
    right = {key: number for key, (number, _) in expected.items()}
    check_dual_costs(right, mine)
    for key, (number, wrong) in expected.items():
        for sentence, other in wrong:
            with pytest.raises(AssertionError) as told:
                check_dual_costs(right | {key: other}, mine)
            assert str(told.value) == f'costs["{key}"] is not right. {sentence}'
            assert str(number) not in str(told.value)


def test_numbers_of_other_sizes_are_wrong():
    mine, *others = SIZES
    for other in others:
        with pytest.raises(AssertionError, match="is not right"):
            check_dual_costs({key: number for key, (number, _) in _expected(**other).items()}, mine)


@pytest.mark.parametrize("mine", [None, {}, {"C": 48, "H": 10}, {"C": "48", "H": 10, "W": 21}], ids=str)
def test_spoilt_sizes_are_told(mine):
    with pytest.raises(AssertionError, match="MINE must hold your own C, H and W"):
        check_dual_costs({}, mine)
