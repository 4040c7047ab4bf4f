"""The fingerprint of the code on a run card."""

import subprocess

import pytest

from segtut.training import card, code

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
    assert code.changed_since({"code": now}, now) == []
    then = now | {"data/loader.py": "0", "training/gone.py": "1"}
    del then["networks/heads.py"]
    assert code.changed_since({"code": then}, now) == ["data/loader.py", "networks/heads.py", "training/gone.py"]
    assert code.changed_since({}, now) is None
    old, new = code.notes([{"code": then}, {}, {"code": now}])
    assert old.startswith("1 of 3 cards are older")
    assert new.startswith("Since 1 of 3 cards") and "in data/loader.py, networks/heads.py, training/gone.py:" in new
    assert code.notes([{"code": now}]) == []


def test_a_run_that_goes_on_with_other_code_says_so():
    now = {"commit": "b", "code": code.fingerprint()}
    before = {"commit": "a", "code": now["code"] | {"data/loader.py": "0"}}
    both = code.also_ran(before, now)
    assert both["commit"] == "a, b" and code.changed_since(both, now["code"]) == ["data/loader.py"]
    assert code.also_ran(now, now) == now
    assert code.also_ran({"commit": "a, b", "code": now["code"]}, now)["commit"] == "a, b"
    old = code.also_ran({}, {"commit": None, "code": now["code"]})  # a checkpoint of before these fields
    assert old["commit"] is None and code.changed_since(old, now["code"]) == sorted(now["code"])


def test_a_new_card_does_not_make_the_code_a_changed_one(tmp_path, monkeypatch):
    monkeypatch.setattr(card, "__file__", str(tmp_path / "segtut" / "training" / "card.py"))
    (tmp_path / "segtut" / "runs").mkdir(parents=True)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "segtut" / "a.py").write_text("x = 1\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "One"]):
        subprocess.run([*git, *words], check=True)
    clean = card.commit()
    assert len(clean) == 40
    (tmp_path / "segtut" / "runs" / "new.json").write_text("{}")
    assert card.commit() == clean
    (tmp_path / "segtut" / "a.py").write_text("x = 2\n")
    assert card.commit() == clean + "+"
