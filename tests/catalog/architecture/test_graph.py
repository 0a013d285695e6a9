"""Cells and architectures: checked when built, and one canonical form for all that compute the same function."""

from __future__ import annotations

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.architecture.graph import MOST_PARALLEL, ArchitectureGraph, CellGraph
from catalog.architecture.operators import GENERIC, VOCABULARY, Operator
from catalog.architecture.sizes import Size
from catalog.errors import GraphError, UnknownOperatorError
from tests.catalog.graphs import cells, darts_cell, nb201


def one(cell: CellGraph) -> ArchitectureGraph:
    return ArchitectureGraph("own", (cell,))


def built(*operators: str, edges, reduction: bool = False) -> CellGraph:
    return CellGraph.build("cell", operators, edges, reduction=reduction)


def canonical(cell: CellGraph) -> CellGraph:
    return one(cell).canonical.cells[0]


def edges_by_name(cell: CellGraph) -> dict[tuple[str, str], int]:
    return {(cell.operators[s], cell.operators[t]): count for s, t, count in cell.edges}


# ------------------------------------------------------------------------------------------ building


@pytest.mark.parametrize(
    ("operators", "edges", "message"),
    [
        (("input", "output"), [(0, 2)], r"edge \(0, 2\) points outside its nodes, 0 to 1"),
        (("input", "output"), [(-1, 1)], r"edge \(-1, 1\) points outside"),
        (("input", "conv3x3", "conv1x1", "output"), [(1, 2), (2, 1)], r"cycle through nodes \[1, 2\]"),
        (("input", "conv3x3", "output"), [(1, 1)], "cycle"),
        (("conv3x3", "output"), [(0, 1)], "has no input node; give one node the operator 'input'"),
        (("input", "conv3x3"), [(0, 1)], "has 0 output nodes; exactly one is allowed"),
        (("input", "output", "output"), [(0, 1)], "has 2 output nodes"),
        (("input", "conv3x3", "output"), [(1, 0)], r"edge \(1, 0\) leads into an input"),
        (("input", "output", "conv3x3"), [(1, 2)], r"edge \(1, 2\) leaves the output"),
        (("input", "output"), [(0, 1, 0)], "has multiplicity 0; 1 is the least"),
        (
            ("input", "output"),
            [(0, 1, MOST_PARALLEL), (0, 1)],
            "has 32768 parallel copies of one edge; 32767 is the most",
        ),
    ],
)
def test_a_cell_that_breaks_a_rule_is_refused(operators, edges, message):
    with pytest.raises(GraphError, match=message):
        built(*operators, edges=edges)


def test_an_unknown_operator_is_refused():
    with pytest.raises(UnknownOperatorError, match=r"unknown operator 'conv7x7'; known operators: input, output"):
        built("input", "conv7x7", "output", edges=[(0, 1), (1, 2)])


def test_building_sorts_nodes_and_adds_up_edges():
    cell = built("output", "conv3x3", "input", edges=[(1, 0), (2, 1), (2, 1), (2, 0, 3)])
    assert cell.operators == ("input", "conv3x3", "output")
    assert cell.edges == ((0, 1, 2), (0, 2, 3), (1, 2, 1))
    assert cell.adjacency().tolist() == [[0, 2, 3], [0, 0, 1], [0, 0, 0]]


def test_inputs_come_first_and_a_valid_order_is_kept():
    assert built("conv3x3", "input", "output", edges=[(1, 2)]).operators == ("input", "conv3x3", "output")
    kept = ("input_0", "input_1", "conv3x3", "conv1x1", "output")
    assert built(*kept, edges=[(0, 3), (1, 2), (2, 4), (3, 4)]).operators == kept


@given(cells(), st.randoms(use_true_random=False))
def test_building_in_any_node_order_gives_a_topological_order(cell, random):
    order = random.sample(range(cell.node_count), cell.node_count)
    place = {node: position for position, node in enumerate(order)}
    edges = [(place[s], place[t], count) for s, t, count in cell.edges]
    again = CellGraph.build("cell", [cell.operators[node] for node in order], edges)
    assert sorted(again.operators) == sorted(cell.operators)
    assert sum(count for *_, count in again.edges) == sum(count for *_, count in cell.edges)
    assert all(source < target for source, target, _ in again.edges)
    assert (again.operators[0], again.operators[-1]) == ("input", "output")
    assert one(again).digest == one(cell).digest


