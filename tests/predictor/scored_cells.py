"""A catalog of a few NAS-Bench-201 cells whose functions are known, and small networks to measure them in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catalog.architecture.members import Members
from catalog.spaces import space_named
from catalog.spaces.base import SearchSpace
from catalog.storage.runs import Run
from catalog.storage.store import Store
from catalog.tables import registration, views
from catalog.tables.space_view import SpaceView
from predictor.networks import NetworkConfig
from predictor.zero_cost import MeasureConfig

CONV = "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"
CONV_AND_DEAD = "|nor_conv_1x1~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"  # its 1x1 leads nowhere
CONV_AFTER_SKIP = "|skip_connect~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|"
CUT = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|"  # nothing reaches the output
SKIP = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"  # hands on its input: no trainability
POOL = "|none~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|"
TWO = "|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|skip_connect~2|"

TWINS = (CONV, CONV_AND_DEAD, CONV_AFTER_SKIP)
CELLS = (*TWINS, CUT, SKIP, POOL, TWO)

NB201 = space_named("nb201")
SMALL = MeasureConfig(batch_size=4, network=NetworkConfig(channels=4, cells=1))


def enter_cells(catalog: Store, cells: Sequence[str] = CELLS, space: SearchSpace = NB201) -> None:
    """Enter architectures by their native ids."""
    with Run.start(catalog, "enumerate", {}) as run, catalog.transaction():
        registration.ensure_space(catalog, space)
        registration.enter(catalog, space, Members(list(cells)), run.id)
        registration.link_twins(catalog, space.name)
        views.rebuild(catalog, space.name)


def scores(catalog: Store, proxy: str) -> dict[str, tuple[object, ...]]:
    """Native id to value, status and the cell whose measurement it shares, of our own scores of a proxy."""
    rows = catalog.query(
        """
        SELECT member.native_id, value, status, source.native_id AS shared
        FROM score JOIN proxy ON proxy.id = proxy_id JOIN architecture AS member ON member.id = architecture_id
        LEFT JOIN architecture AS source ON source.id = shared_from
        WHERE proxy.name = ? AND configuration != '{}' ORDER BY member.id, seed
        """,
        [proxy],
    ).rows()
    return {str(cell): tuple(rest) for cell, *rest in rows}


def assert_view_agrees(catalog: Store) -> None:
    """The wide view is what a rebuild from the long tables makes of them."""
    before = SpaceView.of(catalog, "nb201").frame()
    with catalog.transaction():
        views.rebuild(catalog, "nb201")
    assert before.equals(SpaceView.of(catalog, "nb201").frame().select(before.columns))


def database_of_cells(path: Path) -> Path:
    """A new catalog file with `CELLS`."""
    with Store.open(path, mode="write", create=True) as catalog:
        enter_cells(catalog)
    return path
