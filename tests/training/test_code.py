"""The fingerprint of the code on a run card."""

import pytest

from segtut.training import code
from segtut.training.card import read_cards

SOURCE = '''"""Module."""

import math  # why


class A:
    """Class."""

    x = "# no comment"

    def f(self, y):
        """Function
        of two lines.
        """
        return f"{y:#x}" + """kept # here"""
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [(' """Class."""', ' """Another."""'), ("  # why", ""), ("\n\n\n", "\n\n"), ("        of two lines.\n", "")],
)
def test_words_do_not_count(old, new):
    assert old in SOURCE and code.digest(SOURCE.replace(old, new)) == code.digest(SOURCE)


@pytest.mark.parametrize(("old", "new"), [("# no", "# a"), ("y:#x", "y:#o"), ("kept # here", "kept"), ("self, y", "y")])
def test_code_does(old, new):
    assert old in SOURCE and code.digest(SOURCE.replace(old, new)) != code.digest(SOURCE)


def test_the_digest_is_the_same_on_every_version_of_python():
    assert code.digest(SOURCE) == "9b9b8cb5d2bd"


def test_what_changed_since_a_card_is_named(tmp_path, monkeypatch):
    now = code.fingerprint()
    assert {"attention/criss_cross.py", "data/loader.py", "networks/heads.py", "training/loop.py"} <= now.keys()
    assert code.changed_since({"code": now}) == []
    then = now | {"data/loader.py": "0", "training/gone.py": "1"}
    del then["networks/heads.py"]
    assert code.changed_since({"code": then}) == ["data/loader.py", "networks/heads.py", "training/gone.py"]
    assert code.changed_since({}) is None


def test_recorded_cards_either_tell_or_do_not():
    for card in read_cards():
        changed = code.changed_since(card)
        assert changed is None if "code" not in card else isinstance(changed, list)
