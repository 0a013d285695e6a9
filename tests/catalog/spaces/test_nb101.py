"""NAS-Bench-101: every native id names the same module, and every wrong one says why."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.size_tables import SIZED_SCORES
from catalog.errors import IdentifierError
from catalog.spaces import nb101_identifiers
from catalog.spaces.nb101 import NASBench101
from catalog.spaces.nb101_identifiers import format_compact, format_spec, model_spec
from tests.catalog.spaces.nb101_specs import INCEPTION, INTERIOR, Spec, modules, raw_specs, relabelled

SPACE = NASBench101()

# The first hash in ascending order, with its parameters, as the benchmark publishes them.
FIRST_HASH = "00005c142e6f48ac74fdcf73e3439874"
FIRST = "0100110001000000010010000010000001000000010000000:02001"


def graph_of(cell: CellGraph) -> ArchitectureGraph:
    return ArchitectureGraph("nb101", (cell,))


@given(modules())
def test_every_native_id_names_the_same_module(cell: CellGraph) -> None:
    matrix, operators = model_spec(cell)
    graph = graph_of(cell)
    own = SPACE.native_id(graph)
    for identifier in (
        (matrix, operators),
        [np.array(matrix), operators],
        (np.array(matrix, dtype=bool), tuple(cell.operators)),
        (matrix, ",".join(operators)),
        {"matrix": matrix, "ops": operators},
        SimpleNamespace(matrix=np.array(matrix), ops=operators),
        SimpleNamespace(matrix=None, ops=None, original_matrix=np.array(matrix), original_ops=operators),
        format_spec(cell),
        f"  api.{format_spec(cell)}\n",
        f"ModelSpec(np.array({matrix}, dtype=int), {operators}, data_format='channels_last')",
        str((matrix, operators)),
        json.dumps([matrix, operators]),
        json.dumps({"module_adjacency": matrix, "module_operations": operators}),
        format_compact(cell),
        graph,
    ):
        assert SPACE.graph(identifier) == graph
        assert SPACE.locate(identifier) == own


@given(raw_specs())
def test_specifications_are_pruned_like_the_benchmarks(spec: Spec) -> None:
    """What is left: exactly the vertices on a path from input to output, in their order."""
    matrix, operators = np.array(spec[0]), spec[1]
    powers = [np.linalg.matrix_power(matrix, length) for length in range(len(matrix))]
    reach = sum(powers) > 0
    kept = np.flatnonzero(reach[0] & reach[:, -1])
    expected = matrix[np.ix_(kept, kept)]
    if not reach[0, -1]:
        with pytest.raises(IdentifierError, match="no path from input to output"):
            SPACE.graph(spec)
    elif expected.sum() > 9:
        with pytest.raises(IdentifierError, match=f"{expected.sum()} edges .* at most 7 vertices and 9 edges"):
            SPACE.graph(spec)
    else:
        assert model_spec(SPACE.graph(spec).cells[0]) == (expected.tolist(), [operators[v] for v in kept])


@given(st.data())
def test_relabelled_modules_are_one_architecture(data: st.DataObject) -> None:
    cell = data.draw(modules())
    one, other = graph_of(cell), graph_of(data.draw(relabelled(cell)))
    assert SPACE.native_id(one) == SPACE.native_id(other)
    assert one.digest == other.digest
    assert SPACE.first_form(one) == SPACE.first_form(other)
    scores = SPACE.structural_scores([one, other], canonical_graphs([one, other]))
    assert all(values[0] == values[1] for values in scores.values())


@given(modules())
def test_both_forms_hold_the_same_nodes_and_edges(cell: CellGraph) -> None:
    """The space stores one form because nothing can be contracted or dropped."""
    canonical = graph_of(cell).canonical
    assert sorted(canonical.cells[0].operators) == sorted(cell.operators)
    assert len(canonical.cells[0].edges) == len(cell.edges)
    assert SPACE.native_id(canonical) == SPACE.native_id(graph_of(cell))


def test_the_first_hash_and_its_parameters_are_the_published_ones() -> None:
    assert SPACE.locate(FIRST) == FIRST_HASH
    graph = SPACE.graph(FIRST)
    assert SPACE.structural_scores([graph], [graph.canonical])["params"].tolist() == [8_555_530]


def test_the_readmes_constants_are_understood() -> None:
    matrix, operators = INCEPTION
    constants = {
        INTERIOR[0]: "CONV3X3",
        INTERIOR[1]: "CONV1X1",
        INTERIOR[2]: "MAXPOOL3X3",
        "input": "INPUT",
        "output": "OUTPUT",
    }
    names = ", ".join(constants[operator] for operator in operators)
    assert SPACE.graph(f"api.ModelSpec(matrix={matrix}, ops=[{names}])") == SPACE.graph(INCEPTION)


@pytest.mark.parametrize(
    ("identifier", "located"),
    [
        (FIRST_HASH, FIRST_HASH),
        (f" {FIRST_HASH.upper()} ", FIRST_HASH),
        ("0" * 32, "0" * 32),
        (0, 0),
        (np.int64(423_623), 423_623),
        ("423623", 423_623),
    ],
)
def test_hashes_and_indices_are_looked_up(identifier: object, located: str | int) -> None:
    assert SPACE.locate(identifier) == located
    with pytest.raises(IdentifierError, match=r"does not determine .*: catalog show nb101 "):
        SPACE.graph(identifier)


PATH = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
OPERATORS = ["input", "maxpool3x3", "output"]


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        (423_624, "no module with index 423624; .* are 0 to 423623"),
        (-1, "no module with index -1"),
        ("999999999", "no module with index 999999999"),
        (True, "True names no NAS-Bench-101 module; give a module hash of 32 hexadecimal digits"),
        (None, "None names no"),
        ("", "names no"),
        (FIRST_HASH[:-1], "names no"),
        ("x" * 20_000, r"xxx\.\.\. names no"),
        ("__import__('os').getcwd()", "names no"),
        (f"ModelSpec(matrix={PATH})", "names no"),
        (f"Spec(matrix={PATH}, ops={OPERATORS})", "names no"),
        ("ModelSpec(matrix=open('x'), ops=[])", "names no"),
        ("[" * 5000, "names no"),
        ("-" * 9000 + "1", "names no"),
        ('{"matrix": [[0', "names no"),
        ("{[]: 1}", "names no"),
        ("'a'", "names no"),
        ((PATH, OPERATORS, 3), "names no"),
        (("010", OPERATORS), "'010' is no square adjacency matrix"),
        (([[0, 1], [0]], OPERATORS), "no square adjacency matrix; give N rows of N entries 0 or 1, N from 2 to 7"),
        (([[0, "1"], [0, 0]], OPERATORS), "no square adjacency matrix"),
        (([[0]], ["input"]), "no square adjacency matrix"),
        (([[0, 2, 0], [0, 0, 1], [0, 0, 0]], OPERATORS), r"matrix\[0\]\[1\] is 2; entries are 0 or 1"),
        (([[0, float("nan")], [0, 0]], ["input", "output"]), r"matrix\[0\]\[1\] is nan; entries"),
        (([[0, 1, 0], [0, 0, 1], [1, 0, 0]], OPERATORS), r"matrix\[2\]\[0\] is 1, but .* upper triangular: order the"),
        ((PATH, OPERATORS[:2]), r"ops\[1\] is 'maxpool3x3'; the first operator is 'input', the last is 'output'"),
        ((PATH, ["input", "output"]), "has 3 vertices, but there are 2 operators"),
        ((PATH, ["input", "conv5x5", "output"]), r"ops\[1\] is 'conv5x5'; allowed are 'input', 'conv3x3-bn-relu'"),
        ((PATH, [-1, 3, -2]), r"ops\[1\] is 3; allowed are .* labels -1 \(input\), 0, 1, 2"),
        ((PATH, ["input", "input", "output"]), r"ops\[1\] is 'input'; the first"),
        ((PATH, None), "ops is None; give one operator a vertex"),
        ((PATH, np.array(3)), "ops is 3; give one operator a vertex"),
        (([[0, 0, 0], [0, 0, 1], [0, 0, 0]], OPERATORS), "no path from input to output"),
        ("000000000:0", "no path from input to output"),
        ("01000:0", "'01000' is no square adjacency matrix"),
        (
            (np.eye(8, k=1), ["input", *["conv3x3"] * 6, "output"]),
            "8 vertices and 7 edges on paths .* at most 7 vertices and 9 edges",
        ),
    ],
)
def test_what_names_no_module_is_refused_with_the_reason(identifier: object, message: str) -> None:
    for use in (SPACE.locate, SPACE.graph):
        with pytest.raises(IdentifierError, match=message):
            use(identifier)


@example("0\x1f")  # what strip() takes for a blank and int() does not
@given(st.text(alphabet="ModelSpc(matrix=[0,1],os') :{}\"-_", max_size=80) | st.text(max_size=40))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        located = SPACE.locate(text)
    except IdentifierError as error:
        assert str(error)
    else:
        assert isinstance(located, str | int)


def test_the_first_form_decides_the_parameters() -> None:
    """128 channels over three vertices: the wide one is the first, so the vertex order changes the count."""
    matrix = [[0, 1, 1, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0] * 5]
    narrow, wide = (matrix, [-1, 2, 2, 0, -2]), (matrix, [-1, 0, 2, 2, -2])
    graphs = [SPACE.graph(spec) for spec in (narrow, wide)]
    as_given = [SPACE.first_form(graph) == graph for graph in graphs]
    assert as_given == [False, True]
    params = SPACE.structural_scores(graphs, graphs)["params"]
    assert params[0] == params[1]


def test_structural_scores_of_arrays_equal_those_of_graphs() -> None:
    graphs = SPACE.sample(60, seed=3)
    scores = SPACE.structural_scores(graphs, canonical_graphs(graphs))
    for row, graph in enumerate(graphs):
        cells = CellArrays.of(graph.cells)  # a vocabulary in the order in which the operators occur
        found = SPACE.structural_scores_of_cells(cells)
        assert {name: values[row] for name, values in scores.items()} == {
            name: values[0] for name, values in found.items()
        }
    assert set(scores) == set(SIZED_SCORES)
    assert np.array_equal(scores["live_params"], scores["params"])


def test_a_sample_is_reproducible_uniform_and_in_first_form() -> None:
    graphs = SPACE.sample(2000, seed=11)
    assert SPACE.sample(2000, seed=11) == graphs
    assert SPACE.sample(3, seed=12) != graphs[:3]
    assert SPACE.sample(0, seed=1) == []
    seven = sum(graph.cells[0].node_count == 7 for graph in graphs) / len(graphs)
    assert seven == pytest.approx(359_082 / 423_624, abs=0.03)  # four standard deviations
    assert all(SPACE.first_form(graph) == graph for graph in graphs[:50])


def test_formats_are_the_benchmarks() -> None:
    cell = nb101_identifiers.parse("010001000:1")
    assert format_spec(cell) == (
        "ModelSpec(matrix=[[0, 1, 0], [0, 0, 1], [0, 0, 0]], ops=['input', 'conv1x1-bn-relu', 'output'])"
    )
    assert format_compact(cell) == "010001000:1"
    assert repr(SPACE) == "NASBench101('nb101', 423,624 architectures)"
