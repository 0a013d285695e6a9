"""What a catalog holds: its search spaces, and the operators of their nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.storage.question import Question
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.storage.store import Store


OPERATOR_COLUMNS = "name, space, kind, kernel, dilation, depthwise, has_weights, short, medium, long"


def spaces(store: Store) -> Question:
    """One row a space: architectures stored, functions by canonical form, disconnected ones, metrics and scores."""
    return Question(store, _SPACES)


def operators(store: Store, space: str | None = None, columns: str = "*", name: str | None = None) -> Question:
    """One row an operator, by kind and name; of one name a space's own goes before the built-in one.

    Parameters
    ----------
    space
        Only operators that occur in the architectures of this stored space.
    columns
        The columns of the table ``operator`` to give, as SQL.
    name
        Only operators of this name.

    Raises
    ------
    UnknownSpaceError
        The catalog holds no such space.
    """
    conditions, parameters = ["true"], []
    if space is not None:
        SpaceView.of(store, space)  # raises for a space that is not stored
        conditions.append(_OF_SPACE)
        parameters += [space] * 3
    if name is not None:
        conditions.append("operator.name = ?")
        parameters.append(name)
    order = "kind, name, space" if name is None else "space DESC"  # '*', of the built-in, sorts before every word
    sql = f"SELECT {columns} FROM operator WHERE {' AND '.join(conditions)} ORDER BY {order}"
    return Question(store, sql, parameters)


_SPACES = """
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
"""
_OF_SPACE = """operator.space IN ('*', ?) AND operator.name IN (
    SELECT unnest(map_keys(operator_counts)) FROM architecture WHERE space = ?
    UNION SELECT unnest(map_keys(live_operator_counts)) FROM architecture WHERE space = ?)"""
