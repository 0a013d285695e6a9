"""The best architectures of a space by one column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.quoting import identifier
from catalog.storage.answer import NUMBERS
from catalog.storage.question import ConditionalQuestion, Question
from catalog.storage.user_sql import check_condition
from catalog.tables.direction import is_cost
from catalog.tables.space_view import SpaceView, filtered

if TYPE_CHECKING:
    from catalog.storage.store import Store


def top(
    store: Store,
    space: str,
    by: str,
    k: int = 10,
    where: str | None = None,
    columns: Sequence[str] | None = None,
    ascending: bool | None = None,
) -> Question:
    """The `k` best architectures of a space, the best first.

    Architectures without a value are left out; ties are ordered by ``architecture_id``.

    Parameters
    ----------
    store
        The open catalog.
    space
        A stored space.
    by
        The column that ranks.
    k
        How many.
    where
        An SQL condition on the columns, which may come from a user.
    columns
        The columns to give; by default the index, `by`, the columns that `where` mentions, and the native id.
    ascending
        Whether small is good; by default what the proxy's direction or the metric's name says.

    Raises
    ------
    UnknownSpaceError
        The catalog holds no such space.
    UnknownColumnError
        The wide view has no such column.
    UsageError
        The column holds no numbers.
    ConditionError
        `where` is not one harmless condition; if it fails, asking raises the same.
    """
    if k < 1:
        raise UsageError(f"k is {k}; it must be at least 1.")
    view = SpaceView.of(store, space)
    ranked = identifier(view.checked(by))
    _require_numbers(store, view.name, by)
    condition = None if where is None else check_condition(where)
    if columns is None:
        known = [name for name in (condition.columns if condition else ()) if name in view.columns]
        columns = tuple(dict.fromkeys(("index", by, *known, view.native_id_name)))
    if ascending is None:
        ascending = is_cost(store, space, by)
    sql = (
        f"SELECT {view.selected(columns)} FROM (FROM {identifier(view.name)}{filtered(condition)})"
        f" WHERE {ranked} IS NOT NULL ORDER BY {ranked} {'ASC' if ascending else 'DESC'}, architecture_id LIMIT {k:d}"
    )
    read = {view.name: ("architecture_id", by, *columns)}
    return ConditionalQuestion(store, sql, condition=condition, columns=read)


def _require_numbers(store: Store, space: str, by: str) -> None:
    """Texts have an order, and the first of them is not the best."""
    ((kind,),) = store.rows(
        "SELECT data_type FROM duckdb_columns() WHERE table_name = ? AND column_name = ? "
        "AND database_name = current_database() AND schema_name = 'main'",
        [space, by],
    )
    if str(kind).partition("(")[0] not in NUMBERS | {"DECIMAL"}:
        what = "texts" if kind == "VARCHAR" else f"values of the type {kind}"
        raise UsageError(
            f"the column {by!r} of {space} holds {what}, of which none is the best; rank by a metric or a proxy. "
            f'All columns: `catalog query "DESCRIBE {space}" --db {store.path}`.'
        )
