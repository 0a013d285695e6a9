"""Cells that graphs share are worked out once, and come out as if each graph had its own."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

from catalog.architecture.canonical_form import canonical_forms
from catalog.architecture.computation import sized
from catalog.architecture.computation.sized import SizedNetworks
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY
from catalog.architecture.sizes import NetworkInput
from catalog.errors import GraphError
from tests.catalog.architecture.computation.test_sized import chain
from tests.catalog.spaces.staged.small import small

DRAWN = small().sample(60, seed=4)


def alone_of(graph: ArchitectureGraph) -> ArchitectureGraph:
    """The same graph, of cells of its own."""
    return replace(graph, cells=tuple(replace(cell) for cell in graph.cells))


def test_what_graphs_share_has_the_facts_and_the_forms_that_it_has_alone() -> None:
    together = SizedNetworks(SIZED_VOCABULARY)
    apart = [SizedNetworks(SIZED_VOCABULARY).facts(alone_of(graph)) for graph in DRAWN]
    assert [together.facts(graph) for graph in DRAWN] == apart
    assert [together.facts(graph) for graph in reversed(DRAWN)] == apart[::-1]
    assert canonical_forms(DRAWN).graphs == [alone_of(graph).canonical for graph in DRAWN]


def test_a_shared_cell_is_passed_through_once_for_equal_states() -> None:
    with patch.object(SizedNetworks, "_through", autospec=True, side_effect=SizedNetworks._through) as through:
        found = SizedNetworks(SIZED_VOCABULARY)
        first = [found.facts(DRAWN[0]), found.facts(DRAWN[0])]
        assert through.call_count == len(DRAWN[0].cells)
        found.facts(replace(DRAWN[0], input=NetworkInput(shape=(3, 64, 64))))
    assert first[0] == first[1]
    assert through.call_count == 2 * len(DRAWN[0].cells)


def test_what_is_remembered_counts_towards_the_most() -> None:
    whole = chain({"op": "conv", "kernel": 3, "channels": 3, "repeats": 40}, repeats=30)
    SizedNetworks(SIZED_VOCABULARY).facts(whole)
    with patch.object(sized, "_MOST_COPIES", 1_000), pytest.raises(GraphError, match="more than 1,000 operators"):
        SizedNetworks(SIZED_VOCABULARY).facts(whole)


def test_a_shared_cell_contracts_by_the_rules_of_its_graph() -> None:
    """In a whole network an input that feeds a reduction cell halves nothing; in cells it does."""
    names, edges = ["input", "skip_connect", "nor_conv_3x3", "output"], [(0, 1), (1, 2), (2, 3)]
    cell = CellGraph.build("reduce", names, edges, vocabulary=SIZED_VOCABULARY, reduction=True)
    whole = ArchitectureGraph("own", (cell,), SIZED_VOCABULARY, NetworkInput(shape=(8, 16, 16)))
    in_skeleton = ArchitectureGraph("own", (cell,), SIZED_VOCABULARY)
    forms = canonical_forms([whole, in_skeleton, whole]).graphs
    assert forms == [alone_of(one).canonical for one in (whole, in_skeleton, whole)]
    assert "factorized_reduce" in forms[1].cells[0].operators
    assert "factorized_reduce" not in forms[0].cells[0].operators
