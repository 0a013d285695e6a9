"""Learning curves: columns of one predictor at several sizes, beside what noise in the labels allows."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from catalog.report.learning_curves import learning_curves
from catalog.report.report import Report, build_report
from catalog.storage.store import Store
from catalog.tables import views
from tests.catalog.report.conftest import TARGETS

SPACE = "few"
SIZES = {"few_5": 5, "few_10": 10, "also_10": 10, "few_20": 20, "single_7": 7}


@pytest.fixture
def trained(hostile_database: Path, tmp_path: Path) -> Path:
    """Columns of two predictors: one was trained at three sizes, twice at one of them, the other once."""
    path = Path(shutil.copy(hostile_database, tmp_path / "catalog.duckdb"))
    with Store.open(path, mode="write") as store, store.transaction():
        ids = store.query("SELECT id FROM architecture WHERE space = ? ORDER BY id", [SPACE])["id"].to_list()
        quality = dict(store.query(f"SELECT architecture_id, good_published FROM {SPACE}").iter_rows())
        run_id = store.query("SELECT min(id) FROM run").item()
        for column, size in SIZES.items():
            proxy_id = store.next_id("proxy")
            proxy = {"id": proxy_id, "name": column.split("_")[0].replace("also", "few"), "column": column}
            facts = {"version": "1", "direction": 1, "configuration": "{}", "checkpoint_digest": column}
            row = pa.Table.from_pylist([proxy | facts | {"description": column}])
            kinds = {"id": pa.int32(), "direction": pa.int16()}
            store.append("proxy", row.cast(pa.schema([(f.name, kinds.get(f.name, f.type)) for f in row.schema])))
            members = pa.table({"proxy_id": pa.array([proxy_id] * size, pa.int32()), "architecture_id": ids[:size]})
            store.append("training_member", members)
            values = [quality[one] + (one * 7919 % 13) / size for one in ids]
            store.append(
                "score",
                pa.table(
                    {
                        "architecture_id": ids,
                        "proxy_id": pa.array([proxy_id] * len(ids), pa.int32()),
                        "value": values,
                        "status": ["ok"] * len(ids),
                        "run_id": pa.array([run_id] * len(ids), pa.int32()),
                    }
                ),
            )
        views.rebuild(store, SPACE)
    return path


def report_of(path: Path, proxies: list[str] | None = None) -> Report:
    with Store.open(path) as store:
        return build_report(store, [SPACE], TARGETS[:1], proxies)


def test_columns_of_one_predictor_at_several_sizes_are_a_curve(trained: Path) -> None:
    report = report_of(trained, [*SIZES, "good_published"])
    (found,) = report.pools
    points = learning_curves(found)
    assert points.select("predictor", "labels", "proxy").rows() == [
        *[("few", 5, "few_5"), ("few", 10, "also_10"), ("few", 10, "few_10"), ("few", 20, "few_20")]
    ]
    judged = dict(found.table.select("proxy", "kendall_tau").iter_rows())
    assert points["kendall_tau"].to_list() == [judged[name] for name in points["proxy"]]
    choice = report.figures["learning"]
    (figure,) = choice.figures.values()
    line, dots, ceiling = figure.specification["data"]
    assert (line["name"], ceiling["name"]) == ("few", "noise ceiling")
    assert dots["text"] == list(points["proxy"])
    mean = points.filter(pl.col("labels") == 20)["kendall_tau"].item()
    assert f"{mean:.3f} with 20 labels" in figure.alternative
    assert "The noise ceiling is" in figure.alternative
    assert 'id="learning"' in report.page()


def test_one_size_is_no_curve(trained: Path, built: Report) -> None:
    report = report_of(trained, ["few_5", "single_7"])
    assert not report.figures["learning"].figures
    assert 'id="learning"' not in report.page()
    assert not built.figures["learning"].figures