@given(cells())
def test_depth_is_the_longest_path_that_ends_in_the_output(cell):
    graph = one(cell).to_networkx()
    ends = networkx.ancestors(graph, ("cell", cell.node_count - 1)) | {("cell", cell.node_count - 1)}
    assert cell.depth() == networkx.dag_longest_path_length(networkx.DiGraph(graph.subgraph(ends)))


def test_representations():
    graph = nb201(*["none"] * 6)
    assert repr(graph) == "ArchitectureGraph('nb201', [CellGraph('cell', 8 nodes, 10 edges)])"


@given(cells())
def test_networkx_holds_every_node_and_each_parallel_copy(cell):
    graph = one(cell).to_networkx()
    assert graph.graph == {"space": "own"}
    assert [operator for _, operator in graph.nodes(data="operator")] == list(cell.operators)
    assert graph.number_of_edges() == sum(count for *_, count in cell.edges)
    assert all(graph.number_of_edges(("cell", s), ("cell", t)) == count for s, t, count in cell.edges)


# ---------------------------------------------------------------------------------- the canonical form


def test_skip_contraction_keeps_parallel_paths():
    """x + x is not x: a skip beside a skip doubles the edge."""
    cell = nb201("skip_connect", "skip_connect", "none", "none", "skip_connect", "skip_connect").canonical.cells[0]
    assert (cell.operators, cell.edges) == (("input", "output"), ((0, 1, 2),))


def test_skips_in_a_row_multiply():
    steps = 5
    edges = [(node, node + 1, 2) for node in range(steps + 1)]
    cell = canonical(built("input", *["skip_connect"] * steps, "output", edges=edges))
    assert cell.edges == ((0, 1, 2 ** (steps + 1)),)


def test_more_copies_than_can_be_stored_are_refused():
    edges = [(node, node + 1, 2) for node in range(16)]
    with pytest.raises(GraphError, match="has 65536 parallel copies of one edge; 32767 is the most"):
        canonical(built("input", *["skip_connect"] * 15, "output", edges=edges))


def test_what_is_not_on_a_path_from_input_to_output_goes():
    """Node 1 feeds nothing, node 2 is fed by nothing, node 4 only by a zero."""
    cell = built(
        *("input", "conv3x3", "conv1x1", "none", "conv3x3", "maxpool3x3", "output"),
        edges=[(0, 1), (2, 6), (0, 3), (3, 4), (4, 6), (0, 5), (5, 6)],
    )
    assert canonical(cell).operators == ("input", "maxpool3x3", "output")
    assert edges_by_name(canonical(cell)) == {("input", "maxpool3x3"): 1, ("maxpool3x3", "output"): 1}


def test_a_dead_cell_keeps_its_ends_and_is_not_connected():
    dead = nb201(*["none"] * 6)
    assert dead.canonical.cells[0].operators == ("input", "output")
    assert dead.canonical.cells[0].edges == ()
    assert not dead.is_connected
    assert nb201("none", "none", "none", "skip_connect", "none", "none").is_connected


def test_adding_and_joining_stay_different():
    def merged(operator: str) -> CellGraph:
        return built("input_0", "input_1", operator, "conv3x3", "output", edges=[(0, 2), (1, 2), (2, 3), (3, 4)])

    assert one(merged("sum")).digest != one(merged("concat")).digest
    assert "sum" not in canonical(merged("sum")).operators
    assert "concat" in canonical(merged("concat")).operators


def test_a_sum_is_kept_only_where_it_is_joined():
    operators = ("input_0", "input_1", "conv3x3", "sum", "concat", "conv1x1", "output")
    edges = [(0, 3), (1, 3), (0, 2), (2, 4), (3, 4), (3, 5), (4, 6), (5, 6)]
    cell = canonical(built(*operators, edges=edges))
    assert sorted(cell.operators) == sorted(operators)
    assert ("sum", "concat") in edges_by_name(cell)
    assert ("sum", "conv1x1") not in edges_by_name(cell)
    assert ("input_0", "conv1x1") in edges_by_name(cell)


def test_a_sum_of_one_live_input_is_that_input_even_where_it_is_joined():
    """The second summand of node 4 is a convolution of nothing."""
    ends = [(0, 2), (4, 6), (5, 6), (1, 5), (6, 7)]
    operators = ("input_0", "input_1", "conv3x3", "none", "sum", "conv1x1", "concat", "output")
    alone = built(*operators, edges=[*ends, (2, 4)])
    with_dead = built(*operators[:3], "none", "conv1x1", *operators[4:], edges=[
        (0, 2), (0, 3), (3, 4), (2, 5), (4, 5), (1, 6), (5, 7), (6, 7), (7, 8),
    ])  # fmt: skip
    assert one(with_dead).digest == one(alone).digest
    assert "sum" not in canonical(with_dead).operators


