"""Groups of inputs, frozen when a predictor is trained: what an architecture's numbers mean never changes again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from predictor.door import Given
from predictor.few_label.histogram import Histogram, count_colours, histogram, vocabulary_of
from predictor.few_label.kernels import Pairs, Values
from predictor.few_label.labels import Distribution
from predictor.few_label.tables import LAYERS, READERS, TERMS, ZERO_SHOT, Table

HISTOGRAM = "histogram"
PROXIES = "proxies"
RANKED = (PROXIES, LAYERS, ZERO_SHOT)
"""Groups whose numbers count by their rank alone."""
COUNTED = ("sources", "distances", "edges")
"""Groups of counts: what occurs often counts for more than what hardly occurs."""
OF_GRAPHS = (*COUNTED, "sizes", TERMS)
"""Groups that are read off the graphs, which every space has."""
NAMES = (*READERS, HISTOGRAM)

LEAST_KNOWN = 0.5
"""Share of the architectures that must have a column for it to be read."""

_MOST_FROZEN = 20_000
_SAME = 1e-9


@dataclass(frozen=True)
class Inputs:
    """What the machinery reads of A architectures.

    Parameters
    ----------
    dense
        By group: (A, F) numbers of mean 0 whose squared distances are about 2.
    histograms
        By round: Weisfeiler-Lehman histograms.
    scores
        (L, A) zero-shot scores.
    vectors
        As `dense`, of what only the distances mean something of: trees do not see them.
    """

    dense: Mapping[str, Values]
    histograms: Mapping[str, Histogram]
    scores: Values
    vectors: Mapping[str, Values] = field(default_factory=dict)

    @property
    def flat(self) -> Values:
        """(A, F) all dense numbers, for trees."""
        nothing = np.empty((self.scores.shape[1], 0))
        return np.concatenate([nothing, *self.dense.values()], axis=1)

    def pairs(self, other: Inputs) -> Pairs:
        """Distances to the architectures that the vocabularies were made of."""
        squares = [_squares(values, other.dense[name]) for name, values in self.dense.items()]
        squares += [one.squares(other.histograms[name]) for name, one in self.histograms.items()]
        squares += [_squares(values, other.vectors[name]) for name, values in self.vectors.items()]
        lines = self.scores[:, :, None] * other.scores[:, None, :]
        return Pairs(np.stack(squares), lines)

    def taken(self, rows: NDArray[np.intp]) -> Inputs:
        """Some of the architectures."""
        return Inputs(
            {name: np.ascontiguousarray(values[rows]) for name, values in self.dense.items()},
            {name: Histogram(one.values[rows], one.rest[rows]) for name, one in self.histograms.items()},
            np.ascontiguousarray(self.scores[:, rows]),
            {name: np.ascontiguousarray(values[rows]) for name, values in self.vectors.items()},
        )


@dataclass(frozen=True)
class Group:
    """One frozen group of numbers.

    Parameters
    ----------
    names
        The columns that it reads.
    distributions
        Of each column, for a group that counts by rank; else none.
    flagged
        Places of columns that not every architecture had: whether one has them is an input, too.
    means, scale
        (F,) of the columns, and of the flags behind them.
    """

    names: tuple[str, ...]
    distributions: tuple[Distribution, ...]
    flagged: tuple[int, ...]
    means: Values
    scale: Values

    @classmethod
    def of(cls, table: Table, rows: NDArray[np.intp], *, ranked: bool, counted: bool) -> Group | None:
        """Freeze a group on some architectures; None where it tells none of them from another."""
        values = table.values[rows]
        known = np.isfinite(values)
        telling = [place for place in range(values.shape[1]) if len(np.unique(values[known[:, place], place])) > 1]
        if not telling:
            return None
        names = tuple(table.names[place] for place in telling)
        distributions = tuple(Distribution.of(values[known[:, place], place]) for place in telling) if ranked else ()
        flagged = tuple(index for index, place in enumerate(telling) if not known[:, place].all())
        plain = cls(names, distributions, flagged, np.zeros(1), np.ones(1))
        raw = plain.raw(table.chosen(names)[rows])
        means = np.nanmean(raw, axis=0)
        deviations = np.nanstd(raw, axis=0)
        scale = np.where(deviations > _SAME, deviations, np.inf) * np.sqrt(len(names))
        if counted:
            scale = np.full(len(deviations), np.sqrt((deviations**2).sum()))
        return cls(names, distributions, flagged, means, scale)

    def raw(self, values: Values) -> Values:
        """(A, F) columns, and flags of those that may be missing."""
        if self.distributions:
            columns = [one.score(column) for one, column in zip(self.distributions, values.T, strict=True)]
            values = np.stack(columns, axis=1)
        flags = np.isnan(values[:, list(self.flagged)]).astype(np.float64)
        return np.concatenate([values, flags], axis=1)

    def read(self, table: Table) -> Values:
        """(A, F) what the machinery reads: an unknown number counts as the mean."""
        centred = (self.raw(table.chosen(self.names)) - self.means) / self.scale
        return np.where(np.isfinite(centred), centred, 0.0)


@dataclass(frozen=True)
class Frozen:
    """All groups of a trained predictor.

    Parameters
    ----------
    groups
        Those of plain numbers, by name.
    vocabularies
        Of the histograms: the colours of the labelled architectures, by round.
    vectors
        Those that a predictor brings beside what is read here, by names of its own.
    """

    groups: Mapping[str, Group]
    vocabularies: Mapping[str, NDArray[np.uint64]] = field(default_factory=dict)
    vectors: Mapping[str, Group] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Given, labelled: NDArray[np.intp], without: Collection[str]) -> Frozen:
        """Freeze what a space has, except the groups `without`.

        Parameters
        ----------
        given
            The space; scales and distributions are of its connected architectures, with labels or without.
        labelled
            Places of those with labels, whose colours are the vocabulary.
        """
        rows = np.flatnonzero(given.connected)
        rows = rows[:: max(1, len(rows) // _MOST_FROZEN)]
        groups = {}
        for name, reader in READERS.items():
            if name in without:
                continue
            table = reader(given).best_measured() if name == PROXIES else reader(given)
            if (group := Group.of(table, rows, ranked=name in RANKED, counted=name in COUNTED)) is not None:
                groups[name] = group
        vocabularies = {}
        if HISTOGRAM not in without:
            for place, counts in enumerate(count_colours(given), 1):
                vocabularies[str(place)] = vocabulary_of(counts, labelled)
        return cls(groups, vocabularies)

    def read(self, given: Given, vectors: Mapping[str, Table] | None = None) -> Inputs:
        """What these groups say of architectures.

        Parameters
        ----------
        given
            The architectures.
        vectors
            The tables of the groups `Frozen.vectors`.

        Raises
        ------
        UsageError
            A column that the predictor was trained with is missing.
        """
        tables = self._tables(given)
        dense = {name: group.read(tables[name]) for name, group in self.groups.items()}
        found = count_colours(given, len(self.vocabularies)) if self.vocabularies else []
        histograms = {
            name: histogram(counts, len(given), vocabulary)
            for counts, (name, vocabulary) in zip(found, self.vocabularies.items(), strict=True)
        }
        score = dense.get(ZERO_SHOT)
        return Inputs(
            dense,
            histograms,
            np.empty((0, len(given))) if score is None else score[:, : len(self.groups[ZERO_SHOT].names)].T,
            {name: group.read((vectors or {})[name]) for name, group in self.vectors.items()},
        )

    def require(self, given: Given) -> None:
        """Refuse a space that lacks columns that the predictor was trained with."""
        lacking = [
            column
            for name, group in self.groups.items()
            if name not in OF_GRAPHS
            for column in group.names
            if not _is_given(given, name, column)
        ]
        if lacking:
            raise UsageError(
                f"{given.space} has no column {', '.join(lacking)}, which these weights were trained with. Score or "
                "ingest it first, or train without that group of inputs: --set without=GROUP."
            )

    def _tables(self, given: Given) -> dict[str, Table]:
        self.require(given)
        return {name: READERS[name](given) for name in self.groups}

    def state(self) -> dict[str, NDArray[Any]]:
        """As arrays by name."""
        every = {**self.groups, **self.vectors}
        layout = {
            name: {
                "names": group.names,
                "flagged": group.flagged,
                "ranked": bool(group.distributions),
                "vectors": name in self.vectors,
            }
            for name, group in every.items()
        }
        state: dict[str, NDArray[Any]] = {
            "layout": np.frombuffer(json.dumps(layout).encode(), dtype=np.uint8),
        }
        for name, group in every.items():
            state[f"{name}.means"], state[f"{name}.scale"] = group.means, group.scale
            for place, one in enumerate(group.distributions):
                state[f"{name}.{place}.knots"], state[f"{name}.{place}.scores"] = one.knots, one.scores
        for name, vocabulary in self.vocabularies.items():
            state[f"{HISTOGRAM}.{name}"] = vocabulary
        return state

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]]) -> Frozen:
        """Take back what `state` gave."""
        groups: dict[str, Group] = {}
        vectors: dict[str, Group] = {}
        for name, told in json.loads(state["layout"].tobytes().decode()).items():
            distributions = tuple(
                Distribution(state[f"{name}.{column}.knots"], state[f"{name}.{column}.scores"])
                for column in range(len(told["names"]) if told["ranked"] else 0)
            )
            means, scale = state[f"{name}.means"], state[f"{name}.scale"]
            kept = vectors if told.get("vectors") else groups
            kept[name] = Group(tuple(told["names"]), distributions, tuple(told["flagged"]), means, scale)
        first = f"{HISTOGRAM}."
        vocabularies = {name.removeprefix(first): state[name] for name in sorted(state) if name.startswith(first)}
        return cls(groups, vocabularies, vectors)


def _squares(values: Values, other: Values) -> Values:
    lengths, others = (values**2).sum(axis=1), (other**2).sum(axis=1)
    return np.asarray(np.maximum(lengths[:, None] + others - 2.0 * values @ other.T, 0.0))


def _is_given(given: Given, group: str, column: str) -> bool:
    if group == LAYERS:  # a sum of layers that no network has is one of nothing
        return column.partition(":")[0] in given.optional_layers
    return column in (given.zero_shot if group == ZERO_SHOT else given.optional)
