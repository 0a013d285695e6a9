"""Weights and costs of ONNX operators, in whatever way a file stores the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from tests.ingest.model.onnx_files import (
    FLOAT,
    constant,
    facts,
    model,
    node,
    numbers,
    read,
    tensor,
)

CONV = node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])


@pytest.mark.parametrize(
    "nodes",
    [
        [constant("w", 8, 3, 3, 3), CONV],
        [constant("v", 8, 3, 3, 3), node("Identity", ["v"], ["w"]), CONV],
        [constant("v", 8, 3, 3, 3, dtype=np.float16), node("Cast", ["v"], ["w"], to=FLOAT), CONV],
        [constant("v", 8, 3, 3, 3, dtype=np.int8), node("Cast", ["v"], ["w"], to=FLOAT), CONV],
        [constant("v", 3, 8, 3, 3), node("Transpose", ["v"], ["w"], perm=[1, 0, 2, 3]), CONV],
        [
            *(constant("v", 8, 27), node("Constant", [], ["s"], value_ints=[8, 3, 3, 3])),
            *(node("Reshape", ["v", "s"], ["w"]), CONV),
        ],
        [
            *(constant("v", 8, 3, 3, 3, dtype=np.int8), constant("s", 8), constant("z", 8, dtype=np.int8)),
            *(node("DequantizeLinear", ["v", "s", "z"], ["w"], axis=0), CONV),
        ],
        [
            *(constant("u", 8, 3, 3, 3), constant("s"), constant("z", dtype=np.int8)),
            *(node("QuantizeLinear", ["u", "s", "z"], ["v"]), node("DequantizeLinear", ["v", "s", "z"], ["w"]), CONV),
        ],
    ],
    ids=lambda nodes: nodes[-2].op_type,
)
def test_a_weight_may_come_by_any_way(tmp_path: Path, nodes: list[NodeProto]) -> None:
    """As Constant nodes and as initializers, through whatever gives it another form."""
    usual = facts(read(tmp_path, model([CONV], [numbers("w", 8, 3, 3, 3)])))
    assert usual == (["conv3x3"], 216, 216 * 64)
    assert facts(read(tmp_path, model(nodes))) == usual
    held = [one for one in nodes if one.op_type == "Constant" and one.attribute[0].name == "value"]
    stored = [numpy_helper.from_array(numpy_helper.to_array(one.attribute[0].t), one.output[0]) for one in held]
    assert facts(read(tmp_path, model([one for one in nodes if one not in held], stored))) == usual


def test_a_bias_may_be_a_list_of_numbers(tmp_path: Path) -> None:
    nodes = [node("Constant", [], ["b"], value_floats=[1.0, 2.0, 3.0]), node("Gemm", ["x", "w", "b"], ["y"])]
    assert facts(read(tmp_path, model(nodes, [numbers("w", 4, 3)], (1, 4)))) == (["linear"], 15, 12)


@pytest.mark.parametrize("as_constants", [False, True])
@pytest.mark.parametrize(
    ("nodes", "weights", "shape", "expected"),
    [
        ([node("Gemm", ["x", "w", "b"], ["y"])], {"w": (4, 3), "b": (3,)}, (1, 4), (["linear"], 15, 12)),
        ([node("MatMul", ["x", "w"], ["y"])], {"w": (4, 3)}, (1, 4), (["linear"], 12, 12)),
        (
            [node("MatMul", ["x", "w"], ["h"]), node("Add", ["b", "h"], ["y"])],
            {"w": (4, 3), "b": (3,)}, (2, 5, 4), (["linear", "add"], 15, 2 * 5 * 4 * 3),
        ),
        (
            [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"])],
            dict.fromkeys("sbmv", (3,)), (1, 3, 8, 8), (["batchnorm"], 6, 0),
        ),
        ([node("PRelu", ["x", "w"], ["y"])], {"w": (3, 1, 1)}, (1, 3, 8, 8), (["prelu"], 3, 0)),
        ([node("LayerNormalization", ["x", "w", "b"], ["y"])], {"w": (8,), "b": (8,)}, (1, 8), (["layernorm"], 16, 0)),
        (
            [node("ConvTranspose", ["x", "w"], ["y"])],
            {"w": (3, 4, 2, 2)}, (1, 3, 8, 8), (["transposed_conv2x2"], 48, 64 * 48),
        ),
        (
            [node("LSTM", ["x", "w", "r"], ["y"], hidden_size=5)],
            {"w": (1, 20, 4), "r": (1, 20, 5)}, (7, 2, 4), (["lstm"], 180, 14 * 180),
        ),
        (
            [node("GRU", ["x", "w", "r", "b", "", "h"], ["y"], hidden_size=5, direction="bidirectional")],
            {"w": (2, 15, 4), "r": (2, 15, 5), "b": (2, 30), "h": (2, 2, 5)}, (7, 2, 4), (["gru"], 330, 14 * 270),
        ),
        (
            [node("RNN", ["x", "w", "r"], ["y"], hidden_size=5, layout=1)],
            {"w": (1, 5, 4), "r": (1, 5, 5)}, (2, 7, 4), (["rnn"], 45, 14 * 45),
        ),
        ([node("Einsum", ["x", "w"], ["y"], equation="ij,jk->ik")], {"w": (4, 3)}, (1, 4), (["einsum"], 12, None)),
    ],
    ids=lambda value: value[-1].op_type if isinstance(value, list) and isinstance(value[0], NodeProto) else None,
)  # fmt: skip
def test_operators_have_their_weights_and_costs(
    tmp_path: Path,
    nodes: list[NodeProto],
    weights: dict[str, tuple[int, ...]],
    shape: tuple[int, ...],
    expected: tuple[list[str], int, int | None],
    as_constants: bool,
) -> None:
    stored = [numbers(name, *sizes) for name, sizes in weights.items()]
    before = [node("Constant", [], [one.name], value=one) for one in stored] if as_constants else []
    content = model([*before, *nodes], [] if as_constants else stored, shape)
    assert facts(read(tmp_path, content)) == expected


def test_numbers_in_a_formula_are_no_weights(tmp_path: Path) -> None:
    """As PyTorch exports `(x - mean) / deviation`; parameters it exports as initializers."""
    formula = [
        constant("m", 3, 1, 1),
        constant("d", 3, 1, 1),
        node("Sub", ["x", "m"], ["a"]),
        node("Div", ["a", "d"], ["b"]),
    ]
    scaled = node("Mul", ["b", "w"], ["y"])
    assert facts(read(tmp_path, model([*formula, scaled], [numbers("w", 3, 1, 1)]))) == (
        ["subtract", "divide", "multiply"], 3, 0,
    )  # fmt: skip


def test_sizes_are_no_weights(tmp_path: Path) -> None:
    nodes = [
        node("Shape", ["w"], ["s"]),
        node("Gather", ["s", "place"], ["n"]),
        node("ConstantOfShape", ["n"], ["zeros"], value=helper.make_tensor("v", FLOAT, [1], [0.0])),
        node("Add", ["x", "zeros"], ["y"]),
    ]
    weights = [numbers("w", 8, 8), numpy_helper.from_array(np.array([0]), "place")]
    assert facts(read(tmp_path, model(nodes, weights, (1, 8)))) == (["add"], 0, 0)


def test_sparse_weights_count_their_elements(tmp_path: Path) -> None:
    content = model([node("MatMul", ["x", "w"], ["y"])], (), (1, 4))
    content.graph.sparse_initializer.append(
        helper.make_sparse_tensor(
            helper.make_tensor("w", FLOAT, [2], [1.0, 2.0]),
            helper.make_tensor("i", TensorProto.INT64, [2], [0, 5]),
            [4, 3],
        )
    )
    assert facts(read(tmp_path, content)) == (["linear"], 2, 12)


@pytest.mark.parametrize(
    ("shapes", "attributes", "cost"),
    [
        (((1, 2, 5, 8), (1, 2, 7, 8), (1, 2, 7, 4)), {}, 2 * 5 * 7 * (8 + 4)),
        (((1, 5, 16), (1, 7, 16), (1, 7, 8)), {"q_num_heads": 2, "kv_num_heads": 2}, 5 * 7 * (16 + 8)),
        (((1, 5, 16), (1, 7, 8), (1, 7, 8)), {"q_num_heads": 2, "kv_num_heads": 1}, 5 * 7 * (16 + 16)),
        (((1, 5, 16), (1, 7, 16), (1, 7, 8)), {}, None),
    ],
)
def test_attention_is_counted_for_all_heads(
    tmp_path: Path, shapes: tuple[tuple[int, ...], ...], attributes: dict[str, int], cost: int | None
) -> None:
    inputs = [tensor(name, shape) for name, shape in zip("qkv", shapes, strict=True)]
    graph = helper.make_graph(
        [node("Attention", ["q", "k", "v"], ["y"], **attributes)], "g", inputs, [tensor("y", None)]
    )  # type: ignore[arg-type]
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)])
    assert read(tmp_path, content).multiply_accumulates == cost
