"""Computation graphs as arrays: assembled of blocks they are those of the nodes, and fusing keeps the totals."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from catalog.architecture.computation import primitives
from catalog.architecture.computation.arrays import NONE, ComputationBatch, batch_of_graphs, batch_of_plans
from catalog.architecture.computation.fusing import fused
from catalog.architecture.computation.graph import ComputationGraph, GraphBuilder
from catalog.architecture.computation.plan import NetworkPlan
from catalog.spaces import SPACES, space_named

TRANSFORMERS = ("autoformer", "decoder_lm", "flexibert")


def plans(space: str, count: int = 12) -> list[NetworkPlan | None]:
    known = space_named(space)
    return [known.network_plan(graph) for graph in known.sample(count, seed=2)]


def chain(*words: str) -> ComputationGraph:
    """Operators in a row; ``conv`` is a convolution, ``twice`` a sum of what precedes with itself."""
    builder = GraphBuilder()
    shape = (1, 4, 8, 8)
    last = builder.input("x", shape)
    for word in words:
        convolved = primitives.convolution((3, 3), (1, 1), (1, 1), 1, 4, 4, shape, shape)
        primitive = convolved if word == "conv" else primitives.plain("add" if word == "twice" else word)
        weights = {object(): {"conv": 144, "batchnorm": 8}.get(word, 0)}
        last = builder.add(primitive, [last, last] if word == "twice" else [last], word, shape, weights=weights)
    return builder.finish([last], primitives.plain("gather_outputs"))


def told(batch: ComputationBatch) -> list[str]:
    """Each node's word, between the activation before it and the normalisation and activation after it."""
    nodes = batch.nodes
    columns = zip(nodes.activation_before, nodes.word, nodes.norm, nodes.activation, strict=True)
    return [" ".join(batch.words[code] for code in codes if code != NONE) for codes in columns]


@pytest.mark.parametrize("space", SPACES)
def test_arrays_of_blocks_are_those_of_the_nodes(space: str) -> None:
    found = [plan for plan in plans(space) if plan is not None]
    assembled, made = batch_of_plans(found), batch_of_graphs([plan.graph() for plan in found])
    assert [assembled.words[code] for code in assembled.nodes.word] == [made.words[code] for code in made.nodes.word]
    for name in ("first_node", "first_edge", "source", "target", "operand"):
        np.testing.assert_array_equal(getattr(assembled, name), getattr(made, name), name)
    for field in fields(assembled.nodes)[1:]:
        np.testing.assert_array_equal(getattr(assembled.nodes, field.name), getattr(made.nodes, field.name), field.name)
    parameters, costs = assembled.totals()
    assert parameters.tolist() == [plan.parameters for plan in found]
    assert costs.tolist() == [plan.multiply_accumulates for plan in found]


@pytest.mark.parametrize("space", SPACES)
def test_a_graph_of_a_batch_is_a_batch_of_its_own(space: str) -> None:
    found = plans(space, 6)
    whole = batch_of_plans(found)
    for place, plan in enumerate(found):
        alone, taken = batch_of_plans([plan]), whole.taken(place)
        assert told(alone) == told(taken)
        np.testing.assert_array_equal(alone.source, taken.source)
        np.testing.assert_array_equal(alone.nodes.shape, taken.nodes.shape)


@pytest.mark.parametrize("space", SPACES)
def test_fusing_keeps_totals_and_order(space: str) -> None:
    batch = batch_of_plans(plans(space))
    short = fused(batch)
    share = 0.9 if space in TRANSFORMERS else 0.65  # they have few activations and no BatchNorm to fuse
    assert len(short.nodes.word) < share * len(batch.nodes.word)
    for before, after in zip(batch.totals(), short.totals(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert (short.source < short.target).all()
    assert (short.graph_of_node[short.source] == short.graph_of_node[short.target]).all()
    for place in range(len(batch)):
        np.testing.assert_array_equal(fused(batch.taken(place)).source, short.taken(place).source)


def test_an_architecture_that_computes_nothing_has_no_nodes() -> None:
    space = space_named("nb201")
    dead = space.graph("|none~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_3x3~1|none~2|")
    assert space.network_plan(dead) is None
    batch = batch_of_plans([None, space.network_plan(space.graph(6111)), None])
    assert batch.first_node[1] == 0
    assert batch.totals()[0].tolist()[::2] == [0, 0]
    assert len(fused(batch).taken(2).nodes.word) == 0
    assert len(fused(batch_of_plans([None]))) == len(fused(batch_of_graphs([]))) + 1 == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["conv", "batchnorm", "relu", "conv"], ["conv batchnorm relu", "conv"]),
        (["conv", "relu", "relu"], ["conv relu", "relu"]),
        (["conv", "relu", "batchnorm"], ["conv relu", "batchnorm"]),
        (["twice", "relu", "conv"], ["add", "relu conv"]),
        (["twice", "relu", "softmax"], ["add relu", "softmax"]),
        (["relu", "twice"], ["relu", "add"]),
        (["dropout", "conv", "identity", "reshape", "tanh"], ["conv tanh"]),
        (["identity"], []),
        (["twice", "relu", "twice"], ["add relu", "add"]),
    ],
)
def test_what_becomes_a_column(words: list[str], expected: list[str]) -> None:
    batch = fused(batch_of_graphs([chain(*words)]))
    assert told(batch) == ["input", *expected, "output"]
    assert batch.totals()[0].tolist() == [chain(*words).parameters]


def test_a_chain_of_sums_is_one_sum_of_all_operands() -> None:
    builder = GraphBuilder()
    shape = (1, 4)
    start = builder.input("x", shape)
    parts = [builder.add(primitives.plain(word), [start], word, shape) for word in ("exp", "cumsum", "abs")]
    inner = builder.add(primitives.plain("add"), parts[:2], "inner", shape)
    outer = builder.add(primitives.plain("add"), [inner, parts[2]], "outer", shape)
    batch = fused(batch_of_graphs([builder.finish([outer], primitives.plain("gather_outputs"))]))
    assert told(batch) == ["input", "exp", "cumsum", "abs", "add", "output"]
    assert batch.source[batch.target == 4].tolist() == [1, 2, 3]
    assert batch.operand[batch.target == 4].tolist() == [0, 1, 2]


def test_windows_stand_in_columns_of_their_own() -> None:
    builder = GraphBuilder()
    shape = (1, 4, 8, 8)
    start = builder.input("x", shape)
    dilated = primitives.convolution((3, 3), (2, 2), (2, 2), 4, 4, 4, shape, (1, 4, 4, 4))
    unknown = builder.add(primitives.plain("einsum"), [start], "e", None)
    end = builder.add(dilated, [unknown], "c", (1, 4, 4, 4), weights={"w": 36}, repeats=2)
    batch = batch_of_graphs([builder.finish([end], primitives.plain("gather_outputs"))])
    nodes = batch.nodes
    assert [batch.words[code] for code in nodes.word] == ["input", "einsum", "depthwise_conv", "output"]
    assert nodes.kernel[2].tolist() == [3, 3, 0]
    assert nodes.stride[2].tolist() == [2, 2, 0]
    assert (nodes.dilation[2], nodes.groups[2], nodes.repeats[2]) == (2, 4, 2)
    assert nodes.shape[1].tolist() == [NONE] * 4
    assert np.isnan(nodes.multiply_accumulates[1])
    assert np.isnan(batch.totals()[1]).tolist() == [True]
