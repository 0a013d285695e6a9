"""Quantised and fused ONNX operators, and those of other domains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, NodeProto

from tests.ingest.model.onnx_damage import check_damaged
from tests.ingest.model.onnx_files import (
    BYTE,
    FLOAT,
    MICROSOFT,
    facts,
    model,
    node,
    numbers,
    read,
    tensor,
)

IMAGE, ROWS = (1, 3, 8, 8), (2, 4)
KERNEL, KERNEL_BYTES = numbers("w", 8, 3, 3, 3), numbers("w", 8, 3, 3, 3, dtype=np.uint8)
MATRIX, MATRIX_BYTES = numbers("w", 4, 3), numbers("w", 4, 3, dtype=np.uint8)
SCALES = [
    *(numbers("s"), numbers("z", dtype=np.uint8), numbers("ss", 8), numbers("zz", 8, dtype=np.uint8)),
    *(numbers("b", 3), numbers("b8", 8, dtype=np.int32), numbers("v", 8, 6, 1, 1, dtype=np.uint8)),
]
CONVOLUTION, LINEAR = (["conv3x3"], 216, 216 * 36), (["linear"], 12, 24)


def microsoft(kind: str, inputs: str, output: str = "y", **attributes: object) -> NodeProto:
    return node(kind, inputs.split(), [output], domain=MICROSOFT, **attributes)


QUANTISED = {
    "QLinearConv": (
        [node("QLinearConv", ["x", "s", "z", "w", "ss", "zz", "s", "z", "b8"], ["y"])],
        KERNEL_BYTES, IMAGE, BYTE, (["conv3x3"], 224, 216 * 36),
    ),
    "ConvInteger": ([node("ConvInteger", ["x", "w"], ["y"])], KERNEL_BYTES, IMAGE, BYTE, CONVOLUTION),
    "MatMulInteger": ([node("MatMulInteger", ["x", "w"], ["y"])], MATRIX_BYTES, ROWS, BYTE, LINEAR),
    "QLinearMatMul": (
        [node("QLinearMatMul", ["x", "s", "z", "w", "s", "z", "s", "z"], ["y"])], MATRIX_BYTES, ROWS, BYTE, LINEAR
    ),
    "DynamicQuantizeLinear": (
        [node("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"]), node("MatMulInteger", ["q", "w", "qz"], ["y"])],
        MATRIX_BYTES, ROWS, FLOAT, (["dynamicquantizelinear", "linear"], 12, 24),
    ),
    "FusedConv": ([microsoft("FusedConv", "x w", activation="Relu")], KERNEL, IMAGE, FLOAT, CONVOLUTION),
    "FusedMatMul": ([microsoft("FusedMatMul", "x w", alpha=0.5)], MATRIX, ROWS, FLOAT, LINEAR),
    "FusedGemm": ([microsoft("FusedGemm", "x w b")], MATRIX, ROWS, FLOAT, (["linear"], 15, 24)),
    "QGemm": ([microsoft("QGemm", "x s z w s z b")], MATRIX_BYTES, ROWS, BYTE, (["linear"], 15, 24)),
    "DynamicQuantizeMatMul": ([microsoft("DynamicQuantizeMatMul", "x w s")], MATRIX_BYTES, ROWS, FLOAT, LINEAR),
    "QLinearAdd": (
        [microsoft("QLinearAdd", "x s z x s z s z", "a"), node("ConvInteger", ["a", "w"], ["y"])],
        KERNEL_BYTES, IMAGE, BYTE, (["add", "conv3x3"], 216, 216 * 36),
    ),
    "QLinearConcat": (
        [
            microsoft("QLinearGlobalAveragePool", "x s z s z", "a"),
            microsoft("QLinearConcat", "s z a s z a s z", "b2", axis=1),
            node("ConvInteger", ["b2", "v"], ["y"]),
        ],
        KERNEL_BYTES, IMAGE, BYTE, (["global_avgpool", "concat", "conv1x1"], 48, 48),
    ),
    "Gelu": (
        [microsoft("Gelu", "x", "a"), node("MatMul", ["a", "w"], ["y"])],
        MATRIX, ROWS, FLOAT, (["gelu", "linear"], 12, 24),
    ),
}  # fmt: skip


def quantised(name: str) -> ModelProto:
    nodes, weight, shape, kind, _ = QUANTISED[name]
    return model(nodes, [weight, *SCALES], shape, kind=kind)


@pytest.mark.parametrize("name", QUANTISED)
def test_quantised_and_fused_operators_cost_what_the_plain_ones_do(tmp_path: Path, name: str) -> None:
    """With `--input` too, where nothing that the file notes is believed."""
    *_, shape, _, expected = QUANTISED[name]
    assert facts(read(tmp_path, quantised(name))) == expected
    assert read(tmp_path, quantised(name), (2 * shape[0], *shape[1:])).multiply_accumulates == 2 * expected[2]


@pytest.mark.parametrize(
    ("attributes", "domain", "name"),
    [
        ({"channels_last": 1}, MICROSOFT, "FusedConv"),
        ({"transBatchA": 1}, MICROSOFT, "FusedMatMul"),
        ({}, MICROSOFT, "QAttention"),
        ({}, "ai.onnx.ml", "LinearRegressor"),
        ({}, "org.pytorch.aten", "ATen"),
        ({}, "mine", "Relu"),
        ({}, "mine", "Conv"),
        ({}, "", "DeformConv"),
        ({}, "", "GridSample"),
        ({}, "", "NoSuchOperator"),
    ],
)
def test_what_nobody_knows_costs_nobody_knows_what(
    tmp_path: Path, attributes: dict[str, int], domain: str, name: str
) -> None:
    odd = node(name, ["x", "w"], ["y"], domain=domain, **attributes)  # type: ignore[arg-type]
    traced = read(tmp_path, model([odd], [numbers("w", 3, 3)], given=(1, 3, 8, 8), opset=19))
    assert traced.multiply_accumulates is None
    assert len(traced.nodes) == 3


def test_a_packed_weight_says_nothing_of_the_shape(tmp_path: Path) -> None:
    packed = microsoft("MatMulNBits", "x w ss", K=4, N=3, bits=4, block_size=16)
    content = model([packed], [numbers("w", 3, 1, 8, dtype=np.uint8), *SCALES], ROWS)
    assert facts(read(tmp_path, content)) == (["linear"], 24, None)
    content.graph.output[0].CopyFrom(tensor("y", (2, 3)))
    assert facts(read(tmp_path, content)) == (["linear"], 24, 24)


def test_a_product_of_a_computed_kernel_is_open(tmp_path: Path) -> None:
    nodes = [node("Odd", ["x"], ["w"], domain="mine"), node("Conv", ["x", "w"], ["y"])]
    assert read(tmp_path, model(nodes)).multiply_accumulates is None


CONTENTS = [quantised(name).SerializeToString() for name in ("QLinearConv", "QLinearAdd")]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), content=st.sampled_from(CONTENTS))
def test_damaged_files_give_a_clean_error_or_a_graph(
    data: st.DataObject, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_damaged(data, content, tmp_path_factory.getbasetemp())
