"""`few_label` on stored spaces: what it reads, what it refuses, and that it learns."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

from catalog.errors import UsageError
from catalog.progress import Listener
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables.enumeration import enumerate_space
from catalog.testing import sample_given
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.reading.job import ingest
from predictor.door import Layers, Needs
from predictor.few_label.groups import Group
from predictor.few_label.histogram import Counts, Histogram, histogram, vocabulary_of
from predictor.few_label.layers import NOTHING, absent, pooled
from predictor.few_label.predictor import FewLabel
from predictor.few_label.tables import Table
from predictor.scoring.predictors import score_space
from predictor.scoring.reading import FIRST_DRAW, read_given, read_labelled
from predictor.scoring.training import train

WORDS = ("conv3x3", "conv1x1", "sep_conv_3x3", "max_pool_3x3")


def chains(count: int, seed: int = 0) -> list[list[str]]:
    random = np.random.default_rng(seed)
    return [[str(word) for word in random.choice(WORDS, random.integers(1, 7))] for _ in range(count)]


def worth(words: Sequence[str]) -> float:
    """The more 3x3 convolutions the better, with diminishing returns; pools are bad."""
    return 90.0 + 3.0 * np.log1p(words.count("conv3x3")) - words.count("max_pool_3x3") + 0.1 * len(words)


def write_space(path: Path, accuracies: Sequence[float | None], metric: str = "accuracy") -> Path:
    """A user's own space, with one metric and nothing else."""
    lines = []
    for place, (words, value) in enumerate(zip(chains(len(accuracies)), accuracies, strict=True)):
        ops = ["input", *words, "output"]
        line = {"id": f"n{place}", "ops": ops, "edges": [[at, at + 1] for at in range(len(ops) - 1)]}
        if value is not None:
            line["metrics"] = [{"dataset": "cifar10", "split": "valid", "name": metric, "value": value}]
        lines.append(json.dumps(line))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 chains, 60 of them with a label."""
    folder = tmp_path_factory.mktemp("own")
    values = [worth(words) if place < 60 else None for place, words in enumerate(chains(300))]
    with Store.open(folder / "catalog.duckdb", mode="write", create=True) as catalog:
        ingest(catalog, GraphsJSONL("mine"), write_space(folder / "mine.jsonl", values))
    return folder / "catalog.duckdb"


@pytest.fixture
def mine(own: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(own, tmp_path / "catalog.duckdb"))


LABEL = "cifar10_valid_accuracy"


def trained(
    catalog: Store, out: Path, space: str = "mine", target: str = LABEL, **options: object
) -> dict[str, object]:
    return train(catalog, "few_label", [space], target, out, options={"trees": 20, **options}, listener=Listener())


def test_a_users_own_space_with_60_labels_and_nothing_else(mine: Path, tmp_path: Path) -> None:
    with Store.open(mine, mode="write") as catalog:
        card = trained(catalog, tmp_path / "weights")
        report = score_space(catalog, "mine", "few_label", tmp_path / "weights", column="few_60")
        frame = catalog.query(f"SELECT id, few_60, few_60_std, {LABEL} AS label FROM mine")
        seen = catalog.query(
            "SELECT count(DISTINCT architecture_id) FROM training_member JOIN proxy ON proxy.id = proxy_id "
            "WHERE \"column\" = 'few_60'"
        ).item()
    assert (report.column, report.failed) == ("few_60", 0)
    assert seen == 60
    assert "proxies" not in card["inputs"]
    unknown = frame.filter(frame["label"].is_null())
    truth = [worth(chains(300)[int(name[1:])]) for name in unknown["id"]]
    assert kendalltau(unknown["few_60"], truth).statistic > 0.85
    assert (frame["few_60_std"] > 0).all()


def test_where_lower_is_better_the_score_is_better_where_higher(tmp_path: Path) -> None:
    values = [100.0 - worth(words) for words in chains(120)]
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        ingest(catalog, GraphsJSONL("mine"), write_space(tmp_path / "mine.jsonl", values, "error"))
        trained(catalog, tmp_path / "weights", target="cifar10_valid_error")
        score_space(catalog, "mine", "few_label", tmp_path / "weights", column="few")
        frame = catalog.query("SELECT few, cifar10_valid_error AS error FROM mine")
    assert kendalltau(frame["few"], frame["error"]).statistic < -0.8


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"without": "proxeis"}, "no group of inputs 'proxeis'. Did you mean proxies"),
        ({"trees": 0}, "from 1 to 10,000 can grow"),
        ({"trees": 10**11}, "from 1 to 10,000 can grow"),
        ({"without": "counts,sources,distances,edges,sizes,prior,histogram,proxies"}, "all groups are left out"),
    ],
)
def test_options_that_leave_nothing_or_mean_nothing_are_refused(
    mine: Path, tmp_path: Path, options: dict[str, object], told: str
) -> None:
    with Store.open(mine) as catalog, pytest.raises(UsageError, match=told):
        trained(catalog, tmp_path / "weights", **options)


def test_fewer_than_five_labels_are_refused_with_what_to_do(tmp_path: Path) -> None:
    values = [worth(words) if place < 4 else None for place, words in enumerate(chains(20))]
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        ingest(catalog, GraphsJSONL("mine"), write_space(tmp_path / "mine.jsonl", values))
        with pytest.raises(UsageError, match=r"4 labels.*at least 5\. Ingest more"):
            trained(catalog, tmp_path / "weights")


def test_a_label_that_is_no_number_is_refused(mine: Path, tmp_path: Path) -> None:
    with Store.open(mine, mode="write") as catalog:
        catalog.execute(f"UPDATE mine SET {LABEL} = 'NaN'::DOUBLE WHERE id IN ('n3', 'n5')")
        with pytest.raises(UsageError, match=r"is nan for 'n3', and no number for 2 architectures"):
            trained(catalog, tmp_path / "weights")


def test_two_spaces_are_refused(mine: Path, tmp_path: Path) -> None:
    with Store.open(mine, mode="write") as catalog:
        enumerate_space(catalog, space_named("nb201"))
        catalog.execute("ALTER TABLE nb201 ADD COLUMN cifar10_valid_accuracy DOUBLE")
        catalog.execute("UPDATE nb201 SET cifar10_valid_accuracy = params")
        with pytest.raises(UsageError, match="one space, not from 2"):
            train(catalog, "few_label", ["mine", "nb201"], LABEL, tmp_path / "w", options={}, listener=Listener())


def test_a_space_without_the_columns_that_it_was_trained_with_is_refused_before_anything_is_stored(
    mine: Path, tmp_path: Path
) -> None:
    with Store.open(mine, mode="write") as catalog:
        score_space(catalog, "mine", "tg_nas")
        trained(catalog, tmp_path / "weights")
        catalog.execute("ALTER TABLE mine DROP COLUMN tg_nas")
        with pytest.raises(UsageError, match=r"mine has no column tg_nas.*--set without=GROUP"):
            score_space(catalog, "mine", "few_label", tmp_path / "weights", column="few")
        assert catalog.query("SELECT count(*) FROM proxy WHERE name = 'few_label'").item() == 0


def test_it_says_where_it_learned_from_another_space(mine: Path, tmp_path: Path) -> None:
    with Store.open(mine, mode="write") as catalog:
        trained(catalog, tmp_path / "weights")
        given = read_given(catalog, "mine", FewLabel.needs)[1]
        model = FewLabel.load(tmp_path / "weights")
        assert not model.remarks(given)
        (remark,) = model.remarks(replace(given, space="yours"))
    assert remark == "it learned from labels of mine; how it ranks yours is unknown."


def test_a_blind_one_reads_no_score_of_another_predictor_and_no_prior(mine: Path, tmp_path: Path) -> None:
    with Store.open(mine, mode="write") as catalog:
        score_space(catalog, "mine", "tg_nas")
        assert {"zero_shot", "prior"} <= set(trained(catalog, tmp_path / "all")["inputs"])
        assert not {"zero_shot", "prior"} & set(trained(catalog, tmp_path / "blind", blind="true")["inputs"])


def test_a_score_that_saw_labels_of_the_space_is_not_read(mine: Path, tmp_path: Path) -> None:
    with Store.open(mine, mode="write") as catalog:
        score_space(catalog, "mine", "tg_nas")
        catalog.execute(
            "INSERT INTO training_member SELECT proxy.id, architecture.id FROM proxy, architecture "
            "WHERE proxy.name = 'tg_nas' AND native_id = 'n7'"
        )
        assert "zero_shot" not in trained(catalog, tmp_path / "weights")["inputs"]


@pytest.fixture(scope="module")
def nb201(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nb201") / "catalog.duckdb"
    with Store.open(path, mode="write", create=True) as catalog:
        enumerate_space(catalog, space_named("nb201"))
    return path


def test_the_draw_is_the_protocols_and_twins_are_one_label(nb201: Path) -> None:
    with Store.open(nb201) as catalog:
        found = read_labelled(catalog, "nb201", "params", Needs(), sample=200, seed=3)
        rows = catalog.query('SELECT "index", canonical_id, is_connected, cell FROM nb201 ORDER BY "index"')
    drawn = np.random.default_rng(FIRST_DRAW + 3).permutation(15_625)[:200]
    connected = rows[drawn.tolist()].filter("is_connected")
    assert found.native_ids is not None
    assert set(found.native_ids) == set(connected["cell"])
    assert np.isfinite(found.labels).sum() == connected["canonical_id"].n_unique() < len(connected)


def test_a_sample_is_no_larger_than_the_labels(nb201: Path) -> None:
    with Store.open(nb201) as catalog, pytest.raises(UsageError, match=r"15625 .* asks for 15626"):
        read_labelled(catalog, "nb201", "params", Needs(), sample=15_626)


def table(values: list[list[float]], names: tuple[str, ...] = ("nwot", "nwot_published", "snip")) -> Table:
    return Table(names, np.array(values))


def test_of_two_measurements_of_a_proxy_the_one_that_more_architectures_have_is_read() -> None:
    nan = np.nan
    assert table([[1, nan, 1], [nan, nan, 1], [2, 3, 1]]).best_measured().names == ("nwot", "snip")
    assert table([[1, 2, 1], [nan, 1, 1], [2, 3, 1]]).best_measured().names == ("nwot_published", "snip")


def test_an_unknown_number_counts_as_the_mean_and_that_it_is_unknown_is_an_input() -> None:
    values = table([[1.0, 2, 5], [2, np.nan, 5], [3, 4, 5], [4, 8, 5]])
    group = Group.of(values, np.arange(4), ranked=True, counted=False)
    assert group is not None
    assert group.names == ("nwot", "nwot_published")  # the third tells nothing
    read = group.read(values)
    assert read.shape == (4, 3)
    assert read[1, 1] == pytest.approx(0.0)
    assert read[1, 2] > read[0, 2]
    np.testing.assert_array_equal(group.read(table([[2.0, np.nan, 5]])), read[1:2])  # whoever else is there


def test_what_no_labelled_architecture_has_is_far_from_all_of_them() -> None:
    counts = Counts(np.array([0, 0, 1, 1, 2]), np.array([5, 7, 5, 7, 9], dtype=np.uint64), np.ones(5))
    found = histogram(counts, 3, vocabulary_of(counts, np.array([0])))
    known = Histogram(found.values[[0]], found.rest[[0]])
    np.testing.assert_allclose(found.squares(known)[:, 0], [0.0, 0.0, 2.0], atol=1e-12)


def test_layers_are_pooled_by_role_stage_and_operator_and_what_was_not_measured_is_unknown() -> None:
    layers = Layers(
        ("snip",),
        network=np.array([1, 0, -1]),
        owner=np.array([0, 0, 0, 1]),
        values=np.array([[1.0], [-3.0], [5.0], [7.0]]),
        parameters=np.ones(4, dtype=np.int64),
        stage=np.array([0, 0, 1, 0]),
        repetition=np.zeros(4, dtype=np.int64),
        node=np.zeros(4, dtype=np.int64),
        role=["operator", "operator", "operator", "stem"],
        operator=["conv3x3", "conv3x3", "conv3x3", ""],
    )
    given = replace(sample_given(FewLabel, 3), optional_layers={"snip": layers})
    found = pooled(given)
    np.testing.assert_allclose(found["snip:operator.0.conv3x3"], [NOTHING, np.log(4.0), np.nan])
    np.testing.assert_allclose(found["snip:stem.0."], [np.log(7.0), NOTHING, np.nan])
    logarithms = pooled(replace(given, optional_layers={"synflow": replace(layers, values=np.full((4, 1), 900.0))}))
    assert logarithms["synflow:operator.0.conv3x3"][1] == pytest.approx(900.0 + np.log(2.0))
    np.testing.assert_array_equal(absent(given), [NOTHING, NOTHING, np.nan])
