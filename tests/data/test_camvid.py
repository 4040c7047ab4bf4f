import numpy as np
import pytest
from PIL import Image

from segtut.data import (
    CLASSES,
    GROUPS,
    IGNORE_INDEX,
    SPLIT_SIZES,
    SPLITS,
    CamVid,
    DataError,
    colourise,
    find_camvid,
    open_splits,
)
from segtut.data.camvid import recognise
from tests.conftest import write_pair

CODES = [name for members in GROUPS.values() for name in members]


def fastai(root, n=5, valid=(1, 3)):
    """fast.ai's layout; returns the original label maps by stem."""
    masks = {}
    for i in range(n):
        _, masks[f"f{i}"] = write_pair(
            root / "images" / f"f{i}.png", root / "labels" / f"f{i}_P.png", labels=len(CODES), seed=i
        )
    (root / "codes.txt").write_text("\n".join(CODES) + "\n")
    (root / "valid.txt").write_text("".join(f"f{i}.png\n" for i in valid))
    return masks


def folders(root, splits=("train", "valid"), suffix=".png", labels=12):
    for split in splits:
        for i in range(2):
            write_pair(
                root / f"{split}_images" / f"{split}{i}{suffix}",
                root / f"{split}_labels" / f"{split}{i}.png",
                labels=labels,
            )


