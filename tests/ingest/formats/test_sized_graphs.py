"""Sizes in the lines of a user's own graphs: what is read, and what is refused with its place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.sizes import NetworkInput, Size
from catalog.errors import IngestError
from ingest.formats.graphs_jsonl import GraphsJSONL

IMAGE = {"shape": [3, 32, 32]}
CONV = {"op": "conv", "kernel": 3, "channels": 8}
EXAMPLE = (
    '{"id": "r8", "input": {"shape": [3, 32, 32]}, "head": {"classes": 10}, "ops": ["input", '
    '{"op": "conv", "kernel": 3, "channels": 16}, {"op": "conv", "kernel": 3, "channels": 32, "stride": 2}, '
    '{"op": "conv", "kernel": 3, "channels": 32, "activation": false}, '
    '{"op": "skip_connect", "channels": 32, "stride": 2}, "sum", {"op": "activation"}, "output"], '
    '"edges": [[0, 1], [1, 2], [2, 3], [1, 4], [3, 5], [4, 5], [5, 6], [6, 7]]}'
)
"""That of the documentation, word for word."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own.jsonl"


def record(*nodes: Any, **more: Any) -> dict[str, Any]:
    ops = ["input", *nodes, "output"]
    return {"id": "a", "ops": ops, "edges": [[place, place + 1] for place in range(len(ops) - 1)], **more}


def read(path: Path, *records: Any) -> list[ArchitectureGraph]:
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in records))
    return [graph for batch in GraphsJSONL("mine").read(path) for graph in batch.members.graphs or []]


def refused(path: Path, *records: Any) -> str:
    with pytest.raises(IngestError) as caught:
        read(path, *records)
    return str(caught.value)


