"""The layer that an operator of a user's space is, from its fields alone; or which field is missing to know."""

from __future__ import annotations

from torch import nn

from catalog.architecture.computation.sized_layers import EVERYWHERE, READ
from catalog.architecture.generic_operators import SEQUENCES
from catalog.architecture.operators import RULES, VOCABULARY, Operator
from catalog.architecture.sizes import FIELDS, Size
from catalog.errors import ProxyError
from predictor.networks import generic_layers
from predictor.networks.generic_layers import ACTIVATIONS, NORMS, Place
from predictor.networks.layers import FactorizedReduce, Zero, convolution, depthwise_conv

_HOW = {
    "generic": f"one of {', '.join(RULES)}, whose layer it then is",
    "weights": "true or false as its kind has them",
    "kernel": "the edge of its window in pixels",
    "heads": "the number of heads",
    "mlp_ratio": "its inner width as a multiple of the outer one",
    "channels": "those that it gives",
}
"""What to give for a field that is missing."""

_READ = {**READ, "linear": READ["linear"] | {"stride"}}
"""Fields that decide the layer of each generic operator here, where a linear map may halve the resolution."""
_IN_WHOLE_NETWORKS = frozenset(one.name for one in SEQUENCES)
_SAYS_NOTHING = (None, 1, (1, 1))
_LEAVES_OUT = (*_SAYS_NOTHING, False)
_HALVING = frozenset({"conv", "depthwise_conv", "linear", "max_pool", "avg_pool"})


def make_operator(operator: Operator, channels: int, stride: int, replicas: int) -> nn.Module | None:
    """The module that an operator's fields describe, or None where it adds or joins its inputs and no more.

    Names and sentences are not read: a convolution is grouped if ``groups`` says so, and a pool takes the maximum if
    ``generic`` is ``max_pool``.

    Parameters
    ----------
    channels, stride, replicas
        Of the place in the cell: every state has the stage's width, and what an input of a reduction cell feeds halves
        the resolution.

    Raises
    ------
    ProxyError
        The fields do not say what the operator computes, or say what this network has no place for; the message names
        the field.
    """
    said = operator.sized()
    place = Place(channels, stride, replicas)
    if operator.family == "output":
        return None
    _fits(operator, said, place)
    if operator.family == "none":
        return Zero(stride)
    if operator.family == "skip":
        return _skip(operator, said, place)
    if missing := operator.missing():
        raise ProxyError(
            f"the facts of operator {operator.name!r} do not say what it computes: {missing} is missing (kind is "
            f"{operator.kind!r}, and nothing is read from descriptions). Give {missing} in the operators file, "
            f"{_HOW[missing]}; an operator that is stored keeps its facts, so give it another name or bring its graphs "
            "into another space."
        )
    generic = operator.counts_as
    assert generic is not None
    if generic in ("sum", "concat"):
        return None
    if generic in _IN_WHOLE_NETWORKS:
        raise ProxyError(
            f"operator {operator.name!r} stands in whole networks alone, and the cells of the generic network are of "
            "images. Give the graph an input."
        )
    if _is_of_darts(operator):  # which has an order of its own
        edge, times = _edge(operator, said), said.repeats or 1
        return depthwise_conv(
            channels, edge, stride=stride, dilation=said.dilation or 1, times=times, replicas=replicas
        )
    _is_buildable(operator, generic, said, place)
    layers = [_layer(operator, generic, said, place)]
    layers += [_layer(operator, generic, said, place.after) for _ in range(1, said.repeats or 1)]
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)


def _is_of_darts(operator: Operator) -> bool:
    """Whether it is a separable convolution of DARTS as it is built in."""
    return operator.depthwise and operator.name in VOCABULARY and operator.size == VOCABULARY[operator.name].size


