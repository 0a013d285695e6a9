"""Patterns as SQL: the right matches, counted right, whatever the space and however it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.graph_tables import rows_of_graphs
from catalog.architecture.operators import VOCABULARY, Operator
from catalog.asking import patterns
from catalog.asking.pattern_sql import Storage, compile_pattern
from catalog.errors import PatternError, UnknownColumnError, UnknownSpaceError, UsageError
from catalog.storage.sandbox import run_user_query
from catalog.storage.store import Store
from catalog.tables.stored_operators import operator_rows
from tests.catalog.brute_force import Question, matches, questions, small_cells

CHAIN = CellGraph.build(
    "cell", ("input", "conv3x3", "conv1x1", "maxpool3x3", "output"), [(0, 1), (1, 2), (2, 3), (3, 4)]
)
DIAMOND = CellGraph.build("cell", ("input", "conv3x3", "conv1x1", "output"), [(0, 1), (0, 2), (1, 3), (2, 3)])
DEAD = CellGraph.build("cell", ("input", "conv3x3", "output"), [(0, 1)])


@pytest.fixture
def toy(catalog_path: Path) -> Iterator[Store]:
    """An empty catalog to store spaces of a few graphs in."""
    with Store.open(catalog_path, mode="write") as catalog:
        yield catalog


def store(catalog: Store, space: str, graphs: Sequence[ArchitectureGraph]) -> list[int]:
    """Store graphs as a space whose wide view has the columns native_id and quality; returns their ids."""
    first = catalog.next_id("architecture")
    rows = rows_of_graphs(first, graphs, [graph.canonical for graph in graphs])
    ids = list(range(first, first + len(graphs)))
    own = {"id": ids, "space": [space] * len(ids), "native_id": [f"graph {number}" for number in ids]}
    columns = {name: rows.facts[name] for name in rows.facts.column_names}
    catalog.append("space", pa.table({"name": [space], "description": [""], "native_id_name": ["native_id"]}))
    catalog.append("architecture", pa.table({**own, "native_index": ids, "canonical_id": ids, **columns}))
    catalog.append("node", rows.nodes)
    catalog.append("edge", rows.edges)
    catalog.execute(
        f"CREATE TABLE {space} AS SELECT id AS architecture_id, native_index AS index, native_id, canonical_digest,"
        f" CASE WHEN id > {first} THEN id END AS quality FROM architecture WHERE space = '{space}' ORDER BY id"
    )
    return ids


def store_cells(catalog: Store, *cells: CellGraph, space: str = "toy") -> list[int]:
    return store(catalog, space, [ArchitectureGraph(space, (cell,)) for cell in cells])


def found(catalog: Store, sql: str) -> dict[int, int]:
    return {row["architecture_id"]: row["matches"] for row in catalog.arrow(sql).to_pylist()}


@given(
    cells=st.lists(st.tuples(small_cells("normal"), small_cells("reduce")), min_size=3, max_size=5),
    asked=st.lists(questions(), min_size=3, max_size=8),
    form=st.sampled_from(["canonical", "native"]),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sql_finds_what_trying_all_assignments_finds(
    toy: Store, cells: list[tuple[CellGraph, CellGraph]], asked: list[Question], form: str
) -> None:
    """Both forms, one cell and two, with every condition and with those left out that storage makes needless."""
    number = len(toy.arrow("SELECT name FROM space"))
    pairs = [ArchitectureGraph(f"pairs{number}", pair) for pair in cells]
    singles = [ArchitectureGraph(f"singles{number}", pair[:1]) for pair in cells]
    for graphs, one_cell in ((pairs, False), (singles, True)):
        space = graphs[0].space
        with toy.transaction():
            ids = store(toy, space, graphs)
        shown = [graph.canonical if form == "canonical" else graph for graph in graphs]
        for question in asked:
            expected = {
                identifier: count
                for identifier, graph in zip(ids, shown, strict=True)
                if (count := sum(matches(question, cell) for cell in graph.cells))
            }
            text = question.text()
            assert found(toy, compile_pattern(text, space, form).sql) == expected, text
            lean = Storage((ids[0], ids[-1]), one_cell)
            assert found(toy, compile_pattern(text, space, form, storage=lean).sql) == expected, text
        assert patterns.count(toy, space, text, form) == (len(expected), sum(expected.values())), text


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("(conv3x3)", [1, 1, 0]),
        ("(:conv)", [2, 2, 0]),
        ("(*)", [5, 4, 2]),
        ("(conv3x3)->(conv1x1)", [1, 0, 0]),
        ("(conv3x3)->(maxpool3x3)", [0, 0, 0]),
        ("(conv3x3)->*(maxpool3x3)", [1, 0, 0]),
        ("(input)->*(output)", [1, 1, 0]),
        ("(:conv)->*(output)", [2, 2, 0]),
        ("(a:conv)->(o:output), (b:conv)->(o)", [0, 2, 0]),
        ("(i:input)->(a:conv), (i)->(b:conv)", [0, 2, 0]),
        ("(input)->(:conv), (input)->(:conv)", [0, 0, 0]),
        ("(a:*)->(b:*)", [4, 4, 0]),
        ("(a:*)->*(b:*)", [10, 5, 0]),
        ("(*), (*)", [20, 12, 2]),
        ("(i:input)->(a:conv), (i)->(b:conv), (a)->*(b)", [0, 0, 0]),
        ("(a:*)->(b:*)->(c:*), (a)->*(c)", [3, 2, 0]),
        ("NOT (input)->*(output)", [0, 0, 1]),
        ("NOT (conv3x3)", [0, 0, 1]),
        ("(input)->(a:conv), NOT (a)->(output)", [1, 0, 0]),
        ("(a:conv), NOT (a)->(:conv)", [1, 2, 0]),
        ("(a:conv), NOT (a)->(:conv), NOT (a)->(:pool)", [0, 2, 0]),
        ("(a:conv), (b:conv), NOT (a)->*(b), NOT (b)->*(a)", [0, 2, 0]),
    ],
)
def test_matches_are_counted_once_a_way_to_bind_the_nodes(toy: Store, pattern: str, expected: list[int]) -> None:
    """Counted by hand on a chain of three operators, two convolutions side by side, and a cell with no way through."""
    ids = store_cells(toy, CHAIN, DIAMOND, DEAD)
    found = dict(patterns.match(toy, "toy", pattern).frame().select("architecture_id", "matches").iter_rows())
    assert [found.get(identifier, 0) for identifier in ids] == expected


def test_parallel_edges_are_one_way_to_bind(toy: Store) -> None:
    store_cells(toy, CellGraph.build("cell", ("input", "conv3x3", "output"), [(0, 1, 2), (1, 2, 3)]))
    assert patterns.count(toy, "toy", "(input)->(conv3x3)->(output)") == (1, 1)


def test_all_nodes_of_a_match_lie_in_one_cell(toy: Store) -> None:
    first = CellGraph.build("normal", ("input", "conv3x3", "output"), [(0, 1), (1, 2)])
    second = CellGraph.build("reduce", ("input", "maxpool3x3", "output"), [(0, 1), (1, 2)])
    store(toy, "toy", [ArchitectureGraph("toy", (first, second))])
    assert patterns.count(toy, "toy", "(conv3x3), (maxpool3x3)") == (0, 0)
    assert patterns.count(toy, "toy", "(input)->(*)->(output)") == (1, 2)
    assert patterns.count(toy, "toy", "NOT (conv3x3)") == (1, 1)


def test_a_space_with_one_stored_form_answers_for_both(toy: Store) -> None:
    store_cells(toy, CHAIN)
    toy.execute("DELETE FROM node WHERE form = 'native'")
    toy.execute("DELETE FROM edge WHERE form = 'native'")
    toy.execute("UPDATE node SET form = 'both'")
    toy.execute("UPDATE edge SET form = 'both'")
    for form in patterns.FORMS:
        assert patterns.count(toy, "toy", "(conv3x3)->*(output), NOT (input)->(output)", form) == (1, 1)


def test_spaces_whose_ids_are_mixed_stay_apart(toy: Store) -> None:
    """An architecture that joins a space late has an id behind another space's."""
    store_cells(toy, CHAIN, space="one")
    store_cells(toy, CHAIN, DIAMOND, space="two")
    late = store_cells(toy, DIAMOND, space="three")
    toy.execute(f"UPDATE architecture SET space = 'one' WHERE id = {late[0]}")
    assert patterns.count(toy, "one", "(conv3x3)->(conv1x1)") == (1, 1)
    assert patterns.count(toy, "one", "(conv3x3)") == (2, 2)
    assert patterns.count(toy, "two", "(conv3x3)") == (2, 2)


