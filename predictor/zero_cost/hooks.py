"""Looking into a forward pass: contexts that note what goes into and comes out of modules."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial

from torch import Tensor, nn

RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU)
"""What counts as a ReLU, as in the code of Mellor et al. 2021."""


@contextmanager
def recorded_signals(network: nn.Module) -> Generator[dict[str, Tensor], None, None]:
    """For each ReLU by its name, in order of execution: what goes into it, part of the graph that derives.

    What goes into a ReLU that runs again has a name of its own: ``relu:2``.
    """
    signals: dict[str, Tensor] = {}

    def record(name: str, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        runs = 1 + sum(known.partition(":")[0] == name for known in signals)
        signals[name if runs == 1 else f"{name}:{runs}"] = inputs[0]

    handles = [
        module.register_forward_pre_hook(partial(record, name))
        for name, module in network.named_modules()
        if isinstance(module, RECTIFIERS)
    ]
    try:
        yield signals
    finally:
        for handle in handles:
            handle.remove()


def code(signal: Tensor) -> Tensor:
    """(B, neurons): whether what goes into a ReLU is positive."""
    return (signal.detach() > 0).flatten(1)


@contextmanager
def recorded_outputs(modules: Sequence[nn.Module]) -> Generator[dict[int, Tensor], None, None]:
    """The latest output of each module by its place in `modules`; a module that never ran has none."""
    outputs: dict[int, Tensor] = {}

    def record(place: int, _: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
        outputs[place] = output

    handles = [module.register_forward_hook(partial(record, place)) for place, module in enumerate(modules)]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def recorded_inputs(module: nn.Module) -> Generator[list[Tensor], None, None]:
    """What goes into one module, a tensor a call."""
    inputs: list[Tensor] = []

    def record(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        inputs.append(given[0].detach())

    handle = module.register_forward_pre_hook(record)
    try:
        yield inputs
    finally:
        handle.remove()
