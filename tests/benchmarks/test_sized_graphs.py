"""The networks of the benchmark of sized graphs are networks, and as many as were asked for."""

from __future__ import annotations

from pathlib import Path

from benchmarks.sized_graphs import INNER, lines
from ingest.formats.graphs_jsonl import GraphsJSONL


def test_lines_are_whole_networks_of_nine_nodes_whose_shapes_meet(tmp_path: Path) -> None:
    path = tmp_path / "sized.jsonl"
    path.write_text("".join(lines(50, seed=1)))
    (batch,) = GraphsJSONL("sized").read(path)
    assert [graph.cells[0].node_count for graph in batch.members.graphs or ()] == [INNER + 2] * 50
    assert all(facts is not None and facts.multiply_accumulates for facts in batch.members.networks or ())


def test_a_seed_gives_the_same_lines_again() -> None:
    assert list(lines(3, seed=2)) == list(lines(3, seed=2)) != list(lines(3, seed=3))
