"""Where the numbers of one column come from: sources, digests, runs and commands, and what is missing and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.asking.frame_result import FrameResult
from catalog.asking.origin_of_graphs import graph_facts
from catalog.asking.origin_of_metrics import metric_parts
from catalog.asking.origin_of_scores import score_parts
from catalog.asking.origin_parts import Facts, Part, told
from catalog.quoting import identifier
from catalog.tables.space_view import SpaceView
from catalog.tables.views import metric_groups, proxy_groups

if TYPE_CHECKING:
    import polars

    from catalog.storage.store import Store

_WIDEST = 22


@dataclass(frozen=True, repr=False)
class Origin(FrameResult):
    """Where a column comes from.

    Parameters
    ----------
    space, column
        What was asked.
    facts
        What holds for the whole column.
    parts
        The kinds of rows that its values are taken from, the first that has a value before the others. A column that
        follows from the graphs has none.
    """

    space: str
    column: str
    facts: Facts
    parts: tuple[Part, ...]

    @property
    def frame(self) -> polars.DataFrame:
        """One row a fact: ``part`` (NULL for the whole column, else its number from 1), ``fact`` and ``value``."""
        import polars

        told_by: list[tuple[int | None, Facts]] = [
            (None, self.facts),
            *((number, part.facts) for number, part in enumerate(self.parts, 1)),
        ]
        rows = [
            (number, fact, told(value))
            for number, facts in told_by
            for fact, value in facts.items()
            if value is not None
        ]
        schema = {"part": polars.Int64(), "fact": polars.String(), "value": polars.String()}
        return polars.DataFrame(rows, schema=schema, orient="row")

    @property
    def text(self) -> str:
        """The facts as a page of text."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.space}.{self.column}"
        yield from _aligned(self.facts)
        for number, part in enumerate(self.parts, 1):
            yield ""
            yield f"{number}. {part.title}" if len(self.parts) > 1 else part.title
            yield from _aligned(part.facts)

    def __repr__(self) -> str:
        return self.text


def _aligned(facts: Facts) -> Iterator[str]:
    yield from (f"  {fact:<{_WIDEST}} {told(value)}" for fact, value in facts.items() if value is not None)


def origin_of(catalog: Store, space: str, column: str) -> Origin:
    """Where the values of a column of a wide view come from.

    Raises
    ------
    UnknownSpaceError, UnknownColumnError
        There is no such space or column; the message names near ones.
    """
    SpaceView.of(catalog, space).checked(column)
    facts = _counts(catalog, space, column)
    if (groups := metric_groups(catalog, space).get(column)) is not None:
        more, parts = metric_parts(catalog, space, groups)
    elif (kinds := proxy_groups(catalog, space).get(column)) is not None:
        more, parts = score_parts(catalog, space, column, kinds)
    else:
        more, parts = graph_facts(catalog, space, column), ()
    return Origin(space, column, {"shows": _comment(catalog, space, column), **facts, **more}, parts)


def _counts(catalog: Store, space: str, column: str) -> Facts:
    ((rows, values),) = catalog.rows(f"SELECT count(*), count({identifier(column)}) FROM {identifier(space)}")
    return {"architectures": rows, "with a value": values, "NULL": rows - values}


def _comment(catalog: Store, space: str, column: str) -> str | None:
    """What the wide view says of the column; identifiers have no comment there."""
    ((comment,),) = catalog.rows(
        "SELECT comment FROM duckdb_columns() WHERE table_name = ? AND column_name = ?", [space, column]
    )
    return None if comment is None else str(comment)