def test_joining_one_live_input_is_that_input():
    ends = [(0, 1), (1, 2), (2, 3), (3, 4)]
    plain = built("input", "conv3x3", "conv1x1", "output", edges=[(0, 1), (1, 2), (2, 3)])
    joined = built("input", "conv3x3", "concat", "conv1x1", "output", edges=ends)
    with_dead = built("input", "none", "conv3x3", "concat", "conv1x1", "output", edges=[
        (0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5),
    ])  # fmt: skip
    doubled = built("input", "conv3x3", "concat", "conv1x1", "output", edges=[(0, 1), (1, 2, 2), (2, 3), (3, 4)])
    assert one(plain).digest == one(joined).digest == one(with_dead).digest
    assert one(doubled).digest != one(plain).digest


def test_joining_one_sum_twice_is_joining_two_equal_sums():
    ends = [(0, 2), (1, 2), (2, 3), (3, 4), (4, 5)]
    skipped = built("input_0", "input_1", "sum", "skip_connect", "concat", "output", edges=[*ends, (2, 4)])
    doubled = built("input_0", "input_1", "sum", "concat", "output", edges=[(0, 2), (1, 2), (2, 3, 2), (3, 4)])
    equal = built(
        "input_0",
        "input_1",
        "sum",
        "sum",
        "concat",
        "output",
        edges=[(0, 2), (1, 2), (0, 3), (1, 3), (2, 4), (3, 4), (4, 5)],
    )
    assert len({one(cell).digest for cell in (skipped, doubled, equal)}) == 1
    assert edges_by_name(canonical(skipped))["sum", "concat"] == 2


def test_the_two_inputs_are_distinct():
    def on(first: int, second: int) -> CellGraph:
        return built(
            "input_0", "input_1", "conv3x3", "conv1x1", "output", edges=[(first, 2), (second, 3), (2, 4), (3, 4)]
        )

    assert one(on(0, 1)).digest != one(on(1, 0)).digest


def test_only_a_skip_from_an_input_of_a_reduction_cell_has_weights():
    """DARTS, Liu et al. 2019: such a skip has stride 2; one between inner nodes is the identity."""
    pairs = [("skip_connect", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 0)] * 2
    normal, reduce = (canonical(darts_cell("cell", pairs, reduction=reduction)) for reduction in (False, True))
    assert "factorized_reduce" not in normal.operators
    assert reduce.operators.count("factorized_reduce") == 2
    assert "skip_connect" not in (*normal.operators, *reduce.operators)


def test_the_order_of_a_nodes_two_inputs_has_no_meaning_in_darts():
    pairs = [("sep_conv_3x3", 0), ("dil_conv_5x5", 1), ("skip_connect", 2), ("avg_pool_3x3", 0)] * 2
    swapped = [pairs[index ^ 1] for index in range(8)]
    assert one(darts_cell("normal", pairs)).digest == one(darts_cell("normal", swapped)).digest


def test_cells_count_by_name_and_not_by_place():
    normal = darts_cell("normal", [("sep_conv_3x3", 0), ("sep_conv_3x3", 1)] * 4)
    other = darts_cell("reduce", [("max_pool_3x3", 0), ("sep_conv_5x5", 1)] * 4, reduction=True)
    graph = ArchitectureGraph("darts", (normal, other))
    assert graph.digest == ArchitectureGraph("darts", (other, normal)).digest
    exchanged = (darts_cell("normal", [("max_pool_3x3", 0), ("sep_conv_5x5", 1)] * 4), other)
    assert graph.digest != ArchitectureGraph("darts", exchanged).digest


def test_equal_poolings_of_one_state_are_one_and_of_two_states_two():
    twice = built("input", "conv3x3", "max_pool_3x3", "max_pool_3x3", "output", edges=[
        (0, 1), (1, 2), (1, 3), (2, 4), (3, 4),
    ])  # fmt: skip
    once = built("input", "conv3x3", "max_pool_3x3", "output", edges=[(0, 1), (1, 2), (2, 3, 2)])
    apart = built("input", "conv3x3", "max_pool_3x3", "max_pool_3x3", "output", edges=[
        (0, 1), (1, 2), (0, 3), (2, 4), (3, 4),
    ])  # fmt: skip
    assert one(twice).canonical == one(once).canonical
    assert canonical(apart).operators.count("max_pool_3x3") == 2