def test_protocol_on_real_data(camvid):
    for split in SPLITS:
        data = CamVid(camvid, split)
        assert data.layout == "segnet"
        assert len(data) == SPLIT_SIZES[split]
        assert data.stems == sorted(data.stems)
        image, mask = data[len(data) // 2]
        assert image.shape == (360, 480, 3) and image.dtype == np.uint8
        assert mask.shape == (360, 480) and mask.dtype == np.uint8
        assert set(np.unique(mask)) <= {*range(11), IGNORE_INDEX}


def test_real_class_shares_are_those_of_the_release(camvid):
    counts = np.zeros(256, np.int64)
    for split in SPLITS:
        for _, mask in CamVid(camvid, split, cache=True):
            counts += np.bincount(mask.ravel(), minlength=256)
    shares = 100 * np.r_[counts[:11], counts[IGNORE_INDEX]] / counts.sum()
    released = [15.81, 24.10, 0.99, 29.32, 6.69, 11.19, 1.08, 1.43, 4.64, 0.64, 0.54, 3.59]
    np.testing.assert_allclose(shares, released, atol=0.006)


def test_segnet_layout_maps_void_and_nothing_else(tmp_path):
    image, mask = write_pair(tmp_path / "train/a.png", tmp_path / "trainannot/a.png")
    got_image, got_mask = CamVid(tmp_path)[0]
    np.testing.assert_array_equal(got_image, image)
    np.testing.assert_array_equal(got_mask, np.where(mask == 11, IGNORE_INDEX, mask))


def test_pairs_are_matched_by_stem_not_by_order(tmp_path):
    # In order of names, B.png is before a.jpg in one folder and after it in the other.
    for stem, colour, label in (("a", 10, 1), ("B", 200, 2)):
        (tmp_path / "train").mkdir(exist_ok=True)
        (tmp_path / "trainannot").mkdir(exist_ok=True)
        suffix = ".jpg" if stem == "a" else ".png"
        Image.fromarray(np.full((8, 10, 3), colour, np.uint8)).save(tmp_path / "train" / f"{stem}{suffix}")
        Image.fromarray(np.full((8, 10), label, np.uint8)).save(tmp_path / "trainannot" / f"{stem}.png")
    (tmp_path / "train" / "list.txt").write_text("not an image")
    (tmp_path / "train" / "._a.png").write_bytes(b"a resource fork of macOS")
    data = CamVid(tmp_path)
    found = {stem: (image[0, 0, 0], mask[0, 0]) for stem, (image, mask) in zip(data.stems, data)}
    assert set(found) == {"a", "B"}
    assert abs(int(found["a"][0]) - 10) < 4 and found["a"][1] == 1
    assert found["B"] == (200, 2)


def test_fastai_layout_groups_by_name(tmp_path):
    masks = fastai(tmp_path)
    train, val = CamVid(tmp_path, "train"), CamVid(tmp_path, "val")
    assert train.layout == "fastai" and train.stems == ["f0", "f2", "f4"] and val.stems == ["f1", "f3"]
    group = {member: name for name, members in GROUPS.items() for member in members}
    want = [IGNORE_INDEX if group[name] == "void" else CLASSES.index(group[name]) for name in CODES]
    np.testing.assert_array_equal(val[1][1], np.array(want)[masks["f3"]])
    with pytest.raises(DataError, match="no test split"):
        CamVid(tmp_path, "test")


def test_fastai_order_of_codes_is_read_not_assumed(tmp_path):
    masks = fastai(tmp_path)
    before = CamVid(tmp_path, "val")[0][1]
    (tmp_path / "codes.txt").write_text("\r\n".join(reversed(CODES)))
    after = CamVid(tmp_path, "val")[0][1]
    assert masks["f1"].shape == after.shape and (before != after).any()


def test_folders_layout(tmp_path):
    folders(tmp_path)
    assert CamVid(tmp_path, "train").layout == "folders"
    assert CamVid(tmp_path, "val").stems == ["valid0", "valid1"]
    with pytest.raises(DataError, match="test_images"):
        CamVid(tmp_path, "test")


def test_folders_layout_with_codes_has_32_classes(tmp_path):
    folders(tmp_path, labels=len(CODES))
    with pytest.raises(DataError, match=r"codes\.txt"):
        CamVid(tmp_path, cache=True)
    (tmp_path / "codes.txt").write_text("\n".join(CODES))
    assert set(np.unique(CamVid(tmp_path)[0][1])) <= {*range(11), IGNORE_INDEX}


def test_the_grouping_covers_32_classes_once():
    assert len(CODES) == 32 == len(set(CODES))
    assert tuple(GROUPS) == (*CLASSES, "void")


@pytest.mark.parametrize("present", [("train", "images"), ("trainannot", "train_labels")])
def test_two_layouts_at_once_are_asked_about(tmp_path, present):
    for folder in present:
        (tmp_path / folder).mkdir()
    with pytest.raises(DataError, match="layout="):
        recognise(tmp_path)


def test_a_named_layout_is_taken(tiny_camvid):
    (tiny_camvid / "images").mkdir()
    assert len(CamVid(tiny_camvid, layout="segnet")) == 6
    with pytest.raises(ValueError, match="layout='coco' is none of"):
        CamVid(tiny_camvid, layout="coco")


def break_(path, how):
    if how == "garbage":
        path.write_bytes(b"\x89PNG no more")
    elif how == "truncated":
        path.write_bytes(path.read_bytes()[:-40])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "gone":
        path.unlink()


@pytest.mark.parametrize("folder", ["train", "trainannot"])
@pytest.mark.parametrize("how", ["garbage", "truncated", "empty", "gone"])
def test_a_broken_file_is_named(tiny_camvid, folder, how):
    break_(tiny_camvid / folder / "train_3.png", how)
    with pytest.raises(DataError, match=r"train_3\.png"):
        CamVid(tiny_camvid, cache=True)


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.full((12, 16), 12, np.uint8), r"train_0\.png: label 12 at row 0, column 0 \(192 such pixels\)"),
        (np.full((12, 16), 255, np.uint8), "label 255"),
        (np.full((12, 16), 300, np.uint16), "label 300"),
        (np.zeros((12, 16, 3), np.uint8), "holds colours"),
        (np.zeros((12, 16, 4), np.uint8), "holds colours"),
        (np.zeros((16, 12), np.uint8), "16×12, but its image"),
    ],
)
def test_a_wrong_mask_is_named(tiny_camvid, mask, said):
    Image.fromarray(mask).save(tiny_camvid / "trainannot" / "train_0.png")
    with pytest.raises(DataError, match=said) as error:
        CamVid(tiny_camvid)[0]
    assert str(tiny_camvid / "trainannot" / "train_0.png") in str(error.value)


def test_two_files_for_one_stem(tiny_camvid):
    Image.fromarray(np.zeros((12, 16, 3), np.uint8)).save(tiny_camvid / "train" / "train_0.jpg")
    with pytest.raises(DataError, match=r"train_0\.jpg and train_0\.png"):
        CamVid(tiny_camvid)


