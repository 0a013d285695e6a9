"""``catalog fetch`` from the listing to the ingested file, against a loopback server."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import MappingProxyType

import duckdb
import polars as pl
import pytest

from catalog.cli.ingesting import app as ingest_app
from catalog.spaces import nb201
from ingest.fetch import registry
from ingest.fetch.registry import OFFICIAL_FILES, OfficialFile
from tests.catalog.cli.commands import call_catalog
from tests.ingest.fetch.servers import Site, serving

CELLS = [nb201.format_cell(operators) for operators in nb201.index_order()[:3]]
TABLE = "\n".join(
    ["arch_str,edgegpu_latency,fpga_energy", *(f"{cell},1.5,{row}" for row, cell in enumerate(CELLS, 1)), ""]
)
FILE = OfficialFile(
    "sample",
    "hw_nas_bench_cifar10.csv",
    None,
    "https://example.org/page",
    "hw-nas-bench",
    "MIT",
    "Nobody, Nothing, 2020",
    sha256=hashlib.sha256(TABLE.encode()).hexdigest(),
)


@pytest.fixture(autouse=True)
def sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "OFFICIAL_FILES", MappingProxyType({**OFFICIAL_FILES, "sample": FILE}))


def test_the_list_names_every_file_with_its_digest(tmp_path: Path) -> None:
    answer = call_catalog("fetch", database=tmp_path / "none.duckdb")
    rows = pl.read_csv(answer.stdout.encode())
    assert rows["name"].to_list() == [*OFFICIAL_FILES, "sample"]
    digests = dict(rows.select("name", "digest").iter_rows())
    assert digests["nasbench101"].startswith("sha256:3d64db81")
    assert digests["nasbench201"] == "md5:...096897"
    assert digests["nats-tss"] is None
    assert not list(tmp_path.iterdir())


def test_every_official_file_has_a_command_that_reads_it() -> None:
    commands = {command.name for command in ingest_app.registered_commands}
    assert {file.command for file in OFFICIAL_FILES.values()} <= commands


def test_a_fetched_file_is_in_the_catalog(tmp_path: Path) -> None:
    database = tmp_path / "catalog.duckdb"
    with serving(Site(TABLE.encode())) as site:
        answer = call_catalog(
            "fetch", "sample", "--mirror", site.url, "--out", str(tmp_path / "files"), database=database
        )
    assert answer.returncode == 0, answer.stderr
    assert "its SHA-256 is the published one" in answer.stderr
    assert "Please cite Nobody, Nothing, 2020." in answer.stderr
    assert (answer.stdout, (tmp_path / "files" / FILE.file_name).read_text()) == ("", TABLE)
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("SELECT count(*), sum(value) FROM metric").fetchall() == [(6, 3 * 1.5 + 6)]
        assert connection.execute("SELECT sha256 FROM source").fetchall() == [(FILE.sha256,)]


def test_a_file_can_be_fetched_without_being_read(tmp_path: Path) -> None:
    database = tmp_path / "catalog.duckdb"
    out = tmp_path / "files"
    with serving(Site(TABLE.encode())) as site:
        answer = call_catalog(
            "fetch", "sample", "--mirror", site.url, "--out", str(out), "--no-ingest", database=database
        )
    assert f"Read it with: catalog ingest hw-nas-bench {out / FILE.file_name}" in answer.stderr
    assert not database.exists()


def test_a_corrupted_file_stores_nothing(tmp_path: Path) -> None:
    database = tmp_path / "catalog.duckdb"
    with serving(Site(TABLE.replace("1.5", "1.6").encode())) as site:
        answer = call_catalog(
            "fetch", "sample", "--mirror", site.url, "--out", str(tmp_path / "files"), database=database
        )
    assert answer.returncode == 1
    assert "is not the published hw_nas_bench_cifar10.csv" in answer.stderr
    assert not database.exists()
    assert not list((tmp_path / "files").iterdir())


def test_without_a_network_the_way_by_hand_is_told(tmp_path: Path) -> None:
    answer = call_catalog("fetch", "sample", "--out", str(tmp_path / "files"), database=tmp_path / "catalog.duckdb")
    assert answer.returncode == 1
    assert f"by hand from https://example.org/page, put it at {tmp_path / 'files' / FILE.file_name}" in answer.stderr
    assert f"catalog ingest hw-nas-bench {tmp_path / 'files' / FILE.file_name}" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_unknown_name_is_a_usage_error(tmp_path: Path) -> None:
    answer = call_catalog("fetch", "nasbench999", database=tmp_path / "catalog.duckdb")
    assert answer.returncode == 2
    assert "`catalog fetch` lists them" in answer.stderr


def test_the_table_has_sizes_as_people_read_them(tmp_path: Path) -> None:
    answer = call_catalog("fetch", "--format", "table", database=tmp_path / "none.duckdb")
    head, *rows = answer.stdout.splitlines()
    assert "size" in head.split()
    assert any(" GB " in row for row in rows)
