"""Questions that one catalog can answer, made from the spaces, metrics and proxies that it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from catalog.quoting import identifier, literal
from catalog.tables.views import proxy_directions

if TYPE_CHECKING:
    from catalog.storage.store import Store

MOST = 6
"""Questions on the first page."""

_SPACES = 2  # the largest ones are asked about
_LONGEST = 60  # letters of a name in a question


@dataclass(frozen=True)
class Question:
    """A question in words, and the SQL that answers it."""

    words: str
    sql: str


def example_questions(catalog: Store) -> list[Question]:
    """Some questions of the spaces with the most architectures; none of an empty catalog."""
    spaces = catalog.rows(
        "SELECT space FROM architecture WHERE space IN (SELECT space FROM wide_column) "
        "GROUP BY space ORDER BY count(*) DESC, space LIMIT ?",
        [_SPACES],
    )
    return list(islice((question for (space,) in spaces for question in _of_space(catalog, str(space))), MOST))


def _of_space(catalog: Store, space: str) -> Iterator[Question]:
    table = identifier(space)
    metric = _metric(catalog, space)
    proxies = proxy_directions(catalog, space)
    proxy = next(iter(proxies), None)
    if metric is not None:
        column, name = identifier(metric[0]), _shown(metric[0])
        order = "DESC" if metric[1] >= 0 else "ASC"
        yield Question(
            f"Which architectures of {_shown(space)} have the best {name}?",
            f"SELECT * FROM {table} WHERE {column} IS NOT NULL ORDER BY {column} {order} LIMIT 20",
        )
        if proxy is not None:
            yield Question(
                f"How does {_shown(proxy)} go with {name} in {_shown(space)}?",
                f"SELECT architecture_id, {identifier(proxy)}, {column} FROM {table} "
                f"WHERE {column} IS NOT NULL AND {identifier(proxy)} IS NOT NULL",
            )
            yield Question(
                f"Of architectures of {_shown(space)} with a low {_shown(proxy)}, which have the best {name}?",
                f"SELECT architecture_id, {identifier(proxy)}, {column} FROM {table} WHERE {identifier(proxy)} < "
                f"(SELECT median({identifier(proxy)}) FROM {table}) AND {column} IS NOT NULL "
                f"ORDER BY {column} {order} LIMIT 20",
            )
    elif proxy is not None:
        order = "DESC" if (proxies[proxy] or 1) > 0 else "ASC"
        yield Question(
            f"Which architectures of {_shown(space)} does {_shown(proxy)} like best?",
            f"SELECT * FROM {table} WHERE {identifier(proxy)} IS NOT NULL "
            f"ORDER BY {identifier(proxy)} {order} LIMIT 20",
        )
    yield Question(
        f"Which functions of {_shown(space)} stand in the most architectures?",
        f"SELECT canonical_digest, count(*) AS architectures FROM {table} GROUP BY canonical_digest "
        "ORDER BY architectures DESC, canonical_digest LIMIT 20",
    )
    yield Question(
        f"What do the columns of {_shown(space)} mean?",
        f"SELECT column_name, data_type, comment FROM duckdb_columns() WHERE table_name = {literal(space)}",
    )


def _metric(catalog: Store, space: str) -> tuple[str, int] | None:
    """A metric's column and direction: an accuracy of a test first."""
    rows = catalog.rows(
        "SELECT DISTINCT wide_column.name, direction, metric != 'accuracy', NOT contains(wide_column.name, 'test') "
        "FROM wide_column JOIN measure ON measure.name = metric WHERE space = ? AND direction != 0 ORDER BY 3, 4, 1",
        [space],
    )
    return (str(rows[0][0]), int(rows[0][1])) if rows else None


def _shown(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