def test_empty_split_and_missing_folders(tiny_camvid, tmp_path):
    for folder in ("val", "valannot"):
        for path in (tiny_camvid / folder).iterdir():
            path.unlink()
    with pytest.raises(DataError, match="empty"):
        CamVid(tiny_camvid, "val")
    with pytest.raises(DataError, match="is not a folder"):
        CamVid(tmp_path / "nowhere")
    with pytest.raises(DataError, match="perhaps you mean"):
        CamVid(tiny_camvid.parent)
    with pytest.raises(ValueError, match="split='validation' is none of"):
        CamVid(tiny_camvid, "validation")


def test_fastai_files_are_needed(tmp_path):
    fastai(tmp_path)
    (tmp_path / "valid.txt").write_text("f9.png\n")
    with pytest.raises(DataError, match="names 'f9'"):
        CamVid(tmp_path)
    (tmp_path / "valid.txt").unlink()
    with pytest.raises(DataError, match=r"valid\.txt"):
        CamVid(tmp_path)
    (tmp_path / "valid.txt").write_text("f1.png\n")
    (tmp_path / "codes.txt").write_text("Sky\nSpaceship\n")
    with pytest.raises(DataError, match="Spaceship"):
        CamVid(tmp_path)


def test_cache_gives_the_same_arrays(tiny_camvid):
    for (image, mask), (cached_image, cached_mask) in zip(CamVid(tiny_camvid), CamVid(tiny_camvid, cache=True)):
        np.testing.assert_array_equal(image, cached_image)
        np.testing.assert_array_equal(mask, cached_mask)


def test_digest_changes_with_a_pixel(tiny_camvid):
    before = CamVid(tiny_camvid).digest
    assert before == CamVid(tiny_camvid, cache=True).digest != CamVid(tiny_camvid, "val").digest
    path = tiny_camvid / "trainannot" / "train_0.png"
    mask = np.array(Image.open(path))
    mask[0, 0] = (mask[0, 0] + 1) % 12
    Image.fromarray(mask).save(path)
    assert CamVid(tiny_camvid).digest != before


@pytest.mark.parametrize(
    ("length", "kept"), [(1, [0]), (3, [0, 2, 4]), (4, [0, 1, 3, 4]), (6, range(6)), (99, range(6))]
)
def test_length_keeps_pairs_evenly_spaced(tiny_camvid, length, kept):
    data = CamVid(tiny_camvid, length=length, cache=True)
    assert data.stems == [f"train_{i}" for i in kept] and len(list(data)) == len(data.stems)
    assert (data.digest == CamVid(tiny_camvid).digest) == (len(kept) == 6)
    with pytest.raises(ValueError, match="length=0"):
        CamVid(tiny_camvid, length=0)


def test_find_camvid(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEGTUT_CAMVID", raising=False)
    assert find_camvid() is None
    (tmp_path / "data/camvid").mkdir(parents=True)
    assert find_camvid().resolve() == tmp_path / "data/camvid"
    monkeypatch.setenv("SEGTUT_CAMVID", str(tmp_path / "gone"))
    with pytest.raises(DataError, match="SEGTUT_CAMVID"):
        find_camvid()
    monkeypatch.setenv("SEGTUT_CAMVID", str(tmp_path))
    assert find_camvid() == tmp_path


def test_open_splits_says_which_data(tiny_camvid, tmp_path, capsys):
    data = open_splits(tiny_camvid)
    assert {split: len(data[split]) for split in data} == {"train": 6, "val": 3, "test": 2}
    assert "CamVid" in capsys.readouterr().out
    data = open_splits("scenes", (4, 3, 2), (24, 32))
    assert {split: len(data[split]) for split in data} == {"train": 4, "val": 3, "test": 2}
    assert "procedural scenes" in capsys.readouterr().out
    data = open_splits(tiny_camvid, (4, 3, 1))
    assert {split: len(data[split]) for split in data} == {"train": 4, "val": 3, "test": 1}
    assert "4 train" in capsys.readouterr().out
    fastai(tmp_path / "f")
    assert set(open_splits(tmp_path / "f")) == {"train", "val"}


def test_colourise():
    out = colourise(np.array([[0, 1, 255]], np.uint8), [(1, 2, 3), (4, 5, 6)], (7, 8, 9))
    np.testing.assert_array_equal(out, [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]])
