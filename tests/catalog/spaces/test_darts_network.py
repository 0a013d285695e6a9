"""DARTS's parameters and multiply-accumulates: what the real network has, and what papers print."""

from __future__ import annotations

import torch

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.graph import ArchitectureGraph
from catalog.spaces.darts import DARTS
from catalog.spaces.darts_network import network_costs
from predictor.networks import Network, build

DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), "
    "('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)
FEWER_JOINED = DARTS_V2.replace("normal_concat=[2, 3, 4, 5]", "normal_concat=[4, 5]").replace(
    "('max_pool_3x3', 1), ('skip_connect', 2)", "('skip_connect', 1), ('none', 2)"
)


def graphs() -> list[ArchitectureGraph]:
    space = DARTS()
    return [space.graph(DARTS_V2), space.graph(FEWER_JOINED), *space.sample(4, seed=1)]


def test_the_published_cell_has_the_published_size() -> None:
    params, flops, _, _ = network_costs(graphs()[:1], graphs()[:1])
    assert params.tolist() == [3_349_342]  # without the auxiliary head; papers print 3.3 M
    assert 500e6 < flops[0] < 560e6  # papers print 528 M


def test_counts_are_those_of_the_real_network() -> None:
    native = graphs()
    params, flops, _, _ = network_costs(native, native)
    for graph, parameters, accumulates in zip(native, params.tolist(), flops.tolist(), strict=True):
        network = build(graph).eval()
        assert parameters == sum(parameter.numel() for parameter in network.parameters())
        assert accumulates == _multiply_accumulates(network)


def _multiply_accumulates(network: Network) -> int:
    """Counted by hooks on every convolution and linear layer during one pass."""
    counted: list[int] = []

    def count(layer: torch.nn.Module, _: object, output: torch.Tensor) -> None:
        places = output[0, 0].numel() if output.dim() == 4 else 1
        counted.append(layer.weight.numel() * places)

    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(1, 3, 32, 32))
    return sum(counted)


def test_live_counts_leave_dead_operators_out() -> None:
    native = graphs()
    canonical = canonical_graphs(native)
    whole, live = network_costs(native, native)[0], network_costs(canonical, native)[0]
    assert live[0] == whole[0]  # every operator of the published cell is alive
    assert live[1] < whole[1]  # nodes 2 and 3 feed the output only by way of others, or not at all
