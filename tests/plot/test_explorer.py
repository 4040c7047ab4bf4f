"""The attention explorer: what it shows is what the networks do."""

import json
import re

import numpy as np
import pytest
import torch
import typer.testing

from segtut.attention import dense_attention
from segtut.cli.app import app
from segtut.data import CLASSES, IGNORE_INDEX, Scenes, normalise
from segtut.networks import build_network
from segtut.plot import explore, look_at
from segtut.plot.explorer.coding import SCALE, arrays_of, coded, decoded, panels_in, row_of
from segtut.plot.explorer.look import truth_at
from segtut.plot.explorer.record import RECORDED, record, recorded, richest
from segtut.plot.explorer.side_by_side import EPOCHS, at_epoch, recipe
from segtut.training import CheckpointError

IMAGE, MASK = Scenes("val", (40, 56))[0]
H, W = 5, 7
N = H * W


@pytest.fixture(scope="module")
def networks():
    """All networks that have a map, with gates that are open and weights that are sharp, and one without."""
    torch.manual_seed(0)
    made = {name: build_network(name).eval() for name in ("ccnet", "nonlocal", "danet", "gcnet", "fcn")}
    for network in made.values():
        for name, parameter in network.named_parameters():
            if name.endswith("gamma"):
                torch.nn.init.constant_(parameter, 0.5)
            if "query_conv.weight" in name or ("theta" in name and name.endswith("weight")):
                parameter.data *= 20
    return made


def expected(networks):
    """Maps (N, N) by the panel's network and number of passes, from the operators themselves."""
    with torch.no_grad():
        features = {name: network.backbone(normalise(IMAGE))[1] for name, network in networks.items()}
        cc, nl, da, gc = (networks[name].head for name in ("ccnet", "nonlocal", "danet", "gcnet"))
        y = cc.conva(features["ccnet"])
        return {
            ("ccnet", 1): dense_attention(cc.cca, y)[0],
            ("ccnet", 2): dense_attention(cc.cca, y, recurrence=2)[0],
            ("nonlocal", 0): dense_attention(nl.non_local, nl.conva(features["nonlocal"]))[0],
            ("danet", 0): dense_attention(da.position, da.position_in(features["danet"]))[0],
            ("gcnet", 0): dense_attention(gc.gc, gc.conva(features["gcnet"]))[0],
        }


def test_every_row_is_the_operators_own(networks):
    arrays = arrays_of([look_at(IMAGE, networks)])
    panels = panels_in(arrays, 0)
    maps = expected(networks)
    assert {(panel["network"], panel["passes"]) for panel in panels} == set(maps)
    for panel in panels:
        found = np.stack([row_of(arrays, 0, panel, u, H, W) for u in range(N)])
        wanted = maps[panel["network"], panel["passes"]].numpy()
        peaks = wanted.max(axis=1, keepdims=True)
        # one rounding of a root by half of 1/63 for a map, two for two passes
        assert (np.abs(found - wanted) <= 0.03 * peaks).all(), panel
    assert maps["ccnet", 2].max() > 3 / N  # sharp enough to tell a wrong map from a right one
    for u in (0, N - 1):  # transposed, it would be found out
        assert (
            np.abs(maps["danet", 0].numpy().T[u] - maps["danet", 0].numpy()[u]).max() > 0.03 * maps["danet", 0][u].max()
        )


def test_classes_are_those_of_the_scores(networks):
    looks = look_at(IMAGE, networks)
    for name, network in networks.items():
        with torch.no_grad():
            scores = network.head(network.backbone(normalise(IMAGE))[1])[0]
        assert scores.shape[2:] == (H, W)
        assert (looks.classes[name] == scores[0].argmax(0).flatten().numpy()).all()
    assert "fcn" in looks.classes and "fcn" not in {**looks.dense, **looks.shared, **looks.passes}


def test_a_code_is_within_its_step():
    rows = np.random.default_rng(0).dirichlet(np.full(300, 0.05), size=50).astype(np.float32)
    codes, peaks = coded(rows)
    assert codes.max() == SCALE and (peaks == rows.max(axis=1)).all()
    assert (np.abs(decoded(codes, peaks) - rows) <= 0.0159 * peaks[:, None]).all()
    again, peaks_again = coded(decoded(codes, peaks))
    assert (again == codes).all() and (peaks_again == peaks).all()


def test_truth_is_the_commonest_class_of_each_square():
    mask = np.full((16, 24), IGNORE_INDEX, np.uint8)
    mask[:8, :8] = 3
    mask[:3, :8] = 1  # 24 of 64
    mask[8, 8] = 5  # a single pixel beside void
    assert truth_at(mask, 2, 3).tolist() == [3, IGNORE_INDEX, IGNORE_INDEX, IGNORE_INDEX, 5, IGNORE_INDEX]
    assert truth_at(np.repeat(np.arange(3, dtype=np.uint8), 5)[None].repeat(9, 0), 2, 3).tolist() == [0, 1, 2, 0, 1, 2]


def test_networks_are_left_as_they_came(networks):
    network = networks["ccnet"]
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.train()
    look_at(IMAGE, network)
    assert network.training
    network.eval()
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_page_holds_what_it_shows_and_no_more(networks):
    page = explore(IMAGE, {"mine": networks["ccnet"]}, MASK, pixel=(1, 5))
    html = page._repr_html_()
    assert [panel["title"] for panel in page.data["panels"]] == ["mine, 1 pass", "mine, 2 passes"]
    assert page.data["pixel"] == [1, 5]
    assert "row 1, column 5 of 5×7" in page.alt
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", html)
    assert "fetch(" not in html and "import(" not in html
    assert page._repr_html_().count("segtut-explorer-") >= 1
    assert re.search(r'id="([^"]+)"', html)[1] != re.search(r'id="([^"]+)"', page._repr_html_())[1]  # shown twice


