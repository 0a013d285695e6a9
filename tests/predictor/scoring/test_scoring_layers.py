"""Layers that a job stores beside the scores that they add up to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalog.errors import ProxyError
from catalog.storage.store import Store
from predictor.scoring.entry import ScoreOptions, score
from predictor.zero_cost.engine import LocalEngine
from tests.predictor.scored_cells import CONV, POOL, SKIP, SMALL, TWO, assert_view_agrees, scores

HERE = ScoreOptions(config=SMALL, engine=LocalEngine(1), batch_seconds=0.0)
LAYERED = replace(HERE, config=replace(SMALL, layerwise=True))


def test_layers_add_up_to_the_score_and_can_be_asked_for_later(catalog: Store) -> None:
    score(catalog, "nb201", ["snip", "zen"], HERE)
    before = scores(catalog, "snip")
    assert catalog.query("SELECT count(*) FROM layer_score").item() == 0
    for expected in (4, 0):  # the measured ones, and nothing the second time
        snip, zen = score(catalog, "nb201", ["snip", "zen"], LAYERED)
        assert (snip.measured, zen.measured) == (expected, 0)
        assert scores(catalog, "snip") == before
    sums = catalog.query(
        """
        SELECT native_id, sum(layer.value) AS total, any_value(score.value) AS value, list(position ORDER BY position)
        FROM layer_score AS layer JOIN score USING (architecture_id, proxy_id, input, seed)
        JOIN architecture ON architecture.id = architecture_id GROUP BY native_id
        """
    ).rows()
    assert {cell for cell, *_ in sums} == {CONV, SKIP, POOL, TWO}
    for _, total, value, positions in sums:
        assert total == pytest.approx(value)
        assert positions == list(range(len(positions)))
    assert_view_agrees(catalog)


def test_layers_say_where_they_stand(catalog: Store) -> None:
    score(catalog, "nb201", ["snip", "nwot"], replace(LAYERED, where=f"cell = '{TWO}'"))
    rows = catalog.query(
        """
        SELECT role, stage, repetition, layer.cell, layer.node, layer.operator, node.operator AS of_node, parameters
        FROM layer_score AS layer JOIN proxy ON proxy.id = proxy_id LEFT JOIN node ON node.architecture_id =
            layer.architecture_id AND form = 'native' AND node.cell = layer.cell AND node.position = layer.node
        WHERE name = 'snip' ORDER BY layer.position
        """
    ).rows()
    in_cell = [("operator", "cell", 1, "nor_conv_1x1", 1), ("operator", "cell", 3, "nor_conv_3x3", 9)]
    expected: list[tuple[object, ...]] = [("stem", None, None, None, None, None, None, 3 * 9 * 4)]
    for stage, width in enumerate((4, 8, 16)):
        if stage:
            half = width // 2
            for weights in (half * width * 9, width * width * 9, half * width):
                expected.append(("reduction", stage, None, None, None, None, None, weights))
        for role, cell, node, operator, area in in_cell:
            expected.append((role, stage, 0, cell, node, operator, operator, width * width * area))
    expected.append(("classifier", None, None, None, None, None, None, 16 * 10))
    assert rows == expected
    weightless = "SELECT DISTINCT parameters FROM layer_score JOIN proxy ON proxy.id = proxy_id WHERE name = 'nwot'"
    assert catalog.query(weightless).rows() == [(0,)]


def test_layers_without_a_place_are_measured_again(catalog: Store) -> None:
    """An earlier version stored no places."""
    score(catalog, "nb201", ["snip"], LAYERED)
    with catalog.transaction():
        catalog.execute("UPDATE layer_score SET role = NULL")
    (snip,) = score(catalog, "nb201", ["snip"], LAYERED)
    assert snip.measured == 4
    assert catalog.query("SELECT count(*) FROM layer_score WHERE role IS NULL").item() == 0


def test_a_value_outlives_a_failure_to_measure_its_layers(catalog: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    score(catalog, "nb201", ["snip"], HERE)
    before = scores(catalog, "snip")

    def fail(*_: object) -> None:
        raise ProxyError("out of luck")

    monkeypatch.setattr("predictor.zero_cost.saliency.Snip.layer_values", fail)
    score(catalog, "nb201", ["snip"], LAYERED)
    assert scores(catalog, "snip") == before
    assert catalog.query("SELECT count(*) FROM layer_score").item() == 0
    monkeypatch.undo()
    score(catalog, "nb201", ["snip"], LAYERED)  # asked again, it tries again
    assert catalog.query("SELECT count(DISTINCT architecture_id) FROM layer_score").item() == 4
