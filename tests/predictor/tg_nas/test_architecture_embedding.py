"""Vectors of architectures: equal for one function, weighted over cells, and what the read-out is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from catalog.architecture.operators import VOCABULARY
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables.enumeration import enumerate_space
from catalog.tables.stored_graphs import read_graphs, read_vocabulary
from predictor.encoding.padded_graphs import from_graphs
from predictor.tg_nas.architecture_embedding import embed_cells, embed_space
from predictor.tg_nas.ensemble import Scorer, member_outputs


@pytest.fixture(scope="module")
def enumerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("embedded") / "catalog.duckdb"
    with Store.open(path, mode="write", create=True) as catalog:
        enumerate_space(catalog, space_named("nb201"))
    return path


def test_one_function_has_one_vector_and_the_head_reads_it(enumerated: Path) -> None:
    with Store.open(enumerated) as catalog:
        ids, vectors = embed_space(catalog, "nb201")
        functions = catalog.arrow("SELECT id, canonical_id FROM architecture ORDER BY id")["canonical_id"].to_numpy()
        graphs = read_graphs(catalog, "nb201", ids[:50].tolist(), "canonical")
        vocabulary = read_vocabulary(catalog, "nb201")
    assert ids.tolist() == list(range(1, 15626))
    np.testing.assert_allclose(vectors, vectors[functions - 1], atol=1e-4)
    network = Scorer.load().members[0]
    with torch.inference_mode():
        outputs = network.head(torch.from_numpy(vectors[:50])).squeeze(-1).numpy()
    expected = member_outputs([network], from_graphs(graphs), 50, vocabulary)[0]
    np.testing.assert_allclose(outputs, expected, atol=1e-3)


def test_cells_of_an_architecture_are_averaged_by_weight() -> None:
    graph = space_named("darts").sample(1, seed=0)[0].canonical
    network = Scorer.load().members[0]
    whole = embed_cells(network, from_graphs([graph]), 1, VOCABULARY)
    batches = from_graphs([graph])
    parts = [
        (embed_cells(network, [batch.rows(np.array([row]))], 1, VOCABULARY), batch.weight[row])
        for batch in batches
        for row in range(len(batch))
    ]
    assert len(parts) == 2
    mean = sum(vector * weight for vector, weight in parts) / sum(weight for _, weight in parts)
    np.testing.assert_allclose(whole, mean, rtol=1e-4)
