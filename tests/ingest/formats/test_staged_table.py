"""Tables of staged spaces: what they say is stored exactly, what they get wrong is refused by place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.errors import IngestError, UsageError
from catalog.spaces.staged import built_in
from catalog.storage.store import Store
from ingest.formats.staged_table import StagedTable
from ingest.reading.job import ingest

HEADER = "arch,test_acc_0,test_acc_1,test_acc_2,params,flops"
ROWS = ("00000000,45.25,45.5,45.75,387882,7713280", "00000001,64.5,64.25,64.0,791594,14115328")


def reader(source: str | None = None) -> StagedTable:
    return StagedTable(built_in("nasbench_macro"), source=source)


def table(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "macro.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def test_each_training_is_kept(tmp_path):
    (batch,) = reader().read(table(tmp_path, *ROWS))
    assert batch.members.native_ids == ["00000000", "00000001"]
    metrics = batch.metrics.to_pylist()
    of_first = [(row["repeat"], row["value"]) for row in metrics if row["row"] == 0 and row["name"] == "accuracy"]
    assert of_first == [(1, 45.25), (2, 45.5), (3, 45.75)]
    assert {(row["kind"], row["dataset"], row["split"]) for row in metrics if row["name"] == "accuracy"} == {
        ("trained", "cifar10", "test")
    }
    assert {row["name"]: row["value"] for row in metrics if row["row"] == 1 and row["kind"] == "reported"} == {
        "parameters": 791594,
        "flops": 14115328,
    }


def test_the_same_as_json(tmp_path):
    path = tmp_path / "nas-bench-macro_cifar10.json"
    said = {"test_acc": [45.25, 45.5, 45.75], "mean_acc": 45.5, "std": 0.2, "params": 387882, "flops": 7713280}
    path.write_text(json.dumps({"00000000": said}))
    (batch,) = reader().read(path)
    (of_table,) = reader().read(table(tmp_path, ROWS[0]))
    assert batch.metrics.equals(of_table.metrics)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "00000003,45,45,45,387882,7713280",
            "macro.csv line 2: arch: '00000003' is no id of the space",
        ),
        ("00000000,45,45,45,387883,7713280", "line 2: params is 387,883, but the network of 00000000 has 387,882."),
        ("00000000,45,45,45,387882,1", "line 2: flops is 1, but the network of 00000000 has 7,713,280."),
        ("00000000,45,high,45,387882,7713280", "line 2: test_acc_1 is 'high'; a number is needed."),
        ("00000000,45,,45,387882,7713280", "line 2: test_acc_1 or test_acc.1 is missing"),
        ("00000000,45,145,45,387882,7713280", "line 2: test_acc_1 is 145; accuracies are percent"),
        ("00000000,.45,.46,.45,387882,7713280", "these are fractions"),
    ],
)
def test_a_wrong_row_is_refused_by_line(tmp_path, row, said):
    with pytest.raises(IngestError) as error:
        list(reader().read(table(tmp_path, row)))
    assert said in str(error.value)
    assert "othing was stored" in str(error.value)


def test_an_architecture_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(IngestError, match="line 3: the architecture 00000000 stands at macro.csv line 2 already"):
        list(reader().read(table(tmp_path, ROWS[0], ROWS[0])))


def test_a_column_that_means_nothing_is_refused(tmp_path):
    with pytest.raises(IngestError, match="columns that mean nothing here: tset_acc_0"):
        list(reader().read(table(tmp_path, ROWS[0], header=HEADER.replace("test_acc_0", "tset_acc_0"))))


@pytest.mark.parametrize("text", ["[1, 2]", '{"00000000": 3}', "{"])
def test_json_of_another_form_is_refused(tmp_path, text):
    path = tmp_path / "macro.json"
    path.write_text(text)
    with pytest.raises(IngestError, match="macro.json"):
        list(reader().read(path))


def test_a_table_of_ones_own_is_no_benchmarks(tmp_path, catalog_path):
    path = table(tmp_path, *ROWS)
    with Store.open(catalog_path, mode="write") as store:
        assert ingest(store, reader(), path).source == "macro"
        columns = store.arrow("SELECT * FROM nasbench_macro").column_names
    assert "cifar10_test_accuracy_macro" in columns
    with pytest.raises(UsageError, match="name of the catalog's own or a benchmark's"):
        reader("nasbench_macro").facts(path)


def test_the_published_table_is_known_by_its_numbers(data_dir, catalog_path):
    """All 6,561 networks have the published parameters and multiply-accumulates: any other is refused."""
    path = data_dir / "spaces" / "nasbench_macro.csv.gz"
    if not path.exists():
        pytest.skip(f"needs {path}")
    with Store.open(catalog_path, mode="write") as store:
        report = ingest(store, reader(), path)
        assert (report.source, report.records, report.new_architectures) == ("nasbench_macro", 6561, 6561)
        best = store.rows("SELECT arch FROM nasbench_macro ORDER BY cifar10_test_accuracy DESC LIMIT 1")
        functions = store.rows("SELECT count(DISTINCT canonical_id) FROM architecture")
        counts = store.rows(
            "SELECT max(n) FROM (SELECT count(DISTINCT (params, flops)) AS n FROM nasbench_macro GROUP BY canonical_id)"
        )
    assert (len(best), functions, counts) == (1, [(3969,)], [(1,)])
