"""Embeddings in the catalog: encoded once, read afterwards, and never those of another encoder or sentence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import catalog
from catalog.architecture.operators import VOCABULARY, Operator
from catalog.storage import migration
from catalog.storage.store import Store
from catalog.tables import views
from predictor.encoding import embedding, stored_embeddings
from predictor.encoding.encoder import DEFAULT, Encoder
from tests.catalog.cli.commands import call_catalog
from tests.catalog.processes import run_python
from tests.predictor.encoding.small_bert import WIDTH

GRAPH = {"id": "a", "ops": ["input", "conv3x3", "mixer", "output"], "edges": [[0, 1], [1, 2], [2, 3]]}
MIXER, OWN_CONVOLUTION = "A mixer of all positions, sentence one", "A convolution of our own, sentence two"
OPERATORS = {
    "mixer": {"kind": "attention", "weights": True, "description": MIXER},
    "my_conv": {"kind": "conv", "kernel": 3, "weights": True, "description": OWN_CONVOLUTION},
}
LONG = {name: {**facts, "long": f"{'A mixer. ' * 90}{name}"} for name, facts in OPERATORS.items()}


def ingested(folder: Path, operators: object) -> Path:
    (folder / "ops.json").write_text(json.dumps(operators))
    (folder / "mine.jsonl").write_text(json.dumps(GRAPH) + "\n" + json.dumps({**GRAPH, "id": "b"}) + "\n")
    path = folder / "catalog.duckdb"
    options = ("--space", "mine", "--operators", str(folder / "ops.json"))
    answer = call_catalog("ingest", "graphs", str(folder / "mine.jsonl"), *options, database=path)
    assert answer.returncode == 0, answer.stderr
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return ingested(tmp_path, OPERATORS)


@pytest.fixture(autouse=True)
def in_a_new_process() -> None:
    forget()


def forget() -> None:
    """Know what a new process knows."""
    embedding._known.cache_clear()
    embedding._made.cache_clear()


def refuse(self: Encoder, sentences: Sequence[str]) -> None:
    raise AssertionError(f"{self} was asked for {sentences}")


def mixer() -> list[Operator]:
    return [Operator("mixer", "attention", MIXER, "", "")]


def stored(path: Path) -> list[tuple[str, str, str]]:
    with Store.open(path) as store:
        rows = store.rows("SELECT encoder, style, sentence FROM operator_embedding ORDER BY ALL")
    return [(str(encoder), str(style), str(sentence)) for encoder, style, sentence in rows]


def test_what_is_remembered_is_recalled_without_the_encoder(
    database: Path, small_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Encoder.named(small_bert)
    vectors = [embedding.embed(mixer(), "short", encoder) for encoder in (DEFAULT, small)]
    with Store.open(database, mode="write") as store:
        assert stored_embeddings.remember(store, "mine") == 15  # four operators in three styles, one of them twice
        assert stored_embeddings.remember(store, "mine") == 0
    forget()
    monkeypatch.setattr(Encoder, "encode", refuse)
    with Store.open(database) as store:
        assert stored_embeddings.recall(store, "mine") == 8 + 1  # sentences by the one and the other
    for vector, encoder in zip(vectors, (DEFAULT, small), strict=True):
        np.testing.assert_array_equal(embedding.embed(mixer(), "short", encoder), vector)
    assert not embedding.has_made()


def test_nothing_is_stored_that_was_not_asked_for(database: Path) -> None:
    with Store.open(database, mode="write") as store:
        assert stored_embeddings.remember_made(store) == 0
        assert stored_embeddings.remember(store, "mine") == 9  # what the package brings
    assert {encoder for encoder, _, _ in stored(database)} == {DEFAULT.digest}
    assert MIXER not in {sentence for _, _, sentence in stored(database)}


def test_a_space_that_redefines_a_built_in_name_keeps_its_own_vector(database: Path) -> None:
    with Store.open(database, mode="write") as store:
        store.execute("UPDATE operator SET name = 'conv3x3' WHERE name = 'my_conv'")
        own = [one for one in stored_embeddings.occurring_operators(store, "mine") if one.name == "conv3x3"]
        vector = embedding.embed(own)
        stored_embeddings.remember(store, "mine")
        rows = store.rows(
            "SELECT vector FROM operator_embedding WHERE sentence = ? AND style = 'short'", [OWN_CONVOLUTION]
        )
        np.testing.assert_allclose(rows[0][0], DEFAULT.encode([OWN_CONVOLUTION])[0], atol=1e-6)
        stored_embeddings.recall(store, "mine")
    assert (embedding.embed([VOCABULARY["conv3x3"]]) != vector).any()


def test_rows_of_an_older_file_stay_readable(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They name the encoder, the operator and its space; the sentence is the operator's."""
    vector = embedding.embed(mixer())[0]
    with Store.open(database, mode="write") as store:
        stored_embeddings.remember(store, "mine")
    before = stored(database)
    migration.downgrade(database, "0004")
    import duckdb

    with duckdb.connect(str(database)) as old:
        rows = old.execute("SELECT operator, space, encoder, style FROM operator_embedding ORDER BY ALL").fetchall()
        assert ("mixer", "mine", "all-MiniLM-L6-v2", "long") in rows
        assert ("nor_conv_3x3", "*", "all-MiniLM-L6-v2", "medium") in rows
    migration.upgrade(database)
    assert stored(database) == before
    forget()
    monkeypatch.setattr(Encoder, "encode", refuse)
    with Store.open(database) as store:
        stored_embeddings.recall(store, "mine")
    np.testing.assert_array_equal(embedding.embed(mixer())[0], vector)


