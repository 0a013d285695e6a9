"""Labels from the user's command: asked once a function, stored as they come, read when a search goes on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.search.entering import enter
from catalog.search.labels.printed import Label
from catalog.search.labels.running import run_commands
from catalog.search.methods.problem import Candidate
from catalog.search.stored_values import Rows, StoredSpace
from catalog.spaces.base import SearchSpace
from catalog.tables import views
from catalog.tables.proxies import ProxyFacts, ensure_proxies
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.search.labels.command import LabelCommand
    from catalog.storage.store import Store

Values = NDArray[np.float64]

_PATHLESS = Label(None, "no path from input to output", 0.0)


class CommandLabels:
    """The label of any candidate, by the user's command.

    A label is a function's: the command gets the first architecture that a search meets, and never another that
    computes the same. What it answered in an earlier search counts, unless it failed there; what failed in the search
    that goes on has failed.

    Parameters
    ----------
    catalog
        Open for writing.
    space, stored
        The space, and what the catalog holds of it.
    command, facts
        What is run, and as what its answers are stored.
    workers
        How many commands run at once.
    timeout
        Seconds that one has; None for as long as it takes.
    """

    def __init__(
        self,
        catalog: Store,
        space: SearchSpace,
        stored: StoredSpace,
        command: LabelCommand,
        facts: ProxyFacts,
        *,
        workers: int = 1,
        timeout: float | None = None,
    ) -> None:
        self.catalog = catalog
        self.space = space
        self.stored = stored
        self.command = command
        self.facts = facts
        self.workers = workers
        self.timeout = timeout
        self.entered = 0
        self._run_id: int | None = None
        self._values: dict[str, float] = {}

    @property
    def name(self) -> str:
        """What formulas call the label."""
        return self.facts.name

    @property
    def column(self) -> str:
        """The column that holds the answers."""
        return self.facts.column or self.facts.name

    def begin(self, run_id: int) -> None:
        """Say under which run labels are stored; what is known already is read."""
        self._run_id = run_id
        rows = self.catalog.rows(
            """
            SELECT canonical_digest, value FROM score
            JOIN proxy ON proxy.id = proxy_id JOIN architecture ON architecture.id = architecture_id
            WHERE space = ? AND proxy.name = ? AND version = ? AND configuration = ?
                AND (status = 'ok' OR score.run_id = ?)
            ORDER BY status = 'ok', architecture.id DESC
            """,
            [self.space.name, self.name, self.facts.version, self.facts.configuration, run_id],
        )
        self._values = {digest: np.nan if value is None else float(value) for digest, value in rows}

    def values(self, candidates: Sequence[Candidate], rows: Rows) -> Values:
        """(B,) the label of each candidate, NaN where the command gave none; `rows` as for `entering.enter`."""
        missing = {one.digest: place for place, one in reversed(list(enumerate(candidates)))}
        places = sorted(place for digest, place in missing.items() if digest not in self._values)
        if places:
            self._ask([candidates[place] for place in places], rows[places])
        return np.array([self._values[one.digest] for one in candidates])

    def _ask(self, candidates: Sequence[Candidate], rows: Rows) -> None:
        """Ask the command for the labels of different functions, and keep each as it comes."""
        ids = self._enter(candidates, rows)
        computes = self._compute_something(ids)
        nothing = np.flatnonzero(~computes)
        if len(nothing):
            self._keep([candidates[place] for place in nothing.tolist()], ids[nothing], [_PATHLESS] * len(nothing))
        asked = np.flatnonzero(computes).tolist()
        native_ids = [
            self.stored.native_ids[rows[place]]
            if (graph := candidates[place].graph) is None or rows[place] >= 0
            else self.space.native_id(graph)
            for place in asked
        ]
        with closing(run_commands(self.command, native_ids, workers=self.workers, timeout=self.timeout)) as answers:
            for batch in answers:
                places = [asked[place] for place, _ in batch]
                self._keep([candidates[place] for place in places], ids[places], [label for _, label in batch])

    def _enter(self, candidates: Sequence[Candidate], rows: Rows) -> Rows:
        """The ``architecture.id`` of each; all new ones are entered at once, which costs as much as one of them."""
        assert self._run_id is not None
        with self.catalog.transaction():
            ids, new = enter(self.catalog, self.space, self.stored, candidates, rows, self._run_id)
            if new:
                views.rebuild(self.catalog, self.space.name)
        self.entered += new
        return ids

    def _compute_something(self, ids: Rows) -> NDArray[np.bool_]:
        """(B,) whether a path leads from input to output; where none does there is nothing to train."""
        found = self.catalog.arrow(
            "SELECT id FROM architecture WHERE is_connected AND id IN (SELECT id FROM asked)",
            tables={"asked": pa.table({"id": ids})},
        )
        return np.isin(ids, found["id"].to_numpy())

    def _keep(self, candidates: Sequence[Candidate], ids: Rows, labels: Sequence[Label]) -> None:
        self._store(ids, labels)
        for one, label in zip(candidates, labels, strict=True):
            self._values[one.digest] = np.nan if label.value is None else label.value

    def _store(self, ids: Rows, labels: Sequence[Label]) -> None:
        """Write some answers, in one transaction that leaves the wide view up to date."""
        with self.catalog.transaction():
            proxy_id = ensure_proxies(self.catalog, [self.facts])[self.name]
            scores = self._scores(ids, proxy_id, labels)
            # An earlier search may have failed where this one succeeds.
            self.catalog.execute(
                "DELETE FROM score USING scored WHERE score.architecture_id = scored.architecture_id"
                " AND score.proxy_id = scored.proxy_id",
                tables={"scored": scores.select(["architecture_id", "proxy_id"])},
            )
            self.catalog.append("score", scores)
            if self.column in SpaceView.of(self.catalog, self.space.name).columns:
                shown = {self.column: (proxy_id, None)}
                views.update_scores(self.catalog, self.space.name, shown, scores.select(["architecture_id"]))
            else:
                views.rebuild(self.catalog, self.space.name)

    def _scores(self, ids: Rows, proxy_id: int, labels: Sequence[Label]) -> pa.Table:
        return pa.table(
            {
                "architecture_id": ids,
                "proxy_id": pa.array(np.full(len(ids), proxy_id, dtype=np.int32)),
                "value": pa.array([label.value for label in labels], pa.float64()),
                "status": [
                    "ok" if label.reason is None else "disconnected" if label is _PATHLESS else "failed"
                    for label in labels
                ],
                "reason": pa.array([label.reason for label in labels], pa.string()),
                "seconds": [label.seconds for label in labels],
                "run_id": pa.array(np.full(len(ids), self._run_id, dtype=np.int32)),
            }
        )

    def __repr__(self) -> str:
        return f"CommandLabels({self.column!r}, {self.command!r}, {len(self._values):,} known)"
