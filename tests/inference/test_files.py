"""Image files and folders in, overlays and masks out."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np
import pytest
import torch
from PIL import Image

from segtut.data import DataError, Scenes, normalise
from segtut.inference import overlay, predict_files, probabilities
from segtut.inference.stream import ahead, segmented
from segtut.training.checkpoint import save_network
from tests.test_cli import segtut


def test_predict_files_with_windows_flips_and_scales(ccnet, tmp_path):
    street = Scenes("test", (48, 80), length=1)[0][0]
    Image.fromarray(street).save(tmp_path / "street.png")
    ccnet.input_size = (24, 32)
    try:
        masks = {}
        for name, how in {
            "plain": {}, "window": {"window": (24, 32)}, "flip": {"flip": True}, "scales": {"scales": [0.75, 1.0]},
        }.items():  # fmt: skip
            predict_files(ccnet, [tmp_path / "street.png"], tmp_path / name, **how)
            masks[name] = np.asarray(Image.open(tmp_path / name / "street_mask.png"))
            assert masks[name].shape == (48, 80) and ccnet.input_size == (24, 32)
        assert not np.array_equal(masks["plain"], masks["window"])  # the image's own size, not the training's
        whole = probabilities(ccnet.cpu(), normalise(street), (24, 32)).argmax(1)[0].numpy()
        assert (masks["window"] == whole).mean() > 0.999  # on a GPU the last bit may differ
        for how, said in (
            ({"scales": (-1,)}, "scale -1"), ({"window": (0, 32)}, "height in window=0"), ({"opacity": 2}, "opacity=2"),
        ):  # fmt: skip
            with pytest.raises(ValueError, match=said):  # before the first file is opened
                predict_files(ccnet, [tmp_path / "missing.png"], tmp_path / "never", **how)
        assert not (tmp_path / "never").exists()
        with pytest.raises(DataError, match="no image"):
            predict_files(ccnet, [], tmp_path / "never", window=(24, 32))
    finally:
        ccnet.input_size = None


def test_the_command_takes_windows_flips_and_scales(ccnet, tmp_path, monkeypatch, capsys):
    street, out = Scenes("test", (45, 70), length=1)[0][0], tmp_path / "out"
    Image.fromarray(street).save(tmp_path / "street.png")
    weights = save_network(tmp_path / "ccnet.safetensors", ccnet)
    words = ("predict", tmp_path / "street.png", "--run", weights, "--out", out)

    def command(*more):
        return segtut(monkeypatch, *words, *more)

    assert "width in window=0" in command("--window", 24, 0)
    assert "scale nan" in command("--scale", "nan")
    assert not out.exists()
    assert command("--window", 24, 32, "--flip", "--scale", 0.75, "--scale", 1) == 0
    assert capsys.readouterr().out.splitlines() == [str(out / f"street_{kind}.png") for kind in ("overlay", "mask")]
    said = np.asarray(Image.open(out / "street_mask.png"))
    p = probabilities(ccnet.cpu(), normalise(street), (24, 32), flip=True, scales=(0.75, 1.0))
    assert (said == p.argmax(1)[0].numpy()).mean() > 0.999  # on a GPU the last bit may differ


@pytest.fixture
def calls(ccnet):
    """Shapes of the batches that the network is given."""
    shapes = []
    with ccnet.register_forward_pre_hook(lambda _, arguments: shapes.append(tuple(arguments[0].shape))):
        yield shapes


def write_streets(folder, **sizes):
    """Write an image of a street for every name, of that size."""
    folder.mkdir(parents=True)
    for index, (name, size) in enumerate(sizes.items()):
        street, _ = Scenes("test", size, length=9)[index]
        Image.fromarray(street).save(folder / f"{name}.png")
    return folder


def masks_in(folder):
    return {path.stem.removesuffix("_mask"): np.asarray(Image.open(path)) for path in folder.glob("*_mask.png")}


@pytest.mark.parametrize("trained_on", [None, (24, 32)])
def test_images_of_one_size_go_together_and_keep_their_own_size(ccnet, calls, tmp_path, trained_on):
    sizes = {"a": (48, 80), "b": (40, 56), "c": (48, 80), "d": (48, 80), "e": (56, 40), "f": (48, 80)}
    folder = write_streets(tmp_path / "in", **sizes)
    ccnet.input_size = trained_on
    try:
        predict_files(ccnet, [folder], tmp_path / "alone", batch_size=1)
        assert sorted(shape[0] for shape in calls) == [1] * 6
        calls.clear()
        predict_files(ccnet, [folder], tmp_path / "together", batch_size=3)
        assert sorted(shape[0] for shape in calls) == [1, 1, 1, 3]
        calls.clear()
        predict_files(ccnet, [folder], tmp_path / "free")
        assert sorted(shape[0] for shape in calls) == [1, 1, 4]
    finally:
        ccnet.input_size = None
    alone, together = masks_in(tmp_path / "alone"), masks_in(tmp_path / "together")
    assert {name: mask.shape for name, mask in alone.items()} == sizes
    assert len({mask.tobytes() for mask in alone.values()}) == 6  # or a swap would not be seen
    for name, mask in alone.items():
        assert (mask == together[name]).mean() > 0.999  # another batch may round the last bit differently
        drawn = np.asarray(Image.open(tmp_path / "together" / f"{name}_overlay.png"))
        image = np.asarray(Image.open(folder / f"{name}.png"))
        assert np.array_equal(drawn, overlay(image, together[name]))


def test_a_batch_is_as_large_as_its_pixels_allow(ccnet, calls, tmp_path, monkeypatch):
    monkeypatch.setattr("segtut.inference.stream.BATCH_PIXELS", 2 * 40 * 56)
    predict_files(ccnet, [write_streets(tmp_path / "in", a=(40, 56), b=(40, 56), c=(40, 56), d=(80, 80))], tmp_path)
    assert [shape[0] for shape in calls] == [2, 1, 1]


def test_a_photograph_is_turned_as_its_exif_says(ccnet, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.fromarray(Scenes("test", (40, 56), length=1)[0][0]).save(tmp_path / "photo.jpg", exif=exif)
    predict_files(ccnet, [tmp_path / "photo.jpg"], tmp_path / "out")
    assert masks_in(tmp_path / "out")["photo"].shape == (56, 40)


def test_a_folder_gives_its_images_and_nothing_else(ccnet, tmp_path):
    folder = write_streets(tmp_path / "in", b=(40, 56), a=(40, 56))
    write_streets(folder / "sub", c=(40, 56))
    (folder / "notes.txt").write_text("no image")
    (folder / ".hidden.png").write_bytes(b"no image")
    written = predict_files(ccnet, [folder], tmp_path / "out")
    assert [path.name for path in written] == ["a_overlay.png", "a_mask.png", "b_overlay.png", "b_mask.png"]
    assert sorted(tmp_path.glob("out/*")) == sorted(written)


def test_folders_are_refused_before_anything_is_written(ccnet, tmp_path):
    folder = write_streets(tmp_path / "in", a=(40, 56))
    with pytest.raises(DataError, match="both read and written"):
        predict_files(ccnet, [folder], folder)
    (folder / "a.jpg").write_bytes((folder / "a.png").read_bytes())
    with pytest.raises(DataError, match=r"a\.jpg and .*a\.png would write the same files"):
        predict_files(ccnet, [folder], tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no image in this folder"):
        predict_files(ccnet, [tmp_path / "empty"], tmp_path / "out")
    with pytest.raises(ValueError, match="batch_size=0"):
        predict_files(ccnet, [folder / "a.png"], tmp_path / "out", batch_size=0)
    (folder / "a.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"a\.jpg: does not decode"):
        predict_files(ccnet, [folder / "a.jpg"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_image_that_breaks_off_costs_no_other(ccnet, tmp_path, monkeypatch):
    folder = write_streets(tmp_path / "in", a=(40, 56), b=(40, 56), c=(40, 56))
    whole = (folder / "b.png").read_bytes()
    (folder / "b.png").write_bytes(whole[: len(whole) // 2])  # its head is well
    weights, out = save_network(tmp_path / "ccnet.safetensors", ccnet), tmp_path / "out"
    said = segtut(monkeypatch, "predict", folder, "--run", weights, "--out", out)
    assert "1 of 3 images do not decode" in said and "b.png" in said and "\n" not in said
    assert set(masks_in(out)) == {"a", "c"} and len(list(out.iterdir())) == 4
    (folder / "b.png").write_bytes(whole)
    assert segtut(monkeypatch, "predict", folder, "--run", weights, "--out", out, "--resume") == 0
    assert set(masks_in(out)) == {"a", "b", "c"}


def test_resuming_skips_what_is_whole(ccnet, calls, tmp_path):
    folder, out = write_streets(tmp_path / "in", a=(40, 56), b=(40, 56), c=(48, 80)), tmp_path / "out"
    predict_files(ccnet, [folder], out)
    (out / "b_mask.png").unlink()
    calls.clear()
    assert {path.name for path in predict_files(ccnet, [folder], out, resume=True)} == {"b_overlay.png", "b_mask.png"}
    assert len(calls) == 1
    assert predict_files(ccnet, [folder], out, resume=True) == []
    assert len(predict_files(ccnet, [folder], out)) == 6


def test_files_are_read_and_written_in_order_and_not_too_far_ahead():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(3) as pool:
        for done, value in enumerate(ahead(pool, lambda number: 2 * number, items(), 5)):
            assert value == 2 * done and len(taken) <= done + 6
    assert done == 99
    images = ((number, np.full((5, 7, 3), number, np.uint8)) for number in count())  # endless, as a camera's
    stream = segmented(lambda x: x[:, 0].to(torch.int64), images, torch.device("cpu"), 4)
    assert [next(stream)[0] for _ in range(6)] == list(range(6))
    assert next(images)[0] <= 9  # two batches of 4, and one image that tells that the size stays
