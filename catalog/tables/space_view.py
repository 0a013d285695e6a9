"""A stored search space as its wide view: one row an architecture, one column a metric or proxy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.errors import QueryError, UnknownColumnError, UnknownSpaceError
from catalog.nearest import did_you_mean
from catalog.quoting import identifier
from catalog.storage.question import ConditionalQuestion
from catalog.storage.user_sql import Condition, check_condition

if TYPE_CHECKING:
    import polars
    import pyarrow as pa

    from catalog.storage.store import Store


@dataclass(frozen=True)
class SpaceView:
    """A handle on the wide view of one search space.

    Parameters
    ----------
    catalog
        The open catalog.
    name
        The space, and the table that holds its wide view.
    native_id_name
        The column with the benchmark's own identifier.
    columns
        All columns of the wide view, in its order.
    """

    catalog: Store
    name: str
    native_id_name: str
    columns: tuple[str, ...]

    @classmethod
    def of(cls, catalog: Store, name: str) -> SpaceView:
        """The view of the stored space `name`.

        Raises
        ------
        UnknownSpaceError
            The catalog holds no such space.
        """
        spaces = dict(catalog.rows("SELECT name, native_id_name FROM space"))
        if name not in spaces:
            stored = f"stored are {', '.join(sorted(spaces))}" if spaces else "it holds no space yet"
            raise UnknownSpaceError(
                f"{catalog.path} holds no search space {name!r}; {stored}. {did_you_mean(name, spaces)}"
                "Fill one with `catalog ingest`."
            )
        try:
            columns = catalog.answer(f"FROM main.{identifier(name)} LIMIT 0").columns
        except QueryError as error:
            raise UnknownSpaceError(
                f"{catalog.path} knows the search space {name!r} but holds no architecture of it; "
                "add some with `catalog ingest`."
            ) from error
        return cls(catalog, name, spaces[name], columns)

    @property
    def count(self) -> int:
        """Number of stored architectures."""
        ((count,),) = self.catalog.rows(f"SELECT count(*) FROM {identifier(self.name)}")
        return int(count)

    def frame(self, columns: Sequence[str] | None = None, where: str | None = None) -> polars.DataFrame:
        """Rows of the wide view in the order of ``architecture_id``; see `arrow`."""
        import polars

        frame = polars.from_arrow(self.arrow(columns, where))
        assert isinstance(frame, polars.DataFrame)
        return frame

    def arrow(self, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
        """Rows of the wide view in the order of ``architecture_id``.

        Parameters
        ----------
        columns
            The columns to give; all of them if None.
        where
            An SQL condition on the columns, which may come from a user.

        Raises
        ------
        UnknownColumnError
            The view has no such column.
        ConditionError
            `where` is not one harmless condition, or it failed.
        """
        condition = None if where is None else check_condition(where)
        shown = [*dict.fromkeys(columns or self.columns)]
        sql = (
            f"SELECT {self.selected(shown)} FROM {identifier(self.name)}{filtered(condition)} ORDER BY architecture_id"
        )
        read = {self.name: ("architecture_id", *shown)}
        return ConditionalQuestion(self.catalog, sql, condition=condition, columns=read).arrow()

    def selected(self, columns: Iterable[str] | None) -> str:
        """The checked columns as an SQL list; one that is named twice stands there once."""
        return ", ".join(identifier(self.checked(column)) for column in dict.fromkeys(columns or self.columns))

    def checked(self, column: str) -> str:
        """`column`, if the view has it.

        Raises
        ------
        UnknownColumnError
            It has not; the message names the closest ones.
        """
        if column in self.columns:
            return column
        close = difflib.get_close_matches(column.lower(), self.columns, n=5, cutoff=0.5)
        close += [name for name in self.columns if column.lower() in name and name not in close][: 5 - len(close)]
        meant = f" Did you mean {', '.join(close)}?" if close else ""
        raise UnknownColumnError(
            f"{self.name} has no column {column!r}.{meant} "
            f'All columns: `catalog query "DESCRIBE {self.name}" --db {self.catalog.path}`.'
        )

    def __repr__(self) -> str:
        return f"SpaceView({self.name!r}, {self.count:,} architectures, {len(self.columns)} columns)"


def filtered(condition: Condition | None) -> str:
    """A judged condition as an SQL clause; nothing for None."""
    return "" if condition is None else f" WHERE (\n{condition.sql}\n)"
