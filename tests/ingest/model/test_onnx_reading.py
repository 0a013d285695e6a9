"""ONNX files become the graphs of the modules that they came from; what is no ONNX file is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from catalog.architecture.computation.graph import ComputationGraph
from catalog.errors import IngestError, MissingExtraError
from ingest.model.onnx_reading import read_onnx
from tests.ingest.model import onnx_models
from tests.ingest.model.onnx_damage import check_damaged
from tests.ingest.model.onnx_models import model, weight, written


def names(traced: ComputationGraph) -> list[str]:
    return [node.primitive.operator.name for node in traced.nodes]


def test_a_file_and_the_module_behind_it_are_the_same_graph(tmp_path: Path) -> None:
    """All but the dropout, which exporters leave out."""
    pytest.importorskip("torch")
    from ingest.model.torch_tracing import trace_module
    from tests.ingest.model.networks import Residual

    read = read_onnx(written(tmp_path / "net.onnx", onnx_models.residual()))
    traced = trace_module(Residual(), (1, 3, 32, 32))
    kept = [node for node in traced.nodes if node.primitive.operator.name != "dropout"]
    assert [node.primitive for node in read.nodes] == [node.primitive for node in kept]
    assert [node.shape for node in read.nodes] == [node.shape for node in kept]
    assert [node.parameters for node in read.nodes] == [node.parameters for node in kept]
    assert [node.name for node in read.nodes if node.name in ("stem", "norm", "down", "head")] == [
        "stem", "norm", "down", "head",
    ]  # fmt: skip


def test_running_statistics_are_not_trained(tmp_path: Path) -> None:
    read = read_onnx(written(tmp_path / "net.onnx", onnx_models.residual()))
    assert {node.name: node.parameters for node in read.nodes}["norm"] == 32


def test_a_given_shape_replaces_that_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "net.onnx", onnx_models.residual())
    small, usual = read_onnx(path, [(1, 3, 16, 16)]), read_onnx(path)
    assert small.nodes[0].shape == (1, 3, 16, 16)
    assert small.nodes[1].primitive.multiply_accumulates * 4 == usual.nodes[1].primitive.multiply_accumulates
    assert read_onnx(path, [(2, 3, 32, 32)]).multiply_accumulates == 2 * usual.multiply_accumulates
    with pytest.raises(IngestError, match=r"has 1 inputs \(x\), but 2 shapes were given"):
        read_onnx(path, [(1, 3, 16, 16), (1, 3)])
    with pytest.raises(IngestError, match=r"for 3 channels, but takes a tensor of shape \(1, 4, 16, 16\)"):
        read_onnx(path, [(1, 4, 16, 16)])


def test_a_symbolic_size_that_matters_leaves_the_cost_open(tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"])]
    path = written(tmp_path / "net.onnx", model(nodes, [weight("w", 4, 3, 3, 3)], ("N", 3, "height", 8)))
    read = read_onnx(path)
    assert (read.nodes[1].shape, read.multiply_accumulates, read.parameters) == (None, None, 108)
    assert read_onnx(path, [(1, 3, 8, 8)]).multiply_accumulates == 4 * 6 * 6 * 27


def test_attention_written_out_is_read_as_it_is_written(tmp_path: Path) -> None:
    read = read_onnx(written(tmp_path / "block.onnx", onnx_models.transformer()))
    assert names(read) == [
        "input", "embedding", "linear", "linear", "permute", "matmul", "divide", "softmax", "matmul", "add",
        "layernorm", "reshape", "output",
    ]  # fmt: skip
    assert read.parameters == 11 * 16 + 2 * 256 + 32
    assert read.multiply_accumulates == 2 * 5 * 16 * 16 + 2 * 5 * 5 * 16
    assert read.nodes[5].inputs == (2, 4)
    assert read.nodes[11].shape == (1, 5, 16)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([helper.make_node("Relu", ["nowhere"], ["y"])], "operator 1 .Relu. takes 'nowhere', which nothing before it"),
        ([helper.make_node("Conv", ["x", "w"], ["y"], strides=[0, 1])], "strides|contradict"),
        ([helper.make_node("Conv", ["x", "w"], ["y"], group=-2)], "group|contradict"),
        ([helper.make_node("Conv", ["x"], ["y"])], "weight of shape None|contradict"),
        ([helper.make_node("MaxPool", ["x"], ["y"])], "kernel_shape|contradict"),
        ([helper.make_node("Identity", ["w"], ["y"])], "no result of the network is computed from its input"),
        ([], "it has no operators"),
    ],
)
def test_faults_of_the_graph_are_told(tmp_path: Path, nodes: list[object], message: str) -> None:
    path = written(tmp_path / "net.onnx", model(nodes, [weight("w", 4, 3, 3, 3)], (1, 3, 8, 8)))  # type: ignore[arg-type]
    with pytest.raises(IngestError, match=message):
        read_onnx(path)


def test_a_missing_or_large_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="cannot be read"):
        read_onnx(tmp_path / "none.onnx")
    path = written(tmp_path / "net.onnx", onnx_models.residual())
    with pytest.raises(IngestError, match="more than the limit of 100"):
        read_onnx(path, size_limit=100)


def test_weights_in_other_files_are_not_opened(tmp_path: Path) -> None:
    """A path in a file must not make us read what lies there."""
    content = onnx_models.residual()
    stem = content.graph.initializer[0]
    stem.ClearField("raw_data")
    stem.data_location = stem.EXTERNAL
    for key, value in (("location", "../../../etc/passwd"), ("length", "1728")):
        entry = stem.external_data.add()
        entry.key, entry.value = key, value
    read = read_onnx(written(tmp_path / "net.onnx", content))
    assert {node.name: node.parameters for node in read.nodes}["stem"] == 432


def test_a_weight_of_absurd_size_is_refused(tmp_path: Path) -> None:
    content = onnx_models.residual()
    content.graph.initializer[0].dims[:] = [2**40, 2**20, 3, 3]
    with pytest.raises(IngestError, match="the weight 'stem' has the shape"):
        read_onnx(written(tmp_path / "net.onnx", content))


def test_the_package_onnx_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'nas-catalog\[onnx\]'"):
        read_onnx(tmp_path / "net.onnx")


def test_reading_needs_no_torch(tmp_path: Path) -> None:
    path = written(tmp_path / "net.onnx", onnx_models.residual())
    script = (
        "import sys; from pathlib import Path; import ingest.model.loader\n"
        "from ingest.model.onnx_reading import read_onnx\n"
        "read_onnx(Path(sys.argv[1])); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == 0


CONTENTS = [onnx_models.residual(channels=2).SerializeToString(), onnx_models.transformer().SerializeToString()]


@settings(max_examples=150)
@given(data=st.data(), content=st.sampled_from(CONTENTS))
def test_damaged_files_give_a_clean_error_or_a_graph(
    data: st.DataObject, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_damaged(data, content, tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("name", [b"depthwise", b"Conv", b"point_bias"])
def test_names_that_are_no_text(name: bytes, tmp_path: Path) -> None:
    """Protobuf hands such names over as bytes."""
    content = onnx_models.residual().SerializeToString()
    assert name in content
    path = tmp_path / "net.onnx"
    path.write_bytes(content.replace(name, b"\xff" + name[1:]))
    with pytest.raises(IngestError, match=r"net.onnx: the name b'\\xff.* is no UTF-8"):
        read_onnx(path)


@pytest.mark.parametrize(("bounds", "word"), [((0.0, 6.0), "relu6"), ((-1.0, 1.0), "clip"), ((0.0, None), "clip")])
def test_a_clip_to_six_is_a_relu6_in_files_of_every_age(
    bounds: tuple[float, float | None], word: str, tmp_path: Path
) -> None:
    told = {name: value for name, value in zip(("min", "max"), bounds, strict=True) if value is not None}
    constants = [helper.make_node("Constant", [], [name], value_float=value) for name, value in told.items()]
    for nodes in (
        [helper.make_node("Clip", ["x"], ["y"], **told)],
        [*constants, helper.make_node("Clip", ["x", *told], ["y"])],
    ):
        read = read_onnx(written(tmp_path / "clip.onnx", model(nodes, [], (1, 3))))
        assert [node.primitive.operator.name for node in read.nodes] == ["input", word, "output"]
