"""Probes: tiny images with a question whose answer is known, to ask of a block which context it can see.

On a blank grid stand one or several *things*, each of one of four colours; pixels that are asked must answer with one
of four classes. Nothing tells a pixel where it is, unless a probe gives coordinates. `refine` and `ceiling` say
without any training how often a pixel can be right at most, given whom it hears.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor
from torch.nn import functional as F

from segtut.data.classes import IGNORE_INDEX

COLOURS = 4
"""Colours of a thing, and number of answers."""
KINDS = 3
"""Kinds of keys in the probe "matching"."""
PLANES = COLOURS + KINDS + 2
"""Input channels: one for each colour, one for each kind, row and column; what a probe does not use is 0."""

Images = Float[Tensor, "B planes H W"]
Answers = Int[Tensor, "B H W"]
Labels = Int[Tensor, "B N"]


class Layout(NamedTuple):
    """What stands where, before it is coloured; all (B, H, W) int64, -1 for nothing."""

    things: Tensor  # number of the thing that stands there
    asks: Tensor  # number of the thing whose colour is the answer, or the answer itself; -1: not asked
    kinds: Tensor | None = None


@dataclass(frozen=True)
class Probe:
    """One task.

    Parameters
    ----------
    question : str
        What each pixel is asked.
    layout : callable
        (images, H, W, generator) -> `Layout`.
    things : function of (H, W), optional
        Number of things whose colour is drawn; None: all have the first colour, and `asks` holds the answers.
    coordinates : bool
        Give each pixel its row and column, from -1 to 1.
    """

    question: str
    layout: Callable[[int, int, int, Generator], Layout]
    things: Callable[[int, int], int] | None = None
    coordinates: bool = False

    def sample(self, images: int, size: tuple[int, int], generator: Generator) -> tuple[Images, Answers]:
        """Random images, (B, PLANES, H, W) float32, and the answers, (B, H, W) int64, IGNORE_INDEX where none is asked.

        Raises ValueError if `images` is below 1, or if `size`, (H, W), is below 2 by 2.
        """
        H, W = _checked(images, size)
        layout = self.layout(images, H, W, generator)
        things = self.things(H, W) if self.things else 1
        return self._render(layout, torch.randint(COLOURS, (images, things), generator=generator))

    def test(self, size: tuple[int, int], generator: Generator) -> tuple[Images, Answers]:
        """64·H·W images in which colours are balanced, as `sample` gives them; ValueError as there.

        A place at which a single thing can stand is taken equally often. Each layout comes in all colours: with
        up to three things in every combination, so that one thing's colour tells nothing of another's; with more
        in the four that follow from a random one by turning all colours on.
        """
        H, W = _checked(1, size)
        things = self.things(H, W) if self.things else 1
        images = COLOURS**3 * H * W
        if self.things is None:
            palettes = torch.zeros(1, 1, dtype=torch.long)
        elif things <= 3:
            palettes = torch.cartesian_prod(*[torch.arange(COLOURS)] * things).view(-1, things)
        else:
            palettes = torch.arange(COLOURS)[:, None].expand(-1, things)
        layout = self.layout(images // len(palettes), H, W, generator)
        base = torch.zeros(len(layout.things), 1, things, dtype=torch.long)
        if things > 3:
            base = torch.randint(COLOURS, base.shape, generator=generator)
        colours = ((base + palettes) % COLOURS).flatten(0, 1)
        layout = Layout(*(t if t is None else t.repeat_interleave(len(palettes), 0) for t in layout))
        return self._render(layout, colours)

    def _render(self, layout: Layout, colours: Tensor) -> tuple[Images, Answers]:
        B, H, W = layout.things.shape
        if self.things is None:
            colours, answer = torch.zeros_like(colours), layout.asks
        else:
            answer = colours.gather(1, layout.asks.clamp(min=0).flatten(1)).view(B, H, W)
        colour = colours.gather(1, layout.things.clamp(min=0).flatten(1)).view(B, H, W)
        colour = colour.masked_fill(layout.things < 0, -1)
        kinds = torch.full_like(colour, -1) if layout.kinds is None else layout.kinds
        planes = [F.one_hot(t + 1, n + 1)[..., 1:] for t, n in ((colour, COLOURS), (kinds, KINDS))]
        place = torch.zeros(B, H, W, 2)
        if self.coordinates:
            rows, columns = torch.meshgrid(torch.linspace(-1, 1, H), torch.linspace(-1, 1, W), indexing="ij")
            place = place + torch.stack([rows, columns], dim=-1)
        x = torch.cat([*(t.float() for t in planes), place], dim=-1).permute(0, 3, 1, 2).contiguous()
        return x, answer.masked_fill(layout.asks < 0, IGNORE_INDEX)


def _checked(images: int, size: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(images, int) or images < 1:
        raise ValueError(f"images={images!r}: must be an integer of at least 1.")
    if len(size) != 2 or min(size) < 2:
        raise ValueError(f"size={tuple(size)}: must be (H, W), each at least 2.")
    return tuple(size)


def _grid(images: int, H: int, W: int) -> tuple[Tensor, Tensor]:
    """Row and column of every position, (B, H, W)."""
    rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    return rows.expand(images, H, W), columns.expand(images, H, W)


def _in_turn(images: int, values: int, generator: Generator) -> Tensor:
    """0 to values - 1 in random order, each as often as the others but for one; (B, 1, 1)."""
    start = torch.randint(values, (1,), generator=generator)  # else a single image would always get 0
    return ((torch.randperm(images, generator=generator) + start) % values)[:, None, None]


def _one_thing(images: int, H: int, W: int, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Offsets (rows, columns) of each position from a single thing, and the map of the thing."""
    place = _in_turn(images, H * W, generator)
    rows, columns = _grid(images, H, W)
    below, right = rows - place // W, columns - place % W
    return below, right, torch.where((below == 0) & (right == 0), 0, -1)


