"""Operators as rows of the table ``operator``, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from catalog.architecture.operators import Operator
from catalog.architecture.sizes import Size

if TYPE_CHECKING:
    from catalog.storage.store import Store

_TYPES = {"kernel": pa.int32(), "dilation": pa.int32(), "depthwise": pa.bool_(), "has_weights": pa.bool_()}
_FIELDS = tuple(field.name for field in fields(Operator))


def operator_rows(space: str, operators: Sequence[Operator]) -> pa.Table:
    """Rows of the table ``operator``."""
    columns = {
        name: pa.array([_stored(getattr(operator, name)) for operator in operators], _TYPES.get(name, pa.string()))
        for name in _FIELDS
    }
    return pa.table({**columns, "space": pa.array([space] * len(operators), pa.string())})


def operator_of(row: Mapping[str, Any]) -> Operator:
    """The operator that a row describes."""
    known = {name: row[name] for name in _FIELDS if name in row}
    if known.get("size") is not None:
        known["size"] = Size.from_text(known["size"])
    return Operator(**known)


def stored_operators(catalog: Store, space: str) -> list[Operator]:
    """The operators that a space brought itself, by name."""
    rows = catalog.arrow("SELECT * FROM operator WHERE space = ? ORDER BY name", [space]).to_pylist()
    return [operator_of(row) for row in rows]


def _stored(value: Any) -> Any:
    return value.text if isinstance(value, Size) else value
