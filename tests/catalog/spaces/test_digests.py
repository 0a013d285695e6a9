"""Digests of the built-in spaces, held against those of older versions, and how many functions the spaces hold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.graph import ArchitectureGraph
from catalog.spaces import space_named
from catalog.spaces.nb101_arrays import read_arrays
from catalog.tables.doctor import KNOWN_FUNCTIONS
from ingest.formats.suite_zero import SuiteZero

UNCHANGED = Path(__file__).parent / "unchanged_digests.txt"
"""Space, architecture and digest, as versions before equal operators were merged made them, where nothing merges."""

DARTS_OPERATORS = (
    *("max_pool_3x3", "avg_pool_3x3", "skip_connect"),
    *("sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"),
)


def graph_of(space: str, *words: str) -> ArchitectureGraph:
    """NAS-Bench-201 by its index, NAS-Bench-101 by its matrix, DARTS by the digits of predecessor and operator."""
    if space == "nb201":
        return space_named(space).graph(int(words[0]))
    if space == "nb101":
        (part,) = read_arrays([words[0]], [words[1] if len(words) > 1 else None])
        return ArchitectureGraph(space, (part.cells.cell(0),))
    cells = [
        [(DARTS_OPERATORS[int(operator)], int(source)) for source, operator in zip(word[::2], word[1::2], strict=True)]
        for word in words
    ]
    return space_named(space).graph({
        "normal": cells[0], "normal_concat": [2, 3, 4, 5], "reduce": cells[1], "reduce_concat": [2, 3, 4, 5],
    })  # fmt: skip


def test_a_thousand_digests_are_what_they_were() -> None:
    rows = [line.split() for line in UNCHANGED.read_text().splitlines()]
    assert Counter(space for space, *_ in rows) == {"nb201": 450, "nb101": 350, "darts": 200}
    graphs = [graph_of(space, *words) for space, *words, _ in rows]
    made = [form.digest_as_is() for form in canonical_graphs(graphs)]
    assert made == [digest for *_, digest in rows]


def test_what_is_merged_in_nas_bench_201_and_what_joins() -> None:
    """The 5,425 functions without merging are 5,260: 165 unite two, of together 1,221 cells. 341 cells have no path."""
    graphs = list(space_named("nb201").enumerate())
    merged = [form.digest_as_is() for form in canonical_graphs(graphs)]
    apart = [form.digest_as_is() for form in canonical_graphs([alone(graph) for graph in graphs])]
    before: dict[str, set[str]] = {}
    for one, other in zip(merged, apart, strict=True):
        before.setdefault(one, set()).add(other)
    united = {digest for digest, parts in before.items() if len(parts) > 1}
    assert (len(set(merged)), len(set(apart)), len(united)) == (KNOWN_FUNCTIONS["nb201"][1], 5_425, 165)
    assert sum(digest in united for digest in merged) == 1_221
    assert sum(one != other for one, other in zip(merged, apart, strict=True)) == 2_083


def alone(graph: ArchitectureGraph) -> ArchitectureGraph:
    """The graph as one of NAS-Bench-101, the space that merges nothing."""
    return ArchitectureGraph("nb101", graph.cells, graph.vocabulary)


def test_what_is_merged_in_published_darts_cells(data_dir: Path) -> None:
    names = {
        name
        for file in sorted((data_dir / "nb301").glob("*.json"))
        for batch in SuiteZero("darts").read(file)
        for name in batch.members.native_ids
    }
    graphs = [space_named("darts").graph(name) for name in sorted(names)]
    merged, apart = ([graph.digest for graph in graphs], [alone(graph).digest for graph in graphs])
    assert (len(graphs), len(set(merged)), len(set(apart))) == (1_218, 1_218, 1_218)
    assert sum(one != other for one, other in zip(merged, apart, strict=True)) == 445


@pytest.mark.parametrize("vertices", [5, 6, 7])
def test_nas_bench_101_merges_nothing(vertices: int) -> None:
    """Two poolings of one convolution: one may be cut to other channels than the other."""
    sample = (graph for graph in space_named("nb101").sample(300, 3) if graph.cells[0].node_count == vertices)
    for graph in sample:
        assert sorted(graph.canonical.cells[0].operators) == sorted(graph.cells[0].operators)
