import base64
import sys
import warnings
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image

from segtut.data import CLASSES, Scenes
from segtut.plot import LiveCurves, class_bars, curves, maps, samples, show, table

HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "train_loss": [2.0, 1.5, 1.2],
        "val_mean_iou": [0.1, 0.3, 0.2],
        "val_pixel_accuracy": [0.4, 0.5, 0.6],
    }
)


@pytest.fixture(autouse=True)
def notebook():
    """Stand in for a notebook: `display` needs a shell to display to."""
    InteractiveShell.instance()
    yield
    InteractiveShell.clear_instance()
    plt.close("all")


def shown(captured):
    """Pictures that a cell displayed, with their metadata."""
    return [(o.data["image/png"], o.metadata["image/png"]) for o in captured.outputs if "image/png" in o.data]


def test_show_gives_a_png_with_its_description():
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    with capture_output() as captured:
        show(figure, "A line\n that rises.")
    ((png, metadata),) = shown(captured)
    raw = png if isinstance(png, bytes) else base64.b64decode(png)
    assert raw.startswith(b"\x89PNG") and metadata.pop("alt") == "A line that rises."
    assert metadata == {"width": round(120 / 192 * int.from_bytes(raw[16:20]))}  # of a page, of the file
    assert plt.get_fignums() == []


def test_charts_are_stored_in_few_colours_and_photographs_in_all():
    _, axes = plt.subplots(1, 2, figsize=(4, 2))
    axes[0].plot([1, 3, 2])
    kept = {}
    for name in ("chart", "photograph"):
        if name == "photograph":
            axes[1].imshow(np.random.default_rng(0).random((200, 200, 3)))
        with capture_output() as captured:
            show(axes[0].figure, "A line.", dpi=160)
        ((png, metadata),) = shown(captured)
        picture = Image.open(BytesIO(png if isinstance(png, bytes) else base64.b64decode(png)))
        kept[name] = picture.mode, round(picture.width / metadata["width"], 1), picture.convert("RGB").getpixel((0, 0))
    white = (255, 255, 255)
    assert kept == {"chart": ("P", 1.3, white), "photograph": ("RGB", 1.0, white)}


def test_show_in_a_script_prints_the_description(capsys):
    InteractiveShell.clear_instance()
    show(plt.figure(), "A line that rises.")
    assert capsys.readouterr().out == "[figure: A line that rises.]\n" and plt.get_fignums() == []


def test_show_refuses_an_empty_description():
    with pytest.raises(ValueError, match="alt is empty"):
        show(plt.figure(), " ")


def test_a_table_is_markdown_of_whatever_its_cells_are():
    with capture_output() as captured:
        table(["$R$", "mean IoU"], [1, "**0.5**"], (None, 0.25))
    (output,) = captured.outputs
    assert output.data["text/markdown"].splitlines() == [
        "| $R$ | mean IoU |", "| --- | --- |", "| 1 | **0.5** |", "| None | 0.25 |",
    ]  # fmt: skip


@pytest.mark.parametrize("row", [[1], [1, 2, 3], []])
def test_a_table_with_a_row_of_another_length_is_refused(row):
    with pytest.raises(ValueError, match=f"a row of {len(row)} cells under 2 titles"):
        table(["a", "b"], row)


def test_curves_mark_the_best_epoch():
    figure = curves(HISTORY)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[-1] == "best: 0.300"
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), HISTORY["train_loss"])


def test_curves_tick_whole_epochs():
    for axes in curves(HISTORY).axes:
        ticks = axes.get_xticks()
        assert {1, 2, 3} <= set(ticks) and (ticks == ticks.round()).all()


def test_live_curves_show_one_picture_at_the_end():
    live = LiveCurves(3)
    with capture_output():
        for n in (1, 2, 3):
            live(HISTORY.iloc[:n])
    assert live.animator.X[0] == [1, 2, 3] and live.animator.Y[1] == [0.1, 0.3, 0.2]
    with capture_output() as captured:
        live.finish()
    ((_, metadata),) = shown(captured)
    assert "3 epochs" in metadata["alt"] and "2.00 to 1.20" in metadata["alt"]


def test_without_d2l_the_message_says_how(monkeypatch):
    monkeypatch.setitem(sys.modules, "d2l", None)
    with pytest.raises(ImportError, match="pip install --no-deps d2l"):
        LiveCurves(3)


def test_samples_colours_masks_and_keeps_images():
    image, mask = Scenes("train", (24, 32), length=1)[0]
    figure = samples({"image": [image, image], "truth": [mask, mask]})
    pictures = [axes.images[0].get_array() for axes in figure.axes]
    np.testing.assert_array_equal(pictures[0], image)
    assert pictures[2].shape == (24, 32, 3) and len(figure.legends[0].get_texts()) == len(CLASSES) + 1
    with pytest.raises(ValueError, match="same number"):
        samples({"a": [image], "b": []})


def test_class_bars_show_a_dash_for_undefined():
    figure = class_bars({"sky": 0.5, "car": None}, "IoU")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["0.50", "–"]


def test_maps_share_one_scale():
    figure = maps({"one": np.eye(3, 4), "two": 2 * np.eye(3, 4)}, pixel=(1, 2))
    assert [axes.images[0].get_clim() for axes in figure.axes[:2]] == [(0, 2), (0, 2)]


@pytest.mark.parametrize(("width", "size", "warned"), [(5, 10, False), (8, 10, True), (5, 7, True), (2, 7, False)])
def test_type_too_small_for_a_phone_is_warned_of(width, size, warned):
    figure = plt.figure(figsize=(width, 2))
    figure.text(0, 0, "left", fontsize=size)
    figure.text(1, 1, "right", fontsize=size + 1, ha="right", va="top")
    figure.text(0, 1, "unseen", fontsize=1, visible=False)
    with capture_output() as said, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        show(figure, "Two words.")
    assert len(said.outputs) == 1
    assert [str(w.message).split(" will be")[0] for w in caught] == ["on a phone 'left'"] * warned


def test_curves_without_a_defined_score():
    (_, right) = curves(HISTORY.assign(val_mean_iou=np.nan, val_pixel_accuracy=np.nan)).axes
    assert [line.get_label() for line in right.lines] == ["pixel accuracy, val", "mean IoU, val"]


@pytest.mark.parametrize(("values", "said"), [((0.5, 0.00623), ["0.50", "0.01"]), ((31.54, 0.536), ["31.5", "0.5"])])
def test_class_bars_have_even_digits(values, said):
    axes = class_bars(dict(zip(("sky", "car"), values, strict=True)), "IoU").axes[0]
    assert [text.get_text() for text in axes.texts] == said
