"""What a scoring did, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from predictor.scoring.selection import Selection

if TYPE_CHECKING:
    from catalog.storage.store import Store


@dataclass(frozen=True)
class ColumnReport:
    """The scores of one column over the chosen architectures, each seed counted.

    Parameters
    ----------
    ok, failed, disconnected
        Scores of each status that are stored now.
    measured, shared
        How many of them this call measured, or took over from an architecture that computes the same function.
    reason
        The commonest reason of a failure; None where nothing failed.
    is_pooled
        Whether the column was computed from others.
    """

    column: str
    ok: int
    failed: int = 0
    disconnected: int = 0
    measured: int = 0
    shared: int = 0
    reason: str | None = None
    is_pooled: bool = False

    @property
    def is_worthless(self) -> bool:
        """Whether the proxy has a value for none of the architectures that have a path."""
        return self.ok == 0 and self.failed > 0

    def __str__(self) -> str:
        parts = [f"{self.column}: {self.ok:,} scores"]
        if self.is_pooled:
            parts.append(f"ranked in their pool of {self.ok + self.failed + self.disconnected:,}")
        elif self.measured or self.shared:
            parts.append(f"{self.measured:,} measured now, {self.shared:,} shared with an equal function")
        else:
            parts.append("all of them stored before")
        if self.disconnected:
            parts.append(f"{self.disconnected:,} disconnected")
        if self.failed:
            parts.append(f"{self.failed:,} failed ({self.reason})")
        return "; ".join(parts) + "."


def report(
    catalog: Store, selection: Selection, columns: Sequence[tuple[str, int, str | None]], run_id: int
) -> list[ColumnReport]:
    """Count the stored scores of the chosen architectures.

    Parameters
    ----------
    columns
        Name, ``proxy.id`` and input of each.
    run_id
        The run whose own scores are counted as measured or shared.
    """
    keys = pa.table(
        {
            "proxy_id": pa.array([proxy_id for _, proxy_id, _ in columns], pa.int32()),
            "input": pa.array([given for _, _, given in columns], pa.string()),
        }
    )
    rows = catalog.query(
        """
        SELECT score.proxy_id, score.input, count(*) FILTER (status = 'ok') AS ok,
            count(*) FILTER (status = 'failed') AS failed, count(*) FILTER (status = 'disconnected') AS disconnected,
            count(*) FILTER (run_id = ? AND shared_from IS NULL AND status != 'disconnected') AS measured,
            count(*) FILTER (run_id = ? AND shared_from IS NOT NULL) AS shared,
            mode(reason) FILTER (status = 'failed') AS reason
        FROM score SEMI JOIN chosen ON chosen.id = architecture_id
        JOIN keys ON keys.proxy_id = score.proxy_id AND keys.input IS NOT DISTINCT FROM score.input
        WHERE source_id IS NULL GROUP BY ALL
        """,
        [run_id, run_id],
        tables={"chosen": selection.table, "keys": keys},
    ).to_dicts()
    found = {(row.pop("proxy_id"), row.pop("input")): row for row in rows}
    return [ColumnReport(name, **found.get((proxy_id, given), {"ok": 0})) for name, proxy_id, given in columns]
