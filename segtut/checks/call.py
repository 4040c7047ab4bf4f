"""One call of a student's code: whatever it does comes back as a value or as a sentence."""

import io
import linecache
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from segtut.checks import words
from segtut.checks.limit import TimeUp, time_limit

SECONDS = 5.0
"""Time that one call may take; on these small inputs a loop over everything takes a hundredth of it."""

Inputs = Mapping[str, Any]
"""Name -> value, in the order of the arguments."""

HERE = Path(__file__).parent
NO_GPU = ("NVIDIA driver", "not compiled with CUDA", "No CUDA GPUs", "not linked with support for mps")
"""What PyTorch says of it."""
KEPT = 200  # characters of what a call prints


class Printed(io.TextIOBase):
    """Takes what is printed, keeps the beginning and counts."""

    def __init__(self):
        self.text, self.lines = "", 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text[: KEPT - len(self.text)]
        self.lines += text.count("\n")
        return len(text)


@dataclass
class Outcome:
    """What came of a call: a value, or a sentence that says what went wrong."""

    value: Any = None
    problem: str | None = None
    """Why there is no value."""
    kind: str = ""
    """"unwritten", "hang", "raise", or "" ."""
    inputs: Inputs = field(default_factory=dict)
    """The copies that the call got."""
    changed: tuple[str, ...] = ()
    """Names of the inputs that the call changed."""
    printed: Printed = field(default_factory=Printed)


def call(function: Callable[..., Any], name: str, inputs: Inputs, seconds: float = SECONDS) -> Outcome:
    """Call a student's function with copies of the inputs, by position.

    Parameters
    ----------
    function : callable
        The student's.
    name : str
        Its name, for the sentence.
    inputs : mapping
        Name -> value, in the order of the arguments. Tensors, also inside of mappings, are copied, and keep whether
        they require a gradient.
    seconds : float
        Time limit.

    Returns
    -------
    Outcome
        KeyboardInterrupt alone gets through.
    """
    copies = tree_map(_copy, dict(inputs))
    before = tree_map(lambda t: t.detach().clone() if isinstance(t, Tensor) else t, copies)
    outcome = Outcome(inputs=copies)
    try:
        with redirect_stdout(outcome.printed), redirect_stderr(outcome.printed), time_limit(seconds):
            outcome.value = function(*copies.values())
    except KeyboardInterrupt:
        raise
    except TimeUp:
        outcome.kind = "hang"
        outcome.problem = f"{name} did not finish within {seconds:g} s: look for a loop that never ends."
    except NotImplementedError as error:
        outcome.kind = "unwritten"
        outcome.problem = f"{name} still raises NotImplementedError{_where(error)}: write it first."
    except BaseException as error:  # SystemExit too: a student's cell may call exit()
        outcome.kind = "raise"
        first_line = (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")
        said = f": {first_line}" if first_line and first_line != "None" else ""
        outcome.problem = f"{name} raised {type(error).__name__}{said}{_where(error)}."
        if any(sign in said for sign in NO_GPU):
            outcome.problem = (
                f"{name} asks for a GPU, which is not there{_where(error)}: make every tensor where the input is, as "
                "in torch.zeros(..., device=x.device)."
            )
    if isinstance(outcome.value, Tensor) and (outcome.value.layout != torch.strided or outcome.value.is_meta):
        outcome.value, outcome.kind = None, "raise"
        outcome.problem = f"{name} returned a tensor that is sparse, or holds no numbers; it must be an ordinary one."
    outcome.changed = tuple(key for key in before if not _same(before[key], copies[key]))
    return outcome


def _copy(value: Any) -> Any:
    return value.detach().clone().requires_grad_(value.requires_grad) if isinstance(value, Tensor) else value


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, Mapping):
        return before.keys() == after.keys() and all(_same(before[key], after[key]) for key in before)
    if not isinstance(before, Tensor):
        return before is after or type(before) is not list or before == after
    return before.shape == after.shape and before.dtype == after.dtype and torch.equal(before, after.detach())


def _where(error: BaseException) -> str:
    """The student's line in which an error arose, as the traceback has it."""
    line, trace = "", error.__traceback__
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if Path(file).parent != HERE and not {"site-packages", "dist-packages"} & set(Path(file).parts):
            line = linecache.getline(file, trace.tb_lineno).strip() or line
        trace = trace.tb_next
    return f" (in the line `{line[:120]}`)" if line else ""


def wrong_kind(value: Any, name: str, printed: Printed) -> str | None:
    """A sentence if a result is no tensor, else None."""
    if isinstance(value, Tensor):
        return None
    if value is None:
        how = "it prints its result: end it with `return` instead." if printed.lines else "does it end with `return`?"
        return f"{name} returned None; {how}"
    return f"{name} returned {words.thing(value)}; it must return one torch.Tensor."
