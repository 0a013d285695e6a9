"""An operator that is known by a sentence alone scores as the mean of the three that are described nearest."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY, Operator
from catalog.architecture.sizes import NetworkInput, Size
from predictor.universal.networks import of_cells
from predictor.universal.recipe import terms_of
from predictor.universal.unknown_operators import may_be_unknown, nearest_known, unknown_in

UNKNOWN = Operator("mine", "other", short="Convolution 3 by 3", medium="", long="", has_weights=True)
VOCABULARY = SIZED_VOCABULARY.extended([UNKNOWN])
NEAREST = nearest_known([UNKNOWN])


def cell(name: str, size: Size | None = None, *, taken: int | None = None) -> ArchitectureGraph:
    sizes = (None, size, None, None) if size else ()
    names, edges = ["input", name, "conv3x3", "output"], [(0, 1), (1, 2), (2, 3)]
    drawn = CellGraph.build("cell", names, edges, sizes=sizes, vocabulary=VOCABULARY)
    image = None if taken is None else NetworkInput(shape=(taken, 16, 16))
    return ArchitectureGraph("own", (drawn,), VOCABULARY, input=image)


def scores(*graphs: ArchitectureGraph) -> np.ndarray:
    return np.array([terms_of(of_cells([graph], NEAREST).networks).score.mean() for graph in graphs])


def test_the_nearest_is_the_one_that_is_described_alike() -> None:
    assert NEAREST["mine"][0].name == "stand-in conv3x3"
    assert len(NEAREST["mine"]) == 3


@pytest.mark.parametrize("taken", [None, 32])
def test_an_unknown_operator_scores_as_the_mean_of_the_nearest(taken: int | None) -> None:
    known = [one.name.removeprefix("stand-in ") for one in NEAREST["mine"]]
    unknown, *others = scores(*(cell(name, taken=taken) for name in ("mine", *known)))
    assert min(others) < max(others)
    np.testing.assert_allclose(unknown, np.mean(others))


def test_channels_that_a_node_says_are_those_that_its_stand_in_gives() -> None:
    narrow, wide = (cell("mine", Size(channels=channels), taken=32) for channels in (32, 64))
    plain, same, wider = scores(cell("mine", taken=32), narrow, wide)
    np.testing.assert_allclose(plain, same)
    assert wider > same


def test_an_identity_that_says_its_channels_projects_only_where_they_change() -> None:
    skip = Operator("mine", "other", short="Residual connection", medium="", long="")
    nearest = nearest_known([skip])
    assert "stand-in skip_connect" in [one.name for one in nearest["mine"]]
    same, plain, wide = (
        terms_of(of_cells([cell("mine", size, taken=32)], nearest).networks).parameters.max()
        for size in (Size(channels=32), None, Size(channels=64))
    )
    assert same == plain < wide


def test_what_says_its_cost_or_has_rules_needs_no_stand_in() -> None:
    among = may_be_unknown(VOCABULARY)
    assert among == {"mine"}
    assert unknown_in(cell("mine"), among) == {"mine"}
    assert unknown_in(cell("mine", Size(channels=32, macs=9), taken=32), among) == frozenset()
    assert unknown_in(cell("conv3x3"), among) == frozenset()
