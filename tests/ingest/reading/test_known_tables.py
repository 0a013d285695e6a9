"""A benchmark's name is for what its bytes prove; the names of all official sources are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import IngestError, UsageError
from catalog.tables.column_names import OWN_TRAINING
from catalog.tables.official_sources import KNOWN_TABLES, OFFICIAL_SOURCES, is_reserved
from ingest.formats.genotypes import PublishedGenotypes
from ingest.formats.hw_nas_bench import HWNASBench
from ingest.formats.nasbench101 import NASBench101Records
from ingest.formats.nasbench201 import NASBench201Archive
from ingest.formats.nasbench301 import NASBench301Logs
from ingest.formats.nb201_digits import TABLE, NB201Digits
from ingest.formats.suite_zero import SuiteZero
from ingest.reading.batch import Loader, SourceFacts
from ingest.reading.known_tables import table_facts

OFFICIAL: list[tuple[Loader, Path]] = [
    (NASBench101Records(), Path("nasbench_full.tfrecord")),
    (NASBench201Archive("nb201"), Path("NAS-Bench-201-v1_1-096897.pth")),
    (NASBench201Archive("nb201"), Path("NATS-tss-v1_0-3ffb9-simple")),
    (NASBench201Archive("nats-sss"), Path("NATS-sss-v1_0-50262-simple")),
    (NASBench301Logs(), Path("nb301")),
    (NB201Digits(), TABLE),
    (PublishedGenotypes(), Path("darts-published")),
]


@pytest.mark.parametrize(("loader", "path"), OFFICIAL, ids=lambda value: type(value).__name__)
def test_no_user_can_take_the_name_that_an_official_reader_gives(loader: Loader, path: Path) -> None:
    assert is_reserved(loader.facts(path).name)


def test_names_of_files_that_are_known_by_what_they_hold(data_dir: Path) -> None:
    known: list[tuple[Loader, str, str]] = [
        (HWNASBench(), "nb201/hw_nas_bench_cifar100.csv.gz", "hw_nas_bench"),
        (SuiteZero("nb101"), "formats/public_files/zc_nasbench101.json", "suite_zero_nasbench101"),
    ]
    for loader, file, name in known:
        assert loader.facts(data_dir / file).name == name
        assert is_reserved(name)


def test_every_known_table_has_a_licence_and_a_citation() -> None:
    assert {known.source for known in KNOWN_TABLES.values()} == set(OFFICIAL_SOURCES)
    assert is_reserved(OWN_TRAINING)


def test_a_table_is_what_its_bytes_are(data_dir: Path, tmp_path: Path) -> None:
    official = data_dir / "nb101/nb101_108ep_subset_3repeats.csv"
    assert table_facts(official, "kind").name == "nb101"
    edited = tmp_path / official.name
    edited.write_bytes(official.read_bytes().replace(b"0.91", b"0.92", 1))
    assert table_facts(edited, "kind") == SourceFacts("nb101_108ep_subset_3repeats", "kind")
    with pytest.raises(UsageError, match="--source my_nb101"):
        table_facts(edited, "kind", source="nb101")
    with pytest.raises(IngestError, match="its source is nb101, not mine"):
        table_facts(official, "kind", source="mine")
