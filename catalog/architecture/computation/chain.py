"""Layers under construction: what one operator of a whole network is made of, one layer after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from catalog.architecture.computation import layers
from catalog.architecture.computation.layers import Layer
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.sizes import Size
from catalog.errors import GraphError

IMAGE = 4
"""Axes of an image with its batch; a sequence has one less."""

_NORMS = MappingProxyType(
    {
        "batch": "batchnorm",
        "batchnorm": "batchnorm",
        "layer": "layernorm",
        "layernorm": "layernorm",
        "group": "groupnorm",
        "groupnorm": "groupnorm",
        "instance": "instancenorm",
        "instancenorm": "instancenorm",
        "rms": "rmsnorm",
        "rmsnorm": "rmsnorm",
    }
)
"""Words of the field ``norm``, and the catalog's word for each."""

_WITHOUT_SHIFT = frozenset({"layernorm", "rmsnorm"})
"""Normalisations that may have scales alone."""


@dataclass(frozen=True)
class Laid:
    """The layers of one operator at its place.

    Parameters
    ----------
    layers
        Each follows what it takes: one after the other, but for those with branches such as squeeze-and-excitation,
        whose last multiplies what it began with.
    inputs
        For each layer the places of those that it takes; none for the first.
    """

    layers: tuple[Layer, ...]
    inputs: tuple[tuple[int, ...], ...]

    @property
    def shape(self) -> Shape:
        """Of the output."""
        return self.layers[-1].shape


class Chain:
    """Layers under construction, each taking the one before it unless others are named by their places."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.layers: list[Layer] = []
        self.inputs: list[tuple[int, ...]] = []

    def add(self, layer: Layer, *inputs: int) -> int:
        """Add a layer, and return its place."""
        self.inputs.append(inputs or ((len(self.layers) - 1,) if self.layers else ()))
        self.layers.append(layer)
        self.shape = layer.shape
        return len(self.layers) - 1

    def norm(self, said: Size, *, default: bool, groups: int | None = None, shift: bool = True) -> None:
        """The normalisation that a node says; without a shift where it has scales alone."""
        if (said.norm is None and not default) or said.norm is False:
            return
        usual = "batchnorm" if len(self.shape) == IMAGE else "layernorm"
        word = _norm_word(said.norm if isinstance(said.norm, str) else usual)
        if not shift and word not in _WITHOUT_SHIFT:
            raise GraphError(f"bias is false, and a {word} has one; layer and rms normalisations can be without.")
        made = layers.norm(self.shape, word)
        unshifted = made if shift else replace(made, parameters=layers.channels_of(self.shape))
        self.add(replace(unshifted, parts=groups))

    def activation(self, said: Size, *, default: str | None) -> None:
        """The activation that a node says."""
        if said.activation is False or (said.activation is None and default is None):
            return
        word = said.activation if isinstance(said.activation, str) else default or "relu"
        self.add(layers.activation(self.shape, word))

    def squeeze(self, said: Size, entering: int) -> None:
        """Squeeze-and-excitation (Hu et al. 2018), as wide inside as the block's input times the ratio."""
        if said.squeeze is None or len(self.shape) != IMAGE:
            return
        begin, channels = len(self.layers) - 1, self.shape[1]
        inner = max(1, round(said.squeeze * entering))
        self.add(layers.global_pooling(self.shape))
        self.add(layers.convolution(self.shape, inner, 1, bias=True))
        self.add(layers.activation(self.shape))
        self.add(layers.convolution(self.shape, channels, 1, bias=True))
        self.add(layers.activation(self.shape, "sigmoid"))
        self.add(layers.plain(self.layers[begin].shape, "multiply"), begin, len(self.layers) - 1)

    def finish_convolution(self, said: Size, entering: int) -> None:
        """What follows a convolution unless the node says otherwise, in a block that `entering` channels enter."""
        self.norm(said, default=True)
        self.activation(said, default="relu")
        self.squeeze(said, entering)

    def done(self) -> Laid:
        """All of them."""
        return Laid(tuple(self.layers), tuple(self.inputs))


def mapped(made: Chain, outputs: int, *, bias: bool) -> None:
    """A linear map of the channels: of each pixel, or of each token."""
    if len(made.shape) == IMAGE:
        made.add(layers.convolution(made.shape, outputs, 1, bias=bias))
    else:
        made.add(layers.linear(made.shape, outputs, bias=bias))


def channels_given(said: Size, entering: int) -> int:
    """Channels of the output: those that a node says, or those that it takes.

    Raises
    ------
    GraphError
        It says no whole number.
    """
    if said.channels is None:
        return entering
    if said.channels != int(said.channels):
        raise GraphError(f"channels is {said.channels}; a whole network needs a whole number.")
    return int(said.channels)


def scaled(ratio: float, width: int) -> int:
    """An inner width, rounded; at least one."""
    return max(1, round(ratio * width))


def with_channels(shape: Shape, channels: int) -> Shape:
    """The shape of an image or a sequence with other channels."""
    return (shape[0], channels, *shape[2:]) if len(shape) == IMAGE else (*shape[:-1], channels)


def _norm_word(word: str) -> str:
    if word not in _NORMS:
        raise GraphError(f"norm is {word!r:.80}; true, false or one of {', '.join(sorted(set(_NORMS)))} is needed.")
    return _NORMS[word]
