"""Open the data of a run: CamVid from a folder, or the procedural scenes, and say which."""

import os
from pathlib import Path

from torch.utils.data import Dataset

from segtut.data.camvid import CamVid, DataError, recognise
from segtut.data.classes import IMAGE_SIZE, SPLITS
from segtut.data.scenes import Scenes

PLACES = ("data/camvid", "../data/camvid")
"""Where CamVid is looked for when it is not named: below the working folder, or beside it for a chapter."""


def find_camvid() -> Path | None:
    """Folder of CamVid: the environment variable ``SEGTUT_CAMVID``, else the first of `PLACES` that is there.

    Raises
    ------
    DataError
        ``SEGTUT_CAMVID`` names something that is no folder.
    """
    named = os.environ.get("SEGTUT_CAMVID")
    if named:
        if not Path(named).is_dir():
            raise DataError(f"SEGTUT_CAMVID={named} is not a folder: correct it or unset it")
        return Path(named)
    return next((Path(place) for place in PLACES if Path(place).is_dir()), None)


def open_splits(
    where: str | Path,
    images: tuple[int, int, int] | None = None,
    scenes_size: tuple[int, int] = IMAGE_SIZE,
    cache: bool = True,
    layout: str | None = None,
) -> dict[str, Dataset]:
    """Open train, val and test.

    Parameters
    ----------
    where : path or "scenes"
        Folder of CamVid, or the word for the procedural scenes.
    images : (int, int, int), optional
        Number of images in each split, of CamVid evenly spaced; None: the whole protocol.
    scenes_size : (int, int)
        Height and width of the scenes.
    cache : bool
        Keep the arrays in memory. CamVid is decoded, and so checked, now; scenes are drawn when first asked for.
    layout : str, optional
        See `CamVid`.

    Returns
    -------
    dict of str to Dataset
        ``train``, ``val`` and, but for CamVid layouts without one, ``test``.
    """
    lengths = dict(zip(SPLITS, images or (None, None, None), strict=True))
    if str(where) == "scenes":
        data = {split: Scenes(split, scenes_size, length=lengths[split], cache=cache) for split in SPLITS}
        source = f"procedural scenes, {scenes_size[0]}×{scenes_size[1]}"
    else:
        root = Path(where)
        names = SPLITS
        if root.is_dir():
            layout = layout or recognise(root)
            names = [s for s in SPLITS if s != "test" or layout == "segnet" or (root / "test_images").is_dir()]
        data = {split: CamVid(root, split, layout, cache, lengths[split]) for split in names}
        source = f"CamVid in {where}, layout {layout}"
    print(f"Data: {source}; " + ", ".join(f"{len(data[split])} {split}" for split in data) + " images.")
    return data
