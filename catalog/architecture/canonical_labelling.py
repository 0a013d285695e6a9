r"""Canonical labelling of small operator graphs, in batches.

Colour refinement with individualisation (McKay and Piperno, "Practical graph isomorphism, II", 2014), on padded
arrays: every step treats all graphs of a batch at once. The order depends on nothing but the arithmetic written
here, so digests made from it stay valid whatever happens to other libraries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.uint64]
Adjacency = NDArray[np.unsignedinteger[Any]]
Order = NDArray[np.intp]

_OUTGOING = np.uint64(0xD6E8FEB86659FD93)
_INCOMING = np.uint64(0xA0761D6478BD642F)
_CHOSEN = np.uint64(0xE7037ED1A0B428DB)
_WORKING_CELLS = 2**20  # cells of a batch's adjacency: bounds memory and stays near the cache


def mix(values: Colours) -> Colours:
    """The splitmix64 finaliser (Steele et al. 2014): a bijection that scatters every bit."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@lru_cache(maxsize=65536)
def operator_key(name: str) -> int:
    """A 64-bit number for an operator name, or for its label with a size; the same on every machine."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def encode(operators: Sequence[str], adjacency: Adjacency) -> bytes:
    """The bytes that a cell's digest is taken of: its operator keys and its matrix, in canonical order."""
    keys = np.array([operator_key(name) for name in operators], dtype=np.uint64)
    return encode_batch(keys[None], adjacency[None])[0]


def encode_batch(keys: Colours, adjacency: Adjacency) -> list[bytes]:
    """`encode` for a batch of graphs of one size: keys (B, N), adjacency (B, N, N)."""
    count, nodes = keys.shape
    head = keys.astype(">u8").reshape(count, nodes).view(np.uint8).reshape(count, 8 * nodes)
    body = adjacency.astype(">u2").reshape(count, nodes * nodes).view(np.uint8).reshape(count, 2 * nodes * nodes)
    rows = np.ascontiguousarray(np.concatenate([head, body], axis=1))
    width = rows.shape[1]
    data = rows.tobytes()
    return [data[start : start + width] for start in range(0, width * count, width)]


def canonical_order_of_one(operators: Sequence[str], adjacency: Adjacency) -> Order:
    """`canonical_order` for a single cell: adjacency (N, N), result (N,)."""
    keys = np.array([operator_key(name) for name in operators], dtype=np.uint64)
    return np.asarray(canonical_order(keys[None], adjacency[None])[0])


