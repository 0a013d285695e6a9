"""Rows of graphs: operators are counted for every graph, though equal counts are kept once."""

from __future__ import annotations

from catalog.architecture.graph_tables import operator_counts, placed_cells
from catalog.architecture.operators import VOCABULARY
from catalog.spaces import space_named
from tests.catalog.processes import run_python

MIXED = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
EMPTY = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


def test_operators_are_counted_for_every_graph_and_equal_counts_are_kept_once() -> None:
    space = space_named("nb201")
    counts = operator_counts(3, list(placed_cells([space.graph(cell) for cell in (MIXED, EMPTY, MIXED)])), VOCABULARY)
    mixed = {"none": 2, "nor_conv_1x1": 1, "nor_conv_3x3": 2, "skip_connect": 1}
    assert [dict(pairs) for pairs in counts.to_pylist()] == [mixed, {"none": 6}, mixed]
    assert len(counts.dictionary) == 2


def test_tables_of_graphs_load_nothing_that_builds_networks() -> None:
    ended = run_python(
        "import sys, catalog.architecture.members, catalog.tables.registration\n"
        "print(*[name for name in sys.modules if name.startswith('catalog.architecture.computation.')])"
    )
    assert ended.stdout.split() == [], ended.stderr


def test_no_graphs_have_no_counts() -> None:
    assert operator_counts(0, [], VOCABULARY).to_pylist() == []
