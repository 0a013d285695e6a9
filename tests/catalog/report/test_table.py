"""Numbers and tables as people read them, and as files that nothing obeys."""

from __future__ import annotations

import datetime
import math

import polars as pl
import pytest

from catalog.report.number_format import readable
from catalog.report.table import Column, Table, slug
from tests.catalog.report.conftest import HOSTILE


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, 3, "–"),
        (math.nan, 3, "–"),
        (math.inf, 3, "∞"),
        (-math.inf, None, "−∞"),
        (True, None, "yes"),
        (15_625, None, "15,625"),
        (0.7412, 3, "0.741"),
        (-0.0004, 3, "0.000"),
        (-0.25, 2, "−0.25"),
        (423_624.0, None, "423,624"),
        (0.1234567, None, "0.123457"),
        (datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC), None, "2026-01-02 03:04 UTC"),
        (["a", "b"], None, "a, b"),
        ("a\x1b[31mb", None, "a\ufffd[31mb"),
    ],
)
def test_values_as_people_read_them(value: object, digits: int | None, text: str) -> None:
    assert readable(value, digits) == text


def test_a_small_probability_is_not_zero() -> None:
    assert readable(3.2e-12, 3) == "0.000"
    assert readable(3.2e-12, 3, shows_small=True) == "3.2e-12"
    assert readable(0.0004, 3, shows_small=True) == "0.0004"
    assert readable(0.0, 3, shows_small=True) == "0.000"


FRAME = pl.DataFrame(
    {
        "proxy": ["tg_nas", HOSTILE, "=1+1", "@x", r"\input{/etc/passwd}", "50 % & more_"],
        "tau": [0.7412, None, -0.5, math.nan, 0.0, 1.0],
        "low": [0.736, None, -0.6, None, -0.1, 1.0],
        "high": [0.746, None, -0.4, None, 0.1, 1.0],
        "share": [0.604, 1.0, 0.0, None, 0.5, 1.0],
        "hidden": [1, 2, 3, 4, 5, 6],
    }
)
TABLE = Table(
    "example",
    f"An example {HOSTILE}\n\\input{{x}}",
    FRAME,
    (
        Column("proxy", is_number=False),
        Column("tau", "tau-b", 3, low="low", high="high"),
        Column("share", digits=1, is_share=True),
    ),
)


def test_rows_show_values_intervals_and_shares() -> None:
    assert repr(TABLE) == "Table('example', 6 rows, 3 of 6 columns)"
    first, second, *_ = TABLE.rows
    assert [cell.text for cell in first.cells] == ["tg_nas", "0.741", "60.4 %"]
    assert first.cells[1].aside == "[0.736, 0.746]"
    assert first.cells[1].order == 0.7412
    assert [cell.text for cell in second.cells] == [HOSTILE, "–", "100.0 %"]
    assert (second.cells[1].aside, second.cells[1].order) == ("", None)
    assert TABLE.rows[3].cells[1].order is None  # NaN stands last, as NULL does


def test_any_frame_is_a_table_under_its_own_names() -> None:
    table = Table.of("all", "All", FRAME)
    assert [column.heading for column in table.columns] == FRAME.columns
    assert [column.is_number for column in table.columns] == [False, True, True, True, True, True]


def test_identifiers_hold_nothing_that_means_something() -> None:
    assert slug("correlation", "nb201", "cifar10_test_accuracy") == "correlation-nb201-cifar10_test_accuracy"
    assert slug(HOSTILE) == "script-img-src-x-onerror-alert-1"
    assert slug("../..") == "unnamed"
