"""The layer that an operator of a user's space is, from its facts; or which fact is missing to know."""

from __future__ import annotations

import re

from torch import nn

from catalog.architecture.operators import Operator
from catalog.errors import ProxyError
from predictor.networks.layers import (
    FactorizedReduce,
    Zero,
    convolution,
    depthwise_conv,
    pooling,
    relu_conv_bn,
)

_SUM_NAMES = frozenset({"sum", "add", "addition", "plus", "elementwise"})
_SUM_SENTENCE = re.compile(
    r"(an? )?(element-?wise )?(addition|sum|adds|sums)( operator)?( of| that adds| that sums)?"
    r"( all| its| the)*( inputs)?\.?"
)

_GROUPS = {r"group(?!s?[\s_-]*norm)|(?<![a-z\d])g[2-9]\d*(?![a-z\d])": "into how many groups it splits the channels"}
_CONVOLUTIONS_BEYOND_FACTS = {
    r"transpos|deconv|fractionally|up-?conv": "by how much it enlarges the resolution",
    r"one-dimensional|three-dimensional|conv[13]d|(?<![a-z\d])[13]-?d(?![a-z\d])": "a window of two equal edges",
    r"deform|octave|involution|dynamic|condconv": "how its kernel comes about",
    r"invert|mbconv|bottleneck|expan|squeeze|attention|shuffle|ghost": "the layers that it consists of",
}
"""What words say of a convolution that no fact states, and what one would have to know to build it."""

_POOLS_BEYOND_FACTS = {
    r"global|adaptive": "to which size it pools",
    r"stochastic|fractional|learn|attention|mix": "how it chooses among the pixels of a window",
}
_CHANGES_RESOLUTION = r"strided|stride\W{0,3}[2-9]|(?<![a-z\d])s[2-9](?![a-z\d])|halv|downsampl|upsampl"
_DEPTHWISE = r"depth-?\s?wise|separable"
_WINDOW = re.compile(r"(?<![\dx×])(\d+)\s?(?:x|×|by)\s?(\d+)(?![\dx×])")
_NEGATION = "".join(f"(?<!{word})" for word in ("no ", "not ", "non ", "non-", "without "))


def make_operator(operator: Operator, channels: int, stride: int, replicas: int) -> nn.Module | None:
    """The module that an operator's facts describe, or None where it adds its inputs and no more.

    The facts are its kind, kernel, dilation, whether it is depthwise and whether it has weights. Words are not guessed
    from, but they are heeded where they say that the facts are not all: a convolution described as grouped is none of
    the ordinary ones.

    Raises
    ------
    ProxyError
        The facts do not say what the operator computes; the message says which fact is missing.
    """
    if operator.kind == "output":
        return None
    if operator.kind == "merge":
        return _merge(operator)
    if operator.kind == "none":
        return Zero(stride)
    if operator.kind == "skip":
        return _skip(operator, channels, stride, replicas)
    if operator.kind == "pool" and operator.kernel:
        return _pool(operator, operator.kernel, stride)
    if operator.kind == "conv" and operator.kernel:
        return _convolution(operator, operator.kernel, channels, stride, replicas)
    raise _unclear(
        operator,
        f"kind {operator.kind!r}, kernel {operator.kernel!r}. A network needs kind conv or pool with a kernel, skip, "
        "none or merge; give the operator one of these kinds",
    )


def _merge(operator: Operator) -> nn.Module | None:
    """Nothing to a sum, which the cell adds up, and to ``concat``, which it joins."""
    if operator.name == "concat":
        return None
    words = set(re.findall(r"[a-z]+", operator.name.lower()))
    named = bool(words) and words <= _SUM_NAMES and words != {"elementwise"}
    if operator.has_weights or not (named or _SUM_SENTENCE.fullmatch(operator.short.lower())):
        raise _unclear(
            operator,
            "kind 'merge', and no fact states how it combines its inputs. A network knows sums, by the name sum or "
            "add, and concat; in a canonical graph the product of a sum is that of its terms",
        )
    return None


def _skip(operator: Operator, channels: int, stride: int, replicas: int) -> nn.Module | None:
    """The identity; with weights a projection, which has its own way of halving the resolution."""
    if stride > 1:
        return FactorizedReduce(channels, channels, replicas=replicas)
    _keeps_resolution(operator)
    if not operator.has_weights:
        return None
    projection = convolution(channels, channels, operator.kernel or 1, replicas=replicas)
    return nn.Sequential(projection, nn.BatchNorm2d(channels * replicas))


def _pool(operator: Operator, kernel: int, stride: int) -> nn.Module:
    text = _words(operator)
    maximum, average = (bool(_says(text, word)) for word in (r"(?<![a-z])max", r"(?<![a-z])(avg|average|mean)"))
    if maximum == average:
        raise _unclear(operator, "kind 'pool', but not whether it takes the maximum or the average; say max or average")
    if operator.has_weights:
        raise _unclear(operator, "kind 'pool', with weights, but not what they do")
    _is_all(operator, _POOLS_BEYOND_FACTS)
    _is_square(operator)
    if stride == 1:
        _keeps_resolution(operator)
    dilation = operator.dilation or 1
    if average and dilation > 1:
        raise _unclear(operator, f"an average over a window of dilation {dilation}, which no layer computes")
    return pooling(kernel, maximum=maximum, stride=stride, dilation=dilation)


def _convolution(operator: Operator, kernel: int, channels: int, stride: int, replicas: int) -> nn.Module:
    dilation = operator.dilation or 1
    _is_square(operator)
    if stride == 1:
        _keeps_resolution(operator)
    if operator.depthwise:
        _is_all(operator, _CONVOLUTIONS_BEYOND_FACTS)
        return depthwise_conv(channels, kernel, stride=stride, dilation=dilation, replicas=replicas)
    _is_all(operator, {**_GROUPS, **_CONVOLUTIONS_BEYOND_FACTS})
    if _says(_words(operator), _DEPTHWISE):
        raise _unclear(operator, "it is described as depthwise, but the fact depthwise is false; set it to true")
    return relu_conv_bn(channels, channels, kernel, stride=stride, dilation=dilation, replicas=replicas)


def _is_all(operator: Operator, beyond: dict[str, str]) -> None:
    """Raise where the words say more than the facts."""
    for pattern, missing in beyond.items():
        found = _says(_words(operator), pattern)
        if found:
            raise _unclear(operator, f"it is described with {found!r}, and no fact states {missing}")


def _keeps_resolution(operator: Operator) -> None:
    found = _says(_words(operator), _CHANGES_RESOLUTION)
    if found:
        raise _unclear(
            operator,
            f"it is described with {found!r}, and no fact states a stride: operators halve the resolution where an "
            "input of a reduction cell feeds them, and keep it elsewhere",
        )


def _is_square(operator: Operator) -> None:
    for height, width in _WINDOW.findall(_words(operator)):
        if height != width:
            raise _unclear(operator, f"its window is {height} by {width}, and the fact kernel states one edge alone")


def _words(operator: Operator) -> str:
    return " | ".join(dict.fromkeys((operator.name, operator.short, operator.medium, operator.long))).lower()


def _says(text: str, pattern: str) -> str:
    """The first words that match, unless they are denied; empty where there are none."""
    found = re.search(f"{_NEGATION}(?:{pattern})", text)
    return found[0] if found else ""


def _unclear(operator: Operator, what: str) -> ProxyError:
    return ProxyError(f"the facts of operator {operator.name!r} do not say what it computes: {what}.")
