"""A pool: the architectures of one space with a target and the scores that proxies are judged by, fairly guarded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalog.analysis.common_rows import Common
from catalog.errors import UsageError
from catalog.tables.direction import is_cost
from catalog.tables.space_view import SpaceView
from catalog.tables.views import proxy_directions, proxy_namer, published_as

if TYPE_CHECKING:
    from catalog.storage.store import Store

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
Identifiers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pool:
    """What proxies are judged on. All values are turned, so that higher is better; NaN means that there is none.

    Two rules apply to every proxy. An architecture that a predictor was trained on, and its functional twins, have no
    score of that predictor. An architecture that the proxy refused because no path leads from its input to its output
    (a score with the status ``disconnected``) scores minus infinity, below all others.

    Parameters
    ----------
    space, target, where
        The space, the column to be ranked, and the SQL condition that chose the architectures.
    ids, native_ids
        (n,) the architectures: catalog ids and the benchmark's own.
    functions
        (n,) equal numbers for architectures that compute the same function.
    truth
        (n,) the target.
    target_direction
        +1, or -1 if less of the target is better; times `truth` it gives the target as it is stored.
    scores
        Proxy column to (n,) scores.
    directions
        Proxy column to +1 or -1; times the score it gives the score as it is stored.
    left_out
        Proxy column to the number of architectures with a target that its predictor was trained on, twins included.
    disconnected
        Proxy column to the number of architectures with a target that it ranks last.
    covered
        Proxy column to the number of architectures with a target that it has a score for, whether judged on them or
        not.
    common
        What the columns are compared on; None where each is judged on all that it covers.
    """

    space: str
    target: str
    where: str | None
    ids: Identifiers
    native_ids: pl.Series
    functions: Identifiers
    truth: Values
    target_direction: int
    scores: dict[str, Values]
    directions: dict[str, int]
    left_out: dict[str, int]
    disconnected: dict[str, int]
    covered: dict[str, int]
    common: Common | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def known(self) -> Mask:
        """(n,) whether an architecture has a target."""
        return np.asarray(~np.isnan(self.truth))

    @property
    def judged(self) -> Mask:
        """(n,) what is compared: the common pool, or all that have a target."""
        return self.known if self.common is None else self.common.rows

    @property
    def plain_truth(self) -> Values:
        """(n,) the target as it is stored."""
        return self.truth * self.target_direction

    @property
    def draws(self) -> Identifiers | None:
        """`functions`, where some of them stand in several rows; None if every row is a draw of its own."""
        return self.functions if len(np.unique(self.functions)) < len(self) else None

    def plain_scores(self, proxy: str) -> Values:
        """(n,) the scores of a proxy as they are stored."""
        return self.scores[proxy] * self.directions[proxy]

    def __repr__(self) -> str:
        known = int(self.known.sum())
        counts = f"{len(self)} architectures, {known} known, {len(self.scores)} proxies"
        return f"Pool({self.space!r}, {self.target!r}, {counts})"


def read_pool(
    catalog: Store,
    space: str,
    target: str,
    proxies: Sequence[str] | None = None,
    where: str | None = None,
    *,
    target_direction: int | None = None,
) -> Pool:
    """Read a pool from the wide view.

    Parameters
    ----------
    proxies
        Columns to rank with; by default every proxy column of the space but the spreads of ensembles.
    where
        SQL condition on the wide view that chooses the pool.
    target_direction
        +1 or -1; by default the target's own (a latency is a cost).

    Raises
    ------
    UnknownColumnError
        `target` or one of `proxies` is no column of the view.
    UsageError
        One of them holds no numbers.
    """
    view = SpaceView.of(catalog, space)
    stored = proxy_directions(catalog, space)
    directions = {name: direction for name, direction in stored.items() if direction is not None}
    names = list(proxies) if proxies else [name for name in stored if name != target and not name.endswith("_std")]
    view.checked(target)
    others = [view.checked(name) for name in names if name not in directions]
    directions |= {name: -1 if is_cost(catalog, space, name) else 1 for name in others}
    if target_direction is None:
        target_direction = -1 if is_cost(catalog, space, target) else 1
    frame = view.frame(columns=list(dict.fromkeys(["architecture_id", target, *names])), where=where)
    ids = frame["architecture_id"].to_numpy()
    members = catalog.query("SELECT id, native_id, canonical_id FROM architecture WHERE space = ? ORDER BY id", [space])
    members = members[np.searchsorted(members["id"].to_numpy(), ids)]
    truth = numbers(frame, target, space)
    known = ~np.isnan(truth)
    trained_on, refused = _trained_on(catalog, space, ids), _refused_as_disconnected(catalog, space, ids)
    nobody = np.zeros(len(ids), dtype=bool)
    scores: dict[str, Values] = {}
    left_out, disconnected, covered = {}, {}, {}
    for name in names:
        values = numbers(frame, name, space) * directions[name]
        last = refused.get(name, nobody) & np.isnan(values)
        seen = trained_on.get(name, nobody)
        values[last] = -np.inf
        values[seen] = np.nan
        scores[name] = values
        left_out[name] = int((seen & known).sum())
        disconnected[name] = int((last & ~seen & known).sum())
        covered[name] = int((~np.isnan(values) & known).sum())
    return Pool(
        space=space,
        target=target,
        where=where,
        ids=ids,
        native_ids=members["native_id"],
        functions=members["canonical_id"].to_numpy(),
        truth=truth * target_direction,
        target_direction=target_direction,
        scores=scores,
        directions={name: directions[name] for name in names},
        left_out=left_out,
        disconnected=disconnected,
        covered=covered,
    )


def numbers(frame: pl.DataFrame, column: str, space: str) -> Values:
    """A column of a wide view as (n,) numbers, NaN for NULL.

    Raises
    ------
    UsageError
        It holds no numbers.
    """
    kind = frame[column].dtype
    if not (kind.is_numeric() or kind == pl.Boolean):
        raise UsageError(f"the column {column!r} of {space} holds no numbers ({kind}); name a metric or a proxy.")
    return frame[column].cast(pl.Float64).to_numpy()


def _refused_as_disconnected(catalog: Store, space: str, ids: Identifiers) -> dict[str, Mask]:
    """Per proxy column, which architectures it looked at and refused because they compute nothing."""
    refused = catalog.query(
        f"""
        SELECT proxy."column", {published_as(catalog)} AS published_as, input, list(architecture_id) AS ids
        FROM score JOIN proxy ON proxy.id = proxy_id
        WHERE status = 'disconnected' AND architecture_id IN (SELECT id FROM architecture WHERE space = ?)
        GROUP BY ALL
        """,
        [space],
    )
    found: dict[str, Mask] = {}
    name_of = proxy_namer(catalog, space)
    for group in refused.iter_rows(named=True):
        name = name_of(group)
        found[name] = found.get(name, np.zeros(len(ids), dtype=bool)) | np.isin(ids, group["ids"])
    return found


def _trained_on(catalog: Store, space: str, ids: Identifiers) -> dict[str, Mask]:
    """Per proxy column, which of the architectures its predictor was trained on, functional twins included."""
    seen = catalog.query(
        """
        SELECT proxy.id AS proxy_id, list(DISTINCT twin.id) AS ids
        FROM training_member JOIN proxy ON proxy.id = proxy_id
        JOIN architecture AS member ON member.id = architecture_id
        JOIN architecture AS twin ON twin.space = member.space AND twin.canonical_digest = member.canonical_digest
        WHERE member.space = ? GROUP BY ALL
        """,
        [space],
    )
    # One predictor may stand in several columns: its published scores, and those for other inputs.
    columns = catalog.query(
        f"""
        SELECT DISTINCT proxy.id AS proxy_id, proxy."column", {published_as(catalog)} AS published_as, input
        FROM score JOIN proxy ON proxy.id = proxy_id
        WHERE proxy_id IN (SELECT proxy_id FROM training_member)
        """
    )
    found: dict[str, Mask] = {}
    name_of = proxy_namer(catalog, space)
    for group in columns.join(seen, on="proxy_id").iter_rows(named=True):
        name = name_of(group)
        for column in (name, f"{name}_std"):
            found[column] = found.get(column, np.zeros(len(ids), dtype=bool)) | np.isin(ids, group["ids"])
    return found
