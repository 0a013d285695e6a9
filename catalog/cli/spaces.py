"""``catalog spaces`` and ``catalog operators``: what the catalog holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.options import DEFAULT_DATABASE, Database, Format, Wait
from catalog.cli.output import emit, note
from catalog.cli.progress import counting
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    import polars as pl


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command("spaces", epilog="Example: catalog spaces --enumerate nb201")(spaces)
    parent.command("operators", epilog="Example: catalog operators --space nb201 --similar nor_conv_3x3")(operators)


def spaces(
    db: Database = DEFAULT_DATABASE,
    enumerated: Annotated[
        str | None,
        typer.Option(
            "--enumerate", metavar="SPACE", help="First enter every architecture of this space (nb101, nb201)."
        ),
    ] = None,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """List the search spaces: architectures stored, distinct functions, metrics and scores."""
    from catalog.storage.store import Store

    if enumerated is not None:
        enter_space(db, enumerated, wait)
    with Store.open(db, wait=wait) as catalog:
        emit(
            catalog.arrow("""
                WITH held AS (
                    SELECT space, count(*) AS architectures, count(DISTINCT canonical_digest) AS functions,
                        count(*) FILTER (NOT is_connected) AS disconnected
                    FROM architecture GROUP BY space
                ), measured AS (
                    SELECT space, count(*) AS metrics
                    FROM metric JOIN architecture ON id = architecture_id GROUP BY space
                ), scored AS (
                    SELECT space, count(*) AS scores
                    FROM score JOIN architecture ON id = architecture_id GROUP BY space
                )
                SELECT name AS space, coalesce(architectures, 0) AS architectures, size,
                    coalesce(functions, 0) AS functions,
                    coalesce(disconnected, 0) AS disconnected, coalesce(metrics, 0) AS metrics,
                    coalesce(scores, 0) AS scores, description
                FROM space LEFT JOIN held ON held.space = name LEFT JOIN measured ON measured.space = name
                LEFT JOIN scored ON scored.space = name ORDER BY name
            """),
            output_format,
        )


def enter_space(db: Path, name: str, wait: float | None) -> None:
    """Enter every architecture of a built-in space, without metrics, creating the catalog if there is none."""
    from catalog.spaces import space_named
    from catalog.storage.store import Store
    from catalog.tables.enumeration import enumerate_space

    definition = space_named(name)
    with Store.open(db, mode="write", create=True, wait=wait) as catalog, counting(f"entering {name}") as progress:
        new = enumerate_space(catalog, definition, progress)
    note(f"{name}: {new:,} new architectures.")


def operators(
    db: Database = DEFAULT_DATABASE,
    space: Annotated[str | None, typer.Option("--space", help="Only operators that occur in this space.")] = None,
    similar: Annotated[
        str | None,
        typer.Option(
            "--similar", metavar="NAME", help="Nearest first, by the descriptions' cosine to this operator's."
        ),
    ] = None,
    style: Annotated[
        str, typer.Option("--style", help="Sentence style that --similar compares: short, medium or long.")
    ] = "short",
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """List the operators with kind, window and description; with --similar by what their descriptions mean.

    Similarity is the cosine of the sentence embeddings (all-MiniLM-L6-v2) that TG-NAS sees, -1 to 1.
    """
    from catalog.storage.store import Store

    with Store.open(db, wait=wait) as catalog:
        condition = "true"
        parameters: list[object] = []
        if space is not None:
            SpaceView.of(catalog, space)
            condition = """operator.space IN ('*', ?) AND operator.name IN (
                SELECT unnest(map_keys(operator_counts)) FROM architecture WHERE space = ?
                UNION SELECT unnest(map_keys(live_operator_counts)) FROM architecture WHERE space = ?)"""
            parameters = [space, space, space]
        columns = "name, space, kind, kernel, dilation, depthwise, has_weights, short, medium, long"
        listed = catalog.query(
            f"SELECT {columns} FROM operator WHERE {condition} ORDER BY kind, name, space", parameters
        )
        if similar is not None:
            # A space's own operator goes before the built-in one of its name: '*' sorts before every word.
            named = catalog.query(f"SELECT {columns} FROM operator WHERE name = ? ORDER BY space DESC", [similar])
            listed = _by_similarity(listed, named, similar, style)
    emit(listed.drop("medium", "long").rename({"short": "description"}), output_format)


def _by_similarity(listed: pl.DataFrame, named: pl.DataFrame, name: str, style: str) -> pl.DataFrame:
    """The operators by the cosine of their descriptions to those of the one named, without itself."""
    import polars as pl

    from catalog.architecture.operators import Operator
    from catalog.errors import UnknownOperatorError
    from catalog.extras import require_predict

    require_predict()
    from predictor.encoding.embedding import embed

    if not named.height:
        raise UnknownOperatorError(f"unknown operator {name!r}; `catalog operators` lists those that are known.")
    rows = [*named.head(1).drop("space").to_dicts(), *listed.drop("space").to_dicts()]
    vectors = embed([Operator(**row) for row in rows], style)
    cosines = (vectors[1:] @ vectors[0]).astype(float).round(4)
    return (
        listed.insert_column(2, pl.Series("similarity", cosines))
        .filter(pl.col("name") != name)
        .sort("similarity", descending=True, maintain_order=True)
    )
