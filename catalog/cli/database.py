"""``catalog db``: create, upgrade and inspect a catalog file."""

from __future__ import annotations

from typing import Annotated

import typer

from catalog.cli.help import WholeSentences
from catalog.cli.options import DEFAULT_DATABASE, Database, Wait
from catalog.cli.progress import note

app = typer.Typer(cls=WholeSentences, no_args_is_help=True, help="Create, upgrade and inspect a catalog file.")


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.add_typer(app, name="db")


@app.command(epilog="Example: catalog db init")
def init(db: Database = DEFAULT_DATABASE) -> None:
    """Create an empty catalog file with the current schema."""
    from catalog.storage import migration

    migration.init(db)
    note(f"created {db}; fill it with `catalog ingest` or `catalog spaces --enumerate nb201`.")


@app.command(epilog="Example: catalog db upgrade")
def upgrade(db: Database = DEFAULT_DATABASE, wait: Wait = None) -> None:
    """Bring a file that an older version wrote to the current schema."""
    from catalog.cli.damage import damage_told
    from catalog.tables.upgrading import upgrade as upgraded

    with damage_told(db):
        before, after = upgraded(db, wait=wait)
    note(f"{db} is at the current revision {after}." if before == after else f"upgraded {db} from {before} to {after}.")


@app.command(epilog="Example: catalog db status")
def status(db: Database = DEFAULT_DATABASE) -> None:
    """Print the file's schema revision and whether it is current."""
    from catalog.storage import migration

    state = migration.status(db)
    typer.echo(f"file      {db}\nrevision  {state.current}\nnewest    {state.newest}\nstate     {state.word}")


@app.command(epilog="Example: catalog db forget 1")
def forget(
    source: Annotated[int, typer.Argument(metavar="SOURCE_ID", help="Its id in the table source.")],
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Take a source out: its metrics, curves and published scores. Architectures stay, and so does the run.

    `catalog doctor` names this command for sources that were read wrongly; then read the right file.
    """
    from catalog.cli.damage import damage_told
    from catalog.tables.forgetting import forget_source

    with damage_told(db):
        deleted = forget_source(db, source, wait=wait)
    note(f"{deleted:,} rows of source {source} were deleted.")
