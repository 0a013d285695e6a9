"""Graph patterns asked of a catalog: which architectures hold a small graph, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.asking.pattern_sql import FORMS, CompiledPattern, Storage, compile_pattern
from catalog.errors import UsageError
from catalog.quoting import identifier, literal
from catalog.storage.question import Question
from catalog.tables.direction import is_cost
from catalog.tables.space_view import SpaceView
from catalog.tables.stored_graphs import read_vocabulary

if TYPE_CHECKING:
    from catalog.storage.store import Store

__all__ = ["FORMS", "CompiledPattern", "Storage", "compile_pattern", "compiled", "count", "counted", "match"]


def match(
    catalog: Store,
    space: str,
    pattern: str,
    form: str = "canonical",
    by: str | None = None,
    limit: int | None = None,
) -> Question:
    """The architectures that hold a pattern.

    Parameters
    ----------
    catalog
        The open catalog.
    space
        A stored search space.
    pattern
        Text in the language of `catalog.asking.pattern_language`.
    form
        ``canonical`` or ``native``.
    by
        A column of the wide view to give and to order by, the best first; without it, the order of
        ``architecture_id``. Architectures without a value come last.
    limit
        How many rows to give; all if None.

    Returns
    -------
    Question
        One row an architecture: ``architecture_id``, ``index``, the native id, ``matches`` (ways to bind the pattern's
        nodes), and the column `by`.

    Raises
    ------
    PatternError
        The pattern is wrong; the message points at the place.
    UnknownSpaceError, UnknownColumnError
        The catalog holds no such space, or its wide view no such column.
    """
    if limit is not None and limit < 0:
        raise UsageError(f"the limit is {limit}; it must be 0 or more.")
    view = SpaceView.of(catalog, space)
    columns = ["architecture_id", *(name for name in ("index", view.native_id_name) if name in view.columns)]
    shown = [f"wide.{identifier(column)}" for column in columns] + ["found.matches"]
    order = ["wide.architecture_id"]
    if by is not None:
        value = f"wide.{identifier(view.checked(by))}"
        order.insert(0, f"{value} {'ASC' if is_cost(catalog, space, by) else 'DESC'} NULLS LAST")
        if by not in columns:
            shown.append(value)
    found = compiled(catalog, space, pattern, form)
    return Question(
        catalog,
        f"SELECT {', '.join(shown)}\nFROM (\n{found.sql}\n) AS found\n"
        f"JOIN {identifier(space)} AS wide ON wide.architecture_id = found.architecture_id\n"
        f"ORDER BY {', '.join(order)}" + ("" if limit is None else f"\nLIMIT {limit}"),
    )


def count(catalog: Store, space: str, pattern: str, form: str = "canonical") -> tuple[int, int]:
    """The number of architectures that hold a pattern, and the number of matches in all of them.

    Raises
    ------
    PatternError
        The pattern is wrong; the message points at the place.
    UnknownSpaceError
        The catalog holds no such space.
    """
    ((architectures, matches),) = counted(catalog, space, pattern, form).answer().rows
    return int(architectures), int(matches)


def counted(catalog: Store, space: str, pattern: str, form: str = "canonical") -> Question:
    """`count` as one row, ``architectures`` and ``matches``; raises as `count`."""
    found = compiled(catalog, space, pattern, form)
    sql = f"""SELECT count(*) AS architectures, coalesce(sum(matches), 0)::BIGINT AS matches
        FROM (\n{found.sql}\n) AS found"""
    return Question(catalog, sql)


def compiled(catalog: Store, space: str, pattern: str, form: str = "canonical") -> CompiledPattern:
    """A pattern compiled for what the catalog holds now: with the space's own operators, and no needless condition.

    Raises
    ------
    PatternError
        The pattern is wrong; the message points at the place.
    UnknownSpaceError
        The catalog holds no such space.
    """
    storage = _storage_of(catalog, space)
    return compile_pattern(pattern, space, form, vocabulary=read_vocabulary(catalog, space), storage=storage)


def _storage_of(catalog: Store, space: str) -> Storage:
    own = literal(space)
    ((first, last, is_alone),) = catalog.rows(
        f"""
        WITH own AS (SELECT min(id) AS first, max(id) AS last FROM architecture WHERE space = {own})
        SELECT first, last,
            first IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM architecture, own WHERE id BETWEEN first AND last AND space <> {own}) AS alone
        FROM own
        """
    )
    if first is None:
        SpaceView.of(catalog, space)  # raises for a space that is not stored
    if not is_alone:
        return Storage()
    ids = (int(first), int(last))
    cells = f"SELECT min(cell), max(cell) FROM node WHERE architecture_id BETWEEN {ids[0]} AND {ids[1]}"
    ((smallest, largest),) = catalog.rows(cells)
    return Storage(ids, one_cell=smallest == largest)
