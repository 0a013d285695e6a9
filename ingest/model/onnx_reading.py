"""ONNX files into traced graphs: read as data, nothing of them is run, and no other file is opened."""

from __future__ import annotations

import hashlib
import math
from collections import ChainMap
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.architecture.computation import primitives
from catalog.architecture.computation.graph import ComputationGraph, GraphBuilder
from catalog.architecture.computation.primitives import Shape
from catalog.errors import IngestError
from ingest.model.onnx_file import SIZE_LIMIT, checked, constant_of, inlined, inputs_of, parsed, set_shapes, subgraphs
from ingest.model.onnx_forms import (
    CONSTANTS,
    STANDARD,
    Form,
    Value,
    constant_value,
    constants_taken,
    form_of,
    weights_taken,
)
from ingest.model.onnx_operators import Described, attribute_value
from ingest.model.onnx_shapes import inferred_shapes
from ingest.model.operands import are_compared

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto

_INSIDE = -1  # the place of what is computed inside a subgraph
_FEW = 2**16  # elements of a constant that are looked at
_SHOWN = 16  # elements of a constant that settings show
_WHOLE = (6, 7, 9)  # 32-bit and 64-bit whole numbers and truth values: sizes and choices, no weights


def read_onnx(
    path: Path, input_shapes: Sequence[Shape] | None = None, *, size_limit: int = SIZE_LIMIT
) -> ComputationGraph:
    """The computation graph of an ONNX file.

    A symbolic first axis, the batch, counts as 1; another symbolic axis leaves the shapes that depend on it unknown,
    and with them the cost, unless `input_shapes` sets it. ONNX does not say what is trained: every floating-point
    initializer of at least one axis that an operator takes as a weight counts, running statistics do not. What a
    convolution, a product or a recurrent layer takes as its weight is one whatever its type, and also where it stands
    in the graph as a Constant node; what another operator takes from a Constant node is a number in a formula.

    The file's own functions are looked into. What a branch or a loop runs is not known in advance: it is one operator
    with the weights of all its branches and an unknown cost.

    Parameters
    ----------
    path
        The file; weights that lie in other files are not read, their shapes are in this one.
    input_shapes
        Shapes of the inputs in their order, batch first; by default those of the file.
    size_limit
        Bytes that the file may have.

    Raises
    ------
    IngestError
        The file is no ONNX model, breaks the format's rules, is too large, or does not take these inputs.
    MissingExtraError
        The package onnx is not installed.
    """
    model = inlined(parsed(path, size_limit))
    inputs = inputs_of(model.graph)
    if input_shapes is not None:
        set_shapes(path, inputs, input_shapes)
    reader = _GraphReader(path)
    reader.take_weights(model.graph, {})  # whose sizes are to be possible ones before anybody works with them
    reader.shapes.update(inferred_shapes(path, model, inputs, given=input_shapes is not None))
    reader.take_weights(model.graph, reader.values)
    return reader.read(model.graph, [item.name for item in inputs])


