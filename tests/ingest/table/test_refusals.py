"""Tables that say something wrong: the file, the line, the column, the value, what is allowed; nothing is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog.errors import CatalogError, IngestError, UsageError
from tests.ingest.table.tables import CELLS, NORM, ROBUST, opened, written

HEADER = "arch,path_norm"

CELL_FAULTS = {
    "0,5": "line 3: 3 cells, but the header has 2 columns",
    "high": "line 3: path_norm is 'high'; a number such as 0.25 or 1e-3, or an empty cell, is needed",
    "1e400": "line 3: path_norm is '1e400', beyond what a number of 64 bits holds",
    "9007199254740993": "line 3: path_norm is '9007199254740993'; whole numbers beyond 2^53 would be rounded",
    "1_000": "line 3: path_norm is '1_000'; a number",
    "0x10": "line 3: path_norm is '0x10'",
    "٣": "line 3: path_norm is '٣'",
    "True": "line 3: path_norm is 'True'",
    '"5': "line 3: no comma-separated cells",
}


@pytest.mark.parametrize("cell", CELL_FAULTS)
def test_a_cell_that_is_no_number_is_refused_by_line(cell: str, tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, f"{CELLS[0]},1", f"{CELLS[1]},{cell}", f"{CELLS[2]},2")
    refused(tmp_path, path, f"mine.csv {CELL_FAULTS[cell]}", IngestError, **NORM)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("arch\tpath_norm\n1\t2\n", r"its header has no comma, but '\t': separate"),
        ("arch,path_norm\r1,2\r", "its lines end in carriage returns alone: save it with line feeds"),
    ],
)
def test_a_table_of_other_signs_is_told_which(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(content.encode())
    refused(tmp_path, path, message, IngestError, **NORM)


def test_a_column_s_name_is_escaped_and_shortened(tmp_path: Path) -> None:
    with opened(tmp_path) as c:
        for name in ("p\nq", "x" * 300):
            with pytest.raises(UsageError) as error:
                c.ingest_table({"arch": CELLS[:1], name: [1.0]}, "nb201", **{**NORM, "proxy": name})
            assert "\n" not in str(error.value)
            assert "x" * 150 not in str(error.value)


METRIC_FAULTS = {
    "nan": "line 3: robust_accuracy is nan; a metric is a number",
    "-inf": "line 3: robust_accuracy is -inf; a metric is a number",
    "100.5": "line 3: robust_accuracy is 100.5; accuracies are percent, 0 to 100",
    "-1": "line 3: robust_accuracy is -1; accuracies are percent",
}


@pytest.mark.parametrize("cell", METRIC_FAULTS)
def test_a_metric_that_cannot_be_is_refused_by_line(cell: str, tmp_path: Path) -> None:
    path = written(tmp_path, "arch,robust_accuracy", f"{CELLS[0]},50", f"{CELLS[1]},{cell}")
    refused(tmp_path, path, f"mine.csv {METRIC_FAULTS[cell]}", IngestError, **ROBUST)


@pytest.mark.parametrize("unit", [None, "percent"])
def test_fractions_are_no_percents(unit: str | None, tmp_path: Path) -> None:
    path = written(tmp_path, "arch,robust_accuracy", f"{CELLS[0]},0.51", f"{CELLS[1]},0.64")
    refused(tmp_path, path, "mine.csv line 3: robust_accuracy is 0.64, and no value", IngestError, **ROBUST, unit=unit)


def test_a_unit_says_percent_of_what_is_no_accuracy(tmp_path: Path) -> None:
    said = {"metric": "sparsity", "direction": "higher", "unit": "percent"}
    path = written(tmp_path, "arch,sparsity", f"{CELLS[0]},0.5")
    refused(tmp_path, path, "these are fractions", IngestError, **said)
    with opened(tmp_path) as c:
        c.ingest_table(written(tmp_path, "arch,sparsity", f"{CELLS[0]},50.5"), "nb201", **said)
        assert c.measures().to_dicts()[0] == {
            "name": "sparsity", "kind": "metric", "unit": "percent", "direction": "higher", "spaces": "nb201",
        }  # fmt: skip
        with pytest.raises(UsageError, match="'sparsity' is in ratio, but the catalog holds it in percent"):
            c.ingest_table({"arch": CELLS[1:2], "sparsity": [0.25]}, "nb201", **{**said, "unit": "ratio"})


def test_small_accuracies_among_percents_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, "arch,robust_accuracy", f"{CELLS[0]},51", f"{CELLS[1]},0.64")
    with opened(tmp_path) as c:
        (note,) = c.ingest_table(path, "nb201", **ROBUST).notes
    assert note.startswith("robust_accuracy: 1 of 2 values are 1 or less and were stored as percents")
    assert "mine.csv line 3" in note


def test_two_values_of_one_architecture_name_both_lines(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, f"{CELLS[0]},1", "", '"3",9', "0,2")
    refused(tmp_path, path, "mine.csv line 5: path_norm of", IngestError, key="arch", **NORM)
    refused(tmp_path, path, "is 2.0, but 1.0 at line 2", IngestError, key="arch", **NORM)


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    path = written(tmp_path, "arch,note,path_norm", f'{CELLS[0]},"two', 'lines",1', "", f"{CELLS[1]},,x")
    refused(tmp_path, path, "mine.csv line 5: path_norm is 'x'", IngestError, **NORM)


def test_unknown_architectures_are_listed_together(tmp_path: Path) -> None:
    rows = [f"{CELLS[0]},1", *(f"|conv~{n}|,2" for n in range(7)), f"{CELLS[1]},3"]
    path = written(tmp_path, HEADER, *rows)
    said = "mine.csv: 7 of 9 rows name no known architecture of nb201: line 3 ('|conv~0|'), line 4 ('|conv~1|')"
    refused(tmp_path, path, said, IngestError, **NORM, key="arch")
    refused(tmp_path, path, "line 7 ('|conv~4|') and 2 more", IngestError, **NORM, key="arch")
    with opened(tmp_path) as c:
        report = c.ingest_table(path, "nb201", **NORM, key="arch", skip_unknown=True)
    assert (report.records, report.scores) == (2, 2)
    assert report.notes[0].startswith("left out, because nb201 has no such architecture: line 3 ('|conv~0|')")


@pytest.mark.parametrize("skip_unknown", [False, True])
def test_a_table_without_any_known_architecture_is_refused(skip_unknown: bool, tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, "99999,1", ",2")
    said = "2 of 2 rows name no known architecture of nb201: line 2 ('99999'), line 3 (None)"
    refused(tmp_path, path, said, IngestError, **NORM, key="arch", skip_unknown=skip_unknown)


KEY_FAULTS: dict[str, tuple[dict[str, list[Any]], str]] = {
    "none": ({"cost": [0, 1], "path_norm": [1, 2]}, "no column names architectures of nb201; there are cost (0)"),
    "two": (
        {"index": [0, 1], "best": [CELLS[0], CELLS[0]], "path_norm": [1, 2]},
        "several columns name architectures of nb201, and not the same ones: index (first: 0), best (first:",
    ),
}


@pytest.mark.parametrize("fault", KEY_FAULTS)
def test_the_key_is_never_guessed(fault: str, tmp_path: Path) -> None:
    table, said = KEY_FAULTS[fault]
    refused(tmp_path, table, said, IngestError, **NORM)
    refused(tmp_path, table, "--key COLUMN", IngestError, **NORM)


def test_keys_that_agree_are_one(tmp_path: Path) -> None:
    table = {"index": [0, 1], "cell": CELLS[:2], "path_norm": [1, 2]}
    with opened(tmp_path) as c:
        assert c.ingest_table(table, "nb201", **NORM).scores == 2


USES: dict[str, tuple[dict[str, Any], str]] = {
    "no such key": ({**NORM, "key": "arhc"}, "has no column 'arhc'. Did you mean arch?"),
    "no such column": ({**NORM, "proxy": "path_nrm"}, "has no column 'path_nrm'. Did you mean path_norm?"),
    "key as proxy": ({**NORM, "key": "path_norm"}, "'path_norm' is the key and cannot be"),
    "both": ({**NORM, "metric": "x"}, "say of one column what it is"),
    "neither": ({"dataset": "cifar10"}, "say of one column what it is"),
    "direction": ({**NORM, "direction": "up"}, "direction is 'up'; higher or lower is better"),
    "no direction": ({"proxy": "path_norm"}, "not said is the direction of path_norm"),
    "no split": (
        {"metric": "accuracy", "dataset": "cifar10", "column": "path_norm"},
        "not said is the split of path_norm",
    ),
    "unit": (
        {**ROBUST, "column": "path_norm", "unit": "ms"},
        "in the unit 'ms' is not known; known are percent, fraction",
    ),
    "kind": ({**ROBUST, "column": "path_norm", "kind": "measured"}, "known are trained, surrogate, reported, supernet"),
    "seed": ({**NORM, "seed": -1}, "seed is -1; a whole number from 0"),
    "seed column": ({**NORM, "seed": "sed"}, "has no column 'sed'"),
    "split of a proxy": ({**NORM, "split": "test"}, "unknown 'split'"),
    "published": ({**NORM, "proxy": "nwot_published", "column": "path_norm"}, "called like the column of published"),
    "accuracy": ({**ROBUST, "metric": "Acc", "column": "path_norm"}, "call it 'accuracy'"),
    "source": ({**NORM, "source": "nb201"}, "a name of the catalog's own or a benchmark's"),
    "control": ({**NORM, "proxy": "a\x1b", "column": "path_norm"}, "a control character"),
    "direction of a known proxy": (
        {"proxy": "nwot", "column": "path_norm", "direction": "lower"},
        "turns 'nwot' round",
    ),
}


@pytest.mark.parametrize("use", USES)
def test_wrong_words_are_refused(use: str, tmp_path: Path) -> None:
    said, words = USES[use]
    refused(tmp_path, {"arch": CELLS[:2], "path_norm": [51, 52]}, words, UsageError, **said)


MAPPINGS: dict[str, tuple[str, str]] = {
    "no TOML": ("[columns", "map.toml: no TOML"),
    "unknown": ('kye = "arch"', "map.toml: unknown 'kye'. Did you mean key?"),
    "unknown field": ('[columns.x]\nproxy = "x"\ndirektion = "lower"', "columns.x: unknown 'direktion'. Did you mean"),
    "nothing": ("[columns.x]\n", "columns.x: it is {}; either proxy"),
    "both": ('[columns.x]\nproxy = "x"\nmetric = "x"', "either proxy"),
    "no table": ("columns = 3", "columns is 3; a table for each column"),
    "a number": ('[columns.x]\nproxy = "x"\ndirection = 1', "direction is 1; a text"),
    "a nameless": ('[columns.x]\nproxy = ""', "its proxy has no name"),
    "same": (
        '[columns.path_norm]\nproxy = "x"\ndirection = "lower"\n[columns.y]\nproxy = "x"\ndirection = "lower"',
        "the columns 'path_norm' and 'y' mean the same",
    ),
    "space": ('space = "darts"', "the mapping is for the space 'darts', not for 'nb201'"),
}


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_wrong_mapping_is_refused(mapping: str, tmp_path: Path) -> None:
    text, words = MAPPINGS[mapping]
    said = written(tmp_path, text, name="map.toml")
    refused(tmp_path, {"arch": CELLS[:1], "path_norm": [1], "y": [2]}, words, UsageError, map=said)


def test_numbers_of_an_earlier_table_are_not_hidden(tmp_path: Path) -> None:
    with opened(tmp_path) as c:
        c.ingest_table({"arch": CELLS[:2], "path_norm": [1, 2]}, "nb201", **NORM)
        c.ingest_table({"arch": CELLS[:2], "robust_accuracy": [51, 52]}, "nb201", **ROBUST, source="lab")
        with pytest.raises(IngestError, match=r"row 1: path_norm of .* is 3.0, but 1.0 in .*catalog db forget 1"):
            c.ingest_table({"arch": CELLS[:1], "path_norm": [3]}, "nb201", **NORM, source="later")
        with pytest.raises(IngestError, match=r"robust_accuracy of .* is 55.0, but 51.0 .*another --source.*forget 2"):
            c.ingest_table({"arch": CELLS[:1], "robust_accuracy": [55]}, "nb201", **ROBUST, source="lab")
        assert c.ingest_table({"arch": CELLS[:1], "robust_accuracy": [55]}, "nb201", **ROBUST, source="b").metrics == 1


def test_a_split_that_a_column_names_is_told(tmp_path: Path) -> None:
    with opened(tmp_path) as c:
        report = c.ingest_table({"arch": CELLS[:1], "val_acc": [51]}, "nb201", column="val_acc", **ROBUST)
    assert "val_acc is stored as the split test, though its name says valid" in report.notes[0]


FILES: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "it is empty"),
    "noise.csv": (bytes(range(256)), "byte 0 is NUL"),
    "latin.csv": (b"arch,path_norm\n\xe9,1\n", "latin.csv line 2: byte 15 is no UTF-8"),
    "twice.csv": (b"arch,x,x\n0,1,2\n", "the column x stands there twice"),
    "tabs.csv": (b"arch\tpath_norm\n0\t1\n", "separate the columns with commas"),
    "header.csv": (b"arch,path_norm\n", "holds no rows under its columns arch, path_norm"),
    "broken.parquet": (b"PAR1 and no more", "no readable parquet table"),
    "broken.jsonl": (b'{"arch": 0, "path_norm": 1}\n{"arch": 1\n', "broken.jsonl line 2: no record as JSON"),
    "list.json": (b"[1, 2]", "an object with a record for each id, or a list of records, is needed"),
    "nested.jsonl": (b'{"arch": 0, "path_norm": {"a": 1}}\n', "line 1: path_norm is {'a': 1}; a number"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_table_is_refused(name: str, tmp_path: Path) -> None:
    data, words = FILES[name]
    (tmp_path / name).write_bytes(data)
    refused(tmp_path, tmp_path / name, words, IngestError, **NORM)


def test_what_is_no_frame_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, tmp_path / "missing.csv", "missing.csv does not exist", IngestError, **NORM)
    refused(tmp_path, tmp_path, "is a folder", IngestError, **NORM)
    refused(tmp_path, 3, "is a int; a path, or a frame of pandas, polars or pyarrow", IngestError, **NORM)
    refused(tmp_path, {"arch": [0, 1], "path_norm": [1]}, "different lengths", IngestError, **NORM)
    refused(tmp_path, {"arch": [0], "path_norm": [1]}, "unknown search space 'nb20'", UsageError, space="nb20", **NORM)


def refused(
    folder: Path, table: Any, words: str, error_kind: type[CatalogError], space: str = "nb201", **said: Any
) -> None:
    with opened(folder) as c:
        with pytest.raises(error_kind) as error:
            c.ingest_table(table, space, **said)
        assert words in str(error.value), str(error.value)
        if c.path.exists():
            assert c.query("SELECT count(*) FROM metric").item() == 0
            assert c.query("SELECT count(*) FROM source").item() == 0
            assert c.query("SELECT count(*) FROM proxy WHERE version = 'own'").item() == 0
