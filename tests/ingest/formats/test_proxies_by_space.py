"""The measured scores that come with the package: small, of known spaces, and read by name."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import catalog
from catalog.errors import IngestError, UsageError
from catalog.spaces import space_named
from catalog.storage.store import Store
from ingest.formats.proxies_by_space import TABLE, ProxiesBySpace, spaces_of
from ingest.reading.job import ingest


def test_the_table_is_small_and_each_score_has_a_value_or_a_reason() -> None:
    assert TABLE.stat().st_size < 2_000_000
    table = pl.read_parquet(TABLE)
    assert (table["status"] == "ok").to_list() == table["value"].is_not_null().to_list()
    assert (table["status"] != "ok").to_list() == table["reason"].is_not_null().to_list()
    assert not table.select("space", "architecture", "proxy").is_duplicated().any()
    counts = table.group_by("space", "architecture").len()["len"].unique()
    assert len(counts) == 1  # each architecture has every proxy


@pytest.mark.parametrize("space", spaces_of(TABLE))
def test_its_ids_are_those_of_their_spaces(space: str) -> None:
    ids = pl.read_parquet(TABLE).filter(space=space)["architecture"].unique().sort()
    known = space_named(space)
    assert 1 < len(ids) <= 300
    assert [known.locate(one) for one in ids] == ids.to_list()


def test_scores_of_one_space_are_columns_of_its_view(tmp_path: Path) -> None:
    table = pl.read_parquet(TABLE).filter(space="naap440")
    with catalog.open(tmp_path / "c.duckdb", mode="write") as c:
        (report,) = c.ingest("proxies-by-space", space="naap440")
        (again,) = c.ingest("proxies-by-space", space="naap440")
        assert (report.scores, report.new_architectures) == (len(table), table["architecture"].n_unique())
        assert again.was_known
        found = c.query("SELECT arch AS architecture, zen_published_photos AS value FROM naap440 ORDER BY arch")
        expected = table.filter(proxy="zen").select("architecture", "value").sort("architecture")
        assert found.rows() == expected.rows()
        assert len(c.ingest("proxies-by-space")) == len(spaces_of(TABLE))


def test_another_space_and_a_file_are_refused(tmp_path: Path) -> None:
    with catalog.open(tmp_path / "c.duckdb", mode="write") as c:
        with pytest.raises(UsageError, match="no scores of 'naap' come with the package"):
            c.ingest("proxies-by-space", space="naap")
        with pytest.raises(UsageError, match="name no file"):
            c.ingest("proxies-by-space", "mine.parquet")
        with pytest.raises(UsageError, match="has no option source"):
            c.ingest("proxies-by-space", source="mine")


@pytest.mark.parametrize("content", [b"not a table", None])
def test_a_damaged_table_is_refused(catalog_path: Path, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "other.parquet"
    if content is None:
        pq.write_table(pa.table({"space": ["naap440"]}), path)
    else:
        path.write_bytes(content)
    with Store.open(catalog_path, mode="write") as store, pytest.raises(IngestError, match=r"other\.parquet is no"):
        ingest(store, ProxiesBySpace("naap440"), path)
