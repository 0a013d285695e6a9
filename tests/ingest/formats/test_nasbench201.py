"""NAS-Bench-201 archives and NATS-Bench files: values, safety, and both layouts of ``torch.save``."""

from __future__ import annotations

import bz2
import gzip
import os
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from catalog.errors import IngestError
from catalog.spaces import nb201
from ingest.formats.nasbench201 import NASBench201Archive, space_of
from ingest.reading.batch import Batch
from ingest.reading.torch_archive import TorchArchive
from tests.ingest.formats.damage import DAMAGE, Damage, damaged, survives
from tests.ingest.formats.writers import nasbench201_archive, nasbench201_state, torch_legacy, torch_zip

CELLS = {index: nb201.format_cell(nb201.parse(index)) for index in (0, 11, 284, 6111)}
LAYOUTS = {"legacy": torch_legacy, "zip": torch_zip}


def batches(path: Path, **options: Any) -> list[Batch]:
    return list(NASBench201Archive(space_of(path), **options).read(path))


def frame(found: list[Batch]) -> pl.DataFrame:
    """Metrics of all batches, by native index instead of row."""
    parts = []
    for batch in found:
        metrics = pl.from_arrow(batch.metrics)
        assert isinstance(metrics, pl.DataFrame)
        parts.append(
            metrics.with_columns(pl.col("row").replace_strict(dict(enumerate(batch.members.native_indices or []))))
        )
    return pl.concat(parts).rename({"row": "index"})


def mean(metrics: pl.DataFrame, index: int, dataset: str, split: str, epochs: int) -> float:
    chosen = metrics.filter(index=index, dataset=dataset, split=split, epochs=epochs, name="accuracy")
    assert len(chosen)
    value = chosen["value"].mean()
    assert isinstance(value, float)
    return value


@pytest.fixture
def samples(data_dir: Path) -> Path:
    return data_dir / "formats" / "nats_bench_samples"


def test_samples_agree_with_the_tables_of_all_cells(samples: Path, data_dir: Path) -> None:
    metrics = frame(batches(samples / "NATS-tss-v1_0-3ffb9-simple"))
    long = pl.read_csv(data_dir / "nb201/nb201_v1.1_200ep.csv.gz")
    short = pl.read_csv(data_dir / "nb201/nb201_12ep.csv.gz")
    nats = pl.read_csv(data_dir / "nb201/nats_v1.0_200ep_test.csv.gz")
    columns = {
        ("cifar10-valid", "valid"): "cifar10_valid_acc",
        ("cifar10", "test"): "cifar10_test_acc",
        ("cifar100", "valid"): "cifar100_valid_acc",
        ("cifar100", "test"): "cifar100_test_acc",
        ("imagenet16-120", "valid"): "imagenet16_valid_acc",
        ("imagenet16-120", "test"): "imagenet16_test_acc",
    }
    for table, epochs in ((long, 200), (short, 12), (nats, 200)):
        for row in table.filter(pl.col("nb201_index").is_in([0, 11, 284])).iter_rows(named=True):
            for (dataset, split), column in columns.items():
                if column in row:
                    found = mean(metrics, row["nb201_index"], dataset, split, epochs)
                    assert found == pytest.approx(row[column], abs=1e-6), (row["nb201_index"], column, epochs)


def test_seeds_of_a_sample_are_the_tables_seeds(samples: Path) -> None:
    metrics = frame(batches(samples / "NATS-tss-v1_0-3ffb9-simple"))
    chosen = metrics.filter(index=0, dataset="cifar10", split="test", epochs=200, name="accuracy").sort("seed")
    assert chosen["seed"].to_list() == [777, 888, 999]
    assert sorted(chosen["value"].to_list()) == [85.62, 85.79, 86.18]  # nb201_v1.1_200ep.csv.gz, line 2


def test_validation_test_and_their_union_are_told_apart(samples: Path) -> None:
    """5,000 validation and 5,000 test images make the 10,000 of ``ori-test``, so the union is their mean."""
    metrics = frame(batches(samples / "NATS-tss-v1_0-3ffb9-simple"))
    for index in (0, 11, 284):
        valid, test, union = (mean(metrics, index, "cifar100", split, 200) for split in ("valid", "test", "union"))
        assert union == pytest.approx((valid + test) / 2, abs=0.01)


