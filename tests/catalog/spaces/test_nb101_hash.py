"""The module hash bit for bit, and the batched MD5 under it."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.architecture.graph import CellGraph
from catalog.spaces import nb101_hash, nb101_md5
from catalog.spaces.nb101_enumeration import enumerate_arrays
from catalog.spaces.nb101_hash import module_hashes
from tests.catalog.spaces.nb101_specs import modules, relabelled


def hash_by_definition(matrix: np.ndarray, labels: list[int]) -> str:
    """The published definition, vertex by vertex (facts of Ying et al. 2019, section 2.2 of the supplement)."""
    vertices = range(len(labels))
    hashes = [
        hashlib.md5(str((int(matrix[v].sum()), int(matrix[:, v].sum()), labels[v])).encode()).hexdigest()
        for v in vertices
    ]
    for _ in vertices:
        hashes = [
            hashlib.md5(
                "|".join(
                    [
                        "".join(sorted(hashes[s] for s in vertices if matrix[s, v])),
                        "".join(sorted(hashes[t] for t in vertices if matrix[v, t])),
                        hashes[v],
                    ]
                ).encode()
            ).hexdigest()
            for v in vertices
        ]
    return hashlib.md5(str(sorted(hashes)).encode()).hexdigest()


@given(st.integers(0, 200), st.lists(st.binary(min_size=200, max_size=200), min_size=1, max_size=4))
def test_md5_of_a_batch_equals_the_librarys(length: int, texts: list[bytes]) -> None:
    messages = [text[:length] for text in texts]
    words = nb101_md5.padded(length, len(messages))
    for column, message in enumerate(messages):
        filled = np.frombuffer(message.ljust(4 * len(words), b"\0"), dtype="<u4")
        words[:, column] |= filled
    digits = nb101_md5.hexadecimal(nb101_md5.digest(words), nb101_md5.hexadecimal_table())
    found = [digits[:, column].astype("<u4").tobytes().decode() for column in range(len(messages))]
    assert found == [hashlib.md5(message).hexdigest() for message in messages]


@given(modules())
def test_the_hash_follows_its_definition(cell: CellGraph) -> None:
    matrix = cell.adjacency()
    operators = np.array([[nb101_hash.NODE_OPERATORS.index(name) for name in cell.operators]])
    labels = [{"input": -1, "output": -2}.get(name, nb101_hash.NODE_OPERATORS.index(name)) for name in cell.operators]
    assert module_hashes(matrix[None], operators) == [hash_by_definition(matrix, labels)]


@pytest.mark.parametrize("vertices", [2, 3, 4, 5, 6, 7])
def test_batches_hash_like_single_modules(vertices: int) -> None:
    """Large batches take another path than small ones; both must agree, whatever shares the batch."""
    arrays = next(cells for cells in enumerate_arrays() if cells.operators.shape[1] == vertices)
    some = arrays.taken(np.random.default_rng(0).integers(len(arrays), size=1500))
    batched = module_hashes(some.adjacency, some.operators)
    single = [module_hashes(some.adjacency[row : row + 1], some.operators[row : row + 1])[0] for row in range(300)]
    assert batched[:300] == single
    assert len(set(batched)) == len(np.unique(some.encodings()))


def test_a_batch_larger_than_a_chunk_keeps_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = next(cells for cells in enumerate_arrays() if cells.operators.shape[1] == 5)
    whole = module_hashes(arrays.adjacency, arrays.operators)
    monkeypatch.setattr(nb101_hash, "_CHUNK", 700)
    monkeypatch.setattr(nb101_hash, "_COLUMNS", 300)
    assert module_hashes(arrays.adjacency, arrays.operators) == whole


@given(st.data())
def test_the_order_of_the_vertices_has_no_meaning(data: st.DataObject) -> None:
    cell = data.draw(modules())
    other = data.draw(relabelled(cell))
    assert hash_of(cell) == hash_of(other)


def hash_of(cell: CellGraph) -> str:
    operators = np.array([[nb101_hash.NODE_OPERATORS.index(name) for name in cell.operators]])
    return module_hashes(cell.adjacency()[None], operators)[0]
