"""The protocol-buffer message in which NAS-Bench-101 keeps the measurements of one training."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

Measurements = tuple[float, ...]
"""For half and final: training time in seconds, train, validation and test accuracy as fractions; then parameters."""

_DOUBLE, _INT32, _STRING, _MESSAGE = 1, 5, 9, 11  # field types of descriptor.proto
_OPTIONAL, _REPEATED = 1, 3

_EVALUATION_FIELDS = (
    ("current_epoch", _DOUBLE),
    ("training_time", _DOUBLE),
    ("train_accuracy", _DOUBLE),
    ("validation_accuracy", _DOUBLE),
    ("test_accuracy", _DOUBLE),
    ("checkpoint_path", _STRING),
)


class MetricsError(ValueError):
    """Bytes that are no measurements of a training."""


@cache
def _parser() -> tuple[Callable[[bytes], Any], type[Exception]]:
    """Parses a ``ModelMetrics`` message, whose definition the benchmark publishes as model_metrics.proto."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="model_metrics.proto", package="nasbench", syntax="proto2")
    evaluation = file.message_type.add(name="EvaluationData")
    for number, (name, kind) in enumerate(_EVALUATION_FIELDS, start=1):
        evaluation.field.add(name=name, number=number, label=_OPTIONAL, type=kind)
    metrics = file.message_type.add(name="ModelMetrics")
    metrics.field.add(
        name="evaluation_data", number=1, label=_REPEATED, type=_MESSAGE, type_name=".nasbench.EvaluationData"
    )
    metrics.field.add(name="trainable_parameters", number=2, label=_OPTIONAL, type=_INT32)
    metrics.field.add(name="total_time", number=3, label=_OPTIONAL, type=_DOUBLE)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName("nasbench.ModelMetrics"))
    return kind.FromString, message.DecodeError


def measurements(data: bytes) -> Measurements:
    """The measurements of one training.

    Raises
    ------
    MetricsError
        The bytes are no such message, or it has not the three evaluations at the start, half-way and at the end.
    """
    parse, decode_error = _parser()
    try:
        message = parse(data)
    except decode_error:
        raise MetricsError("the metrics are no ModelMetrics message") from None
    if len(message.evaluation_data) != 3:
        raise MetricsError(f"{len(message.evaluation_data)} evaluations; at start, half-way and at the end make 3")
    _, half, final = message.evaluation_data
    return (
        half.training_time,
        half.train_accuracy,
        half.validation_accuracy,
        half.test_accuracy,
        final.training_time,
        final.train_accuracy,
        final.validation_accuracy,
        final.test_accuracy,
        message.trainable_parameters,
    )
