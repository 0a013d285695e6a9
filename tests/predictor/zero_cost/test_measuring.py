"""A measurement: shared work, statuses, determinism, inputs, pools and plug-ins."""

from __future__ import annotations

import math
import pickle
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.errors import DatasetError, UnknownProxyError
from catalog.spaces import space_named
from catalog.spaces.darts import DARTS
from catalog.spaces.nb201 import NASBench201
from predictor.networks import NetworkConfig, cells_input
from predictor.pooled.ranks import az_nas, ranks, swap_reg, te_nas
from predictor.zero_cost import (
    SUITE_ZERO,
    MeasureConfig,
    Need,
    Passes,
    Proxy,
    measure,
    measure_many,
    proxies_named,
    registered,
    registry,
)
from predictor.zero_cost.inputs import draw

SPACE = NASBench201()
CONFIG = MeasureConfig(batch_size=4, network=NetworkConfig(channels=4, cells=1, classes=2))
CELL = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"


def test_one_measurement_gives_all_thirteen() -> None:
    found = measure(SPACE.graph(CELL), proxies_named(SUITE_ZERO), CONFIG)
    assert [one.proxy for one in found] == list(SUITE_ZERO)
    assert {one.status for one in found} == {"ok"}
    assert all(one.seconds is not None and one.seconds >= 0 for one in found)


def test_a_proxy_alone_and_in_company_gives_the_same() -> None:
    together = {one.proxy: one.value for one in measure(SPACE.graph(CELL), proxies_named(SUITE_ZERO), CONFIG)}
    for name in ("jacov", "snip", "fisher", "zen", "nwot"):
        (alone,) = measure(SPACE.graph(CELL), proxies_named([name]), CONFIG)
        assert alone.value == pytest.approx(together[name], rel=1e-5), name


def test_the_seed_decides_and_the_global_state_does_not() -> None:
    proxies = proxies_named(["snip", "zen", "nwot", "linear_regions", "az_trainability", "meco"])
    first = measure(SPACE.graph(CELL), proxies, CONFIG)
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    again = measure(SPACE.graph(CELL), proxies, CONFIG)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert [one.value for one in again] == [one.value for one in first]
    other = measure(SPACE.graph(CELL), proxies, MeasureConfig(seed=1, batch_size=4, network=CONFIG.network))
    assert all(a.value != b.value for a, b in zip(first, other, strict=True) if a.proxy in ("snip", "zen", "nwot"))


def test_a_disconnected_cell_has_a_status_and_no_number() -> None:
    graph = SPACE.graph("|none~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_3x3~1|none~2|")
    for one in measure(graph, proxies_named(SUITE_ZERO), CONFIG):
        assert (one.value, one.status) == (None, "disconnected")
        assert "no path" in (one.reason or "")


def test_zico_refuses_a_single_batch() -> None:
    config = MeasureConfig(batch_size=4, batches=1, network=CONFIG.network)
    zico, snip = measure(SPACE.graph(CELL), proxies_named(["zico", "snip"]), config)
    assert (zico.value, zico.status) == (None, "failed")
    assert "two minibatches" in (zico.reason or "")
    assert snip.status == "ok"


COMPARING = {"jacov", "nwot", "swap", "ntk_cond", "epe_nas"}


@pytest.mark.parametrize("given", ["photos", "noise"])
def test_no_proxy_has_one_value_for_all_networks(given: str) -> None:
    """Of one image, jacov was -1, swap 2 and ntk_cond 1 for every network, and nwot the logarithm of its ReLUs."""
    config = MeasureConfig(input=given, batch_size=1, network=NetworkConfig(channels=4, cells=1))
    found = [
        measure(SPACE.graph(place), list(registered().values()), config) for place in (6111, 9930, 1459, 2209, 12355)
    ]
    for scores in zip(*found, strict=True):
        if scores[0].proxy in COMPARING:
            assert [(one.value, one.status) for one in scores] == [(None, "failed")] * 5
            assert all("use a larger one" in (one.reason or "") for one in scores)
        else:
            assert {one.status for one in scores} == {"ok"}
            assert len({one.value for one in scores}) > 1, scores[0].proxy


def test_two_images_can_be_compared() -> None:
    config = MeasureConfig(batch_size=2, network=NetworkConfig(channels=4, cells=1, classes=1))
    assert {one.status for one in measure(SPACE.graph(CELL), proxies_named(sorted(COMPARING)), config)} == {"ok"}


