"""Lists of DARTS genotypes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

import catalog
from catalog.errors import IdentifierError, IngestError, UsageError
from catalog.spaces import genotype
from catalog.spaces.darts import DARTS
from catalog.storage.store import Store
from catalog.tables.aliases import aliases_of
from catalog.tables.forgetting import forget_source
from ingest.formats.genotypes import Genotypes, PublishedGenotypes
from ingest.formats.published_genotypes import published_cells
from ingest.reading.batch import Batch, SourceFacts
from tests.ingest.formats.damage import DAMAGE, Damage, damaged, survives
from tests.ingest.formats.tables import metrics_of

SPACE = DARTS()
NAMES = [SPACE.native_id(graph) for graph in SPACE.sample(3, seed=2)]
CSV = f'genotype,cifar10_test_acc\n"{NAMES[0]}",97.0\n"{NAMES[1]}",96.0\n'


def read(path: Path, text: str, **options: Any) -> list[Batch]:
    path.write_text(text)
    return list(Genotypes(**options).read(path))


def members(batches: list[Batch]) -> list[str]:
    return [name for batch in batches for name in batch.members.native_ids]


def test_the_trained_cells(data_dir: Path) -> None:
    path = data_dir / "darts/darts_214_trained_cifar10.csv"
    loader = Genotypes(epochs=600)
    metrics = metrics_of(loader.read(path))
    assert loader.facts(path).name == "darts_trained"
    assert len(metrics) == metrics["architecture"].n_unique() == 214
    assert metrics.row(0, named=True)["value"] == 97.06  # the table's first line
    assert set(metrics.select("dataset", "split", "epochs", "stage", "kind", "repeat").rows()) == {
        ("cifar10", "test", 600, "best", "trained", 1)
    }


def test_text_with_names_comments_line_breaks_and_ranges(tmp_path: Path) -> None:
    broken = NAMES[1].replace("], ", "],\n    ").replace("[2, 3, 4, 5]", "range(2, 6)")
    text = (
        "from collections import namedtuple\n"
        "Genotype = namedtuple('Genotype', 'normal normal_concat reduce reduce_concat')\n"
        f"FIRST = {NAMES[0]}  # a comment (with brackets)\n\nSECOND = genotypes.{broken}\n"
    )
    assert members(read(tmp_path / "list.txt", text)) == NAMES[:2]


def test_a_none_edge_a_doubled_edge_and_another_concat_are_kept(tmp_path: Path) -> None:
    pairs = [("none", 0), ("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), *[("dil_conv_5x5", 1)] * 4]
    fields = {"normal": pairs, "normal_concat": [5, 4], "reduce": pairs, "reduce_concat": [2]}
    batches = read(tmp_path / "list.json", json.dumps([fields]))
    assert members(batches) == [str(genotype.parse(fields))]
    assert "normal_concat=[4, 5]" in members(batches)[0]


@pytest.mark.parametrize(
    "value",
    [
        NAMES[:2],
        {"first": NAMES[0], "second": NAMES[1]},
        [{"genotype": name, "cifar10_test_acc": 97.0} for name in NAMES[:2]],
        [vars(genotype.parse(name)) for name in NAMES[:2]],
        [genotype.compact(genotype.parse(name)) for name in NAMES[:2]],
    ],
)
def test_json_lists(value: Any, tmp_path: Path) -> None:
    assert members(read(tmp_path / "list.json", json.dumps(value))) == NAMES[:2]


@pytest.mark.parametrize(
    "dataset", ["cifar10-1", "cifar10c", "cifar1000", "cifar100-lt", "tinyimagenet", "imagenet100", "imagenet-v2"]
)
def test_a_data_set_with_a_name_of_its_own_keeps_it(dataset: str, tmp_path: Path) -> None:
    table = f'genotype,{dataset}_test_acc,CIFAR10_test_acc,imagenet16-120_val_acc\n"{NAMES[0]}",97,96,40\n'
    expected = [dataset, "cifar10", "imagenet16-120"]
    assert metrics_of(read(tmp_path / "list.csv", table))["dataset"].to_list() == expected
    entry = {"genotype": NAMES[0], f"{dataset}_test_acc": 97, "cifar10_test_acc": 96, "imagenet16-120_val_acc": 40}
    assert metrics_of(read(tmp_path / "list.json", json.dumps([entry])))["dataset"].to_list() == expected


def test_equal_genotypes_are_one_architecture_with_ordinals(tmp_path: Path) -> None:
    parsed = genotype.parse(NAMES[0])
    turned = {**vars(parsed), "normal": [parsed.normal[1], parsed.normal[0], *parsed.normal[2:]]}
    entries = [{"genotype": item, "cifar10_test_acc": 97.0 + place} for place, item in enumerate([NAMES[0], turned])]
    batches = read(tmp_path / "list.json", json.dumps(entries), epochs=600)
    assert members(batches) == [NAMES[0]]
    assert metrics_of(batches).select("value", "repeat", "epochs", "stage").rows() == [
        (97.0, 1, 600, "final"),
        (98.0, 2, 600, "final"),
    ]


def nds_entry(name: str, errors: list[float]) -> dict[str, Any]:
    """One training of NDS: the file lists percent of error by epoch."""
    return {
        "job_id": 1,
        "net": {"genotype": vars(genotype.parse(name)), "width": 16, "depth": 12, "aux": True, "drop_prob": 0.2},
        "params": 1234567.0,
        "flops": 2e8,
        "optim": {"lr": 0.1, "wd": 5e-4, "max_ep": len(errors)},
        "test_ep_top1": errors,
        "min_test_top1": min(errors),
    }


@pytest.mark.parametrize("layout", ["list", "top and mid"])
def test_nds_logs(layout: str, tmp_path: Path) -> None:
    entries = [nds_entry(NAMES[0], [60.0, 7.5, 8.0]), nds_entry(NAMES[1], [50.0, 9.0, 6.25])]
    value = entries if layout == "list" else {"top": entries[:1], "mid": entries[1:]}
    path = tmp_path / "DARTS_fix-w-d.json"
    metrics = metrics_of(read(path, json.dumps(value)))
    accuracies = metrics.filter(name="accuracy", split="test").select("architecture", "value", "epochs", "stage").rows()
    assert accuracies == [(NAMES[0], 92.0, 3, "final"), (NAMES[1], 93.75, 3, "final")]
    assert metrics.filter(name="best_accuracy")["value"].to_list() == [92.5, 93.75]
    assert metrics.filter(name="init_channels")["value"].to_list() == [16, 16]
    assert metrics.filter(name="layers")["value"].to_list() == [12, 12]
    assert metrics.filter(name="parameters")["value"].to_list() == [1234567, 1234567]
    assert Genotypes().facts(path).name == "nds_darts_fix_w_d"
    imagenet = tmp_path / "DARTS_in.json"
    assert set(metrics_of(read(imagenet, json.dumps(value)))["dataset"]) == {"imagenet"}


CODE = f"""from collections import namedtuple
Genotype = namedtuple('Genotype', 'normal normal_concat reduce reduce_concat')
NASNet = Genotype(normal=[{",".join(["('sep_conv_5x5', 1)"] * 10)}], normal_concat=[2], reduce=[], reduce_concat=[4])
NOISY = Genotype(normal=[{", ".join(["('noise', 1)"] * 8)}], normal_concat=[2], reduce=[], reduce_concat=[4])
# OLD = {NAMES[2]}
GOOD = genotypes.{NAMES[0][:-1]}  # kept (see the paper
)
LATEST = GOOD
"""


def test_python_files_give_what_is_darts_and_name_the_rest(tmp_path: Path) -> None:
    """As published code is: other spaces beside DARTS, comments in between, another name for the best at the end."""
    (batch,) = read(tmp_path / "genotypes.py", CODE)
    assert members([batch]) == NAMES[:1]
    assert batch.notes == (
        "1 left out, because a cell has 10 pairs and not 8: NASNet (line 3).",
        "1 left out, because 'noise' is no operator of DARTS: NOISY (line 4).",
        "1 left out, because it stands in a comment: OLD (line 5).",
    )


def test_a_text_of_foreign_genotypes_alone_is_refused(tmp_path: Path) -> None:
    foreign = "\n".join(line for line in CODE.splitlines() if line[:4] in ("NASN", "NOIS"))
    with pytest.raises(IngestError, match=r"no Genotype of the DARTS space; .* NASNet \(line 1\).* NOISY \(line 2\)"):
        read(tmp_path / "genotypes.py", foreign)


@pytest.mark.parametrize(
    ("name", "taken", "left_out"),
    [
        ("darts_cnn_genotypes.py", 2, ["NASNet", "AmoebaNet"]),
        ("robustdarts_genotypes.py", 146, ["DARTS_S4_cifar10_1127865_1"]),
    ],
)
def test_the_genotypes_of_published_code(name: str, taken: int, left_out: list[str], data_dir: Path) -> None:
    batches = list(Genotypes().read(data_dir / "formats/public_files" / name))
    assert sum(batch.record_count for batch in batches) == taken
    assert all(any(word in note for note in batches[-1].notes) for word in left_out)


def test_a_list_is_its_users_source_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "darts_trained_cifar10.csv"
    path.write_text(CSV)
    assert Genotypes().facts(path) == SourceFacts("darts_trained_cifar10", "darts-genotypes")
    assert Genotypes(source="mine").facts(path).name == "mine"
    with pytest.raises(UsageError, match="--source my_darts_trained"):
        Genotypes(source="darts_trained").facts(path)
    renamed = tmp_path / "DARTS.json"  # as an NDS file is called
    renamed.write_text(json.dumps(NAMES))
    assert Genotypes().facts(renamed) == SourceFacts("darts", "darts-genotypes")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", f'genotype,cifar10_test_acc\n"{NAMES[0]}",0.97\n', "line 2: cifar10_test_acc is 0.97, .* fractions"),
        ("a.json", json.dumps([{"genotype": NAMES[0], "cifar10_test_acc": 0.97}]), "entry 0: .* is 0.97, .* fractions"),
        ("a.csv", f'genotype,accuracy\n"{NAMES[0]}",97\n', "the columns accuracy mean nothing here"),
        ("a.csv", f'genotype,cifar10_val_acc,CIFAR10_valid_acc\n"{NAMES[0]}",97,96\n', "mean the same"),
        ("a.json", json.dumps([{"genotype": "x", "c_val_acc": 9, "c_valid_acc": 9}]), "entry 0: .* mean the same"),
        ("a.json", json.dumps([{"genotype": "x", "c_val_acc": "93"}]), "entry 0: c_val_acc is '93'; a number"),
        ("a.txt", "\ufeff", "no Genotype"),
    ],
)
def test_what_would_be_misread_is_refused(name: str, text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=words):
        read(tmp_path / name, text)


def test_trainings_of_several_recipes_are_kept_apart(tmp_path: Path) -> None:
    """As in NDS's files with lr-wd in their names: learning rate and weight decay are drawn anew for each training."""
    entries = [nds_entry(name, [60.0, 7.5]) for name in NAMES[:2]]
    entries[1]["optim"]["wd"] = 1e-3
    metrics = metrics_of(read(tmp_path / "DARTS_lr-wd.json", json.dumps(entries)))
    assert set(metrics["name"]) == {
        "tuned_accuracy", "tuned_best_accuracy", "tuned_learning_rate", "tuned_weight_decay", "parameters", "flops",
        "init_channels", "layers",
    }  # fmt: skip
    assert metrics.filter(name="tuned_weight_decay")["value"].to_list() == [5e-4, 1e-3]
    stages = metrics.filter(name="tuned_accuracy")["stage"].to_list()
    assert len(set(stages)) == 2
    assert all(stage.startswith("of settings") for stage in stages)