def test_costs_and_times_of_a_sample(samples: Path) -> None:
    metrics = frame(batches(samples / "NATS-tss-v1_0-3ffb9-simple")).filter(index=11)
    costs = {
        row["name"]: row["value"] for row in metrics.filter(dataset="cifar10", kind="reported").iter_rows(named=True)
    }
    assert (costs["parameters"], costs["flops"]) == (802426, 113951370)
    assert costs["latency"] == pytest.approx(16.163252947623268)  # 0.016163 s in the file
    training = metrics.filter(name="training_time", dataset="cifar10-valid", epochs=12, seed=777)["value"].to_list()
    assert training == [pytest.approx(12 * 12.462056795756022)]


def test_costs_are_those_of_the_network_with_the_data_sets_classifier(samples: Path) -> None:
    """Of both spaces and on every data set; the archive's own counts are compared while it is read."""
    for folder, members in (("NATS-tss-v1_0-3ffb9-simple", 3), ("NATS-sss-v1_0-50262-simple", 3)):
        found = batches(samples / folder)
        assert not any(batch.notes for batch in found)
        costs = frame(found).filter(pl.col("name").is_in(["parameters", "flops"]))
        assert len(costs) == members * 4 * 2


def test_fractions_are_refused(tmp_path: Path) -> None:
    value: Any = nasbench201_archive({11: CELLS[11]})
    for state in value["arch2infos"][11].values():
        for result in state["all_results"].values():
            for name in ("train_acc1es", "eval_acc1es"):
                result[name] = {key: accuracy / 100 for key, accuracy in result[name].items()}
    path = tmp_path / "archive.pth"
    path.write_bytes(torch_legacy(value))
    with pytest.raises(IngestError, match=r"architecture 11: .* so these are fractions"):
        batches(path)


def test_each_column_of_accuracies_is_judged_by_itself(tmp_path: Path) -> None:
    value: Any = nasbench201_archive({11: CELLS[11]})
    for (dataset, _), result in value["arch2infos"][11]["full"]["all_results"].items():
        if dataset == "cifar100":
            result["eval_acc1es"] = {key: accuracy / 100 for key, accuracy in result["eval_acc1es"].items()}
    with pytest.raises(IngestError, match="valid accuracy on cifar100 after 200 epochs is .* so these are fractions"):
        batches(archive(tmp_path, value))


def test_small_accuracies_among_percents_are_said(tmp_path: Path) -> None:
    value: Any = nasbench201_archive({11: CELLS[11]})
    trial(value["arch2infos"][11])["eval_acc1es"]["ori-test@199"] = 0.9
    (note,) = batches(archive(tmp_path, value))[0].notes
    assert note.startswith("test accuracy on cifar10 after 200 epochs: 1 of 2 values are 1 or less")


def archive(folder: Path, value: Any) -> Path:
    path = folder / "archive.pth"
    path.write_bytes(torch_legacy(value))
    return path


def test_trainings_without_their_last_epoch_are_said(tmp_path: Path) -> None:
    value: Any = nasbench201_archive({11: CELLS[11]})
    for result in value["arch2infos"][11]["full"]["all_results"].values():
        result["eval_acc1es"] = {key: one for key, one in result["eval_acc1es"].items() if not key.endswith("@199")}
    (note,) = batches(archive(tmp_path, value))[0].notes
    assert note.startswith("8 trainings have no accuracy of an evaluation set after their last epoch")
    assert "cifar10-valid with seed 777 at 200 epochs: x-valid, ori-test" in note


def test_a_training_that_stands_under_two_seeds_is_said(tmp_path: Path) -> None:
    value: Any = nasbench201_archive({11: CELLS[11]})
    results = value["arch2infos"][11]["full"]["all_results"]
    results["cifar10", 888] = {**results["cifar10", 777], "seed": 888}
    (note,) = batches(archive(tmp_path, value))[0].notes
    assert note.startswith("1 trainings have every number of another seed: one training may stand twice")
    assert "cifar10 with seed 888 at 200 epochs, as seed 777" in note


def test_the_archives_own_list_is_compared(tmp_path: Path) -> None:
    value: Any = nasbench201_archive({11: CELLS[11], 284: CELLS[284]})
    value["meta_archs"] = [CELLS[11], CELLS[0]]
    with pytest.raises(IngestError, match=r"archive\.pth: .* but not in its own list meta_archs; 1 architectures"):
        batches(archive(tmp_path, value))
    value["meta_archs"] = [CELLS[11], CELLS[0], CELLS[284]]
    assert batches(archive(tmp_path, value))[0].notes == (
        "meta_archs names 1 architectures that the archive does not hold.",
    )
    value["meta_archs"] = 7
    with pytest.raises(IngestError, match="meta_archs is 7; a list of texts"):
        batches(archive(tmp_path, value))


