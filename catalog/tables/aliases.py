"""Further names of architectures, as files give them: ``DARTS_V2`` for a genotype.

The run that read a file keeps the names that the file gives; they hold as long as its source is in the catalog. One
name may stand for several architectures, of several files; who asks for it is told so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.storage.store import Store

ALIASES = "aliases"
"""The parameter of an ingest run that has the names: an object from name to native ids."""


def aliases_of(store: Store, space: str) -> Mapping[str, Sequence[str]]:
    """The names that stored sources give architectures of a space, each with the native ids that it stands for."""
    rows = store.rows(
        f"""
        SELECT parameters->>'$.{ALIASES}' FROM source JOIN run ON run.id = run_id
        WHERE parameters->>'$.space' = ? AND json_exists(parameters, '$.{ALIASES}') ORDER BY source.id
        """,
        [space],
    )
    result: dict[str, list[str]] = {}
    for (text,) in rows:
        for name, native_ids in json.loads(str(text)).items():
            known = result.setdefault(name, [])
            known += [native_id for native_id in native_ids if native_id not in known]
    return result
