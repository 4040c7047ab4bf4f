"""An answer as a sequence of tokens that renaming and reformatting do not change."""

import builtins
import io
import keyword
import re
import tokenize
from collections.abc import Iterator

K = 6
"""Tokens in a row that are compared."""
KEPT = set(keyword.kwlist) | set(dir(builtins)) | {"self", "torch", "np", "numpy", "F", "nn", "math"}
WORD = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?|[^\w\s]")
CJK = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])")


def grams(source: str, code: bool) -> set[tuple[str, ...]]:
    """All runs of `K` tokens of an answer, with its own names made alike; of a text, its words."""
    if code:
        tokens = list(_normalised(list(python_tokens(source))))
    else:
        tokens = [word for word in WORD.findall(CJK.sub(r" \1 ", source.casefold())) if word.isalnum()]
    return {tuple(tokens[start : start + K]) for start in range(len(tokens) - K + 1)}


def unusual(source: str) -> set[str]:
    """Comments, longer strings and long names: what two people seldom write alike by chance."""
    found = set()
    for kind, text in python_tokens(source):
        squeezed = " ".join(text.strip("#'\"rbfRBF \n\t").split())
        if kind in (tokenize.COMMENT, tokenize.STRING) and len(squeezed) >= 15:
            found.add(squeezed)
        elif kind == tokenize.NAME and len(text) >= 12 and text not in KEPT:
            found.add(text)
    return found


def numbers(source: str) -> list[str]:
    """The numbers in an answer, in order."""
    return [text for kind, text in python_tokens(source) if kind == tokenize.NUMBER]


def python_tokens(source: str) -> Iterator[tuple[int, str]]:
    """Tokens up to the first place that is no Python; what follows is split into words."""
    lines = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            lines = token.end[0]
            if token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.OP, tokenize.STRING, tokenize.COMMENT):
                yield token.type, token.string
    except (tokenize.TokenError, SyntaxError):
        for word in WORD.findall("\n".join(source.splitlines()[lines:])):
            yield (
                (tokenize.NUMBER if word[0].isdigit() else tokenize.NAME if word.isidentifier() else tokenize.OP),
                word,
            )


def _normalised(tokens: list[tuple[int, str]]) -> Iterator[str]:
    before = ""
    for kind, text in tokens:
        if kind == tokenize.COMMENT:
            continue
        if kind == tokenize.STRING:
            yield "''"
        elif kind == tokenize.NAME and text not in KEPT and before != ".":
            yield "name"
        else:
            yield text
        before = text
