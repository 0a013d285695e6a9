"""Searches by `cg`: from labels as they are asked for, and by the score of a checkpoint, under a bound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import catalog
from catalog.spaces import space_named

SPACE, OTHER = "naap440", "nasbench_macro"
LABEL, BOUND = "mine_test_accuracy_mine", 2e6
SMALL = {"width": 16, "layers": 2, "encoders": 1}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All networks of a staged space, of which some have labels, and some of another."""
    path = tmp_path_factory.mktemp("searching") / "catalog.duckdb"
    with catalog.open(path, mode="write") as opened:
        opened.spaces(enumerate=SPACE)
        for name, count in ((SPACE, 80), (OTHER, 40)):
            space = space_named(name)
            ids = list({space.native_id(graph): None for graph in space.sample(count, 0)})
            numbers = {"arch": ids, "accuracy": np.linspace(50.0, 60.0, len(ids))}
            said = {"metric": "accuracy", "dataset": "mine", "split": "test", "unit": "percent"}
            opened.ingest_table(numbers, name, source="mine", **said)
    return path


def test_labels_are_asked_for_within_a_bound(path: Path) -> None:
    with catalog.open(path, mode="write") as opened:
        found = opened.search(
            SPACE,
            method="bayesian",
            labels=LABEL,
            predictor="cg",
            options=SMALL,
            budget=20,
            max={"flops": BOUND},
            top=20,
        )
    assert len(found.visits) == 20
    assert (found.frame["flops"] <= BOUND).all()


def test_encoders_of_one_space_learn_from_the_labels_of_another_alone_and_evolution_goes_by_them(
    path: Path, tmp_path: Path
) -> None:
    with catalog.open(path, mode="write") as opened:
        opened.pretrain("cg", [OTHER], tmp_path / "encoders", objective="statistics", graphs=32, steps=10, **SMALL)
        opened.train("cg", SPACE, LABEL, tmp_path / "cg", sample=30, pretrained=str(tmp_path / "encoders"))
        opened.score(SPACE, "cg", checkpoint=tmp_path / "cg", column="learned")
        found = opened.search(SPACE, "learned", method="regularized-evolution", budget=40, max={"flops": BOUND})
        scored = opened.query(f"SELECT count(learned) FROM {SPACE}").item()
    assert scored == space_named(SPACE).size
    assert (found.frame["flops"] <= BOUND).all()
    assert found.frame["learned"].is_sorted(descending=True)
