"""One ONNX operator as a primitive: what it is called, its window, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from catalog.architecture.computation import primitives
from catalog.architecture.computation.primitives import Primitive, Shape
from catalog.architecture.computation.vocabulary import word_of
from catalog.errors import IngestError
from ingest.model.onnx_forms import Form, Value

if TYPE_CHECKING:
    from onnx import NodeProto

_MOST_SIZE = 2**31 - 1  # of a kernel, a stride, a number of groups
_POOLS = {"MaxPool": "max", "AveragePool": "avg", "LpPool": "lp"}
_ROUNDING: Mapping[Any, str] = {2: "byte", 7: "long", 9: "bool", **dict.fromkeys((3, 4, 5, 6, 12, 13), "int")}
"""ONNX's numbers of the types to which a cast is not the identity."""

_RELU6 = (0.0, 6.0)
_RECURRENT = ("LSTM", "GRU", "RNN")


class Described:
    """One operator, and the primitive that it is.

    Parameters
    ----------
    where
        The operator's place in the file, for messages.
    form
        The plain operator that it is; None where nothing is known of it.
    operands
        What the plain operator takes.
    given
        The shape of what it gives; None where that is not known.
    """

    def __init__(
        self, where: str, node: NodeProto, form: Form | None, operands: Sequence[Value | None], given: Shape | None
    ) -> None:
        self._where = where
        self._operands = operands
        self._given = given
        self._name = node.op_type
        self._kind = form.kind if form is not None else None
        self._attributes = {item.name: attribute_value(item) for item in node.attribute}

    def primitive(self) -> Primitive:
        """The primitive."""
        if self._kind is None:
            return primitives.foreign(self._name)
        if self._kind in ("Conv", "ConvTranspose"):
            return self._convolution()
        if self._kind in _POOLS:
            kernel = self._sizes("kernel_shape", None)
            stride, dilation = self._sizes("strides", len(kernel)), self._sizes("dilations", len(kernel))
            return primitives.pooling(_POOLS[self._kind], kernel, stride, max(dilation))
        if self._kind == "Gemm":
            return primitives.linear(self._inner(), self._given)
        if self._kind == "MatMul":
            is_linear = any(operand and operand.node is None and operand.stored for operand in self._operands[:2])
            return (primitives.linear if is_linear else primitives.product)(self._inner(), self._given)
        if self._kind in _RECURRENT:
            return self._recurrent()
        if self._kind == "Attention":
            return self._attention()
        if self._kind == "Clip" and self._bounds() == _RELU6:
            return primitives.plain("relu6")
        if self._kind == "Cast" and (word := _ROUNDING.get(self._attributes.get("to"))):
            return primitives.plain(word)
        table = self._operand(0)
        if self._kind == "Gather" and table is not None and table.node is None and table.weights:
            return primitives.plain("embedding")
        return primitives.plain(word_of(self._kind))

    def _bounds(self) -> tuple[float | None, ...]:
        """What a Clip bounds its result by, as inputs or, in old files, attributes; None where it is not said."""
        told = []
        for place, name in ((1, "min"), (2, "max")):
            operand = self._operand(place)
            text = self._attributes.get(name) if operand is None else operand.said
            try:
                told.append(None if text is None else float(str(text)))
            except ValueError:
                told.append(None)
        return tuple(told)

    def _operand(self, place: int) -> Value | None:
        return self._operands[place] if place < len(self._operands) else None

    def _shape(self, place: int) -> Shape | None:
        operand = self._operand(place)
        return None if operand is None else operand.shape

    def _convolution(self) -> Primitive:
        transposed = self._kind == "ConvTranspose"
        weight = self._shape(1)
        if weight is None and self._operand(1) is not None:
            return Primitive(primitives.plain("conv").operator, multiply_accumulates=None)  # a computed kernel
        if weight is None or not 3 <= len(weight) <= 5:
            raise IngestError(f"{self._where} has a weight of shape {weight}; 1 to 3 axes of a window are needed.")
        kernel = self._sizes("kernel_shape", None) if "kernel_shape" in self._attributes else weight[2:]
        groups = self._sizes("group", 1)[0]
        channels, outputs = weight[1] * groups, weight[0]
        if transposed:
            channels, outputs = weight[0], weight[1] * groups
        taken = self._shape(0)
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

    def _inner(self) -> int | None:
        """Size of the axis over which a product sums."""
        shape, transposed = self._shape(0), bool(self._attributes.get("transA"))
        if not shape or len(shape) < 1 + transposed:
            return None
        return shape[-2] if transposed else shape[-1]

    def _recurrent(self) -> Primitive:
        """Its two matrices, for all directions and gates, at each time and for each sequence."""
        taken, matrices = self._shape(0), [self._shape(1), self._shape(2)]
        steps = math.prod(taken[:2]) if taken is not None and len(taken) == 3 else None
        known = [math.prod(shape) for shape in matrices if shape is not None]
        return primitives.recurrent(str(self._kind).lower(), steps, sum(known) if len(known) == 2 else None)

    def _attention(self) -> Primitive:
        """Of heads side by side in the last axis, or on an axis of their own; with kept keys the cost is not known."""
        query, key, value = (self._shape(place) for place in range(3))
        if query is None or key is None or value is None or self._operand(4) is not None:
            return primitives.attention(None, None, None)
        if len(query) == 3:
            heads, of_keys = self._attributes.get("q_num_heads"), self._attributes.get("kv_num_heads")
            if not heads or not of_keys or len(key) != 3:
                return primitives.attention(None, None, None)
            value = (*value[:-1], value[-1] * heads // of_keys)
        return primitives.attention(query, key, value)

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


def attribute_value(attribute: Any) -> Any:
    """A number, text or list of an attribute; None for tensors and graphs."""
    kinds: Mapping[int, Callable[[], Any]] = {
        attribute.INT: lambda: attribute.i,
        attribute.FLOAT: lambda: round(attribute.f, 9),
        attribute.STRING: lambda: attribute.s.decode("utf-8", "replace"),
        attribute.INTS: lambda: list(attribute.ints),
        attribute.FLOATS: lambda: [round(value, 9) for value in attribute.floats],
    }
    read = kinds.get(attribute.type)
    return None if read is None else read()