def test_the_documented_example(path: Path) -> None:
    assert EXAMPLE in (Path(__file__).resolve().parents[3] / "docs" / "formats.md").read_text()
    (graph,) = read(path, EXAMPLE)
    assert (graph.input, graph.classes) == (NetworkInput(shape=(3, 32, 32)), 10)
    assert graph.cells[0].size(2) == Size(channels=32, kernel=3, stride=2)
    assert graph.cells[0].size(5) is None
    batch = next(iter(GraphsJSONL("mine").read(path)))
    (network,) = batch.members.networks or []
    assert network is not None
    # 3*16*9+32, 16*32*9+64, 32*32*9+64, 16*32+64, 330
    assert network.parameters == 464 + 4672 + 9280 + 576 + 330


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"op": "conv", "channels": 0}, "channels is 0; a positive number is needed"),
        ({"op": "conv", "channels": -3}, "channels is -3; a positive number"),
        ({"op": "conv", "channels": "64"}, "channels is '64'; a positive number"),
        ({"op": "conv", "channels": True}, "channels is True; a positive number"),
        ({"op": "conv", "channels": [1]}, r"channels is \[1\]; a positive number"),
        ({"op": "conv", "channels": 2**31}, "channels is 2147483648; a positive number"),
        ({"op": "conv", "kernel": 0}, "kernel is 0; a whole number from 1 on, or two of them, height and width"),
        ({"op": "conv", "kernel": 3.0}, "kernel is 3.0; a whole number"),
        ({"op": "conv", "kernel": [3]}, r"kernel is \[3\]; a whole number"),
        ({"op": "conv", "kernel": [3, 3, 3]}, r"kernel is \[3, 3, 3\]; a whole number"),
        ({"op": "conv", "kernel": [3, 2**31]}, r"kernel is \[3, 2147483648\]; a whole number"),
        ({"op": "conv", "stride": 0}, "stride is 0; a whole number from 1 on"),
        ({"op": "conv", "padding": -1}, "padding is -1; a whole number from 0 on"),
        ({"op": "conv", "dilation": 0}, "dilation is 0; a whole number from 1 on"),
        ({"op": "conv", "dilation": [2, 2]}, r"dilation is \[2, 2\]; a whole number"),
        ({"op": "conv", "groups": 0}, "groups is 0; a whole number"),
        ({"op": "conv", "expansion": 0}, "expansion is 0; a positive number"),
        ({"op": "conv", "squeeze": 0}, "squeeze is 0; a positive number"),
        ({"op": "attention", "heads": 0}, "heads is 0; a whole number"),
        ({"op": "mlp", "mlp_ratio": 0}, "mlp_ratio is 0; a positive number"),
        ({"op": "conv", "repeats": 0}, "repeats is 0; a whole number"),
        ({"op": "conv", "repeats": 1.5}, "repeats is 1.5; a whole number"),
        ({"op": "conv", "params": -1}, "params is -1; a whole number from 0 on"),
        ({"op": "conv", "params": 1.5}, "params is 1.5; a whole number"),
        ({"op": "conv", "macs": 2**61}, "macs is 2305843009213693952; a whole number"),
        ({"op": "conv", "norm": 1}, "norm is 1; true, false or a word is needed"),
        ({"op": "conv", "norm": "no word"}, "norm is 'no word'; true, false or a word"),
        ({"op": "conv", "activation": ""}, "activation is ''; true, false or a word"),
        ({"op": "conv", "bias": "yes"}, "bias is 'yes'; true, false is needed"),
        ({"op": "conv", "chanels": 3}, "unknown field 'chanels' of a node; known are op, channels, kernel"),
    ],
)
def test_a_wrong_field_is_named_with_its_node(path: Path, node: dict[str, Any], words: str) -> None:
    """In every graph, whether a whole network or a cell."""
    for more in ({}, {"input": IMAGE}):
        told = refused(path, record("sum"), record("sum", node, **more) | {"id": "b"})
        place = rf"own\.jsonl line 2, id 'b': ops of cell 'cell' has node 2 \('{node['op']}'\): "
        assert re.search(place + words, told), told
        assert told.endswith("Nothing was stored.")


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (7, "has as node 1 7; the name of an operator, or an object with op"),
        (None, "has as node 1 None; the name of an operator"),
        ({"channels": 3}, "has as node 1 .*; the name of an operator, or an object with op"),
        ({"op": 3}, "has as node 1 .*; the name of an operator"),
    ],
)
def test_a_node_is_a_name_or_an_object_with_one(path: Path, node: Any, words: str) -> None:
    assert re.search(words, refused(path, record(node)))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"head": {"classes": 10}}, "it has a head and no input"),
        ({"input": IMAGE, "head": 10}, 'head is 10; {"classes": 10}'),
        ({"input": IMAGE, "head": {"classes": 0}}, "head is {'classes': 0}"),
        ({"input": IMAGE, "head": {"classes": 1.0}}, "head is {'classes': 1.0}"),
        ({"input": IMAGE, "head": {}}, "head is {}"),
        ({"input": {"shape": [3, 32]}}, "shape of the input is [3, 32]; channels, height and width are needed"),
        ({"input": {"shape": [3, 32, 0]}}, "shape of the input is [3, 32, 0]"),
        ({"input": {"shape": [3, 32, 32.0]}}, "shape of the input is [3, 32, 32.0]"),
        ({"input": [3, 32, 32]}, "input is [3, 32, 32];"),
        ({"input": {"tokens": 8}}, "input is {'tokens': 8};"),
        ({"input": {"tokens": 8, "channels": 0}}, "channels of the input is 0; a whole number from 1 on"),
        ({"input": {"tokens": 8, "channels": 4, "vocabulary": -1}}, "vocabulary of the input is -1"),
        ({"input": {**IMAGE, "tokens": 8}}, "input is {'shape': [3, 32, 32], 'tokens': 8};"),
        ({"repeats": 2}, "unknown field 'repeats'; known are id, cells, ops, edges, input, head"),
        ({"inputs": IMAGE}, "unknown field 'inputs'; known are id, cells, ops, edges, input, head"),
    ],
)
def test_wrong_ends_are_refused(path: Path, more: dict[str, Any], words: str) -> None:
    told = refused(path, record("sum", **more))
    assert "own.jsonl line 1" in told
    assert words in told
    assert told.endswith("Nothing was stored.")


