"""Which column a measurement belongs to: what a proxy depends on decides its row in the table ``proxy``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from catalog.architecture.structural import STRUCTURAL_PROXIES
from catalog.errors import UsageError
from catalog.tables.column_names import proxy_column_name
from catalog.tables.proxies import ProxyFacts, ensure_proxies
from catalog.tables.space_view import SpaceView
from catalog.tables.views import proxy_directions
from predictor.networks import network_kind, published_config
from predictor.zero_cost import MeasureConfig, Need, Proxy
from predictor.zero_cost.passes import IMAGES

if TYPE_CHECKING:
    from catalog.storage.store import Store

_MATTERS_TO = {
    "labels": IMAGES,
    "batches": IMAGES,
    "batch_size": IMAGES | Need.GAUSSIAN | Need.BLOCKS,
    "largest": IMAGES | Need.SYNAPTIC | Need.NORMED_SYNAPTIC | Need.GAUSSIAN | Need.BLOCKS | Need.MAPS,
    "batch_norm": IMAGES | Need.NORMED_SYNAPTIC | Need.GAUSSIAN | Need.BLOCKS | Need.MAPS | Need.REGIONS,
}
"""Settings that change only what these needs see; the network's size changes everything."""


_COUNTS = {"params": "params", "flops": "flops", "az_complexity": "flops"}
"""Proxies that are structural ones where the measured network is the benchmark's own."""


@dataclass(frozen=True)
class Column:
    """One proxy in one configuration on one input: one column of the wide view.

    Parameters
    ----------
    name
        The column in the wide view.
    proxy_id
        Its row in the table ``proxy``.
    input
        The score's input; None for a proxy that looks at no images.
    seeded
        Whether the score depends on a seed.
    is_stored
        Whether every architecture has the score already, computed from the graph alone.
    """

    name: str
    proxy: Proxy
    proxy_id: int
    input: str | None
    seeded: bool
    is_stored: bool = False


def recorded_for(proxy: Proxy, config: MeasureConfig, space: str) -> dict[str, Any]:
    """The settings that this proxy's score depends on, as plain values."""
    recorded = config.recorded(space)
    kept = {
        name: value for name, value in recorded.items() if name not in _MATTERS_TO or proxy.needs & _MATTERS_TO[name]
    }
    code = {} if proxy.code_sha256 is None else {"code_sha256": proxy.code_sha256}
    return kept | {"network": {"kind": network_kind(space), **recorded["network"]}} | code


def input_of(proxy: Proxy, config: MeasureConfig) -> str | None:
    """The input as a score records it: where the files lie changes nothing."""
    return config.input.partition(":")[0] if proxy.needs & IMAGES else None


def is_seeded(proxy: Proxy) -> bool:
    """Whether anything random enters the score: counting alone needs no seed, everything else draws weights."""
    return proxy.needs != Need.COUNTS


def columns_for(catalog: Store, space: str, proxies: Sequence[Proxy], config: MeasureConfig) -> list[Column]:
    """The column of each proxy, its row in the table ``proxy`` entered where it is missing; inside a transaction.

    The default configuration gives the proxy's plain name, another one a suffix of eight digits of its digest, as a
    checkpoint's. A plain name that another definition of the same name has filled in this space (a structural proxy,
    an earlier version) is left to that one.
    """
    filled = _filled_columns(catalog, space)
    directions = proxy_directions(catalog, space)
    reserved = set(SpaceView.of(catalog, space).columns) - set(directions)
    counted = {row["name"]: row["proxy_id"] for row in filled if _is_structural(row)}
    facts, columns = [], []
    for proxy in proxies:
        name = _COUNTS.get(proxy.name, "")
        if name in counted and config.network_of(space) == published_config(space):
            columns.append(Column(name, proxy, int(counted[name]), None, seeded=False, is_stored=True))
        else:
            facts.append(_facts(proxy, config, space, filled))
    ids = ensure_proxies(catalog, facts)
    names = dict(catalog.query('SELECT id, "column" FROM proxy').iter_rows())
    by_name = {proxy.name: proxy for proxy in proxies}
    for one in facts:
        proxy = by_name[one.name]
        given = input_of(proxy, config)
        name = proxy_column_name({"column": names[ids[one.name]], "published_as": None, "input": given})
        if name in reserved:
            raise UsageError(
                f"{space} has a column {name!r} that is no proxy's; give the proxy {proxy!r} another name."
            )
        columns.append(Column(name, proxy, ids[one.name], given, seeded=is_seeded(proxy)))
    order = {proxy.name: place for place, proxy in enumerate(proxies)}
    return sorted(columns, key=lambda column: order[column.proxy.name])


def suffixed(facts: ProxyFacts) -> ProxyFacts:
    """The same proxy under a column of its own: its name and eight digits of its version's and settings' digest."""
    digest = hashlib.sha256(f"{facts.version}:{facts.configuration}".encode()).hexdigest()
    return replace(facts, column=f"{facts.name}_{digest[:8]}")


def is_default(proxy: Proxy, config: MeasureConfig, space: str) -> bool:
    """Whether a proxy is measured as it is by default on this input."""
    return recorded_for(proxy, config, space) == recorded_for(proxy, MeasureConfig(input=config.input), space)


def _facts(proxy: Proxy, config: MeasureConfig, space: str, filled: Sequence[dict[str, Any]]) -> ProxyFacts:
    configuration = json.dumps(recorded_for(proxy, config, space), sort_keys=True)
    facts = ProxyFacts(proxy.name, proxy.version, proxy.direction, proxy.description, configuration=configuration)
    meant = (proxy.name, input_of(proxy, config))
    others = [row for row in filled if (row["version"], row["configuration"]) != (proxy.version, configuration)]
    taken = any((row["column"], row["input"]) == meant for row in others)
    return facts if is_default(proxy, config, space) and not taken else suffixed(facts)


def _filled_columns(catalog: Store, space: str) -> list[dict[str, Any]]:
    """Our own proxies with scores in the space."""
    return catalog.query(
        """
        SELECT proxy_id, name, "column", version, configuration, input FROM proxy JOIN (
            SELECT DISTINCT proxy_id, input FROM score
            WHERE source_id IS NULL AND architecture_id IN (SELECT id FROM architecture WHERE space = ?)
        ) ON proxy_id = proxy.id
        """,
        [space],
    ).to_dicts()


def _is_structural(row: dict[str, Any]) -> bool:
    return any(
        (row["name"], row["version"], row["configuration"]) == (proxy.name, proxy.version, "{}")
        for proxy in STRUCTURAL_PROXIES
    )
