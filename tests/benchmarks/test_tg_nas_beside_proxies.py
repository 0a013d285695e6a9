"""How TG-NAS is put beside proxies: who is left out, who ranks last, and a picture that comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.proxies_by_space import HEADLINE
from benchmarks.tg_nas_beside_proxies import MEMBERS, PACKAGED, Pool, Target, draw_map, targets

TARGET = Target("nb201", "cifar10_test_accuracy", PACKAGED)


def pool(**scores: list[float]) -> Pool:
    return Pool(TARGET, np.array([1.0, 2.0, 3.0, 4.0]), {name: np.array(values) for name, values in scores.items()})


def test_what_has_no_value_is_left_out_and_what_has_no_path_ranks_last() -> None:
    assert pool(snip=[4, np.nan, 5, 6]).tau("snip") == (1.0, 3)
    assert pool(snip=[-np.inf, 1, 2, 3]).tau("snip") == (1.0, 4)
    tau, count = pool(snip=[1, 2, 3, 4]).tau("zen")
    assert np.isnan(tau)
    assert count == 0


def test_every_space_with_scores_of_the_package_is_a_target_and_so_are_the_published_ones() -> None:
    found = targets()
    assert [one.space for one in found if one.ending == PACKAGED] == list(HEADLINE)
    assert {one.space for one in found if one.ending != PACKAGED} == {"nb201", "darts"}
    assert len(MEMBERS) == 4


def test_the_picture_has_every_name(tmp_path: Path) -> None:
    path = tmp_path / "new" / "map.svg"
    draw_map(["one", "two", "three"], np.array([[1, 0.9, -0.2], [0.9, 1, 0], [-0.2, 0, 1]]), path)
    assert all(name in path.read_text() for name in ("one", "two", "three"))
