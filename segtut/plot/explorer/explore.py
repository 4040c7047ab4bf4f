"""From what networks look at to the page that shows it."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from segtut.attention.dense import number
from segtut.data import CLASSES, IGNORE_INDEX, PALETTE
from segtut.plot.explorer.coding import SCALE, arrays_of, networks_in, panels_in, row_of
from segtut.plot.explorer.look import Looks, checked_image, look_at, truth_at
from segtut.plot.palette import NETWORKS
from segtut.plot.widget import Widget

if TYPE_CHECKING:
    from segtut.networks import SegmentationNetwork

TITLES = {name: look.name for name, look in NETWORKS.items()} | {"danet": "DANet, position"}
"""What the page calls networks that came without a name of their own."""


def explore(
    image: np.ndarray | None = None,
    networks: "SegmentationNetwork | Mapping[str, SegmentationNetwork] | Mapping[int, Looks] | None" = None,
    truth: np.ndarray | None = None,
    *,
    pixel: tuple[int, int] | None = None,
    classes: Sequence[str] = CLASSES,
    palette: Sequence[tuple[int, int, int]] = PALETTE,
    show: np.ndarray | None = None,
) -> Widget:
    """Choose a pixel of an image, and see where networks look for it.

    Without arguments: the scene and the networks that are recorded in the package, through their training (made by
    `segtut.plot.explorer.record`).

    Parameters
    ----------
    image : numpy.ndarray, optional
        RGB, (h, w, 3) uint8, at the size at which the networks see it.
    networks : optional
        A network, or networks by name; or, to move through a training, what `look_at` found after some of its epochs,
        by epoch: ``{0: look_at(image, network), ...}``.
    truth : numpy.ndarray, optional
        Class map (h, w), with `segtut.data.IGNORE_INDEX` for void.
    pixel : (int, int), optional
        Row and column of the features at which the page starts; the middle by default.
    classes, palette : sequence
        Names of the classes and their colours, RGB from 0 to 255. The book's own by default.
    show : numpy.ndarray, optional
        The same picture in more detail, to be shown in place of `image`.

    Returns
    -------
    Widget
        Shown where it is the last value of a cell; ``.save("page.html")`` writes it as a page.

    Raises
    ------
    TypeError, ValueError
        As `look_at`; a truth of another size than the image; more classes than names; a pixel outside the features.

    Examples
    --------
    >>> from segtut.data import Scenes
    >>> from segtut.networks import build_network
    >>> image, mask = Scenes("val")[0]
    >>> page = explore(image, build_network("ccnet"), mask)
    """
    if image is None:
        if networks is not None or truth is not None:
            raise TypeError("networks or truth without an image: give all of them, or nothing for the recorded ones")
        from segtut.plot.explorer.record import recorded

        return recorded(pixel=pixel)
    image = checked_image(image)
    if networks is None:
        raise TypeError("an image without networks: give a network, or networks by name")
    if isinstance(networks, Mapping) and networks and all(isinstance(found, Looks) for found in networks.values()):
        moments = {int(epoch): networks[epoch] for epoch in sorted(networks)}
    else:
        moments = {0: look_at(image, networks)}
    last = moments[max(moments)]
    for looks in moments.values():
        if list(looks.classes) != list(last.classes) or (looks.H, looks.W) != (last.H, last.W):
            raise ValueError("the looks of different epochs are at different networks or features: look at the same")
    arrays = arrays_of(moments.values())
    if truth is not None:
        truth = np.asarray(truth)
        if truth.shape != image.shape[:2]:
            raise ValueError(
                f"truth is {truth.shape}, the image {image.shape[:2]}: they need the same height and width"
            )
        arrays["truth"] = truth_at(truth, last.H, last.W)
    shown = image if show is None else checked_image(show)
    return page(arrays, list(moments), last.H, last.W, shown, pixel, classes, palette)


def page(
    arrays: dict[str, np.ndarray], epochs: list[int], H: int, W: int, image: np.ndarray,
    pixel: tuple[int, int] | None, classes: Sequence[str], palette: Sequence[tuple[int, int, int]],
) -> Widget:  # fmt: skip
    """The widget for what `arrays_of` made of looks, with ``truth`` among the arrays where there is one."""
    pixel = (H // 2, W // 2) if pixel is None else pixel
    u = number(pixel, H, W)
    labels = [array for key, array in arrays.items() if key == "truth" or key.endswith("/classes")]
    top = max(int(array[array != IGNORE_INDEX].max(initial=0)) for array in labels)
    if top >= min(len(classes), len(palette)):
        raise ValueError(f"class {top} occurs, but there are {len(classes)} names and {len(palette)} colours: give all")
    moment = len(epochs) - 1
    panels = panels_in(arrays, moment)
    for panel in panels:
        passes = {0: "", 1: ", 1 pass"}.get(panel["passes"], f", {panel['passes']} passes")
        panel["title"] = title(panel["network"]) + passes
    rows = {panel["title"]: row_of(arrays, moment, panel, u, H, W) for panel in panels}
    data = {
        "H": H, "W": W, "scale": SCALE, "pixel": [int(pixel[0]), int(pixel[1])], "epochs": epochs, "panels": panels,
        "networks": [[name, title(name)] for name in networks_in(arrays, moment)],
        "classes": list(classes), "colours": ["rgb({} {} {})".format(*colour) for colour in palette],
        "image": _data_uri(image),
    }  # fmt: skip
    known = "truth" in arrays and arrays["truth"][u] != IGNORE_INDEX
    thing = f" ({classes[arrays['truth'][u]]})" if known else ""
    alt = (
        f"An image with a framed pixel{thing} at row {pixel[0]}, "
        f"column {pixel[1]} of {H}×{W} features, and where it looks: "
        + "; ".join(f"{name} most at row {row.argmax() // W}, column {row.argmax() % W}, with {row.max():.1%}"
                    for name, row in rows.items()) + "."
    )  # fmt: skip
    return Widget("explorer.js", "Attention explorer", data, arrays, still(image, rows, pixel, H, W), alt)


def title(network: str) -> str:
    """What the page calls a network."""
    return TITLES.get(network, network)


def _data_uri(image: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=88, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def still(image: np.ndarray, rows: Mapping[str, np.ndarray], pixel: tuple[int, int], H: int, W: int) -> Figure:
    """The image, and one map of each panel, with the pixel framed."""
    columns = 2
    count = 1 + len(rows)
    lines = -(-count // columns)
    figure, grid = plt.subplots(
        lines, columns, squeeze=False, figsize=(4.6, lines * (2.2 * H / W + 0.35)), layout="constrained"
    )
    for axes in grid.flat[count:]:
        axes.set_axis_off()
    for axes, (title, row) in zip(grid.flat, {"the scene": None, **rows}.items()):
        if row is None:
            axes.imshow(image, extent=(-0.5, W - 0.5, H - 0.5, -0.5))
        else:
            axes.imshow(np.sqrt(row.reshape(H, W)), cmap="inferno", vmin=0)  # as on the page: roots
        axes.set_title(title, fontsize=10)
        axes.set(xticks=[], yticks=[])
        for width, colour in ((3, "black"), (1.3, "white")):
            axes.add_patch(Rectangle((pixel[1] - 0.5, pixel[0] - 0.5), 1, 1, fill=False, lw=width, ec=colour))
    return figure
