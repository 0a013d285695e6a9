"""Creating, upgrading and downgrading a catalog file with the Alembic revisions in ``migrations/``."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from catalog.errors import QueryError, StoreError, UsageError
from catalog.output_file import flush, flush_names, reason_of
from catalog.storage.duckdb_errors import reported
from catalog.storage.locking import connect
from catalog.storage.revisions import NEWEST, REVISIONS, SchemaStatus, status_of
from catalog.storage.seals import seal_all

if TYPE_CHECKING:
    from alembic.config import Config


def init(path: str | Path) -> None:
    """Create an empty catalog file with the current schema.

    The file appears complete or not at all.

    Raises
    ------
    StoreError
        Something is at `path` already, or the file cannot be written.
    """
    path = Path(path)
    _require_free(path)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.new")
    try:
        with _all_or_nothing(path, "created"), duckdb.connect(str(unfinished)) as database:
            _create(database)
            database.execute("CHECKPOINT")  # closing the file would keep it to itself that the disk is full
        flush(unfinished)
        _put_in_place(unfinished, path)
        flush_names(path.absolute().parent)
    except OSError as error:
        raise StoreError(f"cannot create {path}: {reason_of(error)}; nothing was left behind.") from error
    finally:
        for leftover in (unfinished, unfinished.with_name(unfinished.name + ".wal")):
            with suppress(OSError):
                leftover.unlink()


def upgrade(path: str | Path, *, wait: float | None = None) -> SchemaStatus:
    """Bring a file to the newest revision, in one transaction: a failure leaves it as it was.

    Returns
    -------
    SchemaStatus
        The status before the upgrade.

    Raises
    ------
    SchemaVersionError
        A newer version of the catalog wrote the file.
    StoreError
        There is no catalog at `path`, or it is in use or cannot be written.
    """
    path = Path(path)
    with _opened(path, wait) as (database, before), _all_or_nothing(path, "upgraded"):
        if before.pending:
            _upgrade(database, NEWEST)
    return before


def downgrade(path: str | Path, revision: str, *, wait: float | None = None) -> SchemaStatus:
    """Bring a file back to an older revision, in one transaction; the tables that came later are lost.

    Returns
    -------
    SchemaStatus
        The status before the downgrade.

    Raises
    ------
    UsageError
        `revision` is not an older one.
    SchemaVersionError
        A newer version of the catalog wrote the file.
    StoreError
        There is no catalog at `path`, or it is in use or cannot be written.
    """
    path = Path(path)
    with _opened(path, wait) as (database, before), _all_or_nothing(path, "downgraded"):
        older = REVISIONS[: REVISIONS.index(before.current)]
        if revision not in older:
            choice = f"allowed are {', '.join(older)}" if older else "it is the oldest"
            raise UsageError(f"cannot downgrade {path} from revision {before.current} to {revision!r}; {choice}.")
        _downgrade(database, revision)
    return before


def status(path: str | Path, *, wait: float | None = None) -> SchemaStatus:
    """The schema revision of a file, and whether it is current, older or newer.

    Raises
    ------
    StoreError
        There is no catalog at `path`, or another process is writing it.
    """
    path = Path(path)
    with connect(path, read_only=True, wait=wait) as connection, reported(path):
        return status_of(connection, path)


def draft(message: str, revision: str, folder: Path | None = None) -> Path:
    """Write a new revision with the difference between the newest one and the models; for developers.

    Parameters
    ----------
    message
        What the revision does; it names the file.
    revision
        Its number, which belongs into `catalog.storage.revisions.REVISIONS` too.
    folder
        The revisions to start from and to write to; by default those of the checkout.
    """
    from alembic import command

    with duckdb.connect() as database:
        _upgrade(database, NEWEST, folder)
        with _configured(database, folder) as config:
            script = command.revision(config, message, autogenerate=True, rev_id=revision)
    assert script is not None
    assert not isinstance(script, list)
    return Path(script.path)


@contextmanager
def newest_schema() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty catalog of the newest revision, in memory."""
    with duckdb.connect() as database:
        _upgrade(database, NEWEST)
        yield database


def scripts() -> Path:
    """The folder with the revisions: inside the package where it was installed, at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


@contextmanager
def _opened(path: Path, wait: float | None) -> Iterator[tuple[duckdb.DuckDBPyConnection, SchemaStatus]]:
    with connect(path, read_only=False, wait=wait) as database:
        with reported(path):
            current = status_of(database, path)
        current.require_known()
        yield database, current


@contextmanager
def _all_or_nothing(path: Path, what: str) -> Iterator[None]:
    """Report a revision whose own SQL fails as a fault of the file, not of a user's query."""
    try:
        with reported(path):
            yield
    except QueryError as error:
        reason = str(error).splitlines()[0]
        raise StoreError(f"{path} could not be {what} and was left as it was: {reason}") from error


def _create(database: duckdb.DuckDBPyConnection) -> None:
    """The tables of an empty catalog, sealed."""
    _upgrade(database, NEWEST)
    seal_all(database)


def _upgrade(database: duckdb.DuckDBPyConnection, revision: str, folder: Path | None = None) -> None:
    from alembic import command

    with _configured(database, folder) as config:
        command.upgrade(config, revision)


def _downgrade(database: duckdb.DuckDBPyConnection, revision: str) -> None:
    from alembic import command

    with _configured(database) as config:
        command.downgrade(config, revision)


@contextmanager
def _configured(database: duckdb.DuckDBPyConnection, folder: Path | None = None) -> Iterator[Config]:
    """An Alembic configuration that works on an open database."""
    from alembic.config import Config
    from duckdb_sqlalchemy import ConnectionWrapper
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(folder or scripts()).replace("%", "%%"))
    engine = create_engine("duckdb://", creator=lambda: ConnectionWrapper(database.cursor()), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            yield config
    except DBAPIError as error:
        if isinstance(error.orig, duckdb.Error):
            raise error.orig from error
        raise
    finally:
        engine.dispose()


def _require_free(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise StoreError(
            f"{path} exists already and was left as it is. `catalog db status --db {path}` tells what it is; "
            "give another path with --db to create a new catalog."
        )
    folder = path.absolute().parent
    if not folder.is_dir():
        raise StoreError(f"cannot create {path}: there is no folder {folder}. Create it with `mkdir -p {folder}`.")


def _put_in_place(unfinished: Path, path: Path) -> None:
    """Give the finished file its name; never over a file that appeared meanwhile, where the file system allows."""
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        _require_free(path)
    except OSError:  # a file system without hard links
        _require_free(path)
        unfinished.rename(path)
