"""Arrow tables of DuckDB's results as polars frames."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars
import pytest

from catalog.errors import QueryError
from catalog.storage.frames import as_frame
from tests.catalog.cli.commands import call_catalog


def frame(sql: str) -> polars.DataFrame:
    with duckdb.connect() as connection:
        return as_frame(connection.execute(sql).to_arrow_table())


def test_a_sum_of_whole_numbers_is_a_whole_number() -> None:
    found = frame("SELECT sum(x) AS total, sum(x) FILTER (x > 5) AS nothing FROM range(3) AS t(x)")
    assert found.dtypes == [polars.Int64, polars.Int64]
    assert found.row(0) == (3, None)


def test_what_does_not_fit_into_64_bits_keeps_its_digits() -> None:
    found = frame("SELECT unnest([1, 2::HUGEINT ** 64::HUGEINT]::HUGEINT[]) AS x")
    assert [int(value) for value in found["x"]] == [1, 2**64]


def test_a_price_stays_a_decimal() -> None:
    assert frame("SELECT 1.50::DECIMAL(9, 2) AS x").dtypes == [polars.Decimal(9, 2)]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT 1 AS a, 2 AS a", "two columns of the query have one name"),
        ("SELECT INTERVAL 3 DAY AS x", r"polars does not have \(x month_day_nano_interval\); cast it"),
    ],
)
def test_what_no_frame_can_hold_is_refused_with_a_way_out(sql: str, words: str, catalog_path: Path) -> None:
    with pytest.raises(QueryError, match=words):
        frame(sql)
    answer = call_catalog("query", sql, "--format", "parquet", database=catalog_path)
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: ")
