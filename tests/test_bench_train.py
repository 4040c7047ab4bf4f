"""`segtut bench train`: two trainings that must be one, what is measured of them, and what is refused."""

import copy
import json

import numpy as np
import pytest
import torch
from torch import nn

from segtut.bench import ImplementationsDiffer, benchmark_training, train_turns, training_table
from segtut.bench.entries import awaken
from segtut.bench.steps import our_step, textbook_step
from segtut.bench.textbook import TextbookCCNet
from segtut.bench.train import make_loaders
from segtut.data.loader import denormalise
from segtut.networks import build_network
from segtut.training.recipe import Recipe
from tests.test_cli import segtut

B, H, W = 2, 64, 96
CPU = torch.device("cpu")
SMALL = {"backbone": "resnet10t", "size": (H, W), "batch": B, "steps": 2, "device": "cpu"}
RECIPE = Recipe("bench", epochs=1, batch_size=B, crop=(H, W), colour=0.0)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return awaken(build_network("ccnet", "resnet10t"))


@pytest.fixture
def batch():
    g = torch.Generator().manual_seed(1)
    target = torch.randint(0, 11, (B, H, W), generator=g)
    target[:, : H // 2] = 255
    return torch.randn(B, 3, H, W, generator=g).contiguous(memory_format=torch.channels_last), target


@pytest.fixture
def precision(monkeypatch):
    """Let the device compute fast in this one, whatever it is."""
    return lambda name: monkeypatch.setattr(train_turns, "resolve_precision", lambda *_: name)


def test_the_textbook_has_the_same_weights_and_scores(network, batch):
    textbook = TextbookCCNet(network).eval()
    ours = network.state_dict()
    assert list(textbook.state_dict()) == list(ours)
    assert all(torch.equal(t, ours[name]) for name, t in textbook.state_dict().items())
    assert textbook.head.cca.implementation == "bmm" and network.head.cca.implementation == "fast"
    with torch.no_grad():
        torch.testing.assert_close(textbook(batch[0]), copy.deepcopy(network).eval()(batch[0]))


def test_the_textbook_classifies_at_the_image_size_and_we_at_that_of_the_features(network, batch):
    for net, size in ((TextbookCCNet(network), (H, W)), (copy.deepcopy(network), (H // 8, W // 8))):
        seen = []
        net.head.classifier[1].register_forward_hook(lambda module, x, y, seen=seen: seen.append(y.shape[2:]))
        net(batch[0])
        assert seen == [size]


def test_float32_agrees_and_updates_nothing(network, batch):
    steps = textbook_step(network, RECIPE, CPU), our_step(network, RECIPE, CPU, "no")
    before = [{name: p.clone() for name, p in step.network.named_parameters()} for step in steps]
    found = train_turns.check_agreement(*steps, train_turns.in_both_layouts(batch, CPU))
    assert 0 <= found["loss"] < 1e-5 and 0 < found["gradient"] < 1e-2
    for step, parameters in zip(steps, before, strict=True):
        assert all(torch.equal(p, parameters[name]) and p.grad is None for name, p in step.network.named_parameters())


def test_each_works_in_its_own_layout(network, batch):
    batches = train_turns.in_both_layouts(batch, CPU)
    for name, step in (
        ("textbook", textbook_step(network, RECIPE, CPU)),
        ("ours", our_step(network, RECIPE, CPU, "no")),
    ):
        seen = []
        for module in step.network.backbone.modules():
            if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
                module.register_forward_hook(lambda module, x, y, seen=seen: seen.append((x[0], y)))
        step.forward(batches[name])
        layout = torch.contiguous_format if name == "textbook" else torch.channels_last
        assert len(seen) > 20 and all(t.is_contiguous(memory_format=layout) for pair in seen for t in pair)


def plant(step, what):
    if what == "loss":
        step.loss = lambda image, target, loss=step.loss: 1.01 * loss(image, target)
    elif what == "void":
        step.loss = lambda image, target, loss=step.loss: loss(image, target.clamp(max=10))
    else:  # one number of one parameter's gradient
        dict(step.network.named_parameters())[what].register_hook(lambda g: g + 0.2 * g.abs().max() * (g == g.max()))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("loss", "our loss differs"),
        ("void", "our loss differs"),
        ("head.cca.gamma", "our gradient of head.cca.gamma differs"),
        ("head.cca.query_conv.weight", "our gradient of head.cca.query_conv.weight differs"),
        ("backbone.stages.conv1.0.weight", "our gradient of backbone.stages.conv1.0.weight differs"),
    ],
)
def test_a_planted_difference_is_refused(network, batch, what, said):
    textbook, ours = textbook_step(network, RECIPE, CPU), our_step(network, RECIPE, CPU, "no")
    plant(ours, what)
    with pytest.raises(ImplementationsDiffer, match=f"{said} from that of the textbook"):
        train_turns.check_agreement(textbook, ours, train_turns.in_both_layouts(batch, CPU))


@pytest.mark.parametrize("kind", ["no", "bf16"])
def test_a_step_trains(network, batch, kind):
    step = our_step(network, RECIPE, CPU, kind)
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in step.network.parameters() if p.ndim == 4)
    first = step.forward(batch).item()
    for _ in range(4):
        step(batch)
    assert step.forward(batch).item() < first
    assert all(p.grad is None for p in step.network.parameters())


def test_both_loaders_read_the_same_pictures(tmp_path):
    loaders = make_loaders(tmp_path, RECIPE)
    assert {name: len(loader) for name, loader in loaders.items()} == {"textbook": 6, "ours": 6}
    loaders["textbook"].dataset.zoom = (1.0, 1.0)
    (image, target), (other, _) = next(iter(loaders["textbook"])), next(iter(loaders["ours"]))
    assert image.shape == other.shape == (B, 3, H, W) and image.dtype == other.dtype == torch.float32
    assert target.shape == (B, H, W) and set(target.unique().tolist()) <= {*range(11), 255}
    # Whole pictures, each flipped or not, are among the scenes, however they are made smaller.
    scenes = [loaders["ours"].dataset.dataset[i][0] for i in range(12)]
    means = np.array([[picture.mean((0, 1))] for picture in scenes])
    for picture in denormalise(image):
        assert np.abs(means - picture.mean((0, 1))).max(axis=-1).min() < 1


def test_the_result_has_a_row_for_each_way(precision):
    precision("bf16")
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    result = benchmark_training(**SMALL, threads=1)
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert {"device", "device_type", "threads", "software", "commit", "parameters", "differences", "finished"} <= set(
        result
    )
    assert (result["backbone"], result["size"], result["batch"], result["images"]) == ("resnet10t", [H, W], B, 12)
    textbook, *_ = rows = result["steps"]
    assert [(row["variant"], row["precision"]) for row in rows] == [
        ("textbook", "no"), ("ours", "no"), ("ours-autocast", "bf16")
    ]  # fmt: skip
    for row in rows:
        assert row["error"] is None and row["step_s"]["repeats"] == row["with_data_s"]["repeats"] == 2
        assert row["images_per_s"] == B / row["step_s"]["median"]
        assert row["images_per_s_with_data"] == B / row["with_data_s"]["median"]
        assert row["speedup"] == row["images_per_s"] / textbook["images_per_s"]
        assert row["memory_ratio"] == row["peak_bytes"] / textbook["peak_bytes"]
    assert all(row["peak_bytes"] > 0 for row in rows)
    base, other = result["loaders"]
    assert (base["loader"], other["loader"], base["speedup"]) == ("textbook", "ours", 1)
    assert other["speedup"] == pytest.approx(other["images_per_s"] / base["images_per_s"])
    lines = training_table(result).splitlines()
    assert [line[:18].strip() for line in lines[1:]] == [
        "textbook, float32", "ours, float32", "ours, bfloat16", "loader, textbook", "loader, ours"
    ]  # fmt: skip
    assert lines[1].split()[-3:] == ["1.00"] * 3


class Noted:
    """Stands for a step, and notes in `order` that it was called."""

    device, precision = CPU, "no"

    def __init__(self, name, order, error=None):
        self.name, self.order, self.error = name, order, error
        self.network = self  # it "compiles" in no time

    def compile(self):
        self.order.append(f"{self.name} compiles")

    def __call__(self, batch):
        self.order.append(self.name)
        if self.error:
            raise self.error
        return torch.ones(10).sum()


def noted(name, order, error=None, compiled=False):
    return train_turns.Variant(name, name, "ours", Noted(name, order, error), compiled)


def turns_of(*variants, turns=3):
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(6, 1)), 2)
    loaders = {"textbook": loader, "ours": loader}
    return train_turns.take_turns({v.row.variant: v for v in variants}, loaders, {"ours": [torch.ones(2, 1)]}, turns)


