"""An official file that is here, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalog.errors import DownloadError
from catalog.progress import Listener
from ingest.fetch.fetching import by_hand, fetch, readable_parts
from ingest.fetch.registry import OfficialFile, official_file


@dataclass(frozen=True)
class Fetched:
    """A fetched file.

    Parameters
    ----------
    file
        What it is.
    path
        Where it is.
    parts
        What the ingest command reads: the file itself, or what was unpacked beside it.
    """

    file: OfficialFile
    path: Path
    parts: tuple[Path, ...]

    @property
    def command(self) -> tuple[str, ...]:
        """The words after ``catalog ingest`` that read it."""
        return (self.file.command, *map(str, self.parts))

    def __str__(self) -> str:
        return (
            f"{self.path}: here, {_how_verified(self.file)}. Licence: {self.file.licence}. "
            f"Please cite {self.file.citation}."
        )


def fetch_official(name: str, folder: Path, *, mirror: str | None = None, listener: Listener) -> Fetched:
    """Fetch, verify and unpack an official file.

    Raises
    ------
    UsageError
        There is no such file.
    DownloadError
        It cannot be had, and the message says how to get it by hand, or it is not the one that was published.
    """
    file = official_file(name)
    try:
        with listener.watch(f"fetching {file.file_name}") as advance:
            path = fetch(file, folder, mirror=mirror, progress=advance)
    except DownloadError as error:
        raise DownloadError(f"{error}\n{by_hand(file, folder)}") from None
    fetched = Fetched(file, path, tuple(readable_parts(file, path)))
    listener.note(str(fetched))
    return fetched


def _how_verified(file: OfficialFile) -> str:
    if file.sha256:
        return "and its SHA-256 is the published one"
    if file.md5_ending:
        return "and its MD5 ends as published"
    return "but its authors publish no digest to verify it with"