@pytest.mark.parametrize(
    ("part", "name", "value"), [("optim", "mom", 0.8), ("net", "width", 32), ("net", "depth", 8), ("net", "aux", False)]
)
def test_nothing_that_trainings_differ_in_is_averaged(part: str, name: str, value: Any, tmp_path: Path) -> None:
    entries = [nds_entry(NAMES[0], [60.0, error]) for error in (7.5, 8.5)]
    entries[1][part][name] = value
    (batch,) = read(tmp_path / "DARTS.json", json.dumps(entries))
    accuracies = metrics_of([batch]).filter(pl.col("name").str.contains("accuracy"))
    assert set(accuracies["name"]) == {"tuned_accuracy", "tuned_best_accuracy"}
    assert accuracies["stage"].n_unique() == 2
    assert all(stage.startswith("of settings") for stage in accuracies["stage"])
    assert any(f"differ in {part}.{name}: " in note for note in batch.notes)
    sizes = metrics_of([batch]).filter(pl.col("name").str.contains("init_channels|layers|parameters|flops"))
    assert sizes["name"].str.starts_with("tuned_").to_list() == [part == "net"] * 8


def test_what_a_log_has_besides_is_said(tmp_path: Path) -> None:
    value = {"top": [{**nds_entry(NAMES[0], [60.0, 7.5]), "energy": 1}], "mid": [], "low": []}
    (batch,) = read(tmp_path / "DARTS.json", json.dumps(value))
    assert batch.notes == (
        "left out, because they are beside top and mid: low.",
        "fields that are not read: energy, job_id.",
    )


