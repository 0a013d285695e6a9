"""Scoring stored spaces: columns, spreads, statuses, and what a checkpoint has seen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest

from catalog.analysis.space_correlation import correlate_space
from catalog.errors import UsageError
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables.enumeration import enumerate_space
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.formats.nb101_table import NB101Table
from ingest.formats.operator_file import read_operators
from ingest.reading.job import ingest
from predictor.door import Needs
from predictor.door.checkpoint import digest_of, read_card
from predictor.scoring.entry import score
from predictor.scoring.predictors import score_space
from predictor.scoring.reading import read_labelled
from predictor.tg_nas.checkpoint import shipped

CHAIN = {"ops": ["input", "conv3x3", "my_op", "output"], "edges": [[0, 1], [1, 2], [2, 3]]}
SHORT = {"ops": ["input", "my_op", "output"], "edges": [[0, 1], [1, 2]]}
CUT = {"ops": ["input", "conv3x3", "none", "output"], "edges": [[0, 1], [1, 2], [2, 3]]}


@pytest.fixture(scope="module")
def nb201(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scored") / "catalog.duckdb"
    with Store.open(path, mode="write", create=True) as catalog:
        enumerate_space(catalog, space_named("nb201"))
        score_space(catalog, "nb201", "tg_nas")
    return path


def test_score_and_spread_are_columns_and_dead_cells_have_a_status(nb201: Path) -> None:
    with Store.open(nb201) as catalog:
        row = catalog.query("SELECT count(tg_nas) AS scored, count(tg_nas_std) AS spreads FROM nb201").row(0)
        assert row == (15_625 - 341, 15_625 - 341)
        statuses = catalog.query(
            "SELECT status, count(*) AS n FROM score JOIN proxy ON proxy.id = proxy_id "
            "WHERE name = 'tg_nas' GROUP BY 1 ORDER BY 1"
        ).rows()
    assert statuses == [("disconnected", 341), ("ok", 15_284)]


def test_functionally_equal_cells_score_alike(nb201: Path) -> None:
    with Store.open(nb201) as catalog:
        spread = catalog.query(
            "SELECT max(spread) FROM (SELECT max(tg_nas) - min(tg_nas) AS spread FROM nb201 GROUP BY canonical_digest)"
        ).item()
    assert spread < 1e-5  # float32 sums in another order within another batch


def test_the_same_weights_again_have_nothing_to_do(nb201: Path) -> None:
    with Store.open(nb201, mode="write") as catalog:
        before = catalog.rows("SELECT * FROM score ORDER BY ALL"), catalog.rows("SELECT count(*) FROM run")
        again = score_space(catalog, "nb201", "tg_nas")
        assert (again.was_known, again.scored, again.disconnected, again.failed) == (True, 15_625, 341, 0)
        assert (catalog.rows("SELECT * FROM score ORDER BY ALL"), catalog.rows("SELECT count(*) FROM run")) == before
        (column,) = score(catalog, "nb201", ["tg_nas"])
    assert str(column) == "tg_nas: 15,284 scores; all of them stored before; 341 disconnected."


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM score WHERE architecture_id = 1 AND proxy_id = (SELECT id FROM proxy WHERE name = 'tg_nas')",
        "UPDATE score SET value = 0 FROM proxy WHERE architecture_id = 1 AND proxy_id = id AND name = 'tg_nas'",
        "UPDATE proxy SET version = 'older' WHERE name = 'tg_nas'",
    ],
)
def test_scores_that_are_not_all_there_or_were_changed_are_made_again(nb201: Path, tmp_path: Path, change: str) -> None:
    path = Path(shutil.copy(nb201, tmp_path / "changed.duckdb"))
    with duckdb.connect(str(path)) as stranger:
        stranger.execute(change)
    with Store.open(path, mode="write") as catalog, Store.open(nb201) as right:
        assert not score_space(catalog, "nb201", "tg_nas").was_known
        query = "SELECT tg_nas FROM nb201 ORDER BY architecture_id"
        np.testing.assert_array_equal(catalog.query(query)["tg_nas"], right.query(query)["tg_nas"])


def test_a_users_space_with_an_unseen_operator_is_scored(tmp_path: Path) -> None:
    graphs, operators = tmp_path / "mine.jsonl", tmp_path / "ops.json"
    lines = [{"id": name, **cell} for name, cell in (("chain", CHAIN), ("short", SHORT), ("cut", CUT))]
    graphs.write_text("".join(json.dumps(line) + "\n" for line in lines))
    operators.write_text(json.dumps({"my_op": {"kind": "attention", "weights": True, "description": "Self attention"}}))
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        ingest(catalog, GraphsJSONL("mine", read_operators(operators)), graphs)
        report = score_space(catalog, "mine", "tg_nas")
        scores = dict(catalog.query("SELECT id, tg_nas FROM mine").iter_rows())
    assert (report.scored, report.disconnected) == (3, 1)
    assert scores["chain"] > scores["short"]  # one more convolution in the chain
    assert scores["cut"] is None


@pytest.fixture
def mine(tmp_path: Path) -> Generator[Store, None, None]:
    """A catalog with a user's space of two chains."""
    graphs = tmp_path / "mine.jsonl"
    chains = {f"chain{length}": ["input", *["conv3x3"] * length, "output"] for length in (1, 2)}
    lines = [{"id": name, "ops": ops, "edges": list(pairwise(range(len(ops))))} for name, ops in chains.items()]
    graphs.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        ingest(catalog, GraphsJSONL("mine"), graphs)
        yield catalog


