"""The table ``measure``: filled by every way in, corrected by hand, and never by a guess."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.errors import UsageError
from catalog.storage.store import Store
from catalog.tables import measures


@pytest.fixture
def store(catalog_path: Path) -> Iterator[Store]:
    with Store.open(catalog_path, mode="write") as store:
        yield store


def test_what_sounds_like_a_cost_is_not_taken_for_one() -> None:
    assert measures.known_measure("perplexity").direction == -1
    assert measures.known_measure("Accuracy").direction == 1
    assert measures.known_measure("tuned_learning_rate").direction == 0
    for name in ("neg_loss", "lossless", "room_layout", "energy_saved"):
        assert measures.known_measure(name) == measures.Measure(name, None, None)


@pytest.mark.parametrize("given", [["a=lower", "b=c=higher"], {"a": "lower", "b=c": "higher"}])
def test_directions_are_parsed(given: list[str] | dict[str, str]) -> None:
    assert measures.parsed(given) == {"a": -1, "b=c": 1}
    assert measures.parsed("a=lower") == {"a": -1}


@pytest.mark.parametrize("option", ["a", "a=", "=lower", "a=down", "a=-1", ""])
def test_other_forms_are_refused(option: str) -> None:
    with pytest.raises(UsageError, match="not of the form NAME=higher or NAME=lower"):
        measures.parsed([option])


def test_saying_both_is_refused() -> None:
    with pytest.raises(UsageError, match="both higher and lower of 'a'"):
        measures.parsed(["a=lower", "a=higher"])


def test_what_is_stored_holds_before_what_is_known(store: Store) -> None:
    measures.enter(store, {"time": 1, "bpc": -1})
    assert measures.settled(store, "f", ["time", "bpc", "rmse", "odd"], {}) == {
        "bpc": -1,
        "odd": None,
        "rmse": -1,
        "time": 1,
    }
    with pytest.raises(UsageError, match=r"f: it turns 'bpc' round, of which lower is better here"):
        measures.settled(store, "f", ["bpc"], {"bpc": 1})


def test_a_default_gives_way_to_what_the_user_says_but_for_our_own_names(store: Store) -> None:
    assert measures.settled(store, "f", ["time"], {"time": 1}) == {"time": 1}
    with pytest.raises(UsageError, match="turns 'accuracy' round"):
        measures.settled(store, "f", ["accuracy"], {"accuracy": -1})


def test_a_stored_name_without_direction_gets_one(store: Store) -> None:
    store.execute("INSERT INTO measure VALUES ('bpc', NULL, NULL)")
    measures.enter(store, {"bpc": -1})
    assert store.rows("SELECT * FROM measure") == [("bpc", None, -1)]


def test_directions_are_corrected_by_name(store: Store) -> None:
    measures.enter(store, {"bpc": 1, "accuracy": 1})
    assert measures.declare(store, {"bpc": -1}) == []
    assert measures.measures(store).frame().rows() == [
        ("accuracy", "metric", "percent", "higher", None),
        ("bpc", "metric", None, "lower", None),
    ]
    with pytest.raises(UsageError, match="'bcp'.* Did you mean bpc"):
        measures.declare(store, {"bcp": -1})
    with pytest.raises(UsageError, match="accuracy means the same in every catalog"):
        measures.declare(store, {"accuracy": -1})
