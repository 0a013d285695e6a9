"""``catalog query``, ``top``, ``show``, ``compare``, ``export`` and ``doctor``: questions and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog.asking.lookup import lookup
from catalog.cli.options import DEFAULT_DATABASE, Database, Form, Format, OutputFormat, Space, Wait, Where
from catalog.cli.output import as_text, emit, note, text_cell
from catalog.errors import CatalogError, UsageError

Identifier = Annotated[
    str, typer.Argument(metavar="ID", help="Any native id of the space: string, index, hash, tuple.")
]
Identifiers = Annotated[list[str], typer.Argument(metavar="ID...", help="Native ids of the space.")]


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command("query", epilog='Example: catalog query "SELECT count(*) FROM nb201 WHERE params < 1e6"')(query)
    parent.command("top", epilog="Example: catalog top nb201 --by live_params -k 5")(top)
    parent.command("show", epilog="Example: catalog show nb201 6111")(show)
    parent.command("compare", epilog="Example: catalog compare nb201 6111 9930")(compare)
    parent.command("export", epilog="Example: catalog export nb201 --format parquet")(export)
    parent.command("doctor", epilog="Example: catalog doctor --full")(doctor)


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One reading statement, or - for standard input.")],
    db: Database = DEFAULT_DATABASE,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", min=0.001, help="Stop after this long.")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option("--memory-limit", metavar="SIZE", help="Memory the query may use, for example 500MB.")
    ] = None,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Run SQL on the catalog, read-only: it can read the catalog's tables and nothing else on the machine."""
    from catalog.storage.sandbox import run_user_query

    text = typer.get_text_stream("stdin").read() if sql == "-" else sql
    emit(run_user_query(db, text, timeout=timeout, memory_limit=memory_limit, wait=wait), output_format)


