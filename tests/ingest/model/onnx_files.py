"""Small ONNX files of any nodes, and what is read of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import FunctionProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from catalog.architecture.computation.graph import ComputationGraph
from ingest.model.onnx_reading import read_onnx
from tests.ingest.model.onnx_models import written

FLOAT, BYTE = TensorProto.FLOAT, TensorProto.UINT8
MICROSOFT = "com.microsoft"
node = helper.make_node


def numbers(name: str, *shape: int, dtype: type = np.float32) -> TensorProto:
    """Weights that are no fill."""
    values = np.random.default_rng(0).integers(1, 100, shape) if shape else np.array(3)
    return numpy_helper.from_array(values.astype(dtype), name)


def constant(name: str, *shape: int, dtype: type = np.float32) -> NodeProto:
    return node("Constant", [], [name], value=numbers(name, *shape, dtype=dtype))


def tensor(name: str, shape: Sequence[int | str | None] | None, kind: int = FLOAT) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def model(
    nodes: Sequence[NodeProto],
    weights: Sequence[TensorProto] = (),
    shape: Sequence[int | str | None] = (1, 3, 8, 8),
    *,
    kind: int = FLOAT,
    given: Sequence[int | str | None] | None = None,
    notes: Sequence[ValueInfoProto] = (),
    functions: Sequence[FunctionProto] = (),
    opset: int = 17,
) -> ModelProto:
    graph = helper.make_graph(
        list(nodes), "g", [tensor("x", shape, kind)], [tensor("y", given)], list(weights), value_info=list(notes)
    )
    domains = {one.domain for one in nodes} | {function.domain for function in functions}
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains if domain)]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions))


def read(path: Path, content: ModelProto, *shapes: tuple[int, ...]) -> ComputationGraph:
    return read_onnx(written(path / "net.onnx", content), list(shapes) or None)


def names(traced: ComputationGraph) -> list[str]:
    return [one.primitive.operator.name for one in traced.nodes[1:-1]]


def facts(traced: ComputationGraph) -> tuple[list[str], int, int | None]:
    return names(traced), traced.parameters, traced.multiply_accumulates
