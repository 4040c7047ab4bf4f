"""`segtut bench`: what it measures, in which order, what it refuses, and what it writes."""

import json

import pytest
import torch
from torch import nn

from segtut import cost
from segtut.attention import CrissCrossAttention, PositionAttention
from segtut.bench import ENTRIES, ImplementationsDiffer, benchmark, entries, table, turns
from tests.test_cli import segtut

C = 16
SMALL = {"sizes": (5,), "channels": C, "batch": 2, "device": "cpu", "repeats": 2}


@pytest.fixture
def replace(monkeypatch):
    """Let a function of the number of channels make an operator."""
    return lambda name, make: monkeypatch.setitem(
        entries.ENTRIES, name, entries.Entry(ENTRIES[name].title, ENTRIES[name].function, make)
    )


class NoMemory(nn.Conv2d):
    def __init__(self, channels):
        super().__init__(channels, channels, 1)

    def forward(self, x):
        if x.__class__ is torch.Tensor:  # the FLOPs are counted without memory
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().forward(x)


class Differs(CrissCrossAttention):
    """Another output, or the same with another gradient."""

    def __init__(self, channels, output=0.0, gradient=0.0):
        super().__init__(channels)
        self.output, self.gradient = output, gradient

    def forward(self, x):
        return super().forward(x) + self.output + self.gradient * (x - x.detach())


def test_every_operator_has_its_row():
    reports = []
    result = benchmark(**SMALL | {"sizes": (5, 7)}, report=lambda r: reports.append(len(r["rows"])))
    assert reports == [len(ENTRIES), 2 * len(ENTRIES)]
    assert [row["operator"] for row in result["rows"]] == 2 * list(ENTRIES)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    for row in result["rows"]:
        module = ENTRIES[row["operator"]].make(C)
        shape = (2, C, row["H"], row["W"])
        assert row["error"] is None and row["H"] == row["W"]
        assert row["flops"] == cost.flops(module, shape) and row["parameters"] == cost.parameters(module)
        assert row["kept_bytes"] == cost.activation_memory(module, shape)
        assert row["peak_bytes"] >= row["kept_bytes"] > 0
        for timing, ratio in (("forward_s", "ratio_forward"), ("forward_backward_s", "ratio_forward_backward")):
            base = next(r for r in result["rows"] if r["H"] == row["H"] and r["operator"] == "cc-bmm")
            assert row[timing]["repeats"] == 2 and row[timing]["median"] > 0
            assert row[ratio] == pytest.approx(row[timing]["median"] / base[timing]["median"])


def test_one_function_has_one_set_of_weights_and_none_is_zero():
    modules = entries.build(tuple(ENTRIES), C, torch.device("cpu"), torch.float32)
    assert list(modules) == list(ENTRIES)
    for name, module in modules.items():
        first = next(m for other, m in modules.items() if ENTRIES[other].function == ENTRIES[name].function)
        weights = first.state_dict()
        assert all(torch.equal(t, weights[key]) for key, t in module.state_dict().items())
        assert all(p.any() for p in module.parameters())


def test_building_leaves_the_random_numbers_alone():
    before = torch.get_rng_state()
    entries.build(tuple(ENTRIES), C, torch.device("cpu"), torch.float32)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("what", "option"), [("output", "output"), ("gradient of x", "gradient")])
@pytest.mark.parametrize("size", [0.1, float("nan")])
def test_implementations_that_differ_are_refused(replace, what, option, size):
    replace("cc-einsum", lambda channels: Differs(channels, **{option: 0.0}))
    benchmark(**SMALL, operators=("cc-bmm", "cc-einsum"))
    replace("cc-einsum", lambda channels: Differs(channels, **{option: size}))
    what = "output" if size != size else what  # NaN · 0 is in the output, too
    with pytest.raises(ImplementationsDiffer, match=f"criss-cross, einsum at 5×5: its {what} differs"):
        benchmark(**SMALL, operators=("cc-bmm", "cc-einsum"))


def test_out_of_memory_is_a_row(replace):
    replace("nl-dense", NoMemory)
    rows = {row["operator"]: row for row in benchmark(**SMALL)["rows"]}
    assert {name for name, row in rows.items() if row["error"]} == {"nl-dense"}
    assert rows["nl-dense"]["error"] == "out of memory" and rows["nl-dense"]["forward_s"] is None
    assert rows["nl-sdpa"]["ratio_forward"] > 0
    (line,) = (line for line in table(list(rows.values())).splitlines() if "out of memory" in line)
    assert line.startswith("non-local, dense")


