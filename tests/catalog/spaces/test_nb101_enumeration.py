"""The whole space: every module once, in the form that the benchmark stores."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from catalog.architecture.cell_arrays import CellArrays
from catalog.spaces.nb101 import NASBench101
from catalog.spaces.nb101_arrays import read_arrays
from catalog.spaces.nb101_enumeration import cells, enumerate_arrays, first_forms, keys, matrices
from catalog.spaces.nb101_hash import NODE_OPERATORS, module_hashes
from catalog.spaces.nb101_network import costs
from tests.catalog.spaces.nb101_specs import modules, relabelled


def test_every_row_of_the_published_table_is_reproduced(data_dir: Path) -> None:
    """423,624 hashes, indices, matrices, labelings and parameter counts, bit for bit, and nothing beside them."""
    texts = dict.fromkeys(("hash", "adjacency_rowmajor", "ops"), pl.String)
    table = pl.read_csv(data_dir / "nb101/nb101_108ep_mean_test.csv.gz", schema_overrides=texts)
    space = NASBench101()
    done = 0
    for members in space.enumerate_members():
        rows = table[done : done + len(members)]
        assert rows["hash"].to_list() == members.native_ids
        assert rows["index"].to_list() == list(members.native_indices or ())
        published = read_arrays(rows["adjacency_rowmajor"].to_list(), rows["ops"].to_list())
        for ours, theirs in zip(members.cells or (), published, strict=True):
            assert np.array_equal(ours.rows, theirs.rows)
            assert np.array_equal(ours.cells.adjacency, theirs.cells.adjacency)
            assert np.array_equal(ours.cells.operators, theirs.cells.operators)
            params, *_ = costs(ours.cells.adjacency, ours.cells.operators)
            assert np.array_equal(params, rows["trainable_parameters"].to_numpy()[ours.rows])
        done += len(members)
    assert done == len(table) == space.size == 423_624
    for index, graph in enumerate(itertools.islice(space.enumerate(), 100)):
        assert space.native_id(graph) == table["hash"][index]
        assert space.native_index(graph) == index


def test_the_sizes_are_the_published_ones() -> None:
    """423,624 is the benchmark's count; the split by vertices is that of the published table."""
    assert [len(batch) for batch in enumerate_arrays()] == [1, 6, 84, 2441, 62_010, 359_082]


def test_enumeration_keeps_the_first_of_every_hash() -> None:
    """The benchmark's own loop, written out for up to five vertices."""
    for batch in itertools.islice(enumerate_arrays(), 4):
        vertices = batch.operators.shape[1]
        seen: dict[str, int] = {}
        labelings = 3 ** (vertices - 2)
        for bits in range(2 ** (vertices * (vertices - 1) // 2)):
            matrix = matrices(np.array([bits]), vertices)[0]
            if not (matrix[:-1].any(axis=1).all() and matrix[:, 1:].any(axis=0).all() and matrix.sum() <= 9):
                continue
            candidates = cells(np.arange(bits * labelings, (bits + 1) * labelings), vertices)
            for row, name in enumerate(module_hashes(candidates.adjacency, candidates.operators)):
                seen.setdefault(name, bits * labelings + row)
        assert keys(batch).tolist() == list(seen.values())
        assert module_hashes(batch.adjacency, batch.operators) == list(seen)


def test_edge_bits_run_column_by_column() -> None:
    """18 is binary 010010: edges (0, 2) and (1, 3), as the benchmark's own unit test of its generator has it."""
    assert np.argwhere(matrices(np.array([18]), 4)[0]).tolist() == [[0, 2], [1, 3]]


@given(st.data())
def test_first_forms_tell_exactly_the_isomorphic_apart(data: st.DataObject) -> None:
    cell = data.draw(modules())
    same, other = data.draw(relabelled(cell)), data.draw(modules())
    first = [first_forms(CellArrays.of([graph], NODE_OPERATORS)).cell(0) for graph in (cell, same, other)]
    assert first[0] == first[1]
    digests = [
        CellArrays.of([graph], NODE_OPERATORS).canonically_ordered().encodings()[0] for graph in (cell, same, other)
    ]
    assert digests[0] == digests[1]
    assert (first[0] == first[2]) == (digests[0] == digests[2])


def test_enumerated_modules_are_first_forms() -> None:
    for batch in itertools.islice(enumerate_arrays(), 5):
        assert np.array_equal(keys(first_forms(batch)), keys(batch))
