"""``catalog remove``: what was read or scored by mistake goes again."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, Database, Wait
from catalog.cli.progress import note
from catalog.errors import CatalogError, UsageError
from catalog.message import visible


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command("remove", epilog="Example: catalog remove source 1 --dry")(remove)


def can_ask() -> bool:
    """Whether somebody sits at the terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def remove(
    what: Annotated[str, typer.Argument(metavar="source|space|proxy|run", help="What kind of thing.")],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name; also a source's id, a proxy's column, a run's id.")
    ],
    dry: Annotated[bool, typer.Option("--dry", help="Only show what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where nobody can be asked.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Show what goes as JSON.")] = False,
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Take a source, a space, a proxy or a run out, with all that nobody needs once it is gone.

    It shows what would go, and asks. Architectures go that came with it and of which nothing else says anything. Runs
    stay, with the outcome `removed`. See docs/mistakes.md.
    """
    with opened(db, wait) as catalog:
        planned = catalog.remove(what, name, dry=True)
    typer.echo(json.dumps(planned.as_json(), indent=1) if as_json else visible(str(planned)))
    if dry:
        return
    if not yes:
        if not can_ask():
            raise UsageError("nothing was removed: nobody can be asked here; give --yes to remove what is listed.")
        if not typer.confirm("Remove all of this?", err=True):
            note("nothing was removed.")
            return
    with opened(db, wait, mode="write") as catalog:
        if catalog.remove(what, name, dry=True) != planned:
            raise CatalogError(f"{db} changed meanwhile; nothing was removed. Give the command again.")
        catalog.remove(what, name)
    note(f"removed {what} {name}.")
