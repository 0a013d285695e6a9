"""ONNX graphs within graphs: branches, loops and the functions of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import FunctionProto, GraphProto, NodeProto, TensorProto, helper, numpy_helper

from catalog.errors import IngestError
from tests.ingest.model.onnx_damage import check_damaged
from tests.ingest.model.onnx_files import (
    constant,
    facts,
    model,
    node,
    numbers,
    read,
    tensor,
)


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
    assert facts(traced) == (["reduce_max", "bool", "if"], 2 * 216, None)
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


CONTENTS = [
    model([CALL], functions=[INNER, OUTER]).SerializeToString(),
    model(
        [*QUESTION, node("If", ["c"], ["y"], then_branch=convolving("a", "w"), else_branch=convolving("b", "v"))],
        [numbers("w", 8, 3, 3, 3)],
    ).SerializeToString(),
]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), content=st.sampled_from(CONTENTS))
def test_damaged_files_give_a_clean_error_or_a_graph(
    data: st.DataObject, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_damaged(data, content, tmp_path_factory.getbasetemp())
