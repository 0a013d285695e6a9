"""The operators of a batch as lists that can be edited: some become one, and their costs go to it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from catalog.architecture.computation.arrays import ComputationBatch


class Operators:
    """The operators of a batch, by their places.

    Attributes
    ----------
    word, kind
        What each is.
    takes, takers
        Whose results each takes, in the order of its operands, and who takes its own.
    parameters, shape
        As in `catalog.architecture.computation.arrays.NodeArrays`.
    """

    def __init__(self, batch: ComputationBatch) -> None:
        nodes = batch.nodes
        self.word = [batch.words[code] for code in nodes.word.tolist()]
        self.kind = [batch.kinds[code] for code in nodes.word.tolist()]
        self.parameters = nodes.parameters.copy()
        self.shape = nodes.shape.copy()
        self.takes: list[list[int]] = [[] for _ in self.word]
        self.takers: list[list[int]] = [[] for _ in self.word]
        self._batch = batch
        self._costs = nodes.multiply_accumulates.copy()
        self._gone: set[int] = set()
        for source, target in zip(batch.source.tolist(), batch.target.tolist(), strict=True):
            self.takes[target].append(source)
            self.takers[source].append(target)

    def __len__(self) -> int:
        return len(self.word)

    def is_single(self, place: int, words: Collection[str]) -> bool:
        """Whether an operator is one of these, of one operand."""
        return self.word[place] in words and len(self.takes[place]) == 1

    def only_taker(self, place: int) -> int | None:
        """Who alone takes an operator's result."""
        takers = self.takers[place]
        return takers[0] if len(takers) == 1 else None

    def become(self, place: int, word: str, kind: str, takes: Sequence[int], gone: Collection[int]) -> None:
        """Let an operator be another one, in whose place some others go."""
        self.word[place], self.kind[place] = word, kind
        for one in gone:
            self._hand_over(one, place)
        for one in [place, *gone]:
            for source in self.takes[one]:
                self.takers[source].remove(one)
            self.takes[one] = []
        self.takes[place] = list(takes)
        for source in takes:
            self.takers[source].append(place)

    def absorb(self, place: int) -> None:
        """Let an operator of one operand become a part of the one that it takes."""
        (source,) = self.takes[place]
        self._hand_over(place, source)
        self.takers[source] = [taker for taker in self.takers[source] if taker != place] + self.takers[place]
        for taker in set(self.takers[place]):
            self.takes[taker] = [source if one == place else one for one in self.takes[taker]]
        self.takes[place], self.takers[place] = [], []

    def _hand_over(self, gone: int, to: int) -> None:
        self.parameters[to] += self.parameters[gone]
        self._costs[to] += self._costs[gone]
        self._gone.add(gone)

    def batch(self) -> ComputationBatch:
        """What is left, with places counted anew."""
        left = np.ones(len(self), dtype=bool)
        left[list(self._gone)] = False
        place = np.cumsum(left) - 1
        codes: dict[tuple[str, str], int] = {}
        for told in zip(self._batch.words, self._batch.kinds, strict=True):
            codes.setdefault(told, len(codes))
        word = np.array([codes.setdefault(told, len(codes)) for told in zip(self.word, self.kind, strict=True)])
        kept = np.flatnonzero(left)
        counts = np.array([len(self.takes[one]) for one in kept.tolist()], dtype=np.int64)
        source = np.array([source for one in kept.tolist() for source in self.takes[one]], dtype=np.int64)
        target = np.repeat(np.arange(len(kept)), counts)
        first_node = np.concatenate([[0], np.cumsum(left)])[self._batch.first_node]
        nodes = replace(
            self._batch.nodes,
            word=word,
            parameters=self.parameters,
            multiply_accumulates=self._costs,
            shape=self.shape,
        ).taken(left)
        names, kinds = zip(*codes, strict=True)
        return replace(
            self._batch,
            words=names,
            kinds=kinds,
            first_node=first_node,
            first_edge=np.searchsorted(target, first_node),
            nodes=nodes,
            source=place[source],
            target=target,
            operand=np.arange(len(target)) - np.repeat(np.cumsum(counts) - counts, counts),
        )
