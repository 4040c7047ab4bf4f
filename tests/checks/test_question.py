"""The judge: every mistake that it knows is recognised, and whatever else code does gets a sentence."""

import importlib
import pkgutil
import threading
import time
from contextlib import suppress
from dataclasses import replace

import pytest
import torch

from segtut import checks
from segtut.checks import restrictions
from segtut.checks.call import call
from segtut.checks.elsewhere import DEVICE, run_elsewhere
from segtut.checks.judging import judge
from segtut.checks.limit import TimeUp, time_limit
from segtut.checks.question import Mistake, Question, close

MODULES = [importlib.import_module(f"segtut.checks.{module.name}") for module in pkgutil.iter_modules(checks.__path__)]
QUESTIONS = {q.name: q for module in MODULES for q in vars(module).values() if isinstance(q, Question)}
MISTAKES = [pytest.param(q, m, id=f"{q.name}-{m.options}") for q in QUESTIONS.values() for m in q.mistakes]


def answer_of(question, **options):
    """The question's own function, with options, as a student's answer."""
    names = list(question.cases(0)[0])
    return lambda *args: question.right(**dict(zip(names, args, strict=True)), **options)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_the_right_function_is_right(question):
    for seed in range(3):
        judge(replace(question, elsewhere=False), answer_of(question), seed)


@pytest.mark.parametrize(("question", "mistake"), MISTAKES)
def test_every_mistake_is_recognised(question, mistake):
    for seed in (0, 1, 5):
        with pytest.raises(AssertionError) as told:
            judge(question, answer_of(question, **mistake.options), seed)
        assert str(told.value).startswith(mistake.sentence)
        assert "Smallest case: " in str(told.value)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_mistakes_are_many_and_say_different_things(question):
    sentences = [mistake.sentence for mistake in question.mistakes]
    assert len(set(sentences)) == len(sentences) >= 8


def test_two_mistakes_at_once_are_both_named():
    affinity = QUESTIONS["criss_cross_affinity"]
    with pytest.raises(AssertionError, match=r"q and k are exchanged.* And another: .*divided by √C"):
        judge(affinity, answer_of(affinity, exchanged=True, scale="sqrt"))


# A small question of its own: the sum of two tensors.
def cases(seed):
    g = torch.Generator().manual_seed(seed)
    shapes = (1, 1, 1), (1, 1, 2), (2, 1, 2), (1, 2, 2), (2, 2, 2), (1, 3, 3), (2, 2, 3), (2, 4, 5)
    return [{name: torch.randn(B, 2, H, W, generator=g) for name in ("q", "k")} for B, H, W in shapes]


def add(q, k, sign=1):
    return q + sign * k


SUM = Question(
    "add", add, cases, (Mistake("It subtracts.", {"sign": -1}),), "(B, C, H, W)", gradients=("q", "k"),
    only=restrictions.ALL,
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def warm():
    """PyTorch loads more of itself when a tensor is elsewhere for the first time; no limit shall count that."""
    run_elsewhere(lambda x: x + 1, torch.ones(1))


def hint(answer):
    with pytest.raises(AssertionError) as told:
        judge(SUM, answer)
    return str(told.value)


def forever(q, k):
    while True:
        pass


def stubborn(q, k):
    while True:
        with suppress(Exception):
            time.sleep(10)


def raises(q, k):
    raise KeyError("weights")


def unwritten(q, k):
    raise NotImplementedError("your answer")


def floods(q, k):
    for _ in range(1000):
        print("x" * 1000)


def made_here(q, k):
    out = torch.zeros(q.shape, dtype=q.dtype)
    out += q
    return out + k


def flat(q, k):
    return torch.tensor((q + k).tolist(), dtype=q.dtype)


def spoils(q, k):
    q += k
    return q


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "add is None: write it first"),
        (..., "add is Ellipsis: write it first"),
        (3, "add is an int: it must be a function"),
        (unwritten, "add still raises NotImplementedError (in the line `raise NotImplementedError(\"your answer\")`)"),
        (forever, "did not finish within 0.3 s: look for a loop that never ends"),
        (stubborn, "did not finish within 0.3 s"),
        (raises, "raised KeyError: 'weights' (in the line `raise KeyError(\"weights\")`)"),
        (lambda q, k: exit(), "raised SystemExit"),
        (lambda q: q, "raised TypeError"),
        (lambda q, k: None, "returned None; does it end with `return`?"),
        (floods, "returned None; it prints its result: end it with `return` instead."),
        (lambda q, k: (q + k, q), "returned a tuple of 2; it must return one torch.Tensor"),
        (lambda q, k: (q + k).detach().numpy(), "returned a NumPy array; it must return one torch.Tensor"),
        (lambda q, k: (q + k).flatten(2), "a tensor of shape (1, 2, 1); it must be (B, C, H, W) = (1, 2, 1, 1)"),
        (lambda q, k: (q + k).double(), "returned the dtype torch.float64; it must be the inputs', torch.float32"),
        (lambda q, k: (q + k).float(), "works in float32 but not in float64"),
        (lambda q, k: q - k, "It subtracts. Smallest case: q = [[["),
        (lambda q, k: q + 2 * k, "returned other numbers than it should: expected [[[["),
        (lambda q, k: q + k + torch.rand(1), "something else when it is called again with the same input"),
        (lambda q, k: q + k if q.shape[2] == q.shape[3] else q, "right only where H = W"),
        (lambda q, k: q + k[:1], "right only for a single image"),
        (lambda q, k: q + k if len(q) > 1 else q, "wrong only for a single image"),
        (lambda q, k: q + k if min(q.shape[2:]) > 1 else k, "wrong only where H or W is 1"),
        (spoils, "changes its input q"),
        (lambda q, k: q.add_(k).clone(), "changes its input q"),
        (lambda q, k: (q + k).detach(), "nothing before it can learn"),
        (flat, "nothing before it can learn"),
        (lambda q, k: q + k.detach(), "no gradient reaches k"),
        (lambda q, k: q + k + 0 * (q - q).sqrt(), "the gradient of q is NaN"),
        (lambda q, k: q + k + (q - q.detach()), "the gradient of q is another"),
        (made_here, "works on the CPU only: it makes a tensor there"),
        (lambda q, k: (q.cpu() + k.cpu()), "works on the CPU only: its result is there"),
    ],
)  # fmt: skip
def test_whatever_code_does_gets_a_sentence(answer, words, monkeypatch):
    monkeypatch.setattr(call, "__defaults__", (0.3,))
    assert words in hint(answer)