class _GraphReader:
    """Turns the nodes of an ONNX graph into those of a traced graph."""

    def __init__(self, path: Path) -> None:
        self.shapes: dict[str, Shape | None] = {}
        self.values: dict[str, Value] = {}
        self._path = path
        self._builder = GraphBuilder()
        self._apart = False

    def take_weights(self, graph: GraphProto, values: MutableMapping[str, Value]) -> None:
        """The initializers of a graph, and the tensors of its Constant nodes, whose sizes are checked."""
        for tensor in graph.initializer:
            values[tensor.name] = stored = self._stored(tensor.name, tensor)
            self._apart = self._apart or bool(stored.weights)
        for sparse in graph.sparse_initializer:
            whole = self._stored(sparse.values.name, sparse.values)  # the elements that are stored
            values[sparse.values.name] = Value(tuple(sparse.dims), weights=whole.weights, stored=whole.stored)
        for node in graph.node:
            held = constant_of(node)
            if held is not None and node.output:
                checked(self._path, node.output[0], held)

    def _stored(self, name: str, tensor: TensorProto, *, literal: bool = False) -> Value:
        from onnx import TensorProto as Types

        checked(self._path, name, tensor)
        floats = (Types.FLOAT, Types.FLOAT16, Types.BFLOAT16, Types.DOUBLE)
        numbers: dict[object, int] = {name: math.prod(tensor.dims)} if tensor.dims else {}
        return Value(
            tuple(tensor.dims),
            weights=numbers if tensor.data_type in floats else {},
            stored={} if tensor.data_type in (Types.STRING, Types.BOOL) else numbers,
            literal=literal,
            filled=literal and _is_filled(tensor),
            said=_numbers(tensor) if literal or not tensor.dims or tensor.data_type in _WHOLE else None,
        )

    def _constant(self, node: NodeProto) -> Value | None:
        """What a Constant node holds; None for another node."""
        if node.op_type != "Constant" or node.domain not in STANDARD or not node.output:
            return None
        name, tensor = node.output[0], constant_of(node)
        if tensor is not None:
            return self._stored(name, tensor, literal=True)
        for item in node.attribute:
            if item.name == "sparse_value":
                whole = self._stored(name, item.sparse_tensor.values)  # the elements that are stored
                return Value(tuple(item.sparse_tensor.dims), weights=whole.weights, stored=whole.stored, literal=True)
            if item.name in ("value_floats", "value_ints"):
                numbers: dict[object, int] = {name: len(item.floats) or len(item.ints)}
                floats = numbers if item.name == "value_floats" else {}
                said = f"[{', '.join(map(str, attribute_value(item)))}]"
                return Value((numbers[name],), weights=floats, stored=numbers, literal=True, said=said)
            if item.name in ("value_float", "value_int", "value_string"):
                return Value((), said=str(attribute_value(item)))
        return Value(())

    def read(self, graph: GraphProto, inputs: Sequence[str]) -> ComputationGraph:
        """The traced graph."""
        for name in inputs:
            shape = self.shapes.get(name)
            self.values[name] = Value(shape, self._builder.input(name, shape))
        for number, node in enumerate(graph.node, 1):
            self._compute(f"operator {number} ({node.op_type[:60]})", node)
        results = [self.values.get(item.name) for item in graph.output]
        places = dict.fromkeys(result.node for result in results if result and result.node is not None)
        return self._builder.finish(list(places), primitives.plain("gather_outputs"))

    def _compute(self, where: str, node: NodeProto) -> None:
        operands = self._operands(where, node, self.values)
        form = form_of(node)
        outputs = [name for name in node.output if name]
        shapes = [self.shapes.get(name) for name in outputs]
        given = shapes[0] if shapes else None
        captured, inner = self._inside(where, node, self.values)
        places = _places(form, operands, captured)
        value = self._constant(node)
        if value is None and (not places or (form is not None and form.kind in CONSTANTS)):
            value = constant_value(form, operands, given)
        if value is None:
            taken = operands if form is None else form.taken(operands)
            weights = {**weights_taken(form, taken, apart=self._apart), **self._bias(form, taken), **inner}
            settings = ", ".join(filter(None, [_settings(node), constants_taken(form, taken)]))
            compared = not weights and are_compared([value for value in taken if value is not None])
            primitive = Described(f"{self._path.name}: {where}", node, form, taken, given).primitive()
            name = node.name or (outputs[0] if outputs else node.op_type)
            place = self._builder.add(
                primitive, places, name, given, weights=weights, settings=settings, is_compared=compared
            )
            value = Value(given, place)
        for name, shape in zip(outputs, shapes, strict=True):
            self.values[name] = replace(value, shape=shape)

    def _operands(self, where: str, node: NodeProto, values: Mapping[str, Value]) -> list[Value | None]:
        missing = next((name for name in node.input if name and name not in values), None)
        if missing is not None:
            raise IngestError(
                f"{self._path.name}: {where} takes {missing!r:.100}, which nothing before it gives; nothing was stored."
            )
        return [values[name] if name else None for name in node.input]

    def _bias(self, form: Form | None, taken: Sequence[Value | None]) -> dict[object, int]:
        """The Constant node that is added to a linear map: its bias, because ONNX has none for a map of many axes."""
        if form is None or form.kind != "Add" or len(taken) != 2:
            return {}
        for bias, other in (taken, taken[::-1]):
            if bias is None or other is None or other.node is None or not bias.literal or len(bias.shape or ()) != 1:
                continue
            mapped = self._builder.nodes[other.node]
            fits = mapped.shape is None or mapped.shape[-1:] == bias.shape
            if mapped.primitive.operator.name == "linear" and fits:
                return dict(bias.weights)
        return {}

    def _inside(self, where: str, node: NodeProto, values: Mapping[str, Value]) -> tuple[list[int], dict[object, int]]:
        """What the subgraphs of a node take from outside: the places of data, and the weights of all that they hold."""
        captured: dict[int, None] = {}
        weights: dict[object, int] = {}
        for _, graph in subgraphs(node):
            scope: ChainMap[str, Value] = ChainMap({}, dict(values))
            self.take_weights(graph, scope)
            for item in graph.input:
                scope[item.name] = Value(None, _INSIDE)
            for inner in graph.node:
                operands = self._operands(where, inner, scope)
                form = form_of(inner)
                deeper, deeper_weights = self._inside(where, inner, scope)
                places = _places(form, operands, deeper)
                captured.update(dict.fromkeys(places))
                weights.update(deeper_weights)
                value = self._constant(inner)
                if value is None and not places:
                    value = constant_value(form, operands, None)
                elif value is None:
                    taken = operands if form is None else form.taken(operands)
                    weights.update(weights_taken(form, taken, apart=self._apart))
                    value = Value(None, _INSIDE)
                scope.update(dict.fromkeys(inner.output, value))
            for item in graph.output:
                result = scope.get(item.name)
                if result is not None and result.node is not None:
                    captured[result.node] = None
                elif result is not None:
                    weights.update(result.weights)
        captured.pop(_INSIDE, None)
        return list(captured), weights


