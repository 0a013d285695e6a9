"""Functions or architectures: the answer of an exhaustive search is that of SQL, whatever differs between twins."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import UsageError
from catalog.progress import Listener
from catalog.search.request import Request
from catalog.search.result import SearchResult, search_space
from catalog.search.stored_values import StoredSpace
from catalog.search.unit import ARCHITECTURE, FUNCTION, telling_twins_apart
from catalog.spaces import space_named
from catalog.storage.store import Store
from tests.catalog.small_catalog import architectures

SIZE = 9
GROUPS = [0, 0, 0, 1, 1, 2, 2, 3, 4]
"""Of each of nine architectures the function that it computes."""


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A user's own space with three functions that several architectures compute; its values are each test's own."""
    path = tmp_path_factory.mktemp("twins") / "catalog.duckdb"
    with Store.open(path, mode="write", create=True) as catalog:
        catalog.execute("INSERT INTO space (name, description, native_id_name) VALUES ('mine', '', 'id')")
        catalog.append("architecture", architectures([f"net{place}" for place in range(SIZE)], ["mine"] * SIZE))
        for place, group in enumerate(GROUPS, 1):
            first = GROUPS.index(group) + 1
            catalog.execute(
                "UPDATE architecture SET canonical_digest = ?, canonical_id = ? WHERE id = ?",
                [f"function {group}", first, place],
            )
        yield catalog


def give(catalog: Store, **columns: list[float | None]) -> None:
    """Make the wide view of these columns."""
    values = "".join(f", ({[*column]!r}::DOUBLE[])[architecture.id] AS {name}" for name, column in columns.items())
    catalog.execute(
        "CREATE OR REPLACE TABLE mine AS SELECT architecture.id AS architecture_id, native_index AS index,"
        f" native_id AS id, canonical_digest{values} FROM architecture WHERE space = 'mine'".replace("None", "NULL")
    )


def found(catalog: Store, *by: str, top: int = SIZE, **options: object) -> SearchResult:
    return search_space(catalog, Request("mine", by, **options), top=top, listener=Listener())


SOME = st.lists(st.one_of(st.none(), st.integers(0, 4).map(float)), min_size=SIZE, max_size=SIZE)
"""One value an architecture, few enough for ties."""

BETTER = "other.quality >= mine.quality AND other.latency <= mine.latency"
FRONT = f"""
    SELECT DISTINCT quality, -latency AS speed FROM mine
    WHERE quality IS NOT NULL AND latency IS NOT NULL AND (params <= 3 OR $free) AND NOT EXISTS (
        FROM mine AS other WHERE {BETTER} AND (other.params <= 3 OR $free)
            AND (other.quality, other.latency) IS DISTINCT FROM (mine.quality, mine.latency)
    ) ORDER BY ALL DESC
"""


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quality=SOME, latency=SOME, params=SOME, is_bounded=st.booleans(), of_functions=st.booleans())
def test_the_front_of_an_exhaustive_search_is_the_front_of_all_architectures(
    twins: Store,
    quality: list[float | None],
    latency: list[float | None],
    params: list[float | None],
    is_bounded: bool,
    of_functions: bool,
) -> None:
    """No point is beaten and none is missing, also where a function keeps a bound through one twin only."""
    if of_functions:
        quality = [quality[group] for group in GROUPS]
        latency = [latency[group] for group in GROUPS]
    give(twins, quality=quality, latency=latency, params=params)
    bounds = {"maximum": ("params=3",)} if is_bounded else {}
    result = found(twins, "quality", "-latency", **bounds)
    truth = twins.query(FRONT.replace("$free", str(not is_bounded)))
    assert [row[:2] for row in result.frame.rows()] == truth.rows()
    for _, speed, net in result.frame.select("quality", "-latency", "id").rows() if result.visits else ():
        row = twins.query("SELECT latency, params FROM mine WHERE id = ?", [net]).row(0)
        assert -row[0] == speed
        assert not is_bounded or row[1] <= 3


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quality=SOME, params=SOME, method=st.sampled_from(["exhaustive", "random"]))
def test_the_best_within_a_bound_is_the_best_of_all_that_keep_it(
    twins: Store, quality: list[float | None], params: list[float | None], method: str
) -> None:
    give(twins, quality=quality, params=params)
    result = found(twins, "quality", top=1, maximum=("params=3",), method=method, budget=SIZE)
    best = twins.query("SELECT max(quality) FROM mine WHERE params <= 3").item()
    assert (result.frame["quality"].item() if result.visits else None) == best


