"""Files for users appear whole or not at all, whatever is in the way."""

import os
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from catalog.errors import StoreError
from catalog.output_file import make_folder, replacing, write_text
from catalog.search.figures import Line, Panel, draw
from catalog.storage.store import Store
from catalog.tables.exporting import export_space

PANEL = Panel("evaluations", "score", [Line("best", *(pl.Series([1.0, 2.0]).to_numpy() for _ in range(2)))])


@contextmanager
def little_room(size: int) -> Iterator[None]:
    """As on a full disk: no file may grow beyond some bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_file_is_written_whole_and_alone(tmp_path: Path) -> None:
    write_text(tmp_path / "page.html", "first")
    write_text(tmp_path / "page.html", "second")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"page.html": "second"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".", "Is a directory"),
        ("", "Is a directory"),
        ("missing/page.html", "there is no folder"),
        ("file/page.html", "there is no folder|Not a directory"),
        ("n" * 300, "File name too long"),
        ("pipe", "no regular file"),
    ],
)
def test_what_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_text("old")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StoreError, match=f"cannot write .*({reason}).*Name another file"):
        write_text(tmp_path / name, "new")
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "file").read_text() == "old"


def test_a_read_only_file_system_is_told() -> None:
    """Also root cannot write there, and what was not written need not be removed."""
    with pytest.raises(StoreError, match="cannot write /proc/page.html"):
        write_text(Path("/proc/page.html"), "new")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "far" / "real.csv")
    write_text(tmp_path / "link.csv", "new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "far" / "real.csv").read_text() == "new"
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(StoreError, match="Name another file"):
        write_text(tmp_path / "loop" / "page.html", "new")


def test_a_file_of_the_users_that_is_named_like_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "page.html.partial").write_text("mine")
    with pytest.raises(StoreError), replacing(tmp_path / "page.html") as partial:
        partial.write_text("half")
        raise OSError(28, "No space left on device")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html.partial"]


@pytest.mark.parametrize("ending", ["parquet", "csv", "json"])
def test_an_export_that_finds_no_room_keeps_the_old_file(small_catalog: Store, tmp_path: Path, ending: str) -> None:
    out = tmp_path / "out" / f"nb201.{ending}"
    out.parent.mkdir()
    out.write_text("old")
    with little_room(100), pytest.raises(StoreError, match="cannot write .*File too large.*nothing was left behind"):
        export_space(small_catalog, "nb201", out, ending)
    assert {path.name: path.read_text() for path in out.parent.iterdir()} == {out.name: "old"}


@pytest.mark.parametrize("ending", ["png", "svg", "html"])
def test_a_figure_that_finds_no_room_keeps_the_old_file(tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"figure.{ending}"
    out.write_text("old")
    with little_room(100), pytest.raises(StoreError, match="cannot write .*File too large.*nothing was left behind"):
        draw(out, "a search", [PANEL])
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {out.name: "old"}
    draw(out, "a search", [PANEL])
    assert out.stat().st_size > 1000


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    make_folder(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    for name, reason in (("file", "is a file; name a folder"), ("file/folder", "Not a directory")):
        with pytest.raises(StoreError, match=reason):
            make_folder(tmp_path / name)
    with pytest.raises(StoreError, match="cannot write into the folder /proc"):
        make_folder(Path("/proc"))
    shutil.rmtree(tmp_path / "new")
