"""Quantised and fused ONNX operators said with the plain ones, and which of their inputs are weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingest.model.operands import Operand, constants_in

if TYPE_CHECKING:
    from onnx import NodeProto

STANDARD = ("", "ai.onnx")
MICROSOFT = "com.microsoft"


@dataclass(frozen=True)
class Value(Operand):
    """A tensor of an ONNX graph.

    Parameters
    ----------
    stored
        Identity and size of the weights in it, whatever their type: what a convolution or a product takes as its
        weight is one, also as bytes. `weights` are those of them that any operator may take as trainable.
    literal
        Whether it stands in the graph as a Constant node, as numbers in a formula do.
    filled
        Whether all its elements are one number.
    """

    stored: Mapping[object, int] = field(default_factory=dict)
    literal: bool = False
    filled: bool = False


@dataclass(frozen=True)
class Form:
    """A plain operator of ONNX, and at which of a node's inputs it finds its own; None is all in their order."""

    kind: str
    inputs: tuple[int, ...] | None = None

    def taken(self, values: Sequence[Any]) -> list[Any]:
        """What the plain operator takes of a node's inputs; None for one that is left out."""
        if self.inputs is None:
            return list(values)
        return [values[place] if place < len(values) else None for place in self.inputs]


_FORMS: Mapping[str, Mapping[str, Form]] = {
    "": {
        "QLinearConv": Form("Conv", (0, 3, 8)),
        "ConvInteger": Form("Conv", (0, 1)),
        "QLinearMatMul": Form("MatMul", (0, 3)),
        "MatMulInteger": Form("MatMul", (0, 1)),
        "QuantizeLinear": Form("QuantizeLinear", (0,)),
        "DequantizeLinear": Form("DequantizeLinear", (0,)),
    },
    MICROSOFT: {
        "FusedConv": Form("Conv", (0, 1, 2)),
        "FusedGemm": Form("Gemm", (0, 1, 2)),
        "FusedMatMul": Form("MatMul", (0, 1)),
        "TransposeMatMul": Form("MatMul", (0, 1)),
        "QLinearConv": Form("Conv", (0, 3, 8)),
        "QGemm": Form("Gemm", (0, 3, 6)),
        "MatMulIntegerToFloat": Form("MatMul", (0, 1, 6)),
        "DynamicQuantizeMatMul": Form("MatMul", (0, 1, 4)),
        "MatMulNBits": Form("MatMul", (0, 1)),
        "QLinearAdd": Form("Add", (0, 3)),
        "QLinearMul": Form("Mul", (0, 3)),
        "QLinearSigmoid": Form("Sigmoid", (0,)),
        "QLinearLeakyRelu": Form("LeakyRelu", (0,)),
        "QLinearSoftmax": Form("Softmax", (0,)),
        "QLinearAveragePool": Form("AveragePool", (0,)),
        "QLinearGlobalAveragePool": Form("GlobalAveragePool", (0,)),
        "QLinearReduceMean": Form("ReduceMean", (0,)),
        "QuantizeLinear": Form("QuantizeLinear", (0,)),
        "DequantizeLinear": Form("DequantizeLinear", (0,)),
        "Gelu": Form("Gelu", (0,)),
        "FastGelu": Form("Gelu", (0, 1)),
        "BiasGelu": Form("Gelu", (0, 1)),
        "QuickGelu": Form("QuickGelu", (0,)),
        "SkipLayerNormalization": Form("SkipLayerNormalization"),
        "SkipSimplifiedLayerNormalization": Form("SkipSimplifiedLayerNormalization"),
        "EmbedLayerNormalization": Form("EmbedLayerNormalization"),
        "RotaryEmbedding": Form("RotaryEmbedding", (0,)),
    },
}
"""What is known of the standard's quantised operators, and of those that ONNX Runtime's optimiser writes."""

_UNORDERED = ("Add", "Mul")

_AXES_TURNED = ("channels_last", "transBatchA", "transBatchB")  # attributes that put the axes in another order


def form_of(node: NodeProto) -> Form | None:
    """The plain form of a node; None for an operator of which nothing is known."""
    if any(item.name in _AXES_TURNED and item.i for item in node.attribute):
        return None
    if node.domain == MICROSOFT and node.op_type == "QLinearConcat":
        return Form("Concat", tuple(range(2, len(node.input), 3)))
    if node.domain in STANDARD:
        return _FORMS[""].get(node.op_type) or Form(node.op_type)
    return _FORMS.get(node.domain, {}).get(node.op_type)


CONSTANTS = ("Constant", "Shape", "Size", "ConstantOfShape", "Range", "EyeLike")
"""Operators that give sizes and constants rather than data."""

_SETTINGS = (
    *("Resize", "Upsample", "Clip", "Pad", "Dropout", "Slice", "OneHot", "NonMaxSuppression", "STFT"),
    *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Expand", "Tile", "RotaryEmbedding"),
)
"""Operators whose constant inputs are settings."""

_STORED: Mapping[str, tuple[int, ...]] = {
    "Conv": (1, 2),
    "ConvTranspose": (1, 2),
    "DeformConv": (1, 3),
    "Gemm": (0, 1, 2),
    "MatMul": (0, 1, 2),
    "Einsum": (0, 1, 2, 3),
    "LSTM": (1, 2, 3, 7),
    "GRU": (1, 2, 3),
    "RNN": (1, 2, 3),
}
"""Where an operator takes weights, whatever their type; a recurrent layer's initial state is none."""