@pytest.mark.parametrize("name", ["DARTS_tinyimagenet.json", "DARTS_in100.json", "mine.json", "tiny_imagenet.json"])
def test_logs_whose_data_set_nothing_says_have_none(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    (batch,) = read(path, json.dumps([nds_entry(NAMES[0], [60.0, 7.5])]))
    assert set(metrics_of([batch])["dataset"]) == {None}
    assert any("nothing else says the data set" in note for note in batch.notes)


def test_repeats_in_one_list_are_said(tmp_path: Path) -> None:
    (batch,) = read(tmp_path / "a.csv", f'genotype,cifar10_test_acc\n"{NAMES[0]}",97\n"{NAMES[0]}",96\n')
    assert [note[:21] for note in batch.notes] == ["1 architectures stand"]
    assert read(tmp_path / "b.csv", CSV)[0].notes == ()


def test_a_parquet_table_holds_the_same(tmp_path: Path) -> None:
    pl.read_csv(CSV.encode()).write_parquet(tmp_path / "a.parquet")
    (ours,) = Genotypes().read(tmp_path / "a.parquet")
    assert ours.metrics.equals(read(tmp_path / "a.csv", CSV)[0].metrics)


def test_errors_of_nds_as_fractions_are_refused(tmp_path: Path) -> None:
    """An error of 0.06 would become an accuracy of 99.94 %."""
    with pytest.raises(IngestError, match=r"test_ep_top1 of 2 epochs is 0\.6, .* fractions"):
        read(tmp_path / "DARTS.json", json.dumps([nds_entry(NAMES[0], [0.6, 0.06])]))


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(NAMES[0].encode() + b"\xff")
    with pytest.raises(IngestError, match=rf"byte {len(NAMES[0])} is no UTF-8"):
        list(Genotypes().read(path))


def test_the_published_cells() -> None:
    batch = next(PublishedGenotypes().read())
    found = metrics_of([batch])
    assert len(batch.members) == len(published_cells()) == 7
    assert set(found["kind"]) == {"reported"}
    by_name = {cell.name: str(cell.genotype) for cell in published_cells()}
    cifar10 = dict(found.filter(name="accuracy", dataset="cifar10").select("architecture", "value").rows())
    # Liu et al. 2019, table 1; Chen et al. 2019; Xu et al. 2020; Chen et al. 2021
    reported = {"DARTS_V1": 97.00, "DARTS_V2": 97.24, "P-DARTS": 97.50, "PC-DARTS C10": 97.43, "TE-NAS C10": 97.37}
    assert cifar10 == {by_name[name]: value for name, value in reported.items()}
    imagenet = dict(found.filter(name="accuracy", dataset="imagenet").select("architecture", "value").rows())
    assert imagenet == {by_name["DARTS_V2"]: 73.3, by_name["PC-DARTS IN"]: 75.8, by_name["TE-NAS IN"]: 75.5}


def test_darts_v2_is_the_published_genotype() -> None:
    """As genotypes.py of the paper's code prints it."""
    printed = (
        "DARTS_V2 = "
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
        "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
        "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
        "('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], "
        "reduce_concat=[2, 3, 4, 5])"
    )
    assert genotype.parse(printed) == {cell.name: cell.genotype for cell in published_cells()}["DARTS_V2"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("list.txt", "nothing here", "no Genotype"),
        ("list.txt", "\n\nX = Genotype(normal=[", "line 3: a Genotype.* closing bracket"),
        ("list.txt", "\nGenotype(normal=__import__('os'))", "line 2: .*names no DARTS"),
        ("list.csv", "cell\nx\n", "line 1: .*column genotype"),
        ("list.csv", "genotype,cifar10_test_acc\nx,97\n", "line 2: 'x' names no DARTS"),
        ("list.csv", "genotype,cifar10_test_acc\nx,943.7\n", "line 2: cifar10_test_acc is 943.7"),
        ("list.json", "{", "line 1: no JSON"),
        ("list.json", "7", "a list of genotypes is needed"),
        ("list.json", '[{"genotype": 1, "speed": 2}]', "entry 0: it has the field 'speed'"),
        ("list.json", '[{"net": {}}]', "entry 0: the net is"),
        ("list.json", '[{"net": {"genotype": {}}, "test_ep_top1": []}]', "entry 0: test_ep_top1 is"),
        ("list.json", "[" * 100_000, "no usable JSON"),
    ],
)
def test_what_is_wrong_is_named(name: str, text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=rf"{name}.*{words}"):
        read(tmp_path / name, text)


