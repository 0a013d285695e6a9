"""NAS-Bench-101's module hash: the benchmark's native id, the same for every vertex order of a module."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.spaces.nb101_md5 import Words, digest, hexadecimal, hexadecimal_table, padded

Adjacency = NDArray[np.integer[Any]]
Operators = NDArray[np.integer[Any]]
Places = NDArray[np.intp]

NODE_OPERATORS = ("conv3x3", "conv1x1", "maxpool3x3", "input", "output")
"""The operator names that arrays of modules index; the first three are numbered as the benchmark numbers them."""

_LABELS = (0, 1, 2, -1, -2)  # the benchmark's label of each of NODE_OPERATORS
_SMALL_BATCH = 400  # below it one hashlib call a vertex is faster than array steps
_CHUNK = 2**15  # modules hashed together: bounds the memory
_COLUMNS = 2**15  # vertices hashed together: their words and the running state stay in the cache


def module_hashes(adjacency: Adjacency, operators: Operators) -> list[str]:
    """The module hashes of a batch of modules with equally many vertices (Ying et al. 2019, arXiv 1902.09635).

    Each vertex starts as the MD5 of the text of ``(out-degree, in-degree, label)``. As often as there are vertices, it
    becomes the MD5 of its in-neighbours' hashes, sorted and joined, a bar, the same of its out-neighbours, a bar, and
    its own hash. The module hash is the MD5 of the text of the sorted list.

    Parameters
    ----------
    adjacency
        (B, N, N), 0 or 1, row = source. The modules are pruned: every vertex is on a path from input to output.
    operators
        (B, N) indices into `NODE_OPERATORS`.

    Returns
    -------
    list of str
        32 lower-case hexadecimal digits each.
    """
    if len(adjacency) < _SMALL_BATCH:
        return [_hash_of_one(*module) for module in zip(adjacency.tolist(), operators.tolist(), strict=True)]
    hashes: list[str] = []
    for start in range(0, len(adjacency), _CHUNK):
        part = slice(start, start + _CHUNK)
        hashes += _hashes_of_many(adjacency[part] != 0, operators[part])
    return hashes


def _hash_of_one(matrix: list[list[int]], operators: list[int]) -> str:
    vertices = range(len(operators))
    sources = [[source for source in vertices if matrix[source][vertex]] for vertex in vertices]
    targets = [[target for target in vertices if matrix[vertex][target]] for vertex in vertices]
    own = [_first_digest(len(targets[vertex]), len(sources[vertex]), operators[vertex]).hex() for vertex in vertices]
    for _ in vertices:
        before = ["".join(sorted(own[source] for source in sources[vertex])) for vertex in vertices]
        after = ["".join(sorted(own[target] for target in targets[vertex])) for vertex in vertices]
        own = [_md5(f"{before[vertex]}|{after[vertex]}|{own[vertex]}").hex() for vertex in vertices]
    return _md5(str(sorted(own))).hex()


def _md5(text: str) -> bytes:
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()


def _first_digest(out_degree: int, in_degree: int, operator: int) -> bytes:
    return _md5(str((out_degree, in_degree, _LABELS[operator])))


@dataclass(frozen=True)
class _DegreeGroup:
    """Vertices of equal in-degree and equal out-degree; the vertices of a batch are numbered group by group.

    Parameters
    ----------
    start, stop
        The places of these vertices.
    sources
        (in-degree, G) places of the in-neighbours.
    targets
        (out-degree, G) places of the out-neighbours.
    """

    start: int
    stop: int
    sources: Places
    targets: Places


def _hashes_of_many(linked: NDArray[np.bool_], operators: Operators) -> list[str]:
    table = hexadecimal_table()
    places, batches = _by_degrees(linked)
    digests = np.empty((4, places.size), dtype=np.uint32)
    digests[:, places.reshape(-1)] = _first_digests(linked, operators)
    for _ in range(linked.shape[1]):
        texts, ranks = hexadecimal(digests, table), _ranks(digests)
        for groups in batches:
            digests[:, groups[0].start : groups[-1].stop] = digest(_neighbourhoods(groups, texts, ranks))
    texts, ranks = hexadecimal(digests, table), _ranks(digests)
    pieces = [places[start : start + _COLUMNS].T for start in range(0, len(places), _COLUMNS)]
    modules = np.concatenate([digest(_listings(piece, texts, ranks)) for piece in pieces], axis=1)  # (4, B)
    digits = np.ascontiguousarray(hexadecimal(modules, table).T, dtype="<u4").tobytes().decode()
    return [digits[start : start + 32] for start in range(0, len(digits), 32)]


def _by_degrees(linked: NDArray[np.bool_]) -> tuple[Places, list[list[_DegreeGroup]]]:
    """The place of every vertex, (B, N), and the groups; those whose texts are equally long make a batch."""
    count, size, _ = linked.shape
    in_degrees, out_degrees = linked.sum(axis=1).reshape(-1), linked.sum(axis=2).reshape(-1)
    degrees = in_degrees + out_degrees
    members = np.argsort(degrees * size + in_degrees, kind="stable")  # vertices, module by module, in order of place
    places = np.empty(count * size, dtype=np.intp)
    places[members] = np.arange(count * size)
    into, out_of = linked.transpose(0, 2, 1).reshape(-1, size), linked.reshape(-1, size)
    batches = []
    for batch_start, batch_stop in _runs(degrees[members], _COLUMNS):
        groups = []
        for start, stop in _runs(in_degrees[members[batch_start:batch_stop]], _COLUMNS):
            chosen = members[batch_start + start : batch_start + stop]
            first = chosen // size * size
            sources, targets = _neighbours(into[chosen], first), _neighbours(out_of[chosen], first)
            groups.append(_DegreeGroup(batch_start + start, batch_start + stop, places[sources], places[targets]))
        batches.append(groups)
    return places.reshape(count, size), batches


def _runs(ordered: Operators, longest: int) -> Iterator[tuple[int, int]]:
    """Start and stop of the runs of equal values, cut into pieces of at most `longest`."""
    bounds = [0, *(np.flatnonzero(np.diff(ordered)) + 1).tolist(), len(ordered)]
    for start, stop in pairwise(bounds):
        for piece in range(start, stop, longest):
            yield piece, min(piece + longest, stop)


def _neighbours(linked: NDArray[np.bool_], first: Places) -> Places:
    """Neighbours of vertices of one degree, (degree, G), numbered from `first`, their module's vertex 0."""
    return np.asarray((np.nonzero(linked)[1].reshape(len(linked), -1) + first[:, None]).T)


