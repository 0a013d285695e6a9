"""``catalog remove``, ``rename`` and ``merge``: what was read, scored or named by mistake, and two people's files."""

from __future__ import annotations

import json
import sys
from dataclasses import astuple
from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, Database, Format, Wait
from catalog.cli.output import emit
from catalog.cli.progress import note
from catalog.errors import CatalogError, UsageError
from catalog.message import visible
from catalog.storage.answer import Answer


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command("remove", epilog="Example: catalog remove source 1 --dry")(remove)
    parent.command("rename", epilog="Example: catalog rename space mine blocks")(rename)
    parent.command("merge", epilog="Example: catalog merge other.duckdb")(merge)


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


def rename(
    what: Annotated[str, typer.Argument(metavar="source|space|proxy|metric", help="What kind of thing.")],
    old: Annotated[str, typer.Argument(metavar="OLD", help="Its name; also a source's id, a proxy's column.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name it gets, which nothing else may have.")],
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Give a source, a space, a proxy or a metric of your own another name; the columns of wide views follow.

    Names of benchmarks, of built-in spaces and of the catalog's own metrics and proxies stay.
    """
    with opened(db, wait, mode="write") as catalog:
        catalog.rename(what, old, new)


def merge(
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="The other catalog, which is only read.")],
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Take in what another catalog holds: architectures, files, metrics, proxies, scores, layers, curves and runs.

    Architectures are the same by their space and native id, files by their bytes. Where the two contradict each other
    nothing is stored, and every contradiction is listed: one name for two things, or two values of one thing.
    """
    with opened(db, wait, mode="write") as catalog:
        merged = catalog.merge(other)
    if merged.conflicts:
        columns = ("what", "name", "here", "there")
        emit(Answer(columns, (False,) * len(columns), [astuple(one) for one in merged.conflicts]), output_format)
        raise CatalogError(
            f"{other} was not merged; nothing was stored. Settle what is listed in one of the two: catalog remove, "
            "catalog rename, or catalog ingest --replace."
        )
