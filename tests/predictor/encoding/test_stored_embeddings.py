"""Embeddings in the catalog: encoded once, read afterwards, and never those of another operator of the same name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from catalog.architecture.operators import VOCABULARY, Operator
from catalog.storage.store import Store
from predictor.encoding import embedding, minilm, stored_embeddings
from tests.catalog.cli.commands import call_catalog

GRAPH = {"id": "a", "ops": ["input", "conv3x3", "mixer", "output"], "edges": [[0, 1], [1, 2], [2, 3]]}
MIXER, OWN_CONVOLUTION = "A mixer of all positions, sentence one", "A convolution of our own, sentence two"
OPERATORS = {
    "mixer": {"kind": "attention", "weights": True, "description": MIXER},
    "my_conv": {"kind": "conv", "kernel": 3, "weights": True, "description": OWN_CONVOLUTION},
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    (tmp_path / "ops.json").write_text(json.dumps(OPERATORS))
    (tmp_path / "mine.jsonl").write_text(json.dumps(GRAPH) + "\n" + json.dumps({**GRAPH, "id": "b"}) + "\n")
    path = tmp_path / "catalog.duckdb"
    options = ("--space", "mine", "--operators", str(tmp_path / "ops.json"))
    answer = call_catalog("ingest", "graphs", str(tmp_path / "mine.jsonl"), *options, database=path)
    assert answer.returncode == 0, answer.stderr
    return path


def test_what_is_remembered_is_recalled_without_the_encoder(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(database, mode="write") as catalog:
        assert stored_embeddings.remember(catalog, "mine") == 12  # input, conv3x3, mixer, output, in three styles
        assert stored_embeddings.remember(catalog, "mine") == 0
    stored = embedding.embed([Operator("mixer", "attention", MIXER, "", "")])
    np.testing.assert_allclose(stored, minilm.encode([MIXER]), atol=1e-6)

    def refuse(sentences: list[str]) -> None:
        raise AssertionError(f"the encoder was asked for {sentences}")

    embedding._known.cache_clear()  # as in a new process
    monkeypatch.setattr(minilm, "encode", refuse)
    with Store.open(database) as catalog:
        assert stored_embeddings.recall(catalog, "mine") == 12
    np.testing.assert_array_equal(embedding.embed([Operator("mixer", "attention", MIXER, "", "")]), stored)


def test_a_space_that_redefines_a_built_in_name_keeps_its_own_vector(database: Path) -> None:
    with Store.open(database, mode="write") as catalog:
        catalog.execute("UPDATE operator SET name = 'conv3x3' WHERE name = 'my_conv'")
        stored_embeddings.remember(catalog, "mine")
        rows = catalog.query("SELECT space, vector FROM operator_embedding WHERE operator = 'conv3x3'")
        assert rows["space"].to_list() == ["mine"] * 3
        np.testing.assert_allclose(rows["vector"][0].to_numpy(), minilm.encode([OWN_CONVOLUTION])[0], atol=1e-6)
        built_in = embedding.embed([VOCABULARY["conv3x3"]])
        stored_embeddings.recall(catalog, "mine")
        np.testing.assert_array_equal(embedding.embed([VOCABULARY["conv3x3"]]), built_in)


def test_similar_operators_come_nearest_first(database: Path) -> None:
    answer = call_catalog("operators", "--similar", "sep_conv_3x3", "-f", "json", database=database)
    found = json.loads(answer.stdout)
    cosines = [row["similarity"] for row in found]
    assert cosines == sorted(cosines, reverse=True)
    assert {row["name"] for row in found[:4]} == {"conv3x3", "nor_conv_3x3", "sep_conv_5x5", "dil_conv_3x3"}
    assert "sep_conv_3x3" not in {row["name"] for row in found}


def test_an_own_operator_finds_its_nearest_in_its_space(database: Path) -> None:
    answer = call_catalog("operators", "--similar", "my_conv", "--space", "mine", database=database)
    assert answer.stdout.splitlines()[1].startswith("conv3x3,*,0.")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--similar", "nope"), "unknown operator 'nope'; `catalog operators` lists"),
        (("--similar", "conv3x3", "--style", "haiku"), "unknown sentence style 'haiku'; choose one of short"),
    ],
)
def test_what_cannot_be_compared_is_said(database: Path, arguments: tuple[str, ...], complaint: str) -> None:
    answer = call_catalog("operators", *arguments, database=database)
    assert answer.returncode == 2
    assert complaint in answer.stderr


def test_scoring_stores_the_embeddings_of_the_space(database: Path) -> None:
    assert call_catalog("score", "mine", "--proxy", "tg_nas", database=database).returncode == 0
    with Store.open(database) as catalog:
        names = catalog.query("SELECT operator, style FROM operator_embedding ORDER BY ALL")
    assert names.rows() == [
        (name, style) for name in ("conv3x3", "input", "mixer", "output") for style in ("long", "medium", "short")
    ]
