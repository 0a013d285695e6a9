"""``catalog fetch``: official benchmark files, from download to ingest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.options import DEFAULT_DATABASE, Database, Format, OutputFormat, Wait
from catalog.cli.output import emit, note
from catalog.cli.progress import counting
from catalog.errors import DownloadError

if TYPE_CHECKING:
    from ingest.fetch.registry import OfficialFile

DEFAULT_FOLDER = Path("downloads")


def add_to(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command("fetch", epilog="Example: catalog fetch")(fetch)


def fetch(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which file; without it, list them all.")] = None,
    mirror: Annotated[
        str | None,
        typer.Option("--mirror", metavar="URL", help="Fetch from here: the file, or a folder that has it."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the file.")] = DEFAULT_FOLDER,
    ingest: Annotated[
        bool, typer.Option("--ingest/--no-ingest", help="Read the file into the catalog afterwards.")
    ] = True,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """List the official benchmark files, or fetch one: download, verify, unpack, ingest.

    A download that was cut off goes on where it ended. A file that is not the published one is not kept.
    """
    from ingest.fetch.fetching import by_hand, readable_parts
    from ingest.fetch.fetching import fetch as download
    from ingest.fetch.registry import official_file

    if name is None:
        _list(output_format)
        return
    file = official_file(name)
    try:
        with counting(f"fetching {file.file_name}") as progress:
            path = download(file, out, mirror=mirror, progress=progress)
    except DownloadError as error:
        raise DownloadError(f"{error}\n{by_hand(file, out)}") from None
    note(f"{path}: here, {_how_verified(file)}. Licence: {file.licence}. Please cite {file.citation}.")
    parts = readable_parts(file, path)
    words = [file.command, *map(str, parts)]
    if ingest:
        _run_ingest([*words, "--db", str(db), *(["--wait", str(wait)] if wait is not None else [])])
    else:
        note(f"Read it with: catalog ingest {' '.join(words)}")


def _list(output_format: OutputFormat | None) -> None:
    import pyarrow as pa

    from ingest.fetch.registry import OFFICIAL_FILES

    files = list(OFFICIAL_FILES.values())
    emit(
        pa.table(
            {
                "name": [file.name for file in files],
                "file": [file.file_name for file in files],
                "bytes": pa.array([file.size for file in files], pa.int64()),
                "digest": [_published_digest(file) for file in files],
                "ingest": [file.command for file in files],
                "licence": [file.licence for file in files],
                "page": [file.page for file in files],
            }
        ),
        output_format,
    )


def _published_digest(file: OfficialFile) -> str | None:
    if file.sha256:
        return f"sha256:{file.sha256}"
    return f"md5:...{file.md5_ending}" if file.md5_ending else None


def _how_verified(file: OfficialFile) -> str:
    if file.sha256:
        return "and its SHA-256 is the published one"
    if file.md5_ending:
        return "and its MD5 ends as published"
    return "but its authors publish no digest to verify it with"


def _run_ingest(arguments: list[str]) -> None:
    """The command that a user would type, with its own messages."""
    from catalog.cli.ingesting import app

    typer.main.get_command(app).main(arguments, prog_name="catalog ingest", standalone_mode=False)
