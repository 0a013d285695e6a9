"""A file says which way its own metrics and proxies are good, or is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import IngestError, UsageError
from catalog.storage.store import Store
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.reading.job import ingest

CHAIN = {"ops": ["input", "conv3x3", "output"], "edges": [[0, 1], [1, 2]]}


@pytest.fixture
def store(catalog_path: Path) -> Iterator[Store]:
    with Store.open(catalog_path, mode="write") as store:
        yield store


@pytest.fixture
def read(store: Store, tmp_path: Path) -> Any:
    """Reads lines with the metric bpc and the proxy tail; each call is another file."""
    files = iter(range(99))

    def read(*lines: dict[str, Any], **directions: int) -> None:
        path = tmp_path / f"f{next(files)}.jsonl"
        numbered = [{"id": f"{path.stem}-{place}", **CHAIN, **line} for place, line in enumerate(lines)]
        path.write_text("\n".join(map(json.dumps, numbered)))
        ingest(store, GraphsJSONL("mine", directions=directions), path)

    return read


def bpc(**more: str) -> dict[str, Any]:
    return {"metrics": [{"name": "bpc", "value": 1.5, **more}]}


def stored(store: Store) -> dict[str, int]:
    rows = store.rows("SELECT name, direction FROM measure UNION ALL SELECT name, direction FROM proxy WHERE version = "
                      "'published' ORDER BY ALL")  # fmt: skip
    return dict(rows)


def test_unknown_names_are_refused_all_at_once(store: Store, read: Any) -> None:
    with pytest.raises(UsageError, match=r"known of 'tail', 'bpc'.*--direction tail=.*--direction bpc=.*Nothing was"):
        read(bpc(), {"proxies": {"tail": 1.0, "snip": 2.0}})
    assert store.rows("SELECT count(*) FROM architecture") == [(0,)]
    assert stored(store) == {}


def test_one_line_is_enough_and_known_names_need_none(store: Store, read: Any) -> None:
    proxies = {"tail": {"value": None, "direction": "lower"}, "ntk_cond": 3.0, "nwot": 1}
    read(bpc(), {**bpc(direction="lower"), "proxies": proxies}, {"proxies": {"tail": 2.0}})
    assert stored(store) == {"bpc": -1, "tail": -1, "ntk_cond": -1, "nwot": 1}
    read(bpc(), {"proxies": {"tail": 5.0}})  # another file: the catalog knows them now


def test_the_user_may_say_it(store: Store, read: Any) -> None:
    read(bpc(), {"proxies": {"tail": 1.0}}, bpc=-1, tail=1)
    assert stored(store) == {"bpc": -1, "tail": 1}


@pytest.mark.parametrize(
    ("lines", "directions", "words"),
    [
        ([bpc(direction="lower"), bpc(direction="higher")], {}, "line 2: the direction of 'bpc' is higher here, but l"),
        ([bpc(direction="lower")], {"bpc": 1}, "line 1: .* higher was said before"),
        ([bpc(direction="down")], {}, "is 'down'; known are higher, lower"),
        ([{"proxies": {"tail": {"value": 1, "direction": -1}}}], {}, "is -1; known are higher, lower"),
        ([{"proxies": {"tail": {"value": 1}}}], {}, "an object has value and direction"),
        ([{"proxies": {"tail": {"value": {}, "direction": "lower"}}}], {}, "is an empty|is {}"),
    ],
)
def test_contradictions_and_other_words_are_refused(
    store: Store, read: Any, lines: list[dict[str, Any]], directions: dict[str, int], words: str
) -> None:
    with pytest.raises(IngestError, match=words):
        read(*lines, **directions)
    assert stored(store) == {}


@pytest.mark.parametrize(
    ("line", "directions"),
    [
        (bpc(direction="higher"), {}),
        (bpc(), {"bpc": 1}),
        ({"proxies": {"tail": {"value": 1, "direction": "higher"}}}, {}),
        ({"proxies": {"snip": 1}}, {"snip": -1}),
        ({"metrics": [{"name": "accuracy", "value": 90}]}, {"accuracy": -1}),
    ],
)
def test_what_the_catalog_holds_or_knows_is_not_turned_round(
    store: Store, read: Any, line: dict[str, Any], directions: dict[str, int]
) -> None:
    read({**bpc(direction="lower"), "proxies": {"tail": {"value": 1, "direction": "lower"}}})
    with pytest.raises(UsageError, match="round, of which (lower|higher) is better here"):
        read(line, **directions)
    assert stored(store) == {"bpc": -1, "tail": -1}


def test_an_option_for_nothing_is_refused(read: Any) -> None:
    with pytest.raises(UsageError, match=r"--direction names 'bcp', but the file has no such .*Did you mean bpc\?"):
        read(bpc(), bcp=-1)


def test_a_known_file_takes_in_what_nobody_has_said_yet(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "known.jsonl"
    path.write_text(json.dumps({"id": "a", **CHAIN, **bpc(direction="lower")}))
    ingest(store, GraphsJSONL("mine"), path)
    store.execute("UPDATE measure SET direction = NULL")  # as a file of an older version
    assert ingest(store, GraphsJSONL("mine", directions={"bpc": 1}), path).was_known
    assert stored(store) == {"bpc": 1}
    with pytest.raises(UsageError, match="turns 'bpc' round"):
        ingest(store, GraphsJSONL("mine", directions={"bpc": -1}), path)