def canonical_order(keys: Colours, adjacency: Adjacency) -> Order:
    """The canonical node order of each graph of a batch.

    Parameters
    ----------
    keys
        (B, N) operator keys; the last node of every graph is its output.
    adjacency
        (B, N, N) multiplicities, row = source; every graph has exactly N nodes.

    Returns
    -------
    Order
        (B, N); ``order[b, p]`` is the node that stands at canonical position p. Isomorphic graphs become equal
        matrices and equal keys when they are put in this order. The order is topological, the output last.
    """
    order = np.zeros(keys.shape, dtype=np.intp)
    step = max(1, _WORKING_CELLS // keys.shape[1] ** 2)
    for start in range(0, len(keys), step):
        part = slice(start, start + step)
        order[part] = _best_order(_initial_colours(keys[part], adjacency[part]), keys[part], adjacency[part])
    return order


def permuted(keys: Colours, adjacency: Adjacency, order: Order) -> tuple[Colours, Adjacency]:
    """Graphs of a batch with their nodes put in `order`."""
    rows = np.arange(len(keys))[:, None]
    return keys[rows, order], adjacency[rows[:, :, None], order[:, :, None], order[:, None, :]]


def _depths(adjacency: Adjacency) -> NDArray[np.int64]:
    """Longest path that ends in each node, (B, N); the output node counts as deeper than all others."""
    linked = adjacency > 0
    depths = np.zeros(adjacency.shape[:2], dtype=np.int64)
    if not np.tril(linked).any():  # every edge leads forward, so that one pass is enough
        for node in range(1, adjacency.shape[1]):
            depths[:, node] = np.where(linked[:, :node, node], depths[:, :node] + 1, 0).max(axis=1)
    else:
        for _ in range(adjacency.shape[1]):
            deeper = np.where(linked, depths[:, :, None] + 1, 0).max(axis=1)
            if np.array_equal(deeper, depths):
                break
            depths = deeper
    depths[:, -1] = adjacency.shape[1]
    return depths


def _initial_colours(keys: Colours, adjacency: Adjacency) -> Colours:
    """Colours whose top 16 bits are the depth, so that sorting by colour is a topological order."""
    return _with_depth(mix(keys), _depths(adjacency).astype(np.uint64))


def _with_depth(colours: Colours, depths: Colours) -> Colours:
    return (colours >> np.uint64(16)) | (depths << np.uint64(48))


def _refine(colours: Colours, adjacency: Adjacency) -> Colours:
    """Split colours by the colours of the neighbours until the graph splits no further.

    Each graph stops on its own account: its colours must not depend on what else is in the batch.
    """
    colours = colours.copy()
    classes = _class_counts(colours)
    active = np.arange(len(colours))
    while len(active):
        before = colours[active]
        weights = mix(adjacency[active].astype(np.uint64)) * (adjacency[active] > 0)  # (A, N, N)
        outgoing = (weights * mix(before ^ _OUTGOING)[:, None, :]).sum(axis=2, dtype=np.uint64)
        incoming = (weights * mix(before ^ _INCOMING)[:, :, None]).sum(axis=1, dtype=np.uint64)
        after = _with_depth(mix(before + mix(outgoing) + mix(incoming ^ _INCOMING)), before >> np.uint64(48))
        split = _class_counts(after)
        progressed = split > classes[active]
        active = active[progressed]
        colours[active] = after[progressed]
        classes[active] = split[progressed]
    return colours


def _class_counts(colours: Colours) -> NDArray[np.int64]:
    ordered = np.sort(colours, axis=1)
    return np.asarray((ordered[:, 1:] != ordered[:, :-1]).sum(axis=1))


def _split_twins(colours: Colours, adjacency: Adjacency) -> Colours:
    """Tell twins apart by position: nodes of one colour with the same neighbours can be swapped freely."""
    earlier = np.tril(np.ones(colours.shape[1:] * 2, dtype=bool), -1)
    graphs, later, first = np.nonzero((colours[:, :, None] == colours[:, None, :]) & earlier)
    same_out = (adjacency[graphs, later] == adjacency[graphs, first]).all(axis=1)
    same_in = (adjacency[graphs, :, later] == adjacency[graphs, :, first]).all(axis=1)
    rank = np.zeros(colours.shape, dtype=np.uint64)
    twins = same_out & same_in
    np.add.at(rank, (graphs[twins], later[twins]), np.uint64(1))
    return np.where(rank > 0, _individualised(colours, rank), colours)


def _individualised(colours: Colours, rank: Colours | np.uint64) -> Colours:
    return _with_depth(mix(colours ^ (_CHOSEN * rank)), colours >> np.uint64(48))


def _split_branches(colours: Colours, adjacency: Adjacency) -> Colours:
    """Tell equal branches apart by position: what hangs together inside only, and looks alike, can be swapped freely.

    A branch is a component of the graph that remains without the edges of uniform pairs of colours, those where every
    node of one is joined alike to every node of the other; edges to nodes of unique colour go with them. Where a
    branch has no colour twice, refined colours determine it: two such branches that share a colour are isomorphic.
    """
    same = colours[:, :, None] == colours[:, None, :]  # (B, N, N)
    copies = adjacency.astype(np.float64)
    sums, squares, sizes = copies @ same, copies**2 @ same, same.sum(axis=1)[:, None, :]
    joined = (copies > 0) & (squares * sizes != sums**2)
    joined |= joined.transpose(0, 2, 1)
    branch = np.broadcast_to(np.arange(colours.shape[1]), colours.shape)  # (B, N) the first node that hangs together
    while True:
        reached = np.minimum(branch, np.where(joined, branch[:, None, :], colours.shape[1]).min(axis=2))
        if np.array_equal(reached, branch):
            break
        branch = reached
    together = branch[:, :, None] == branch[:, None, :]
    repeated = (same & together).sum(axis=2) > 1
    plain = ~(together & repeated[:, None, :]).any(axis=2)
    earlier = branch[:, :, None] > branch[:, None, :]
    rank = ((same & earlier & plain[:, None, :]).sum(axis=2) * plain).astype(np.uint64)
    return np.where(rank > 0, _individualised(colours, rank), colours)


def _settle(colours: Colours, adjacency: Adjacency) -> Colours:
    """Refine, and split twins and equal branches, until nothing changes the number of classes."""
    colours = _refine(colours, adjacency)
    classes = _class_counts(colours)
    active = np.flatnonzero(classes < colours.shape[1] - 1)
    while len(active):
        part = _refine(_split_twins(colours[active], adjacency[active]), adjacency[active])
        part = _refine(_split_branches(part, adjacency[active]), adjacency[active])
        split = _class_counts(part)
        colours[active] = part
        progressed = (split > classes[active]) & (split < colours.shape[1] - 1)
        classes[active] = split
        active = active[progressed]
    return colours


def _tied_class(colours: Colours) -> NDArray[np.bool_]:
    """Members of the smallest colour that several nodes share, (B, N)."""
    shared = (colours[:, :, None] == colours[:, None, :]).sum(axis=2) > 1
    lowest = np.where(shared, colours, np.uint64(2**64 - 1)).min(axis=1)
    return np.asarray(shared & (colours == lowest[:, None]))


def _first_leaf(colours: Colours, adjacency: Adjacency) -> Colours:
    """Individualise the first tied node again and again until all colours of every graph differ."""
    while True:
        colours = _settle(colours, adjacency)
        tied = np.flatnonzero(_class_counts(colours) < colours.shape[1] - 1)
        if not len(tied):
            return colours
        first = _tied_class(colours[tied]).argmax(axis=1)
        colours[tied, first] = _individualised(colours[tied, first], np.uint64(1))


def _best_order(colours: Colours, keys: Colours, adjacency: Adjacency) -> Order:
    """The order with the smallest encoding among all that the tree of individualisations leads to.

    Two members of a tied class that stand at one place of first leaves that encode alike are exchanged by an
    automorphism, so the tree below one of them is enough: graphs with many interchangeable branches stay cheap.
    """
    colours = _settle(colours, adjacency)
    orders = np.argsort(colours, axis=1, kind="stable")
    tied = np.flatnonzero(_class_counts(colours) < colours.shape[1] - 1)
    if not len(tied):
        return orders
    parents, members = np.nonzero(_tied_class(colours[tied]))
    chosen = tied[parents]
    children = colours[chosen].copy()
    rows = np.arange(len(children))
    children[rows, members] = _individualised(children[rows, members], np.uint64(1))
    leaves = np.argsort(_first_leaf(children.copy(), adjacency[chosen]), axis=1, kind="stable")
    leaf_codes = encode_batch(*permuted(keys[chosen], adjacency[chosen], leaves))
    places = (leaves == members[:, None]).argmax(axis=1)
    seen: dict[tuple[int, int, bytes], int] = {}
    for row, key in enumerate(zip(parents.tolist(), places.tolist(), leaf_codes, strict=True)):
        seen.setdefault(key, row)
    kept = np.array(sorted(seen.values()))
    below = _best_order(children[kept], keys[chosen[kept]], adjacency[chosen[kept]])
    codes = encode_batch(*permuted(keys[chosen[kept]], adjacency[chosen[kept]], below))
    best: dict[int, int] = {}
    for row, parent in enumerate(parents[kept].tolist()):
        if parent not in best or codes[row] < codes[best[parent]]:
            best[parent] = row
    for parent, row in best.items():
        orders[tied[parent]] = below[row]
    return orders
