"""The fused form of computation graphs: few nodes, each a whole layer.

What only moves numbers is passed through, normalisations and activations become columns of the nodes beside them, and
chains of sums become one sum. The totals stay: what goes hands its parameters to what it becomes a part of. Nodes that
stand for different numbers of repeats are not joined.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import NONE, ComputationBatch, Numbers
from catalog.architecture.computation.composing import composed

PASSED_THROUGH = ("identity", "dropout", "pad", "slice", "split", "reshape", "permute")
"""Operators that change no number, where they take one operand."""

Mask = NDArray[np.bool_]


def fused(batch: ComputationBatch) -> ComputationBatch:
    """The fused form of a batch.

    In this order:

    1. Identities, dropout, padding, parts, changes of shape and permutations of one operand go; who takes them takes
       what they take.
    2. Layers that are written as several operators are put together (`catalog.architecture.computation.composing`).
    3. A normalisation that alone takes a node becomes that node's ``norm``.
    4. An activation that alone takes a convolution, a linear map or a normalised node becomes its ``activation``.
    5. An activation that only convolutions and linear maps take becomes their ``activation_before``.
    6. An activation that alone takes any other node becomes that node's ``activation``.
    7. A sum that another sum alone takes becomes a part of that.
    """
    work = _Fusing(batch)
    work.pass_through()
    work = _Fusing(composed(work.result()))
    work.normalise()
    work.activate(work.is_map | (work.norm != NONE))
    work.activate_before()
    work.activate(~work.is_activation & (work.activation == NONE))
    work.add_up()
    return work.result()


class _Fusing:
    """A batch while it is fused: nodes that went, edges moved, columns filled."""

    def __init__(self, batch: ComputationBatch) -> None:
        self.batch = batch
        nodes = batch.nodes
        count = len(nodes.word)
        self.alive = np.ones(count, dtype=bool)
        self.norm, self.activation, self.before = (
            column.copy() for column in (nodes.norm, nodes.activation, nodes.activation_before)
        )
        self.parameters = nodes.parameters.copy()
        self.costs = nodes.multiply_accumulates.copy()
        self.source = batch.source.copy()
        self.target = batch.target.copy()
        self.edge_alive = np.ones(len(self.source), dtype=bool)
        self.is_norm, self.is_activation, self.is_map = (
            self._words(np.array([kind in kinds for kind in batch.kinds], dtype=bool))
            for kinds in (("norm",), ("activation",), ("conv", "linear"))
        )
        self.is_end = self._words(np.array([kind in ("input", "output") for kind in batch.kinds], dtype=bool))

    def _words(self, of_words: Mask) -> Mask:
        return np.asarray(of_words[self.batch.nodes.word])

    def _named(self, *words: str) -> Mask:
        return self._words(np.array([word in words for word in self.batch.words], dtype=bool))

    def _counts(self, ends: Numbers) -> Numbers:
        return np.bincount(ends[self.edge_alive], minlength=len(self.alive))

    def _only_source(self, nodes: Mask) -> Numbers:
        """What each of `nodes` takes, of those that take one operand; NONE for all others."""
        sources = np.full(len(self.alive), NONE, dtype=np.int64)
        edges = self.edge_alive & nodes[self.target] & (self._counts(self.target) == 1)[self.target]
        sources[self.target[edges]] = self.source[edges]
        return sources

    def _redirect(self, gone: Mask, stand_in: Numbers) -> None:
        """Let `stand_in` take the place of nodes that go: for those that took them; their own operands are dropped."""
        place = np.where(gone, stand_in, np.arange(len(gone)))
        while not np.array_equal(place, place[place]):
            place = place[place]
        self.edge_alive &= ~gone[self.target]
        self.source = place[self.source]
        self.alive &= ~gone

    def _hand_over(self, gone: Mask, to: Numbers) -> None:
        np.add.at(self.parameters, to[gone], self.parameters[gone])
        np.add.at(self.costs, to[gone], self.costs[gone])

    def pass_through(self) -> None:
        """Take out what changes no number."""
        sources = self._only_source(self._named(*PASSED_THROUGH))
        gone = (sources != NONE) & (self.parameters == 0)
        self._redirect(gone, sources)

    def normalise(self) -> None:
        """Make normalisations columns of the nodes that they alone take."""
        gone, sources = self._alone(self.is_norm, ~self.is_norm & ~self.is_activation)
        self._hand_over(gone, sources)
        self.norm[sources[gone]] = self.batch.nodes.word[gone]
        self._redirect(gone, sources)

    def activate(self, hosts: Mask) -> None:
        """Make activations columns of the hosts that they alone take."""
        gone, sources = self._alone(self.is_activation, hosts)
        self._hand_over(gone, sources)
        self.activation[sources[gone]] = self.batch.nodes.word[gone]
        self._redirect(gone, sources)

    def _alone(self, nodes: Mask, hosts: Mask) -> tuple[Mask, Numbers]:
        """Which of `nodes` alone take one of `hosts`, and which."""
        sources = self._only_source(nodes & self.alive)
        taken = self._counts(self.source)
        fits = hosts & ~self.is_end & (taken == 1)
        gone = (sources != NONE) & fits[sources] & self._repeat_alike(sources)
        return gone, sources

    def _repeat_alike(self, others: Numbers) -> Mask:
        repeats = self.batch.nodes.repeats
        return np.asarray(repeats == repeats[others])

    def activate_before(self) -> None:
        """Make activations columns of the maps that take them, where nothing else does."""
        sources = self._only_source(self.is_activation & self.alive)
        single = self._counts(self.target) == 1
        host = self.is_map & single & (self.before == NONE)
        edges = self.edge_alive & (sources != NONE)[self.source]
        fits = host[self.target] & (self.batch.nodes.repeats[self.source] == self.batch.nodes.repeats[self.target])
        refused = np.zeros(len(self.alive), dtype=bool)
        refused[self.source[edges & ~fits]] = True
        gone = (sources != NONE) & ~refused & (self.parameters == 0) & (self._counts(self.source) > 0)
        moved = edges & gone[self.source]
        self.before[self.target[moved]] = self.batch.nodes.word[self.source[moved]]
        self._redirect(gone, sources)

    def add_up(self) -> None:
        """Make chains of sums one sum each."""
        sums = self._named("add") & self.alive
        plain = sums & (self.norm == NONE) & (self.activation == NONE)
        taken = self._counts(self.source)
        repeats = self.batch.nodes.repeats
        edges = self.edge_alive & (plain & (taken == 1))[self.source] & sums[self.target]
        edges &= repeats[self.source] == repeats[self.target]
        into = np.arange(len(self.alive))
        into[self.source[edges]] = self.target[edges]
        gone = into != np.arange(len(into))
        while not np.array_equal(into, into[into]):
            into = into[into]
        self.edge_alive &= ~edges
        self.target = np.where(gone[self.target], into[self.target], self.target)
        self.alive &= ~gone

    def result(self) -> ComputationBatch:
        """What is left, with places counted anew."""
        place = np.cumsum(self.alive) - 1
        kept: NDArray[Any] = np.flatnonzero(self.edge_alive)
        source, target, operand = (
            column[kept] for column in (place[self.source], place[self.target], self.batch.operand)
        )
        order = np.lexsort((kept, target))  # the operands of a sum in the order of the chain
        source, target, operand = source[order], target[order], operand[order]
        starts = np.searchsorted(target, target)
        first_node = np.concatenate([[0], np.cumsum(self.alive)])[self.batch.first_node]
        nodes = replace(
            self.batch.nodes,
            parameters=self.parameters,
            multiply_accumulates=self.costs,
            norm=self.norm,
            activation=self.activation,
            activation_before=self.before,
        ).taken(self.alive)
        return replace(
            self.batch,
            first_node=first_node,
            first_edge=np.searchsorted(target, first_node),
            nodes=nodes,
            source=source,
            target=target,
            operand=np.arange(len(target)) - starts,
        )
