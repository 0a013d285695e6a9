"""Tables of one's own numbers: what goes in comes out, under the names that their author gives."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import IngestError
from catalog.spaces import space_named
from ingest.table.draft import IncompleteMappingError
from tests.ingest.table.tables import CELLS, NORM, ROBUST, column_of, opened, written

NOTATIONS: dict[str, Any] = {
    "index": lambda place: place,
    "text of the index": str,
    "native id": lambda place: CELLS[place],
    "NASLib's tuple": lambda place: str(naslib(place)),
    "NASLib's list": lambda place: list(naslib(place)),
}


def naslib(place: int) -> tuple[int, ...]:
    """By source node first, with NASLib's order of operators."""
    names = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
    from catalog.spaces import nb201

    by_target = dict(zip(((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)), nb201.parse(place), strict=True))
    return tuple(names.index(by_target[edge]) for edge in sorted(by_target))


@pytest.mark.parametrize("notation", NOTATIONS)
def test_architectures_have_any_notation(notation: str, tmp_path: Path) -> None:
    cells = [NOTATIONS[notation](place) for place in (4, 2)]
    with opened(tmp_path) as c:
        report = c.ingest_table({"arch": cells, "path_norm": [1.5, -2]}, "nb201", **NORM)
        assert (report.new_architectures, report.scores) == (2, 2)
        assert column_of(c, "path_norm") == {2: -2.0, 4: 1.5}


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "jsonl", "json", "pandas", "polars", "lazy", "arrow"])
def test_every_kind_of_table_says_the_same(kind: str, tmp_path: Path) -> None:
    said = {"arch": CELLS[:3], "robust_accuracy": [51.5, None, 0.1 + 0.2], "path_norm": [1e-300, 2.5, None]}
    frame = pl.DataFrame(said)
    path = tmp_path / f"mine.{kind}"
    table: Any = path
    if kind == "csv":
        frame.write_csv(path)
    elif kind == "csv.gz":
        path.write_bytes(gzip.compress(frame.write_csv().encode()))
    elif kind == "parquet":
        frame.write_parquet(path)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dicts()))
    elif kind == "json":
        path.write_text(json.dumps(frame.to_dicts(), indent=1))
    elif kind == "pandas":
        pytest.importorskip("pandas", reason="needs pandas, which is no requirement of the catalog")
        table = frame.to_pandas().set_index("arch")
    else:
        table = {"polars": frame, "lazy": frame.lazy(), "arrow": frame.to_arrow()}[kind]
    mapping = {"columns": {"robust_accuracy": ROBUST, "path_norm": NORM}}
    with opened(tmp_path) as c:
        report = c.ingest_table(table, "nb201", map=mapping, source="lab")
        assert (report.records, report.metrics, report.scores, report.notes[1:]) == (3, 2, 2, ())
        assert column_of(c, "cifar10_test_robust_accuracy_lab") == {0: 51.5, 1: None, 2: 0.1 + 0.2}
        assert column_of(c, "path_norm") == {0: 1e-300, 1: 2.5, 2: None}


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=8)  # each writes a catalog; test_values.py has many more cells
@given(
    scores=st.dictionaries(st.integers(0, 5), FINITE, min_size=1),
    accuracies=st.dictionaries(st.integers(0, 5), st.floats(1.001, 100), min_size=1),
    as_text=st.booleans(),
)
def test_what_goes_in_comes_out(
    scores: dict[int, float], accuracies: dict[int, float], as_text: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("round")
    places = sorted({*scores, *accuracies})
    said = {
        "arch": [CELLS[place] for place in places],
        "path_norm": [scores.get(place) for place in places],
        "robust_accuracy": [accuracies.get(place) for place in places],
    }
    table: Any = said
    if as_text:
        table = folder / "mine.csv"
        rows = zip(*said.values(), strict=True)
        lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
        table.write_text("\n".join([",".join(said), *lines]))
    with opened(folder) as c:
        mapping = {"columns": {"robust_accuracy": ROBUST, "path_norm": NORM}}
        c.ingest_table(table, "nb201", map=mapping, source="lab")
        c.export("nb201", folder / "out.parquet")
    out = pl.read_parquet(folder / "out.parquet").sort("index")
    assert out["cell"].to_list() == said["arch"]
    assert out["path_norm"].to_list() == said["path_norm"]
    assert out["cifar10_test_robust_accuracy_lab"].to_list() == said["robust_accuracy"]


def test_the_exported_table_can_be_read_again(tmp_path: Path) -> None:
    with opened(tmp_path) as c:
        c.ingest_table({"arch": CELLS[:2], "path_norm": [1.5, 2.5]}, "nb201", **NORM)
        c.export("nb201", tmp_path / "out.csv")
    (tmp_path / "other").mkdir()
    with opened(tmp_path / "other") as c:
        report = c.ingest_table(tmp_path / "out.csv", "nb201", **NORM)
        assert report.scores == 2
        assert column_of(c, "path_norm") == {0: 1.5, 1: 2.5}


def test_the_same_table_again_changes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "arch,path_norm,robust_accuracy", f"{CELLS[0]},1,50", f"{CELLS[1]},2,60")
    with opened(tmp_path) as c:
        c.ingest_table(path, "nb201", **NORM)
        assert c.ingest_table(path, "nb201", **NORM).was_known
        turned = written(tmp_path, "arch,path_norm", f"{CELLS[1]},2.0", f"{CELLS[0]},1", name="turned.csv")
        assert c.ingest_table(turned, "nb201", **NORM).was_known
        report = c.ingest_table(path, "nb201", **ROBUST)  # another column of the same file is no repetition
        assert (report.was_known, report.metrics, report.new_architectures) == (False, 2, 0)
        assert c.ingest_table(path, "nb201", **ROBUST).was_known
        assert c.query("SELECT count(*) FROM source").item() == 2


