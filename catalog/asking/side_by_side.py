"""Architectures side by side: one row a column of the wide view, one column an architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.asking.lookup import lookup
from catalog.asking.text_table import as_text, text_cell
from catalog.errors import UsageError
from catalog.storage.answer import Answer

if TYPE_CHECKING:
    import polars

    from catalog.storage.store import Store


@dataclass(frozen=True)
class SideBySide:
    """The wide rows of some architectures, turned; columns that all of them lack are left out.

    Parameters
    ----------
    labels
        What the architectures were called in the question.
    names
        The columns of the wide view.
    values
        (names, labels) the stored values.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    values: tuple[tuple[object, ...], ...]

    def answer(self, *, rounded: bool = False) -> Answer:
        """The rows as texts: every value as it is stored, or rounded for the eye."""
        written = text_cell if rounded else _exact
        rows = [(name, *map(written, values)) for name, values in zip(self.names, self.values, strict=True)]
        return Answer(("column", *self.labels), (False,) * (1 + len(self.labels)), rows)

    @property
    def frame(self) -> polars.DataFrame:
        """One row a column of the wide view, one column an architecture; every value as it is stored, as text."""
        import polars

        answer = self.answer()
        return polars.DataFrame(answer.rows, schema=dict.fromkeys(answer.columns, polars.String), orient="row")

    def __repr__(self) -> str:
        return as_text(self.answer(rounded=True))


def side_by_side(store: Store, space: str, ids: Sequence[object]) -> SideBySide:
    """Architectures of one space, given by any native ids, beside each other.

    Raises
    ------
    UsageError
        There are fewer than two, or one is named twice.
    IdentifierError, UnknownSpaceError
        As `catalog.asking.lookup.lookup`.
    """
    labels = tuple(map(str, ids))
    if repeated := sorted({name for name in labels if labels.count(name) > 1}):
        raise UsageError(f"compare names {', '.join(repeated)} more than once; name each architecture once.")
    if len(labels) < 2:
        raise UsageError("compare needs two architectures or more; for one use `catalog show`.")
    rows = lookup(store, ids, space=space).to_dicts()
    names = tuple(name for name in rows[0] if any(row[name] is not None for row in rows))
    return SideBySide(labels, names, tuple(tuple(row[name] for row in rows) for name in names))


def _exact(value: object) -> str | None:
    return None if value is None else str(value)