def test_what_equal_nodes_feed_is_merged_in_turn():
    """Two chains of pooling and pooling; a convolution ends the likeness, because it has weights of its own."""
    chains = [(0, 1), (0, 2), (1, 3), (2, 4)]
    pools = built(*("input", *["avg_pool_3x3"] * 4, "output"), edges=[*chains, (3, 5), (4, 5)])
    assert canonical(pools).operators == ("input", "avg_pool_3x3", "avg_pool_3x3", "output")
    assert canonical(pools).edges == ((0, 1, 1), (1, 2, 1), (2, 3, 2))
    convs = built(*("input", *["avg_pool_3x3"] * 2, *["conv1x1"] * 2, "output"), edges=[*chains, (3, 5), (4, 5)])
    assert sorted(canonical(convs).operators) == ["avg_pool_3x3", "conv1x1", "conv1x1", "input", "output"]


def test_copies_of_an_edge_are_part_of_what_is_equal():
    cell = built("input", "avg_pool_3x3", "avg_pool_3x3", "output", edges=[(0, 1), (0, 2, 2), (1, 3), (2, 3)])
    assert canonical(cell).operators.count("avg_pool_3x3") == 2


def test_a_pooling_of_stride_2_is_not_one_of_stride_1():
    """A reduction cell's input feeds one pooling directly and the other through an addition of nothing to it."""
    operators = ("input", "max_pool_3x3", "sum", "max_pool_3x3", "output")
    edges = [(0, 1), (0, 2), (2, 3), (1, 4), (3, 4)]
    assert canonical(built(*operators, edges=edges)).operators.count("max_pool_3x3") == 1
    assert canonical(built(*operators, edges=edges, reduction=True)).operators.count("max_pool_3x3") == 2


def test_skips_that_halve_the_resolution_have_weights_and_stay_two():
    pairs = [("skip_connect", 0), ("skip_connect", 0), *[("max_pool_3x3", 1)] * 6]
    reduce = canonical(darts_cell("reduce", pairs, reduction=True))
    assert reduce.operators.count("factorized_reduce") == 2
    assert reduce.operators.count("max_pool_3x3") == 1


OWN = VOCABULARY.extended(
    Operator(f"own_{kind}", kind, "Own", "Own", "Own")
    for kind in ("pool", "merge", "activation", "reshape", "other", "norm", "noise")
).extended(
    [
        Operator("learned", "activation", "Learned", "Learned", "Learned", has_weights=True),
        Operator("counts_as_pool", "mine", "Own", "Own", "Own", generic="max_pool"),
        Operator("pool_and_norm", "pool", "Own", "Own", "Own", size=Size(norm=True)),
    ]
)


@pytest.mark.parametrize(
    ("operator", "nodes"),
    [
        *[(f"own_{kind}", 1) for kind in ("pool", "merge", "activation", "reshape")],
        *[(f"own_{kind}", 2) for kind in ("other", "norm", "noise")],
        ("learned", 2),
        ("counts_as_pool", 1),
        ("pool_and_norm", 2),
    ],
)
def test_only_what_is_known_to_repeat_itself_is_merged(operator, nodes):
    """A family of a user's own may be random, a normalisation has weights."""
    edges = [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4)]
    cell = CellGraph.build("cell", ("input", "conv3x3", operator, operator, "output"), edges, vocabulary=OWN)
    assert ArchitectureGraph("own", (cell,), OWN).canonical.cells[0].operators.count(operator) == nodes


@pytest.mark.parametrize(
    ("operator", "sizes", "nodes"),
    [
        ("max_pool", ({"kernel": 3, "stride": 2}, {"kernel": 3, "stride": 2}), 1),
        ("max_pool", ({"kernel": 3}, {"kernel": 3, "stride": 1}), 1),  # which goes without saying
        ("max_pool", ({"kernel": 3}, {"kernel": 5}), 2),
        ("max_pool", ({"kernel": 3}, {}), 2),
        ("max_pool", ({"kernel": 3, "params": 9}, {"kernel": 3, "params": 9}), 2),
        ("activation", ({"activation": "gelu"}, {"activation": "gelu"}), 1),
        ("activation", ({"activation": "prelu"}, {"activation": "prelu"}), 2),
        ("conv", ({"kernel": 3}, {"kernel": 3}), 2),
    ],
)
def test_equal_sizes_are_part_of_what_is_equal(operator, sizes, nodes):
    given = [None, None, *(Size.of(size) for size in sizes), None]
    names = ("input", "conv3x3", operator, operator, "output")
    own = VOCABULARY.extended(GENERIC)
    cell = CellGraph.build("cell", names, [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4)], sizes=given, vocabulary=own)
    assert ArchitectureGraph("own", (cell,), own).canonical.cells[0].operators.count(operator) == nodes


