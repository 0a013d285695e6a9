"""What the registry offers has the directions that the catalog knows."""

from __future__ import annotations

from catalog.architecture.structural import STRUCTURAL_PROXIES
from catalog.tables.proxies import HIGHER_IS_BETTER, LOWER_IS_BETTER, known_direction
from predictor.zero_cost.registry import built_in


def test_known_proxies_are_those_that_the_catalog_computes() -> None:
    directions = {proxy.name: proxy.direction for proxy in (*built_in().values(), *STRUCTURAL_PROXIES)}
    assert directions == {name: known_direction(name) for name in directions}
    assert set(directions) == HIGHER_IS_BETTER | LOWER_IS_BETTER