def test_a_name_of_the_catalogs_own_is_not_taken(tmp_path: Path) -> None:
    with opened(tmp_path) as c:
        for name in ("nwot", "tg_nas", "params"):
            report = c.ingest_table(
                {"arch": CELLS[:1], name: [7]}, "nb201", proxy=name, direction="higher", source="lab"
            )
            assert f"are the column {name}_lab" in report.notes[0]
            assert column_of(c, f"{name}_lab") == {0: 7.0}
        assert column_of(c, "params") != {0: 7.0}
        assert not [name for name in c.top("nb201", by="nwot_lab").columns if name.endswith("_published")]


def test_directions_and_descriptions_are_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as c:
        c.ingest_table({"arch": CELLS[:2], "path_norm": [1, 2]}, "nb201", **NORM, description="Sum over paths")
        assert c.top("nb201", by="path_norm", k=1)["index"].to_list() == [0]  # lower is better
        comment = c.query("SELECT comment FROM duckdb_columns() WHERE column_name = 'path_norm'").item()
        assert comment == "proxy path_norm (no unit): Sum over paths; source: table; lower is better"
        again = c.ingest_table({"arch": CELLS[2:3], "path_norm": [3]}, "nb201", proxy="path_norm", source="more")
        assert again.scores == 1  # its direction is known from now on
        assert column_of(c, "path_norm") == {0: 1.0, 1: 2.0, 2: 3.0}
        measured = c.measures().to_dicts()
        assert {"name": "path_norm", "kind": "proxy", "unit": None, "direction": "lower", "spaces": "nb201"} in measured


def test_seeds_and_epochs_come_from_columns(tmp_path: Path) -> None:
    said = {"arch": [CELLS[0]] * 3, "acc": [50.0, 60.0, 80.0], "seed": [1, 2, 1], "length": [12, 12, 200]}
    column = {**ROBUST, "seed": "seed", "epochs": "length"}
    with opened(tmp_path) as c:
        report = c.ingest_table(said, "nb201", column="acc", **column)
        assert (report.metrics, report.notes) == (3, ())
        assert column_of(c, "cifar10_test_robust_accuracy_12ep_table") == {0: 55.0}
        assert column_of(c, "cifar10_test_robust_accuracy_table") == {0: 80.0}


def test_units_become_the_catalogs(tmp_path: Path) -> None:
    said = {
        "arch": CELLS[:2],
        "lat": [0.25, 0.1],
        "p": [1.5, 0.07],
        "frac": [0.9124, 0.001],
    }
    columns = {
        "lat": {"metric": "latency", "unit": "s", "device": "phone"},
        "p": {"metric": "parameters", "unit": "millions"},
        "frac": {**ROBUST, "unit": "fraction"},
    }
    with opened(tmp_path) as c:
        c.ingest_table(said, "nb201", map={"columns": columns}, source="lab")
        stored = c.query("SELECT name, value FROM metric ORDER BY name, value").rows()
    assert stored == [
        ("latency", 100.0), ("latency", 250.0), ("parameters", 70000.0), ("parameters", 1500000.0),
        ("robust_accuracy", 0.1), ("robust_accuracy", 91.24),
    ]  # fmt: skip


def test_failed_scores_are_kept_as_failed(tmp_path: Path) -> None:
    path = written(tmp_path, "arch,path_norm", f"{CELLS[0]},nan", f"{CELLS[1]},-inf", f"{CELLS[2]},", f"{CELLS[3]},1")
    with opened(tmp_path) as c:
        assert c.ingest_table(path, "nb201", **NORM).scores == 3  # an empty cell says nothing
        found = c.query("SELECT status, reason FROM score WHERE source_id IS NOT NULL ORDER BY architecture_id").rows()
    assert found == [("failed", "the source has nan"), ("failed", "the source has -inf"), ("ok", None)]


def test_rows_of_one_function_may_differ(tmp_path: Path) -> None:
    """Two cells without a path compute the same, and were measured twice."""
    dead = [
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        "|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|",
    ]
    with opened(tmp_path) as c:
        assert c.ingest_table({"arch": dead, "path_norm": [1, 2]}, "nb201", **NORM).scores == 2


