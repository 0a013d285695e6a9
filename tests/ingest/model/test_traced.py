"""What a traced graph is as an architecture: its digest covers all that the operators' names leave out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from torch import nn

from catalog.architecture.computation import primitives
from catalog.architecture.computation.graph import ComputationGraph, GraphBuilder
from catalog.architecture.graph import CellGraph
from catalog.architecture.operators import VOCABULARY
from ingest.model.attributes import node_attributes
from ingest.model.torch_tracing import trace_module
from ingest.reading.batch import ATTRIBUTE_SCHEMA
from tests.ingest.model.networks import Residual


def chain(*layers: nn.Module) -> ComputationGraph:
    return trace_module(nn.Sequential(*layers), (1, 3, 8, 8))


def joined(word: str, *order: int) -> ComputationGraph:
    """relu and sigmoid of the input, joined in the given order."""
    builder = GraphBuilder()
    start = builder.input("x", (1, 4))
    branches = [builder.add(primitives.plain(name), [start], name, (1, 4)) for name in ("relu", "sigmoid")]
    joint = builder.add(primitives.plain(word), [branches[place] for place in order], "joint", (1, 4))
    return builder.finish([joint], primitives.plain("gather_outputs"))


def test_the_graph_is_that_of_the_nodes_and_its_attributes_stand_beside_it() -> None:
    traced = trace_module(Residual(), (1, 3, 32, 32))
    graph = traced.graph("mine")
    (cell,) = graph.cells
    assert cell.operators == tuple(node.primitive.operator.name for node in traced.nodes)
    assert (3, 6, 1) in cell.edges
    assert graph.is_connected
    table = node_attributes(traced)
    assert table.schema == ATTRIBUTE_SCHEMA
    assert set(table["cell"].to_pylist()) == {cell.name}
    assert table["position"].to_pylist() == list(range(cell.node_count))
    row = table.to_pylist()[7]
    assert (row["name"], row["shape"], row["kernel"], row["stride"]) == ("down", [1, 32, 16, 18], [3, 1], [2, 2])
    assert (row["groups"], row["parameters"]) == (2, 32 * 8 * 3 + 32)


def test_equal_networks_share_their_digests() -> None:
    first, second = trace_module(Residual(), (1, 3, 32, 32)), trace_module(Residual(), (1, 3, 32, 32))
    assert first.digest == second.digest
    assert first.graph("mine").digest == second.graph("mine").digest


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 8, 3, padding=1),  # more channels
        nn.Conv2d(3, 4, 3, padding=1, stride=2),
        nn.Conv2d(3, 4, 3),
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
    ],
)
def test_networks_that_differ_beyond_their_operators_are_no_twins(layer: nn.Module) -> None:
    """A convolution of 4 channels is not one of 8, though both nodes are called conv3x3."""
    usual, other = chain(nn.Conv2d(3, 4, 3, padding=1)), chain(layer)
    assert usual.graph("mine").cells[0].operators == other.graph("mine").cells[0].operators
    assert usual.graph("mine").digest != other.graph("mine").digest


def test_dropout_and_identities_do_not_change_the_function() -> None:
    plain, padded = chain(nn.ReLU(), nn.Tanh()), chain(nn.Identity(), nn.ReLU(), nn.Dropout(0.3), nn.Tanh())
    assert plain.graph("mine").digest == padded.graph("mine").digest
    assert plain.graph("mine").cells[0].operators != padded.graph("mine").cells[0].operators


def test_the_order_of_operands_counts_where_it_matters() -> None:
    assert joined("subtract", 0, 1).digest != joined("subtract", 1, 0).digest
    assert joined("concat", 0, 1).digest != joined("concat", 1, 0).digest
    assert joined("add", 0, 1).digest == joined("add", 1, 0).digest
    assert joined("add", 0, 1).digest != joined("add", 0, 0).digest
    assert joined("add", 0, 1).digest != joined("multiply", 0, 1).digest


def test_operators_that_are_built_in_are_described_anew_only_in_words() -> None:
    (described,) = (operator for operator in chain(nn.Conv2d(3, 4, 3)).operators if operator.name == "conv3x3")
    usual = VOCABULARY["conv3x3"]
    assert replace(described, medium=usual.medium, long=usual.long) == usual
    assert "atch" not in described.long  # no batch normalization
    assert not chain(nn.MaxPool2d(3)).operators


def test_a_word_of_the_catalog_keeps_its_meaning() -> None:
    """The built-in operator ``sum`` is an identity that contraction removes; a function of that name is not."""
    assert "reduce_sum" in joined("reduce_sum", 0, 1).operator_counts()
    assert primitives.plain("none").operator.name == "function_none"
    assert not primitives.plain("none").operator.is_zero


def test_the_cell_is_named_after_what_its_operators_leave_out() -> None:
    traced = joined("add", 0, 1)
    cell = traced.cell()
    assert isinstance(cell, CellGraph)
    assert cell.name == f"network_{traced.digest[:12]}"


def test_repr_says_how_large_it_is() -> None:
    assert repr(chain(nn.Conv2d(3, 4, 1, bias=False))) == (
        "ComputationGraph(3 nodes, 12 parameters, 768 multiply-accumulates)"
    )


def test_settings_that_are_too_long_to_keep_count_whole() -> None:
    def of(settings: str) -> str:
        builder = GraphBuilder()
        start = builder.input("x", (1, 4))
        node = builder.add(primitives.plain("clip"), [start], "clip", (1, 4), settings=settings)
        return builder.finish([node], primitives.plain("gather_outputs")).digest

    assert of("1" * 5000) != of("1" * 4999 + "2")