def test_similar_operators_come_nearest_first(database: Path) -> None:
    answer = call_catalog("operators", "--similar", "sep_conv_3x3", "-f", "json", database=database)
    found = json.loads(answer.stdout)
    cosines = [row["similarity"] for row in found]
    assert cosines == sorted(cosines, reverse=True)
    of_cells = [row["name"] for row in found if row["name"] in VOCABULARY]
    assert set(of_cells[:4]) == {"conv3x3", "nor_conv_3x3", "sep_conv_5x5", "dil_conv_3x3"}
    assert "sep_conv_3x3" not in {row["name"] for row in found}


def test_an_own_operator_finds_its_nearest_in_its_space(database: Path) -> None:
    answer = call_catalog("operators", "--similar", "my_conv", "--space", "mine", database=database)
    assert answer.stdout.splitlines()[1].startswith("conv3x3,*,0.")
    assert answer.stderr == ""


def test_a_comparison_is_encoded_once(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = ("operators", "--similar", "my_conv", "--space", "mine")
    first = call_catalog(*ask, database=database)
    assert (DEFAULT.digest, "short", OWN_CONVOLUTION) in stored(database)
    forget()
    monkeypatch.setattr(Encoder, "encode", refuse)
    assert call_catalog(*ask, database=database).stdout == first.stdout


def test_a_comparison_beside_another_reader_stores_nothing(database: Path) -> None:
    with Store.open(database):
        answer = call_catalog("operators", "--similar", "my_conv", database=database)
    assert (answer.returncode, answer.stderr) == (0, "")
    with catalog.open(database) as c:  # and a session stores only where it is open for writing
        c.operators(similar="my_conv")
    assert stored(database) == []
    with catalog.open(database, mode="write") as c:
        c.operators(similar="my_conv")
    assert (DEFAULT.digest, "short", OWN_CONVOLUTION) in stored(database)


def test_descriptions_that_are_longer_than_the_encoder_reads_are_told(tmp_path: Path) -> None:
    """Not only when they are encoded: what comes out of the catalog was cut off, too."""
    path = ingested(tmp_path, LONG)
    limit = "all-MiniLM-L6-v2 reads the first 256 word pieces of a description"
    for _ in range(2):
        answer = call_catalog("operators", "--similar", "my_conv", "--style", "long", database=path)
        assert limit in answer.stderr
        assert "my_conv (276), mixer (273)" in answer.stderr
        assert "word pieces" not in answer.stdout
    assert call_catalog("operators", "--similar", "my_conv", database=path).stderr == ""
    assert (
        "word pieces" not in call_catalog("score", "mine", "--proxy", "tg_nas", database=path).stderr
    )  # reads `short`
    (tmp_path / "short").mkdir()
    short = {name: {**facts, "description": facts["long"]} for name, facts in LONG.items()}
    for facts in short.values():
        del facts["long"]
    path = ingested(tmp_path / "short", short)
    scored = call_catalog("score", "mine", "--proxy", "tg_nas", "--proxy", "tg_nas_paper", database=path)
    assert scored.returncode == 0
    assert [f"{name}: {limit}" in scored.stderr for name in ("tg_nas", "tg_nas_paper")] == [True, True]
    assert "my_conv" not in scored.stderr  # no architecture has it


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


def test_scoring_stores_the_embeddings_of_the_space_and_needs_the_library_once(database: Path) -> None:
    assert call_catalog("score", "mine", "--proxy", "tg_nas", database=database).returncode == 0
    sentences = [one for one in stored(database) if one[1] == "short"]
    assert {sentence for _, _, sentence in sentences} == {"Convolution 3 by 3", "Input", "Output", MIXER}
    answer = run_python(
        """
import sys, catalog
with catalog.open(sys.argv[1], mode="write") as c:
    print(c.score("mine", ["tg_nas", "tg_nas_multi"])[1].ok)
print([name for name in ("sentence_transformers", "transformers", "tokenizers") if name in sys.modules])
""",
        database,
    )
    assert answer.stdout == "2\n[]\n", answer.stderr


def test_a_search_stores_what_it_had_to_encode_and_reads_it(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = ("search", "mine", "--by", "tg_nas", "--method", "exhaustive", "--format", "json")
    first = call_catalog(*ask, database=database)
    assert first.returncode == 0, first.stderr
    assert (DEFAULT.digest, "short", MIXER) in stored(database)
    with Store.open(database, mode="write") as store:
        store.execute("DELETE FROM score WHERE proxy_id IN (SELECT id FROM proxy WHERE name LIKE 'tg_nas%')")
        views.rebuild(store, "mine")
    forget()
    monkeypatch.setattr(Encoder, "encode", refuse)
    again = call_catalog(*ask, database=database)
    assert again.stdout == first.stdout, again.stderr
    assert MIXER in embedding._known()[DEFAULT.digest]  # it was scored anew


def test_a_table_holds_vectors_of_any_width(database: Path, small_bert: Path) -> None:
    embedding.embed(mixer(), "long", Encoder.named(small_bert))
    embedding.embed(mixer(), "long")
    with Store.open(database, mode="write") as store:
        stored_embeddings.remember_made(store)
        rows = store.rows("SELECT DISTINCT len(vector) FROM operator_embedding WHERE sentence = ? ORDER BY 1", [MIXER])
    assert rows == [(WIDTH,), (DEFAULT.width,)]