def test_the_folder_of_nasbench201s_own_files_is_nasbench201(tmp_path: Path) -> None:
    folder = tmp_path / "NAS-Bench-201-v1_1-096897"
    folder.mkdir()
    value: Any = nasbench201_archive({11: CELLS[11]})
    (folder / "000011-FULL.pth").write_bytes(torch_legacy(value["arch2infos"][11]))
    facts = NASBench201Archive().facts(folder)
    assert (facts.name, facts.kind, facts.version) == ("nb201", "nb201-archive", "v1.1")
    assert sum(batch.record_count for batch in batches(folder)) == 9
    (folder / "000012.pickle.pbz2").write_bytes(b"")
    with pytest.raises(IngestError, match="each belongs into a folder of its own"):
        batches(folder)


def test_other_flops_are_said(tmp_path: Path) -> None:
    value: Any = nasbench201_archive({11: CELLS[11]})
    for state in value["arch2infos"][11].values():
        for result in state["all_results"].values():
            result["flop"] *= 2
    path = tmp_path / "archive.pth"
    path.write_bytes(torch_legacy(value))
    (note,) = batches(path)[0].notes
    assert "those of 1 architectures are not the multiply-accumulates of their network" in note


def test_the_size_space_is_a_space_of_its_own(samples: Path) -> None:
    folder = samples / "NATS-sss-v1_0-50262-simple"
    loader = NASBench201Archive(space_of(folder))
    found = list(loader.read(folder))
    assert loader.space == "nats-sss"
    assert list(found[0].members.native_ids) == ["8:8:8:8:8", "8:8:8:16:32", "8:8:40:32:40"]
    metrics = frame(found)
    assert set(metrics["epochs"].drop_nulls()) == {1, 12, 90}
    assert mean(metrics, 11, "cifar10-valid", "test", 12) == pytest.approx(
        metrics.filter(index=11, dataset="cifar10-valid", split="test", epochs=12, name="accuracy")["value"].mean()
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_torch_layouts_give_every_training(layout: str, tmp_path: Path) -> None:
    path = tmp_path / "NAS-Bench-201-v1_1-096897.pth"
    path.write_bytes(LAYOUTS[layout](nasbench201_archive(CELLS)))
    found = batches(path)
    metrics = frame(found)
    assert sum(batch.record_count for batch in found) == 9 * len(CELLS)
    assert [name for batch in found for name in batch.members.native_ids] == list(CELLS.values())
    accuracies = metrics.filter(name="accuracy", index=11, stage="final")
    keys = {(row["dataset"], row["split"], row["epochs"], row["seed"]) for row in accuracies.iter_rows(named=True)}
    expected = {("cifar10-valid", split, 12, 777) for split in ("train", "valid", "test")}
    for seed in (777, 888):
        expected |= {("cifar10-valid", split, 200, seed) for split in ("train", "valid", "test")}
        expected |= {("cifar10", split, 200, seed) for split in ("train", "test")}
        for dataset in ("cifar100", "imagenet16-120"):
            expected |= {(dataset, split, 200, seed) for split in ("train", "valid", "test", "union")}
    assert keys == expected
    assert mean(metrics, 11, "cifar10", "test", 200) == pytest.approx(71 + (0.777 + 0.888) / 2)
    facts = NASBench201Archive().facts(path)
    assert (facts.name, facts.version) == ("nb201", "v1.1")


@pytest.mark.parametrize("legacy", [True, False])
def test_archives_that_torch_wrote_itself_are_read_without_torch(legacy: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path = tmp_path / "weights-FULL.pth"
    state = nasbench201_state(11, CELLS[11], [("cifar10", 777, 90.0)], 200)
    trained = {"w": torch.ones(3, 4), "b": torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))}
    value = {"full": state, "less": nasbench201_state(11, CELLS[11], [("cifar10", 777, 70.0)], 12)}
    state["all_results"][("cifar10", 777)]["net_state_dict"] = trained  # type: ignore[index]
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    weights = TorchArchive(path).load()["full"]["all_results"]["cifar10", 777]["net_state_dict"]
    assert (weights["w"].shape, weights["b"].shape) == ((3, 4), (2,))
    assert mean(frame(batches(path)), 11, "cifar10", "test", 200) == 90.0


