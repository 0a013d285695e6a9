r"""Weisfeiler-Lehman colours: what each node's surroundings look like, in batches of cells.

Shervashidze et al., "Weisfeiler-Lehman graph kernels", JMLR 2011. A node's first colour is its operator; in each round
it becomes a number made of the old one, of the multiset of its inputs' colours and of that of its outputs':

.. math:: c_v \leftarrow h\bigl(c_v, \{\!\{(m_{uv}, c_u)\}\!\}, \{\!\{(m_{vw}, c_w)\}\!\}\bigr)

The number depends on the surroundings alone: not on the order of the nodes, the batch, or the machine. Two nodes of one
colour after r rounds have equal surroundings up to r edges away, but for collisions of 64-bit numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from catalog.architecture.canonical_labelling import Adjacency, Colours, mix

_INPUTS = np.uint64(0x9FB21C651E98DF25)
_OUTPUTS = np.uint64(0xC2B2AE3D27D4EB4F)


def colours(keys: Colours, adjacency: Adjacency, rounds: int) -> Iterator[Colours]:
    """The colours of all nodes before the first round and after each.

    Parameters
    ----------
    keys
        (B, N) operator keys, as `catalog.architecture.cell_arrays.CellArrays.keys` gives them.
    adjacency
        (B, N, N) edge multiplicities, row = source.
    rounds
        How far a node looks, in edges.

    Yields
    ------
    Colours
        (B, N), `rounds` + 1 times.
    """
    current = mix(keys)
    yield current
    weights = mix(adjacency.astype(np.uint64)) * (adjacency > 0)  # (B, N, N)
    for _ in range(rounds):
        outputs = (weights * mix(current ^ _OUTPUTS)[:, None, :]).sum(axis=2, dtype=np.uint64)
        inputs = (weights * mix(current ^ _INPUTS)[:, :, None]).sum(axis=1, dtype=np.uint64)
        current = mix(current + mix(outputs) + mix(inputs ^ _INPUTS))
        yield current
