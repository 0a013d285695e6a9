"""The numbers that a search looks at: stored columns first, then proxies computed on the fly."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UnknownColumnError, UsageError
from catalog.nearest import did_you_mean
from catalog.search.expression import Expression
from catalog.search.methods.problem import Candidate
from catalog.search.stored_values import Rows, StoredSpace
from catalog.spaces.base import SearchSpace
from catalog.tables.direction import is_cost
from catalog.tables.space_view import SpaceView
from catalog.tables.stored_graphs import read_graphs

if TYPE_CHECKING:
    from catalog.architecture.graph import ArchitectureGraph
    from catalog.search.labels.source import CommandLabels
    from catalog.storage.store import Store
    from predictor.scoring.candidates import CandidateScorer

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Fresh:
    """A value that was computed on the fly and is in no table yet; `reason` says why measuring it failed, if it did."""

    value: float
    seconds: float
    reason: str | None


class ScoreSource:
    """Gives every name its value for any candidate, and remembers what it gave.

    Parameters
    ----------
    catalog
        The open catalog.
    space
        The space that is searched.
    stored
        What the catalog holds of it.
    allowed
        The rows of `stored` that the constraints leave; of a pool's candidates, the places count within them.
    names
        Columns and proxies.
    tells_twins_apart
        Whether every architecture is looked at for itself, so that none gives way to one that computes the same.
    labels
        Where the values of a user's command come from, if there is one; its name is none of `names`.

    Raises
    ------
    UnknownColumnError
        A name is neither a column of the space's wide view nor a proxy that can be computed.
    """

    def __init__(
        self,
        catalog: Store,
        space: SearchSpace,
        stored: StoredSpace,
        allowed: Rows,
        names: Sequence[str],
        tells_twins_apart: bool = False,
        labels: CommandLabels | None = None,
    ) -> None:
        self.labels = labels
        self.catalog = catalog
        self.space = space
        self.stored = stored
        self.allowed = allowed
        self.tells_twins_apart = tells_twins_apart
        self.computable = frozenset(name for name in names if _is_computable(space, stored, name))
        for name in names:
            if name not in self.computable and name not in stored.columns:
                raise _unknown(catalog, space, name)
        self.fresh: defaultdict[str, dict[str, Fresh]] = defaultdict(dict)
        self._of_function: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self._seen: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self._scorers: dict[tuple[str, ...], CandidateScorer] = {}

    def values(self, candidates: Sequence[Candidate], names: Sequence[str]) -> dict[str, Values]:
        """Each name's values, (B,); NaN where there is none."""
        missing = [one for one in candidates if not self._seen[one.key].keys() >= set(names)]
        if missing:
            self._find(missing, names)
        return {name: np.array([self._seen[one.key][name] for one in candidates]) for name in names}

    def known_values(self, candidates: Sequence[Candidate], names: Sequence[str]) -> dict[str, Values]:
        """Each name's stored values, (B,), computed for nobody; NaN where there is none."""
        rows = self._rows(candidates)[1]
        return {name: np.where(rows >= 0, self.stored.columns[name][rows], np.nan) for name in names}

    def of_stored(self, names: Sequence[str]) -> dict[str, Values]:
        """Each name's values of all stored architectures, (N,): of functions alike each its own."""
        rows = np.arange(len(self.stored))
        candidates = [Candidate(digest, place=place) for place, digest in enumerate(self.stored.digests)]
        return self._values_of(candidates, rows, rows, names)

    def row_of(self, candidates: Sequence[Candidate]) -> Rows:
        """The candidates' own rows among the stored architectures; -1 for one that the catalog does not hold.

        In a space that is stored completely, an architecture that the constraints do not allow gives way to the first
        allowed one that computes the same function, if there is one, unless twins are told apart.
        """
        return self._rows(candidates)[0]

    def are_allowed(self, candidates: Sequence[Candidate]) -> NDArray[np.bool_]:
        """(B,) whether each is among the allowed rows; or a function like it, unless twins are told apart."""
        if not self.tells_twins_apart:
            return np.array([one.digest in self._allowed_row_of_digest for one in candidates], dtype=bool)
        rows = self.row_of(candidates)
        return (rows >= 0) & self._is_allowed[rows]

    @cached_property
    def _allowed_row_of_digest(self) -> dict[str, int]:
        """Canonical digest to the first allowed row that has it."""
        rows: dict[str, int] = {}
        for row in self.allowed.tolist():
            rows.setdefault(self.stored.digests[row], row)
        return rows

    @property
    def is_slow(self) -> bool:
        """Whether networks may have to be built and measured, which takes a good part of a second each."""
        from predictor.scoring.candidates import is_slow

        return any(is_slow(self.space, name) for name in self.computable)

    def scorer_of(self, name: str) -> CandidateScorer:
        """The scorer that computed `name`, which knows how it is recorded."""
        return next(scorer for names, scorer in self._scorers.items() if name in names)

    def _rows(self, candidates: Sequence[Candidate]) -> tuple[Rows, Rows]:
        """Of each candidate its own row, and that or the row of a function like it; -1 where there is none."""
        own, twin = self.stored.rows_of(self.space, candidates)
        may_give_way = not self.tells_twins_apart and self.stored.is_complete and len(self.allowed) < len(self.stored)
        for place, candidate in enumerate(candidates):
            if candidate.place is not None:
                own[place] = self.allowed[candidate.place]
            elif may_give_way and not self._is_allowed[own[place]]:
                own[place] = self._allowed_row_of_digest.get(candidate.digest, own[place])
        return own, np.where(own >= 0, own, twin)

    @cached_property
    def _is_allowed(self) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.stored), dtype=bool)
        mask[self.allowed] = True
        return mask

    def _find(self, candidates: Sequence[Candidate], names: Sequence[str]) -> None:
        own, twin = self._rows(candidates)
        for name, values in self._values_of(candidates, own, twin, names).items():
            for candidate, value in zip(candidates, values.tolist(), strict=True):
                self._seen[candidate.key][name] = value

    def _values_of(
        self, candidates: Sequence[Candidate], own: Rows, twin: Rows, names: Sequence[str]
    ) -> dict[str, Values]:
        """Each name's values, (B,): the stored ones, and what is missing of a computable name computed.

        Of functions alike one may have more operators, and so more parameters: a twin's value stands only for one that
        cannot be computed.
        """
        if self.labels is not None and self.labels.name in names:
            others = [name for name in names if name != self.labels.name]
            answers = {self.labels.name: self.labels.values(candidates, own)}
            return self._values_of(candidates, own, twin, others) | answers
        found = {name: np.full(len(candidates), np.nan) for name in names}
        wanted = {name: np.zeros(len(candidates), dtype=bool) for name in names}
        for name in names:
            rows = own if name in self.computable else twin
            held = np.flatnonzero(rows >= 0)
            if name in self.stored.columns:
                found[name][held] = self.stored.columns[name][rows[held]]
            if name in self.computable:
                wanted[name] = np.isnan(found[name])
                if name in self.stored.refused:
                    wanted[name][held] &= ~self.stored.refused[name][rows[held]]
        self._compute(candidates, own, found, wanted)
        return found

    def _compute(
        self, candidates: Sequence[Candidate], own: Rows, found: dict[str, Values], wanted: dict[str, NDArray[np.bool_]]
    ) -> None:
        """Fill in what is wanted; names that are wanted of the same candidates are computed together."""
        asked = [name for name in sorted(wanted) if wanted[name].any()]
        left = {name: self._left_to_twins(name, candidates, wanted[name]) for name in asked}
        together: defaultdict[bytes, list[str]] = defaultdict(list)
        for name in asked:
            together[wanted[name].tobytes()].append(name)
        for names in together.values():
            places = np.flatnonzero(wanted[names[0]])
            if len(places):
                self._compute_together(candidates, own, tuple(names), places, found)
        for name, later in left.items():
            found[name][later] = [self._of_function[name][candidates[place].digest] for place in later]

    def _left_to_twins(self, name: str, candidates: Sequence[Candidate], wanted: NDArray[np.bool_]) -> list[int]:
        """The places whose value is that of a function computed before, or at an earlier place; wanted no longer."""
        if not self._holds_of_function(name):
            return []
        computed = set(self._of_function[name])
        later = []
        for place in np.flatnonzero(wanted).tolist():
            if candidates[place].digest in computed:
                later.append(place)
            computed.add(candidates[place].digest)
        wanted[later] = False
        return later

    def _holds_of_function(self, name: str) -> bool:
        from predictor.scoring.candidates import is_of_function

        return is_of_function(self.space, name)

    def _compute_together(
        self,
        candidates: Sequence[Candidate],
        own: Rows,
        names: tuple[str, ...],
        places: Rows,
        found: dict[str, Values],
    ) -> None:
        scorer = self.scorer_of_names(names)
        started = time.perf_counter()
        native, canonical = self._graphs([candidates[place] for place in places.tolist()], own[places], scorer)
        scores = scorer.compute(native, canonical)
        seconds = (time.perf_counter() - started) / len(places)
        for name in names:
            values, reasons = scores[name].values.tolist(), scores[name].reasons
            found[name][places] = values
            for place, value, reason in zip(places.tolist(), values, reasons, strict=True):
                self.fresh[name][candidates[place].key] = Fresh(value, seconds, reason)
                self._of_function[name][candidates[place].digest] = value

    def scorer_of_names(self, names: tuple[str, ...]) -> CandidateScorer:
        """A scorer of exactly these names, made where there is none yet.

        Raises
        ------
        MissingExtraError
            It needs packages that are not installed.
        UsageError
            A stored column was computed by another version or configuration than it computes.
        """
        if names not in self._scorers:
            from catalog.extras import require_predict
            from predictor.scoring.candidates import CandidateScorer, structural_names

            if not set(names) <= set(structural_names(self.space)):
                from predictor.encoding.stored_embeddings import recall

                require_predict()
                recall(self.catalog, self.space.name)
            scorer = CandidateScorer(self.space, names)
            for name in names:
                self._check_same_proxy(scorer, name)
            self._scorers[names] = scorer
        return self._scorers[names]

    def _check_same_proxy(self, scorer: CandidateScorer, name: str) -> None:
        """A stored column and what is computed beside it must be one proxy, or the ranking would mix two."""
        how = scorer.recorded.get(name)
        if how is None or name not in self.stored.columns:
            return
        rows = self.catalog.arrow(
            """
            SELECT name, version, configuration, checkpoint_digest FROM proxy
            WHERE "column" = ? AND id IN (
                SELECT proxy_id FROM score JOIN architecture ON architecture.id = architecture_id
                WHERE space = ? AND source_id IS NULL
            )
            """,
            [name, self.space.name],
        ).to_pylist()
        keys = {(row["name"], row["version"], row["configuration"], row["checkpoint_digest"]) for row in rows}
        if keys - {how.facts.key}:
            raise UsageError(
                f"the column {name} of {self.space.name} was computed by another version or configuration than this "
                f"program computes, and this search needs more than the stored values; score all anew with "
                f"`catalog score {self.space.name} --proxy {name}`."
            )

    def _graphs(
        self, candidates: Sequence[Candidate], rows: Rows, scorer: CandidateScorer
    ) -> tuple[list[ArchitectureGraph], list[ArchitectureGraph]]:
        """Native and canonical graphs; those that are read from the catalog, all in one go."""
        read = [
            place
            for place, (candidate, row) in enumerate(zip(candidates, rows.tolist(), strict=True))
            if self._is_read(candidate, row)
        ]
        ids = self.stored.ids[rows[read]].tolist()
        canonical = read_graphs(self.catalog, self.space.name, ids, "canonical") if ids else []
        is_native = ids and scorer.reads_native
        native = read_graphs(self.catalog, self.space.name, ids, "native") if is_native else canonical
        made = {
            place: (one.graph, one.canonical) for place, one in enumerate(candidates) if one.graph and one.canonical
        }
        graphs = made | dict(zip(read, zip(native, canonical, strict=True), strict=True))
        return [graphs[place][0] for place in range(len(graphs))], [graphs[place][1] for place in range(len(graphs))]

    def _is_read(self, candidate: Candidate, row: int) -> bool:
        """Whether a candidate's graphs come from the catalog: it has none, or another architecture stands for it.

        A proxy may tell the two apart, and what is computed is stored with the one that stands for both.
        """
        if candidate.graph is None:
            return True
        return row >= 0 and self.stored.native_ids[row] != self.space.native_id(candidate.graph)

    def __repr__(self) -> str:
        return f"ScoreSource({self.space.name!r}, {len(self.stored):,} stored, computes {sorted(self.computable)})"


