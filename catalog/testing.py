"""The common test that every predictor and every proxy must pass, a stranger's too: `check_predictor`."""

from __future__ import annotations

import dataclasses
import pickle
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import CatalogError, UsageError
from catalog.spaces import space_named
from predictor.door import Given, Graphs, Labelled, Layers, Predictor, Scores, Training
from predictor.door.given import networks_of
from predictor.door.registry import checked

if TYPE_CHECKING:
    from predictor.zero_cost import Proxy

_COUNT = 48
_SPACE = "nb201"


def check_predictor(kind: type[Predictor] | type[Proxy], options: Mapping[str, object] | None = None) -> None:
    """Check that a predictor or a zero-cost proxy keeps what the door promises to its callers.

    A predictor is given a small sample of NAS-Bench-201. It must state its facts; refuse unusable labels; give one
    number an architecture, the same for the same input and, unless it depends on the pool, in whatever batches; live
    with missing values and with architectures that compute nothing; survive pickling, as on the way to a worker; and
    come back from its folder as it was, with a card. A proxy is measured twice on two networks.

    Parameters
    ----------
    kind
        The class.
    options
        The predictor's own options, for example ones that make its training short.

    Raises
    ------
    AssertionError
        It does not; the message says what and how.
    """
    if issubclass(kind, Predictor):
        _check_predictor(kind, options or {})
    else:
        _check_proxy(kind)


def sample_given(kind: type[Predictor], count: int = _COUNT, seed: int = 0) -> Given:
    """Some architectures of NAS-Bench-201 with what a predictor needs: random columns, a few without a value."""
    space = space_named(_SPACE)
    native = space.sample(count, seed)
    random = np.random.default_rng(seed)
    columns = random.lognormal(size=(count, len(kind.needs.columns)))
    columns[random.random(columns.shape) < 0.1] = np.nan
    forms = {"native": Graphs.of(native), "canonical": Graphs.of([graph.canonical for graph in native])}
    return Given(
        _SPACE,
        count,
        space.vocabulary,
        {form: forms[form] for form in kind.needs.graphs},
        columns,
        np.array([graph.is_connected for graph in native]),
        sample_layers(kind.needs.layers, count, seed) if kind.needs.layers else None,
        optional={name: _partly_known(random, count) for name in kind.needs.optional},
        optional_layers={name: sample_layers((name,), count, seed) for name in kind.needs.optional_layers},
        zero_shot={name: _partly_known(random, count) for name in ("another",) if kind.needs.zero_shot},
        read_networks=networks_of(space, native) if kind.needs.networks else None,
    )