def test_an_architecture_may_stand_there_twice_if_it_says_the_same(tmp_path: Path) -> None:
    with opened(tmp_path) as c:
        assert c.ingest_table({"arch": [3, CELLS[3]], "path_norm": [1, 1.0]}, "nb201", **NORM, key="arch").scores == 1


SPACES = {
    "nb201": CELLS[0],
    "nats-sss": "8:16:24:32:40",
    "transnas_micro": "64-41414-1_02_333",
    "nasbench_macro": "00000000",
    "darts": str(space_named("darts").native_id(space_named("darts").sample(1, 0)[0])),
    "nb101": "ModelSpec(matrix=[[0, 1, 0], [0, 0, 1], [0, 0, 0]], ops=['input', 'conv3x3-bn-relu', 'output'])",
}


@pytest.mark.parametrize("space", SPACES)
def test_every_built_in_space_takes_numbers(space: str, tmp_path: Path) -> None:
    with opened(tmp_path) as c:
        report = c.ingest_table({"arch": [SPACES[space]], "path_norm": [2.5]}, space, **NORM)
        assert (report.new_architectures, report.scores) == (1, 1)
        assert c.query(f'SELECT path_norm FROM "{space}"').item() == 2.5
        assert not c.doctor().frame.filter(pl.col("result") == "wrong").height


def test_a_space_of_ones_own_takes_numbers(tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": "17", "ops": ["input", "conv3x3", "output"], "edges": [[0, 1], [1, 2]]}),
        json.dumps({"id": "a", "ops": ["input", "conv1x1", "output"], "edges": [[0, 1], [1, 2]]}),
    ]
    with opened(tmp_path) as c:
        c.ingest("graphs", written(tmp_path, *lines, name="mine.jsonl"), space="mine")
        c.ingest_table({"net": [17, "a"], "path_norm": [1, 2]}, "mine", **NORM)
        assert column_of(c, "path_norm", "mine") == {"17": 1.0, "a": 2.0}
        with pytest.raises(IngestError, match="1 of 2 rows name no known architecture of mine: row 2 \\('b'\\)"):
            c.ingest_table({"net": ["a", "b"], "path_norm": [1, 2]}, "mine", **NORM)
        report = c.ingest_table(
            {"net": ["a", "b"], "x": [1, 2]}, "mine", proxy="x", direction="higher", skip_unknown=True
        )
        assert (report.records, report.scores) == (1, 1)
        assert report.notes == ("left out, because mine has no such architecture: row 2 ('b').",)


def test_hashes_of_modules_that_are_there(tmp_path: Path) -> None:
    module = "ModelSpec(matrix=[[0, 1, 0], [0, 0, 1], [0, 0, 0]], ops=['input', 'conv3x3-bn-relu', 'output'])"
    with opened(tmp_path) as c:
        c.ingest_table({"arch": [module], "path_norm": [2.5]}, "nb101", **NORM)
        name = str(space_named("nb101").locate(module))
        c.ingest_table({"hash": [name], "robust_accuracy": [50]}, "nb101", **ROBUST)
        with pytest.raises(IngestError, match="does not determine its NAS-Bench-101 module"):
            c.ingest_table({"hash": [name, "0" * 32], "robust_accuracy": [50, 60]}, "nb101", **ROBUST)


def test_a_digest_that_several_have_is_ambiguous(tmp_path: Path) -> None:
    dead = [
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        "|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|",
    ]
    with opened(tmp_path) as c:
        c.ingest_table({"arch": [*dead, CELLS[0]], "path_norm": [1, 2, 3]}, "nb201", **NORM)
        digests = dict(c.query("SELECT cell, canonical_digest FROM nb201").iter_rows())
        only = c.ingest_table({"digest": [digests[CELLS[0]]], "x": [9]}, "nb201", proxy="x", direction="higher")
        assert only.scores == 1
        with pytest.raises(IngestError, match=r"row 1: digest is .* it fits 2 architectures: '\|none~0\|"):
            c.ingest_table({"digest": [digests[dead[0]]], "x": [9]}, "nb201", proxy="x", direction="higher")


def test_what_is_missing_is_a_mapping_to_complete(tmp_path: Path) -> None:
    path = written(tmp_path, "arch,path norm,cifar10_val_acc,comment", f"{CELLS[0]},1.5,51,fine")
    with opened(tmp_path) as c:
        with pytest.raises(IncompleteMappingError) as error:
            c.ingest_table(path, "nb201")
        assert not (tmp_path / "catalog.duckdb").exists()  # nothing was stored
        toml = error.value.draft.to_toml()
        assert '[columns."path norm"]' in toml
        assert 'dataset = "cifar10"\nsplit = "valid"' in toml
        assert "comment" not in toml.replace("# ", "")
        (tmp_path / "map.toml").write_text(toml.replace('direction = ""', 'direction = "lower"'))
        report = c.ingest_table(path, map=tmp_path / "map.toml")
        assert report.notes == ("columns that are not read: comment.",)
        assert column_of(c, "path_norm") == {0: 1.5}
        assert column_of(c, "cifar10_valid_accuracy_mine") == {0: 51.0}
        assert math.isclose(c.query("SELECT value FROM metric").item(), 51)
