"""What a catalog already knows of the space that is searched: who is stored, and with which values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.spaces.base import SearchSpace
from catalog.tables.column_names import DEFAULT_INPUT
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    import polars as pl

    from catalog.search.methods.problem import Candidate
    from catalog.storage.store import Store

Values = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class StoredSpace:
    """The stored architectures of one space as arrays; all of length 0 where the catalog holds none.

    Parameters
    ----------
    ids
        Their ``architecture.id``, ascending.
    native_ids, digests
        Their native ids and canonical digests.
    columns
        The wide columns that were asked for and exist; NaN where an architecture has no value. What a proxy says of
        functions is filled in for all architectures of a function of which one has it.
    refused
        Of each column that a proxy of our own filled: where it was tried and gave no value.
    is_complete
        Whether the catalog holds every architecture that the space has.
    """

    ids: Rows
    native_ids: Sequence[str]
    digests: Sequence[str]
    columns: dict[str, Values]
    refused: dict[str, NDArray[np.bool_]]
    is_complete: bool

    @classmethod
    def read(cls, catalog: Store, space: SearchSpace, names: Sequence[str]) -> StoredSpace:
        """Read the stored architectures of `space` and those of the columns `names` that its wide view has.

        Raises
        ------
        UsageError
            A column holds no numbers.
        """
        if not len(catalog.arrow("SELECT 1 FROM architecture WHERE space = ? LIMIT 1", [space.name])):
            return cls(np.empty(0, dtype=np.int64), (), (), {}, {}, False)
        view = SpaceView.of(catalog, space.name)
        known = [name for name in dict.fromkeys(names) if name in view.columns]
        fixed = ["architecture_id", view.native_id_name, "canonical_digest"]
        frame = view.frame(columns=list(dict.fromkeys([*fixed, *known])))
        ids = frame["architecture_id"].to_numpy()
        digests = frame["canonical_digest"].to_list()
        columns = {name: _numbers(frame, name, space.name) for name in known}
        refused = {name: _refused(catalog, name, ids) for name in known}
        for name in known:
            if (np.isnan(columns[name]) & ~refused[name]).any() and holds_of_function(catalog, space, name):
                columns[name], refused[name] = _shared(columns[name], refused[name], digests)
        is_complete = space.size is not None and len(ids) >= space.size
        return cls(ids, frame[view.native_id_name].to_list(), digests, columns, refused, is_complete)

    def __len__(self) -> int:
        return len(self.ids)

    def lacking(self, name: str) -> frozenset[str]:
        """Digests of the functions with an architecture that has no value of a name, although nobody tried in vain."""
        if name not in self.columns:
            return frozenset(self.digests)
        rows = np.flatnonzero(np.isnan(self.columns[name]) & ~self.refused[name])
        return frozenset(self.digests[row] for row in rows.tolist())

    def shared(self, name: str) -> StoredSpace:
        """The same, with a column's values known of all architectures of a function of which one has a value."""
        values, refused = _shared(self.columns[name], self.refused[name], self.digests)
        return replace(self, columns={**self.columns, name: values}, refused={**self.refused, name: refused})

    @property
    def has_twins(self) -> bool:
        """Whether two stored architectures compute the same function."""
        return len(self.row_of_digest) < len(self)

    def differs_between_twins(self, name: str) -> bool:
        """Whether a column tells architectures apart that compute the same function: by a value, or by having one."""
        values = self.columns[name]
        first = values[self._first_rows]
        return bool(np.any((values != first) & ~(np.isnan(values) & np.isnan(first))))

    @cached_property
    def _first_rows(self) -> Rows:
        """(N,) of each architecture the first row that computes the same function."""
        return np.array([self.row_of_digest[digest] for digest in self.digests], dtype=np.int64)

    @cached_property
    def row_of_native_id(self) -> dict[str, int]:
        """Native id to row."""
        return {name: row for row, name in enumerate(self.native_ids)}

    @cached_property
    def row_of_digest(self) -> dict[str, int]:
        """Canonical digest to the first row that has it."""
        rows: dict[str, int] = {}
        for row, digest in enumerate(self.digests):
            rows.setdefault(digest, row)
        return rows

    def rows_of(self, space: SearchSpace, candidates: Sequence[Candidate]) -> tuple[Rows, Rows]:
        """Of each candidate its own row and the row of a function like it; -1 where there is none."""
        own, twin = (np.full(len(candidates), -1, dtype=np.int64) for _ in range(2))
        for place, candidate in enumerate(candidates):
            row = self.row_of_digest.get(candidate.digest, -1)
            if row < 0 or candidate.graph is None:
                continue
            twin[place] = row
            own[place] = self.row_of_native_id.get(space.native_id(candidate.graph), -1)
        return own, twin

    def chosen(self, catalog: Store, space: SearchSpace, where: str | None) -> Rows:
        """The rows for which an SQL condition holds; all of them without one.

        Raises
        ------
        QueryError
            `where` is not one harmless condition.
        """
        if where is None or not len(self):
            return np.arange(len(self.ids))
        kept = (
            SpaceView.of(catalog, space.name)
            .arrow(columns=["architecture_id"], where=where)["architecture_id"]
            .to_numpy()
        )
        rows: Rows = np.searchsorted(self.ids, kept)
        return rows


def _numbers(frame: pl.DataFrame, name: str, space: str) -> Values:
    import polars as pl

    kind = frame[name].dtype
    if not (kind.is_numeric() or kind == pl.Boolean):
        raise UsageError(f"the column {name!r} of {space} holds no numbers ({kind}); name a metric or a proxy.")
    values: Values = frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return values


def _refused(catalog: Store, column: str, ids: Rows) -> NDArray[np.bool_]:
    """Whom a proxy of our own tried without getting a value: trying again would give the same."""
    tried = catalog.arrow(
        'SELECT DISTINCT architecture_id FROM score JOIN proxy ON proxy.id = proxy_id WHERE proxy."column" = ?'
        " AND status != 'ok' AND source_id IS NULL AND coalesce(input, ?) = ?",
        [column, DEFAULT_INPUT, DEFAULT_INPUT],
    )
    return np.isin(ids, tried["architecture_id"].to_numpy())


def holds_of_function(catalog: Store, space: SearchSpace, name: str) -> bool:
    """Whether a column is a proxy's that does not tell functional twins apart; a metric is asked for no networks."""
    if not len(catalog.arrow('SELECT 1 FROM proxy WHERE "column" = ? LIMIT 1', [name])):
        return False
    from predictor.scoring.candidates import is_of_function

    return is_of_function(space, name)


def _shared(values: Values, refused: NDArray[np.bool_], digests: Sequence[str]) -> tuple[Values, NDArray[np.bool_]]:
    """The same with what is known of a function known of all that compute it; a value goes before a failure."""
    held = np.flatnonzero(~np.isnan(values))
    of_function = {digests[row]: row for row in held[::-1].tolist()}  # the first one's
    without = {digests[row] for row in np.flatnonzero(refused).tolist()} - of_function.keys()
    sources = np.array([of_function.get(digest, row) for row, digest in enumerate(digests)], dtype=np.int64)
    known = np.where(np.isnan(values), values[sources], values)
    return known, np.array([digest in without for digest in digests]) | (refused & np.isnan(known))


def best_known(names: Sequence[str], split: str = "test") -> str | None:
    """The column among `names` that tells how good an architecture is: a trained accuracy, CIFAR-10's first."""
    usual = "cifar10_test_accuracy" if split == "test" else "cifar10_valid_accuracy"
    trained = [usual] if usual in names else [name for name in names if name.endswith(f"{split}_accuracy")]
    return trained[0] if trained else None