@dataclass(frozen=True)
class Objectives:
    """What is searched by: formulas with their signs. Called, it gives (B, objectives) numbers, higher is better."""

    source: ScoreSource
    formulas: Sequence[Expression]
    signs: Sequence[int]

    def __call__(self, candidates: Sequence[Candidate]) -> Values:
        return self.shown(candidates) * np.array(self.signs, dtype=np.float64)

    def shown(self, candidates: Sequence[Candidate]) -> Values:
        """(B, objectives) the formulas' own values, whichever direction is better."""
        names = tuple(dict.fromkeys(name for formula in self.formulas for name in formula.names))
        values = self.source.values(candidates, names)
        return np.stack([formula.evaluate(values) for formula in self.formulas], axis=1)


def direction_of(catalog: Store, space: str, stored: StoredSpace, name: str) -> int:
    """+1 where higher values of a name are better, -1 where lower ones are."""
    if name in stored.columns:
        return -1 if is_cost(catalog, space, name) else 1
    from predictor.scoring.candidates import direction

    return direction(name)


def _is_computable(space: SearchSpace, stored: StoredSpace, name: str) -> bool:
    """Whether a missing value can be computed; not asked, because it can take seconds, where none can be missing."""
    from predictor.scoring.candidates import is_computable, structural_names

    if stored.is_complete and name in stored.columns and name not in structural_names(space):
        missing = np.isnan(stored.columns[name]) & ~stored.refused[name]
        return bool(missing.any()) and is_computable(space, name)
    return is_computable(space, name)


def _unknown(catalog: Store, space: SearchSpace, name: str) -> UnknownColumnError:
    from predictor.scoring.candidates import computable_names

    held = bool(len(catalog.arrow("SELECT 1 FROM architecture WHERE space = ? LIMIT 1", [space.name])))
    columns = SpaceView.of(catalog, space.name).columns if held else ()
    proxies = computable_names(space)
    hint = did_you_mean(name, (*columns, *proxies)).strip() or f"Proxies: {', '.join(proxies)}."
    return UnknownColumnError(
        f"{name!r} is no column of {space.name} in {catalog.path} and no proxy that can be computed. {hint}"
    )
