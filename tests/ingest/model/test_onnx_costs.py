"""Weights and costs of ONNX operators, in whatever way a file stores and says them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from catalog.errors import IngestError
from ingest.model.onnx_reading import read_onnx
from ingest.model.traced import TracedGraph
from tests.ingest.model.onnx_models import written

FLOAT, BYTE, SIGNED = TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT8
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


def read(path: Path, content: ModelProto, *shapes: tuple[int, ...]) -> TracedGraph:
    return read_onnx(written(path / "net.onnx", content), list(shapes) or None)


def names(traced: TracedGraph) -> list[str]:
    return [one.primitive.operator.name for one in traced.nodes[1:-1]]


def facts(traced: TracedGraph) -> tuple[list[str], int, int | None]:
    return names(traced), traced.parameters, traced.multiply_accumulates


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


def branch(name: str, nodes: list[NodeProto], *weights: TensorProto) -> GraphProto:
    return helper.make_graph(nodes, name, [], [tensor(f"{name}_y", None)], list(weights))


def convolving(name: str, kernel: str) -> GraphProto:
    return branch(
        name, [node("Conv", ["x", kernel], [f"{name}_y"])], *([] if kernel == "w" else [numbers(kernel, 8, 3, 3, 3)])
    )


QUESTION = [node("ReduceMax", ["x"], ["m"], keepdims=0), node("Cast", ["m"], ["c"], to=TensorProto.BOOL)]


def test_a_branch_has_the_weights_of_both_and_no_known_cost(tmp_path: Path) -> None:
    nodes = [
        *QUESTION,
        node("If", ["c"], ["y"], then_branch=convolving("a", "w"), else_branch=convolving("b", "v")),
    ]
    traced = read(tmp_path, model(nodes, [numbers("w", 8, 3, 3, 3)]))
    assert facts(traced) == (["reduce_max", "identity", "if"], 2 * 216, None)
    assert traced.nodes[3].inputs == (2, 0)  # the condition, and what the branches take from outside
    other = [
        *nodes[:2],
        node(
            "If",
            ["c"],
            ["y"],
            then_branch=convolving("a", "w"),
            else_branch=branch("b", [node("Relu", ["x"], ["b_y"])]),
        ),
    ]
    assert read(tmp_path, model(other, [numbers("w", 8, 3, 3, 3)])).digest != traced.digest


@pytest.mark.parametrize(
    ("condition", "expected"), [(True, (["conv3x3"], 216, 216 * 36)), (False, (["identity"], 0, 0))]
)
def test_a_branch_that_is_decided_is_no_question(
    tmp_path: Path, condition: bool, expected: tuple[list[str], int, int]
) -> None:
    """PyTorch asks for the size of an axis before it squeezes it."""
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "one"], ["n"]),
        node("Equal", ["n", "channels"], ["c"]),
        node(
            "If",
            ["c"],
            ["y"],
            then_branch=convolving("a", "v"),
            else_branch=branch("b", [node("Identity", ["x"], ["b_y"])]),
        ),
    ]
    channels = numpy_helper.from_array(np.array(3 if condition else 4), "channels")
    content = model(nodes, [numpy_helper.from_array(np.array(1), "one"), channels])
    assert facts(read(tmp_path, content)) == expected


def test_loops_and_what_they_take_from_outside(tmp_path: Path) -> None:
    body = helper.make_graph(
        [node("MatMul", ["state", "w"], ["h"]), node("Add", ["h", "x"], ["next"]), node("Identity", ["go"], ["on"])],
        "body",
        [tensor("i", (), TensorProto.INT64), tensor("go", (), TensorProto.BOOL), tensor("state", None)],
        [tensor("on", (), TensorProto.BOOL), tensor("next", None)],
    )
    nodes = [node("Relu", ["x"], ["r"]), node("Loop", ["times", "", "r"], ["y"], body=body)]
    traced = read(tmp_path, model(nodes, [numbers("w", 4, 4), numpy_helper.from_array(np.array(3), "times")], (2, 4)))
    assert facts(traced) == (["relu", "loop"], 16, None)
    assert traced.nodes[2].inputs == (1, 0)
    broken = helper.make_graph([node("Relu", ["nowhere"], ["on"])], "body", [], [tensor("on", None)])
    with pytest.raises(IngestError, match="Loop. takes 'nowhere'"):
        read(tmp_path, model([node("Loop", ["", "", "x"], ["y"], body=broken)]))


def function(name: str, nodes: list[NodeProto], opset: int = 17) -> FunctionProto:
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("mine", 1)]
    return helper.make_function("mine", name, ["a"], ["b"], nodes, opsets)


INNER = function("Inner", [constant("w", 8, 3, 3, 3), node("Conv", ["a", "w"], ["b"])])
OUTER = function("Outer", [node("Inner", ["a"], ["t"], domain="mine"), node("Relu", ["t"], ["b"])])
CALL = node("Outer", ["x"], ["y"], domain="mine")


def test_functions_of_the_file_are_looked_into(tmp_path: Path) -> None:
    traced = read(tmp_path, model([CALL], functions=[INNER, OUTER]))
    assert facts(traced) == (["conv3x3", "relu"], 216, 216 * 36)


def test_functions_that_call_themselves_are_not(tmp_path: Path) -> None:
    """ONNX's own inference would end the process."""
    again = function("Inner", [node("Outer", ["a"], ["b"], domain="mine")])
    traced = read(tmp_path, model([CALL], functions=[again, OUTER]))
    assert facts(traced) == (["outer"], 0, None)
    standard = helper.make_function(
        "", "Relu", ["a"], ["b"], [node("Relu", ["a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    assert facts(read(tmp_path, model([node("Relu", ["x"], ["y"])], functions=[standard]))) == (
        ["function_relu"],
        0,
        None,
    )


def test_functions_that_double_forty_times_are_not(tmp_path: Path) -> None:
    chain = [
        function(
            f"F{n}", [node(f"F{n + 1}", ["a"], ["t"], domain="mine"), node(f"F{n + 1}", ["t"], ["b"], domain="mine")]
        )
        for n in range(40)
    ]
    chain.append(function("F40", [node("Relu", ["a"], ["b"])]))
    traced = read(tmp_path, model([node("F0", ["x"], ["y"], domain="mine")], functions=chain))
    assert facts(traced) == (["f0"], 0, None)


STALE = [tensor("h", (1, 8, 99, 99)), tensor("i", (1, 8, 98, 98))]
TWO = [node("Conv", ["x", "w"], ["h"]), node("Relu", ["h"], ["i"]), node("Conv", ["i", "v"], ["y"])]
WEIGHTS = [numbers("w", 8, 3, 3, 3), numbers("v", 4, 8, 1, 1)]


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), ("N", 3, "H", "W"), (0, 3, 0, 0), (-1, 3, -1, -1)])
def test_notes_of_another_input_are_not_believed(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    content = model(TWO, WEIGHTS, shape, notes=STALE, given=(1, 4, 97, 97))
    expected = 216 * 36 + 32 * 36
    assert read(tmp_path, content).multiply_accumulates == (expected if shape[2] == 8 else None)
    assert read(tmp_path, content, (1, 3, 8, 8)).multiply_accumulates == expected
    assert read(tmp_path, content, (2, 3, 10, 8)).multiply_accumulates == 2 * expected * 8 // 6


def test_notes_are_believed_where_nothing_else_says_it(tmp_path: Path) -> None:
    odd = [node("Odd", ["x"], ["h"], domain="mine"), node("Conv", ["h", "v"], ["y"])]
    content = model(odd, WEIGHTS, notes=[tensor("h", (1, 8, 6, 6))])
    assert read(tmp_path, content).nodes[2].primitive.multiply_accumulates == 32 * 36
    assert read(tmp_path, content, (1, 3, 9, 9)).nodes[2].primitive.multiply_accumulates is None
    symbolic = model(odd, WEIGHTS, (1, 3, "H", "W"), notes=[tensor("h", (1, 8, 6, 6))])
    assert read(tmp_path, symbolic).nodes[2].primitive.multiply_accumulates is None


def test_an_input_that_does_not_fit_is_told(tmp_path: Path) -> None:
    content = model([node("MatMul", ["x", "w"], ["y"])], [numbers("w", 4, 3)], (1, 4))
    with pytest.raises(IngestError, match="shapes contradict each other.*Incompatible dimensions"):
        read(tmp_path, content, (1, 5))


def test_a_padding_that_is_computed_is_worked_out(tmp_path: Path) -> None:
    """As PyTorch writes `F.pad`."""
    nodes = [
        node("ConstantOfShape", ["four"], ["zeros"], value=helper.make_tensor("v", TensorProto.INT64, [1], [0])),
        node("Concat", ["ones", "zeros"], ["all"], axis=0),
        node("Reshape", ["all", "pairs"], ["table"]),
        node("Slice", ["table", "last", "first", "axis", "back"], ["turned"]),
        node("Transpose", ["turned"], ["flat"], perm=[1, 0]),
        node("Reshape", ["flat", "line"], ["pads"]),
        node("Pad", ["x", "pads"], ["p"]),
        node("Conv", ["p", "w"], ["y"]),
    ]
    sizes = {"four": [4], "ones": [1, 1, 1, 1], "pairs": [-1, 2], "last": [-1], "first": [-(2**63) + 1], "axis": [0]}
    sizes |= {"back": [-1], "line": [-1]}
    weights = [numpy_helper.from_array(np.array(values), name) for name, values in sizes.items()]
    assert facts(read(tmp_path, model(nodes, [*weights, numbers("w", 8, 3, 3, 3)]))) == (
        ["pad", "conv3x3"],
        216,
        216 * 64,
    )


def test_a_constant_of_absurd_size_is_not_made(tmp_path: Path) -> None:
    nodes = [
        node("ConstantOfShape", ["huge"], ["c"]),
        node("Expand", ["one", "huge"], ["e"]),
        node("Add", ["c", "e"], ["s"]),
        node("Add", ["x", "s"], ["y"]),
    ]
    weights = [numpy_helper.from_array(np.array([2**40, 2**40]), "huge"), numbers("one", 1)]
    assert names(read(tmp_path, model(nodes, weights, (1, 1)))) == ["add"]
    content = model([constant("w", 2, 2), node("MatMul", ["x", "w"], ["y"])], (), (1, 2))
    content.graph.node[0].attribute[0].t.dims[:] = [2**40, 2**20]
    with pytest.raises(IngestError, match="the weight 'w' has the shape"):
        read(tmp_path, content)


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


CONTENTS = [
    one.SerializeToString()
    for one in (
        *(quantised("QLinearConv"), quantised("QLinearAdd")),
        model([CALL], functions=[INNER, OUTER]),
        model(
            [*QUESTION, node("If", ["c"], ["y"], then_branch=convolving("a", "w"), else_branch=convolving("b", "v"))],
            [KERNEL],
        ),
    )
]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), content=st.sampled_from(CONTENTS))
def test_damaged_files_give_a_clean_error_or_a_graph(
    data: st.DataObject, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path_factory.getbasetemp() / "damaged_costs.onnx"
    path.write_bytes(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
    try:
        traced = read_onnx(path)
    except IngestError:
        return
    assert len(traced.attributes()) == len(traced.nodes)
