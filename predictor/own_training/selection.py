"""Which architectures a job trains: one a function, drawn once and for all by a seed, and only what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.storage.store import Store


@dataclass(frozen=True)
class Selection:
    """The functions of a selection and what is left to train of them.

    Parameters
    ----------
    functions
        Functions asked for: connected architectures that compute the same count once.
    missing
        ``architecture.id`` and the seeds to train it with, in the order of the draw; without what is stored.
    disconnected
        Selected architectures that compute nothing, and so have nothing to train.
    begun
        Those of `missing` whose function is stored with other seeds: one more seed is trained as if with all of them.
    """

    functions: int
    missing: list[tuple[int, tuple[int, ...]]]
    disconnected: int
    begun: frozenset[int] = frozenset()


def select(
    catalog: Store,
    space: str,
    *,
    seeds: Sequence[int],
    trained: pl.DataFrame,
    where: str | None = None,
    sample: int | None = None,
    sample_seed: int = 0,
) -> Selection:
    """What is missing of a selection.

    A function is represented by its selected architecture of the smallest native index. A larger `sample` of the same
    seed contains the smaller one.

    Parameters
    ----------
    trained
        Columns ``canonical_digest`` and ``seed``: what is stored, by function, whichever of its architectures was
        trained.
    where
        Condition on the wide view.
    sample
        Number of functions to draw; all of them by default.
    """
    columns = ["architecture_id", "index", "canonical_digest", "is_connected"]
    rows = SpaceView.of(catalog, space).frame(columns, where).sort("index", "architecture_id", nulls_last=True)
    functions = rows.filter("is_connected").unique("canonical_digest", keep="first", maintain_order=True)
    if sample is not None:
        order = np.random.default_rng(sample_seed).permutation(len(functions))[:sample]
        functions = functions[order.tolist()]
    held: dict[str, set[int]] = {}
    for digest, seed in trained.select("canonical_digest", "seed").iter_rows():
        held.setdefault(digest, set()).add(seed)
    missing = []
    begun = set()
    for architecture_id, digest in functions.select("architecture_id", "canonical_digest").iter_rows():
        if wanted := tuple(seed for seed in seeds if seed not in held.get(digest, ())):
            missing.append((int(architecture_id), wanted))
            if digest in held:
                begun.add(int(architecture_id))
    return Selection(len(functions), missing, int((~rows["is_connected"]).sum()), frozenset(begun))
