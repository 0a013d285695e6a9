"""A few architectures of a staged space that between them show all of it: what fits in them fits everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.spaces.staged.assignment import Assignment, Assignments, StageOption


def covering(every: Assignments, most: int) -> list[Assignment]:
    """Architectures that have each option of each stage with each of its blocks at its beginning, in each network.

    Parameters
    ----------
    every
        The space.
    most
        Where these are more, so many of them, each option as often as any other.
    """
    generator = np.random.default_rng(0)
    networks = len(every.network.options)
    kinds = [len(stage.level.options) * len(stage.block_level.options) for stage in every.description.stages]
    needed = networks * max(kinds)
    if needed <= most:
        numbers = np.repeat(np.arange(networks), max(kinds))
        chosen = [np.concatenate([_spread(kind, max(kinds), generator) for _ in range(networks)]) for kind in kinds]
    else:
        numbers = _spread(networks, most, generator)
        chosen = [_spread(kind, most, generator) for kind in kinds]
    rows = zip(numbers.tolist(), *(places.tolist() for places in chosen), strict=True)
    found = [_assignment(every, network, places) for network, *places in rows]
    return list(dict.fromkeys(found))


def _spread(count: int, wanted: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """`wanted` numbers below `count`, in any order; none comes twice before all came once."""
    numbers = np.arange(wanted, dtype=np.int64)
    return generator.permutation(numbers % count if count <= wanted else numbers * count // wanted)


def _assignment(every: Assignments, network: int, places: list[int]) -> Assignment:
    """An option of the network, and of each stage an option and its first block; other blocks follow in their order."""
    stages = []
    for stage, place in enumerate(places):
        options = len(every.description.stages[stage].block_level.options)
        option, first = divmod(place, options)
        depth = every.depths(network, stage)[option]
        stages.append(StageOption(option, tuple((first + block) % options for block in range(depth))))
    return Assignment(network, tuple(stages))
