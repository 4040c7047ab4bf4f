"""The list of digests that is shipped, against the release and against the tool that makes it."""

import gzip
import hashlib
import importlib.util
from collections import Counter
from pathlib import Path

import pytest

from segtut.data.download import camvid_digests

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "../shared/camvid"
needs_released = pytest.mark.skipif(not RELEASED.exists(), reason="../shared/camvid is not here")


def test_digests_of_the_protocol():
    folders = Counter(name.split("/")[0] for name in camvid_digests())
    sizes = {"train": 367, "val": 101, "test": 233}
    assert folders == sizes | {f"{split}annot": size for split, size in sizes.items()}


@needs_released
def test_digests_are_those_of_the_release():
    lines = (RELEASED / "ORIGINAL.sha256").read_text().splitlines()
    assert camvid_digests() == {name.removeprefix("CamVid/"): digest for digest, name in map(str.split, lines)}


@needs_released
def test_released_label_maps_have_these_digests():
    maps = {name: digest for name, digest in camvid_digests().items() if "annot/" in name}
    assert len(maps) == 701
    assert {name: hashlib.sha256((RELEASED / name).read_bytes()).hexdigest() for name in maps} == maps


@pytest.fixture
def make_digests():
    spec = importlib.util.spec_from_file_location("make_camvid_digests", ROOT / "tools/make_camvid_digests.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make_digests


def test_digest_list_is_made_from_sha256sum(make_digests, tmp_path):
    digests = camvid_digests()
    lines = [f"{digest}  CamVid/{name}" for name, digest in reversed(digests.items())]
    (tmp_path / "ORIGINAL.sha256").write_text("\n".join(lines))
    assert make_digests(tmp_path / "ORIGINAL.sha256", tmp_path / "made.gz") == 1402
    shipped = ROOT / "segtut/data/camvid_digests.sha256.gz"
    assert gzip.decompress((tmp_path / "made.gz").read_bytes()) == gzip.decompress(shipped.read_bytes())


@pytest.mark.parametrize("bad", ["0" * 63 + "  CamVid/val/b.png", "0" * 64 + "  CamVid/../b.png"])
def test_digest_list_refuses_other_lines(make_digests, tmp_path, bad):
    (tmp_path / "list").write_text(bad)
    with pytest.raises(ValueError, match="list, line 1: expected"):
        make_digests(tmp_path / "list", tmp_path / "made.gz")
