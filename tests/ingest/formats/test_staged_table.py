"""Tables of staged spaces: what they say is stored exactly, what they get wrong is refused by place."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow.compute as pc
import pytest

from catalog.architecture.computation.sized import SizedNetworks
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
        ("00000000,45,1e400,45,387882,7713280", "is '1e400'; a number from -1e+300 to 1e+300 is needed."),
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


def test_layers_of_json_are_choices_and_fractions_become_percent(tmp_path):
    path = tmp_path / "chains.jsonl"
    layers = [
        {"kernel_size": 3, "width": 12, "stride": 2, "residual": False},
        {"kernel_size": 3, "width": 16, "stride": 2, "residual": False},
        {"kernel_size": 1, "width": 16, "stride": 1, "residual": True},
    ]

    def said(changed: list[dict[str, object]]) -> None:
        line = {"id": 1, "layers": changed, "params": 2566, "macs": 231600, "cifar10_test_accuracy_fraction": 0.5888}
        path.write_text(json.dumps(line) + "\n")

    loader = StagedTable(built_in("naap440"))
    said(layers)
    (batch,) = loader.read(path)
    assert batch.members.native_ids == ["12-16-k1w16s1r1-k0w32s1r0"]
    assert batch.metrics["value"].to_pylist()[0] == 58.88
    for changed, fault in (
        ([{**layers[0], "stride": 1}, *layers[1:]], "layers.0.stride is 1; in this space it is always 2."),
        ([*layers[:2], {**layers[2], "width": 17}], "layers.2.width is 17; one of 16, 24, 32 is needed."),
        ([*layers[:2], {**layers[2], "width": 24}], "is no architecture of the space 'naap440'"),
        ([*layers, layers[2], layers[2]], "line 1: layers.3.width is 16; one of 32, 40 is needed."),
        (
            [*layers, {**layers[2], "width": 32, "residual": False}, layers[2]],
            "layers.4.kernel_size is 1, and the space",
        ),
        (layers[:2], "layers.2.kernel_size is missing"),
        ([*layers[:2], {**layers[2], "kernel_size": True}], "layers.2.kernel_size is True; one of 1, 3 is needed."),
    ):
        said(changed)
        with pytest.raises(IngestError) as error:
            list(StagedTable(built_in("naap440")).read(path))
        assert fault in str(error.value)


def test_several_records_of_one_architecture_are_trainings(tmp_path):
    header = ["id", *(f"block{stage}_{choice}" for stage in range(7) for choice in ("e", "k", "l", "se"))]
    header += ["val_top1", "val_top5", "params_m", "macs_m"]
    shallow = ["1", "3", "1", "False"] * 7
    path = tmp_path / "accel.csv"
    rows = [["0", *shallow, "50.5", "75", "1.0", "100"], ["1", *shallow, "50.25", "75.5", "1.0", "100"]]
    path.write_text("\n".join(",".join(row) for row in (header, *rows)))
    with pytest.raises(IngestError, match="line 2: params_m is 1,000,000, but the network of e1k3l1seFalse"):
        list(StagedTable(built_in("accel_nasbench")).read(path))
    space = built_in("accel_nasbench")
    graph = space.graph("_".join(["e1k3l1seFalse"] * 7))
    parameters = SizedNetworks(space.vocabulary).facts(graph).parameters
    assert parameters is not None
    path.write_text(path.read_text().replace("1.0,100", f"{parameters / 1e6},100"))
    (batch,) = StagedTable(space).read(path)
    assert (batch.record_count, len(batch.members)) == (2, 1)
    top1 = batch.metrics.filter(pc.field("name") == "accuracy").to_pylist()
    assert [(row["row"], row["repeat"], row["value"]) for row in top1] == [(0, 1, 50.5), (0, 2, 50.25)]


def test_accuracies_of_a_supernet_never_share_a_column_with_trainings(tmp_path, catalog_path):
    space = built_in("ofa")
    graph = space.graph(space.locate("w1.0r128:d2:k3e3.k3e3_d2:k3e3.k3e3_d2:k3e3.k3e3_d2:k3e3.k3e3_d2:k3e3.k3e3"))
    facts = SizedNetworks(space.vocabulary).facts(graph)
    blocks = " ".join(["3"] * 20)
    row = f"{blocks},{blocks},2 2 2 2 2,128,{facts.parameters},{facts.multiply_accumulates},71.5"
    path = tmp_path / "subnets.csv"
    path.write_text(f"kernels,expansions,depths,resolution,params,macs,top1\n{row}\n")
    with Store.open(catalog_path, mode="write") as store:
        ingest(store, StagedTable(space), path)
        assert store.rows("SELECT kind, value FROM metric WHERE name = 'accuracy'") == [("supernet", 71.5)]
        columns = store.arrow("SELECT * FROM ofa").column_names
    assert "imagenet_valid_accuracy_subnets_supernet" in columns


def published(data_dir: Path, name: str) -> Path:
    path = data_dir / "spaces" / name
    if not path.exists():
        pytest.skip(f"needs {path}")
    return path


@pytest.mark.parametrize(
    ("name", "file", "records", "architectures"),
    [
        ("naap440", "naap440.jsonl.gz", 440, 440),
        ("accel_nasbench", "accel_nasbench.csv.gz", 5138, 5125),
        ("ofa", "ofa_mobilenetv3.csv.gz", 2223, 2162),
        ("autoformer", "autoformer.jsonl.gz", 200, 200),
        ("flexibert", "flexibert.jsonl.gz", 500, 491),
        ("decoder_lm", "decoder_lm.csv.gz", 130, 130),
    ],
)
def test_all_networks_have_the_published_counts(data_dir, name, file, records, architectures):
    """Where counts have to be equal, a record with any other is refused."""
    path = published(data_dir, file)
    loader = StagedTable(built_in(name))
    (batch,) = loader.read(path)
    assert (batch.record_count, len(batch.members)) == (records, architectures)
    assert loader.facts(path).name == name


@pytest.mark.parametrize(
    ("name", "file"), [("naap440", "naap440.jsonl.gz"), ("accel_nasbench", "accel_nasbench.csv.gz")]
)
def test_what_the_sources_counter_adds_is_known(data_dir, name, file):
    """4 for each number that is normalised; at the end, for each channel, the pixels and one more."""
    space = built_in(name)
    (batch,) = StagedTable(space).read(published(data_dir, file))
    squeezed = [row for row, native_id in enumerate(batch.members.native_ids) if "True" in native_id]
    rows = [row for row in range(len(batch.members)) if row not in squeezed][::50]
    metrics = batch.metrics.filter(pc.field("name") == "flops").to_pylist()
    said = {row["row"]: row["value"] for row in metrics}
    assert batch.members.graphs is not None
    plans = space.network_plans([batch.members.graphs[row] for row in rows], compressed=False)
    for row, plan in zip(rows, plans, strict=True):
        assert plan is not None
        layers = [layer for block in plan.blocks for layer in block.layers]
        normalised = sum(math.prod(layer.shape) for layer in layers if layer.primitive.operator.name == "batchnorm")
        names = [layer.primitive.operator.name for layer in layers]
        pooled = layers[names.index("global_avgpool") - 1].shape
        added = 4 * normalised + pooled[1] * (pooled[2] * pooled[3] + 1)
        assert said[row] == pytest.approx(plan.multiply_accumulates + added, rel=1e-9)


def test_the_published_table_is_known_by_its_numbers(data_dir, catalog_path):
    """All 6,561 networks have the published parameters and multiply-accumulates: any other is refused."""
    path = published(data_dir, "nasbench_macro.csv.gz")
    with Store.open(catalog_path, mode="write") as store:
        report = ingest(store, reader(), path)
        assert (report.source, report.records, report.new_architectures) == ("nasbench_macro", 6561, 6561)
        best = store.rows("SELECT arch FROM nasbench_macro ORDER BY cifar10_test_accuracy DESC LIMIT 1")
        functions = store.rows("SELECT count(DISTINCT canonical_id) FROM architecture")
        counts = store.rows(
            "SELECT max(n) FROM (SELECT count(DISTINCT (params, flops)) AS n FROM nasbench_macro GROUP BY canonical_id)"
        )
    assert (len(best), functions, counts) == (1, [(3969,)], [(1,)])
