"""The benchmark of proxies on all spaces takes turns, goes on after a kill, and leaves out what is too large."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch, of the extra predict")

import benchmarks.proxies_by_space as benchmark
from benchmarks.proxies_by_space import COUNTED, HEADLINE, MEASURED, Row, complete, measure_rows, rows_in_turn
from catalog.spaces import SPACES, space_named

CHAINS = [Row("naap440", space_named("naap440").native_id(graph)) for graph in space_named("naap440").sample(3, seed=1)]


def test_a_metric_is_chosen_for_known_spaces_alone() -> None:
    assert set(HEADLINE) <= set(SPACES)


def test_spaces_take_turns_and_a_small_one_ends_early() -> None:
    first, second = [Row("a", str(place)) for place in range(3)], [Row("b", "0")]
    assert list(rows_in_turn([first, second])) == [first[0], second[0], first[1], first[2]]
    assert list(rows_in_turn([])) == []


def test_a_kill_costs_the_architecture_that_it_cut_off_and_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scores.csv"
    measure_rows(iter(CHAINS[:2]), file)
    whole = complete(file)
    assert [line["proxy"] for line in whole] == [*MEASURED, *MEASURED]
    text = file.read_text()
    file.write_text(text[: text.rindex("az_progressivity")])
    capsys.readouterr()
    measure_rows(iter(CHAINS), file)
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        f"naap440 {row.architecture}" for row in CHAINS[1:]
    ]
    again = complete(file)
    assert [(line["architecture"], line["value"]) for line in again[: len(whole)]] == [
        (line["architecture"], line["value"]) for line in whole
    ]
    assert len(again) == 3 * len(MEASURED)


def test_a_network_that_is_too_large_has_counts_and_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "MOST_PARAMETERS", 10)
    found = benchmark.measured(space_named("naap440").graph(CHAINS[0].architecture))
    assert [one.proxy for one in found] == list(MEASURED)
    assert [one.proxy for one in found if one.status == "ok"] == list(COUNTED)
    assert {one.reason for one in found[len(COUNTED) :]} == {"not measured: it has more than 10 parameters"}