def test_what_is_null_is_not_said(path: Path) -> None:
    nothing = dict.fromkeys(("channels", "kernel", "stride", "repeats", "norm"))
    (graph,) = read(path, record({"op": "sum", **nothing}, input=None, head=None))
    assert (graph.cells[0].sizes, graph.input, graph.classes) == ((), None, None)


def test_ones_are_not_said(path: Path) -> None:
    (said,) = read(path, record({**CONV, "stride": [1, 1], "dilation": 1, "groups": 1, "repeats": 1, "kernel": [3, 3]}))
    (short,) = read(path, record(CONV))
    assert said.cells == short.cells


@pytest.mark.parametrize("end", ["input", "output"])
def test_ends_have_no_size(path: Path, end: str) -> None:
    """What is stored at an output is its cell's: a size there would be read back as another thing."""
    for size in ({"repeats": 3}, {"channels": 8}):
        told = refused(path, record(CONV) | {"ops": ["input", CONV, "output"]} | ends(end, size))
        assert f"cell 'cell', node {0 if end == 'input' else 2} ({end}): it has a size" in told
    (graph,) = read(path, record(CONV) | ends(end, {}))
    assert graph.cells[0].size(0 if end == "input" else 2) is None


def ends(end: str, size: dict[str, Any]) -> dict[str, Any]:
    whole: list[Any] = ["input", CONV, "output"]
    whole[0 if end == "input" else 2] = {"op": end, **size}
    return {"ops": whole}


def test_an_impossible_size_is_told_by_the_number_that_its_node_has_in_the_file(path: Path) -> None:
    nodes = ["output", {**CONV, "groups": 5}, "input"]
    told = refused(path, {"id": "a", "ops": nodes, "edges": [[2, 1], [1, 0]], "input": IMAGE})
    assert "own.jsonl line 1: the graph of 'a' cannot be kept: cell 'cell', node 1 (conv): groups is 5" in told
    nodes = ["output", CONV, {**CONV, "groups": 3}, "input"]
    cells = [{"name": "c", "ops": nodes, "edges": [[3, 1], [1, 2], [2, 0]]}]
    assert "cell 'c', node 2 (conv): groups is 3" in refused(path, {"id": "a", "cells": cells, "input": IMAGE})


def test_cells_follow_one_another_as_often_as_they_repeat(path: Path) -> None:
    stage = {"ops": ["input", {**CONV, "stride": 2}, "output"], "edges": [[0, 1], [1, 2]]}
    whole = {"id": "a", "input": IMAGE, "cells": [{"name": "stem", **stage}, {"name": "body", "repeats": 3, **stage}]}
    (graph,) = read(path, whole)
    assert [cell.repeats for cell in graph.cells] == [1, 3]
    batch = next(iter(GraphsJSONL("mine").read(path)))
    (network,) = batch.members.networks or []
    assert network is not None
    assert network.nodes[1][-1].shape == (1, 8, 2, 2)
    assert network.parameters == 216 + 16 + 3 * (576 + 16)


@pytest.mark.parametrize("repeats", [0, -1, 1.0, "2", True, None, 10_001])
def test_a_cell_repeats_a_whole_number_of_times(path: Path, repeats: Any) -> None:
    cell = {"name": "c", "ops": ["input", CONV, "output"], "edges": [[0, 1], [1, 2]], "repeats": repeats}
    told = refused(path, {"id": "a", "cells": [cell]})
    assert f"cell 'c' has repeats {repeats!r}; 1 to 10000 are possible" in told


def test_more_applications_than_can_be_counted_are_refused(path: Path) -> None:
    """In cells of a space too, whose numbers would not fit the tables."""
    cell = {"name": "c", "ops": ["input", {**CONV, "repeats": 10**6}, "output"], "edges": [[0, 1], [1, 2]]}
    told = refused(path, {"id": "a", "cells": [{**cell, "repeats": 10_000}]})
    assert "it applies 10,000,020,000 operators, repeats counted; 100,000 is the most" in told
