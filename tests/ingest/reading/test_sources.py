"""Files as bounded streams, and the choice of a reader."""

from __future__ import annotations

import bz2
import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import IngestError, UsageError
from ingest.formats.choosing import loader_for
from ingest.reading.dataset_names import dataset_in, dataset_word, split_word
from ingest.reading.sources import LimitedStream, lines, open_stream, read_json


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_files_unpack_by_their_first_bytes(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "file.any"
    data = bytes(range(256)) * 5000
    path.write_bytes(pack(data))
    with open_stream(path) as stream:
        assert b"".join(iter(stream.read, b"")) == data


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_cut_archive_is_damaged(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "file.packed"
    path.write_bytes(pack(bytes(range(256)) * 100)[:-9])
    with pytest.raises(IngestError, match=r"file\.packed: damaged or incomplete"), open_stream(path) as stream:
        b"".join(iter(stream.read, b""))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"a": 1}, {"b": {"c": 1, "d": 2, "c": 1}}]', "the key 'c' stands twice in one object"),
        ('{"\\u0061": 1, "a": 2}', "the key 'a' stands twice"),
        ('["x\\udc80y"]', "half of a surrogate pair"),
        ('{"\\u0000": 1}', "NUL"),
        ("[1,]", "line 1: no JSON"),
        ("", "no JSON"),
    ],
)
def test_json_that_says_two_things_or_nothing(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(IngestError, match=rf"file\.json.*{words}.* [Nn]othing was stored|file\.json.*{words}"):
        read_json(path)


def test_escapes_of_whole_characters_are_read(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text('\ufeff["\\ud83d\\ude00", "\\\\u0000", {"a": 1, "A": 2}]', encoding="utf-8")
    assert read_json(path) == ["\U0001f600", "\\u0000", {"a": 1, "A": 2}]


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"absent: cannot be read"):
        open_stream(tmp_path / "absent")
    with pytest.raises(IngestError, match="cannot be read"):
        open_stream(tmp_path)


@given(st.lists(st.binary(max_size=50).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.integers(1, 64))
def test_lines_are_numbered_and_whole(texts: list[bytes], block: int) -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(block)

    data = b"\n".join(texts)
    found = list(lines(LimitedStream(Trickle(data), "file"), longest=1000))
    expected = data.split(b"\n")
    assert found == list(enumerate(expected[:-1] if not expected[-1] else expected, start=1))


def test_a_line_without_an_end_stops(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"x\n" + b"y" * 3_000_000)
    with pytest.raises(IngestError, match=r"long\.jsonl line 2: longer than 1000 bytes"), open_stream(path) as stream:
        list(lines(stream, longest=1000))


def test_json_bombs_stop_at_the_size_limit(tmp_path: Path) -> None:
    path = tmp_path / "bomb.json"
    path.write_bytes(gzip.compress(b"[" + b" " * 10_000_000 + b"]"))
    with pytest.raises(IngestError, match="more than 1 MB"):
        read_json(path, 1_000_000)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("ImageNet16-120", "imagenet16-120"),
        ("imagenet16", "imagenet16-120"),
        ("CIFAR10", "cifar10"),
        ("cifar100", "cifar100"),
        ("cifar10-valid", "cifar10-valid"),
        ("SVHN", "svhn"),
        ("ImageNet", "imagenet"),
    ],
)
def test_names_of_data_sets(name: str, word: str) -> None:
    assert dataset_word(name) == word


def test_data_sets_in_file_names() -> None:
    assert dataset_in("hw_nas_bench_cifar100.csv.gz") == "cifar100"
    assert dataset_in("published_proxies_imagenet16.csv.gz") == "imagenet16-120"
    assert dataset_in("published_proxies_imagenet16_120.csv") == "imagenet16-120"
    assert dataset_in("my-cifar10.csv") == "cifar10"
    assert dataset_in("proxies.csv") is None


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("val", "valid"),
        ("Validation", "valid"),
        ("valid", "valid"),
        ("TEST", "test"),
        ("union", "union"),
        ("O.O", "O.O"),
    ],
)
def test_names_of_splits(name: str, word: str) -> None:
    assert split_word(name) == word


@pytest.mark.parametrize(
    "name",
    [
        "cifar10c", "cifar10-1", "cifar10.1", "cifar1000", "cifar100-lt", "tinyimagenet", "tiny-imagenet16",
        "imagenet100", "imagenet-v2", "imagenet16-1200", "mycifar10", "cifar10_or_cifar100",
    ],
)  # fmt: skip
def test_a_data_set_that_only_begins_like_a_known_one_is_another(name: str) -> None:
    assert dataset_word(name) == name
    assert dataset_in(f"proxies_{name}.csv.gz") is None


@pytest.mark.parametrize(
    ("benchmark", "file", "reader"),
    [
        ("nasbench101", "nasbench_full.tfrecord", "NASBench101Records"),
        ("nasbench101", "zc_nasbench101.json", "SuiteZero"),
        ("nasbench201", "NAS-Bench-201-v1_1-096897.pth", "NASBench201Archive"),
        ("nasbench201", "NATS-tss-v1_0-3ffb9.pickle.pbz2", "NASBench201Archive"),
        ("nasbench201", "zc_nasbench201.json", "SuiteZero"),
        ("nasbench301", "results_0.json", "NASBench301Logs"),
        ("nasbench301", "zc_nasbench301.json", "SuiteZero"),
        ("darts", "genotypes.txt", "Genotypes"),
        ("hw-nas-bench", "hw_nas_bench_cifar10.csv", "HWNASBench"),
    ],
)
def test_official_files_find_their_reader(benchmark: str, file: str, reader: str, tmp_path: Path) -> None:
    assert type(loader_for(benchmark, tmp_path / file)).__name__ == reader


@pytest.mark.parametrize(
    ("benchmark", "file", "words"),
    [
        ("nasbench201", "nasbench_full.tfrecord", "no file of nasbench201, .* are read by ingest nasbench101"),
        ("nasbench101", "NAS-Bench-201-v1_1-096897.pth", "no file of nasbench101, .* are read by ingest nasbench201"),
        ("nasbench201", "net.onnx", "are read by ingest model"),
        ("nasbench201", "graphs.jsonl.gz", "are read by ingest graphs"),
        ("nasbench201", "notes.txt", "no file of nasbench201, which are archives"),
    ],
)
def test_foreign_files_are_refused_for_the_right_reason(benchmark: str, file: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        loader_for(benchmark, tmp_path / file)


def test_tables_are_told_apart_by_their_header(data_dir: Path) -> None:
    assert loader_for("nasbench201", data_dir / "nb201/nb201_12ep.csv.gz") is None
    assert (
        type(loader_for("nasbench201", data_dir / "nb201/published_proxies_imagenet16.csv.gz")).__name__ == "SuiteZero"
    )


def test_folders_find_their_reader(data_dir: Path) -> None:
    samples = data_dir / "formats/nats_bench_samples"
    topology = loader_for("nasbench201", samples / "NATS-tss-v1_0-3ffb9-simple")
    size = loader_for("nasbench201", samples / "NATS-sss-v1_0-50262-simple")
    assert topology is not None
    assert size is not None
    assert (topology.space, size.space) == ("nb201", "nats-sss")
    assert type(loader_for("nasbench301", data_dir / "formats/nb301_samples")).__name__ == "NASBench301Logs"
