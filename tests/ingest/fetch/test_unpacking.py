"""Archives become folders of plain files, complete or not at all."""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import DownloadError
from catalog.spaces import nb201
from ingest.fetch.fetching import readable_parts
from ingest.fetch.registry import official_file
from ingest.fetch.unpacking import unpack


def tar(path: Path, files: dict[str, bytes], *links: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for link in links:
            archive.addfile(link)
    return path


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def listing(folder: Path) -> dict[str, bytes]:
    return {item.relative_to(folder).as_posix(): item.read_bytes() for item in folder.rglob("*") if item.is_file()}


FILES = {"top/a.json": b"1", "top/deep/b.json": b"22"}


def test_archives_become_folders_beside_them(tmp_path: Path) -> None:
    for kind, path in (("tar", tar(tmp_path / "a.tar", FILES)), ("zip", packed(tmp_path / "b.zip", FILES))):
        folder = unpack(kind, path)  # type: ignore[arg-type]
        assert folder == path.with_suffix("")
        assert listing(folder) == FILES
        path.unlink()
        assert unpack(kind, path) == folder  # type: ignore[arg-type]  # there already
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("name", ["../out.json", "/etc/out.json", "a/../../out.json", "c:\\out.json"])
def test_files_that_lead_out_of_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    for kind, path in (
        ("tar", tar(tmp_path / "a.tar", {**FILES, name: b"x"})),
        ("zip", packed(tmp_path / "b.zip", {**FILES, name: b"x"})),
    ):
        with pytest.raises(DownloadError, match="leads out of its folder"):
            unpack(kind, path)  # type: ignore[arg-type]
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a.tar", "b.zip"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    link = tarfile.TarInfo("link")
    link.type, link.linkname = kind, "/etc/passwd"
    with pytest.raises(DownloadError, match="no plain file|cannot be unpacked"):
        unpack("tar", tar(tmp_path / "a.tar", FILES, link))
    assert [item.name for item in tmp_path.iterdir()] == ["a.tar"]


def test_a_bomb_is_stopped_by_the_limit(tmp_path: Path) -> None:
    path = packed(tmp_path / "bomb.zip", {"zeros": bytes(10_000_000)})
    assert path.stat().st_size < 20_000
    with pytest.raises(DownloadError, match="more than 1 MB"):
        unpack("zip", path, size_limit=1_000_000)
    assert [item.name for item in tmp_path.iterdir()] == ["bomb.zip"]


@settings(max_examples=40)
@given(data=st.data(), kind=st.sampled_from(["tar", "zip"]))
def test_damaged_archives_give_a_clean_error_or_files(
    data: st.DataObject, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = tar(folder / "a.tar", FILES) if kind == "tar" else packed(folder / "a.zip", FILES)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        unpack(kind, path)  # type: ignore[arg-type]
    except DownloadError:
        assert [item.name for item in folder.iterdir()] == [path.name]


def hardware(**changes: object) -> dict[str, object]:
    """HW-NAS-Bench's file as its readers index it: search space, data set, measure, then the native index."""
    cells = [{"arch_str": nb201.format_cell(operators)} for operators in nb201.index_order()]
    numbers = [index / 8 for index in range(len(cells))]
    measures = {"config": cells, "edgegpu_latency": numbers, "fpga_energy": np.array(numbers), **changes}
    return {"nasbench201": {"cifar10": measures, "ImageNet16-120": measures}, "fbnet": {}}


def test_the_hardware_pickle_becomes_tables_in_the_order_of_the_index(tmp_path: Path) -> None:
    path = tmp_path / "HW-NAS-Bench-v1_0.pickle"
    path.write_bytes(pickle.dumps(hardware()))
    parts = readable_parts(official_file("hw-nas-bench"), path)
    assert [part.name for part in parts] == ["hw_nas_bench_ImageNet16-120.csv", "hw_nas_bench_cifar10.csv"]
    table = pl.read_csv(parts[1])
    assert table.columns == ["arch_str", "edgegpu_latency", "fpga_energy"]
    assert table.height == 15625
    # index 0 of NAS-Bench-201, from the order that the benchmark publishes
    assert table.row(0) == (
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
        0.0,
        0.0,
    )
    assert table["fpga_energy"].to_list()[-1] == 15624 / 8


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return (exec, ("raise SystemExit(7)",))


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(hardware(edgegpu_latency=[1.0])),
        pickle.dumps(hardware(edgegpu_latency=["1"] * 15625)),
        pickle.dumps({"nasbench201": {"../cifar10": {}}}),
        pickle.dumps({"nasbench201": {}}),
        pickle.dumps([1, 2]),
        pickle.dumps(Hostile()),
        b"no pickle at all",
    ],
)
def test_another_pickle_is_refused_and_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "HW-NAS-Bench-v1_0.pickle"
    path.write_bytes(content)
    with pytest.raises(DownloadError):
        unpack("hw-nas-bench", path)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def test_an_archive_without_what_is_read_says_what_to_do(tmp_path: Path) -> None:
    path = packed(tmp_path / "data.zip", {"readme.txt": b"nothing here"})
    with pytest.raises(DownloadError, match=r"holds none of nds_data/DARTS\*.json.*catalog ingest darts"):
        readable_parts(official_file("nds"), path)