def _places(form: Form | None, operands: Sequence[Value | None], captured: Sequence[int]) -> list[int]:
    """Nodes that a node takes: first what its plain form takes, then each other once, such as a computed scale."""
    taken = operands if form is None else form.taken(operands)
    places = [operand.node for operand in taken if operand is not None and operand.node is not None]
    others = [operand.node for operand in operands if operand is not None and operand.node is not None]
    return [*places, *(place for place in dict.fromkeys([*others, *captured]) if place not in places)]


def _is_filled(tensor: TensorProto) -> bool:
    """Whether a small tensor of the file holds one number again and again."""
    from onnx import numpy_helper

    if tensor.data_location == tensor.EXTERNAL or math.prod(tensor.dims) > _FEW:
        return False
    try:
        elements = numpy_helper.to_array(tensor).ravel()
    except (ValueError, TypeError, RuntimeError):
        return False
    return bool(elements.size and (elements == elements[0]).all())


def _numbers(tensor: TensorProto) -> str | None:
    """The numbers of a small tensor of the file as text: a few as they are, many by a digest."""
    from onnx import numpy_helper

    if tensor.data_location == tensor.EXTERNAL or math.prod(tensor.dims) > _FEW:
        return None
    try:
        elements = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, RuntimeError):
        return None
    text = str(elements.tolist())
    return text if elements.size <= _SHOWN else f"{[*elements.shape]} {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _settings(node: NodeProto) -> str:
    """The attributes as text, without tensors; of a subgraph its operators' digest."""
    words = [] if node.domain in STANDARD else [f"domain={node.domain}"]
    for item in sorted(node.attribute, key=lambda attribute: attribute.name):
        value = attribute_value(item)
        if value is not None:
            words.append(f"{item.name}={value}")
    words += [f"{name}={_graph_digest(graph)}" for name, graph in subgraphs(node)]
    return ", ".join(words)


def _graph_digest(graph: GraphProto) -> str:
    """Twelve digits of what a subgraph's operators and their settings are, whatever its values are called."""
    number = {name: place for place, name in enumerate(dict.fromkeys(item.name for item in graph.input))}
    lines = []
    for node in graph.node:
        taken = [number.get(name, "outside") if name else "" for name in node.input]
        lines.append(f"{node.domain} {node.op_type} {taken} {_settings(node)}")
        for name in node.output:
            number[name] = len(number)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
