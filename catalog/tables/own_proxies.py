"""Proxies that a user brings as numbers: they are called what their author calls them, never like a built-in one."""

from __future__ import annotations

import json
from importlib.metadata import entry_points

from catalog.tables.column_names import word
from catalog.tables.proxies import ProxyFacts, known_direction

OWN_VERSION = "own"
"""Version of a proxy whose scores its author measured and brought as a table."""

_ENTRY_POINTS = ("catalog.predictors", "catalog.proxies")


def is_built_in(name: str) -> bool:
    """Whether the catalog, or something that is installed beside it, computes scores under this name."""
    called = {known for group in _ENTRY_POINTS for known in entry_points(group=group).names}
    return known_direction(word(name)) is not None or word(name) in map(word, called)


def own_proxy(name: str, source: str, direction: int, description: str) -> ProxyFacts:
    """The proxy of a user's column: its wide column has its name, and the source's behind it where the name is taken.

    Scores of one name from several tables are of one proxy, unless the name is a built-in one's.
    """
    if not is_built_in(name):
        return ProxyFacts(name, OWN_VERSION, direction, description)
    configuration = json.dumps({"source": source})
    return ProxyFacts(name, OWN_VERSION, direction, description, f"{name}_{source}", configuration)
