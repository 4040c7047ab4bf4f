"""The page of the package and the package offer the same names."""

import importlib
import pkgutil
import re
from pathlib import Path

import segtut

PAGE = Path(__file__).parents[2] / "book/api.md"


def documented(page):
    """Return ``package.name`` of everything that a directive of the page describes, and of what its tables list."""
    described, listed = [], []
    for block in re.findall(r"^```\{eval-rst\}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        [package] = re.findall(r"^\.\. currentmodule:: (\S+)$", block, re.MULTILINE)
        described += [
            f"{package}.{name}" for name in re.findall(r"^\.\. (?:auto\w+|py:data):: (\w+)$", block, re.MULTILINE)
        ]
        for table in re.findall(r"^\.\. autosummary::\n((?:   .*\n|\n)*)", block, re.MULTILINE):
            listed += [f"{package}.{name}" for name in re.findall(r"^   (\w+)$", table, re.MULTILINE)]
    return described, listed


def offered():
    """Return ``package.name`` of everything in the ``__all__`` of a subpackage."""
    packages = [f"segtut.{module.name}" for module in pkgutil.iter_modules(segtut.__path__) if module.ispkg]
    modules = {name: importlib.import_module(name) for name in packages}
    return [f"{name}.{entry}" for name, module in modules.items() for entry in getattr(module, "__all__", [])]


def test_the_page_has_what_the_package_offers_and_nothing_else():
    described, listed = documented(PAGE.read_text(encoding="utf-8"))
    assert len(described) == len(set(described))
    assert set(described) == set(offered())
    assert set(listed) <= set(described) and len(listed) == len(set(listed))


def test_a_name_is_read_with_its_package():
    page = """```{eval-rst}
.. currentmodule:: a.b

.. autosummary::
   :nosignatures:

   C

.. autoclass:: C

.. py:data:: D
```
"""
    assert documented(page) == (["a.b.C", "a.b.D"], ["a.b.C"])