class NotANumber(Proxy):
    """A proxy that fails in silence."""

    name = "not_a_number"
    needs = Need.NOTHING

    def measure(self, passes: Passes) -> float:
        return math.nan


class Shapes(Proxy):
    """A proxy that makes PyTorch raise."""

    name = "shapes"
    needs = Need.NOTHING

    def measure(self, passes: Passes) -> float:
        return float((torch.ones(2) @ torch.ones(3)).sum())


def test_a_failure_is_a_reason_and_never_a_number() -> None:
    found = measure(SPACE.graph(CELL), [NotANumber(), Shapes()], CONFIG)
    assert [(one.value, one.status) for one in found] == [(None, "failed")] * 2
    assert "nan" in (found[0].reason or "")
    assert "RuntimeError" in (found[1].reason or "")


def test_equal_functions_are_measured_once() -> None:
    """A dead convolution changes the counts of the native network and nothing else."""
    plain = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
    dead = "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|none~0|skip_connect~1|none~2|"
    names = ["nwot", "l2_norm", "params"]
    first, second = measure_many([SPACE.graph(plain), SPACE.graph(dead)], proxies_named(names), CONFIG)
    assert first[:2] == second[:2]
    assert second[0] is first[0]
    assert (second[2].value or 0) - (first[2].value or 0) == 4 * 4 + 2 * 4 + 8 * 8 + 2 * 8 + 16 * 16 + 2 * 16


def test_other_spaces_can_be_measured() -> None:
    module = CellGraph.build("module", ["input", "conv3x3", "maxpool3x3", "output"], [(0, 1), (0, 2), (1, 3), (2, 3)])
    for graph, size in (
        (DARTS().sample(1, seed=0)[0], NetworkConfig(channels=2, cells=3, classes=2)),
        (ArchitectureGraph("nb101", (module,)), NetworkConfig(channels=8, cells=1, classes=2)),
        (ArchitectureGraph("mine", (module,)), NetworkConfig(channels=4, cells=1, classes=2)),
    ):
        found = measure(graph, list(registered().values()), MeasureConfig(batch_size=4, network=size))
        assert {one.proxy: one.reason for one in found if one.status != "ok"} == {}, graph.space


@pytest.mark.parametrize("name", ["photos", "noise", "digits"])
def test_inputs_are_minibatches_of_one_shape(name: str) -> None:
    first = draw(name, batch_size=20, batches=2, classes=10, seed=3)
    again = draw(name, batch_size=20, batches=2, classes=10, seed=3)
    other = draw(name, batch_size=20, batches=2, classes=10, seed=4)
    assert [batch.images.shape for batch in first] == [(20, 3, 32, 32)] * 2
    assert all(torch.equal(a.images, b.images) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0].images, other[0].images)
    assert not torch.equal(first[0].images, first[1].images)
    assert abs(float(torch.cat([batch.images for batch in first]).mean())) < 0.5
    if name != "digits":
        assert sorted(first[0].labels.tolist()) == sorted(list(range(10)) * 2)


def cifar_rows(count: int) -> np.ndarray:
    generator = np.random.default_rng(0)
    labels = generator.integers(10, size=(count, 1), dtype=np.uint8)
    return np.concatenate([labels, generator.integers(256, size=(count, 3072), dtype=np.uint8)], axis=1)


def test_both_versions_of_cifar10_give_the_same_images(tmp_path: Path) -> None:
    rows = cifar_rows(8)
    for version in ("binary", "python"):
        (tmp_path / version).mkdir()
        for number in range(1, 6):
            path = tmp_path / version / f"data_batch_{number}"
            if version == "binary":
                rows.tofile(path.with_suffix(".bin"))
            else:
                path.write_bytes(pickle.dumps({b"data": rows[:, 1:], b"labels": rows[:, 0].tolist()}))
    drawn = [
        draw(f"cifar10:{tmp_path / version}", batch_size=4, batches=1, classes=10, seed=0)[0]
        for version in ("binary", "python")
    ]
    assert torch.equal(drawn[0].images, drawn[1].images)
    assert torch.equal(drawn[0].labels, drawn[1].labels)


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("ran",))