def test_a_spaces_own_operators_have_a_say(toy: Store) -> None:
    """A hostile name is a name; an own operator is known in its own space alone."""
    hostile = "it's; DROP TABLE node; --"
    own = [Operator(hostile, "mixer", "mixes", "", ""), Operator("gazing", "mixer", "attends", "", "")]
    vocabulary = VOCABULARY.extended(own)
    cell = CellGraph.build(
        "cell", ("input", "gazing", hostile, "output"), [(0, 1), (1, 2), (2, 3)], vocabulary=vocabulary
    )
    store(toy, "own", [ArchitectureGraph("own", (cell,), vocabulary)])
    store_cells(toy, CHAIN, space="toy")
    toy.append("operator", operator_rows("own", own))
    assert patterns.count(toy, "own", f"(gazing)->(`{hostile}`)->*(output)") == (1, 1)
    assert patterns.count(toy, "own", "(a:mixer)->(b:mixer)") == (1, 1)
    assert patterns.count(toy, "own", "(:gazing)") == (1, 1)
    with pytest.raises(PatternError, match="'gazing' is neither an operator nor a variable"):
        patterns.count(toy, "toy", "(gazing)")


def test_match_gives_the_wide_views_identifiers_in_a_fixed_order(toy: Store) -> None:
    ids = store_cells(toy, DIAMOND, CHAIN, DEAD, DIAMOND)
    plain = patterns.match(toy, "toy", "(conv3x3)").frame()
    assert plain.columns == ["architecture_id", "index", "native_id", "matches"]
    assert plain["architecture_id"].to_list() == [ids[0], ids[1], ids[3]]
    ordered = patterns.match(toy, "toy", "(conv3x3)", by="quality").frame()
    assert ordered.columns[-1] == "quality"
    assert ordered["architecture_id"].to_list() == [ids[3], ids[1], ids[0]]
    assert ordered["quality"].to_list() == [ids[3], ids[1], None]
    assert patterns.match(toy, "toy", "(conv3x3)", by="index", limit=1).answer().rows == [
        (ids[3], ids[3], f"graph {ids[3]}", 1)
    ]
    assert patterns.match(toy, "toy", "(maxpool3x3)->(conv3x3)").frame().schema == plain.schema