def _skip(operator: Operator, said: Size, place: Place) -> nn.Module | None:
    """The identity; with weights or a size a projection, which has its own way of halving the resolution."""
    channels, replicas = place.channels, place.replicas
    if place.stride > 1:
        return FactorizedReduce(channels, channels, replicas=replicas)
    if not operator.has_weights and said.kernel is None and said.channels is None:
        return None
    projection = convolution(channels, channels, _edge(operator, said), replicas=replicas)
    return nn.Sequential(projection, nn.BatchNorm2d(channels * replicas))


def _layer(operator: Operator, generic: str, said: Size, place: Place) -> nn.Module:
    """One application."""
    match generic:
        case "conv":
            return generic_layers.conv(said, _edge(operator, said), place)
        case "depthwise_conv":
            return generic_layers.depthwise_conv(said, _edge(operator, said), place)
        case "linear":
            return generic_layers.linear(said, place)
        case "attention":
            return generic_layers.attention(said, said.heads or 1, place)
        case "mlp":
            return generic_layers.mlp(said, said.mlp_ratio or 1, place)
        case "norm":
            return generic_layers.norm(said, place)
        case "activation":
            return generic_layers.activation(said)
        case _:
            return generic_layers.pool(said, _edge(operator, said), place, maximum=generic == "max_pool")


def _fits(operator: Operator, said: Size, place: Place) -> None:
    """Raise where a state would leave the cell's width or resolution."""
    if said.channels not in _SAYS_NOTHING:
        raise _misfit(operator, "channels", said.channels, "every state of a cell has the stage's width")
    if said.stride not in _SAYS_NOTHING and said.stride not in (place.stride, (place.stride, place.stride)):
        raise _misfit(
            operator, "stride", said.stride,
            "operators halve the resolution where an input of a reduction cell feeds them, and keep it elsewhere",
        )  # fmt: skip


def _is_buildable(operator: Operator, generic: str, said: Size, place: Place) -> None:
    """Raise where a field says what no layer here does."""
    for field in FIELDS:
        value = getattr(said, field)
        if field not in _READ[generic] | EVERYWHERE and (value is True or value not in _LEAVES_OUT):
            raise _misfit(operator, field, value, f"the layer of {generic} has no such field")
    if place.stride > 1 and generic not in _HALVING:
        raise ProxyError(
            f"operator {operator.name!r} is fed by an input of a reduction cell, and no field says how {generic} "
            "halves the resolution."
        )
    if said.padding is not None and said.padding * 2 != (said.dilation or 1) * (_edge(operator, said) - 1):
        raise _misfit(operator, "padding", said.padding, "operators keep the resolution")
    if generic == "avg_pool" and said.dilation not in _SAYS_NOTHING:
        raise _misfit(operator, "dilation", said.dilation, "no layer averages a dilated window")
    for field, words in (("norm", NORMS), ("activation", tuple(ACTIVATIONS))):
        value = getattr(said, field)
        if isinstance(value, str) and value not in words:
            raise _misfit(operator, field, value, f"known are true, false, {', '.join(words)}")
    _divides(operator, said, place)


def _divides(operator: Operator, said: Size, place: Place) -> None:
    """Raise where the channels that a layer takes or gives cannot be parted as a field says."""
    inner = place.channels if said.expansion is None else place.within(said.expansion)
    for field, widths in (("groups", (place.channels, inner)), ("heads", (inner,))):
        parts = getattr(said, field) or 1
        for width in widths:
            if width % parts:
                raise _misfit(operator, field, parts, f"it does not divide the {width} channels of this stage")


def _edge(operator: Operator, said: Size) -> int:
    """The edge of a square window."""
    if isinstance(said.kernel, tuple):
        raise _misfit(operator, "kernel", list(said.kernel), "the layers have windows of two equal edges")
    return said.kernel or 1


def _misfit(operator: Operator, field: str, value: object, why: str) -> ProxyError:
    return ProxyError(
        f"the generic network has no layer for operator {operator.name!r}: its {field} is {value!r}, and {why}."
    )
