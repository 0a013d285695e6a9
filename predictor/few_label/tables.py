"""What is read of architectures, as tables of plain numbers: one table a group of inputs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import EDGES_DECIDE
from catalog.architecture.sizes import NUMBERS
from catalog.architecture.structural import STRUCTURAL_PROXIES
from predictor.door import Given
from predictor.encoding.padded_graphs import from_placed
from predictor.encoding.structural_prior import terms_of
from predictor.few_label import layers as pooling
from predictor.few_label import surroundings
from predictor.few_label.surroundings import kind_of

Values = NDArray[np.float64]

ZERO_SHOT = "zero_shot"
"""The group of scores of predictors that come with weights."""
LAYERS = "layers"
"""The group of pooled layers."""
TERMS = "prior"
"""The group of the structural prior's terms."""
PROXIES = (
    *("epe_nas", "fisher", "grad_norm", "grasp", "jacov", "l2_norm", "nwot", "plain", "snip", "logsynflow", "zen"),
    *("params", "flops"),
)
"""Zero-cost proxies; where our own measurement is missing, the benchmark's published one is read."""
PUBLISHED = "_published"
BINS = 3
_TINY = 1e-12
COUNTS = tuple(proxy.name for proxy in STRUCTURAL_PROXIES)


@dataclass(frozen=True)
class Table:
    """Numbers of A architectures.

    Parameters
    ----------
    names
        Of the F columns.
    values
        (A, F), NaN where a number is not known.
    absent
        (A,) what stands for a column that is not there; 0, as of an operator that does not occur, if None.
    """

    names: tuple[str, ...]
    values: Values
    absent: Values | None = None

    @classmethod
    def of(cls, columns: Mapping[str, Values], count: int) -> Table:
        """Columns by name, in the order of the names."""
        names = tuple(sorted(columns))
        return cls(names, np.stack([columns[name] for name in names], axis=1) if names else np.empty((count, 0)))

    def best_measured(self) -> Table:
        """Without those of our own and of published scores of one proxy that fewer architectures have."""
        known = np.isfinite(self.values).sum(axis=0)
        best: dict[str, int] = {}
        for place, name in enumerate(self.names):
            proxy = name.removesuffix(PUBLISHED)
            if proxy not in best or known[place] > known[best[proxy]]:
                best[proxy] = place
        places = sorted(best.values())
        return Table(tuple(self.names[place] for place in places), self.values[:, places])

    def chosen(self, names: tuple[str, ...]) -> Values:
        """(A, names) the columns of these names."""
        place = {name: index for index, name in enumerate(self.names)}
        nothing = np.zeros(len(self.values)) if self.absent is None else self.absent
        columns = [self.values[:, place[name]] if name in place else nothing for name in names]
        return np.stack(columns, axis=1) if columns else np.empty((len(self.values), 0))


def proxies(given: Given) -> Table:
    """Zero-cost scores, our own and published ones."""
    names = [column for name in PROXIES for column in (name, name + PUBLISHED) if column not in COUNTS]
    return Table.of({name: given.optional[name] for name in names if name in given.optional}, len(given))


def counts(given: Given) -> Table:
    """Logarithms of structural counts and sizes."""
    return Table.of({name: np.log1p(given.optional[name]) for name in COUNTS if name in given.optional}, len(given))


def layers(given: Given) -> Table:
    """Pooled layers of measured networks."""
    return replace(Table.of(pooling.pooled(given), len(given)), absent=pooling.absent(given))


def sources(given: Given) -> Table:
    """What the operators read."""
    return Table.of(surroundings.sources(given), len(given))


def distances(given: Given) -> Table:
    """How near the operators are to an input."""
    return Table.of(surroundings.distances(given), len(given))


def edges(given: Given) -> Table:
    """Which operators hand their data to which."""
    return Table.of(surroundings.edges(given), len(given))


def sizes(given: Given) -> Table:
    """What sizes say: of each operator in each cell, the mean logarithm early, in the middle and late in the cell."""
    found: defaultdict[str, Values] = defaultdict(lambda: np.zeros(len(given)))
    for part in given.canonical.cells:
        if part.cells.sizes is None:
            continue
        said = np.log1p([*(size.numbers for size in part.cells.size_table), [np.nan] * len(NUMBERS)])
        values = said[part.cells.sizes]  # (B, N, fields), NaN where nothing is said
        places = _places(part.cells.sizes.shape[1])  # (bins, N)
        for index, operator in enumerate(part.cells.vocabulary):
            is_one = part.cells.operators == index
            for place, field in enumerate(NUMBERS):
                known = is_one & np.isfinite(values[:, :, place])
                if not known.any():
                    continue
                weights = places[:, None, :] * known  # (bins, B, N)
                sums = (weights * np.where(known, values[:, :, place], 0.0)).sum(axis=2)
                means = sums / np.maximum(weights.sum(axis=2), _TINY)
                for bin_, mean in enumerate(means):
                    found[f"{kind_of(part.cells.name)}:{operator}.{field}@{bin_}"][part.rows] = mean
    return Table.of(found, len(given))


def _places(nodes: int) -> Values:
    """(bins, N) how much each node of a cell stands early, in the middle and late in it."""
    where = np.linspace(0.0, BINS - 1.0, nodes)
    return np.maximum(1.0 - np.abs(where - np.arange(BINS)[:, None]), 0.0)


def prior(given: Given) -> Table:
    """The six terms of TG-NAS's structural prior; none where edges do what the graph leaves out."""
    if given.space in EDGES_DECIDE:
        return Table.of({}, len(given))
    terms = terms_of((from_placed(part) for part in given.canonical.cells), len(given), given.vocabulary)
    return Table.of({one.name: getattr(terms, one.name) for one in fields(terms)}, len(given))


def zero_shot(given: Given) -> Table:
    """Scores of predictors that come with weights."""
    return Table.of(given.zero_shot, len(given))


READERS: Mapping[str, Callable[[Given], Table]] = {
    "proxies": proxies,
    LAYERS: layers,
    "counts": counts,
    "sources": sources,
    "distances": distances,
    "edges": edges,
    "sizes": sizes,
    TERMS: prior,
    ZERO_SHOT: zero_shot,
}
"""The groups of plain numbers, by name."""

OPTIONAL = tuple(dict.fromkeys((*COUNTS, *PROXIES, *(name + PUBLISHED for name in PROXIES))))
"""The columns that are read where a space has them."""
