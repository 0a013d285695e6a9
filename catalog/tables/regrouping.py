"""Which architectures other rules take for one function that were told apart before, and the other way round."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.storage.store import Store

Parts = tuple[tuple[int, ...], ...]
"""``architecture.id`` of what is one function under some rules, by the functions that it is under others."""

_SHOWN = 3
_TYPE = "STRUCT(space VARCHAR, change VARCHAR, architectures BIGINT[][])[]"


@dataclass(frozen=True)
class Regrouped:
    """How the functions of one space changed.

    Parameters
    ----------
    space
        The space.
    joined
        Each function of now that unites several of before.
    parted
        Each function of before that is several now.
    """

    space: str
    joined: tuple[Parts, ...] = ()
    parted: tuple[Parts, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.joined or self.parted)

    def notes(self) -> list[str]:
        """What changed, with the first architectures of the first functions."""
        found = []
        if self.joined:
            before = sum(map(len, self.joined))
            found.append(
                f"{self.space}: {before:,} functions became {len(self.joined):,}, of architectures that were told "
                f"apart and compute the same: {_examples(self.joined)}"
            )
        if self.parted:
            after = sum(map(len, self.parted))
            found.append(
                f"{self.space}: {len(self.parted):,} functions became {after:,}, of architectures that were taken for "
                f"one and differ: {_examples(self.parted)}"
            )
        return found


def regrouped(space: str, before: Mapping[int, str], after: Mapping[int, str]) -> Regrouped:
    """Compare the digests of the same architectures under two versions of the rules."""
    return Regrouped(space, _united(after, before), _united(before, after))


def digests_of(catalog: Store, space: str) -> dict[int, str]:
    """``architecture.id`` to canonical digest of all architectures of a space, in the order of the ids."""
    rows = catalog.arrow("SELECT id, canonical_digest FROM architecture WHERE space = ? ORDER BY id", [space])
    return dict(zip(rows["id"].to_pylist(), rows["canonical_digest"].to_pylist(), strict=True))


def as_detail(changes: Sequence[Regrouped]) -> str:
    """The changes whole, as the text that `listing` reads."""
    return json.dumps(
        [
            {"space": change.space, "change": word, "architectures": parts}
            for change in changes
            for word, groups in (("joined", change.joined), ("parted", change.parted))
            for parts in groups
        ]
    )


def listing(run_id: int) -> str:
    """The query that lists what a run's detail holds, a row a function; without quotes, to be pasted into a shell."""
    return f"SELECT unnest(detail::JSON::{_TYPE}, max_depth := 2) FROM run WHERE id = {run_id}"


def _united(of: Mapping[int, str], by: Mapping[int, str]) -> tuple[Parts, ...]:
    """The groups of `of` that hold several of `by`."""
    groups: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, digest in of.items():
        groups[digest][by[number]].append(number)
    return tuple(tuple(map(tuple, parts.values())) for parts in groups.values() if len(parts) > 1)


def _examples(groups: Sequence[Parts]) -> str:
    shown = "; ".join("ids " + " and ".join(str(part[0]) for part in parts) for parts in groups[:_SHOWN])
    return shown + ("; ..." if len(groups) > _SHOWN else ".")
