"""The probes: each answer is found again by a literal reading of the question, each ceiling by counting."""

import pytest
import torch

from segtut.data import IGNORE_INDEX
from segtut.data.probes import COLOURS, KINDS, PLANES, PROBES, ceiling, first_labels, refine

SIZE = H, W = 5, 7
N = H * W


def seeded():
    return torch.Generator().manual_seed(3)


def reading(name, x):
    """The answers to one image, pixel by pixel, from its planes alone."""
    colour = {(i, j): int(x[:COLOURS, i, j].argmax()) for i in range(H) for j in range(W) if x[:COLOURS, i, j].any()}
    kind = x[COLOURS : COLOURS + KINDS].argmax(0)
    answer = torch.full((H, W), IGNORE_INDEX)
    for i in range(H):
        for j in range(W):
            ((a, b), only), *others = colour.items()
            on_cross = [c for (h, w), c in colour.items() if h == i or w == j]
            if name == "beacon" or (name == "diagonal" and i != a and j != b):
                answer[i, j] = only
            elif name == "row and column" and (i, j) not in colour:
                (answer[i, j],) = on_cross  # one label, and no other, is on its cross
            elif name == "matching" and (i, j) not in colour:
                (answer[i, j],) = [c for place, c in colour.items() if kind[place] == kind[i, j]]
            elif name == "count":
                answer[i, j] = len(others)
            elif name in ("left or right", "with coordinates") and j != b:
                answer[i, j] = int(j > b)
    return answer


@pytest.mark.parametrize("name", PROBES)
def test_answers_are_what_the_question_says(name):
    for x, answer in (PROBES[name].sample(40, SIZE, seeded()), PROBES[name].test(SIZE, seeded())):
        assert x.shape == (len(x), PLANES, H, W) and x.dtype == torch.float32
        assert answer.shape == (len(x), H, W) and answer.dtype == torch.int64
        for n in range(0, len(x), max(1, len(x) // 40)):
            assert torch.equal(answer[n], reading(name, x[n]))


@pytest.mark.parametrize("name", PROBES)
def test_images_depend_on_the_generator_alone(name):
    first, again = (PROBES[name].sample(8, SIZE, seeded()) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again))
    other, _ = PROBES[name].sample(8, SIZE, torch.Generator().manual_seed(4))
    assert not torch.equal(first[0], other)


def test_the_thing_stands_everywhere_equally_often():
    generator = seeded()
    places = [PROBES["beacon"].sample(1, SIZE, generator)[0][0].any(0).flatten() for _ in range(300)]
    assert torch.stack(places).any(0).all()  # also where images are drawn one by one
    x, _ = PROBES["left or right"].test(SIZE, generator)
    assert (x[:, :COLOURS].sum((0, 1)) == COLOURS**3).all()


def test_position_is_given_by_one_probe_only():
    for name, probe in PROBES.items():
        place = probe.sample(3, SIZE, seeded())[0][:, -2:]
        if name == "with coordinates":
            assert torch.equal(place[0, 0, :, 2], torch.linspace(-1, 1, H))
            assert torch.equal(place[0, 1, 3], torch.linspace(-1, 1, W))
        else:
            assert not place.any()


def ceilings(name):
    """Best accuracies for who hears nobody, the cross once and twice, everybody once."""
    x, answer = PROBES[name].test(SIZE, seeded())
    assert len(x) == COLOURS**3 * N
    n = torch.arange(N)
    cross = (n[:, None] // W == n // W) | (n[:, None] % W == n % W)
    own = first_labels(x)
    once = refine(own, cross)
    views = (own, once, refine(once, cross), refine(own, torch.ones_like(cross)))
    return [ceiling(view, answer) for view in views]


def seen(share):
    """Accuracy of who hears the cue with this probability, and else guesses a colour."""
    return share + (1 - share) / COLOURS


def test_ceilings_of_the_beacon_and_of_its_diagonal_are_those_of_counting():
    # the beacon's own pixel knows; the rest hear it from H + W - 2 places
    assert ceilings("beacon") == pytest.approx([seen(1 / N), seen((H + W - 1) / N), 1, 1], abs=1e-12)
    assert ceilings("diagonal") == pytest.approx([1 / COLOURS, 1 / COLOURS, 1, 1], abs=1e-12)


def test_ceilings_of_matching_are_those_of_counting():
    x, answer = PROBES["matching"].test(SIZE, seeded())
    near = []
    for image, wanted in zip(x[:: COLOURS**KINDS], answer[:: COLOURS**KINDS]):  # one of each layout
        kind = image[COLOURS : COLOURS + KINDS].argmax(0)
        for i, j in (wanted != IGNORE_INDEX).nonzero().tolist():
            ((a, b),) = (image[:COLOURS].any(0) & (kind == kind[i, j])).nonzero().tolist()
            near.append(a == i or b == j)
    share = sum(near) / len(near)
    assert 0.2 < share < 0.4
    assert ceilings("matching") == pytest.approx([1 / COLOURS, seen(share), 1, 1], abs=1e-12)


def test_ceilings_of_rows_and_columns_favour_the_cross():
    _, answer = PROBES["row and column"].test(SIZE, seeded())
    most = sum(int(a[a != IGNORE_INDEX].bincount().max()) for a in answer)  # all blank pixels have to answer alike
    none, once, twice, everybody = ceilings("row and column")
    assert (none, once, twice) == (1 / COLOURS, 1, 1)
    assert everybody == pytest.approx(most / (answer != IGNORE_INDEX).sum().item(), abs=1e-12) and everybody < 0.6


def test_ceilings_of_left_and_right_are_a_coin_unless_position_is_given():
    assert ceilings("left or right") == [0.5] * 4
    none, once, twice, everybody = ceilings("with coordinates")
    edge = sum(max(j, W - 1 - j) for j in range(W)) / (W * (W - 1))  # more room on one side than on the other
    assert none == pytest.approx(edge, abs=1e-12)
    assert none < once < 1 and twice == everybody == 1


def test_ceilings_of_the_count():
    none, once, twice, everybody = ceilings("count")
    assert none < once < twice and everybody == 1


def test_refine_separates_what_was_heard_and_nothing_else():
    cross_of_two = torch.tensor([[True, True, False], [True, True, False], [False, False, True]])
    labels = torch.tensor([[0, 1, 2], [0, 2, 1], [1, 0, 1]])
    new = refine(labels, cross_of_two)
    assert new[0, 0] != new[1, 0]  # heard a 1, heard a 2
    assert new[0, 1] == new[2, 0]  # a 1 that heard a 0, in whatever place and image
    assert new[1, 2] == new[2, 2] != new[2, 0]  # a 1 that heard itself only
    assert len(new.unique()) == 6


def test_ceiling_by_hand():
    labels = torch.tensor([[0, 0, 0, 1, 1, 2]])
    answer = torch.tensor([[[3, 3, 1], [0, IGNORE_INDEX, IGNORE_INDEX]]])
    assert ceiling(labels, answer) == 3 / 4


@pytest.mark.parametrize(("images", "size", "named"), [(0, SIZE, "images=0"), (2, (1, 7), "size="), (2, (5,), "size=")])
def test_bad_sizes_are_named(images, size, named):
    with pytest.raises(ValueError, match=named):
        PROBES["beacon"].sample(images, size, seeded())


def test_a_mask_of_the_wrong_shape_is_named():
    with pytest.raises(ValueError, match="omega"):
        refine(torch.zeros(2, N, dtype=torch.long), torch.ones(N, H + W, dtype=torch.bool))