def test_steps_take_turns():
    order = []
    rows, loaders = turns_of(noted("textbook", order), noted("ours", order))
    warm = 2  # a call that warms up, and one whose memory is measured
    assert order == ["textbook"] * warm + ["ours"] * warm + (["textbook"] * 3 + ["ours"] * 3) * 3
    assert [row.step_s.repeats for row in rows] == [3, 3] and [row.batch_s.repeats for row in loaders] == [3, 3]


def test_what_fails_is_a_row_and_the_others_go_on():
    order, no_memory, broken = [], torch.OutOfMemoryError("CUDA out of memory"), SyntaxError("a compiler's")
    rows, _ = turns_of(
        noted("textbook", order), noted("ours", order, no_memory), noted("ours-compiled", order, broken, compiled=True)
    )
    assert [row.error for row in rows] == [None, "out of memory", "does not compile (SyntaxError)"]
    assert rows[1].step_s is rows[1].peak_bytes is None and rows[0].speedup == 1
    assert order.count("ours") == order.count("ours-compiled compiles") == order.count("ours-compiled") == 1
    with pytest.raises(SyntaxError):
        turns_of(noted("textbook", order), noted("ours", order, broken))


def test_without_the_textbook_there_is_no_ratio():
    no_memory = torch.OutOfMemoryError("CUDA out of memory")
    rows, loaders = turns_of(noted("textbook", [], no_memory), noted("ours", []))
    assert rows[1].images_per_s > 0 and rows[1].speedup is rows[1].memory_ratio is None
    table = training_table({"steps": [vars(row) for row in rows], "loaders": [vars(row) for row in loaders]})
    assert "out of memory" in table and table.splitlines()[2].split()[-3:] == ["–"] * 3