def test_the_smallest_failing_case_is_shown():
    def wrong(q, k):
        return q + k if q.numel() < 9 else q

    assert "Smallest case: q of shape (2, 2, 2, 2), k of shape (2, 2, 2, 2)" in hint(wrong)


def test_a_right_answer_that_prints_passes_with_a_note(capsys):
    def loud(q, k):
        print("hello\nworld")
        return q + k

    judge(SUM, loud)
    assert capsys.readouterr().out == (
        "add: right, on 8 cases.\nNote: it prints 2 lines in each call; take that out before you hand it in.\n"
    )


@pytest.mark.parametrize("seed", [1.5, "1", None, True])
def test_a_seed_is_an_integer(seed):
    with pytest.raises(ValueError, match="must be an integer"):
        checks.check_criss_cross_affinity(lambda q, k: q, seed=seed)


def test_a_limit_holds_in_a_thread_that_gets_no_signals():
    ended = []

    def loop():
        try:
            with time_limit(0.2):
                while True:
                    pass
        except TimeUp:
            ended.append(time.monotonic())

    start = time.monotonic()
    thread = threading.Thread(target=loop)
    thread.start()
    thread.join(20)
    assert 0.15 < ended[0] - start < 15


def test_a_limit_that_is_kept_changes_nothing():
    with time_limit(0.05):
        pass
    time.sleep(0.1)  # no late alarm


def test_what_a_gpu_allows_is_allowed_elsewhere():
    x, index = torch.randn(2, 3, 4), torch.tensor([2, 0])

    def fine(x):
        y = torch.zeros(x.shape, device=x.device, dtype=x.dtype)
        y[:, index] = x[:, index]  # indices may stay on the CPU
        y = y + torch.tensor(2.0) + torch.arange(4, device=x.device)
        y += torch.full((4,), -torch.inf, device="cpu").to(x.device).clamp(min=0)
        return torch.einsum("bcn, bcm -> bnm", y, y.softmax(-1)).masked_fill(torch.eye(4, device=y.device) > 0, 0)

    def same_numbers(x):
        assert x.device == DEVICE
        torch.testing.assert_close(fine(x).here, fine(x.here))
        return x

    assert run_elsewhere(fine, x) is None and run_elsewhere(same_numbers, x) is None
    assert run_elsewhere(lambda x: x + torch.ones(4), x) == "two devices"
    assert run_elsewhere(lambda x: x.numpy(), x) == "numpy"
    assert run_elsewhere(lambda x: torch.zeros(3), x) == "result"


def test_numbers_are_compared_with_float32s_rounding():
    x = torch.tensor([1.0, -torch.inf, torch.nan])
    assert close(x, x.double() * (1 + 1e-5)) and not close(x, x * 1.01) and not close(x, x.nan_to_num())
