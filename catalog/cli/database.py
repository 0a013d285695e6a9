"""``catalog db``: create, upgrade, shrink and inspect a catalog file."""

from __future__ import annotations

from typing import Annotated

import typer

from catalog.cli.help import WholeSentences
from catalog.cli.options import DEFAULT_DATABASE, Database, Wait
from catalog.cli.progress import note
from catalog.errors import UsageError

app = typer.Typer(
    cls=WholeSentences,
    no_args_is_help=True,
    help="Create, upgrade, shrink and inspect a catalog file, and take a source's numbers out of it.",
)


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
    """Bring a file that an older version wrote to the current schema, and derive and seal its rows anew if needed."""
    from catalog.cli.damage import damage_told
    from catalog.tables.upgrading import upgrade as upgraded

    with damage_told(db):
        done = upgraded(db, wait=wait)
    if done.before == done.after:
        note(f"{db} is at the current revision {done.after}.")
    else:
        note(f"upgraded {db} from {done.before} to {done.after}.")
    for sentence in done.notes:
        note(sentence)


@app.command(epilog="Example: catalog db status")
def status(db: Database = DEFAULT_DATABASE) -> None:
    """Print the file's schema revision and whether it is current."""
    from catalog.storage import migration

    state = migration.status(db)
    typer.echo(f"file      {db}\nrevision  {state.current}\nnewest    {state.newest}\nstate     {state.word}")


@app.command(epilog="Example: catalog db compact")
def compact(db: Database = DEFAULT_DATABASE, wait: Wait = None) -> None:
    """Write the file anew without the room that replaced rows have left in it, in one step; it needs room beside it."""
    from catalog.cli.damage import damage_told
    from catalog.storage.compacting import compact as compacted

    with damage_told(db):
        note(f"{db}: {compacted(db, wait=wait)}")


@app.command(epilog="Example: catalog db forget 1")
def forget(
    source: Annotated[int | None, typer.Argument(metavar="[SOURCE_ID]", help="Its id in the table source.")] = None,
    scores: Annotated[
        str | None, typer.Option("--scores", metavar="COLUMN", help="Instead: the scores of a column, measured here.")
    ] = None,
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Take a source out: its metrics, curves and published scores. Architectures stay, and so does the run.

    `catalog doctor` names this command for sources that were read wrongly or changed; then read the right file. With
    --scores, what was measured here for one column is taken out instead; then score again.
    """
    from catalog.cli.damage import damage_told
    from catalog.tables.forgetting import forget_scores, forget_source

    if (source is None) == (scores is None):
        raise UsageError("name one of the two: a source's id, or a column with --scores.")
    with damage_told(db):
        if scores is not None:
            note(f"{forget_scores(db, scores, wait=wait):,} scores of {scores} were deleted.")
        elif source is not None:
            note(f"{forget_source(db, source, wait=wait):,} rows of source {source} were deleted.")
