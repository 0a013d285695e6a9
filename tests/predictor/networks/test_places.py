"""Where layers stand: roles, stages, cells and native nodes, in each kind of network."""

from __future__ import annotations

from collections import Counter

from torch import nn

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY
from catalog.architecture.sizes import NetworkInput, Size
from catalog.spaces import space_named
from predictor.networks import NetworkConfig, build, live_form
from predictor.networks.places import ROLES, Place, places

NB201 = "|skip_connect~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|nor_conv_3x3~0|none~1|avg_pool_3x3~2|"
PAIRS = [("sep_conv_3x3", 0), ("skip_connect", 1), ("sep_conv_5x5", 0), ("dil_conv_3x3", 2)]
PAIRS += [("max_pool_3x3", 1), ("sep_conv_3x3", 2), ("skip_connect", 0), ("dil_conv_5x5", 4)]
DARTS = f"Genotype(normal={PAIRS}, normal_concat=[2, 3, 4, 5], reduce={PAIRS}, reduce_concat=[2, 3, 4, 5])"


def weighted_places(graph: ArchitectureGraph, config: NetworkConfig) -> dict[str, Place]:
    network = build(live_form(graph), config)
    found = places(network, graph)
    assert {name for name, module in network.named_modules() if not list(module.children())} <= found.keys()
    assert {place.role for place in found.values()} <= set(ROLES)
    kinds = nn.Conv2d | nn.Linear
    return {name: found[name] for name, module in network.named_modules() if isinstance(module, kinds)}


def test_a_nas_bench_201_cell_names_its_edges() -> None:
    """Node 1 + e is edge e of the benchmark; contraction and the canonical order change nothing in that."""
    graph = space_named("nb201").graph(NB201)
    found = weighted_places(graph, NetworkConfig(channels=4, cells=2))
    of_cells = Counter(
        (place.stage, place.repetition, place.node, place.operator)
        for place in found.values()
        if place.role == "operator"
    )
    edges = ((2, "nor_conv_1x1"), (3, "nor_conv_3x3"), (4, "nor_conv_3x3"))
    assert of_cells == Counter(
        (stage, repetition, node, operator) for stage in range(3) for repetition in range(2) for node, operator in edges
    )
    assert Counter(place.role for place in found.values()) == {
        "stem": 1, "operator": 18, "reduction": 6, "classifier": 1,
    }  # fmt: skip
    assert found["body.2.shortcut.1"] == Place("reduction", 1)


def test_what_is_left_of_a_node_has_its_kernel() -> None:
    """Checked on the modules themselves, for cells that contraction puts in another order."""
    space = space_named("nb201")
    for graph in space.sample(20, seed=3):
        if graph.is_connected:
            network = build(live_form(graph), NetworkConfig(channels=2, cells=1))
            found = places(network, graph)
            for name, module in network.named_modules():
                if isinstance(module, nn.Conv2d) and found[name].role == "operator":
                    place = found[name]
                    assert place.node is not None
                    assert place.operator == graph.cells[0].operators[place.node]
                    assert place.operator == f"nor_conv_{module.kernel_size[0]}x{module.kernel_size[0]}"


def test_a_darts_cell_has_preprocessing_and_two_kinds_of_cells() -> None:
    graph = space_named("darts").graph(DARTS)
    found = weighted_places(graph, NetworkConfig(channels=4, cells=3))
    roles = Counter((place.role, place.cell, place.stage) for place in found.values())
    assert {key[1] for key in roles if key[0] == "preprocessing"} == {cell.name for cell in graph.cells}
    for place in found.values():
        if place.role == "operator":
            (cell,) = (cell for cell in graph.cells if cell.name == place.cell)
            assert place.node is not None
            assert place.operator == cell.operators[place.node]
            assert place.operator not in ("max_pool_3x3", "none")
    strided_skips = [place for place in found.values() if place.operator == "skip_connect"]
    assert {place.cell for place in strided_skips} == {"reduce"}  # where a skip has weights


def test_a_nas_bench_101_module_tells_projections_from_operators() -> None:
    space = space_named("nb101")
    graph = space.graph(([[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["input", "conv3x3-bn-relu", "output"]))
    found = weighted_places(graph, NetworkConfig(channels=8, cells=1))
    in_module = [place for place in found.values() if place.stage == 1]
    name = graph.cells[0].name
    assert in_module == [
        Place("projection", 1, 0, name, 1),
        Place("projection", 1, 0, name, 2),
        Place("operator", 1, 0, name, 1, "conv3x3"),
    ]


def test_a_transnas_cell_is_a_block_of_its_own() -> None:
    graph = space_named("transnas_micro").graph("64-41414-1_02_313")
    found = weighted_places(graph, NetworkConfig(channels=4, cells=1))
    cells = {cell.name: cell.operators for cell in graph.cells}
    assert {place.role for place in found.values()} == {"stem", "operator", "classifier"}
    for place in found.values():
        if place.role == "operator":
            assert place.cell is not None
            assert place.node is not None
            assert place.operator == cells[place.cell][place.node]
    assert {place.stage for place in found.values()} > {0, 1}


def test_cells_of_a_users_own_stand_in_stages() -> None:
    cell = CellGraph.build("mine", ["input", "nor_conv_3x3", "output"], [(0, 1), (1, 2)])
    found = weighted_places(ArchitectureGraph("own", (cell,)), NetworkConfig(channels=4, cells=1))
    nodes = [place for place in found.values() if place.role == "operator"]
    assert nodes == [Place("operator", stage, 0, "mine", 1, "nor_conv_3x3") for stage in range(3)]


def test_a_whole_network_has_nodes_and_repetitions_but_no_stages() -> None:
    names = ["input", "skip_connect", "conv", "conv", "output"]
    sizes = [None, None, Size(kernel=3, channels=4), Size(kernel=3, channels=3), None]
    edges = [(0, 1), (1, 2), (2, 3), (3, 4)]
    cell = CellGraph.build("body", names, edges, vocabulary=SIZED_VOCABULARY, sizes=sizes, repeats=2)
    graph = ArchitectureGraph("mine", (cell,), SIZED_VOCABULARY, NetworkInput(shape=(3, 8, 8)), classes=10)
    found = weighted_places(graph, NetworkConfig(channels=4, cells=1))
    *layers, last = found.values()
    assert layers == [Place("operator", None, copy, "body", node, "conv") for copy in range(2) for node in (2, 3)]
    assert last == Place("classifier")