def test_a_folder_that_has_a_shipped_name_changes_nothing(
    mine: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(shipped("tg_nas_multi"), tmp_path / "tg_nas")
    monkeypatch.chdir(tmp_path)
    score_space(mine, "mine", "tg_nas")
    (digest,) = mine.query("SELECT checkpoint_digest FROM proxy WHERE name = 'tg_nas'")["checkpoint_digest"]
    assert digest == digest_of(read_card(shipped("tg_nas")))
    assert score_space(mine, "mine", "tg_nas", Path("tg_nas")).column.startswith("tg_nas_")  # asked for as a folder


def test_the_catalog_says_what_a_predictor_was_trained_on_and_developed_with(mine: Store) -> None:
    for name in ("tg_nas", "tg_nas_paper"):
        score_space(mine, "mine", name)
    told = dict(mine.query("SELECT name, description FROM proxy WHERE name LIKE 'tg_nas%'").iter_rows())
    assert "trained on nb101" in told["tg_nas"]
    assert "developed with nb201 and darts in sight" in told["tg_nas"]
    assert "in sight" not in told["tg_nas_paper"]


def test_a_copy_of_the_shipped_weights_has_the_plain_column(mine: Store, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(shipped("tg_nas"), tmp_path / "copy"))
    assert score_space(mine, "mine", "tg_nas", copy).column == "tg_nas"
    assert mine.query("SELECT count(tg_nas) FROM mine").item() == 2


def test_the_same_weights_joined_otherwise_are_another_checkpoint(mine: Store, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(shipped("tg_nas"), tmp_path / "copy"))
    card = read_card(copy)
    card["prior"]["detail"] *= 2
    (copy / "card.json").write_text(json.dumps(card))
    assert score_space(mine, "mine", "tg_nas", copy).column == f"tg_nas_{digest_of(card)[:8]}"


def test_newer_weights_replace_what_older_ones_left_in_the_column(mine: Store) -> None:
    score_space(mine, "mine", "tg_nas")
    scores = mine.query("SELECT id, tg_nas, tg_nas_std FROM mine ORDER BY id").rows()
    mine.execute("UPDATE proxy SET checkpoint_digest = 'older' WHERE name IN ('tg_nas', 'tg_nas_std')")
    mine.execute("UPDATE score SET value = value - 9 WHERE proxy_id IN (SELECT id FROM proxy WHERE name = 'tg_nas')")
    score_space(mine, "mine", "tg_nas")
    assert mine.query("SELECT id, tg_nas, tg_nas_std FROM mine ORDER BY id").rows() == scores


@pytest.mark.parametrize("column", ["id", "canonical_digest", "is_connected"])
def test_labels_are_numbers(mine: Store, column: str) -> None:
    with pytest.raises(UsageError, match=f"{column}.*no numbers"):
        read_labelled(mine, "mine", column, Needs())


def test_what_a_checkpoint_was_trained_on_is_left_out(data_dir: Path, tmp_path: Path) -> None:
    table = tmp_path / "nb101_108ep_mean_test.csv"
    import gzip
    from itertools import islice

    with gzip.open(data_dir / "nb101/nb101_108ep_mean_test.csv.gz", "rt") as whole:
        table.write_text("".join(islice(whole, 300)))
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        ingest(catalog, NB101Table(source="head"), table)
        score_space(catalog, "nb101", "tg_nas")
        found = correlate_space(catalog, "nb101", "cifar10_test_accuracy_head", ["tg_nas", "params"]).frame
    rows = {row["proxy"]: row for row in found.to_dicts()}
    assert (rows["tg_nas"]["left_out"], rows["tg_nas"]["n"], rows["tg_nas"]["kendall_tau"]) == (299, 0, None)
    assert (rows["params"]["left_out"], rows["params"]["n"]) == (0, 299)


def test_unknown_predictors_and_folders_are_refused(nb201: Path, tmp_path: Path) -> None:
    with Store.open(nb201, mode="write") as catalog:
        with pytest.raises(UsageError, match="tg_nas, tg_nas_multi, tg_nas_paper"):
            score_space(catalog, "nb201", "tgnas")
        with pytest.raises(UsageError, match=str(tmp_path)):
            score_space(catalog, "nb201", "tg_nas", tmp_path)
