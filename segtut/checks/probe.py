"""Assignment 4: a small network of the student's own, judged by how often it is right on a probe."""

import copy

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from segtut.checks import draw, words
from segtut.checks.call import call, wrong_kind
from segtut.checks.probe_hints import EVAL, MODES, right_share, why_low
from segtut.data.probes import COLOURS, PLANES, PROBES

SIZE = (5, 6)
"""H and W of the images on which the share of right answers counts; neither is the number of colours."""
OTHER_SIZES = ((3, 7), (6, 5), (7, 9))
"""H and W of images on which it must only run."""
PARAMETERS = 20_000
"""Most parameters that a network may have."""
NEEDED = {"beacon": 0.95, "matching": 0.9}
"""Share of right answers that a network needs unless a check says otherwise."""


def check_context_network(answer: nn.Module, probe: str = "beacon", needed: float | None = None, seed: int = 0) -> None:
    """Check a trained network, (B, PLANES, H, W) -> scores (B, COLOURS, H, W), on balanced images of a probe.

    Parameters
    ----------
    answer : nn.Module
        As it shall be used, in evaluation mode; a copy of it is called.
    probe : str
        Which of `segtut.data.probes.PROBES`.
    needed : float, optional
        Share of right answers, `NEEDED` by default.
    seed : int
        Other seeds draw other images.

    Raises
    ------
    AssertionError
        What is wrong, in one or two sentences, with the share that it reaches where that is it.
    """
    needed = NEEDED[probe] if needed is None else needed
    network = _module(answer)
    parameters = sum(p.numel() for p in network.parameters() if not is_lazy(p))
    assert parameters <= PARAMETERS, (
        f"The network has {parameters:,} parameters; at most {PARAMETERS:,} are allowed: use fewer channels."
    )
    x, target = PROBES[probe].test(SIZE, draw.generator(seed))
    scores = _scores(network, x)
    _require_same(network, x, scores)
    for H, W in OTHER_SIZES:
        _require_size(network, PROBES[probe].sample(2, (H, W), draw.generator(seed))[0])
    share = right_share(scores, target)
    if share < needed:
        raise AssertionError(
            f"{why_low(network, probe, x, target, scores, needed)} It is right at {100 * share:.1f} % of the pixels of "
            f"{probe!r} (images of {SIZE[0]}×{SIZE[1]}, seed {seed}); {100 * needed:g} % are needed, and guessing gets "
            f"{100 / COLOURS:g} %."
        )
    print(f"{probe}: right at {100 * share:.1f} % of the pixels; {100 * needed:g} % are needed.")


def _module(answer: object) -> nn.Module:
    """A copy on the CPU of what was handed in; AssertionError with a sentence if that is no network."""
    assert answer is not None and answer is not Ellipsis, f"The network is {answer}: build and train it first."
    assert not isinstance(answer, type), (
        f"{answer.__name__} is a class: hand over the trained network, an object of that class."
    )
    assert isinstance(answer, nn.Module), f"The network is {words.thing(answer)}: it must be an nn.Module."
    try:
        return copy.deepcopy(answer).cpu()
    except Exception:  # a tensor that is no parameter and has a history cannot be copied
        pass
    empty = any(p.is_meta for p in answer.parameters())
    assert not empty, "The network's parameters hold no numbers: build it on the CPU, not on the device 'meta'."
    return answer.cpu()


@torch.no_grad()
def _scores(network: nn.Module, x: Tensor) -> Tensor:
    """Scores of images; AssertionError with a sentence if they are not what they must be."""
    H, W = x.shape[2:]
    outcome = call(network, "The network", {"x": x})
    if problem := outcome.problem or wrong_kind(outcome.value, "The network", outcome.printed):
        raise AssertionError(problem + (_advice(network, x) if outcome.kind == "raise" else ""))
    assert not outcome.changed, "The network changes its input x: work on a copy, without += and the like."
    scores, want = outcome.value, (len(x), COLOURS, H, W)
    if problem := _wrong_shape(tuple(scores.shape), want):
        raise AssertionError(problem)
    assert scores.is_floating_point(), (
        f"The network returned the dtype {scores.dtype}: return scores, and leave argmax to whoever wants a colour."
    )
    assert scores.dtype == x.dtype, f"The network returned the dtype {scores.dtype}; it must be the input's, {x.dtype}."
    assert not scores.isnan().any(), "The network returned NaN: did the training diverge? Try a lower learning rate."
    assert scores.isfinite().all(), "The network returned ∞: did the training diverge? Try a lower learning rate."
    if scores.gt(0).all() and (scores.sum(1) - 1).abs().max() < 1e-4:
        raise AssertionError(
            "The network returned probabilities, which sum to 1 over the colours: return the scores before the "
            "softmax, since cross_entropy takes one itself."
        )
    return scores.detach()


def _advice(network: nn.Module, x: Tensor) -> str:
    dtypes = {p.dtype for p in network.parameters()} - {x.dtype}
    if dtypes:
        return f" Its parameters are {dtypes.pop()} and the images {x.dtype}: .float() makes the network fit."
    return f" Its input was of shape {words.shape(x)}, {PLANES} planes an image."


@torch.no_grad()
def _require_size(network: nn.Module, x: Tensor) -> None:
    """Images of another size must run, whatever the answers."""
    B, _, H, W = x.shape
    outcome = call(network, "The network", {"x": x})
    problem = outcome.problem
    if not problem and outcome.value.shape != (B, COLOURS, H, W):
        problem = f"There it returned the shape {words.shape(outcome.value)}, which must be {(B, COLOURS, H, W)}."
    assert not problem, (
        f"It works on images of {SIZE[0]}×{SIZE[1]}, but not of {H}×{W}: no layer may have the size built in. {problem}"
    )


def _wrong_shape(got: tuple[int, ...], want: tuple[int, ...]) -> str | None:
    if got == want:
        return None
    B, K, H, W = want
    said = f"The network returned the shape {got}; it must be (B, {K}, H, W) = {want}"
    if got == (B, H, W):
        return f"{said}: return scores for all {K} colours, and leave argmax to whoever wants one."
    if got in ((B, K), (B, K, 1, 1)):
        return f"{said}: every pixel must answer, not the image as a whole."
    if got == (B, H, W, K):
        return f"{said}: the colours belong on the second axis."
    if got == (B, K, H * W):
        return f"{said}: give the positions their two axes back, with .unflatten(2, (H, W))."
    if got == (B, K, W, H):
        return f"{said}: H and W are swapped."
    if len(got) == 4 and got[2:] == (H, W) and got[0] == B:
        return f"{said}: the last layer must have {K} channels, one a colour."
    return f"{said}."


def _require_same(network: nn.Module, x: Tensor, scores: Tensor) -> None:
    """The answer for an image must be the same again, and whatever other images are in its batch."""
    room = 1e-3 * (1 + scores.abs().max())
    mode = f" {EVAL}" if any(isinstance(m, MODES) and m.training for m in network.modules()) else ""
    draws = mode or " It must neither draw at random nor remember."
    assert (_scores(network, x) - scores).abs().max() <= room, (
        f"The network answers the same images otherwise when it is called again.{draws}"
    )
    for n in (0, len(x) // 3, len(x) - 1):
        try:
            alone = _scores(network, x[n : n + 1])
        except AssertionError as error:
            raise AssertionError(f"It works for many images but not for one: {error}{mode}") from None
        assert (alone[0] - scores[n]).abs().max() <= room, (
            "The network answers an image otherwise when it is alone than among others: the images of a batch must "
            f"not hear of each other.{mode}"
        )
