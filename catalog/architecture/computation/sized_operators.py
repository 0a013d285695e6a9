"""What one operator is at its place in a whole network: its layers, or what its node says of it."""

from __future__ import annotations

from catalog.architecture.computation.chain import IMAGE, Laid
from catalog.architecture.computation.layers import Layer, channels_of
from catalog.architecture.computation.primitives import Primitive, Shape
from catalog.architecture.computation.sized_layers import EVERYWHERE, READ, laid, windowed
from catalog.architecture.operators import Operator
from catalog.architecture.sizes import FIELDS, Size
from catalog.errors import GraphError


def applied(operator: Operator, size: Size | None, shape: Shape) -> Laid | None:
    """The layers of one application of a node's operator; without layers where it changes nothing.

    None where its fields do not say what it is. What its node says of parameters and multiply-accumulates holds before
    what is counted.

    Raises
    ------
    GraphError
        The size is impossible for this input, or has a field that its operator cannot have.
    """
    passes = operator.is_identity or operator.is_join or operator.is_zero
    if operator.kind == "output" or (passes and size is None):
        return Laid((), ())
    said = operator.sized(size)
    generic = operator.counts_as
    if operator.kind == "skip":
        generic = "conv"
        found = _projection(said, shape)
    elif operator.is_zero:
        return Laid((), ()) if said.channels is None and said.stride is None else _zeros(operator, said, shape)
    elif passes:
        generic = "sum"
        found = Laid((), ())
    else:
        found = None if generic is None or operator.missing(size) else laid(generic, said, shape)
    if size is not None and generic is not None:
        _check_fields(operator, generic, size)
    if found is not None:
        _check_channels(said, found.shape if found.layers else shape)
        if said.params is not None or said.macs is not None:
            return _as_said(operator, found, said, shape)
    return found


def _check_fields(operator: Operator, generic: str, size: Size) -> None:
    """Refuse what a node says and its operator does not have: it would count for nothing."""
    for field in FIELDS:
        value = getattr(size, field)
        if value is not None and value is not False and field not in EVERYWHERE and field not in READ[generic]:
            known = ", ".join(name for name in FIELDS if name in READ[generic] | EVERYWHERE)
            raise GraphError(f"{field} is {_shown(value)}, and {operator.name} has none; it has {known}.")


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _check_channels(said: Size, shape: Shape) -> None:
    """Refuse channels that are not those that come out."""
    if said.channels is not None and said.channels != channels_of(shape):
        raise GraphError(f"channels is {said.channels}, and it gives the {channels_of(shape)} that it takes.")


def _projection(said: Size, shape: Shape) -> Laid | None:
    """A skip that changes the shape: a convolution 1 by 1 and its normalisation; without a size the identity."""
    if said.is_plain:
        return Laid((), ())
    usual = Size(kernel=1, activation=False)
    known = {name: value for name in vars(usual) if (value := getattr(said, name, None)) is not None}
    return laid("conv", Size(**{"kernel": 1, "activation": False, **known}), shape)


def _zeros(operator: Operator, said: Size, shape: Shape) -> Laid | None:
    given = said_shape(said if said.channels is not None else Size(channels_of(shape), stride=said.stride), shape)
    return None if given is None else Laid((Layer(Primitive(operator, multiply_accumulates=0), given),), ((),))


def _as_said(operator: Operator, found: Laid, said: Size, shape: Shape) -> Laid:
    """Layers whose costs are what the source says, all on the last one."""
    if not found.layers:
        if not said.params and not said.macs:
            return found
        primitive = Primitive(operator, multiply_accumulates=said.macs or 0)
        return Laid((Layer(primitive, shape, said.params or 0),), ((),))
    *before, last = found.layers
    counted_parameters = sum(layer.parameters or 0 for layer in found.layers)
    costs = [layer.primitive.multiply_accumulates or 0 for layer in found.layers]
    parameters = counted_parameters if said.params is None else said.params
    multiply_accumulates = sum(costs) if said.macs is None else said.macs
    free = tuple(layer.costing(0, 0) for layer in before)
    return Laid((*free, last.costing(parameters, multiply_accumulates)), found.inputs)


def said_shape(said: Size, shape: Shape) -> Shape | None:
    """What an unknown operator gives: nothing is known of it unless its node says the channels.

    Without a window of its own an image keeps its resolution but for the stride; nobody knows what a stride does to a
    sequence.
    """
    if said.channels is None or said.channels != int(said.channels):
        return None
    channels = int(said.channels)
    if len(shape) != IMAGE:
        return None if said.stride is not None or said.padding is not None else (*shape[:-1], channels)
    if said.padding is not None and said.kernel is None:
        return None
    return (shape[0], channels, *windowed(said, shape[2:]))
