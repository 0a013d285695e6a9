"""The rows of the table ``proxy``: what every stored score is a score of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from catalog.architecture.structural import STRUCTURAL_PROXIES
from catalog.tables.suite_zero_facts import PROXIES as SUITE_PROXIES

if TYPE_CHECKING:
    from catalog.storage.store import Store

PUBLISHED_VERSION = "published"
"""Version of a proxy whose scores come from a publication, whatever code computed them."""


@dataclass(frozen=True)
class ProxyFacts:
    """One proxy in one version and configuration; `column` is its column in the wide views."""

    name: str
    version: str
    direction: int
    description: str
    column: str | None = None
    configuration: str = "{}"
    checkpoint_digest: str | None = None

    @property
    def key(self) -> tuple[str, str, str, str | None]:
        """What makes two proxies the same one."""
        return self.name, self.version, self.configuration, self.checkpoint_digest


def ensure_proxies(catalog: Store, proxies: Sequence[ProxyFacts]) -> dict[str, int]:
    """Name to ``proxy.id``, each proxy entered where it is missing."""
    rows = catalog.arrow("SELECT id, name, version, configuration, checkpoint_digest FROM proxy").to_pylist()
    known = {
        (row["name"], row["version"], row["configuration"], row["checkpoint_digest"]): int(row["id"]) for row in rows
    }
    missing = [proxy for proxy in proxies if proxy.key not in known]
    if missing:
        first = catalog.next_id("proxy")
        catalog.append("proxy", proxy_rows(first, missing))
        known |= {proxy.key: first + place for place, proxy in enumerate(missing)}
    return {proxy.name: known[proxy.key] for proxy in proxies}


def proxy_rows(first_id: int, proxies: Sequence[ProxyFacts]) -> pa.Table:
    """Rows of the table ``proxy``, with ids from `first_id` on."""
    return pa.table(
        {
            "id": pa.array(range(first_id, first_id + len(proxies)), pa.int32()),
            "name": [proxy.name for proxy in proxies],
            "column": [proxy.column or proxy.name for proxy in proxies],
            "version": [proxy.version for proxy in proxies],
            "direction": pa.array([proxy.direction for proxy in proxies], pa.int16()),
            "configuration": [proxy.configuration for proxy in proxies],
            "checkpoint_digest": pa.array([proxy.checkpoint_digest for proxy in proxies], pa.string()),
            "description": [proxy.description for proxy in proxies],
        }
    )


LOWER_IS_BETTER = frozenset({"ntk_cond", *(proxy.name for proxy in STRUCTURAL_PROXIES if proxy.direction < 0)})
"""Known proxies that are good when they are small."""

HIGHER_IS_BETTER = frozenset(
    {
        *SUITE_PROXIES,
        *("logsynflow", "synflow_normed", "zico", "swap", "meco", "linear_regions"),
        *("az_expressivity", "az_progressivity", "az_trainability", "az_complexity"),
        *(proxy.name for proxy in STRUCTURAL_PROXIES if proxy.direction > 0),
    }
)
"""Known proxies that are good when they are large."""


def known_direction(name: str) -> int | None:
    """The direction of a proxy that the catalog knows by its name; None for a stranger's."""
    return -1 if name in LOWER_IS_BETTER else 1 if name in HIGHER_IS_BETTER else None


def published(directions: Mapping[str, int]) -> list[ProxyFacts]:
    """Proxies as a file scored them, by their names and directions."""
    return [
        ProxyFacts(name, PUBLISHED_VERSION, direction, f"{name} as the source published it")
        for name, direction in directions.items()
    ]
