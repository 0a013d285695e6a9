"""``operators.json``: a user's own operators, and the template for those that are missing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog.architecture.operators import BUILT_IN, KINDS, RULES, Operator
from catalog.architecture.sizes import FIELDS as SIZES
from catalog.architecture.sizes import Size
from catalog.errors import GraphError, IngestError
from catalog.tables.name_gate import fault_of_name, fault_of_text
from ingest.reading.pickled_values import described
from ingest.reading.sources import read_json

_LARGEST_FILE = 2**24
_KNOWN = {operator.name: operator for operator in BUILT_IN}
_SENTENCES = ("description", "short", "medium", "long")
_IN_COLUMNS = ("kernel", "dilation")
_FURTHER = tuple(name for name in SIZES if name not in _IN_COLUMNS)
_FIELDS = ("kind", "generic", *_IN_COLUMNS, "depthwise", "weights", *_FURTHER, *_SENTENCES)
_WITH_WEIGHTS = frozenset({"embedding"}) | {name for name, rule in RULES.items() if rule.has_weights}

ALLOWED = (
    f"kind: one of {', '.join(KINDS)}, or your own word; generic: what it counts as and is built as, "
    f"one of {', '.join(RULES)}, or null; kernel: the window's edge in pixels, or null; "
    "weights: true or false; description: one sentence, which the encoder alone reads. Optional are "
    f"dilation, depthwise, {', '.join(_FURTHER)}"
)
"""What each field of an operator may be, for messages."""


def read_operators(path: Path) -> tuple[Operator, ...]:
    """The operators of a file: an object from names to facts and ``description``.

    ``kind`` is one of the built-in families or a word of the user's own, ``generic`` the operator of
    `catalog.architecture.operators.RULES` that counts and builds it. Further facts are the fields of
    `catalog.architecture.sizes.Size`, which hold for each node with the operator. ``description`` stands for all three
    sentence styles, which ``short``, ``medium`` and ``long`` give one by one; no fact is read from them. All but
    ``kind`` and ``description`` may be left out; ``weights`` then follows from ``generic`` or ``kind``.

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
    """An ``operators.json`` to fill in; as it is, it says nothing and is refused."""
    facts = {"kind": None, "generic": None, "kernel": None, "weights": None, "description": ""}
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
        raise fail(f"kind is {_shown(kind)}; one of {', '.join(KINDS)}, or a word of your own, is needed")
    known = _KNOWN.get(name)
    if known is not None and {kind, known.kind} & {"input", "output"} and kind != known.kind:
        raise fail(f"kind is {kind}, but {name} is built in as {known.kind}; choose another name")
    sentences = _sentences(fields)
    if sentences is None:
        raise fail("it has no description; a sentence is needed, because predictors encode it")
    for sentence in sentences:
        if wrong := fault_of_text(sentence):
            raise fail(f"its description cannot be kept: {wrong}")
    generic = fields.get("generic")
    if generic is None and known is not None:
        generic = known.generic
    if wrong := _fault_of_generic(generic, kind, fields):
        raise fail(wrong)
    rule = RULES[generic] if generic else None
    weights = _flag(fields, "weights", default=rule.has_weights if rule else kind in _WITH_WEIGHTS)
    depthwise = _flag(fields, "depthwise", default=generic == "depthwise_conv")
    for flag, value in (("weights", weights), ("depthwise", depthwise)):
        if value is None:
            raise fail(f"{flag} is {_shown(fields[flag])}; true or false is needed")
    try:
        said = {field: value for field in SIZES if (value := fields.get(field)) is not None}
        size = Size.of(said)
    except GraphError as error:
        raise fail(str(error).rstrip(".")) from None
    edge = size.kernel if isinstance(size.kernel, int) else None
    dilation = 1 if size.dilation is None and "dilation" in said else size.dilation
    further = replace(size, kernel=None if edge else size.kernel, dilation=None)
    return Operator(
        name,
        kind,
        *sentences,
        kernel=edge,
        dilation=dilation,
        depthwise=bool(depthwise),
        has_weights=bool(weights),
        generic=generic,
        size=further if further.text != Size().text else known.size if known else None,
    )


def _fault_of_generic(generic: Any, kind: str, fields: Mapping[str, Any]) -> str:
    """What is wrong with the generic operator that an operator counts as; empty where nothing is."""
    if generic is None:
        return ""
    if not isinstance(generic, str) or generic not in RULES:
        return f"generic is {described(generic)}; one of {', '.join(RULES)}, or null, is needed"
    rule = RULES[generic]
    if kind in KINDS and kind not in ("other", rule.kind):
        return f"generic is {generic}, which is of kind {rule.kind}, and kind is {kind}; one of the two is wrong"
    for field, needed in (("weights", rule.has_weights), ("depthwise", rule.depthwise)):
        if fields.get(field, needed) is not needed and isinstance(fields[field], bool):
            return f"generic is {generic}, and {field} is {_shown(fields[field])}; one of the two is wrong"
    return ""


def _shown(value: Any) -> str:
    """A value as the file has it."""
    return json.dumps(value) if value is None or isinstance(value, bool) else described(value)


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
