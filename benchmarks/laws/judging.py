"""Who breaks which law: pairs of networks, their scores, and a table."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.laws.growing import GROWING, cut
from benchmarks.laws.networks import CELL_SPACES, KINDS, OWN_KINDS, TOLD_BY_GRAPHS, as_own, drawn
from benchmarks.laws.rewriting import GRAINS, WORDS, Rewrite, equal_counts, reordered
from benchmarks.laws.swapping import outside, swaps
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.operators import SIZED_VOCABULARY
from catalog.architecture.structural import STRUCTURAL_PROXIES
from catalog.spaces import space_named
from catalog.spaces.base import SearchSpace
from catalog.spaces.own import OwnSpace
from predictor.scoring.candidates import CandidateScorer, structural_scores

Values = NDArray[np.float64]
Graphs = Sequence[ArchitectureGraph]

SAME = 0.02
"""Standard deviations of a space by which equal networks may differ."""
LARGEST = 0.1
"""Standard deviations of a space by which a better network may score lower, in one pair of a hundred."""
MOST_VIOLATIONS = 0.01
INSIDE = 0.95
"""Share of unknown operators whose score lies in the range of the three that are described nearest."""

_STRUCTURAL = frozenset(proxy.name for proxy in STRUCTURAL_PROXIES)

EQUAL = ("words", "grain", "order", "alone")
"""Laws of equal networks."""


@dataclass(frozen=True)
class Pair:
    """Two networks of one space that a law speaks of.

    Parameters
    ----------
    law
        One of `EQUAL`, or what makes `after` the better network.
    kind
        What the networks were drawn from.
    how
        Which telling, or which growth.
    """

    law: str
    kind: str
    how: str
    before: ArchitectureGraph
    after: ArchitectureGraph


@dataclass(frozen=True)
class Broken:
    """How a law fared on one kind of network.

    Parameters
    ----------
    pairs, violations
        How many there are.
    worst
        The largest fault in standard deviations of the space; infinite where one network of two has no score.
    example
        The pair with that fault.
    """

    law: str
    kind: str
    pairs: int
    violations: int
    worst: float
    example: Pair | None = None

    @property
    def holds(self) -> bool:
        """Whether that is inside what the law allows."""
        if self.law in EQUAL:
            return self.violations == 0
        return self.violations <= MOST_VIOLATIONS * self.pairs and self.worst <= LARGEST


class Score:
    """A predictor or structural proxy by its name, for graphs of any space."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, native: Graphs, canonical: Graphs | None = None) -> Values:
        """(A,) scores of graphs of one space with one vocabulary; NaN where there is none."""
        if not native:
            return np.empty(0)
        space, forms = _space_of(native[0]), (native, canonical or [one.canonical for one in native])
        if self.name in _STRUCTURAL:
            return structural_scores(space, *forms).get(self.name, np.full(len(native), np.nan))
        return CandidateScorer(space, [self.name]).score(*forms)[self.name]


def _space_of(graph: ArchitectureGraph) -> SearchSpace:
    if graph.space in KINDS:
        return space_named(graph.space)
    return OwnSpace(graph.space, [one for one in graph.vocabulary if one.name not in SIZED_VOCABULARY])


