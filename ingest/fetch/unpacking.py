"""Unpacking what was fetched, beside it: into a folder that appears complete or not at all."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from catalog.errors import DownloadError
from catalog.message import readable_bytes
from catalog.output_file import flush_all, flush_names
from ingest.fetch.hw_nas_bench_tables import write_tables
from ingest.fetch.registry import Packing

SIZE_LIMIT = 64 * 2**30
"""Bytes that an archive may unpack to before it counts as a bomb."""

_BLOCK = 2**20

Member = tuple[str, IO[bytes]]


def unpack(packing: Packing, path: Path, size_limit: int = SIZE_LIMIT) -> Path:
    """Unpack an archive into a folder beside it that has its name without the ending; done once.

    Only plain files are taken, and only such whose names stay inside the folder: links, devices and paths that lead
    out are refused.

    Raises
    ------
    DownloadError
        The archive is damaged, hostile or larger than `size_limit`; nothing is left of it.
    """
    folder = path.with_suffix("")
    if folder.is_dir():
        return folder
    unfinished = folder.with_name(folder.name + ".unpacking")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir()
        if packing == "hw-nas-bench":
            write_tables(path, unfinished)
        else:
            _extract(_tar_members(path) if packing == "tar" else _zip_members(path), path, unfinished, size_limit)
        flush_all(unfinished)
        unfinished.rename(folder)
        flush_names(folder.parent)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DownloadError(f"{path} cannot be unpacked: {error}. Delete it and fetch it again.") from None
    except OSError as error:
        raise DownloadError(f"{path} cannot be unpacked: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _extract(members: Iterator[Member], path: Path, folder: Path, size_limit: int) -> None:
    written = 0
    for name, stream in members:
        target = folder / _inside(name, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with stream, target.open("xb") as output:
            while block := stream.read(_BLOCK):
                written += len(block)
                if written > size_limit:
                    raise DownloadError(
                        f"{path} unpacks to more than {readable_bytes(size_limit)}; nothing of it was kept."
                    )
                output.write(block)


def _inside(name: str, path: Path) -> PurePosixPath:
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts or not relative.parts or "\\" in name or ":" in name:
        raise DownloadError(
            f"{path} holds a file called {name!r}, which leads out of its folder; nothing of it was kept."
        )
    return relative


def _tar_members(path: Path) -> Iterator[Member]:
    with tarfile.open(path, "r:*") as archive:
        for member in archive:
            if member.isdir():
                continue
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is None:
                raise DownloadError(f"{path} holds {member.name!r}, which is no plain file; nothing of it was kept.")
            yield member.name, stream


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                yield member.filename, archive.open(member)
