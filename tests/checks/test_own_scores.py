"""Whatever numbers a student is given, no known mistake is taken for right, and no two have the same answers."""

from itertools import product
from pathlib import Path

import nbformat
import pytest

from segtut.checks import check_own_scores
from segtut.checks.own_scores import EXAMPLE, TOLERANCE, expected

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "assignments" / "1_scoring_and_data.ipynb"


@pytest.fixture(scope="module")
def variants():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    (cell,) = (cell for cell in cells if "variant" in cell.metadata.get("tags", []))
    choices = cell.metadata.segtut.variant
    return [dict(zip(choices, values)) for values in product(*choices.values())]


def test_the_example_is_the_first_choice_of_the_notebook(variants):
    assert variants[0] == EXAMPLE


def test_no_mistake_is_taken_for_right(variants):
    for mine in variants:
        for right, wrong in expected(mine).values():
            assert all(abs(number - right) > 2 * TOLERANCE for _, number in wrong)


def test_another_students_numbers_are_wrong(variants):
    answers = [{key: right for key, (right, _) in expected(mine).items()} for mine in variants[::40]]
    for i, mine in enumerate(variants[::40]):
        for j, answer in enumerate(answers):
            if i == j:
                check_own_scores(answer, mine)
            else:
                with pytest.raises(AssertionError, match="is not right"):
                    check_own_scores(answer, mine)


def test_a_hint_never_holds_the_right_number(variants):
    mine = variants[-1]
    right = {key: number for key, (number, _) in expected(mine).items()}
    for key, (number, wrong) in expected(mine).items():
        for value in (0.001, number + 0.005, *(other for _, other in wrong)):
            with pytest.raises(AssertionError) as told:
                check_own_scores(right | {key: value}, mine)
            assert f"{number:.3f}"[:4] not in str(told.value)
