"""Fetching an official file: download, verify, unpack; what fails leaves nothing under the file's name."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import DownloadError
from catalog.output_file import flush_names
from ingest.fetch.downloading import Progress, ResumingDownloader
from ingest.fetch.registry import OfficialFile
from ingest.fetch.unpacking import unpack

_ROUNDING = 0.1  # published sizes are rounded, some to GB and some to GiB


def fetch(
    file: OfficialFile,
    folder: Path,
    *,
    mirror: str | None = None,
    progress: Progress | None = None,
    attempts: int = 3,
    pause: float = 1.0,
) -> Path:
    """Bring an official file into `folder`, unless it is there already, and verify it.

    Parameters
    ----------
    file
        Which one.
    folder
        Where to put it; created if it is missing.
    mirror
        Another address: of the file itself, or of a folder that has it under its own name.
    progress
        Called with the number of bytes that are here.
    attempts, pause
        See `ResumingDownloader`.

    Returns
    -------
    Path
        The verified file.

    Raises
    ------
    DownloadError
        The file cannot be reached, or is not the one that was published.
    """
    import pooch

    path = folder / file.file_name
    if path.exists():
        _verify(file, path, "It was left as it is; delete it, or give another folder with --out.")
        return path
    url = _address(file, mirror)
    _make_folder(folder)
    downloader = ResumingDownloader(
        path.with_name(path.name + ".partial"),
        check=lambda partial: _verify(file, partial, "It was deleted; try again, or try another --mirror."),
        check_size=lambda size: _check_size(file, size),
        progress=progress,
        attempts=attempts,
        pause=pause,
    )
    known = f"sha256:{file.sha256}" if file.sha256 else None
    try:
        with _quiet(pooch.get_logger()):
            pooch.retrieve(url, known_hash=known, fname=path.name, path=folder, downloader=downloader)
        flush_names(folder)
    except OSError as error:
        raise DownloadError(f"{path} cannot be written: {error.strerror or error}.") from None
    return path


def readable_parts(file: OfficialFile, path: Path) -> list[Path]:
    """What the ingest command reads of a fetched file: itself, or parts of it, unpacked beside it.

    Raises
    ------
    DownloadError
        The file cannot be unpacked, or does not hold what it should.
    """
    if file.packing is None:
        return [path]
    folder = unpack(file.packing, path)
    parts = sorted(part for pattern in file.contents for part in folder.glob(pattern))
    if not parts:
        raise DownloadError(
            f"{path} holds none of {', '.join(file.contents)}; it was unpacked to {folder}. Look there, and read "
            f"the right part with `catalog ingest {file.command} PATH`."
        )
    return parts


def by_hand(file: OfficialFile, folder: Path) -> str:
    """How to do without a download: where the file is, where to put it, and what to run."""
    path = folder / file.file_name
    again = f"catalog fetch {file.name} --out {folder}"
    read = f"catalog ingest {file.command} {path}" if file.packing is None else again
    return f"Get {file.file_name} by hand from {file.page}, put it at {path}, and run: {read}"


def _address(file: OfficialFile, mirror: str | None) -> str:
    if mirror is not None:
        return mirror if mirror.endswith(file.file_name) else f"{mirror.rstrip('/')}/{file.file_name}"
    if file.url is None:
        raise DownloadError(f"{file.file_name} has no address of its own, only a page.")
    return file.url


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(f"the folder {folder} cannot be created: {error.strerror}.") from None


def _verify(file: OfficialFile, path: Path, state: str) -> None:
    """Refuse a file that is not the published one, as far as its authors say what that is."""
    _check_size(file, path.stat().st_size, state)
    for method, published in (("sha256", file.sha256), ("md5", file.md5_ending)):
        if published is None:
            continue
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, method).hexdigest()
        if not found.endswith(published):
            raise DownloadError(
                f"{path} is not the published {file.file_name}: its {method} is {found}, which should "
                f"{'be' if len(published) == len(found) else 'end in'} {published}. {state}"
            )


def _check_size(file: OfficialFile, size: int, state: str = "Nothing was downloaded.") -> None:
    if file.size is not None and abs(size - file.size) > _ROUNDING * file.size:
        raise DownloadError(f"{file.file_name} has {size:,} bytes; the published file has about {file.size:,}. {state}")


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Pooch reports each download and its digest; the command says what its user needs."""
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)
