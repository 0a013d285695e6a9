"""The proxy that holds the answers of one command, and its column in the wide view."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.tables.name_gate import checked_name
from catalog.tables.proxies import ProxyFacts
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.search.labels.command import LabelCommand
    from catalog.spaces.base import SearchSpace
    from catalog.storage.store import Store

_VERSION = "1"
_KEY = "label_command"  # in the configuration of a proxy that is a command


def facts_of(
    catalog: Store, space: SearchSpace, command: LabelCommand, name: str, *, lower_is_better: bool
) -> ProxyFacts:
    """What the catalog calls the answers of a command; the column of another command is left to that one.

    Raises
    ------
    UsageError
        The name is none, or belongs to something else than a command.
    """
    checked_name("--as", name)
    configuration = json.dumps({_KEY: command.text, "lower_is_better": lower_is_better}, sort_keys=True)
    facts = ProxyFacts(
        name,
        _VERSION,
        -1 if lower_is_better else 1,
        f"what the user's command printed: {command.text}",
        configuration=configuration,
    )
    rows = catalog.rows('SELECT name, "column", configuration FROM proxy')
    for known, column, settings in rows:
        if (known, settings) == (name, configuration):
            return replace(facts, column=column)
    held = [settings for _, column, settings in rows if column == name]
    if held and all(_KEY in json.loads(settings) for settings in held):
        digest = hashlib.sha256(configuration.encode()).hexdigest()
        return replace(facts, column=f"{name}_{digest[:8]}")
    if held or _is_taken(catalog, space, name):
        raise UsageError(
            f"{name!r} is a column of {space.name} or a proxy already; give the values of the command another name "
            "with --as NAME."
        )
    return facts


def _is_taken(catalog: Store, space: SearchSpace, name: str) -> bool:
    held = catalog.rows("SELECT 1 FROM architecture WHERE space = ? LIMIT 1", [space.name])
    if held and name in SpaceView.of(catalog, space.name).columns:
        return True
    from predictor.scoring.candidates import is_computable

    return is_computable(space, name)