def test_a_packed_file_and_a_folder_give_the_same(tmp_path: Path) -> None:
    value = nasbench201_archive(CELLS)
    packed = tmp_path / "NATS-tss-v1_0-3ffb9.pickle.pbz2"
    packed.write_bytes(bz2.compress(pickle.dumps(value, 4)))
    folder = tmp_path / "NATS-tss-v1_0-3ffb9-simple"
    folder.mkdir()
    for index, info in value["arch2infos"].items():  # type: ignore[attr-defined]
        by_length = {"12": info["less"], "200": info["full"]}
        (folder / f"{index:06d}.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(by_length, 4)))
    (folder / "meta.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps({"meta_archs": [], "arch2infos": None}, 4)))
    assert frame(batches(packed)).sort(pl.all()).equals(frame(batches(folder)).sort(pl.all()))
    assert NASBench201Archive().facts(folder).name == "nats"


def test_curves_are_read_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "archive.pth"
    path.write_bytes(torch_legacy(nasbench201_archive({11: CELLS[11]})))
    metrics = frame(batches(path, curves=True))
    curve = metrics.filter(name="accuracy", dataset="cifar10", split="train", seed=777, stage="of 200").sort("epochs")
    assert curve["epochs"].to_list() == list(range(1, 201))
    assert curve["value"][-1] == mean(metrics.filter(seed=777, stage="final"), 11, "cifar10", "train", 200)
    assert frame(batches(path)).filter(pl.col("stage").str.starts_with("of")).is_empty()


def test_a_loss_that_diverged_is_null(tmp_path: Path) -> None:
    value: Any = nasbench201_archive({11: CELLS[11]})
    trial(value["arch2infos"][11])["train_losses"][199] = float("nan")
    path = tmp_path / "archive.pth"
    path.write_bytes(torch_legacy(value))
    losses = frame(batches(path)).filter(name="loss", dataset="cifar10", split="train", epochs=200, seed=777)
    assert losses["value"].to_list() == [None]


class Touch:
    """A value whose pickle runs a command."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_hostile_archive_runs_nothing_and_is_named(layout: str, tmp_path: Path) -> None:
    value: Any = nasbench201_archive(CELLS)
    value["arch2infos"][284]["full"]["clear_net_done"] = Touch(tmp_path / "PWNED")
    path = tmp_path / "archive.pth"
    path.write_bytes(LAYOUTS[layout](value))
    with pytest.raises(IngestError, match=r"archive\.pth.*tries to import 'posix\.system'.*nothing was"):
        batches(path)
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize("pack", [bz2.compress, gzip.compress])
def test_packed_bombs_stop_at_the_size_limit(pack: Any, tmp_path: Path) -> None:
    path = tmp_path / "bomb.pickle.pbz2"
    path.write_bytes(pack(b"\x80\x04" + b"\x95" + bytes(8) + b"N0" * 4_000_000 + b"N."))
    with pytest.raises(IngestError, match="more than 1 MB.*raise the size limit"):
        batches(path, size_limit=1_000_000)


def test_zip_bombs_stop_at_the_size_limit(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + b"N0" * 4_000_000 + b"N.")
    with pytest.raises(IngestError, match="more than 1 MB"):
        batches(path, size_limit=1_000_000)


def trial(info: Any) -> Any:
    return info["full"]["all_results"]["cifar10", 777]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda info: info.update(other=1), "training 'other'"),
        (lambda info: info["full"].update(arch_str="|x~0|"), "different architectures"),
        (lambda info: [state.update(arch_str="|x~0|") for state in info.values()], "names no NAS-Bench-201 cell"),
        (lambda info: info["full"].update(arch_index=12), "has the index 11 in the benchmark"),
        (lambda info: info["full"].update(all_results=[]), "all_results is"),
        (lambda info: info["full"]["all_results"].update({("svhn", 1): {}}), "a dataset .* and a seed are needed"),
        (lambda info: trial(info).update(epochs=90), "ran for 90 epochs"),
        (lambda info: trial(info).update(params="many"), "params .* is 'many'"),
        (lambda info: trial(info).update(params=0.808276), "params of cifar10 .* 0.808276 million, .* has 802,426"),
        (lambda info: trial(info).update(flop=1.0), "flop of cifar10 with seed 888 .* is 113,951,370, and 1,000,000"),
        (lambda info: trial(info).update(learning_rate=0.1), "has the field 'learning_rate'; known are"),
        (lambda info: trial(info).update(seed=888), "says that its seed is 888"),
        (
            lambda info: trial(info)["eval_acc1es"].update({"ori-test@250": 1.0}),
            "'ori-test@250'; its epochs are 0 to 199",
        ),
        (lambda info: trial(info)["train_losses"].update({200: 1.0}), "has the epoch 200; its epochs are 0 to 199"),
        (lambda info: trial(info)["arch_config"].update(channel=32), "has the channel 32; 16 is that of"),
        (lambda info: trial(info)["arch_config"].update(num_cells=3), "has the num_cells 3; 5 is that of"),
        (lambda info: trial(info)["arch_config"].update(class_num=100), "has the class_num 100; 10 is that of"),
        (lambda info: trial(info)["arch_config"].update(arch_str=CELLS[0]), "has the arch_str"),
        (lambda info: trial(info).update(arch_config=3), "arch_config of cifar10 .* is 3; a dictionary"),
        (lambda info: info["full"].update(hp="lr0.1"), "training full has the field 'hp'; known are"),
        (lambda info: info.update({"12": info["less"]}), "the trainings less and 12 both ran for 12 epochs"),
        (lambda info: trial(info)["eval_acc1es"].update({"ori-test@0199": 1.0}), "ori-test@0199"),
        (
            lambda info: trial(info)["train_acc1es"].update({199: 943.7}),
            "943.7; a number from 0 to 100",
        ),
        (
            lambda info: trial(info)["eval_acc1es"].update({"x-test@199": 1.0}),
            "x-test@199",
        ),
    ],
)
def test_what_is_wrong_is_named_with_the_architecture(change: Any, words: str, tmp_path: Path) -> None:
    value: Any = nasbench201_archive({11: CELLS[11]})
    change(value["arch2infos"][11])
    path = tmp_path / "archive.pth"
    path.write_bytes(torch_legacy(value))
    with pytest.raises(IngestError, match=rf"archive\.pth: architecture 11: .*{words}"):
        batches(path)


def test_a_key_that_stands_twice_in_a_pickled_dictionary_is_refused(tmp_path: Path) -> None:
    """Written by hand: no dictionary has one key twice, and the last of the two would win."""
    path = tmp_path / "NATS-tss-000011.pickle.pbz2"
    path.write_bytes(bz2.compress(b"\x80\x02}(X\x02\x00\x00\x0012K\x01X\x02\x00\x00\x0012K\x02u."))
    with pytest.raises(IngestError, match="sets the entry '12' of a dictionary a second time"):
        batches(path)


def test_an_architecture_may_occur_once(tmp_path: Path) -> None:
    value: Any = nasbench201_archive({11: CELLS[11]})
    info = value["arch2infos"][11]
    path = tmp_path / "folder"
    path.mkdir()
    for name in ("000011.pickle.pbz2", "000012.pickle.pbz2"):
        (path / name).write_bytes(bz2.compress(pickle.dumps(info)))
    with pytest.raises(IngestError, match=r"000012\.pickle\.pbz2: architecture 12: .*index 11"):
        batches(path)


def test_other_files_are_refused_with_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "archive.pth"
    path.write_bytes(b"\0" * 257 + b"ustar" + b"\0" * 400)
    with pytest.raises(IngestError, match="tar layout"):
        batches(path)
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(IngestError, match="neither of PyTorch's archive layouts"):
        batches(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(IngestError, match="folder without files"):
        batches(tmp_path / "empty")


SMALL = {11: CELLS[11]}


@pytest.mark.parametrize("layout", LAYOUTS)
@given(damage=DAMAGE)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_damaged_archives_are_clean_errors(layout: str, damage: Damage, tmp_path: Path) -> None:
    data = LAYOUTS[layout](nasbench201_archive(SMALL))
    survives(NASBench201Archive().read, tmp_path / "archive.pth", damaged(data, damage))


@given(damage=DAMAGE)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_damaged_official_samples_are_clean_errors(damage: Damage, data_dir: Path, tmp_path: Path) -> None:
    sample = data_dir / "formats/nats_bench_samples/NATS-sss-v1_0-50262-simple/000011.pickle.pbz2"
    folder = tmp_path / "NATS-sss"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    packed, unpacked = folder / "000011.pickle.pbz2", tmp_path / "sss-000011.pickle"
    survives(NASBench201Archive("nats-sss").read, packed, damaged(sample.read_bytes(), damage))
    survives(NASBench201Archive("nats-sss").read, unpacked, damaged(bz2.decompress(sample.read_bytes()), damage))


@pytest.mark.parametrize("epoch", ["0", -1, 200, 0.5, None])
def test_an_epoch_of_a_curve_that_is_none(epoch: object, tmp_path: Path) -> None:
    value: Any = nasbench201_archive({0: CELLS[0]})
    result = next(iter(value["arch2infos"][0]["full"]["all_results"].values()))
    result["train_acc1es"][epoch] = 5.0
    path = tmp_path / "NAS-Bench-201-v1_0.pth"
    path.write_bytes(torch_legacy(value))
    for curves in (False, True):
        with pytest.raises(IngestError, match=r"NAS-Bench-201-v1_0.pth: .*train_acc1es of .* has the epoch"):
            list(NASBench201Archive(curves=curves).read(path))
