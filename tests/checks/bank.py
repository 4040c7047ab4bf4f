"""The bank: right and wrong answers to every question, in the ways in which people write them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Bank:
    """Answers to one question.

    `check` is the name of a function in `segtut.checks`. ``@bank.right`` adds a right answer, ``@bank.wrong("words")``
    one that must fail with these words in the hint.
    """

    check: str
    rights: list[Any] = field(default_factory=list)
    wrongs: list[tuple[Any, str]] = field(default_factory=list)

    def right(self, answer: Any) -> Any:
        """Add a right answer."""
        self.rights.append(answer)
        return answer

    def wrong(self, hint: str) -> Callable[[Any], Any]:
        """Add a wrong answer, which must be told so."""

        def add(answer):
            self.wrongs.append((answer, hint))
            return answer

        return add
