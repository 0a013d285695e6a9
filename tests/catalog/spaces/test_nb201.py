"""NAS-Bench-201: every native id names the same cell, and counts equal the benchmark's."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.errors import IdentifierError, UsageError
from catalog.spaces import nb201, space_named

SPACE = space_named("nb201")
CELLS = st.tuples(*[st.sampled_from(nb201.OPERATORS)] * 6).map(nb201.format_cell)

FIRST = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"


@given(CELLS)
def test_every_native_id_names_the_same_cell(cell: str) -> None:
    graph = SPACE.graph(cell)
    index = SPACE.native_index(graph)
    naslib = nb201.to_naslib(cell)
    for identifier in (cell, index, str(index), naslib, str(naslib), list(naslib)):
        assert SPACE.locate(identifier) == cell
        assert SPACE.graph(identifier) == graph
    assert SPACE.native_id(graph) == cell


def test_the_first_index_is_the_published_one() -> None:
    assert SPACE.locate(0) == FIRST  # NAS-Bench-201, meta_archs[0]


def test_indices_strings_and_tuples_equal_the_published_tables(data_dir: Path) -> None:
    with gzip.open(data_dir / "nb201/nb201_v1.1_200ep.csv.gz", "rt") as stream:
        assert all(SPACE.locate(row["nb201_index"]) == row["arch_str"] for row in csv.DictReader(stream))
    with gzip.open(data_dir / "nb201/published_proxies_cifar10.csv.gz", "rt") as stream:
        pairs = [(row["net"], row["net_str"]) for row in csv.DictReader(stream)]
    assert len(pairs) == 9445
    assert all(SPACE.locate(net) == text and str(nb201.to_naslib(text)) == net for net, text in pairs)


def test_enumeration_yields_every_cell_once_in_index_order() -> None:
    cells = [SPACE.native_id(graph) for graph in SPACE.enumerate()]
    assert len(set(cells)) == len(cells) == SPACE.size == 15_625
    assert cells[:1] == [FIRST]


@given(CELLS)
def test_neighbours_differ_in_one_operator_and_are_mutual(cell: str) -> None:
    graph = SPACE.graph(cell)
    neighbours = SPACE.neighbours(graph)
    assert len({SPACE.native_id(other) for other in neighbours}) == 24
    for other in neighbours:
        assert sum(a != b for a, b in zip(nb201.parse(SPACE.native_id(other)), nb201.parse(cell), strict=True)) == 1
    assert graph in SPACE.neighbours(neighbours[0])


def test_the_same_seed_draws_the_same_cells() -> None:
    assert SPACE.sample(50, seed=1) == SPACE.sample(50, seed=1) != SPACE.sample(50, seed=2)


def test_counts_are_those_of_the_benchmarks_network() -> None:
    # 73,306 + 243,040 n3 + 28,000 n1 parameters; 7.78305 + 35.38944 n3 + 3.93216 n1 million multiply-accumulates
    one_of_each = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|skip_connect~2|"
    graphs = [SPACE.graph(one_of_each), SPACE.graph("|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|")]
    scores = SPACE.structural_scores(graphs, canonical_graphs(graphs))
    assert scores["params"].tolist() == [73_306 + 243_040 + 28_000, 73_306 + 243_040]
    assert scores["flops"].tolist() == [7_783_050 + 35_389_440 + 3_932_160, 7_783_050 + 35_389_440]
    assert scores["live_params"].tolist() == [73_306 + 243_040 + 28_000, 73_306]


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        (15_625, "0 to 15624"),
        ("-1", "names no NAS-Bench-201 cell"),
        ("|nor_conv_3x3~0|", "names no NAS-Bench-201 cell"),
        (FIRST.replace("avg_pool", "max_pool"), "unknown operator 'max_pool_3x3'"),
        ((0, 1, 2, 3, 4), "six operator numbers"),
        ("(0, 1, 2, 3, 4, 5)", "six operator numbers"),
        ("(" * 5000, "names no NAS-Bench-201 cell"),
        (None, "names no NAS-Bench-201 cell"),
        (True, "names no NAS-Bench-201 cell"),
    ],
)
def test_what_names_no_cell_is_refused_with_what_does(identifier: object, words: str) -> None:
    with pytest.raises(IdentifierError, match=words.replace("(", r"\(")):
        SPACE.locate(identifier)


def test_a_foreign_graph_has_no_architecture_string() -> None:
    foreign = ArchitectureGraph("nb201", (CellGraph.build("cell", ("input", "output"), [(0, 1)]),))
    with pytest.raises(IdentifierError, match="8 nodes and 10 edges"):
        SPACE.native_id(foreign)


def test_an_unknown_space_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="nb101, nb201, darts"):
        space_named("nb301")


def test_digits_of_other_scripts_name_nothing() -> None:
    with pytest.raises(IdentifierError):
        SPACE.locate("٢")