def sample_layers(proxies: tuple[str, ...], count: int, seed: int = 0) -> Layers:
    """Random layers of some networks: three to twelve each, and an architecture whose layers nobody has measured."""
    random = np.random.default_rng(seed)
    sizes = random.integers(3, 13, size=count)
    owner = np.repeat(np.arange(count), sizes)
    network = np.arange(count)
    network[count // 3] = -1
    return Layers(
        proxies,
        network,
        owner,
        random.normal(size=(len(owner), len(proxies))),
        random.integers(100, 10_000, size=len(owner)),
        np.zeros(len(owner), dtype=np.int64),
        np.zeros(len(owner), dtype=np.int64),
        np.ones(len(owner), dtype=np.int64),
        ["operator"] * len(owner),
        ["nor_conv_3x3"] * len(owner),
    )


def _partly_known(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    return np.where(random.random(count) < 0.1, np.nan, random.lognormal(size=count))


def _check_predictor(kind: type[Predictor], options: Mapping[str, object]) -> None:
    checked(kind, kind.__name__)
    _require(bool((kind.__doc__ or "").strip()), kind, "has no docstring; its first line is stored with the scores")
    _require(kind.name.isidentifier(), kind, f"is named {kind.name!r}, which is no plain name for a column")
    _require(dataclasses.is_dataclass(kind.Options), kind, "has Options that are no dataclass")
    given = sample_given(kind)
    if kind.needs.labels:
        _check_refusals(kind, options, given)
    ready = _ready(kind, options, given)
    first = ready.score(given)
    _check_shapes(kind, first, given)
    _require(_equal(first, ready.score(given)), kind, "gives other scores when it is asked again")
    _require(_equal(first, _carried(ready).score(given)), kind, "does not survive pickling")
    if not kind.depends_on_pool:
        _check_batches(kind, ready, given, first)
    _check_folder(kind, ready, given, first)


def _ready(kind: type[Predictor], options: Mapping[str, object], given: Given) -> Predictor:
    if not kind.needs.labels:
        return kind()
    try:
        return _fitted(kind, options, given)
    except UsageError:
        if kind.shipped() is None:
            raise
        return kind.ready()  # it learns elsewhere: its weights come with it


def _fitted(kind: type[Predictor], options: Mapping[str, object], given: Given, **changed: Any) -> Predictor:
    labels = np.random.default_rng(1).normal(size=len(given))
    labels[~given.connected] = np.nan
    if given.layers is not None:
        labels[given.layers.network < 0] = np.nan
    source = dataclasses.replace(Labelled(f"{_SPACE} accuracy", given, labels), **changed)
    with tempfile.TemporaryDirectory() as folder:
        return kind.configured(options).fit([source], Training(seed=0, folder=Path(folder)))


def _check_refusals(kind: type[Predictor], options: Mapping[str, object], given: Given) -> None:
    nothing = np.full(len(given), np.nan)
    few = nothing.copy()
    few[: kind.fewest_labels - 1] = np.arange(kind.fewest_labels - 1)
    infinite = np.arange(len(given), dtype=np.float64)
    infinite[0] = np.inf
    bad: dict[str, NDArray[np.float64]] = {
        "no labels": nothing,
        "labels of another number of architectures": np.arange(3.0),
        "labels that are all alike": np.ones(len(given)),
        "fewer labels than it says it needs": few,
        "infinite labels": infinite,
    }
    for what, labels in bad.items():
        try:
            _fitted(kind, options, given, labels=labels)
        except CatalogError:
            continue
        raise AssertionError(f"{kind.__name__} learns from {what}; it should call `require` on its sources.")


def _check_shapes(kind: type[Predictor], scores: Scores, given: Given) -> None:
    count = len(given)
    _require(np.shape(scores.mean) == (count,), kind, f"gives {np.shape(scores.mean)} scores for {count} architectures")
    _require((scores.spread is not None) == kind.has_spread, kind, "gives a spread and does not say so, or the reverse")
    if scores.spread is not None:
        _require(np.shape(scores.spread) == (count,), kind, f"gives {np.shape(scores.spread)} spreads for {count}")
    whole = given.connected & ~np.isnan(given.columns).any(axis=1)
    _require(bool(np.isfinite(np.asarray(scores.mean)[whole]).any()), kind, "has a score for no architecture at all")


def _check_batches(kind: type[Predictor], ready: Predictor, given: Given, whole: Scores) -> None:
    half = len(given) // 2
    part = ready.score(given.taken(np.arange(half)))
    round_off = 1e-3 * float(np.nanstd(whole.mean))
    same = np.allclose(part.mean, np.asarray(whole.mean)[:half], rtol=1e-3, atol=round_off, equal_nan=True)
    _require(same, kind, "scores an architecture differently beside others; say depends_on_pool = True")


def _check_folder(kind: type[Predictor], ready: Predictor, given: Given, scores: Scores) -> None:
    if not kind.needs.labels:
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            card = ready.save(Path(folder))
        except UsageError:
            return  # weights that came with it, and that it does not write
        again = kind.load(Path(folder))
        _require(_equal(scores, again.score(given)), kind, "comes back from its folder with other scores")
        _require(kind.digest(card) == kind.digest(again.card), kind, "comes back with another digest")
        _require(again.card.get("sha256") is not None, kind, "writes a card without the digest of its weights")


def _check_proxy(kind: type[Proxy]) -> None:
    from predictor.zero_cost import Proxy, measure, measure_config

    _require(issubclass(kind, Proxy), kind, "is no subclass of predictor.door.Predictor or predictor.zero_cost.Proxy")
    proxy = kind()
    _require(bool(proxy.description), kind, "has no docstring; its first line is stored with the scores")
    _require(proxy.direction in (1, -1), kind, f"has the direction {proxy.direction}; allowed are 1 and -1")
    config = measure_config(_SPACE, batch_size=16, channels=4, cells=1)
    space = space_named(_SPACE)
    graphs = [space.graph(index) for index in (6111, 9930)]
    carried = _carried(proxy)
    for graph in graphs:
        ((first,), (second,)) = (measure(graph, [one], config) for one in (proxy, carried))
        _require(first.status == "ok", kind, f"has no value for a plain cell: {first.reason}")
        _require(first.value == second.value, kind, "gives another value when it is measured again")


def _carried(value: Any) -> Any:
    """A copy as it arrives in another process."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - what was pickled a moment before


def _equal(one: Scores, other: Scores) -> bool:
    if (one.spread is None) != (other.spread is None):
        return False
    spreads = one.spread is None or np.array_equal(one.spread, np.asarray(other.spread), equal_nan=True)
    return spreads and np.array_equal(one.mean, other.mean, equal_nan=True)


def _require(holds: bool, kind: type, problem: str) -> None:
    if not holds:
        raise AssertionError(f"{kind.__name__} {problem}.")
