"""``catalog report``: which proxies work, which agree, and which add anything, as one page."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.options import DEFAULT_DATABASE, Database, Wait, Where
from catalog.cli.output import note
from catalog.errors import StoreError, UsageError


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command(
        "report",
        epilog="Example: catalog report nb201 --target cifar10_test_accuracy --proxy tg_nas --proxy live_params "
        "--out report.html",
    )(report)


def report(
    spaces: Annotated[
        list[str], typer.Argument(metavar="SPACE...", help="Search spaces in the catalog; several are compared.")
    ],
    targets: Annotated[
        list[str],
        typer.Option("--target", metavar="COLUMN", help="Column of the wide view to be ranked; may be repeated."),
    ],
    proxies: Annotated[
        list[str] | None,
        typer.Option("--proxy", metavar="COLUMN", help="Only this proxy; may be repeated.", show_default="all"),
    ] = None,
    where: Where = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page to write.")] = Path("report.html"),
    tables: Annotated[
        Path | None,
        typer.Option("--tables", metavar="DIR", help="Also write every table there, as CSV, JSON and LaTeX."),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """One self-contained page: how well proxies rank a target, which agree, and which add anything.

    The page opens from disk in any browser, without a network. It holds intervals, significance against parameter
    counting, reference lines, figures with the cells drawn, and where the numbers came from. The summary is printed.
    """
    from catalog.cli.progress import counting
    from catalog.report.report import build_report
    from catalog.report.sentences import summary
    from catalog.report.table_files import write_tables
    from catalog.storage.store import Store

    _check_places(out, tables)
    command = _command(spaces, targets, proxies, where)
    with Store.open(db, wait=wait) as catalog, counting("rankings analysed") as advance:
        built = build_report(catalog, spaces, targets, proxies, where, command=command, on_pool=advance)
    _write(out, built.page())
    for found in built.pools:
        typer.echo(found.label)
        for sentence in summary(found):
            typer.echo(f"  {sentence}")
    note(f"wrote {out}")
    if tables is not None:
        note(f"wrote {len(write_tables(built.tables, tables))} files to {tables}")


def _command(spaces: list[str], targets: list[str], proxies: list[str] | None, where: str | None) -> str:
    """What was asked, without the places of files on this machine."""
    words = ["catalog", "report", *spaces]
    words += [word for target in targets for word in ("--target", target)]
    words += [word for proxy in proxies or () for word in ("--proxy", proxy)]
    words += ["--where", where] if where else []
    return shlex.join(words)


def _check_places(out: Path, tables: Path | None) -> None:
    """Before minutes of work: whether the page and the tables have a place."""
    if out.is_dir():
        raise UsageError(f"--out {out} is a folder; name a file, for example {out / 'report.html'}.")
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent}; make it first.")
    if tables is not None and tables.exists() and not tables.is_dir():
        raise UsageError(f"--tables {tables} is a file; name a folder.")


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"the page cannot be written to {path}: {error.strerror}; name another file.") from None
