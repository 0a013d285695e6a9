"""Whether high is good of the metrics and proxies of a file: what its lines and its user say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from catalog.errors import IngestError, UsageError
from catalog.nearest import did_you_mean
from catalog.tables import measures
from catalog.tables.proxies import known_direction
from ingest.reading.pickled_values import described

if TYPE_CHECKING:
    from catalog.storage.store import Store


@dataclass
class Directions:
    """Directions by name, complete once the file is read.

    Parameters
    ----------
    by_user
        Of metrics and proxies alike, as the option ``--direction`` gives them.
    metrics, proxies
        As the file gives them.
    units
        Of metrics, where the user says them.
    """

    by_user: Mapping[str, int] = field(default_factory=dict)
    metrics: dict[str, int] = field(default_factory=dict)
    proxies: dict[str, int] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    def add(self, found: dict[str, int], where: str, name: str, word: Any) -> None:
        """Take in what a line says of a name, to `metrics` or `proxies`.

        Raises
        ------
        IngestError
            It is neither ``higher`` nor ``lower``, or contradicts what was said before.
        """
        direction = measures.direction_in(word)
        if direction is None:
            raise IngestError(
                f"{where}: the direction of {described(name)} is {described(word)}; known are "
                f"{', '.join(measures.WORDS)}. Nothing was stored."
            )
        before = self.by_user.get(name, found.get(name, direction))
        if before != direction:
            raise IngestError(
                f"{where}: the direction of {described(name)} is {word} here, but {measures.word_of(before)} was said "
                "before; it is one for a whole file. Nothing was stored."
            )
        found[name] = direction


@runtime_checkable
class DirectedLoader(Protocol):
    """A loader whose files bring metrics and proxies of their own."""

    directions: Directions


def settle(
    store: Store, where: str, metrics: Collection[str], proxies: Mapping[str, tuple[int, bool]], said: Directions
) -> None:
    """Enter the directions of a file's metrics and proxies, in the transaction that stores the file.

    Parameters
    ----------
    where
        What messages call the file.
    metrics
        The names of its metrics.
    proxies
        Name to ``proxy.id``, and whether the file brought the proxy.

    Raises
    ------
    UsageError
        Nobody says the direction of a name, what is said contradicts what the catalog holds or knows, or an option
        names what the file does not have.
    """
    if strange := sorted(set(said.by_user) - set(metrics) - set(proxies)):
        raise UsageError(
            f"{where}: --direction names {strange[0]!r:.120}, but the file has no such metric or proxy. "
            f"{did_you_mean(strange[0], (*metrics, *proxies))}Nothing was stored."
        )
    of_metrics = measures.settled(store, where, metrics, {**said.metrics, **said.by_user})
    stored = dict(store.rows("SELECT id, direction FROM proxy"))
    of_proxies = {}
    for name, (number, is_new) in proxies.items():
        held = known_direction(name) if is_new else stored[number]
        of_proxies[name] = measures.agreed(where, name, held, {**said.proxies, **said.by_user}.get(name), None)
    measures.require_all(where, {**of_proxies, **{name: found for name, found in of_metrics.items() if found is None}})
    measures.enter(store, {name: found for name, found in of_metrics.items() if found is not None})
    measures.enter_units(store, where, said.units)
    for name, (number, is_new) in proxies.items():
        if is_new or stored[number] is None:
            store.execute("UPDATE proxy SET direction = ? WHERE id = ?", [of_proxies[name], number])
