"""Channels, parameters and multiply-accumulates against published examples and a network that really runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import CellGraph
from catalog.spaces import nb101_identifiers
from catalog.spaces.nb101_enumeration import matrices
from catalog.spaces.nb101_hash import NODE_OPERATORS
from catalog.spaces.nb101_network import costs, module_channels, multiply_accumulates, parameters, vertex_channels
from tests.catalog.spaces.nb101_specs import INCEPTION, modules


@pytest.mark.parametrize(
    ("edges", "inputs", "outputs", "channels"),
    [  # the examples of the benchmark's own unit test of compute_vertex_channels
        ([(0, 1), (1, 2), (2, 3)], 8, 16, [8, 16, 16, 16]),
        ([(0, 1)], 5, 1, [5, 1]),
        ([(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)], 16, 8, [16, 8, 8, 8, 8]),
        ([(0, 1), (0, 2), (1, 3), (2, 3)], 8, 15, [8, 8, 7, 15]),
        ([(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)], 8, 8, [8, 3, 3, 2, 8]),
        ([(0, 1), (1, 2), (1, 3), (2, 4), (3, 4)], 8, 9, [8, 5, 5, 4, 9]),
        ([(0, 1), (0, 3), (1, 2), (1, 4), (2, 3), (3, 4)], 8, 15, [8, 8, 7, 7, 15]),
    ],
)
def test_channels_equal_the_benchmarks_examples(
    edges: list[tuple[int, int]], inputs: int, outputs: int, channels: list[int]
) -> None:
    matrix = np.zeros((len(channels), len(channels)), dtype=np.uint8)
    for source, target in edges:
        matrix[source, target] = 1
    assert vertex_channels(matrix[None], inputs, outputs).tolist() == [channels]
    sources = [[source for source, target in edges if target == vertex] for vertex in range(len(channels))]
    assert module_channels(sources, inputs, outputs) == channels


def test_parameters_of_the_readmes_module() -> None:
    """The benchmark's README prints 2,694,282 trainable parameters for it."""
    arrays = CellArrays.of([nb101_identifiers.parse(INCEPTION)], NODE_OPERATORS)
    assert parameters(arrays.adjacency, arrays.operators).tolist() == [2_694_282]


class Convolution(nn.Sequential):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


class Module(nn.Module):
    """One module, written from the paper's prose without the arithmetic under test but for the channels."""

    def __init__(self, cell: CellGraph, inputs: int, outputs: int) -> None:
        super().__init__()
        self.matrix = cell.adjacency()
        self.channels = vertex_channels(self.matrix[None], inputs, outputs)[0].tolist()
        self.projections, self.operators = nn.ModuleDict(), nn.ModuleDict()
        for vertex, name in enumerate(cell.operators):
            width = self.channels[vertex]
            if self.matrix[0, vertex]:
                self.projections[str(vertex)] = Convolution(inputs, width, 1)
            if name in ("conv3x3", "conv1x1"):
                self.operators[str(vertex)] = Convolution(width, width, 3 if name == "conv3x3" else 1)
            elif name == "maxpool3x3":
                self.operators[str(vertex)] = nn.MaxPool2d(3, stride=1, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        values: dict[int, Tensor] = {}
        last = len(self.channels) - 1
        for vertex in range(1, last):
            terms = [values[s][:, : self.channels[vertex]] for s in range(1, vertex) if self.matrix[s, vertex]]
            if self.matrix[0, vertex]:
                terms.append(self.projections[str(vertex)](image))
            values[vertex] = self.operators[str(vertex)](torch.stack(terms).sum(dim=0))
        joined = [values[s] for s in range(1, last) if self.matrix[s, last]]
        output = [torch.cat(joined, dim=1)] if joined else []
        if self.matrix[0, last]:
            output.append(self.projections[str(last)](image))
        return torch.stack(output).sum(dim=0)


def network(cell: CellGraph) -> nn.Sequential:
    layers: list[nn.Module] = [Convolution(3, 128, 3)]
    width = 128
    for stack in range(3):
        if stack:
            layers.append(nn.MaxPool2d(2))
        for _ in range(3):
            layers.append(Module(cell, width, 128 * 2**stack))
            width = 128 * 2**stack
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


def counted(cell: CellGraph) -> tuple[int, int]:
    """Parameters, and multiply-accumulates as forward hooks see them, of the network on one image."""
    operations = 0

    def count(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal operations
        if isinstance(layer, nn.Conv2d):
            operations += output[0, 0].numel() * layer.weight.numel()
        elif isinstance(layer, nn.Linear):
            operations += layer.weight.numel()

    with torch.device("meta"):
        model = network(cell).eval()
        for layer in model.modules():
            layer.register_forward_hook(count)
        assert model(torch.empty(1, 3, 32, 32)).shape == (1, 10)
    return sum(weight.numel() for weight in model.parameters()), operations


@settings(max_examples=15)
@given(modules())
def test_costs_equal_what_hooks_count_in_a_real_network(cell: CellGraph) -> None:
    arrays = CellArrays.of([cell], NODE_OPERATORS)
    found = costs(arrays.adjacency, arrays.operators)
    assert (int(found[0][0]), int(found[1][0])) == counted(cell)


def test_the_smallest_module_is_projections_only() -> None:
    matrix = matrices(np.array([1]), 2)
    operators = np.array([[3, 4]])
    projections = [(128, 128)] * 3 + [(128, 256)] + [(256, 256)] * 2 + [(256, 512)] + [(512, 512)] * 2
    weights = [inputs * outputs for inputs, outputs in projections]
    assert parameters(matrix, operators).tolist() == [
        27 * 128 + 2 * 128 + sum(weights) + 2 * sum(outputs for _, outputs in projections) + 512 * 10 + 10
    ]
    pixels = [32**2] * 3 + [16**2] * 3 + [8**2] * 3
    operations = sum(weight * pixel for weight, pixel in zip(weights, pixels, strict=True))
    assert multiply_accumulates(matrix, operators).tolist() == [27 * 128 * 32**2 + operations + 512 * 10]