def _first_digests(linked: NDArray[np.bool_], operators: Operators) -> Words:
    size, labels = linked.shape[1], len(_LABELS)
    codes = ((linked.sum(axis=2) * size + linked.sum(axis=1)) * labels + operators).reshape(-1)
    distinct, occurrences = np.unique(codes, return_inverse=True)
    digests = [
        _first_digest(code // labels // size, code // labels % size, code % labels) for code in distinct.tolist()
    ]
    words = np.frombuffer(b"".join(digests), dtype="<u4").reshape(-1, 4).astype(np.uint32)
    return np.asarray(words[occurrences].T)


def _ranks(digests: Words) -> NDArray[np.uint64]:
    """Numbers in the order of the digests' texts, (B,), the lowest three bits left free.

    61 bits suffice: among the vertices of one module no two digests that differ agree in them.
    """
    high, low = digests[0].byteswap().astype(np.uint64), digests[1].byteswap().astype(np.uint64)
    return np.asarray((high << np.uint64(32) | low) & ~np.uint64(7))


def _in_text_order(places: Places, ranks: NDArray[np.uint64]) -> Places:
    """Each column of `places`, (D, B), in the order of the texts that stand there."""
    count = len(places)
    if count < 2:
        return places
    keys = ranks[places] | np.arange(count, dtype=np.uint64)[:, None]
    for last in range(1, count):  # insertion sort of all columns at once
        for upper in range(last, 0, -1):
            smaller = np.minimum(keys[upper - 1], keys[upper])
            np.maximum(keys[upper - 1], keys[upper], out=keys[upper])
            keys[upper - 1] = smaller
    return np.take_along_axis(places, (keys & np.uint64(7)).astype(np.intp), axis=0)


def _neighbourhoods(groups: list[_DegreeGroup], texts: Words, ranks: NDArray[np.uint64]) -> Words:
    """The padded texts that the next hashes of a batch of groups are taken of."""
    start, stop = groups[0].start, groups[-1].stop
    length = 32 * (len(groups[0].sources) + len(groups[0].targets) + 1) + 2
    words = padded(length, stop - start)
    _put(words, length - 32, texts[:, start:stop])
    _put_literal(words, length - 33, "|")
    for group in groups:
        part = words[:, group.start - start : group.stop - start]
        bar = 32 * len(group.sources)
        for slot, places in enumerate(_in_text_order(group.sources, ranks)):
            _put(part, 32 * slot, np.take(texts, places, axis=1))
        _put_literal(part, bar, "|")
        for slot, places in enumerate(_in_text_order(group.targets, ranks)):
            _put(part, bar + 1 + 32 * slot, np.take(texts, places, axis=1))
    return words


def _listings(places: Places, texts: Words, ranks: NDArray[np.uint64]) -> Words:
    """The padded texts of the sorted lists of hashes, as ``str(list)`` gives them; `places` is (N, B)."""
    words = padded(36 * len(places), places.shape[1])
    for slot, column in enumerate(_in_text_order(places, ranks)):
        _put_literal(words, 36 * slot, "['" if slot == 0 else " '")
        _put(words, 36 * slot + 2, np.take(texts, column, axis=1))
        _put_literal(words, 36 * slot + 34, "']" if slot == len(places) - 1 else "',")
    return words


def _put(words: Words, at: int, text: Words) -> None:
    """Write hashes as text, (8, B), at byte `at` of every message."""
    first, shift = at // 4, 8 * (at % 4)
    if shift == 0:
        words[first : first + 8] |= text
    else:
        words[first : first + 8] |= text << np.uint32(shift)
        words[first + 1 : first + 9] |= text >> np.uint32(32 - shift)


def _put_literal(words: Words, at: int, text: str) -> None:
    for place, byte in enumerate(text.encode(), start=at):
        words[place // 4] |= np.uint32(byte << 8 * (place % 4))