def test_a_training_goes_by_epoch(networks):
    looks = {3: look_at(IMAGE, networks["danet"]), 0: look_at(IMAGE, networks["danet"])}
    assert explore(IMAGE, looks).data["epochs"] == [0, 3]
    with pytest.raises(ValueError, match="different networks"):
        explore(IMAGE, looks | {4: look_at(IMAGE, networks["gcnet"])})


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"networks": 1}, TypeError, "without an image"),
        ({"image": IMAGE}, TypeError, "without networks"),
        ({"image": IMAGE.astype(float), "networks": "ccnet"}, TypeError, "float64"),
        ({"image": IMAGE[..., 0], "networks": "ccnet"}, TypeError, r"\(40, 56\)"),
        ({"image": IMAGE, "networks": "fcn"}, TypeError, "fcn: no map over positions"),
        ({"image": IMAGE, "networks": {}}, TypeError, "no network"),
        ({"image": IMAGE, "networks": "ccnet", "truth": MASK[1:]}, ValueError, r"truth is \(39, 56\)"),
        ({"image": IMAGE, "networks": "ccnet", "pixel": (5, 0)}, ValueError, "outside"),
        ({"image": IMAGE, "networks": "ccnet", "classes": ["sky"]}, ValueError, "1 names"),
        ({"image": np.zeros((272, 264, 3), np.uint8), "networks": "gcnet"}, ValueError, "34×33 are 1122 positions"),
    ],
)
def test_bad_input_is_named(networks, arguments, error, words):
    if isinstance(arguments.get("networks"), str):
        arguments = arguments | {"networks": networks[arguments["networks"]]}
    with pytest.raises(error, match=words):
        explore(**arguments)


def test_a_network_that_diverged_is_named():
    network = build_network("ccnet")
    torch.nn.init.constant_(network.head.cca.query_conv.bias, float("nan"))
    with pytest.raises(ValueError, match="NaN"):
        look_at(IMAGE, network)


def test_networks_of_different_strides_do_not_stand_side_by_side(networks):
    coarse = build_network("gcnet", output_stride=16)
    with pytest.raises(ValueError, match="b has features of 3×4, the others of 5×7"):
        look_at(IMAGE, {"a": networks["ccnet"], "b": coarse})


def test_a_recording_is_made_and_shown(tmp_path):
    tiny = recipe().but(
        epochs=1, images=(4, 3, 2), scenes_size=(40, 56), crop=(40, 56), batch_size=2, report_test=False
    )
    file = record(tmp_path, tiny, (0, 1), progress=False)
    page = recorded(tmp_path)
    assert file.stat().st_size < 100_000
    assert page.data["epochs"] == [0, 1] and (page.data["H"], page.data["W"]) == (H, W)
    assert [title for _, title in page.data["networks"]] == ["CCNet", "non-local", "DANet, position", "GCNet"]
    assert json.loads((tmp_path / "card.json").read_text())["network"]["heads"] == [
        "ccnet",
        "nonlocal",
        "danet",
        "gcnet",
    ]
    with pytest.raises(CheckpointError, match=r"epoch-007\.safetensors is not there: empty"):
        at_epoch(tmp_path, 7, tiny)
    with pytest.raises(FileNotFoundError, match="segtut explore --record"):
        recorded(tmp_path / "nowhere")


def test_the_packages_own_recording_is_of_a_whole_training():
    card = json.loads((RECORDED / "card.json").read_text())
    val = Scenes("val", recipe().scenes_size, cache=True)
    assert card["data"]["digest"]["val"] == val.digest  # the scenes have not changed since
    assert card["recipe"]["name"] == "explorer" and card["recipe"]["epochs"] == len(card["history"]) == EPOCHS[-1]
    with np.load(RECORDED / "looks.npz") as arrays:
        assert arrays["epochs"].tolist() == list(EPOCHS)
        index = int(arrays["scene"][0])
        assert index == richest(val, *arrays["size"])
        assert (arrays["truth"] == truth_at(val[index][1], *arrays["size"])).all()
    page = recorded()
    assert len(page._repr_html_().encode()) < 1_000_000
    assert all(panel["title"] in page.alt for panel in page.data["panels"])


def test_the_command_writes_pages(tmp_path, monkeypatch, networks):
    from PIL import Image

    from segtut.training import save_network

    monkeypatch.chdir(tmp_path)
    runner = typer.testing.CliRunner()
    assert runner.invoke(app, ["explore"]).output.strip() == "explorer.html"
    Image.fromarray(IMAGE).save("street.png")
    save_network("mine.safetensors", networks["gcnet"])
    done = runner.invoke(
        app, ["explore", "street.png", "--run", "mine.safetensors", "--height", "40", "--out", "a.html"]
    )
    assert done.output.strip() == "a.html", done.exception
    text = (tmp_path / "a.html").read_text()
    assert '"H":5,"W":7' in text and CLASSES[0] in text and "mine" in text
    for wrong in (["explore", "street.png"], ["explore", "--run", "mine.safetensors"]):
        assert isinstance(runner.invoke(app, wrong).exception, ValueError)
