"""Patterns that ask for sizes: what SQL finds is what looking at every node finds."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import networkx
import pytest

from catalog.architecture.computation.sized import SizedNetworks
from catalog.architecture.graph import ArchitectureGraph
from catalog.asking import patterns
from catalog.asking.pattern_language import FACTS, parse
from catalog.errors import PatternError
from catalog.storage.store import Store
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.formats.operator_file import read_operators
from ingest.reading.job import ingest
from tests.catalog.architecture.sized_graphs import graph_of, random_record

RECORDS = [random_record(f"g{seed}", random.Random(seed), whole=seed % 4 > 0) for seed in range(60)]
Facts = dict[str, Any]
Count = Callable[[list[Facts], networkx.DiGraph], int]


@pytest.fixture(scope="module")
def sized(empty_catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("patterns")
    path = Path(shutil.copy(empty_catalog, folder / "catalog.duckdb"))
    (folder / "mine.jsonl").write_text("\n".join(map(json.dumps, RECORDS)))
    with Store.open(path, mode="write") as store:
        ingest(store, GraphsJSONL("mine"), folder / "mine.jsonl")
        yield store


def nodes_of(graph: ArchitectureGraph) -> list[Facts]:
    """What is known of each node of a graph of one cell."""
    (cell,) = graph.cells
    known = None if graph.input is None else SizedNetworks(graph.vocabulary).facts(graph).nodes[0]
    found: list[Facts] = []
    for node, name in enumerate(cell.operators):
        said = graph.vocabulary[name].sized(cell.size(node))
        facts: Facts = {fact: getattr(said, fact) for fact in FACTS if hasattr(said, fact)}
        facts |= {"params": None, "macs": None, "kind": graph.vocabulary[name].kind, "op": name}
        if node == cell.node_count - 1 and cell.repeats > 1:
            facts["repeats"] = cell.repeats
        if known is not None:
            facts |= {"params": known[node].parameters, "macs": known[node].multiply_accumulates}
            shape = known[node].shape
            if shape is not None:
                facts |= {"channels": shape[1], "height": shape[2], "width": shape[3]}
        found.append(facts)
    return found


def least(facts: Facts, fact: str, number: float) -> bool:
    return facts.get(fact) is not None and facts[fact] >= number


def pairs(nodes: list[Facts], flow: networkx.DiGraph) -> Iterator[tuple[Facts, Facts, bool, bool]]:
    for first in flow:
        for second in flow:
            if first != second:
                edge, path = flow.has_edge(first, second), networkx.has_path(flow, first, second)
                yield nodes[first], nodes[second], edge, path


def followers(nodes: list[Facts], flow: networkx.DiGraph) -> Iterator[tuple[Facts, list[Facts]]]:
    for node in flow:
        yield nodes[node], [nodes[target] for target in flow.successors(node)]


ASKED: dict[str, Count] = {
    "(:conv WHERE channels >= 8)": lambda n, _: sum(a["kind"] == "conv" and least(a, "channels", 8) for a in n),
    "(* WHERE kernel <> 3)": lambda n, _: sum(a["kernel"] not in (None, 3) for a in n),
    "(conv WHERE kernel = 3 AND channels < 8)": lambda n, _: sum(
        a["op"] == "conv" and a["kernel"] == 3 and a["channels"] is not None and a["channels"] < 8 for a in n
    ),
    "(* WHERE repeats >= 2)": lambda n, _: sum(least(a, "repeats", 2) for a in n),
    "(* WHERE params >= 100)": lambda n, _: sum(least(a, "params", 100) for a in n),
    "(:linear WHERE mlp_ratio = 0.5)": lambda n, _: sum(a["op"] == "mlp" and a["mlp_ratio"] == 0.5 for a in n),
    "(* WHERE height >= 16 AND macs > 0)": lambda n, _: sum(least(a, "height", 16) and least(a, "macs", 1) for a in n),
    "(conv WHERE kernel = 1)->(*)": lambda n, g: sum(
        edge and a["op"] == "conv" and a["kernel"] == 1 for a, _, edge, _ in pairs(n, g)
    ),
    "(input)->*(* WHERE channels >= 8)": lambda n, g: sum(
        path and a["op"] == "input" and least(b, "channels", 8) for a, b, _, path in pairs(n, g)
    ),
    "NOT (* WHERE channels >= 8)": lambda n, _: int(not any(least(a, "channels", 8) for a in n)),
    "(a:conv), NOT (a WHERE channels >= 8)": lambda n, _: sum(
        a["kind"] == "conv" and not least(a, "channels", 8) for a in n
    ),
    "(a:conv), NOT (a WHERE kernel = 1)->(:merge)": lambda n, g: sum(
        a["kind"] == "conv" and not (a["kernel"] == 1 and any(b["kind"] == "merge" for b in after))
        for a, after in followers(n, g)
    ),
    "(a:conv WHERE kernel = 1)->(b:*), (b WHERE channels >= 4)": lambda n, g: sum(
        edge and a["kind"] == "conv" and a["kernel"] == 1 and least(b, "channels", 4) for a, b, edge, _ in pairs(n, g)
    ),
}


@pytest.mark.parametrize("form", ["native", "canonical"])
@pytest.mark.parametrize("pattern", ASKED)
def test_sql_finds_what_looking_at_every_node_finds(sized: Store, pattern: str, form: str) -> None:
    expected = []
    for record in RECORDS:
        graph = graph_of(record)
        graph = graph.canonical if form == "canonical" else graph
        flow = networkx.DiGraph()
        flow.add_nodes_from(range(graph.cells[0].node_count))
        flow.add_edges_from((source, target) for source, target, _ in graph.cells[0].edges)
        expected.append(ASKED[pattern](nodes_of(graph), flow))
    found = patterns.match(sized, "mine", pattern, form=form).answer().rows
    assert {row[-1] for row in found} == set(expected) - {0}
    assert patterns.count(sized, "mine", pattern, form) == (sum(map(bool, expected)), sum(expected))


def test_a_space_without_sizes_answers_with_its_operators_facts(nb201: Store) -> None:
    large = patterns.count(nb201, "nb201", "(:conv WHERE kernel >= 3)")
    assert large == patterns.count(nb201, "nb201", "(nor_conv_3x3)")
    assert patterns.count(nb201, "nb201", "(* WHERE kernel = 3)") == patterns.count(
        nb201, "nb201", "(* WHERE kernel > 1)"
    )
    assert patterns.count(nb201, "nb201", "(* WHERE channels >= 1)") == (0, 0)
    native = patterns.count(nb201, "nb201", "(a:conv), NOT (a WHERE kernel = 3)", "native")
    assert native == patterns.count(nb201, "nb201", "(nor_conv_1x1)", "native")


def test_every_fact_of_an_operator_answers_for_its_nodes(catalog_path: Path, tmp_path: Path) -> None:
    facts = {"kind": "conv", "kernel": [3, 5], "stride": 2, "groups": 4, "repeats": 2, "channels": 1.5}
    (tmp_path / "ops.json").write_text(json.dumps({"big": {**facts, "description": "Big"}}))
    plain = {"id": "a", "ops": ["input", "big", "output"], "edges": [[0, 1], [1, 2]]}
    sized = {**plain, "id": "b", "ops": ["input", {"op": "big", "groups": 2, "repeats": 3}, "output"]}
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, (plain, sized))))
    with Store.open(catalog_path, mode="write") as store:
        ingest(store, GraphsJSONL("mine", read_operators(tmp_path / "ops.json")), tmp_path / "mine.jsonl")
        for test in ("kernel = 5", "stride = 2", "channels > 1"):
            assert patterns.count(store, "mine", f"(big WHERE {test})") == (2, 2), test
        for test in ("groups = 4", "groups = 2", "repeats = 2", "repeats = 6"):
            assert patterns.count(store, "mine", f"(big WHERE {test})") == (1, 1), test


@pytest.mark.parametrize(
    ("pattern", "place", "words"),
    [
        ("(conv3x3 WHERE)", 15, "Expected one of channels, kernel"),
        ("(conv3x3 WHERE size = 3)", 16, "'size' cannot stand here"),
        ("(conv3x3 WHERE kernel 3)", 23, "Expected one of = <> < <= > >="),
        ("(conv3x3 WHERE kernel = big)", 25, "Expected a number"),
        ("(conv3x3 WHERE kernel = -1)", 25, "'-' is no part"),
        ("(conv3x3 WHERE kernel = 1 AND)", 30, "Expected one of channels"),
        ("(conv3x3 WHERE kernel = 1 OR kernel = 3)", 27, "'OR' cannot stand here"),
        ("(WHERE kernel = 3)", 8, "cannot stand here"),
        ("(conv3x3 WHERE kernel == 3)", 24, "'=' cannot stand here"),
    ],
)
def test_errors_point_at_the_place(pattern: str, place: int, words: str) -> None:
    with pytest.raises(PatternError, match=rf"character {place}: ") as caught:
        parse(pattern)
    assert words in str(caught.value)