def top(
    space: Space,
    by: Annotated[str, typer.Option("--by", metavar="COLUMN", help="Column of the wide view: a metric or a proxy.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many.")] = 10,
    where: Where = None,
    db: Database = DEFAULT_DATABASE,
    ascending: Annotated[
        bool | None,
        typer.Option("--ascending/--descending", help="Smallest or largest first.", show_default="the best first"),
    ] = None,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """The best architectures of a space by one column."""
    from catalog.asking.top import top as rank
    from catalog.storage.store import Store

    with Store.open(db, wait=wait) as catalog:
        # The Arrow rows as they are: loading polars would take a fifth of the whole answer's time.
        emit(rank(catalog, space, by, k=k, where=where, ascending=ascending), output_format)


def show(
    space: Space,
    identifier: Identifier,
    form: Form = "native",
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Also write the drawing as SVG.")] = None,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Everything known about one architecture: drawing, metrics by source and seed, proxies, functional twins."""
    from catalog.asking.profile import read_profiles
    from catalog.storage.store import Store

    if form not in ("native", "canonical"):
        raise UsageError(f"unknown form {form!r}; allowed are native and canonical.")
    with Store.open(db, wait=wait) as catalog:
        found = lookup(catalog, [identifier], space=space)["architecture_id"].to_list()
        (profile,) = read_profiles(catalog, space, found)
    graph = profile.native if form == "native" else profile.canonical
    if svg is not None:
        from catalog.architecture.drawing import draw_svg

        try:
            svg.write_text(draw_svg(graph), encoding="utf-8")
        except OSError as error:
            raise CatalogError(f"cannot write {svg}: {error.strerror}; give the path of a file with --svg.") from error
        note(f"wrote {svg}")
    if output_format in (OutputFormat.CSV, OutputFormat.JSON, OutputFormat.PARQUET):
        emit(profile.numbers(), output_format)
        return
    from catalog.architecture.drawing import draw_text

    facts = profile.facts
    shown_twins = ", ".join(profile.twins[:3]) + (
        f" and {len(profile.twins) - 3} more" if len(profile.twins) > 3 else ""
    )
    index = "" if facts["native_index"] is None else f"index {facts['native_index']}   "
    typer.echo(f"{space} {facts['native_id']}\n{index}digest {facts['canonical_digest']}   id {facts['id']}")
    typer.echo(
        f"computes the same function as {len(profile.twins)} others{': ' + shown_twins if shown_twins else ''}\n"
    )
    typer.echo(f"{form} graph\n{draw_text(graph)}\n")
    typer.echo(f"metrics\n{as_text(profile.metrics.to_arrow()) if profile.metrics.height else 'none'}\n")
    typer.echo(f"proxies\n{as_text(profile.scores.to_arrow()) if profile.scores.height else 'none'}")


def compare(
    space: Space,
    identifiers: Identifiers,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write a page instead: graphs, metrics, proxies, near neighbours."),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Architectures side by side: one row a column of the wide view, one column an architecture.

    A table rounds for the eye; csv, json and parquet give every value as it is stored, as text. With --out the same
    becomes one HTML page that needs no other file: the graphs side by side, the metrics of every source, the proxies as
    percentiles of the space, and the nearest stored architectures by edits of the graph and by TG-NAS's embedding.
    """
    import sys

    import pyarrow as pa

    from catalog.storage.store import Store

    if repeated := sorted({name for name in identifiers if identifiers.count(name) > 1}):
        raise UsageError(f"compare names {', '.join(repeated)} more than once; name each architecture once.")
    if len(identifiers) < 2:
        raise UsageError("compare needs two architectures or more; for one use `catalog show`.")
    if out is not None:
        _write_comparison(space, identifiers, out, db, wait)
        return
    with Store.open(db, wait=wait) as catalog:
        rows = lookup(catalog, identifiers, space=space).to_dicts()
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    is_table = output_format is OutputFormat.TABLE or (output_format is None and sys.stdout.isatty())
    written = text_cell if is_table else _exact
    columns = {label: [written(row[name]) for name in names] for label, row in zip(identifiers, rows, strict=True)}
    emit(pa.table({"column": names, **columns}), output_format)


def _write_comparison(space: str, identifiers: list[str], out: Path, db: Path, wait: float | None) -> None:
    import shlex

    from catalog.report.architecture_comparison import comparison_page, read_comparison
    from catalog.storage.store import Store
    from predictor.scoring.architecture_vectors import embedding_of

    with Store.open(db, wait=wait) as catalog:
        ids = lookup(catalog, identifiers, space=space)["architecture_id"].to_list()
        comparison = read_comparison(catalog, space, ids, embedding_of(catalog, space))
    page = comparison_page(comparison, shlex.join(["catalog", "compare", space, *identifiers, "--out", str(out)]))
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise CatalogError(f"cannot write {out}: {error.strerror}; give the path of a file with --out.") from error
    note(f"wrote {out}: {len(ids)} architectures, {len(page.encode()) / 1e3:,.0f} kB.")


def _exact(value: object) -> str | None:
    return None if value is None else str(value)


def export(
    space: Space,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="File to write; its ending may give the format.",
            show_default="SPACE.parquet here, or the ending of --format",
        ),
    ] = None,
    where: Where = None,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Write a space's wide view to a parquet, csv or json file."""
    from catalog.storage.store import Store
    from catalog.tables.exporting import export_space

    if out is None:
        out = Path(f"{space}.{output_format.value if output_format else 'parquet'}")
    chosen = output_format.value if output_format else out.suffix.removeprefix(".")
    with Store.open(db, wait=wait) as catalog:
        rows, columns = export_space(catalog, space, out, chosen, where)
    note(f"wrote {out}: {rows:,} rows, {columns} columns.")


def doctor(
    db: Database = DEFAULT_DATABASE,
    full: Annotated[bool, typer.Option("--full", help="Compute every digest anew, not a thousand a space.")] = False,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Check the file: counts, orphans, digests, representatives, known optima. Exit code 1 if a check fails."""
    import pyarrow as pa

    from catalog.storage.store import Store
    from catalog.tables.doctor import examine, passed

    with Store.open(db, wait=wait) as catalog:
        findings = list(examine(catalog, full=full))
    emit(
        pa.table({name: [getattr(f, name) for f in findings] for name in ("check", "result", "detail")}), output_format
    )
    if not passed(findings):
        failed = ", ".join(finding.check for finding in findings if finding.result == "failed")
        raise CatalogError(f"these checks failed: {failed}. The file was changed from outside or damaged; ingest anew.")
