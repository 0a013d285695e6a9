"""Training and scoring with another sentence encoder than the default one."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import catalog
from catalog.errors import EncoderError
from catalog.progress import Listener
from catalog.session.catalog import Catalog
from catalog.storage.store import Store
from predictor.door.checkpoint import CARD, WEIGHTS, sealed
from predictor.encoding import embedding
from predictor.encoding.encoder import DEFAULT, Encoder
from predictor.tg_nas.config import TGNASConfig, digest_of
from predictor.tg_nas.ensemble import Scorer
from predictor.tg_nas.features import feature_size
from tests.predictor.encoding.small_bert import MAX_TOKENS, WIDTH, save_small_bert

OWN = {"mixer": {"kind": "attention", "weights": True, "description": f"a mixer of {'pooling ' * 20}"}}
GRAPHS = [
    {"id": "a", "ops": ["input", "conv3x3", "mixer", "output"], "edges": [[0, 1], [1, 2], [2, 3]]},
    {"id": "b", "ops": ["input", "mixer", "output"], "edges": [[0, 1], [1, 2]]},
]


class Notes(Listener):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def note(self, message: str) -> None:
        self.heard.append(message)


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_bert(tmp_path_factory.mktemp("encoder") / "small")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Path:
    """A folder with a catalog, graphs of an own space in it, and weights trained with another encoder."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "operators.json").write_text(json.dumps(OWN))
    (folder / "graphs.jsonl").write_text("".join(f"{json.dumps(graph)}\n" for graph in GRAPHS))
    with catalog.open(folder / "catalog.duckdb", mode="write") as c:
        c.ingest("nb201-digits")
        c.ingest("graphs", folder / "graphs.jsonl", space="mine", operators=folder / "operators.json")
        c.train("tg_nas", "nb201", "digits_test_accuracy", folder / "out", sample=40, members=2, encoder=encoder_folder)
    return folder


def test_the_card_says_what_reads_the_descriptions(trained: Path, encoder_folder: Path) -> None:
    written = json.loads((trained / "out" / CARD).read_text())["configuration"]
    assert written["encoder"]["name_or_folder"] == str(encoder_folder)
    assert (written["encoder"]["width"], written["encoder"]["max_tokens"]) == (WIDTH, MAX_TOKENS)
    config = TGNASConfig.from_dict(written)
    assert config.encoder == Encoder.named(encoder_folder)
    assert feature_size(TGNASConfig()) - feature_size(config) == DEFAULT.width - WIDTH
    assert Scorer.load(trained / "out").members[0].config == config


def test_what_training_encoded_is_stored(trained: Path, encoder_folder: Path) -> None:
    digest = Encoder.named(encoder_folder).digest
    with Store.open(trained / "catalog.duckdb") as store:
        found = store.rows("SELECT DISTINCT len(vector) FROM operator_embedding WHERE encoder = ?", [digest])
    assert found == [(WIDTH,)]


def test_scores_come_by_that_encoder_and_later_without_it(
    trained: Path, encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(trained / "catalog.duckdb", tmp_path / "catalog.duckdb"))
    notes = Notes()
    with Catalog(path, "write", listener=notes) as c:
        column = c.score("mine", "tg_nas", checkpoint=trained / "out")[0].column
        first = c.query(f"SELECT id, {column} FROM mine ORDER BY id")
    assert np.isfinite(first[column].to_numpy()).all()
    assert [f"tg_nas: {encoder_folder} reads the first 16 word pieces" in note for note in notes.heard] == [True]

    def refuse(self: Encoder, sentences: Sequence[str]) -> None:
        raise AssertionError(f"{self} was asked for {sentences}")

    embedding._known.cache_clear()  # as in a new process
    monkeypatch.setattr(Encoder, "encode", refuse)
    moved = Path(shutil.copytree(trained / "out", tmp_path / "moved"))
    card = json.loads((moved / CARD).read_text())
    card["configuration"]["encoder"]["name_or_folder"] = "gone"
    (moved / CARD).write_text(json.dumps(card))
    with catalog.open(path, mode="write") as c:
        assert (
            c.score("mine", "tg_nas", checkpoint=moved)[0].column == column
        )  # the weights and the encoder are the same
        again = c.query(f"SELECT id, {column} FROM mine ORDER BY id")
    np.testing.assert_array_equal(again[column].to_numpy(), first[column].to_numpy())


def test_a_checkpoint_whose_encoder_is_gone_says_what_is_allowed(trained: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(trained / "out", tmp_path / "moved"))
    card = json.loads((moved / CARD).read_text())
    card["configuration"]["encoder"] |= {"name_or_folder": "gone", "digest": "0" * 64}
    data = safetensors.numpy.save(safetensors.numpy.load_file(moved / WEIGHTS), sealed(card))
    (moved / WEIGHTS).write_bytes(data)
    (moved / CARD).write_text(json.dumps({**card, "sha256": hashlib.sha256(data).hexdigest()}))
    assert digest_of(card) != digest_of(json.loads((trained / "out" / CARD).read_text()))
    path = Path(shutil.copy(trained / "catalog.duckdb", tmp_path / "catalog.duckdb"))
    with catalog.open(path, mode="write") as c:
        with pytest.raises(EncoderError, match="unknown sentence encoder 'gone'"):
            c.score("mine", "tg_nas", checkpoint=moved)
        assert not any(name.startswith("tg_nas") for name in c.query("FROM mine").columns)  # nothing was stored


def test_an_unknown_encoder_is_refused_before_anything_is_read(trained: Path, tmp_path: Path) -> None:
    with catalog.open(trained / "catalog.duckdb") as c, pytest.raises(EncoderError, match="unknown sentence encoder"):
        c.train("tg_nas", "nb201", "no_such_column", tmp_path / "out", encoder="nope")
    assert not (tmp_path / "out").exists()


def test_the_labels_of_a_space_with_operators_of_its_own_are_learnt(
    trained: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    with catalog.open(trained / "catalog.duckdb", mode="write") as c:
        graphs = [
            {
                "id": f"m{mixers}c{others}",
                "ops": ["input", *["mixer"] * mixers, *["conv3x3"] * others, "output"],
                "edges": [[place, place + 1] for place in range(mixers + others + 1)],
                "metrics": [{"dataset": "d", "split": "test", "name": "accuracy", "value": 50.0 + 3 * mixers + others}],
            }
            for mixers in range(4)
            for others in range(1, 5)
        ]
        (tmp_path / "labelled.jsonl").write_text("".join(f"{json.dumps(graph)}\n" for graph in graphs))
        c.ingest("graphs", tmp_path / "labelled.jsonl", space="labelled", operators=trained / "operators.json")
        card = c.train("tg_nas", "labelled", "d_test_accuracy", tmp_path / "out", members=1, encoder=encoder_folder)
    assert card["sources"][0]["architectures"] == len(graphs)