def test_a_pickle_of_anything_but_arrays_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(DatasetError, match="no batch of CIFAR-10"):
        draw(f"cifar10:{tmp_path}", batch_size=4, batches=1, classes=10, seed=0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "classes"), [("photo", 10), ("cifar10:", 10), ("cifar10:/nowhere", 10), ("digits", 5)]
)
def test_an_impossible_input_says_what_is_allowed(name: str, classes: int) -> None:
    with pytest.raises(DatasetError):
        draw(name, batch_size=4, batches=1, classes=classes, seed=0)


def test_the_recorded_configuration_tells_what_changes_a_score() -> None:
    recorded = CONFIG.recorded("nb201")
    assert recorded["labels"] == "random"
    assert recorded["batch_norm"] == "training"
    assert recorded["network"]["channels"] == 4
    assert MeasureConfig(input="digits").recorded("nb201")["labels"] == "true"


def test_an_unknown_proxy_lists_the_known_ones() -> None:
    with pytest.raises(UnknownProxyError, match="grad_norm"):
        proxies_named(["gradnorm"])


def test_a_plug_in_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("mine", f"{__name__}:NotANumber", registry.ENTRY_POINTS)
    monkeypatch.setattr(EntryPoint, "load", lambda _: NotANumber)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == registry.ENTRY_POINTS else [])
    registry.registered.cache_clear()
    try:
        assert [proxy.name for proxy in proxies_named(["not_a_number"])] == ["not_a_number"]
    finally:
        registry.registered.cache_clear()


@pytest.mark.parametrize("loaded", [int, type("Taken", (NotANumber,), {"name": "snip"})])
def test_a_plug_in_that_is_no_proxy_or_takes_a_name_is_refused(monkeypatch: pytest.MonkeyPatch, loaded: type) -> None:
    monkeypatch.setattr(EntryPoint, "load", lambda _: loaded)
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint("mine", "mine:Mine", group)])
    registry.registered.cache_clear()
    try:
        with pytest.raises(UnknownProxyError):
            registered()
    finally:
        registry.registered.cache_clear()


def test_every_proxy_tells_its_direction_and_cost() -> None:
    for name, proxy in registered().items():
        text = type(proxy).__doc__ or ""
        assert proxy.name == name
        assert proxy.direction in (-1, 1)
        assert "Direction:" in text, name
        assert "Cost:" in text, name
        assert ("lower is better" in text) == (proxy.direction == -1), name


@given(st.lists(st.integers(-5, 5) | st.just(None), min_size=1, max_size=12))
def test_ranks_are_those_of_scipy_with_failures_last(values: list[int | None]) -> None:
    from scipy.stats import rankdata

    floats = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    filled = [-100 if value is None else value for value in values]
    assert ranks(floats).tolist() == rankdata(filled).tolist()


def test_te_nas_adds_the_ranks_of_both_parts() -> None:
    assert te_nas(np.array([1.0, 5.0, np.nan]), np.array([10.0, 20.0, 5.0])).tolist() == [5.0, 5.0, 2.0]


def test_az_nas_of_the_best_in_everything_is_zero() -> None:
    up = np.array([1.0, 2.0, 3.0, 4.0])
    scores = az_nas(up, up, up, up)
    assert scores.tolist() == pytest.approx([4 * math.log(r / 4) for r in (1, 2, 3, 4)])


def test_swap_reg_prefers_the_size_that_is_asked_for() -> None:
    swap, params = np.array([100.0, 100.0, 100.0]), np.array([1e6, 2e6, 3e6])
    assert np.argsort(swap_reg(swap, params)).tolist() == [0, 1, 2]
    assert int(np.argmax(swap_reg(swap, params, mean=2000, deviation=1e5))) == 1


def test_cells_are_measured_with_images_as_large_as_the_benchmarks_up_to_64_pixels():
    assert [cells_input(space).shape for space in ("nb201", "nb101", "darts", "mine")] == [(3, 32, 32)] * 4
    assert cells_input("transnas_micro").shape == (3, 64, 64)  # of 256
    cell = space_named("transnas_micro").graph("64-41414-1_02_313")
    thin = MeasureConfig(batch_size=2, network=NetworkConfig(channels=8, cells=1))
    (meco,) = measure(cell, proxies_named(["meco"]), thin)
    assert meco.status == "ok"  # with 32 pixels a single one is left, which a normalisation of one image cannot be over
    assert MeasureConfig().recorded("transnas_micro")["input"] == '{"shape":[3,64,64]}'
    assert "input" not in MeasureConfig().recorded("nb201")
