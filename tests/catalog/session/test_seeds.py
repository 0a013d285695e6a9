"""A seed that no generator takes is refused by every verb that draws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import catalog
from catalog.errors import UsageError
from catalog.session.seeds import LARGEST_SEED, checked_seed

VERBS: dict[str, Callable[[catalog.Catalog, int], Any]] = {
    "draw": lambda c, seed: c.draw_space("ofa", 2, seed=seed),
    "evaluate": lambda c, seed: c.evaluate("nb201", sample=1, seed=seed),
    "score": lambda c, seed: c.score("nb201", "synflow", sample=1, seed=seed, workers=1),
    "search": lambda c, seed: c.search("nb201", "params", method="random", budget=2, seed=seed),
    "train": lambda c, seed: c.train("few_label", "nb201", "params", c.path.parent / "out", seed=seed),
}


@pytest.mark.parametrize("seed", [-1, LARGEST_SEED + 1])
@pytest.mark.parametrize("verb", sorted(VERBS))
def test_a_seed_out_of_range_is_refused(catalog_path: Path, verb: str, seed: int) -> None:
    if verb not in {"draw", "search"}:
        pytest.importorskip("torch")  # of the predictors' packages, which these verbs ask for first
    with catalog.open(catalog_path, "write") as c, pytest.raises(UsageError, match="the seed is .* from 0 to 4,294,"):
        VERBS[verb](c, seed)


def test_the_ends_of_the_range_are_seeds() -> None:
    assert [checked_seed(seed) for seed in (0, LARGEST_SEED)] == [0, LARGEST_SEED]
