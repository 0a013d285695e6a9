"""What holds for all graphs with sizes: of their digests, their canonical forms, their repeats."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.computation.sized import SizedNetworks
from catalog.architecture.operators import SIZED_VOCABULARY
from catalog.spaces.own import OwnSpace
from catalog.tables.registration import derived_from_graphs
from tests.catalog.architecture.sized_graphs import IMAGE, graph_of, random_record, relabelled, unrolled

RECORDS = [random_record(str(seed), random.Random(seed), whole=seed % 3 > 0) for seed in range(150)]


def one(*nodes: Any, edges: list[list[int]] | None = None, **more: Any) -> dict[str, Any]:
    whole = ["input", *nodes, "output"]
    chain = [[place, place + 1] for place in range(len(whole) - 1)]
    return {"id": "a", "cells": [{"name": "cell", "ops": whole, "edges": edges or chain}], **more}


def numbers(record: Mapping[str, Any]) -> dict[str, Any]:
    """Every number that the wide view has of a graph."""
    rows, scores = derived_from_graphs(OwnSpace("own"), 0, [graph_of(dict(record))])
    facts = rows.facts.to_pylist()[0]
    counts = {name: facts[name] for name in ("nodes", "edges", "depth", "is_connected")}
    for form in ("operator_counts", "live_operator_counts"):
        counts |= {f"{form} {operator}": number for operator, number in facts[form]}
    return counts | {name: float(np.nan_to_num(values[0], nan=-1)) for name, values in scores.items()}


def test_the_order_of_the_nodes_does_not_matter_with_sizes() -> None:
    for seed, record in enumerate(RECORDS):
        assert graph_of(relabelled(record, random.Random(seed))).digest == graph_of(record).digest


def test_many_sized_graphs_at_once_equal_one_by_one() -> None:
    graphs = [graph_of(record) for record in RECORDS]
    for graph, form in zip(graphs, canonical_graphs(graphs), strict=True):
        assert form == graph.canonical
        assert form.digest_as_is() == graph.digest == form.digest


@pytest.mark.parametrize(
    "other",
    [
        one({"op": "conv", "kernel": 5, "channels": 8}),
        one({"op": "conv", "kernel": 3, "channels": 9}),
        one({"op": "conv", "kernel": 3, "channels": 8, "repeats": 2}),
        one({"op": "conv", "kernel": 3, "channels": 8, "norm": False}),
        one({"op": "conv", "kernel": 3, "channels": 8}, input={"shape": [3, 32, 32]}),
        one({"op": "conv", "kernel": 3, "channels": 8}, input={"shape": [3, 16, 16]}),
        one({"op": "conv", "kernel": 3, "channels": 8}, input=IMAGE, head={"classes": 10}),
        one({"op": "conv", "kernel": 3}),
    ],
)
def test_other_sizes_have_other_digests(other: dict[str, Any]) -> None:
    assert graph_of(other).digest != graph_of(one({"op": "conv", "kernel": 3, "channels": 8})).digest


def test_repeats_are_copies_in_every_number_of_the_view() -> None:
    for record in RECORDS:
        assert numbers(record) == pytest.approx(numbers(unrolled(record))), record


def test_what_is_live_costs_the_same_in_both_forms() -> None:
    networks = SizedNetworks(SIZED_VOCABULARY)
    for record in RECORDS:
        graph = graph_of(record)
        if graph.input is None or not graph.is_connected:
            continue
        native, live = networks.facts(graph), networks.facts(graph.canonical)
        assert live.nodes[0][-1].shape == native.nodes[0][-1].shape
        assert (live.parameters or 0) <= (native.parameters or 0)
        again = networks.facts(graph.canonical.canonical)
        assert again.__dict__ == live.__dict__


def test_poolings_merge_where_their_sizes_are_equal() -> None:
    edges = [[0, 1], [0, 2], [1, 3], [2, 4], [3, 5], [4, 5], [5, 6]]
    conv = {"op": "conv", "kernel": 3}

    def operators(first: dict[str, Any], second: dict[str, Any]) -> Counter[str]:
        record = one(first, second, conv, conv, "sum", edges=edges)
        return Counter(graph_of(record).canonical.cells[0].operators)

    small, large = {"op": "max_pool", "kernel": 3}, {"op": "max_pool", "kernel": 5}
    assert operators(small, small)["max_pool"] == 1
    assert operators(small, {**small, "stride": 1})["max_pool"] == 1
    assert operators(small, large)["max_pool"] == 2
    assert operators(small, {**small, "repeats": 2})["max_pool"] == 2
    assert operators(small, {**small, "op": "avg_pool"})["max_pool"] == 1
    assert operators(small, {**small, "norm": True})["max_pool"] == 2


@pytest.mark.parametrize(
    "node",
    [
        {"op": "skip_connect", "repeats": 3},
        {"op": "skip_connect", "params": 0, "macs": 0},
        {"op": "sum", "channels": 8},
        {"op": "sum", "repeats": 2},
        {"op": "concat", "params": 0},
    ],
)
def test_a_size_that_changes_nothing_leaves_an_identity(node: dict[str, Any]) -> None:
    conv = {"op": "conv", "kernel": 3, "channels": 8}
    assert graph_of(one(conv, node, conv)).digest == graph_of(one(conv, conv)).digest


def test_a_skip_with_a_size_is_no_identity() -> None:
    made = graph_of(one({"op": "skip_connect", "channels": 8})).canonical.cells[0]
    assert made.operators == ("input", "skip_connect", "output")


def test_a_whole_network_has_the_strides_that_its_nodes_say() -> None:
    """A cell may be called ``reduce``: in a cell space its name means a stride, in a whole network it is a name."""
    cell = {"name": "reduce_1", "ops": ["input", "skip_connect", "output"], "edges": [[0, 1], [1, 2]]}
    whole = graph_of({"id": "a", "cells": [cell], "input": IMAGE})
    assert whole.canonical.cells[0].operators == ("input", "output")
    assert SizedNetworks(SIZED_VOCABULARY).facts(whole.canonical).nodes[0][-1].shape == (1, 3, 16, 16)