def test_what_differs_between_twins_is_named_in_the_result(twins: Store) -> None:
    numbers = [float(place) for place in range(SIZE)]
    of_function = [float(group) for group in GROUPS]
    give(twins, quality=of_function, latency=numbers)
    said = "every architecture was looked at for itself: latency can differ between architectures"
    both = found(twins, "quality", "-latency")
    assert said in both.summary[1]
    assert both.outcome.prepared.request.unit == ARCHITECTURE
    assert both.outcome.history.evaluations == SIZE
    one = found(twins, "quality")
    assert one.outcome.prepared.request.unit == FUNCTION
    assert one.outcome.history.evaluations == max(GROUPS) + 1
    assert not any("for itself" in sentence for sentence in one.summary)


def test_a_value_that_one_twin_lacks_differs_and_two_lacking_ones_do_not(twins: Store) -> None:
    lacking = [None, None, None, 1.0, 1.0, None, 2.0, 3.0, 4.0]
    give(twins, some=lacking, all=[group and 1.0 for group in GROUPS], none=[None] * SIZE)
    stored = StoredSpace.read(twins, space_named("nb201"), [])
    assert not stored.has_twins
    from catalog.tables.stored_spaces import space_of

    space = space_of(twins, "mine")
    stored = StoredSpace.read(twins, space, ["some", "all", "none"])
    assert stored.has_twins
    assert telling_twins_apart(space, stored, ["some", "all", "none"], (), is_listed=True) == ("some",)
    assert math.isnan(stored.columns["none"][0])


@pytest.mark.parametrize(
    ("names", "apart"),
    [
        (("params", "tg_nas", "live_params"), ("params",)),
        (("depth", "conv_depth", "shortest_path", "live_flops"), ()),
        (("n_conv", "tg_nas_paper"), ("n_conv", "tg_nas_paper")),
    ],
)
def test_what_is_computed_from_native_graphs_differs(catalog_path: Path, names: tuple[str, ...], apart: tuple) -> None:
    with Store.open(catalog_path, mode="write") as catalog:
        space = space_named("darts")
        stored = StoredSpace.read(catalog, space, names)
        assert telling_twins_apart(space, stored, names, names, is_listed=False) == apart
        modules = space_named("nb101")  # a module's hash and its function are one
        assert telling_twins_apart(modules, stored, ["params"], ["params"], is_listed=False) == ()


def test_a_run_that_looked_at_functions_is_not_gone_on_with_where_they_will_not_do(twins: Store) -> None:
    give(twins, quality=[float(group) for group in GROUPS])
    first = found(twins, "quality", method="random", budget=2)
    run = first.run_id
    again = search_space(twins, Request("mine", (), budget=4), resume=run, listener=Listener())
    assert again.outcome.history.evaluations == 4
    give(twins, quality=[float(place) for place in range(SIZE)])
    with pytest.raises(UsageError, match="looked at one architecture a function, but quality of mine differ"):
        search_space(twins, Request("mine", (), budget=5), resume=run, listener=Listener())


def test_a_search_over_architectures_is_gone_on_with(twins: Store) -> None:
    give(twins, quality=[float(place) for place in range(SIZE)])
    part = found(twins, "quality", method="random", budget=4)
    rest = search_space(twins, Request("mine", (), budget=SIZE), resume=part.run_id, listener=Listener())
    whole = found(twins, "quality", method="random", budget=SIZE)
    assert rest.frame.equals(whole.frame)
    counts = "SELECT count(*), count(DISTINCT architecture_id) FROM search_visit WHERE run_id = ?"
    visits = twins.query(counts, [part.run_id])
    assert visits.row(0) == (SIZE, SIZE)


def test_a_function_is_computed_once_for_all_its_architectures(nb201: Store) -> None:
    """Here the depth, beside the parameters, which each architecture has its own."""
    from catalog.search.methods.steps import candidates_of
    from catalog.search.scores import ScoreSource

    space = space_named("nb201")
    none = StoredSpace.read(nb201, space_named("darts"), [])
    dead = "|nor_conv_1x1~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    twin = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    source = ScoreSource(nb201, space, none, np.arange(0), ["depth", "params"], tells_twins_apart=True)
    candidates = candidates_of([space.graph(dead), space.graph(twin)], space)
    assert candidates[0].digest == candidates[1].digest
    values = source.values(candidates, ["depth", "params"])
    assert values["depth"][0] == values["depth"][1]
    assert values["params"][0] > values["params"][1]
    assert [len(source.fresh[name]) for name in ("depth", "params")] == [1, 2]