def test_a_merge_that_may_tell_its_operands_apart_is_not_merged():
    """a - b and b - a have one graph."""
    edges = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 4), (3, 4)]
    for operator, nodes in (("own_merge", 2), ("concat", 1)):
        cell = CellGraph.build("cell", ("input", "conv3x3", operator, operator, "output"), edges, vocabulary=OWN)
        assert ArchitectureGraph("own", (cell,), OWN).canonical.cells[0].operators.count(operator) == nodes


def test_nas_bench_101_and_traced_networks_keep_equal_operators_apart():
    """There an edge or a setting that the graph leaves out may part them."""
    operators = ("input", "conv3x3", "maxpool3x3", "maxpool3x3", "output")
    edges = [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4)]
    cell = CellGraph.build("cell", operators, edges)
    traced = CellGraph.build("network_0123456789ab", operators, edges)
    forms = [ArchitectureGraph(space, (one_cell,)).canonical.cells[0] for space, one_cell in (
        ("own", cell), ("nb101", cell), ("own", traced),
    )]  # fmt: skip
    assert [form.operators.count("maxpool3x3") for form in forms] == [1, 2, 2]


def test_an_own_identity_is_contracted_and_an_own_zero_deleted():
    own = VOCABULARY.extended(
        [Operator("drop_path", "skip", "Drop", "Drop", "Drop"), Operator("cut", "none", "Cut", "Cut", "Cut")]
    )
    edges = [(0, 1), (1, 3), (0, 2), (2, 3), (0, 3)]
    cell = CellGraph.build("cell", ("input", "drop_path", "cut", "output"), edges, vocabulary=own)
    assert ArchitectureGraph("own", (cell,), own).canonical.cells[0].edges == ((0, 1, 2),)


@given(cells())
def test_the_canonical_form_is_its_own_canonical_form(cell):
    graph = one(cell).canonical
    assert graph.canonical == graph
    assert graph.digest == graph.digest_as_is()


@given(cells(), st.data())
def test_a_skip_put_into_an_edge_changes_nothing(cell, data):
    if not cell.edges:
        return
    source, target, count = data.draw(st.sampled_from(cell.edges))
    edges = [edge for edge in cell.edges if edge[:2] != (source, target)]
    new = cell.node_count
    copies = data.draw(st.integers(1, count))
    edges += [(source, new, copies), (new, target, 1)] + ([(source, target, count - copies)] if copies < count else [])
    if cell.operators[target] == "concat" and copies > 1:
        return  # joining x + x is not joining x twice
    assert one(CellGraph.build("cell", (*cell.operators, "skip_connect"), edges)).digest == one(cell).digest


@given(cells(), st.data())
def test_a_dead_branch_changes_nothing(cell, data):
    new = cell.node_count
    source = data.draw(st.integers(0, new - 2))
    target = data.draw(st.integers(source + 1, new - 1))
    cut = CellGraph.build(
        "cell", (*cell.operators, "none", "conv3x3"), [*cell.edges, (source, new), (new, new + 1), (new + 1, target)]
    )
    blind = CellGraph.build("cell", (*cell.operators, "conv3x3"), [*cell.edges, (source, new)])
    unfed = CellGraph.build("cell", (*cell.operators, "conv3x3"), [*cell.edges, (new, target)])
    assert len({one(graph).digest for graph in (cell, cut, blind, unfed)}) == 1


@given(cells(operators=("conv3x3", "conv1x1"), most=7))
def test_the_canonical_form_without_skips_is_the_part_between_input_and_output(cell):
    graph = networkx.DiGraph(one(cell).to_networkx())
    first, last = ("cell", 0), ("cell", cell.node_count - 1)
    between = (networkx.descendants(graph, first) & networkx.ancestors(graph, last)) | {first, last}
    expected = sorted(graph.nodes[node]["operator"] for node in between)
    live = canonical(cell)
    assert sorted(live.operators) == expected
    assert len(live.edges) == len(graph.subgraph(between).edges)
