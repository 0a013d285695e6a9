"""The shapes in an ONNX graph, as ONNX's own inference finds them from the inputs and from nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.architecture.computation.primitives import Shape
from catalog.errors import IngestError
from ingest.model.onnx_file import MOST_ELEMENTS, constant_of, subgraphs, take_branches
from ingest.model.onnx_folding import SMALL, conditions, fold
from ingest.model.onnx_forms import shaped_alike

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

_ROUNDS = 16  # of working out constants and shapes in turn


def inferred_shapes(path: Path, model: ModelProto, inputs: Sequence[Any], *, given: bool) -> dict[str, Shape | None]:
    """Shapes of all tensors; None where one does not follow from those of the inputs.

    What a file notes of the tensors inside it was true for the inputs that its exporter saw. It is believed only where
    inference finds nothing, and only if the inputs are that file's own and all their sizes are known.

    Parameters
    ----------
    model
        Branches whose condition follows from the shapes are put in the place of the question.
    inputs
        The model's inputs; a batch of unknown size is 1.
    given
        Whether a caller gave their shapes.

    Raises
    ------
    IngestError
        The graph does not take inputs of these shapes.
    """
    fixed = [_sizes_known(item) for item in inputs]
    notes = {item.name: item for item in (*model.graph.value_info, *model.graph.output)}
    names = {item.name for item in inputs}
    if given:
        _inferred(path, _bare_copy(model, names), strict=True)
    for _ in range(_ROUNDS):
        copy = _bare_copy(model, names)
        for node in copy.graph.node:
            _say_plainly(node)
        outputs = [name for node in model.graph.node for name in node.output if name]
        found = _worked_out(path, copy, outputs)
        if not take_branches(model.graph, conditions(copy)):
            break
    if given or not all(fixed):
        return found
    noted = {name: shape for name in outputs if name in notes and (shape := _shape(notes[name]))}
    believed = [name for name in noted if found.get(name) is None]
    if believed:
        last = {item.name: item for item in copy.graph.output}
        for name in believed:
            target = last[name] if name in last else copy.graph.value_info.add()
            target.CopyFrom(notes[name])
        found = _worked_out(path, copy, outputs)
        found.update({name: noted[name] for name in believed if found.get(name) is None})
    return found


def _bare_copy(model: ModelProto, inputs: set[str]) -> ModelProto:
    """A copy without large weights and without notes of shapes."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    for item in graph.input:
        dimensions = item.type.tensor_type.shape.dim
        for place, size in enumerate(dimensions):
            if item.name in inputs and size.dim_value < 1:
                size.ClearField("dim_value")  # some exporters write 0 or -1 for what they do not know
                if place == 0:
                    size.dim_value = 1
    listed = {item.name for item in graph.input}
    large = [tensor for tensor in graph.initializer if math.prod(tensor.dims) > SMALL]
    for tensor in large:
        if tensor.name not in listed:
            _as_input(graph, tensor.name, tensor)
        graph.initializer.remove(tensor)
    for sparse in graph.sparse_initializer:
        whole = onnx.TensorProto(data_type=sparse.values.data_type, dims=sparse.dims)
        _as_input(graph, sparse.values.name, whole)
    del graph.sparse_initializer[:]
    for node in [*graph.node]:
        constant = constant_of(node)
        if constant is not None and math.prod(constant.dims) > SMALL and node.output:
            _as_input(graph, node.output[0], constant)
            graph.node.remove(node)
    for item in graph.output:
        item.ClearField("type")
    _forget(graph)
    missing = _domains(graph) - {item.domain for item in copy.opset_import}
    copy.opset_import.extend(onnx.helper.make_opsetid(domain, 1) for domain in sorted(missing))
    return copy


def _as_input(graph: GraphProto, name: str, tensor: Any) -> None:
    import onnx

    graph.input.append(onnx.helper.make_tensor_value_info(name, tensor.data_type, list(tensor.dims)))


def _domains(graph: GraphProto) -> set[str]:
    """Where the operators come from; inference wants each to be named."""
    found = {node.domain for node in graph.node} - {"", "ai.onnx"}
    return found.union(*(_domains(inner) for node in graph.node for _, inner in subgraphs(node)))


def _forget(graph: GraphProto) -> None:
    del graph.value_info[:]
    for node in graph.node:
        for _, inner in subgraphs(node):
            _forget(inner)


def _say_plainly(node: Any) -> None:
    from onnx import helper

    plain = shaped_alike(node, helper.make_node)
    if plain is not None:
        node.CopyFrom(plain)


def _worked_out(path: Path, model: ModelProto, wanted: Sequence[str]) -> dict[str, Shape | None]:
    """Shapes and the constants that decide them, in turn until nothing more is found."""
    found = _inferred(path, model)
    for _ in range(_ROUNDS):
        if all(found.get(name) is not None for name in wanted) or not fold(model, found):
            break
        found = _inferred(path, model)
    return found


def _inferred(path: Path, model: ModelProto, *, strict: bool = False) -> dict[str, Shape | None]:
    from onnx import shape_inference

    try:
        inferred = shape_inference.infer_shapes(model, data_prop=True, strict_mode=strict).graph
    except (shape_inference.InferenceError, RuntimeError, ValueError, TypeError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise IngestError(
            f"{path.name}: the shapes contradict each other: {reason[0][:300]}; nothing was stored."
        ) from None
    return {item.name: _shape(item) for item in (*inferred.input, *inferred.value_info, *inferred.output)}


def _shape(item: Any) -> Shape | None:
    tensor = item.type.tensor_type
    if not item.type.HasField("tensor_type") or not tensor.HasField("shape"):
        return None
    sizes = tuple(size.dim_value if size.HasField("dim_value") else -1 for size in tensor.shape.dim)
    return sizes if all(size >= 0 for size in sizes) and math.prod(sizes) <= MOST_ELEMENTS else None


def _sizes_known(item: Any) -> bool:
    shape = _shape(item)
    return shape is not None and all(size > 0 for size in shape)