@given(DAMAGE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_a_clean_error(tmp_path: Path, damage: Damage) -> None:
    survives(Genotypes().read, tmp_path / "list.csv", damaged(CSV.encode(), damage))
    survives(Genotypes().read, tmp_path / "list.txt", damaged(f"A = {NAMES[0]}\nB = {NAMES[1]}\n".encode(), damage))
    nds = json.dumps([nds_entry(NAMES[0], [60.0, 7.5])]).encode()
    survives(Genotypes().read, tmp_path / "DARTS.json", damaged(nds, damage))


def test_names_of_a_file_find_their_genotypes(catalog_path: Path, tmp_path: Path) -> None:
    """As DARTS_V2 = Genotype(...) does in the authors' genotypes.py; one that is assigned twice is told to be two."""
    first, second = (str(cell.genotype) for cell in published_cells()[:2])
    path = tmp_path / "genotypes.py"
    path.write_text(f"MINE = {first}\nOTHER = {second}\nTWICE = {first}\nTWICE = {second}\n")
    with catalog.open(catalog_path, mode="write") as c:
        c.ingest("darts", path)
        assert c.lookup(["OTHER", first], "darts", columns=["genotype"])["genotype"].to_list() == [second, first]
        assert c.lookup("MINE")["genotype"].to_list() == [first]
        assert "MINE" not in str(c.show("darts", "MINE"))
        with pytest.raises(IdentifierError, match="'TWICE' is the name of 2 architectures of darts"):
            c.lookup("TWICE", "darts")
        report = c.ingest_table({"arch": ["MINE"], "x": [1.5]}, "darts", proxy="x", direction="higher")
        assert (report.scores, report.new_architectures) == (1, 0)
        with pytest.raises(IngestError, match="TWICE' *: it fits 2 architectures"):
            c.ingest_table({"arch": ["TWICE"], "y": [1.5]}, "darts", proxy="y", direction="higher", key="arch")
        c.ingest("darts-published")
        assert c.lookup("DARTS_V1", "darts", columns=["genotype"])["genotype"].item() == first


def test_names_go_with_their_source(catalog_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "genotypes.json"
    path.write_text(json.dumps({"MINE": str(published_cells()[0].genotype)}))
    with catalog.open(catalog_path, mode="write") as c:
        c.ingest("darts", path)
        assert c.lookup("MINE", "darts").height == 1
    with Store.open(catalog_path) as store:
        assert list(aliases_of(store, "darts")) == ["MINE"]
    forget_source(catalog_path, 1)
    with Store.open(catalog_path) as store:
        assert not aliases_of(store, "darts")
