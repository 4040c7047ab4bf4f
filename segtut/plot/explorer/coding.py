"""Maps as small numbers: what a page and a recording hold of `Looks`.

Of every row the largest weight is kept, and of every weight the root of its share of that, in 64 steps: fine where
weights are small, and to within 1.6 % of the largest everywhere. Keys are ``moment/network/...``.
"""

from collections.abc import Iterable

import numpy as np

from segtut.plot.explorer.look import Looks

SCALE = 63


def coded(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (P, K) as codes (P, K) uint8, and the largest of each row, (P,) float32."""
    peaks = rows.max(axis=1, keepdims=True)
    return np.rint(SCALE * np.sqrt(rows / peaks)).astype(np.uint8), peaks[:, 0].astype(np.float32)


def decoded(codes: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """Weights (P, K) from what `coded` made of them."""
    return (codes.astype(np.float32) / SCALE) ** 2 * peaks[:, None]


def arrays_of(moments: Iterable[Looks]) -> dict[str, np.ndarray]:
    """All that the page needs of the looks, one after the other."""
    arrays = {}
    for k, looks in enumerate(moments):
        for name, classes in looks.classes.items():
            arrays[f"{k}/{name}/classes"] = classes
        for name, passes in looks.passes.items():
            for R, attention in enumerate(passes, 1):
                arrays[f"{k}/{name}/{R}/cross"], arrays[f"{k}/{name}/{R}/peaks"] = coded(attention)
        for name, rows in looks.dense.items():
            codes, arrays[f"{k}/{name}/peaks"] = coded(rows)
            # neighbours look at much the same: the differences of their rows pack well
            arrays[f"{k}/{name}/dense"] = np.diff(codes, axis=0, prepend=np.zeros_like(codes[:1]))
        for name, row in looks.shared.items():
            arrays[f"{k}/{name}/shared"], arrays[f"{k}/{name}/peaks"] = coded(row[None])
    return arrays


def networks_in(arrays: dict[str, np.ndarray], moment: int) -> list[str]:
    """Names of the networks at a moment, in order."""
    start, end = f"{moment}/", "/classes"
    return [key[len(start) : -len(end)] for key in arrays if key.startswith(start) and key.endswith(end)]


def panels_in(arrays: dict[str, np.ndarray], moment: int) -> list[dict]:
    """The maps at a moment that go side by side: network, kind of map, and passes of a criss-cross map."""
    panels = []
    for name in networks_in(arrays, moment):
        passes = 1
        while f"{moment}/{name}/{passes}/cross" in arrays:
            panels.append({"network": name, "kind": "cross", "passes": passes})
            passes += 1
        for kind in ("dense", "shared"):
            if f"{moment}/{name}/{kind}" in arrays:
                panels.append({"network": name, "kind": kind, "passes": 0})
    return panels


def row_of(arrays: dict[str, np.ndarray], moment: int, panel: dict, u: int, H: int, W: int) -> np.ndarray:
    """Where position u looks, (N,): a row of the panel's map, as the page computes it."""
    key = f"{moment}/{panel['network']}"
    if panel["kind"] == "shared":
        return decoded(arrays[f"{key}/shared"], arrays[f"{key}/peaks"])[0]
    if panel["kind"] == "dense":
        codes = np.cumsum(arrays[f"{key}/dense"][: u + 1], axis=0, dtype=np.uint8)[u:]
        return decoded(codes, arrays[f"{key}/peaks"][u : u + 1])[0]
    row = np.zeros(H * W, np.float32)
    row[u] = 1
    for R in range(panel["passes"], 0, -1):  # A_R ... A_1: each weight is passed on along its cross
        attention = decoded(arrays[f"{key}/{R}/cross"], arrays[f"{key}/{R}/peaks"])
        weights = (row[:, None] * attention).reshape(H, W, H + W)
        row = (np.einsum("ijg->gj", weights[..., :H]) + np.einsum("ijg->ig", weights[..., H:])).ravel()
    return row
