"""Which architectures of a space a command means."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.storage.store import Store


@dataclass(frozen=True)
class Selection:
    """Architectures of one space, and how they were chosen.

    Parameters
    ----------
    ids
        ``architecture.id`` in ascending order.
    where
        The condition on the wide view; None for all.
    sample
        Size of the draw; None where nothing was drawn.
    seed
        Of the draw.
    """

    space: str
    ids: NDArray[np.int64]
    where: str | None = None
    sample: int | None = None
    seed: int = 0

    @property
    def table(self) -> pa.Table:
        """The ids as a table of one column, ``id``."""
        return pa.table({"id": self.ids})

    def recorded(self, native_ids: list[str]) -> dict[str, object]:
        """What a score that depends on the pool says about it; the digest is of the native ids of its members."""
        drawn = {} if self.sample is None else {"sample": self.sample, "sample_seed": self.seed}
        digest = hashlib.sha256("\n".join(sorted(native_ids)).encode()).hexdigest()
        return {"space": self.space, "where": self.where, "size": len(native_ids), "members": digest, **drawn}


def select(catalog: Store, space: str, where: str | None = None, sample: int | None = None, seed: int = 0) -> Selection:
    """The architectures of a stored space that fulfil a condition, or a random sample of these.

    The draw is of architectures, each as likely as any other; a larger sample of the same seed holds the smaller one.

    Parameters
    ----------
    where
        An SQL condition on the wide view, which may come from a user.
    sample
        How many; all of them where there are fewer.

    Raises
    ------
    ConditionError
        The condition is wrong.
    UsageError
        Nothing fulfils it.
    """
    ids = SpaceView.of(catalog, space).arrow(["architecture_id"], where)["architecture_id"].to_numpy()
    if not len(ids):
        raise UsageError(f"no architecture of {space} fulfils {where!r}; nothing was scored.")
    if sample is not None:
        ids = np.sort(np.random.default_rng(seed).permutation(ids)[:sample])
    return Selection(space, ids, where, sample, seed)
