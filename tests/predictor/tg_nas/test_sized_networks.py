"""TG-NAS sees sizes: channels, repeats, and the same ones whichever way the graphs are read."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.architecture.graph import ArchitectureGraph
from catalog.storage.store import Store
from catalog.tables.stored_graphs import read_cells, read_graphs, read_vocabulary
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.reading.job import ingest
from predictor.door.given import Graphs
from predictor.encoding.padded_graphs import CellBatch, from_graphs
from predictor.tg_nas.ensemble import Scorer, cell_batches
from tests.catalog.architecture.sized_graphs import IMAGE, graph_of, random_record

pytest.importorskip("torch")

RECORDS = [random_record(f"g{seed}", random.Random(seed), whole=seed % 3 > 0) for seed in range(24)]


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load()


def chain(channels: int, *, whole: bool, repeats: int = 1) -> ArchitectureGraph:
    node = {"op": "conv", "kernel": 3, "channels": channels}
    cell = {"name": "cell", "ops": ["input", node, "output"], "edges": [[0, 1], [1, 2]], "repeats": repeats}
    record: dict[str, Any] = {"id": "a", "cells": [cell]}
    return graph_of(record | ({"input": IMAGE} if whole else {}), "mine")


@pytest.mark.parametrize("whole", [True, False])
def test_networks_that_differ_in_channels_alone_have_different_scores(scorer: Scorer, whole: bool) -> None:
    scores = scorer.score([chain(16, whole=whole).canonical, chain(256, whole=whole).canonical]).mean
    assert scores[0] != scores[1]


def in_order(batches: list[CellBatch], count: int) -> list[list[tuple[Any, ...]]]:
    """What each architecture's cells are, whatever batch they lie in."""
    found: list[list[tuple[Any, ...]]] = [[] for _ in range(count)]
    for batch in batches:
        for row, owner in enumerate(batch.owner.tolist()):
            names = tuple(batch.names[place] for place in batch.operators[row] if place >= 0)
            edges = batch.adjacency[row, : len(names), : len(names)].tolist()
            found[owner].append((names, edges, float(batch.weight[row])))
    return found


def test_cells_as_arrays_and_as_graphs_are_the_same_to_it(scorer: Scorer, catalog_path: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(map(json.dumps, RECORDS)))
    with Store.open(catalog_path, mode="write") as store:
        ingest(store, GraphsJSONL("mine"), file)
        ids, placed = read_cells(store, "mine", "canonical")
        graphs = read_graphs(store, "mine", ids.tolist(), "canonical")
        vocabulary = read_vocabulary(store, "mine")
    read = cell_batches("mine", placed)
    expected = in_order(from_graphs(graphs), len(graphs))
    assert in_order(read, len(graphs)) == expected
    assert in_order(cell_batches("mine", Graphs.of(graphs).cells), len(graphs)) == expected
    np.testing.assert_allclose(
        scorer.score_batches(read, len(graphs), vocabulary).mean, scorer.score(graphs).mean, rtol=1e-4
    )
