"""The protocol-buffer message in which NAS-Bench-101 keeps the measurements of one training."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

Measurements = tuple[float, ...]
"""For half and final: training time in seconds, train, validation and test accuracy as fractions; then parameters."""

_MEASURED = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")

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


def measurements(data: bytes, epochs: int) -> Measurements:
    """The measurements of one training of `epochs` epochs.

    Raises
    ------
    MetricsError
        The bytes are no such message, hold a field that the benchmark's definition does not have or lack one, or its
        three evaluations are not those at the start, half-way and at the end.
    """
    parse, decode_error = _parser()
    try:
        message = parse(data)
    except decode_error:
        raise MetricsError("the metrics are no ModelMetrics message") from None
    message.DiscardUnknownFields()
    if message.ByteSize() != len(data):
        raise MetricsError(_surplus(parse(data), message.ByteSize(), len(data)))
    if len(message.evaluation_data) != 3:
        raise MetricsError(f"{len(message.evaluation_data)} evaluations; at start, half-way and at the end make 3")
    start, half, final = message.evaluation_data
    at = (start.current_epoch, half.current_epoch, final.current_epoch)
    if at != (0, epochs / 2, epochs):
        raise MetricsError(
            f"evaluations after {', '.join(f'{epoch:g}' for epoch in at)} epochs; a training of {epochs} epochs is "
            f"evaluated after 0, {epochs / 2:g} and {epochs}, so these are other trainings than the benchmark's"
        )
    return (
        *(_given(half, name) for name in _MEASURED),
        *(_given(final, name) for name in _MEASURED),
        _given(message, "trainable_parameters"),
    )


def _given(message: Any, name: str) -> float:
    """A field's value; what a message does not say is not 0."""
    if not message.HasField(name):
        raise MetricsError(f"the metrics have no {name}")
    value: float = getattr(message, name)
    return value


def _surplus(message: Any, known: int, size: int) -> str:
    """What a message has beyond its definition: unknown fields, or fields twice, of which the last would win."""
    from google.protobuf.unknown_fields import UnknownFieldSet

    for part, where in ((message, "metrics"), *((evaluation, "evaluations") for evaluation in message.evaluation_data)):
        numbers = sorted({field.field_number for field in UnknownFieldSet(part)})
        if numbers:
            return (
                f"its {where} have the field {', '.join(map(str, numbers))}, which NAS-Bench-101's do not have (1 to "
                f"{len(part.DESCRIPTOR.fields)}), so this is another benchmark's file"
            )
    return f"its metrics take {size} bytes instead of {known}: a field stands twice"
