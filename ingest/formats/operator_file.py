"""``operators.json``: a user's own operators, and the template for those that are missing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from catalog.architecture.operators import KINDS, VOCABULARY, Operator
from catalog.errors import IngestError
from catalog.tables.name_gate import fault_of_name, fault_of_text
from ingest.reading.pickled_values import described
from ingest.reading.sources import read_json

_LARGEST_FILE = 2**24
_FIELDS = ("kind", "kernel", "dilation", "depthwise", "weights", "description", "short", "medium", "long")
_WITH_WEIGHTS = ("conv", "linear", "attention", "embedding")


def read_operators(path: Path) -> tuple[Operator, ...]:
    """The operators of a file: an object from names to ``kind``, ``kernel``, ``weights`` and ``description``.

    ``kind`` is one of the built-in families or a word of the user's own; ``description`` stands for all three sentence
    styles, which ``short``, ``medium`` and ``long`` give one by one. ``dilation``, ``depthwise`` and, where the kind
    answers it, ``weights`` may be left out.

    Raises
    ------
    IngestError
        The file is no such object; the message names the operator and the field.
    """
    found = read_json(path, _LARGEST_FILE)
    if not isinstance(found, dict):
        raise IngestError(
            f"{path.name}: holds {described(found)}; an object from operator names to their facts is needed."
        )
    return tuple(_operator(path.name, name, fields) for name, fields in found.items())


def template(names: Iterable[str]) -> str:
    """An ``operators.json`` to fill in."""
    facts = {"kind": "conv", "kernel": 3, "weights": True, "description": "what the operator does, in one sentence"}
    return json.dumps(dict.fromkeys(names, facts), indent=2)


def _operator(file: str, name: str, fields: Any) -> Operator:
    def fail(what: str) -> IngestError:
        return IngestError(f"{file}: operator {described(name)}: {what}. Nothing was stored.")

    if not name or len(name) > 200:
        raise fail("a name of at most 200 characters is needed")
    if wrong := fault_of_name(name):
        raise fail(wrong)
    if not isinstance(fields, dict):
        raise fail(f"it is {described(fields)}; an object with {', '.join(_FIELDS)} is needed")
    unknown = [field for field in fields if field not in _FIELDS]
    if unknown:
        raise fail(f"it has the field {described(unknown[0])}; known are {', '.join(_FIELDS)}")
    kind = fields.get("kind")
    if not isinstance(kind, str) or not kind.isidentifier() or len(kind) > 60:
        raise fail(f"kind is {described(kind)}; one of {', '.join(KINDS)}, or a word of your own, is needed")
    if name in VOCABULARY and {kind, VOCABULARY[name].kind} & {"input", "output"} and kind != VOCABULARY[name].kind:
        raise fail(f"kind is {kind}, but {name} is built in as {VOCABULARY[name].kind}; choose another name")
    sentences = _sentences(fields)
    if sentences is None:
        raise fail("it has no description; a sentence is needed, because predictors read it")
    for sentence in sentences:
        if wrong := fault_of_text(sentence):
            raise fail(f"its description cannot be kept: {wrong}")
    weights = _flag(fields, "weights", default=kind in _WITH_WEIGHTS)
    depthwise = _flag(fields, "depthwise", default=False)
    if weights is None or depthwise is None:
        raise fail("weights and depthwise are true or false")
    for field in ("kernel", "dilation"):
        size = fields.get(field)
        if size is not None and (type(size) is not int or not 0 < size < 10_000):
            raise fail(f"{field} is {described(size)}; a positive whole number, or null, is needed")
    return Operator(
        name,
        kind,
        *sentences,
        kernel=fields.get("kernel"),
        dilation=fields.get("dilation"),
        depthwise=depthwise,
        has_weights=weights,
    )


def _sentences(fields: Mapping[str, Any]) -> tuple[str, str, str] | None:
    default = fields.get("description", fields.get("short"))
    short, medium, long = (fields.get(style, default) for style in ("short", "medium", "long"))
    texts = [text.strip() for text in (short, medium, long) if isinstance(text, str) and len(text) <= 10_000]
    if len(texts) < 3 or not all(texts):
        return None
    return texts[0], texts[1], texts[2]


def _flag(fields: Mapping[str, Any], name: str, *, default: bool) -> bool | None:
    value = fields.get(name, default)
    return value if isinstance(value, bool) else None
