"""PyTorch modules become graphs of primitive operators whose parameters and costs are those of the module."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from catalog.architecture.computation.graph import MOST_NODES, ComputationGraph
from catalog.errors import IngestError
from ingest.model import torch_tracing
from ingest.model.torch_tracing import trace_module
from tests.ingest.model.networks import Block, Branching, Functional, Language, Residual


def names(traced: ComputationGraph) -> list[str]:
    return [node.primitive.operator.name for node in traced.nodes]


def parameters(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


@pytest.fixture(scope="module")
def residual() -> ComputationGraph:
    return trace_module(Residual(), (1, 3, 32, 32))


def test_a_convolutional_network_becomes_its_operators(residual: ComputationGraph) -> None:
    assert names(residual) == [
        "input", "conv3x3", "batchnorm", "relu", "depthwise_conv5x5", "conv1x1", "add", "grouped_dilated2_conv3x1",
        "relu", "maxpool3x3", "global_avgpool", "reshape", "dropout", "linear", "output",
    ]  # fmt: skip
    assert residual.nodes[6].inputs == (3, 5)
    assert [node.name for node in residual.nodes[:3]] == ["images", "stem", "norm"]
    assert residual.nodes[7].shape == (1, 32, 16, 18)


def test_windows_groups_and_costs_are_those_of_the_layers(residual: ComputationGraph) -> None:
    """Counted by hand: outputs x window x input channels of a group."""
    found = {node.name: node for node in residual.nodes}
    assert found["stem"].primitive.multiply_accumulates == 16 * 32 * 32 * 9 * 3
    assert found["depthwise"].primitive.multiply_accumulates == 16 * 32 * 32 * 25
    assert found["down"].primitive.multiply_accumulates == 32 * 16 * 18 * 3 * 8
    assert found["head"].primitive.multiply_accumulates == 32 * 10
    down = found["down"].primitive
    assert (down.kernel, down.stride, down.groups) == ((3, 1), (2, 2), 2)
    assert found["depthwise"].primitive.operator.depthwise
    assert residual.multiply_accumulates == residual.live_multiply_accumulates
    assert found["norm"].parameters == 32


@pytest.mark.parametrize(
    ("module", "shape"),
    [(Residual(), (1, 3, 32, 32)), (Functional(), (2, 3, 16, 16)), (Block(), (1, 5, 16)), (Branching(), (1, 4))],
    ids=["residual", "functional", "block", "branching"],
)
def test_parameters_are_those_of_the_module(module: nn.Module, shape: tuple[int, ...]) -> None:
    assert trace_module(module, shape).parameters == parameters(module)


def test_functions_and_own_weights_are_primitive_operators_too() -> None:
    traced = trace_module(Functional(), (2, 3, 16, 16))
    assert names(traced) == [
        "input", "conv3x3", "add", "transposed_conv2x2", "avgpool2x2", "split", "slice", "slice", "concat", "mean",
        "linear", "linear", "multiply", "subtract", "output",
    ]  # fmt: skip
    counts = [node.parameters for node in traced.nodes]
    assert counts[1:4] == [8 * 27, 8, 8 * 4 * 4 + 4]
    assert counts[10:12] == [20, 0]  # a shared weight counts once
    assert traced.nodes[3].primitive.multiply_accumulates == 2 * 8 * 8 * 8 * 4 * 4
    assert traced.nodes[8].inputs == (7, 6)  # the order of the operands
    assert traced.nodes[13].settings == "1.5"


def test_attention_of_pytorch_is_one_operator_with_its_projections() -> None:
    traced = trace_module(Block(), (1, 5, 16))
    assert names(traced) == [
        "input", "layernorm", "multihead_attention", "add", "linear", "gelu", "linear", "add", "output",
    ]  # fmt: skip
    # 4 projections of 5 tokens, 16 x 16 each, and twice 5 x 5 products of 16 channels
    assert traced.nodes[2].primitive.multiply_accumulates == 4 * 5 * 256 + 2 * 25 * 16
    assert traced.nodes[2].inputs == (1, 1, 1)


def test_a_library_encoder_falls_back_to_export_and_shows_its_attention() -> None:
    """Its forward has control flow that depends on tensors."""
    module = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    traced = trace_module(module, (1, 5, 16))
    counts = traced.operator_counts()
    assert (counts["linear"], counts["attention"], counts["layernorm"], counts["add"]) == (4, 1, 2, 2)
    assert traced.parameters == parameters(module)
    # the linear maps of 5 tokens (48, 16, 32 and 16 wide), and 2 heads of 5 x 5 products of 8 channels, twice
    assert traced.multiply_accumulates == 5 * 16 * (48 + 16) + 2 * 5 * 16 * 32 + 2 * 2 * 25 * 8


def test_both_ways_of_tracing_agree() -> None:
    symbolic = trace_module(Residual(), (1, 3, 32, 32))
    with torch_tracing._evaluating(module := Residual()):
        exported = torch_tracing._trace_by_export(module, [torch.zeros(1, 3, 32, 32)])
    assert names(exported) == [name.replace("dropout", "identity") for name in names(symbolic)]  # which it is here
    assert [node.shape for node in exported.nodes] == [node.shape for node in symbolic.nodes]
    assert [node.parameters for node in exported.nodes] == [node.parameters for node in symbolic.nodes]
    assert exported.multiply_accumulates == symbolic.multiply_accumulates


def test_several_inputs_outputs_and_dead_parts() -> None:
    module = Language()
    traced = trace_module(module, [torch.zeros(1, 7, dtype=torch.int64)])
    assert names(traced) == [
        "input", "embedding", "linear", "gru", "reduce_sum", "gather_outputs", "output",
    ]  # fmt: skip
    assert traced.parameters == parameters(module)
    assert traced.live_parameters == parameters(module) - parameters(module.aside)
    assert traced.nodes[3].primitive.multiply_accumulates == 7 * 3 * 5 * (6 + 5)
    two = trace_module(nn.Bilinear(3, 4, 5), [torch.zeros(1, 3), torch.zeros(1, 4)])
    assert names(two) == ["input", "input", "bilinear", "output"]
    assert two.multiply_accumulates is None  # nobody counts this product


def test_tracing_leaves_the_module_as_it_was() -> None:
    module = Residual()
    module.norm.eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    trace_module(module, (1, 3, 32, 32))
    assert module.training
    assert not module.norm.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize(("module", "shape"), [(Residual(), (1, 4, 32, 32)), (Branching(), (2, 4))])
def test_what_cannot_be_traced_says_what_both_ways_said(module: nn.Module, shape: tuple[int, ...]) -> None:
    with pytest.raises(
        IngestError, match=r"cannot be traced with inputs of shape \(.*torch.fx says .*torch.export says "
    ):
        trace_module(module, shape)


def test_a_module_without_computation_or_too_large_is_refused() -> None:
    class Constant(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.zeros(3)

    with pytest.raises(IngestError, match="no result of the network is computed from its input"):
        trace_module(Constant(), (1, 3))
    with pytest.raises(IngestError, match=f"more than {MOST_NODES} primitive operators"):
        trace_module(nn.Sequential(*(nn.ReLU() for _ in range(MOST_NODES))), (1, 3))


def test_an_element_of_a_tensor_is_a_part_and_the_first_of_several_is_no_part() -> None:
    class Parts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 4, 1)
            self.pool = nn.MaxPool2d(2, return_indices=True)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.pool(self.layer(images[0]))[0].max(1)[0][0]

    traced = trace_module(Parts(), (2, 3, 8, 8))
    assert names(traced) == ["input", "slice", "conv1x1", "maxpool2x2", "reduce_max", "slice", "output"]
    assert [node.shape for node in traced.nodes[1:]] == [(3, 8, 8), (4, 8, 8), (4, 4, 4), (4, 4), (4,), (4,)]