def pairs(kind: str, count: int, seed: int) -> Iterator[Pair]:
    """`count` pairs of each law that speaks of this kind of network, as far as they can be made."""
    graphs = drawn(kind, 2 * count, seed)
    own = kind in OWN_KINDS
    for how, rewrite in WORDS.items():
        if how == "reworded" or kind not in CELL_SPACES - TOLD_BY_GRAPHS:
            named = graphs if how == "reworded" else [as_own(one) for one in graphs]
            yield from _made("words", kind, how, rewrite, named, count // 2, seed)
    if kind != "nb101":  # whose channels depend on the order
        yield from _made("order", kind, "order", reordered, graphs, count // 2, seed)
    if kind in CELL_SPACES - TOLD_BY_GRAPHS:
        return
    alike = graphs if own else [as_own(one) for one in graphs]
    for how, rewrite in GRAINS.items():
        yield from _made("grain", kind, how, _counted_alike(rewrite), alike, count // 3, seed)
    for how, rewrite in GROWING.items():
        yield from _made(how, kind, how, rewrite, alike, count, seed)


def _counted_alike(rewrite: Rewrite) -> Rewrite:
    def checked(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
        other = rewrite(graph, draw)
        return other if other is not None and equal_counts(graph, other) else None

    return checked


def _made(law: str, kind: str, how: str, rewrite: Rewrite, graphs: Graphs, count: int, seed: int) -> Iterator[Pair]:
    draw = random.Random(f"{kind} {how} {seed}")
    made = 0
    for graph in graphs:
        if made == count:
            return
        other = rewrite(graph, draw)
        if other is not None:
            made += 1
            yield Pair(law, kind, how, graph, other)


def judged(score: Score, kind: str, count: int, seed: int) -> list[Broken]:
    """How every law fares on one kind of network; nothing where none of them has a score."""
    if not np.isfinite(score(drawn(kind, 2 * count, seed))).any():
        return []
    found: dict[str, list[tuple[float, Pair]]] = {}
    deviations: dict[str, float] = {}
    for pair, before, after in _scored(score, list(pairs(kind, count, seed))):
        space = pair.before.space
        if space not in deviations:
            scores = score([replace(one, space=space) for one in drawn(kind, 2 * count, seed)])
            deviations[space] = float(scores[np.isfinite(scores)].std()) if np.isfinite(scores).any() else np.nan
        if np.isnan(deviations[space]) or (np.isnan(before) and np.isnan(after)):
            continue
        fault = (abs(after - before) if pair.law in EQUAL else before - after) / deviations[space]
        found.setdefault(pair.law, []).append((np.inf if np.isnan(fault) else fault, pair))
    found.update(_alone(score, kind, count, seed))
    return [_broken(law, kind, faults) for law, faults in found.items()]


def _scored(score: Score, every: Sequence[Pair]) -> Iterator[tuple[Pair, float, float]]:
    """All pairs with their scores; those of one space and one vocabulary are scored together."""
    groups: dict[tuple[str, int], list[tuple[int, ArchitectureGraph]]] = {}
    for place, pair in enumerate(every):
        for which, graph in ((0, pair.before), (1, pair.after)):
            groups.setdefault((graph.space, id(graph.vocabulary)), []).append((2 * place + which, graph))
    scores = np.full(2 * len(every), np.nan)
    for members in groups.values():
        places, graphs = zip(*members, strict=True)
        scores[list(places)] = score(graphs, [_second(one, every[place // 2].law) for place, one in members])
    for place, pair in enumerate(every):
        yield pair, scores[2 * place], scores[2 * place + 1]


def _second(graph: ArchitectureGraph, law: str) -> ArchitectureGraph:
    """The canonical form; where the order is what is tried, with its nodes in another order."""
    canonical = graph.canonical
    if law != "order":
        return canonical
    return reordered(canonical, random.Random(graph.digest)) or canonical


def _alone(score: Score, kind: str, count: int, seed: int) -> dict[str, list[tuple[float, Pair]]]:
    """Networks scored one by one, against the same in a pool."""
    graphs = drawn(kind, 2 * count, seed)
    together = score(graphs)
    deviation = float(np.nanstd(together))
    faults = []
    for place in range(min(len(graphs), max(2, count // 10))):
        (alone,) = score([graphs[place]])
        if np.isnan(alone) and np.isnan(together[place]):
            continue
        fault = abs(alone - together[place]) / deviation
        faults.append(
            (np.inf if np.isnan(fault) else fault, Pair("alone", kind, "alone", graphs[place], graphs[place]))
        )
    return {"alone": faults} if faults else {}


def _broken(law: str, kind: str, faults: Sequence[tuple[float, Pair]]) -> Broken:
    most = SAME if law in EQUAL else 1e-9
    worst, example = max(faults, key=lambda one: one[0])
    violations = sum(fault > most for fault, _ in faults)
    return Broken(law, kind, len(faults), violations, max(0.0, worst), example if violations else None)


def cut_networks(score: Score, kind: str, count: int, seed: int) -> tuple[int, int]:
    """How many networks without a path were scored, and how many of them got a score."""
    draw = random.Random(f"{kind} cut {seed}")
    own = [as_own(one) for one in drawn(kind, count, seed)]
    made = [other for one in own if (other := cut(one, draw)) is not None]
    return len(made), int(np.isfinite(score(made)).sum())


@dataclass(frozen=True)
class Swapped:
    """How unknown operators fared.

    Parameters
    ----------
    share
        Of those that score inside the range of the three that are described nearest; NaN where nothing has a score.
    outside
        Of the others, the worst first: how far in standard deviations, the description, and the three.
    """

    share: float
    outside: list[tuple[float, str, tuple[str, ...]]]


def judged_swaps(score: Score, count: int, seed: int, *, whole: bool) -> Swapped:
    """Unknown operators with a description, in whole networks or in cells, `count` of both together."""
    every = [one for one in swaps(count, seed) if one.whole == whole]
    scores = score([graph for one in every for graph in (one.unknown, *one.known)]).reshape(len(every), -1)
    if not np.isfinite(scores).any():
        return Swapped(np.nan, [])
    deviation = float(np.nanstd(scores))
    faults = [outside(row[0], row[1:].tolist()) / deviation for row in scores]
    listed = sorted(
        ((fault, one.sentence, one.nearest) for fault, one in zip(faults, every, strict=True) if fault > SAME),
        reverse=True,
    )
    return Swapped(1 - len(listed) / len(every), listed)