def test_a_column_of_which_less_is_better_is_ordered_the_other_way(toy: Store) -> None:
    ids = store_cells(toy, CHAIN, CHAIN)
    toy.execute("ALTER TABLE toy RENAME quality TO edgegpu_latency")
    toy.execute("UPDATE toy SET edgegpu_latency = -architecture_id")
    toy.execute("INSERT INTO measure VALUES ('latency', 'ms', -1)")
    toy.execute("INSERT INTO wide_column VALUES ('toy', 'edgegpu_latency', 'latency', NULL)")
    assert (
        patterns.match(toy, "toy", "(conv3x3)", by="edgegpu_latency").frame()["architecture_id"].to_list() == ids[::-1]
    )


def test_a_wrong_question_is_refused_by_name(toy: Store) -> None:
    store_cells(toy, CHAIN)
    with pytest.raises(UnknownSpaceError, match="holds no search space 'tow'; stored are toy"):
        patterns.count(toy, "tow", "(conv3x3)")
    with pytest.raises(UnknownColumnError, match=r"no column 'qualty'\. Did you mean quality"):
        patterns.match(toy, "toy", "(conv3x3)", by="qualty")
    with pytest.raises(UsageError, match="unknown form 'planar'; a graph has the forms canonical and native"):
        patterns.count(toy, "toy", "(conv3x3)", "planar")
    with pytest.raises(UsageError, match="the limit is -1"):
        patterns.match(toy, "toy", "(conv3x3)", limit=-1)


def test_a_canonical_operator_needs_no_search_for_its_way_to_the_output() -> None:
    """The canonical form holds no other nodes; the native form may, and an input has no such promise."""
    assert "RECURSIVE" not in compile_pattern("(conv3x3)->*(output)", "nb101").sql
    assert "RECURSIVE" in compile_pattern("(conv3x3)->*(output)", "nb101", "native").sql
    assert "RECURSIVE" in compile_pattern("(input)->*(output)", "nb101").sql
    assert "RECURSIVE" in compile_pattern("(*)->*(output)", "nb101").sql


def test_the_printed_sql_runs_where_a_user_pastes_it(nb201_path: Path) -> None:
    question = "(a:conv)->*(b:conv), NOT (input)->(b)"
    with Store.open(nb201_path) as catalog:
        expected = patterns.count(catalog, "nb201", question)
        sql = patterns.compiled(catalog, "nb201", question).sql
    answer = run_user_query(nb201_path, sql)
    assert answer.column_names == ["architecture_id", "matches"]
    assert (answer.num_rows, pc.sum(answer["matches"]).as_py()) == expected


def test_nb201_cells_without_a_way_through(nb201: Store) -> None:
    """341 of the 15,625 cells: 5**6 less those whose ``none`` edges cut every path (the design's measured number)."""
    assert patterns.count(nb201, "nb201", "NOT (input)->*(output)") == (341, 341)
    dead = patterns.match(nb201, "nb201", "NOT (input)->*(output)").frame()
    connected = nb201.query("SELECT architecture_id FROM nb201 WHERE is_connected")
    assert dead.join(connected, on="architecture_id").is_empty()


@pytest.mark.parametrize(
    ("pattern", "architectures", "matches"),
    [
        # Each of six edges is one of five operators: 5**5 cells have a given operator on a given edge.
        ("(nor_conv_3x3)", 5**6 - 4**6, 6 * 5**5),
        ("(:conv)", 5**6 - 3**6, 2 * 6 * 5**5),
        ("(*)->(output)", 5**6, 3 * 5**6),  # three edges enter the output
        ("(input)->(avg_pool_3x3)", 5**6 - 5**3 * 4**3, 3 * 5**5),  # three leave the input
        ("NOT (nor_conv_3x3)", 4**6, 4**6),
    ],
)
def test_nb201_native_counts_are_combinatorics(nb201: Store, pattern: str, architectures: int, matches: int) -> None:
    assert patterns.count(nb201, "nb201", pattern, "native") == (architectures, matches)


def test_frames_hold_plain_integers(nb201: Store) -> None:
    frame = patterns.match(nb201, "nb201", "(nor_conv_3x3)->(nor_conv_3x3)", by="params", limit=2).frame()
    assert frame.schema["matches"] == pl.Int64
    assert frame["params"].is_sorted(descending=True)
