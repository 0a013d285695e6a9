"""Layers that a network writes as several operators, put together: exporters write them so, and people do.

An ONNX file has no GELU before its twentieth version, no group normalisation and no attention; a module may spell out
any of them. A network should be the same graph whichever way it is written.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import NONE, ComputationBatch
from catalog.architecture.computation.formulas import ARITHMETIC, GATES, SCALING, put_together
from catalog.architecture.computation.written_out import Operators

_MAPS = ("conv", "linear")
_SCORING = SCALING | {"add", "masked_fill", "where"}
"""What stands between the products of queries and keys and their softmax: constants."""


def composed(batch: ComputationBatch) -> ComputationBatch:
    """A batch with the layers put together that are written as several operators; all else stays as it is.

    Activations by their formulas (GELU, SiLU, hardswish, Mish), layer and root mean square normalisation by theirs,
    group normalisation by one of instances, a scale and an offset behind a normalisation, an offset behind a map, and
    attention by its products. Parameters and costs go to what an operator becomes a part of.

    Parameters
    ----------
    batch
        Without operators that only move numbers.
    """
    if not _may_be_written_out(batch):
        return batch
    operators = Operators(batch)
    put_together(operators)
    for place in range(len(operators)):
        _group_norm(operators, place)
        _affine(operators, place)
        _offset(operators, place)
        _attention(operators, place)
    return operators.batch()


def _may_be_written_out(batch: ComputationBatch) -> bool:
    """Whether there may be anything to put together: asked of every batch, so without a loop over its nodes."""
    words = set(batch.words)
    if any(words >= parts for parts in ({"matmul", "softmax"}, {"softplus", "tanh"}, {"instancenorm"}, {"sqrt"})):
        return True
    operands = np.bincount(batch.target, minlength=len(batch.nodes.word))
    if ((operands == 1) & _named(batch, ARITHMETIC)).any():
        return True
    gated = _named(batch, GATES)[batch.source] & _named(batch, SCALING)[batch.target]
    if not gated.any():
        return False
    only = np.full(len(operands), NONE, dtype=np.int64)
    single = operands[batch.target] == 1
    only[batch.target[single]] = batch.source[single]
    ways = batch.source * len(operands) + batch.target
    return bool(np.isin(only[batch.source[gated]] * len(operands) + batch.target[gated], ways).any())


def _named(batch: ComputationBatch, words: Collection[str]) -> NDArray[np.bool_]:
    return np.asarray(np.array([word in words for word in batch.words], dtype=bool)[batch.nodes.word])


def _group_norm(operators: Operators, place: int) -> None:
    """A normalisation of instances between two changes of shape is one of groups."""
    if operators.is_single(place, {"instancenorm"}):
        before = operators.shape[operators.takes[place][0]]
        if (before != NONE).any() and not np.array_equal(before, operators.shape[place]):
            operators.word[place] = "groupnorm"
            operators.shape[place] = before


def _affine(operators: Operators, place: int) -> None:
    """The scale and then the offset, both trained, that alone take a normalisation."""
    if operators.kind[place] != "norm":
        return
    for word in ("multiply", "add"):
        follower = operators.only_taker(place)
        if follower is not None and operators.is_single(follower, {word}) and operators.parameters[follower] > 0:
            operators.absorb(follower)


def _offset(operators: Operators, place: int) -> None:
    """The trained offset of each channel that alone takes a map."""
    follower = operators.only_taker(place) if operators.kind[place] in _MAPS else None
    if follower is None or not operators.is_single(follower, {"add"}):
        return
    shape = operators.shape[place][operators.shape[place] != NONE]
    axis = 1 if operators.kind[place] == "conv" else -1
    if len(shape) > 1 and operators.parameters[follower] == shape[axis]:
        operators.absorb(follower)


def _attention(operators: Operators, place: int) -> None:
    """Products of queries and keys, their softmax, and the product of that with the values."""
    if operators.word[place] != "matmul" or len(operators.takes[place]) != 2:
        return
    shares = next((one for one in operators.takes[place] if operators.is_single(one, {"softmax"})), None)
    if shares is None or operators.only_taker(shares) is None:
        return
    scores, gone = _above(operators, operators.takes[shares][0], _SCORING)
    if operators.word[scores] != "matmul" or operators.only_taker(scores) is None:
        return
    takes = []
    for one in operators.takes[scores]:
        source, scales = _above(operators, one, SCALING)
        takes.append(source)
        gone += scales
    values = [one for one in operators.takes[place] if one != shares]
    operators.become(place, "attention", "attention", [*takes, *values], {shares, scores, *gone})


def _above(operators: Operators, place: int, words: Collection[str]) -> tuple[int, list[int]]:
    """What constants are applied to, and the operators that apply them."""
    passed: list[int] = []
    while (
        operators.is_single(place, words)
        and operators.only_taker(place) is not None
        and operators.parameters[place] == 0
    ):
        passed.append(place)
        (place,) = operators.takes[place]
    return place, passed
