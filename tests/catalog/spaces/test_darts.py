"""The DARTS space: identifiers, graphs, and the laws of its canonical form."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.architecture.canonical_form import canonical_graphs
from catalog.errors import IdentifierError, UsageError
from catalog.spaces import genotype as genotypes
from catalog.spaces.darts import DARTS, genotype_of
from catalog.spaces.genotype import ALL_STATES, ALLOWED, OPERATORS, Genotype

DARTS_V2 = (  # Liu et al. 2019, the cell of the second-order search
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)


@pytest.fixture
def space() -> DARTS:
    return DARTS()


def pairs(operators: tuple[str, ...] = ALLOWED) -> st.SearchStrategy[list[tuple[str, int]]]:
    nodes = [st.tuples(st.sampled_from(operators), st.integers(0, node - 1)) for node in ALL_STATES for _ in range(2)]
    return st.tuples(*nodes).map(list)


CONCATS = st.sets(st.sampled_from(ALL_STATES), min_size=1).map(list)
FIELDS = st.fixed_dictionaries(
    {"normal": pairs(), "normal_concat": CONCATS, "reduce": pairs(), "reduce_concat": CONCATS}
)


def cell(normal: list[tuple[str, int]], concat: tuple[int, ...] = (5,), reduce: bool = False) -> dict[str, object]:
    """A genotype whose interest lies in one cell; the other is plain."""
    plain = [("sep_conv_3x3", 0), ("sep_conv_3x3", 1)] * 4
    first, second = (plain, normal) if reduce else (normal, plain)
    concats = (ALL_STATES, concat) if reduce else (concat, ALL_STATES)
    return {"normal": first, "normal_concat": concats[0], "reduce": second, "reduce_concat": concats[1]}


def digest(space: DARTS, identifier: object) -> str:
    return space.graph(identifier).digest


@given(FIELDS)
def test_text_and_graph_give_the_genotype_back(fields: dict[str, object]) -> None:
    space = DARTS()
    genotype = genotypes.parse(fields)
    assert genotypes.parse(str(genotype)) == genotype
    assert genotype_of(space.graph(genotype)) == genotype
    assert space.locate(fields) == space.native_id(space.graph(str(genotype))) == str(genotype)


@given(FIELDS, st.lists(st.booleans(), min_size=8, max_size=8))
def test_the_order_of_a_nodes_inputs_has_no_meaning(
    fields: dict[str, list[tuple[str, int]]], swaps: list[bool]
) -> None:
    swapped = {name: list(value) for name, value in fields.items()}
    for place, swap in enumerate(swaps):
        row = swapped["normal" if place < 4 else "reduce"]
        first = 2 * (place % 4)
        if swap:
            row[first : first + 2] = row[first + 1], row[first]
    swapped["normal_concat"] = swapped["normal_concat"][::-1]
    assert DARTS().locate(swapped) == DARTS().locate(fields)


def test_every_form_of_one_architecture_is_one_native_id(space: DARTS) -> None:
    genotype = genotypes.parse(DARTS_V2)
    nested = SimpleNamespace(
        normal=[[genotype.normal[2 * i], genotype.normal[2 * i + 1]] for i in range(4)],
        normal_concat=range(2, 6),
        reduce=[[genotype.reduce[2 * i], genotype.reduce[2 * i + 1]] for i in range(4)],
        reduce_concat=range(2, 6),
    )
    forms = [
        genotype,
        nested,
        "GENOTYPE=" + DARTS_V2.replace("[2, 3, 4, 5]", "range(2, 6)"),
        DARTS_V2.replace("[2, 3, 4, 5]", "list(range(2, 6))"),
        json.dumps(vars(genotype)),
        genotypes.compact(genotype),
        str(genotypes.compact(genotype)),
        genotypes.config_space(genotype),
    ]
    assert {space.locate(form) for form in forms} == {space.locate(DARTS_V2)}


def test_config_space_of_the_official_sample(data_dir: Path, space: DARTS) -> None:
    record = json.loads((data_dir / "formats/nb301_samples/results_0.json").read_text())
    genotype = genotypes.parse(record["optimized_hyperparamater_config"])
    # inputs_node_normal_4 = "0_2" with edge_normal_5 = skip_connect... edge 5 enters node 4 from 0, edge 7 from 2
    assert genotype.normal[4:6] == (("dil_conv_3x3", 0), ("dil_conv_5x5", 2))
    assert genotype.reduce[6:] == (("sep_conv_3x3", 2), ("dil_conv_3x3", 3))


def test_all_trained_genotypes_are_distinct_and_round_trip(data_dir: Path, space: DARTS) -> None:
    with (data_dir / "darts/darts_214_trained_cifar10.csv").open() as lines:
        texts = [row["genotype"] for row in csv.DictReader(lines)]
    native = [space.locate(text) for text in texts]
    assert len(set(native)) == 214
    assert [space.native_id(space.graph(text)) for text in native] == native


def test_compact_keys_of_the_surrogate_file_round_trip(data_dir: Path, space: DARTS) -> None:
    path = data_dir / "nb301/zc_nasbench301@6639fd15.json"
    keys = list(json.loads(path.read_text())["cifar10"])
    for key in keys[:100]:
        genotype = genotypes.parse(key)
        assert genotypes.parse(genotypes.compact(genotype)) == genotype


def test_addition_and_concatenation_are_told_apart(space: DARTS) -> None:
    """Node 5 adds nodes 2 and 3; concatenating nodes 2 and 3 instead is another function."""
    two = [("sep_conv_3x3", 0), ("sep_conv_3x3", 1)]
    adds = cell(two + two + two + [("skip_connect", 2), ("skip_connect", 3)], concat=(5,))
    joins = cell(two + two + two + [("skip_connect", 2), ("skip_connect", 3)], concat=(2, 3))
    assert digest(space, adds) != digest(space, joins)


def test_the_two_inputs_are_distinct(space: DARTS) -> None:
    rest = [("none", 0), ("none", 1)] * 3
    one = cell([*rest, ("sep_conv_3x3", 0), ("dil_conv_3x3", 1)])
    other = cell([*rest, ("sep_conv_3x3", 1), ("dil_conv_3x3", 0)])
    assert digest(space, one) != digest(space, other)


def test_none_edges_and_unused_nodes_change_no_function(space: DARTS) -> None:
    used = [("sep_conv_3x3", 0), ("dil_conv_3x3", 1)]
    first = cell([*used, *[("none", 0), ("none", 1)] * 3], concat=(2,))
    second = cell([*used, *[("sep_conv_5x5", 0), ("max_pool_3x3", 1)] * 3], concat=(2,))
    assert digest(space, first) == digest(space, second)


def test_a_skip_from_a_cell_input_has_weights_in_a_reduction_cell_only(space: DARTS) -> None:
    rest = [("none", 0), ("none", 1)] * 3
    skip = [("skip_connect", 0), ("sep_conv_3x3", 1), *rest]
    normal = space.graph(cell(skip, concat=(2,))).canonical.cells[0]
    reduce = space.graph(cell(skip, concat=(2,), reduce=True)).canonical.cells[1]
    assert "factorized_reduce" in reduce.operators
    assert "factorized_reduce" not in normal.operators
    assert "skip_connect" not in normal.operators


def test_a_skip_from_a_node_is_contracted_in_a_reduction_cell(space: DARTS) -> None:
    """Node 3 takes node 2 twice by skips: the sum doubles node 2."""
    pairs_ = [("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("skip_connect", 2), ("skip_connect", 2), *[("none", 0)] * 4]
    reduce = space.graph(cell(pairs_, concat=(3,), reduce=True)).canonical.cells[1]
    assert "skip_connect" not in reduce.operators
    assert 2 in {multiplicity for _, _, multiplicity in reduce.edges}


def test_sample_is_reproducible_and_valid(space: DARTS) -> None:
    graphs = space.sample(200, seed=3)
    assert [space.native_id(graph) for graph in graphs] == [
        space.native_id(graph) for graph in space.sample(200, seed=3)
    ]
    assert space.sample(200, seed=4) != graphs
    for graph in graphs:
        genotype = genotype_of(graph)
        for row in (genotype.normal, genotype.reduce):
            assert {operator for operator, _ in row} <= set(OPERATORS)
            assert all(row[place][1] != row[place + 1][1] for place in range(0, 8, 2))


def test_sample_is_uniform_over_predecessors_and_operators(space: DARTS) -> None:
    """Node 5 has 10 pairs of predecessors; 3,000 draws put 300 +- 5 standard deviations (82) on each."""
    drawn = [genotype_of(graph).normal[6:] for graph in space.sample(3000, seed=0)]
    counts = dict.fromkeys({(one[1], two[1]) for one, two in drawn}, 0)
    for one, two in drawn:
        counts[one[1], two[1]] += 1
    assert len(counts) == 10
    assert max(abs(count - 300) for count in counts.values()) < 82


def test_neighbours_are_one_edit_away_and_mutual(space: DARTS) -> None:
    graph = space.sample(1, seed=7)[0]
    own = space.native_id(graph)
    around = space.neighbours(graph)
    names = [space.native_id(neighbour) for neighbour in around]
    # 16 inputs x 6 other operators, and (0 + 1 + 2 + 3) other predecessors x 2 inputs x 2 cells
    assert len(names) == len(set(names)) == 16 * 6 + 24
    assert own not in names
    for neighbour in around[::10]:
        assert own in {space.native_id(back) for back in space.neighbours(neighbour)}


def test_the_space_is_not_enumerated(space: DARTS) -> None:
    with pytest.raises(UsageError, match="catalog spaces draw darts"):
        space.enumerate()
    assert repr(space) == "DARTS('darts', not enumerable)"


def test_a_canonical_graph_has_no_native_id(space: DARTS) -> None:
    with pytest.raises(IdentifierError, match="native form"):
        space.native_id(canonical_graphs([space.graph(DARTS_V2)])[0])


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("hello", "names no DARTS architecture"),
        (17, "names no DARTS architecture"),
        ("__import__('os').system('true')", "names no DARTS architecture"),
        (DARTS_V2.replace("max_pool_3x3", "max_pool_7x7"), "max_pool_7x7"),
        (DARTS_V2.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 5)"), "allowed are 0 to 4"),
        (DARTS_V2.replace("('sep_conv_3x3', 0), ", "", 1), "7 .operator, predecessor. pairs"),
        (DARTS_V2.replace("normal_concat", "normal_concatenation"), "four fields"),
        (DARTS_V2.replace("[2, 3, 4, 5]", "[2, 2]"), "at most once"),
        (DARTS_V2.replace("[2, 3, 4, 5]", "range(2, 9999999)"), "names no DARTS"),
        (DARTS_V2.replace("[2, 3, 4, 5]", "[]"), "allowed are the nodes"),
        ("Genotype(" + "(" * 3000, "names no DARTS"),
        ("[" * 5000, "too long"),
        ({"edge_normal_0": "skip_connect"}, "no key edge_normal_1"),
        ([[(0, 9)] * 8, [(0, 1)] * 8], "operator number 9"),
    ],
)
def test_what_is_wrong_is_named(space: DARTS, identifier: object, words: str) -> None:
    with pytest.raises(IdentifierError, match=words):
        space.locate(identifier)


@given(st.text(alphabet="Genotype(normal=[('skip_connect', 0)]{}\"-:range2, \\x", max_size=200))
def test_any_text_is_a_genotype_or_an_identifier_error(text: str) -> None:
    try:
        result = genotypes.parse(text)
    except IdentifierError:
        return
    assert isinstance(result, Genotype)
