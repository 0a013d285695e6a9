"""Proxies of TransNAS-Bench-101's micro space: images large enough that its last cell has more than one pixel."""

from __future__ import annotations

from catalog.spaces import space_named
from predictor.zero_cost.measuring import MeasureConfig, batches_for, measure
from predictor.zero_cost.registry import proxies_named

SPACE = space_named("transnas_micro")


def test_its_images_have_64_pixels_and_a_score_says_so():
    assert batches_for(MeasureConfig(batch_size=2), SPACE.name)[0].images.shape == (2, 3, 64, 64)
    assert MeasureConfig().recorded(SPACE.name)["input"] == '{"shape":[3,64,64]}'
    assert "input" not in MeasureConfig().recorded("nb201")
    assert batches_for(MeasureConfig(batch_size=2), "nb201")[0].images.shape == (2, 3, 32, 32)


def test_a_proxy_of_one_image_has_a_value():
    """MeCo looks at a single image, whose channels BatchNorm cannot normalise over a single pixel."""
    graph = SPACE.graph("64-41414-1_02_313")
    found = measure(graph, proxies_named(["meco", "nwot", "snip", "synflow"]), MeasureConfig(batch_size=2))
    assert [one.status for one in found] == ["ok"] * 4
