"""`cg` on stored spaces: with labels of one space, without any, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from scipy.stats import kendalltau

from catalog.architecture.operators import Operator
from catalog.errors import UsageError
from catalog.progress import Listener
from catalog.search.job import prepare
from catalog.search.methods.problem import Budget
from catalog.search.methods.running import search
from catalog.search.request import Request
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.testing import check_predictor
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.reading.job import ingest
from predictor.computation_graph.predictor import ComputationGraphs, ComputationGraphsOptions
from predictor.door import Labelled, Training, checkpoint
from predictor.scoring.candidates import given_of
from predictor.scoring.predictors import score_space
from predictor.scoring.reading import read_given
from predictor.scoring.training import pretrain, train

LABEL = "cifar10_valid_accuracy"
SMALL = {"width": 16, "layers": 2, "encoders": 2}


class Notes(Listener):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def note(self, message: str) -> None:
        self.heard.append(message)


def networks(count: int, own_operator: bool = False) -> list[dict[str, object]]:
    """Chains of convolutions on a small image; wide and deep ones are better, with a label each."""
    random = np.random.default_rng(0)
    lines = []
    for place in range(count):
        widths = random.choice([8, 16, 32, 64], random.integers(1, 6)).tolist()
        kernels = random.choice([1, 3, 5], len(widths)).tolist()
        ops: list[object] = [{"op": "conv", "kernel": k, "channels": w} for k, w in zip(kernels, widths, strict=True)]
        if own_operator and place < 3:
            ops.append({"op": "wavelet", "params": 10, "macs": 1000})
        ops = ["input", *ops, "output"]
        value = 50.0 + 5.0 * np.log(sum(widths)) + sum(kernels)
        lines.append(
            {
                "id": f"n{place}",
                "input": {"shape": [3, 16, 16]},
                "head": {"classes": 10},
                "ops": ops,
                "edges": [[at, at + 1] for at in range(len(ops) - 1)],
                "metrics": [{"dataset": "cifar10", "split": "valid", "name": "accuracy", "value": value}],
            }
        )
    return lines


def write(path: Path, lines: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cg")
    with Store.open(folder / "catalog.duckdb", mode="write", create=True) as catalog:
        ingest(catalog, GraphsJSONL("mine"), write(folder / "mine.jsonl", networks(150)))
    return folder / "catalog.duckdb"


@pytest.fixture
def path(stored: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(stored, tmp_path / "catalog.duckdb"))


def trained(catalog: Store, out: Path, **options: object) -> dict[str, object]:
    return train(catalog, "cg", ["mine"], LABEL, out, sample=50, options={**SMALL, **options}, listener=Listener())


def test_it_keeps_what_the_door_promises() -> None:
    check_predictor(ComputationGraphs, SMALL)


def test_fifty_labels_rank_the_space_with_a_spread_and_the_same_call_gives_the_same(path: Path, tmp_path: Path) -> None:
    with Store.open(path, mode="write") as catalog:
        card = trained(catalog, tmp_path / "weights")
        again = trained(catalog, tmp_path / "again")
        report = score_space(catalog, "mine", "cg", tmp_path / "weights", column="cg_50")
        frame = catalog.query(f"SELECT cg_50, cg_50_std, {LABEL} AS label FROM mine WHERE is_connected")
    assert card["sha256"] == again["sha256"]
    assert (report.failed, card["pretraining"]) == (0, {"objective": "none", "spaces": []})
    assert kendalltau(frame["cg_50"], frame["label"]).statistic > 0.7
    assert (frame["cg_50_std"] > 0).all()


@pytest.mark.parametrize("objective", ["contrastive", "operators", "statistics", "masked", "flow", "none"])
def test_pre_training_needs_no_label_and_labels_go_on_from_it(path: Path, tmp_path: Path, objective: str) -> None:
    options = {**SMALL, "objective": objective, "graphs": 40, "steps": 10}
    with Store.open(path, mode="write") as catalog:
        first = pretrain(catalog, "cg", ["mine"], tmp_path / "pre", options=options, listener=Listener())
        card = trained(catalog, tmp_path / "weights", width=64, pretrained=str(tmp_path / "pre"))
    assert first["pretraining"] == card["pretraining"] == {"objective": objective, "spaces": ["mine"]}
    assert first["encoder_sha256"] == card["encoder_sha256"]
    assert (card["configuration"]["width"], card["configuration"]["pretrained"]) == (16, "")


def test_a_transformer_attends_too(path: Path, tmp_path: Path) -> None:
    with Store.open(path) as catalog:
        trained(catalog, tmp_path / "weights", network="transformer")
        found = ComputationGraphs.load(tmp_path / "weights")
        given = read_given(catalog, "mine", ComputationGraphs.needs)[1]
        assert "transformer, 2 x 16" in repr(found.encoders[0])
        assert np.isfinite(found.score(given).mean).all()


def test_encoders_that_learn_end_to_end_rank_with_a_spread_and_come_back_from_disk(path: Path, tmp_path: Path) -> None:
    with Store.open(path, mode="write") as catalog:
        card = trained(catalog, tmp_path / "weights", fine_tune=True)
        again = trained(catalog, tmp_path / "again", fine_tune=True)
        score_space(catalog, "mine", "cg", tmp_path / "weights", column="cg_tuned")
        frame = catalog.query(f"SELECT cg_tuned, cg_tuned_std, {LABEL} AS label FROM mine WHERE is_connected")
    assert card["sha256"] == again["sha256"]
    assert kendalltau(frame["cg_tuned"], frame["label"]).statistic > 0.6
    assert (frame["cg_tuned_std"] > 0).all()


def test_encoders_that_learned_from_labels_go_to_other_spaces_alone(path: Path, tmp_path: Path) -> None:
    with Store.open(path, mode="write") as catalog:
        ingest(catalog, GraphsJSONL("other"), write(tmp_path / "other.jsonl", networks(40)))
        trained(catalog, tmp_path / "first", fine_tune=True)
        told = {"pretrained": str(tmp_path / "first")}
        with pytest.raises(UsageError, match="learned from labels of mine; they can be used on other spaces alone"):
            trained(catalog, tmp_path / "again", **told)
        card = train(catalog, "cg", ["other"], LABEL, tmp_path / "w", options=told, listener=Listener())
        assert score_space(catalog, "other", "cg", tmp_path / "w").failed == 0
        with pytest.raises(UsageError, match="learned from labels of mine"):
            score_space(catalog, "mine", "cg", tmp_path / "w")
    assert card["pretraining"] == {"objective": "labels", "spaces": ["mine"]}


def test_the_graphs_alone_can_be_read(path: Path, tmp_path: Path) -> None:
    with Store.open(path, mode="write") as catalog:
        trained(catalog, tmp_path / "weights", structure=False)
        found = ComputationGraphs.load(tmp_path / "weights")
        given = read_given(catalog, "mine", ComputationGraphs.needs)[1]
        truth = catalog.query(f"SELECT {LABEL} AS label FROM mine ORDER BY architecture_id")["label"]
        scores = found.score(given).mean
    assert (dict(found.frozen.groups), found.card["share_of_trees"]) == ({}, 0.0)
    assert list(found.frozen.vectors) == [f"network_{name}" for name in ("mean", "most", "parts", "end", "sizes")]
    assert kendalltau(scores, truth).statistic > 0.7


def test_without_labels_the_order_is_the_zero_shot_order(path: Path, tmp_path: Path) -> None:
    with Store.open(path, mode="write") as catalog:
        pretrain(catalog, "cg", ["mine"], tmp_path / "pre", options=SMALL, listener=Listener())
        with pytest.raises(UsageError, match=r"learned from no labels.*mine has none"):
            score_space(catalog, "mine", "cg", tmp_path / "pre")
        score_space(catalog, "mine", "tg_nas")
        score_space(catalog, "mine", "cg", tmp_path / "pre", column="cg_0")
        frame = catalog.query("SELECT cg_0, tg_nas FROM mine WHERE is_connected")
    np.testing.assert_array_equal(frame["cg_0"], frame["tg_nas"])


def test_an_operator_that_no_family_has_is_read_by_its_description_and_counted(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.jsonl", networks(60, own_operator=True))
    wavelet = Operator("wavelet", "other", *["Convolution"] * 3)  # a description that the package has a vector of
    notes = Notes()
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        ingest(catalog, GraphsJSONL("mine", [wavelet]), file)
        train(catalog, "cg", ["mine"], LABEL, tmp_path / "w", options=SMALL, listener=Listener())
        report = score_space(catalog, "mine", "cg", tmp_path / "w", listener=notes)
    assert report.failed == 0
    assert notes.heard == [
        "cg: 3 architectures of mine have operators that no family of computation graphs has; they are read by their "
        "descriptions: wavelet."
    ]


def test_labels_that_are_no_numbers_are_refused(path: Path, tmp_path: Path) -> None:
    with Store.open(path, mode="write") as catalog:
        catalog.execute(f"UPDATE mine SET {LABEL} = 'NaN'::DOUBLE WHERE id = 'n3'")
        with pytest.raises(UsageError, match="no number for 1 architectures"):
            trained(catalog, tmp_path / "weights")


@pytest.mark.parametrize("digest", ["words_sha256", "encoder_sha256"])
def test_weights_of_other_words_or_another_encoder_are_refused(path: Path, tmp_path: Path, digest: str) -> None:
    with Store.open(path, mode="write") as catalog:
        trained(catalog, tmp_path / "weights")
        card, state = checkpoint.read(tmp_path / "weights", "cg")
        checkpoint.write(tmp_path / "weights", state, {**card, digest: "0" * 64})
        with pytest.raises(UsageError, match=rf"another version of .*{digest} 00000000.*Train again"):
            score_space(catalog, "mine", "cg", tmp_path / "weights")


@pytest.mark.parametrize("fact", ["configuration", "sources", "seeds", "more"])
def test_a_card_that_was_edited_is_refused_whatever_it_says(path: Path, tmp_path: Path, fact: str) -> None:
    """Options decide scores, and the sources which architectures have none because they were learned from."""
    with Store.open(path, mode="write") as catalog:
        card = trained(catalog, tmp_path / "weights")
        edit = {**SMALL, "blind": True} if fact == "configuration" else []
        checkpoint.write_card(tmp_path / "weights", {**card, fact: edit})
        with pytest.raises(UsageError, match=r"card.json was changed after the training"):
            score_space(catalog, "mine", "cg", tmp_path / "weights")


def test_weights_that_say_nothing_of_their_card_open_as_ever(path: Path, tmp_path: Path) -> None:
    """As all did that an older version wrote."""
    with Store.open(path, mode="write") as catalog:
        trained(catalog, tmp_path / "weights")
        card, state = checkpoint.read(tmp_path / "weights", "cg")
        data = safetensors.numpy.save(dict(state))
        (tmp_path / "weights" / checkpoint.WEIGHTS).write_bytes(data)
        checkpoint.write_card(tmp_path / "weights", {**card, "sha256": hashlib.sha256(data).hexdigest(), "seeds": []})
        assert score_space(catalog, "mine", "cg", tmp_path / "weights").failed == 0


def test_a_training_that_is_refused_leaves_no_folder_behind(path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with Store.open(path, mode="write") as catalog:
        for out in (tmp_path / "new" / "weights", tmp_path / "mine" / "weights"):
            with pytest.raises(UsageError, match="give its folder"):
                trained(catalog, out, objective="masked")
            with pytest.raises(UsageError, match="leave pretrained out"):
                pretrain(catalog, "cg", ["mine"], out, options={"pretrained": "x"}, listener=Listener())
    assert sorted(item.name for item in tmp_path.iterdir()) == ["catalog.duckdb", "mine"]
    assert not any((tmp_path / "mine").iterdir())


def test_an_objective_with_labels_is_refused_with_what_to_do(path: Path, tmp_path: Path) -> None:
    with Store.open(path) as catalog, pytest.raises(UsageError, match="--pretrain, then give its folder"):
        trained(catalog, tmp_path / "weights", objective="masked")


def test_an_unknown_objective_is_refused_with_the_nearest_name(path: Path, tmp_path: Path) -> None:
    with Store.open(path) as catalog, pytest.raises(UsageError, match="'contrastiv'. Did you mean contrastive"):
        trained(catalog, tmp_path / "weights", objective="contrastiv")


def test_what_learns_with_labels_alone_has_no_pre_training(path: Path, tmp_path: Path) -> None:
    with Store.open(path) as catalog, pytest.raises(UsageError, match="learns nothing without labels"):
        pretrain(catalog, "few_label", ["mine"], tmp_path / "pre", options={}, listener=Listener())


def test_architectures_that_no_catalog_holds_have_networks_too() -> None:
    """So a search that asks for labels can learn by it."""
    space = space_named("nb201")
    native = space.sample(20, 0)
    given = given_of(space, ComputationGraphs.needs, native, [graph.canonical for graph in native])
    labels = np.where(given.connected, np.arange(20.0), np.nan)
    model = ComputationGraphs(ComputationGraphsOptions(width=16, encoders=1)).fit(
        [Labelled("nb201 label", given, labels)], Training()
    )
    part = given.taken(np.array([7, 3]))
    np.testing.assert_allclose(model.score(part).mean, model.score(given).mean[[7, 3]], rtol=1e-3)


def test_a_search_learns_by_it_from_labels_of_a_space_of_ones_own(path: Path) -> None:
    with Store.open(path, mode="write") as catalog:
        asked = Request(
            "mine", (), budget=20, labels=LABEL, method="bayesian", predictor="cg", settings=("width=16", "layers=2")
        )
        prepared = prepare(catalog, asked)
        history = search(prepared.problem, "bayesian", Budget(20), 0)
    assert len(history.visits) == 20
    assert history.best is not None
    labels = history.values()[:, 0]
    assert labels[10:].mean() > labels[:10].mean()
