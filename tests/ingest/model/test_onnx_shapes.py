"""Shapes inside ONNX files: noted, stale, computed and absurd."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from catalog.errors import IngestError
from tests.ingest.model.onnx_files import (
    constant,
    facts,
    model,
    names,
    node,
    numbers,
    read,
    tensor,
)

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