def test_without_the_textbook_form_there_is_no_ratio(replace):
    replace("cc-bmm", NoMemory)
    for names in (("cc-bmm", "gc"), ("gc",)):
        row = benchmark(**SMALL, operators=names)["rows"][-1]
        assert row["operator"] == "gc" and row["ratio_forward_backward"] is None and row["error"] is None
        assert table([row]).splitlines()[1].endswith("–")


def test_other_errors_are_not_taken_for_memory(replace):
    class Broken(PositionAttention):
        def forward(self, x):
            if x.__class__ is torch.Tensor:
                raise RuntimeError("shapes differ")
            return super().forward(x)

    replace("pam-sdpa", Broken)
    with pytest.raises(ValueError, match=r"Broken cannot be called on it \(shapes differ"):
        benchmark(**SMALL, operators=("pam-sdpa",))


def test_operators_take_turns(monkeypatch):
    order = []
    monkeypatch.setattr(turns, "_time", lambda probe, forward, both: order.append((forward, both)))
    monkeypatch.setattr(turns.Timing, "of", lambda seconds: cost.Timing(1.0, 1.0, 1.0, 1))
    benchmark(**SMALL | {"repeats": 3}, operators=("cc", "gc"))
    first, second = id(order[0][0]), id(order[1][0])
    assert first != second and [id(forward) for forward, _ in order] == [first, second] * 3


@pytest.mark.parametrize(("budget", "repeats"), [(0.0, 3), (60.0, 25)])
def test_repeats_by_the_time_they_take(monkeypatch, budget, repeats):
    monkeypatch.setattr(turns, "BUDGET", budget)
    (row,) = benchmark(**SMALL | {"repeats": None}, operators=("gc",))["rows"]
    assert row["forward_s"]["repeats"] == row["forward_backward_s"]["repeats"] == repeats


def test_bfloat16():
    rows = benchmark(**SMALL | {"dtype": "bfloat16"}, operators=("cc-bmm", "cc", "gc"))["rows"]
    wide = benchmark(**SMALL, operators=("cc-bmm", "cc", "gc"))["rows"]
    assert all(row["kept_bytes"] < other["kept_bytes"] for row, other in zip(rows, wide, strict=True))


def test_the_command_prints_a_table_and_writes_json(monkeypatch, tmp_path, capsys):
    threads = torch.get_num_threads()
    monkeypatch.chdir(tmp_path)
    words = ("--size", "5", "--size", "6", "--channels", C, "--repeats", "2", "--device", "cpu", "--threads", "1")
    assert segtut(monkeypatch, "bench", *words, "--operator", "cc", "--operator", "cam") == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].split(", ")[-5:-2] == ["float32", "16 channels", "batch 1"]
    assert all(said.count(word) == 2 for word in ("criss-cross, ours", "channel (CAM)", "peak MiB", "fwd+bwd ms"))
    assert "5×5 positions" in said and "6×6 positions" in said and said.endswith("Written: bench.json\n")
    result = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert {"device", "device_type", "threads", "dtype", "software", "commit", "finished"} <= set(result)
    assert [(row["operator"], row["H"]) for row in result["rows"]] == [("cc", 5), ("cam", 5), ("cc", 6), ("cam", 6)]
    assert result["threads"] == 1 and torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--size", "0"), "size=0"),
        (("--channels", "12"), "channels=12 is not divisible by reduction=8"),
        (("--batch", "-1"), "batch=-1"),
        (("--operator", "ccnet"), "operator='ccnet' is unknown: use one of 'cc-bmm'"),
        (("--dtype", "float16"), "dtype='float16' is unknown: use one of 'float32', 'bfloat16'"),
        (("--device", "tpu"), "device='tpu' is unknown"),
        (("--repeats", "0"), "repeats=0"),
        (("--threads", "0"), "threads=0"),
        (("--out", "."), "must be a file in a folder"),
        (("--out", "taken/bench.json"), "must be a file in a folder"),
        (("--batch", str(2**40)), "do not fit into memory"),
    ],
)
def test_wrong_options_are_one_sentence(words, said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("a file")
    message = segtut(monkeypatch, "bench", *words)
    assert isinstance(message, str) and message.startswith("segtut: ") and said in message and "\n" not in message
    assert not (tmp_path / "bench.json").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_a_missing_gpu_is_one_sentence(monkeypatch):
    assert "PyTorch finds no GPU here" in segtut(monkeypatch, "bench", "--device", "cuda")
