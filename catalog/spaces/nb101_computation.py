"""The computation graph of the network that NAS-Bench-101 builds from a module."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from catalog.architecture.computation import blocks
from catalog.architecture.computation.blocks import Block
from catalog.architecture.computation.plan import NetworkPlan
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.skeleton import CIFAR10, STEM_KERNEL, Skeleton
from catalog.spaces.nb101_network import CONVOLUTIONS, SKELETON, module_channels, vertex_sources


def network_plan(
    graph: ArchitectureGraph, skeleton: Skeleton = SKELETON, dataset: str = CIFAR10, *, compressed: bool = True
) -> NetworkPlan:
    """The network of a pruned module.

    Parameters
    ----------
    skeleton, dataset
        The network's size, and what it is trained on.
    compressed
        Whether a stack has one module that stands for all of them. Those after the first may have wider inputs; the
        costs of its projections are those of all.
    """
    cell = graph.cells[0]
    sources = vertex_sources(cell)
    image = skeleton.image(dataset)
    plan = NetworkPlan(image)
    state = plan.add(blocks.conv_bn_relu(image, skeleton.stem_channels, STEM_KERNEL), 0)
    for stage in skeleton.stages:
        if stage.reduces:
            state = plan.add(blocks.pooling(plan.blocks[state].shape, "max", 2, 2), state)
        channels = module_channels(sources, stage.channels, stage.channels)
        for copies in [stage.cells] if compressed else [1] * stage.cells:
            entering = plan.blocks[state].shape
            made = _module_blocks(entering, stage.channels, copies)
            state = _add_module(plan, cell.operators, sources, channels, state, made)
    plan.add(blocks.classifier(plan.blocks[state].shape, skeleton.datasets[dataset].classes), state)
    return plan


class _ModuleBlocks(dict[tuple[str, int], Block]):
    """The blocks of a stack's modules by word and number, each made when a module first needs it.

    The number is that of the channels that a block gives; of a ``concat`` that of the vertices it joins.

    Parameters
    ----------
    entering
        What the first of the modules takes.
    outputs
        Channels that the modules give.
    copies
        How many modules each block stands for.
    """

    def __init__(self, entering: Shape, outputs: int, copies: int) -> None:
        super().__init__()
        self._entering = entering
        self._outputs = outputs
        self._copies = copies

    def __missing__(self, key: tuple[str, int]) -> Block:
        self[key] = self._block(*key)
        return self[key]

    def _block(self, word: str, number: int) -> Block:
        shape = self._shape(number)
        if word == "projection":
            later = self._shape(self._outputs)
            entering = [later if copy else self._entering for copy in range(self._copies)]
            return blocks.together([blocks.conv_bn_relu(one, number, 1) for one in entering])
        if word == "concat":
            share, remainder = divmod(self._outputs, number)
            parts = tuple(self._shape(share + (place < remainder)) for place in range(number))
            return blocks.concat(parts, self._copies)
        if word == "maxpool3x3":
            return blocks.pooling(shape, "max", 3, repeats=self._copies)
        if word in CONVOLUTIONS:
            return blocks.times(blocks.conv_bn_relu(shape, number, CONVOLUTIONS[word]), self._copies)
        return blocks.plain(shape, word, self._copies)

    def _shape(self, channels: int) -> Shape:
        return (1, channels, *self._entering[2:])


@cache
def _module_blocks(entering: Shape, outputs: int, copies: int) -> _ModuleBlocks:
    return _ModuleBlocks(entering, outputs, copies)


def _add_module(
    plan: NetworkPlan,
    operators: Sequence[str],
    sources: Sequence[Sequence[int]],
    channels: Sequence[int],
    state: int,
    made: _ModuleBlocks,
) -> int:
    """Add a module: the input reaches vertices through projections, vertices add, the output joins."""
    add = plan.add
    last = len(operators) - 1
    values = [state]
    for vertex in range(1, last + 1):
        width = channels[vertex]
        fed = sources[vertex]
        if vertex < last:
            terms = [
                values[source] if channels[source] == width else add(made["slice", width], values[source])
                for source in fed
                if source
            ]
        else:
            terms = [values[source] for source in fed if source]
            terms = [add(made["concat", len(terms)], *terms)] if len(terms) > 1 else terms
        if fed[0] == 0:
            terms.append(add(made["projection", width], state))
        value = terms[0]
        for term in terms[1:]:
            value = add(made["add", width], value, term)
        values.append(value if vertex == last else add(made[operators[vertex], width], value))
    return values[last]
