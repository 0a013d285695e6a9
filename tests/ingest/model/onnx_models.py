"""ONNX files written with the onnx package, as exporters write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper


def weight(name: str, *shape: int, dtype: type = np.float32) -> TensorProto:
    return numpy_helper.from_array(np.zeros(shape, dtype=dtype), name)


def model(
    nodes: Sequence[NodeProto],
    weights: Sequence[TensorProto],
    shape: Sequence[int | str | None],
    outputs: Sequence[str] = ("y",),
    kind: int = TensorProto.FLOAT,
) -> ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", kind, list(shape))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        list(weights),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def residual(batch: int | str = "N", channels: int = 16) -> ModelProto:
    """The same network as `tests.ingest.model.networks.Residual`, without dropout."""
    nodes = [
        helper.make_node("Conv", ["x", "stem"], ["a"], name="stem", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["a", "scale", "shift", "mean", "variance"], ["b"], name="norm"),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Conv", ["c", "deep"], ["d"], name="depthwise", group=channels, pads=[2, 2, 2, 2]),
        helper.make_node("Conv", ["d", "point", "point_bias"], ["e"], name="pointwise"),
        helper.make_node("Add", ["c", "e"], ["f"]),
        helper.make_node(
            "Conv",
            ["f", "down", "down_bias"],
            ["g"],
            name="down",
            group=2,
            strides=[2, 2],
            dilations=[2, 2],
            pads=[2, 2, 2, 2],
        ),
        helper.make_node("Relu", ["g"], ["h"]),
        helper.make_node("MaxPool", ["h"], ["i"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["i"], ["j"]),
        helper.make_node("Flatten", ["j"], ["k"]),
        helper.make_node("Gemm", ["k", "head", "head_bias"], ["y"], name="head", transB=1),
    ]
    weights = [
        weight("stem", channels, 3, 3, 3),
        *(weight(name, channels) for name in ("scale", "shift", "mean", "variance")),
        weight("deep", channels, 1, 5, 5),
        weight("point", channels, channels, 1, 1),
        weight("point_bias", channels),
        weight("down", 2 * channels, channels // 2, 3, 1),
        weight("down_bias", 2 * channels),
        weight("head", 10, 2 * channels),
        weight("head_bias", 10),
    ]
    return model(nodes, weights, (batch, 3, 32, 32))


def transformer() -> ModelProto:
    """Embedding, one head of attention written out, and a projection; the shape of Reshape is computed."""
    nodes = [
        helper.make_node("Gather", ["table", "x"], ["e"], name="embed"),
        helper.make_node("MatMul", ["e", "wq"], ["q"]),
        helper.make_node("MatMul", ["e", "wk"], ["k"]),
        helper.make_node("Transpose", ["k"], ["kt"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["q", "kt"], ["s"]),
        helper.make_node("Constant", [], ["root"], value=numpy_helper.from_array(np.float32(4.0))),
        helper.make_node("Div", ["s", "root"], ["t"]),
        helper.make_node("Softmax", ["t"], ["p"], axis=-1),
        helper.make_node("MatMul", ["p", "e"], ["o"]),
        helper.make_node("Add", ["o", "e"], ["r"]),
        helper.make_node("LayerNormalization", ["r", "gain", "offset"], ["n"], axis=-1),
        helper.make_node("Shape", ["n"], ["dims"]),
        helper.make_node("Reshape", ["n", "dims"], ["y"]),
    ]
    weights = [
        weight("table", 11, 16),
        weight("wq", 16, 16),
        weight("wk", 16, 16),
        weight("gain", 16),
        weight("offset", 16),
    ]
    return model(nodes, weights, (1, 5), kind=TensorProto.INT64)


def written(path: Path, content: ModelProto) -> Path:
    path.write_bytes(content.SerializeToString())
    return path
