"""What a zero-cost proxy is: a name, a direction, what it needs, and one number for a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from catalog.errors import ProxyError
from predictor.zero_cost.passes import Need, Passes

DRAWN_BY_LAYER = "2"
"""Version of what is measured with weights that a layer's name seeds; in version 1 one stream gave all of them."""


class Proxy(ABC):
    """One proxy. A plug-in subclasses it and names itself in the entry point group ``catalog.proxies``.

    `measure` may raise `catalog.errors.ProxyError` where the network has no value; a result that is not finite
    becomes a failed score as well.
    """

    name: ClassVar[str]
    needs: ClassVar[Need]
    direction: ClassVar[int] = 1
    """+1 if higher is better, -1 if lower is better."""
    version: ClassVar[str] = "1"
    native: ClassVar[bool] = False
    """Whether dead operators of the native form count, so that equal functions may score differently."""

    reference: str = ""
    """How another process finds it: its name, or ``module:Class`` for one in a user's file."""
    code_sha256: str | None = None
    """Of the user's file that it came from."""

    @abstractmethod
    def measure(self, passes: Passes) -> float:
        """The score of the network behind `passes`."""

    @property
    def description(self) -> str:
        """First line of the docstring."""
        return (type(self).__doc__ or "").strip().partition("\n")[0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class LayeredProxy(Proxy):
    """A proxy that has a value of each layer, too."""

    layer_needs: ClassVar[Need] = Need.NOTHING
    """What its layers need beside `needs`."""

    @abstractmethod
    def layer_parts(self, passes: Passes) -> dict[str, float | None]:
        """By the layer's name what is kept of it; None where a layer has no value."""


class LayerwiseProxy(LayeredProxy):
    """A proxy that is the sum of one value a layer; the layers are the convolutions and linear layers in order."""

    @abstractmethod
    def layer_values(self, passes: Passes) -> Tensor:
        """(layers,) in the order of ``passes.layers``."""

    def measure(self, passes: Passes) -> float:
        return float(self.layer_values(passes).sum())

    def layer_parts(self, passes: Passes) -> dict[str, float | None]:
        return dict(zip(passes.layers, self.layer_values(passes).tolist(), strict=True))


def per_layer(values: list[Tensor]) -> Tensor:
    """One number for each layer, in double precision so that the sum over layers adds no round-off of its own."""
    return torch.stack([value.detach().double().sum() for value in values])


def compared_images(passes: Passes) -> int:
    """How many images the first minibatch compares with one another.

    Raises
    ------
    ProxyError
        It is a single one: what compares images then has one value for all networks, or knows their sizes alone.
    """
    images = len(passes.batches[0].labels)
    if images < 2:
        raise ProxyError("it compares images with one another and the minibatch has only one; use a larger one")
    return images
