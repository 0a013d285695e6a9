"""The canonical labelling: independent of names and neighbours in the batch, and complete."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pynauty
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.architecture import canonical_labelling as canonical
from catalog.architecture.graph import CellGraph
from tests.catalog.graphs import cells

FEW = ("conv3x3", "maxpool3x3")


def keys_of(operators):
    return np.array([canonical.operator_key(operator) for operator in operators], dtype=np.uint64)


def encoding(operators, adjacency):
    order = canonical.canonical_order_of_one(operators, adjacency)
    return canonical.encode([operators[node] for node in order], adjacency[np.ix_(order, order)])


def relabelled(cell: CellGraph, order) -> tuple[list[str], np.ndarray]:
    """The same cell with its nodes in another order, the output still last; not topological in general."""
    order = [*order, cell.node_count - 1]
    return [cell.operators[node] for node in order], cell.adjacency()[np.ix_(order, order)]


def certificate(operators, adjacency) -> tuple[object, ...]:
    """Equal exactly for isomorphic coloured multigraphs, by nauty.

    Nauty refines by outgoing edges alone, so each edge becomes an undirected path over two vertices that tell its
    direction and its copies by their colours.
    """
    vertices = len(operators)
    neighbours = defaultdict(list)
    colours = defaultdict(set)
    for node, operator in enumerate(operators):
        colours["node", operator].add(node)
    for source, target in zip(*(ends.tolist() for ends in np.nonzero(adjacency)), strict=True):
        neighbours[source].append(vertices)
        neighbours[vertices].append(vertices + 1)
        neighbours[vertices + 1].append(target)
        colours["leaving", str(adjacency[source, target])].add(vertices)
        colours["entering", ""].add(vertices + 1)
        vertices += 2
    named = sorted(colours.items())
    graph = pynauty.Graph(
        vertices, directed=False, adjacency_dict=dict(neighbours), vertex_coloring=[part for _, part in named]
    )
    return tuple((name, len(part)) for name, part in named), pynauty.certificate(graph)


@settings(max_examples=150)
@given(cells(most=9, operators=FEW), st.randoms(use_true_random=False))
def test_the_order_of_the_nodes_does_not_matter(cell, random):
    order = random.sample(range(cell.node_count - 1), cell.node_count - 1)
    assert encoding(*relabelled(cell, order)) == encoding(list(cell.operators), cell.adjacency())


@given(st.integers(2, 7).flatmap(lambda size: st.lists(cells(most=size, operators=FEW), min_size=1, max_size=30)))
def test_a_graph_is_ordered_alike_alone_and_in_a_batch(drawn):
    size = max(cell.node_count for cell in drawn)
    batch = [cell for cell in drawn if cell.node_count == size]
    keys = np.stack([keys_of(cell.operators) for cell in batch])
    adjacency = np.stack([cell.adjacency() for cell in batch])
    alone = [canonical.canonical_order_of_one(cell.operators, cell.adjacency()).tolist() for cell in batch]
    assert canonical.canonical_order(keys, adjacency).tolist() == alone


def test_a_large_batch_is_cut_without_a_trace(monkeypatch):
    """What fits into one working set must not show in the result."""
    generator = np.random.default_rng(5)
    adjacency = np.triu(generator.integers(0, 2, (200, 6, 6)), 1).astype(np.uint16)
    keys = keys_of(("input", *FEW, *FEW, "output"))[None].repeat(200, axis=0)
    whole = canonical.canonical_order(keys, adjacency)
    monkeypatch.setattr(canonical, "_WORKING_CELLS", 7 * 36)
    assert np.array_equal(canonical.canonical_order(keys, adjacency), whole)


@given(cells(most=9, operators=FEW))
def test_the_order_is_topological_and_ends_in_the_output(cell):
    order = canonical.canonical_order_of_one(cell.operators, cell.adjacency())
    assert sorted(order) == list(range(cell.node_count))
    assert order[-1] == cell.node_count - 1
    place = np.argsort(order)
    assert all(place[source] < place[target] for source, target, _ in cell.edges)


def small_graphs():
    """Every graph of five nodes whose three middle nodes carry one of two operators, without edge (0, 4)."""
    pairs = [pair for pair in itertools.combinations(range(5), 2) if pair != (0, 4)]
    for middle in itertools.product(FEW, repeat=3):
        for bits in itertools.product((0, 1), repeat=len(pairs)):
            adjacency = np.zeros((5, 5), dtype=np.uint16)
            for pair, bit in zip(pairs, bits, strict=True):
                adjacency[pair] = bit
            yield ("input", *middle, "output"), adjacency


def test_equal_encoding_is_isomorphism_for_all_small_graphs():
    """The program nauty (McKay and Piperno 2014) parts the 4,096 graphs of five nodes into the same classes."""
    graphs = list(small_graphs())
    keys = np.stack([keys_of(operators) for operators, _ in graphs])
    adjacency = np.stack([matrix for _, matrix in graphs])
    order = canonical.canonical_order(keys, adjacency)
    ours = canonical.encode_batch(*canonical.permuted(keys, adjacency, order))
    theirs = [certificate(operators, matrix) for operators, matrix in graphs]
    assert len(set(ours)) == len(set(theirs)) == len(set(zip(ours, theirs, strict=True)))
    assert len(set(ours)) < len(graphs)


@settings(max_examples=150)
@given(st.lists(cells(most=6, operators=FEW[:1], most_parallel=2), min_size=2, max_size=12), st.data())
def test_equal_encoding_is_isomorphism_for_multigraphs(drawn, data):
    """The same with parallel edges, among random graphs and shuffled copies of them."""
    graphs = [(list(cell.operators), cell.adjacency()) for cell in drawn]
    graphs += [relabelled(cell, data.draw(st.permutations(range(cell.node_count - 1)))) for cell in drawn]
    pairs = {(encoding(*graph), certificate(*graph)) for graph in graphs}
    assert len(pairs) == len({ours for ours, _ in pairs}) == len({theirs for _, theirs in pairs})


def two_layers(rings):
    """Two layers of nodes; within each ring, node i of the first feeds nodes i and i + 1 of the second."""
    width = sum(rings)
    adjacency = np.zeros((2 + 2 * width, 2 + 2 * width), dtype=np.uint16)
    adjacency[0, 1 : 1 + width] = 1
    adjacency[1 + width : 1 + 2 * width, -1] = 1
    first = 1
    for ring in rings:
        for node in range(ring):
            adjacency[first + node, first + width + node] = 1
            adjacency[first + node, first + width + (node + 1) % ring] = 1
        first += ring
    return ["input", *["conv3x3"] * width, *["conv1x1"] * width, "output"], adjacency


@pytest.mark.parametrize(
    ("first", "second"), [((6,), (3, 3)), ((8,), (4, 4)), ((8,), (3, 5)), ((3, 3, 6), (4, 4, 4)), ((7, 3), (5, 5))]
)
def test_graphs_that_neighbour_counts_cannot_tell_apart_differ(first, second):
    """All nodes of a layer look alike to colour refinement, whatever the rings: only the search tells them apart."""
    generator = np.random.default_rng(0)
    codes = []
    for rings in (first, second):
        operators, adjacency = two_layers(rings)
        shuffles = [[*generator.permutation(len(operators) - 1), len(operators) - 1] for _ in range(4)]
        relabellings = [([operators[n] for n in order], adjacency[np.ix_(order, order)]) for order in shuffles]
        codes.append({encoding(*graph) for graph in [(operators, adjacency), *relabellings]})
    assert [len(code) for code in codes] == [1, 1]
    assert codes[0] != codes[1]


def branches(count, length):
    """`count` equal chains side by side."""
    nodes = 2 + count * length
    adjacency = np.zeros((nodes, nodes), dtype=np.uint16)
    for branch in range(count):
        chain = [0, *range(1 + branch * length, 1 + (branch + 1) * length), nodes - 1]
        for source, target in itertools.pairwise(chain):
            adjacency[source, target] = 1
    return ["input", *["conv1x1", "conv3x3", "conv1x1"][:length] * count, "output"], adjacency


@pytest.mark.parametrize(("count", "length"), [(12, 2), (64, 1), (32, 3)])
def test_many_equal_branches_have_one_encoding(count, length):
    """An aggregated residual block has 32 equal branches of three convolutions (Xie et al. 2017)."""
    operators, adjacency = branches(count, length)
    order = [*np.random.default_rng(1).permutation(len(operators) - 1), len(operators) - 1]
    shuffled = encoding([operators[node] for node in order], adjacency[np.ix_(order, order)])
    assert shuffled == encoding(operators, adjacency)


def test_encodings_never_change():
    """Digests are stored in files: the operator keys and the byte layout are fixed for good."""
    assert canonical.operator_key("input") == 0xC96C6D5BE8D08A12
    adjacency = np.array([[0, 1, 258], [0, 0, 1], [0, 0, 0]], dtype=np.uint16)
    code = canonical.encode(["input", "conv3x3", "output"], adjacency)
    keys = [canonical.operator_key(name) for name in ("input", "conv3x3", "output")]
    matrix = [0, 1, 258, 0, 0, 1, 0, 0, 0]
    assert code == b"".join(key.to_bytes(8, "big") for key in keys) + b"".join(m.to_bytes(2, "big") for m in matrix)


@given(st.lists(cells(most=5), min_size=1, max_size=8))
def test_encoding_a_batch_is_encoding_each(drawn):
    size = max(cell.node_count for cell in drawn)
    batch = [cell for cell in drawn if cell.node_count == size]
    codes = canonical.encode_batch(
        np.stack([keys_of(cell.operators) for cell in batch]), np.stack([cell.adjacency() for cell in batch])
    )
    assert codes == [canonical.encode(cell.operators, cell.adjacency()) for cell in batch]
