"""The frame of the widgets, as text; `tests/book/test_widgets_browser.py` opens widgets in a browser."""

import base64
import io
import json
import re
import zlib
from importlib.resources import files

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from segtut.files import WriteError
from segtut.plot.widget import Widget


def widget(data=None, arrays=None, title="A grid", alt="Two cells.", script="reach.js"):
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.imshow([[0, 1]])
    return Widget(script, title, data or {}, arrays or {}, figure, alt)


def data_of(html):
    """What the script gets: the object behind ``DATA =``."""
    return json.JSONDecoder().raw_decode(html, html.index("DATA = ") + len("DATA = "))[0]


def test_a_fragment_has_all_it_needs():
    html = widget()._repr_html_()
    assert not re.search(
        r"""(src|href)=["'](?!data:)|url\(|@import|\bimport\b|fetch\(|https?://(?!www\.w3\.org/)""", html
    )
    for file in ("widget.js", "widget.css", "reach.js"):
        assert files("segtut.plot.widget").joinpath(file).read_text("utf-8") in html


def test_the_still_picture_has_its_words_and_the_figure_is_closed():
    made = widget(alt='A "cell" & <another>.', title="R < 3")
    html = made._repr_html_()
    assert 'alt="A &quot;cell&quot; &amp; &lt;another&gt;."' in html and 'aria-label="R &lt; 3"' in html
    embedded = base64.b64decode(re.search(r"data:image/png;base64,([^\"]+)", html)[1])
    assert embedded == made.still and Image.open(io.BytesIO(made.still)).size == (432, 288)
    assert plt.get_fignums() == []


def test_data_arrive_whatever_is_in_them():
    data = {"name": "</script><b>'\"\\ é ∞", "n": [1, 2.5, None]}
    html = widget(data)._repr_html_()
    assert html.count("</script>") == 1  # its own
    assert {key: data_of(html)[key] for key in data} == data
    with pytest.raises(ValueError, match="JSON"):
        widget({"x": float("nan")})._repr_html_()


def test_arrays_arrive_floats_first():
    arrays = {"a": np.arange(5, dtype=np.uint8), "b": np.array([[0.5], [-np.inf]], np.float32)}
    packed = data_of(widget(arrays=arrays)._repr_html_())
    assert packed["arrays"] == [["b", "f", 2], ["a", "u", 5]]
    raw = zlib.decompress(base64.b64decode(packed["packed"]))
    assert np.frombuffer(raw[:8], "<f4").tolist() == [0.5, -np.inf] and raw[8:] == bytes(range(5))


@pytest.mark.parametrize("kind", [np.float64, np.int64, np.float16])
def test_an_array_of_another_type_is_refused(kind):
    with pytest.raises(TypeError, match=f"array 'x' is {np.dtype(kind)}"):
        widget(arrays={"x": np.zeros(2, kind)})


def test_each_showing_has_a_name_of_its_own():
    made = widget()
    names = [re.search(r'id="([^"]+)"', made._repr_html_())[1] for _ in range(3)]
    assert len(set(names)) == 3 and all(name.startswith("segtut-reach-") for name in names)


def test_it_is_saved_as_a_page(tmp_path):
    path = widget(title="A & B").save(tmp_path / "folder/page.html")
    page = path.read_text("utf-8")
    assert page.startswith("<!doctype html>") and "<title>A &amp; B</title>" in page and '<html lang="en"' in page
    (tmp_path / "file").write_text("")
    with pytest.raises((WriteError, OSError)):
        widget().save(tmp_path / "file/page.html")