def test_the_command_prints_a_table_and_writes_json(precision, monkeypatch, tmp_path, capsys):
    precision("no")
    monkeypatch.chdir(tmp_path)
    words = ("--backbone", "resnet10t", "--size", H, W, "--batch", B, "--steps", 1, "--device", "cpu")
    assert segtut(monkeypatch, "bench", "train", *words) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].split(", ")[-5:-2] == ["CCNet with resnet10t", f"{H}×{W}", f"batch {B}"]
    assert "ours, float32" in said and "bfloat16" not in said and said.endswith("Written: bench_train.json\n")
    result = json.loads((tmp_path / "bench_train.json").read_text(encoding="utf-8"))
    assert [row["variant"] for row in result["steps"]] == ["textbook", "ours"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--backbone", "resnet17"), "backbone='resnet17' is no timm network"),
        (("--size", "0", "96"), "size=0"),
        (("--batch", "0"), "batch=0"),
        (("--steps", "-1"), "steps=-1"),
        (("--threads", "0"), "threads=0"),
        (("--device", "tpu"), "device='tpu' is unknown"),
        (("--out", "."), "must be a file in a folder"),
        (("--out", "taken/bench.json"), "must be a file in a folder"),
    ],
)
def test_wrong_options_are_one_sentence(words, said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("a file")
    message = segtut(monkeypatch, "bench", "train", *words)
    assert isinstance(message, str) and message.startswith("segtut: ") and said in message and "\n" not in message
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_step_that_does_not_fit_is_one_sentence(monkeypatch):
    def check(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("segtut.bench.train.check_agreement", check)
    with pytest.raises(ValueError, match="batch 2 at 64×96 does not fit into memory: choose a smaller batch or size"):
        benchmark_training(**SMALL)
