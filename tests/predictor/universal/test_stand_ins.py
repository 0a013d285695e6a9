"""An operator that is known by a sentence alone scores between those that are described alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.laws.judging import Score, judged_swaps
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY, Operator
from catalog.architecture.sizes import Size
from predictor.universal.stand_ins import replaced, stand_ins

BLUR = Operator("blur", "other", short="Average pooling 5 by 5", medium="", long="", has_weights=False)
VOCABULARY = SIZED_VOCABULARY.extended([BLUR])


def cell(*operators: str, name: str = "cell", size: Size | None = None) -> ArchitectureGraph:
    names = ["input", *operators, "output"]
    sizes = () if size is None else (None, *[size] * len(operators), None)
    edges = [(place, place + 1) for place in range(len(names) - 1)]
    drawn = CellGraph.build(name, names, edges, sizes=sizes, vocabulary=VOCABULARY)
    return ArchitectureGraph("own", (drawn,), VOCABULARY)


def test_the_three_that_are_described_alike_stand_in_the_nearest_first() -> None:
    graph = cell("conv3x3", "blur")
    found = stand_ins([graph], VOCABULARY)
    assert list(found) == ["blur"]
    assert found["blur"][0] == "avg_pool_3x3"
    forms = replaced(graph, found)
    assert [form.cells[0].operators for form in forms] == [("input", "conv3x3", one, "output") for one in found["blur"]]


def test_what_is_known_is_not_replaced() -> None:
    found = stand_ins([cell("blur")], VOCABULARY)
    assert stand_ins([cell("conv3x3")], VOCABULARY) == {}
    assert replaced(cell("conv3x3"), found) == []
    assert replaced(cell("blur", size=Size(macs=1000)), found) == []
    told = replace(BLUR, generic="avg_pool", kernel=5, kind="pool")
    assert stand_ins([cell("blur")], SIZED_VOCABULARY.extended([told])) == {}


@pytest.mark.parametrize("whole", [False, True])
def test_an_unknown_operator_scores_within_the_range_of_the_three(whole: bool) -> None:
    found = judged_swaps(Score("tg_nas_universal"), 40, 5, whole=whole)
    assert found.share >= 0.95


def test_a_stand_in_keeps_the_channels_of_its_place_and_no_field_of_the_unknown_operator() -> None:
    graph = cell("blur", size=Size(channels=1, heads=4, kernel=5))
    for form in replaced(graph, stand_ins([graph], VOCABULARY)):
        assert form.cells[0].sizes == (None, Size(channels=1), None)
