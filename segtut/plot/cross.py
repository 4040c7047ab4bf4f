"""Softmax over the cross: energies, weights and result of one position of criss-cross attention."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from segtut.attention import _check
from segtut.attention.criss_cross import criss_cross, criss_cross_affinity
from segtut.attention.dense import number
from segtut.plot.palette import MARK
from segtut.plot.style import STYLE
from segtut.plot.widget import Widget

SIDE = 16
"""Most rows, and most columns: a page lists all H + W places of a position's map."""


def small_house() -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values, (1, 3, 5, 7) float64: the noisy front of a house in which each asks for its own colour.

    Values are the colours. Keys are the colours less their mean, queries 20 times that.
    """
    kinds = np.array([list(row) for row in ("sssssss", "wowowow", "wwwwwww", "wowowow", "wwwdwww")])
    colours = {"s": (0.70, 0.85, 0.95), "w": (0.75, 0.50, 0.40), "o": (0.30, 0.40, 0.55), "d": (0.45, 0.25, 0.15)}
    house = np.array([[colours[kind] for kind in row] for row in kinds])
    noisy = (house + np.random.default_rng(0).normal(0, 0.05, house.shape)).clip(0, 1)
    v = torch.from_numpy(noisy).permute(2, 0, 1)[None]
    k = v - v.mean((2, 3), keepdim=True)
    return 20 * k, k, v


def explore_cross(
    q: Tensor | None = None, k: Tensor | None = None, v: Tensor | None = None, pixel: tuple[int, int] | None = None
) -> Widget:
    """Choose the position that looks, and see the energies and weights of its column and row, and the result.

    Without tensors: the noisy front of a house, 5×7, in which each position asks for its own colour.

    Parameters
    ----------
    q, k : Tensor, optional
        Queries and keys, (1, C_qk, H, W), H and W at most 16.
    v : Tensor, optional
        Values, (1, C, H, W), drawn as colours (C = 3) or as grey (C = 1). Values outside of 0 to 1 are brought there
        for the drawing, all by the same factor and shift; the numbers stay as they are.
    pixel : (int, int), optional
        Row and column of the position when the page opens; the middle of the tensors by default.

    Returns
    -------
    Widget
        Shown where it is the last value of a cell; ``.save("page.html")`` writes it as a page.

    Raises
    ------
    TypeError, ValueError
        Tensors of other shapes or types, more than one image, too large, or with values that are not finite; a pixel
        outside of them.

    Examples
    --------
    >>> import torch
    >>> from segtut.attention import CrissCrossAttention
    >>> module, x = CrissCrossAttention(16), torch.randn(1, 16, 5, 7)
    >>> page = explore_cross(module.query_conv(x), module.key_conv(x), module.value_conv(x)[:, :3])
    """
    given = [t is not None for t in (q, k, v)]
    if not any(given):
        q, k, v = small_house()
        pixel = (1, 3) if pixel is None else pixel  # a window
    elif not all(given):
        raise TypeError("q, k and v go together: give all three, or none for the page's own")
    _check.qkv(q, k, v)
    B, C, H, W = v.shape
    if B != 1:
        raise ValueError(f"q, k and v hold {B} images: give one, such as q[:1], k[:1], v[:1]")
    if C not in (1, 3):
        raise ValueError(f"v has {C} channels: a page draws 3 as colours or 1 as grey; give some, such as v[:, :3]")
    if max(H, W) > SIDE:
        raise ValueError(f"q, k and v are {H}×{W}: a page lists at most {SIDE} rows and {SIDE} columns; crop them")
    q, k, v = (t.detach().cpu().double() for t in (q, k, v))
    for name, t in (("q", q), ("k", k), ("v", v)):
        if not t.isfinite().all():
            raise ValueError(f"{name} has values that are not finite: nothing can be drawn of them")
    pixel = (H // 2, W // 2) if pixel is None else pixel
    number(pixel, H, W)
    u = int(pixel[0]), int(pixel[1])

    low, high = min(0.0, v.min().item()), max(1.0, v.max().item())
    energies = criss_cross_affinity(q, k)[0]
    out, attention = criss_cross(q, k, v)
    data = {"H": H, "W": W, "C": C, "pixel": u, "low": low, "high": high}
    arrays = {"energies": energies.float().numpy().ravel(), "values": v[0].float().numpy().ravel()}
    most = int(attention[0][u].argmax())
    where = (most, u[1]) if most < H else (u[0], most - H)
    alt = (
        f"A grid of {H} rows and {W} columns of colours; the column and the row of the framed position in row {u[0]}, "
        f"column {u[1]} carry the weights with which it looks at them, the largest {attention[0][u].max():.2f} at row "
        f"{where[0]}, column {where[1]}. Below, its own value and the result, the mixture in these proportions."
    )
    drawn = ((v[0] - low) / (high - low)).permute(1, 2, 0).expand(H, W, 3).numpy()
    mixed = ((out[0, :, *u] - low) / (high - low)).expand(3).numpy()
    still = _still(drawn, attention[0][u].numpy(), u, mixed)
    return Widget("cross.js", f"Softmax over the cross, {H}×{W} positions", data, arrays, still, alt)


@rc_context(STYLE)
def _still(colours: np.ndarray, weights: np.ndarray, u: tuple[int, int], mixed: np.ndarray) -> Figure:
    H, W = colours.shape[:2]
    cross = np.zeros((H, W), bool)
    cross[u[0]], cross[:, u[1]] = True, True
    figure, (axes, below) = plt.subplots(
        2, 1, figsize=(4.8, 4.6 * min(H / W, 1.2) + 0.9), height_ratios=(max(H, 3), 1), layout="constrained"
    )
    axes.imshow(np.where(cross[..., None], colours, 0.25 * colours + 0.75))
    weight = dict(zip([(h, u[1]) for h in range(H)] + [(u[0], w) for w in range(W)], weights))  # itself from the row
    for (i, j), a in weight.items():
        dark = colours[i, j] @ (0.3, 0.59, 0.11) < 0.5
        axes.text(j, i, f"{a:.2f}"[1:], ha="center", va="center", fontsize=9, color="white" if dark else "black")
    axes.add_patch(Rectangle((u[1] - 0.5, u[0] - 0.5), 1, 1, fill=False, edgecolor=MARK, linewidth=2.5))
    for x, name, colour in ((0, "its own value", colours[u]), (5, "the result", mixed)):
        below.add_patch(Rectangle((x, 0), 1.4, 1, facecolor=colour, edgecolor="#56606e"))
        below.text(x + 1.7, 0.5, name, va="center", fontsize=10)
    below.set(xlim=(-0.1, 9), ylim=(-0.1, 1.1))
    below.set_axis_off()
    axes.set(xticks=[], yticks=[])
    return figure
