"""The DARTS space as choices: for each node of both cells its two predecessors and an operator for each."""

from __future__ import annotations

from itertools import combinations

from catalog.architecture.graph import ArchitectureGraph
from catalog.search.methods.choices import Choices, Decision, Genes
from catalog.spaces.base import SearchSpace
from catalog.spaces.genotype import ALL_STATES, OPERATORS, Pair

_CELLS = ("normal", "reduce")
_PAIRS = {node: tuple(combinations(range(node), 2)) for node in ALL_STATES}
_DECISIONS_A_NODE = 3


class DARTSChoices(Choices):
    """DARTS: the two predecessors of a node are one decision among all pairs of different ones.

    So every combination keeps the rule of two different weighted inputs for each node, and each architecture of the
    space has exactly one combination: sampling is uniform.
    """

    is_separable = True

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.decisions = tuple(
            decision
            for cell in _CELLS
            for node in ALL_STATES
            for decision in (
                Decision(f"{cell} node {node} predecessors", tuple(f"{one},{two}" for one, two in _PAIRS[node])),
                Decision(f"{cell} node {node} operator of the lower predecessor", OPERATORS),
                Decision(f"{cell} node {node} operator of the upper predecessor", OPERATORS),
            )
        )

    def decode(self, genes: Genes) -> list[ArchitectureGraph]:
        half = _DECISIONS_A_NODE * len(ALL_STATES)
        return [self.space.graph([_pairs(row[:half]), _pairs(row[half:])]) for row in genes.tolist()]


def _pairs(row: list[int]) -> list[Pair]:
    pairs: list[Pair] = []
    for place, node in enumerate(ALL_STATES):
        chosen, lower, upper = row[_DECISIONS_A_NODE * place : _DECISIONS_A_NODE * (place + 1)]
        one, two = _PAIRS[node][chosen]
        pairs += [(OPERATORS[lower], one), (OPERATORS[upper], two)]
    return pairs
