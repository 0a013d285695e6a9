"""Small constants that decide shapes, worked out where ONNX's own inference gives up.

The padding of a convolution, for one, is often written as a dozen operators on a handful of integers.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.primitives import Shape
from ingest.model.onnx_file import constant_of
from ingest.model.onnx_forms import STANDARD

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

SMALL = 2**10
"""Elements of a constant that may decide a shape, such as the target of Reshape."""

_WORKED_OUT = frozenset(
    "Add And Cast Ceil Concat ConstantOfShape Div Equal Expand Floor Gather Greater GreaterOrEqual Identity Less "
    "LessOrEqual Max Min Mod Mul Neg Not Or ReduceProd Reshape Shape Slice Squeeze Sub Transpose Unsqueeze "
    "Where".split()
)
_TAKES_SIZE = {"ConstantOfShape": 0, "Expand": 1}  # the input that says how large the result is
_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def fold(model: ModelProto, shapes: Mapping[str, Shape | None]) -> int:
    """Put the values of small constants in the place of the operators that compute them; returns how many.

    Parameters
    ----------
    shapes
        The shapes that are known already, which operators may ask for.
    """
    opsets = {item.domain: item.version for item in model.opset_import}
    known: dict[str, NDArray[Any]] = {}
    for tensor in model.graph.initializer:
        _keep(known, tensor.name, tensor)
    folded = 0
    for node in model.graph.node:
        held = constant_of(node)
        if held is not None and node.output:
            _keep(known, node.output[0], held)
        elif node.op_type in _WORKED_OUT and node.domain in STANDARD and len(node.output) == 1:
            value = _value(node, known, shapes, opsets)
            if value is not None and value.size <= SMALL:
                known[node.output[0]] = value
                folded += _replace(node, value)
    return folded


def conditions(model: ModelProto) -> dict[str, bool]:
    """The constants of a folded model that are true or false, by name."""
    from onnx import TensorProto as Types

    known: dict[str, NDArray[Any]] = {}
    for node in model.graph.node:
        held = constant_of(node)
        if held is not None and held.data_type == Types.BOOL and node.output:
            _keep(known, node.output[0], held)
    return {name: bool(value.ravel()[0]) for name, value in known.items() if value.size == 1}


def _keep(known: dict[str, NDArray[Any]], name: str, tensor: TensorProto) -> None:
    from onnx import numpy_helper

    if tensor.data_location == tensor.EXTERNAL or math.prod(tensor.dims) > SMALL:
        return
    try:
        known[name] = numpy_helper.to_array(tensor)
    except _FAULTS:
        return


def _value(
    node: NodeProto, known: Mapping[str, NDArray[Any]], shapes: Mapping[str, Shape | None], opsets: Mapping[str, int]
) -> NDArray[Any] | None:
    """What an operator gives for known inputs; None where they are not known."""
    from onnx.reference import ReferenceEvaluator

    if node.op_type == "Shape":
        shape = shapes.get(node.input[0]) if node.input else None
        return None if shape is None else _part(node, shape)
    inputs = {name: known[name] for name in node.input if name in known}
    if any(name and name not in inputs for name in node.input):
        return None
    size = _TAKES_SIZE.get(node.op_type)
    if size is not None and (len(node.input) <= size or not _fits(inputs[node.input[size]].ravel().tolist())):
        return None
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            (value,) = ReferenceEvaluator(node, opsets=dict(opsets)).run(None, inputs)
    except _FAULTS:
        return None
    return np.asarray(value)


def _part(node: NodeProto, shape: Shape) -> NDArray[Any]:
    """The part of a shape that an operator Shape asks for."""
    ends = {item.name: item.i for item in node.attribute}
    return np.array(shape[slice(ends.get("start", 0), ends.get("end"))], dtype=np.int64)


def _fits(sizes: Any) -> bool:
    return bool(math.prod(abs(size) for size in sizes) <= SMALL)


def _replace(node: NodeProto, value: NDArray[Any]) -> int:
    from onnx import helper, numpy_helper

    try:
        tensor = numpy_helper.from_array(value)
    except _FAULTS:
        return 0
    node.CopyFrom(helper.make_node("Constant", [], [node.output[0]], value=tensor))
    return 1