def _beacon(images: int, H: int, W: int, generator: Generator) -> Layout:
    _, _, things = _one_thing(images, H, W, generator)
    return Layout(things, torch.zeros_like(things))


def _diagonal(images: int, H: int, W: int, generator: Generator) -> Layout:
    below, right, things = _one_thing(images, H, W, generator)
    return Layout(things, torch.where((below == 0) | (right == 0), -1, 0))


def _row_and_column(images: int, H: int, W: int, generator: Generator) -> Layout:
    rows, columns = _grid(images, H, W)
    upright = torch.rand(images, 1, 1, generator=generator) < 0.5  # a column of labels, one for each row
    line = torch.rand(images, 1, 1, generator=generator)
    across, along = torch.where(upright, columns, rows), torch.where(upright, rows, columns)
    labels = across == (line * torch.where(upright, W, H)).long()
    return Layout(torch.where(labels, along, -1), torch.where(labels, -1, along))


def _matching(images: int, H: int, W: int, generator: Generator) -> Layout:
    order = torch.rand(images, H * W, generator=generator).argsort(dim=1).view(images, H, W)
    keys = torch.where(order < KINDS, order, -1)  # one key of each kind, anywhere
    kinds = torch.where(keys < 0, torch.randint(KINDS, keys.shape, generator=generator), keys)
    return Layout(keys, torch.where(keys < 0, kinds, -1), kinds)


def _count(images: int, H: int, W: int, generator: Generator) -> Layout:
    number = _in_turn(images, COLOURS, generator)
    order = torch.rand(images, H * W, generator=generator).argsort(dim=1).view(images, H, W)
    return Layout(torch.where(order <= number, 0, -1), number.expand(images, H, W).clone())


def _left_or_right(images: int, H: int, W: int, generator: Generator) -> Layout:
    _, right, things = _one_thing(images, H, W, generator)
    return Layout(things, torch.where(right == 0, -1, (right > 0).long()))


PROBES = {
    "beacon": Probe("Which colour has the only coloured pixel?", _beacon, lambda H, W: 1),
    "row and column": Probe("Which colour has the label of my line?", _row_and_column, max),
    "diagonal": Probe("The beacon's colour; asked are pixels off its cross.", _diagonal, lambda H, W: 1),
    "matching": Probe("Which colour has the key of my kind?", _matching, lambda H, W: KINDS),
    "count": Probe("How many pixels are coloured: 1, 2, 3 or 4?", _count),
    "left or right": Probe("On which side of me is the coloured pixel?", _left_or_right),
    "with coordinates": Probe("The same, and each pixel knows where it is.", _left_or_right, coordinates=True),
}
"""Name -> probe, in the order of the book."""


def first_labels(x: Images) -> Labels:
    """A number for what each position holds: equal contents, equal numbers; (B, N)."""
    contents = x.permute(0, 2, 3, 1).flatten(0, 2)
    return contents.unique(dim=0, return_inverse=True)[1].view(len(x), -1)


def refine(labels: Labels, omega: Bool[Tensor, "N N"]) -> Labels:
    """What a position knows after one pass in which it hears from Ω(u), without knowing who said what.

    Colour refinement (Weisfeiler and Leman, 1968): two positions, of one image or of two, get the same new label
    if they had the same, and heard the same labels equally often.

    Parameters
    ----------
    labels : Tensor
        (B, N) int64, from 0.
    omega : Tensor
        (N, N) bool, True where u looks at s.

    Returns
    -------
    Tensor
        (B, N) int64, from 0. That unlike positions get one label by accident has a chance below 1e-8.
    """
    if omega.dtype != torch.bool or omega.shape != (labels.shape[1],) * 2:
        raise ValueError(
            f"omega is {omega.dtype} of shape {tuple(omega.shape)}: must be (N, N) bool for labels (B, N)."
        )
    # a sum of random 64-bit numbers, one for each label, tells one collection of labels from another
    generator = torch.Generator().manual_seed(0)
    shape = (2, int(labels.max()) + 1)
    own, heard = torch.randint(-(2**63), 2**63 - 1, shape, generator=generator)
    return (own[labels] + heard[labels] @ omega.long().T).unique(return_inverse=True)[1]


def ceiling(labels: Labels, answer: Answers) -> float:
    """Accuracy of the best rule from labels to answers on these images: no rule whatever gets more of them right."""
    answer, asked = answer.flatten(), answer.flatten() != IGNORE_INDEX
    counts = torch.zeros(int(labels.max()) + 1, COLOURS, dtype=torch.long)
    counts.index_put_((labels.flatten()[asked], answer[asked]), torch.ones(1, dtype=torch.long), accumulate=True)
    return counts.amax(dim=1).sum().item() / asked.sum().item()
