"""ONNX files into traced graphs: read as data, nothing of them is run, and no other file is opened."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import IngestError, MissingExtraError
from ingest.model import primitives
from ingest.model.operands import Operand
from ingest.model.primitives import Primitive, Shape
from ingest.model.traced import GraphBuilder, TracedGraph
from ingest.model.words import word_of

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

SIZE_LIMIT = 2**31
"""Bytes of a file; protobuf itself reads no larger message."""

_MOST_ELEMENTS = 2**48  # of one tensor
_MOST_SIZE = 2**31 - 1  # of a kernel, a stride, a number of groups
_SMALL = 2**10  # elements of a constant that may decide a shape, such as the target of Reshape

_CONSTANTS = ("Constant", "Shape", "Size", "ConstantOfShape", "Range")
"""Operators that give sizes and constants rather than data."""

_WITHOUT_WEIGHTS = ("Resize", "Upsample", "Clip", "Pad", "Dropout", "Slice")
"""Operators whose constant inputs are settings."""

_POOLS = {"MaxPool": "max", "AveragePool": "avg", "LpPool": "lp"}


def read_onnx(path: Path, input_shapes: Sequence[Shape] | None = None, *, size_limit: int = SIZE_LIMIT) -> TracedGraph:
    """The computation graph of an ONNX file.

    A symbolic first axis, the batch, counts as 1; another symbolic axis leaves the shapes that depend on it unknown,
    and with them the cost, unless `input_shapes` sets it. ONNX does not say what is trained: every floating-point
    initializer of at least one axis that an operator takes as a weight counts, running statistics do not.

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
        The file is no ONNX model, breaks the format's rules, or is too large.
    MissingExtraError
        The package onnx is not installed.
    """
    model = _parsed(path, size_limit)
    inputs = _inputs(model.graph)
    if input_shapes is not None:
        _set_shapes(path, inputs, input_shapes)
    weights = dict(_initializers(path, model.graph))
    shapes = _inferred_shapes(path, model, inputs)
    return _GraphReader(path.name, shapes, weights).read(model.graph, [item.name for item in inputs])


def _parsed(path: Path, size_limit: int) -> ModelProto:
    try:
        import onnx
    except ImportError:
        raise MissingExtraError(
            "reading ONNX files needs the package onnx; install it with `pip install 'nas-catalog[onnx]'`."
        ) from None
    from google.protobuf.message import DecodeError

    try:
        size = path.stat().st_size
        if size > size_limit:
            raise IngestError(
                f"{path.name} has {size:,} bytes, more than the limit of {size_limit:,}; nothing was stored. If the "
                "file is what it should be, raise the size limit."
            )
        content = path.read_bytes()
    except OSError as error:
        raise IngestError(f"{path.name}: cannot be read ({error.strerror}); check the path.") from None
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError:
        raise IngestError(f"{path.name} is no ONNX file: it is no protobuf message of a model.") from None
    if not model.graph.node:
        raise IngestError(f"{path.name} is no ONNX model, or an empty one: it has no operators.")
    return model


def _inputs(graph: GraphProto) -> list[Any]:
    """The inputs that a caller gives: older files list the weights among them."""
    weights = {tensor.name for tensor in graph.initializer}
    return [item for item in graph.input if item.name not in weights]


def _set_shapes(path: Path, inputs: Sequence[Any], shapes: Sequence[Shape]) -> None:
    if len(inputs) != len(shapes):
        names = ", ".join(item.name for item in inputs)
        raise IngestError(f"{path.name} has {len(inputs)} inputs ({names[:200]}), but {len(shapes)} shapes were given.")
    for item, shape in zip(inputs, shapes, strict=True):
        tensor = item.type.tensor_type
        del tensor.shape.dim[:]
        for size in shape:
            tensor.shape.dim.add().dim_value = size


def _initializers(path: Path, graph: GraphProto) -> Iterator[tuple[str, TensorProto]]:
    for tensor in graph.initializer:
        if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > _MOST_ELEMENTS:
            raise IngestError(f"{path.name}: the weight {tensor.name!r:.100} has the shape {list(tensor.dims)[:10]}.")
        yield tensor.name, tensor


def _inferred_shapes(path: Path, model: ModelProto, inputs: Sequence[Any]) -> dict[str, Shape | None]:
    """Shapes of all tensors, as ONNX's own inference finds them in a copy without weights."""
    import onnx
    from onnx import shape_inference

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    wanted = {item.name for item in inputs}
    for item in copy.graph.input:
        dimensions = item.type.tensor_type.shape.dim
        if item.name in wanted and dimensions and not dimensions[0].HasField("dim_value"):
            dimensions[0].dim_value = 1
    listed = {item.name for item in copy.graph.input}
    large = [tensor for tensor in copy.graph.initializer if math.prod(tensor.dims) > _SMALL]
    for tensor in large:
        if tensor.name not in listed:
            copy.graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            )
        copy.graph.initializer.remove(tensor)
    try:
        inferred = shape_inference.infer_shapes(copy, data_prop=True).graph
    except (shape_inference.InferenceError, RuntimeError, ValueError, TypeError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise IngestError(
            f"{path.name}: the shapes contradict each other: {reason[0][:300]}; nothing was stored."
        ) from None
    found = (*inferred.input, *inferred.value_info, *inferred.output)
    return {item.name: _shape(item) for item in found}


def _shape(item: Any) -> Shape | None:
    tensor = item.type.tensor_type
    if not item.type.HasField("tensor_type") or not tensor.HasField("shape"):
        return None
    sizes = tuple(size.dim_value if size.HasField("dim_value") else -1 for size in tensor.shape.dim)
    return sizes if all(size >= 0 for size in sizes) and math.prod(sizes) <= _MOST_ELEMENTS else None


class _GraphReader:
    """Turns the nodes of an ONNX graph into those of a traced graph."""

    def __init__(self, name: str, shapes: Mapping[str, Shape | None], weights: Mapping[str, TensorProto]) -> None:
        self._name = name
        self._shapes = shapes
        self._weights = weights
        self._builder = GraphBuilder()
        self._values: dict[str, Operand] = {
            key: Operand(tuple(tensor.dims), weights=_trainable(tensor)) for key, tensor in weights.items()
        }

    def read(self, graph: GraphProto, inputs: Sequence[str]) -> TracedGraph:
        """The traced graph."""
        for name in inputs:
            shape = self._shapes.get(name)
            self._values[name] = Operand(shape, self._builder.input(name, shape))
        for number, node in enumerate(graph.node, 1):
            self._compute(f"operator {number} ({node.op_type[:60]})", node)
        results = [self._values.get(item.name) for item in graph.output]
        places = dict.fromkeys(result.node for result in results if result and result.node is not None)
        return self._builder.finish(list(places), primitives.plain("gather_outputs"))

    def _compute(self, where: str, node: NodeProto) -> None:
        missing = next((name for name in node.input if name and name not in self._values), None)
        if missing is not None:
            raise IngestError(
                f"{self._name}: {where} takes {missing!r:.100}, which nothing before it gives; nothing was stored."
            )
        operands = [self._values[name] for name in node.input if name]
        places = [operand.node for operand in operands if operand.node is not None]
        weights = _weights_of(node, operands)
        outputs = [name for name in node.output if name]
        shapes = [self._shapes.get(name) for name in outputs]
        given = shapes[0] if shapes else None
        if not places or node.op_type in _CONSTANTS:
            value = Operand(given, weights=weights)
        else:
            primitive = _Described(f"{self._name}: {where}", node, operands, given).primitive()
            name = node.name or (outputs[0] if outputs else node.op_type)
            place = self._builder.add(primitive, places, name, given, weights=weights, settings=_settings(node))
            value = Operand(given, place)
        for name, shape in zip(outputs, shapes, strict=True):
            self._values[name] = Operand(shape, value.node, value.weights)


def _trainable(tensor: TensorProto) -> dict[object, int]:
    from onnx import TensorProto as Types

    kinds = (Types.FLOAT, Types.FLOAT16, Types.BFLOAT16, Types.DOUBLE)
    return {tensor.name: math.prod(tensor.dims)} if tensor.dims and tensor.data_type in kinds else {}


def _weights_of(node: NodeProto, operands: Sequence[Operand]) -> dict[object, int]:
    if node.op_type in _WITHOUT_WEIGHTS:
        return {}
    taken = operands[:3] if node.op_type == "BatchNormalization" else operands  # then follow the running statistics
    return {key: count for operand in taken for key, count in operand.weights.items()}


def _settings(node: NodeProto) -> str:
    """The attributes as text, without tensors and subgraphs."""
    words = []
    for item in sorted(node.attribute, key=lambda attribute: attribute.name):
        value = _value(item)
        if value is not None:
            words.append(f"{item.name}={value}")
    return ", ".join(words)


def _value(attribute: Any) -> Any:
    kinds: Mapping[int, Callable[[], Any]] = {
        attribute.INT: lambda: attribute.i,
        attribute.FLOAT: lambda: round(attribute.f, 9),
        attribute.STRING: lambda: attribute.s.decode("utf-8", "replace"),
        attribute.INTS: lambda: list(attribute.ints),
        attribute.FLOATS: lambda: [round(value, 9) for value in attribute.floats],
    }
    read = kinds.get(attribute.type)
    return None if read is None else read()


class _Described:
    """One operator, and the primitive that it is."""

    def __init__(self, where: str, node: NodeProto, operands: Sequence[Operand], given: Shape | None) -> None:
        self._where = where
        self._operands = operands
        self._given = given
        self._kind = node.op_type
        self._attributes = {item.name: _value(item) for item in node.attribute}

    def primitive(self) -> Primitive:
        """The primitive."""
        if self._kind in ("Conv", "ConvTranspose"):
            return self._convolution()
        if self._kind in _POOLS:
            kernel = self._sizes("kernel_shape", None)
            stride, dilation = self._sizes("strides", len(kernel)), self._sizes("dilations", len(kernel))
            return primitives.pooling(_POOLS[self._kind], kernel, stride, max(dilation))
        if self._kind == "Gemm":
            return primitives.linear(self._inner(transposed=bool(self._attributes.get("transA"))), self._given)
        if self._kind == "MatMul":
            is_linear = any(operand.node is None and operand.weights for operand in self._operands)
            return (primitives.linear if is_linear else primitives.product)(self._inner(), self._given)
        if self._kind == "Gather" and self._operands[0].node is None and self._operands[0].weights:
            return primitives.plain("embedding")
        word = word_of(self._kind)
        if word in ("attention", "conv"):  # other conventions than PyTorch's: the word, but no cost
            return Primitive(primitives.plain(word).operator, multiply_accumulates=None)
        return primitives.plain(word)

    def _convolution(self) -> Primitive:
        transposed = self._kind == "ConvTranspose"
        weight = self._operands[1].shape if len(self._operands) > 1 else None
        if weight is None or not 3 <= len(weight) <= 5:
            raise IngestError(f"{self._where} has a weight of shape {weight}; 1 to 3 axes of a window are needed.")
        kernel = self._sizes("kernel_shape", None) if "kernel_shape" in self._attributes else weight[2:]
        groups = self._sizes("group", 1)[0]
        channels, outputs = weight[1] * groups, weight[0]
        if transposed:
            channels, outputs = weight[0], weight[1] * groups
        taken = self._operands[0].shape
        if taken is not None and (len(taken) != len(weight) or taken[1] != channels):
            raise IngestError(
                f"{self._where} has a weight for {channels} channels, but takes a tensor of shape {taken}; nothing was "
                "stored."
            )
        return primitives.convolution(
            kernel,
            self._sizes("strides", len(kernel)),
            self._sizes("dilations", len(kernel)),
            groups,
            channels,
            outputs,
            taken,
            self._given,
            transposed=transposed,
        )

    def _inner(self, *, transposed: bool = False) -> int | None:
        """Size of the axis over which a product sums."""
        shape = self._operands[0].shape if self._operands else None
        if not shape or len(shape) < 1 + transposed:
            return None
        return shape[-2] if transposed else shape[-1]

    def _sizes(self, name: str, count: int | None) -> Shape:
        """An attribute of positive sizes, or ones where it is left out and their number is known."""
        value = self._attributes.get(name)
        if value is None and count is not None:
            return (1,) * count
        sizes = tuple(value) if isinstance(value, list) else (value,)
        right = 1 <= len(sizes) <= 3 and (count is None or len(sizes) == count)
        if not right or not all(isinstance(size, int) and 0 < size <= _MOST_SIZE for size in sizes):
            raise IngestError(f"{self._where} has {name} {str(value)[:100]}; positive sizes of 1 to 3 axes are needed.")
        return sizes
