"""What is near an architecture: by edits of its graph, by places where no rule varies it, and by vectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY
from catalog.architecture.sizes import Size
from catalog.report.similar_architectures import differences, nearest_by_edits, nearest_by_embedding
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables.stored_graphs import read_graphs
from tests.catalog.cli.commands import call_catalog

NB201 = space_named("nb201")


def edits(first: str, second: str) -> int:
    """Places at which two NAS-Bench-201 strings have different operators."""
    pairs = zip(first.split("|"), second.split("|"), strict=True)
    return sum(a != b for a, b in pairs)


def test_one_edit_away_is_what_differs_in_one_operator(nb201: Store) -> None:
    graph = NB201.graph(6111)
    found = nearest_by_edits(nb201, "nb201", graph, 6112, most=24)
    assert found.measure == "edits as the space defines them: 24 stored architectures are one edit away"
    own = NB201.native_id(graph)
    assert {edits(own, member.native_id) for member in found.members} == {1}
    assert [member.architecture_id for member in found.members] == sorted({m.architecture_id for m in found.members})
    assert len(found.members) == 24
    assert found.is_whole


def test_two_edits_are_taken_where_one_is_not_enough(nb201: Store) -> None:
    found = nearest_by_edits(nb201, "nb201", NB201.graph(6111), 6112, most=100)
    assert "24 stored architectures are one edit away, 240 two edits" in found.measure
    own = NB201.native_id(NB201.graph(6111))
    assert [edits(own, member.native_id) for member in found.members] == [1] * 24 + [2] * 76
    assert all(edits(own, member.native_id) == member.distance for member in found.members)


@pytest.fixture
def own_space(tmp_path: Path) -> Path:
    """Chains of two operators; `far` is larger than the others."""
    chains = {
        "a": ["conv3x3", "conv1x1"], "b": ["conv3x3", "conv3x3"], "c": ["maxpool3x3", "conv3x3"],
        "far": ["conv3x3", "conv1x1", "conv1x1"],
    }  # fmt: skip
    rows = [
        {"id": name, "ops": ["input", *ops, "output"], "edges": [[n, n + 1] for n in range(len(ops) + 1)]}
        for name, ops in chains.items()
    ]
    rows.append({**rows[0], "id": "skipping", "edges": [*rows[0]["edges"], [0, 2]]})
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, rows)))
    database = tmp_path / "catalog.duckdb"
    answer = call_catalog("ingest", "graphs", str(tmp_path / "mine.jsonl"), "--space", "mine", database=database)
    assert answer.returncode == 0, answer.stderr
    return database


def test_without_a_rule_graphs_of_one_size_are_compared_place_by_place(own_space: Path) -> None:
    with Store.open(own_space) as catalog:
        graph = read_graphs(catalog, "mine", [1], "native")[0]
        found = nearest_by_edits(catalog, "mine", graph, 1)
    assert [(member.native_id, member.distance) for member in found.members] == [("b", 1), ("skipping", 1), ("c", 2)]
    assert "at the most" in found.measure


def test_differences_count_operators_of_another_size() -> None:
    names, edges = ("input", "conv", "conv", "output"), [(0, 1), (1, 2), (2, 3)]
    small, large = Size(channels=8, kernel=3), Size(channels=16, kernel=3)
    drawn = [(small, small), (small, large), (large, None)]
    cells = [
        CellGraph.build("cell", names, edges, vocabulary=SIZED_VOCABULARY, sizes=[None, *sizes, None])
        for sizes in drawn
    ]
    assert differences(CellArrays.of(cells), 0).tolist() == [0, 1, 2]


def test_differences_count_operators_and_edges() -> None:
    operators = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0]], dtype=np.int16)
    chain = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    adjacency = np.array([chain, [[0, 2, 1], [0, 0, 1], [0, 0, 0]], [[0, 1, 0]] * 3], dtype=np.uint16)
    cells = CellArrays("cell", ("x", "y"), operators, adjacency)
    assert differences(cells, 0).tolist() == [0, 1 + 2, 3 + 3]


def test_the_nearest_vectors_come_first_and_twins_count_once(nb201: Store) -> None:
    facts = nb201.arrow("SELECT id, canonical_id FROM architecture ORDER BY id")
    ids = facts["id"].to_numpy()
    vectors = (
        np.random.default_rng(0).normal(size=(len(ids), 8)).astype(np.float32)[facts["canonical_id"].to_numpy() - 1]
    )
    found = nearest_by_embedding(nb201, (ids, vectors), 6112, most=5)
    centred = vectors - vectors.mean(axis=0)
    cosine = centred @ centred[6111] / np.linalg.norm(centred, axis=1) / np.linalg.norm(centred[6111])
    function = facts["canonical_id"].to_numpy()
    best: dict[int, float] = {}
    for row in np.argsort(-cosine, kind="stable"):
        if function[row] != function[6111]:
            best.setdefault(int(function[row]), float(1 - cosine[row]))
    assert [member.distance for member in found.members] == pytest.approx(list(best.values())[:5], abs=1e-5)
    assert [int(function[member.architecture_id - 1]) for member in found.members] == list(best)[:5]


def test_a_space_of_equal_vectors_has_no_nearest(nb201: Store) -> None:
    ids = nb201.arrow("SELECT id FROM architecture ORDER BY id")["id"].to_numpy()
    found = nearest_by_embedding(nb201, (ids, np.ones((len(ids), 2), dtype=np.float32)), 6112)
    assert found.members == ()
