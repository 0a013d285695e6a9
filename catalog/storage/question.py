"""A question that is composed but not asked: whoever wants its rows says in which form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.storage.user_sql import judging

if TYPE_CHECKING:
    import polars
    import pyarrow as pa

    from catalog.storage.answer import Answer
    from catalog.storage.store import Store


@contextmanager
def holding(store: Store, condition: str | None) -> Iterator[None]:
    """A block that asks a question with a user's judged condition in it: it cannot write, and failing is its fault.

    Raises
    ------
    ConditionError
        The block raised a `QueryError`, and there is a condition.
    StoreError
        As `Store.only_reading`.
    """
    if condition is None:
        yield
        return
    with judging(condition), store.only_reading():
        yield


@dataclass(frozen=True)
class Question:
    """One SELECT on an open store.

    Asked for plain values it imports nothing; Arrow and polars cost more than most small answers.

    Parameters
    ----------
    store
        The open store.
    sql
        The statement, composed by the program.
    parameters
        Values for its ``?`` or ``$name``.
    condition
        The condition in `sql` that a user typed, which is to blame if the statement fails.
    """

    store: Store
    sql: str
    parameters: Sequence[object] | Mapping[str, object] | None = None
    condition: str | None = None

    def answer(self) -> Answer:
        """The rows as plain values.

        Raises
        ------
        ConditionError
            The user's condition failed.
        QueryError, StoreError
            As `Store.answer`.
        """
        with holding(self.store, self.condition):
            return self.store.answer(self.sql, self.parameters)

    def arrow(self) -> pa.Table:
        """The rows as an Arrow table; raises as `answer`."""
        with holding(self.store, self.condition):
            return self.store.arrow(self.sql, self.parameters)

    def frame(self) -> polars.DataFrame:
        """The rows as a polars frame; raises as `answer`."""
        with holding(self.store, self.condition):
            return self.store.query(self.sql, self.parameters)

    def __repr__(self) -> str:
        return f"Question({' '.join(self.sql.split())!r})"
