"""The table that comes with the package: what it holds, and that its numbers come out again."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import IngestError
from catalog.spaces.nb201 import NASBench201
from catalog.storage.store import Store
from catalog.tables.space_view import SpaceView
from ingest.formats.nb201_digits import TABLE, NB201Digits
from ingest.reading.job import content_digest, ingest
from predictor.networks.datasets import digits
from predictor.own_training.trainer import train

SPACE = NASBench201()


def test_the_table_is_small_and_few_of_its_cells_are_one_function() -> None:
    """It was drawn from functions in which a pooling that stands twice counted as two: 30 pairs are one by now."""
    assert TABLE.stat().st_size <= 1_000_000
    table = pl.read_parquet(TABLE)
    cells = table["native_id"].unique().to_list()
    assert len(cells) >= 2000
    assert len({SPACE.graph(cell).digest for cell in cells}) == len(cells) - 30
    assert all(SPACE.graph(cell).is_connected for cell in cells[:200])
    assert table.group_by("native_id").agg(pl.col("seed").sort())["seed"].to_list() == [[0, 1, 2]] * len(cells)
    assert table.select(pl.col("valid_accuracy", "test_accuracy").is_between(0, 100)).to_numpy().all()


def test_training_again_gives_the_numbers_of_the_table() -> None:
    table = pl.read_parquet(TABLE).sort("native_id", "seed")
    cell = table["native_id"][0]
    own = train(SPACE.graph(cell), digits(), epochs=2, seeds=(0, 1, 2))
    stored = table.filter(native_id=cell)
    # Another processor adds in another order; on the one that made the table the numbers are equal.
    assert [one.test for one in own] == pytest.approx(stored["test_accuracy"].to_list(), abs=2.0)
    assert [one.valid for one in own] == pytest.approx(stored["valid_accuracy"].to_list(), abs=2.0)


def test_a_training_is_a_metric_with_its_seed(catalog_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as catalog:
        report = ingest(catalog, NB201Digits(), TABLE)
        again = ingest(catalog, NB201Digits(), TABLE)
        assert (report.records, report.metrics, again.was_known) == (
            3 * report.new_architectures,
            6 * report.new_architectures,
            True,
        )
        name, digest, kind = catalog.query("SELECT name, sha256, kind FROM source").row(0)
        assert (name, digest, kind) == ("nb201-digits", content_digest(TABLE), "nb201-digits")
        facts = catalog.query("SELECT DISTINCT name, kind, dataset, split, epochs, stage FROM metric ORDER BY split")
        assert facts.rows() == [("accuracy", "trained", "digits", split, 2, "final") for split in ("test", "valid")]
        first = pl.read_parquet(TABLE).sort("native_id", "seed")[:3]
        wide = SpaceView.of(catalog, "nb201").frame(["cell", "digits_test_accuracy", "digits_valid_accuracy"])
        row = wide.filter(cell=first["native_id"][0]).row(0)
        assert row[1:] == pytest.approx((first["test_accuracy"].mean(), first["valid_accuracy"].mean()))


@pytest.mark.parametrize("content", [b"not a table", None])
def test_another_file_is_refused(catalog_path: Path, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "other.parquet"
    if content is None:
        pq.write_table(pa.table({"native_id": ["a"]}), path)
    else:
        path.write_bytes(content)
    with (
        Store.open(catalog_path, mode="write") as catalog,
        pytest.raises(IngestError, match=r"other\.parquet is no"),
    ):
        ingest(catalog, NB201Digits(), path)
