"""Arrow tables of DuckDB's results as polars frames."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from catalog.errors import QueryError
from catalog.storage.frames import as_frame
from tests.catalog.cli.commands import call_catalog


def test_two_columns_of_one_name_are_refused_with_a_way_out(catalog_path: Path) -> None:
    sql = "SELECT 1 AS a, 2 AS a"
    with duckdb.connect() as connection, pytest.raises(QueryError, match="give each its own with AS"):
        as_frame(connection.execute(sql).to_arrow_table())
    answer = call_catalog("query", sql, "--format", "parquet", database=catalog_path)
    assert answer.returncode == 1
    assert answer.stderr == "error: two columns of the query have one name; give each its own with AS.\n"