_TRAINED: Mapping[str, tuple[int, ...]] = {
    "BatchNormalization": (1, 2),  # then follow the running statistics
    "LayerNormalization": (1, 2),
    "SimplifiedLayerNormalization": (1,),
    "SkipLayerNormalization": (2, 3, 4),
    "SkipSimplifiedLayerNormalization": (2, 3),
    "GroupNormalization": (1, 2),
    "InstanceNormalization": (1, 2),
    "RMSNormalization": (1,),
    "PRelu": (1,),
    "Gather": (0,),
    "Gelu": (1,),
}
"""Where an operator takes trainable numbers, also from a Constant node."""


def weights_taken(form: Form | None, operands: Sequence[Value | None], *, apart: bool) -> dict[object, int]:
    """Identity and size of the trainable weights that an operator takes.

    A Constant node that an operator of another kind takes is a number in a formula, as exporters write
    them, and no weight; what an unknown operator takes is one, if it is more than a row of numbers.

    Parameters
    ----------
    apart
        Whether the file keeps its weights as initializers. A normalization's scales of one and offsets of zero in
        Constant nodes are then what the exporter put in the place of weights that the layer does not have.
    """
    if form is None:
        return _union(o.weights for o in operands if o is not None and (not o.literal or len(o.shape or ()) > 1))
    if form.kind in _SETTINGS:
        return {}
    if form.kind in _STORED:
        return _union(value.stored for value in _at(_STORED[form.kind], operands))
    if form.kind in _TRAINED:
        found = _at(_TRAINED[form.kind], operands)
        # Group normalization is exported as instance normalization with scales of one and offsets of zero.
        filled = form.kind == "InstanceNormalization" or (apart and form.kind.endswith("Normalization"))
        return _union(value.weights for value in found if not (filled and value.literal and value.filled))
    return _union(value.weights for value in operands if value is not None and not value.literal)


def constants_taken(form: Form | None, operands: Sequence[Value | None]) -> str:
    """The constants that an operator takes and where it takes them, as text.

    Weights that stand where the operator always has them say nothing.
    """
    known = list(operands)
    if form is not None and (form.kind in _STORED or form.kind in _TRAINED):
        while known and (known[-1] is None or (known[-1].node is None and known[-1].said is None)):
            del known[-1]
    ordered = form is None or form.kind not in _UNORDERED
    return constants_in([("", value) for value in known], ordered=ordered)


def constant_value(form: Form | None, operands: Sequence[Value | None], shape: Any) -> Value:
    """What an operator gives that takes constants alone: their weights in another form."""
    if form is not None and form.kind in CONSTANTS:
        return Value(shape)
    known = [operand for operand in operands if operand is not None]
    if form is not None and form.kind in _SETTINGS:
        known = known[:1]
    if form is not None and form.kind in ("Gemm", "MatMul"):  # the state that a recurrent cell begins with is no weight
        known = [value for value in known if not (value.literal and value.filled)]
    joins = form is not None and form.kind == "Concat"
    of_bytes = form is not None and form.kind == "DequantizeLinear"
    weights = _union(value.stored if of_bytes else value.weights for value in known)
    return Value(
        shape,
        weights=weights,
        stored={**weights, **_union(value.stored for value in (known if joins else known[:1]))},  # then follow sizes
        literal=bool(weights) and all(value.literal for value in known if value.weights or of_bytes),
    )


def _at(places: Sequence[int], operands: Sequence[Value | None]) -> list[Value]:
    found = [operands[place] if place < len(operands) else None for place in places]
    return [value for value in found if value is not None]


def _union(parts: Any) -> dict[object, int]:
    return {key: count for part in parts for key, count in part.items()}


_SAME_SHAPE = (
    *("Sigmoid", "LeakyRelu", "Softmax", "QuantizeLinear", "DequantizeLinear", "Gelu", "QuickGelu"),
    *("SkipLayerNormalization", "SkipSimplifiedLayerNormalization", "RotaryEmbedding"),
)
_WINDOW = ("auto_pad", "dilations", "kernel_shape", "pads", "strides", "ceil_mode", "count_include_pad")
_SHAPING: Mapping[str, tuple[str, ...]] = {
    "Conv": (*_WINDOW[:5], "group"),
    "Gemm": ("transA", "transB"),
    "MatMul": (),
    "Add": (),
    "Mul": (),
    "AveragePool": _WINDOW,
    "GlobalAveragePool": (),
    "ReduceMean": ("axes", "keepdims"),
    "Concat": ("axis",),
}
"""Attributes of plain operators that decide a shape."""


def shaped_alike(node: NodeProto, make: Callable[..., NodeProto]) -> NodeProto | None:
    """A node of the standard's that gives the shape of a fused one, for ONNX's own inference, which knows no others."""
    form = form_of(node)
    if node.domain in STANDARD or form is None or node.op_type == "MatMulNBits":  # whose weight is packed
        return None
    inputs = form.taken(node.input)
    if form.kind in _SAME_SHAPE:
        return make("Identity", inputs[:1], node.output[:1])
    if form.kind not in _SHAPING or any(item.name in ("transA", "transB") and item.i for item in node.attribute):
        return None
    most = 2 if form.kind == "MatMul" else len(inputs)
    made = make(form.kind, [name or "" for name in inputs[:most]], node.output[:1])
    made.attribute.extend(item for item in node.attribute if item.name in _SHAPING[form.kind])
    return made
