"""Every method searches every staged space, and what it answers keeps the bounds."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs torch, of the extra predict")

import catalog
from catalog.search.methods.running import METHODS, SEVERAL
from catalog.spaces import staged

BUDGET = 12


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory):
    with catalog.open(tmp_path_factory.mktemp("searched") / "catalog.duckdb", "write") as session:
        yield session


@pytest.mark.parametrize("space", staged.NAMES)
def test_every_method_keeps_bounds_on_parameters_and_costs(opened: catalog.Catalog, space: str) -> None:
    opened.draw_space(space, 2 * BUDGET)
    most = opened.query(f"SELECT median(params) AS params, median(flops) AS flops FROM {space}").row(0, named=True)
    for method, facts in METHODS.items():
        by = ("root_macs", "activations") if facts.scores == SEVERAL else "root_macs"
        found = opened.search(space, by, method=method, budget=BUDGET, max=most, seed=1).frame
        assert 0 < len(found) <= BUDGET, method
        assert found["params"].max() <= most["params"], method
        assert found["flops"].max() <= most["flops"], method
        if facts.scores != SEVERAL:
            assert found["root_macs"].is_sorted(descending=True), method
