"""The pairs of networks that laws are tried on are what they say, and the known faults of `tg_nas` are found."""

from __future__ import annotations

import random

import numpy as np
import pytest

from benchmarks.laws.growing import GROWING, residual_blocks, with_shortcut
from benchmarks.laws.judging import EQUAL, Score, cut_networks, judged, pairs
from benchmarks.laws.networks import KINDS, OWN_KINDS, Drawing, drawn, network
from benchmarks.laws.rewriting import (
    GRAINS,
    blocks_as_layers,
    counted,
    equal_counts,
    one_cell,
    taken_apart,
    unrolled,
)
from catalog.architecture.graph import ArchitectureGraph

CHAIN = 4
DRAW = random.Random(0)


def chain(length: int, *, over: int = 0) -> ArchitectureGraph:
    """A cell of convolutions 3 by 3 in a row, with a shortcut over the last `over` of them."""
    drawing, nodes = Drawing(), [0]
    for _ in range(length):
        nodes.append(drawing.add("conv3x3", [nodes[-1]]))
    last = drawing.add("sum", [nodes[-1 - over], nodes[-1]]) if over else nodes[-1]
    return network(drawing.cell(last))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_network_has_pairs_and_better_networks_cost_more(kind: str) -> None:
    found = list(pairs(kind, 3, seed=1))
    assert {"words"} <= {pair.law for pair in found} <= {*EQUAL, *GROWING}
    for pair in found:
        before, after = (None if one.input is None else counted(one) for one in (pair.before, pair.after))
        if before is None or after is None:
            continue
        assert before.multiply_accumulates
        assert after.multiply_accumulates
        if pair.law in EQUAL:
            assert equal_counts(pair.before, pair.after), pair.how
        elif pair.law == "shortcut":
            assert after.multiply_accumulates == before.multiply_accumulates
        else:
            assert after.multiply_accumulates > before.multiply_accumulates, pair.how


def test_a_seed_gives_the_same_pairs_again() -> None:
    one, again, other = (
        [(pair.how, pair.before.cells, pair.after.cells) for pair in pairs("own random graphs", 2, seed=seed)]
        for seed in (1, 1, 2)
    )
    assert one == again != other


def test_networks_are_told_at_other_grains() -> None:
    drawing = Drawing()
    stem = drawing.add("conv", [0], kernel=3, channels=8)
    block = drawing.add("depthwise_conv", [stem], kernel=3, expansion=2, channels=8, repeats=2)
    graph = network(drawing.cell(block), pixels=16)
    apart = taken_apart(graph, random.Random(3))
    assert apart is not None
    assert apart.cells[0].operators[1:4] == ("conv", "norm", "activation")
    copies = unrolled(graph, DRAW)
    assert copies is not None
    assert copies.cells[0].operators == ("input", "conv", "depthwise_conv", "depthwise_conv", "output")
    layers = blocks_as_layers(copies, random.Random(3))
    assert layers is not None
    assert layers.cells[0].operators.count("depthwise_conv") == 2
    assert "expansion" not in {name for size in layers.cells[0].sizes if size for name, x in vars(size).items() if x}
    assert all(equal_counts(graph, other) for other in (apart, copies, layers))
    assert one_cell(graph, DRAW) is None
    assert all(rewrite(chain(2), DRAW) is None for name, rewrite in GRAINS.items() if name != "layers")


def test_a_residual_block_is_what_an_identity_leads_around() -> None:
    graph = chain(CHAIN, over=2)
    assert residual_blocks(graph.cells[0], graph) == [(2, [3, 4], 5)]
    assert residual_blocks(chain(CHAIN).cells[0], chain(CHAIN)) == []
    assert with_shortcut(graph, DRAW) is None, "that is no plain chain"
    better = with_shortcut(chain(CHAIN), DRAW)
    assert better is not None
    assert better.cells[0].operators.count("sum") == 1


@pytest.mark.parametrize("kind", [kind for kind in OWN_KINDS if not kind.endswith("cells")])
def test_roots_of_sizes_keep_every_law(kind: str) -> None:
    """`root_macs` counts layers, so it cannot break one: what it breaks is a fault of the pairs."""
    found = judged(Score("root_macs"), kind, 6, seed=0)
    assert len(found) >= 5
    assert [(one.law, one.worst) for one in found if not one.holds] == []
    made, scored = cut_networks(Score("root_macs"), kind, 4, seed=0)
    assert (made, scored) == (4, 0)


def test_known_faults_of_tg_nas_are_found() -> None:
    pytest.importorskip("torch")
    score = Score("tg_nas")
    plain, shortcut = score([chain(CHAIN), chain(CHAIN, over=1)])
    assert (round(plain, 2), round(shortcut, 2)) == (1.47, 0.60)
    found = {one.law: one for one in judged(score, "own plain chains", 6, seed=0)}
    assert not found["shortcut"].holds
    assert not found["grain"].holds
    assert found["alone"].holds
    assert found["wider"].holds


def test_pools_are_drawn_once() -> None:
    assert drawn("nb201", 2, 5) is drawn("nb201", 2, 5)
    assert np.isfinite(Score("root_macs")(drawn("nb201", 2, 5))).all()
