"""The ledger of differences: the effects that it quotes are measured, and the tests that it names exist.

An effect is the difference of two outputs over the size of the second, both as root of the sum of squares, from the
same random weights on the same random features, as a mean over 20 draws.
"""

import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from segtut.attention import ChannelAttention, CrissCrossAttention, GlobalContext, NonLocal
from segtut.networks import CCHead, PSPHead

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book/paper_vs_code.md").read_text(encoding="utf-8")
DRAWS = 20
B, C, H, W = 2, 16, 5, 7


def normal(*shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def drawn(module, seed):
    """The module in float64: weights of variance 1 / inputs, all others of variance 1, norms above 0, gates open."""
    module.double().eval()
    for i, (name, p) in enumerate(module.named_parameters()):
        values = normal(*p.shape, seed=1000 * seed + i) / (p[0].numel() ** 0.5 if p.ndim > 1 else 1)
        is_scale = p.ndim == 1 and name.endswith("weight")
        p.data = values.abs() + 0.1 if is_scale else torch.ones_like(p) if name.endswith("gamma") else values
    return module


def gate(x, seed):
    return x, drawn(CrissCrossAttention(C), seed)(x)


def passes(recurrence):
    def difference(x, seed):
        other, ours = (drawn(CCHead(C, 3, r, 2, inner=8), seed) for r in (recurrence, 2))
        other.cca = ours.cca if recurrence else None
        for name, part in ours.named_children():
            if name != "cca":
                setattr(other, name, part)
        return other(x)[0], ours(x)[0]

    return difference


def activation(x, seed):
    return tuple(drawn(CCHead(C, 3, 2, 2, inner=8, block=name), seed)(x)[0] for name in ("bn_relu", "inplace_abn"))


def concatenation(x, seed):
    head = drawn(CCHead(C, 3, 2, 2, inner=8), seed)
    ours = head(x)[0]
    weight = head.bottleneck[0].weight
    weight.data = torch.cat([weight[:, C:], weight[:, :C]], 1)  # stored for the refined features first
    return head(x)[0], ours


def upsampled(x, seed):
    return tuple(F.interpolate(x, scale_factor=8, mode="bilinear", align_corners=flag) for flag in (False, True))


def unscaled(x, seed):
    return drawn(NonLocal(C, scaled=False), seed)(x), drawn(NonLocal(C), seed)(x)


def multiplied(x, seed):
    block = drawn(NonLocal(C), seed)
    ours = block(x)
    block.theta.weight.data *= C // 2  # sqrt(D) instead of 1 / sqrt(D): D times the affinity
    block.theta.bias.data *= C // 2
    return block(x), ours


def pooled_first(x, seed):
    block = drawn(NonLocal(C, pooled=True), seed)
    k, v = block.phi(block.pool(x)), block.g(block.pool(x))
    y = block.attention(block.theta(x), k) @ v.flatten(2).mT
    return block.conv_out(y.mT.reshape(B, C // 2, H, W)) + x, block(x)


def similar(x, seed):
    return tuple(drawn(ChannelAttention(variant=variant), seed)(x) for variant in ("paper", "code"))


def added_first(x, seed):
    block = drawn(GlobalContext(C, fusion="both"), seed)
    context, _ = block.context(x)
    return (x + block.channel_add_conv(context)) * block.channel_mul_conv(context).sigmoid(), block(x)


def average(x, seed):
    attention = drawn(GlobalContext(C), seed)
    mean = GlobalContext(C, pooling="average").double()
    mean.load_state_dict(attention.state_dict(), strict=False)
    return mean(x), attention(x)


def started(x, seed):
    return GlobalContext(C, fusion="multiply").double()(x), x


def pyramid(x, seed):
    return tuple(drawn(PSPHead(C, 3, align_corners=flag, inner=8), seed)(x)[0] for flag in (False, True))


EFFECTS = {
    "gate": [gate],
    "passes $R$": [passes(1), passes(0)],
    "norm, activation in the head": [activation],
    "concatenation": [concatenation],
    "`align_corners`": [upsampled],
    "scale of the affinity": [unscaled],
    "the same in GCNet's repository": [multiplied],
    "sub-sampled keys and values": [pooled_first],
    "sign of channel attention": [similar],
    "adding and multiplying together": [added_first],
    "start of a new block": [started],
    "default pooling": [average],
    "PSP, `align_corners`": [pyramid],
}


def table_rows(page):
    """Return the rows of all tables as dictionaries by the names of the columns; the first column's is empty."""
    rows, names = [], None
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else None
        if cells is None:
            names = None
        elif names is None:
            names = ["", *(cell.strip("| ") for cell in cells[1:])]
        elif not set(line) <= set("|- "):
            assert len(cells) == len(names), line
            rows.append(dict(zip(names, cells, strict=True)))
    return rows


ROWS = {row[""]: row for row in table_rows(PAGE)}


def measure(difference):
    """Mean effect in per cent."""
    total = 0.0
    for seed in range(DRAWS):
        x = normal(B, C, H, W, seed=seed)
        with torch.no_grad():
            other, ours = difference(x, seed + 1)
        total += ((other - ours).norm() / ours.norm()).item()
    return 100 * total / DRAWS


def test_every_row_has_an_effect_and_a_test():
    assert len(ROWS) == len(table_rows(PAGE)) >= 30
    assert [name for name, row in ROWS.items() if not row["effect"] or not row["test"]] == []
    quoted = {name for name, row in ROWS.items() if re.search(r"\d %", row["effect"])}
    assert quoted == EFFECTS.keys()


@pytest.mark.parametrize("name", EFFECTS)
def test_a_quoted_effect_is_what_is_measured(name):
    quoted = [float(number) for number in re.findall(r"([\d.]+) %", ROWS[name]["effect"])]
    assert quoted == [pytest.approx(measure(difference), abs=0.6) for difference in EFFECTS[name]]


def test_tests_that_are_named_exist():
    named = {test for row in ROWS.values() for test in row["test"].split(", ") if test != "–"}
    files = {path.stem.removeprefix("test_") for path in (ROOT / "tests").rglob("test_*.py")}
    explained = set(re.findall(r"\*(\w+)\*", PAGE[: PAGE.index("\n## ")]))
    assert named and named <= files
    assert named <= explained


def test_links_of_the_ledger_lead_to_files():
    links = re.findall(r"\]\((?!http)([^)#]+)", PAGE)
    assert links and [link for link in links if not (ROOT / "book" / link).is_file()] == []
