from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.asking.lookup import lookup
from catalog.asking.top import top
from catalog.errors import (
    ConditionError,
    IdentifierError,
    QueryError,
    UnknownColumnError,
    UnknownSpaceError,
    UsageError,
)
from catalog.storage import user_sql
from catalog.storage.query_limits import CONDITION_LIMITS
from catalog.storage.store import Store
from catalog.tables.space_view import SpaceView
from tests.catalog.small_catalog import CELLS


def test_space_gives_its_rows(small_catalog: Store) -> None:
    view = SpaceView.of(small_catalog, "nb201")
    assert repr(view) == "SpaceView('nb201', 4 architectures, 7 columns)"
    assert view.native_id_name == "cell"
    assert view.frame(["index", "params"], where="params > 5 OR index = 2").rows() == [
        (0, 30),
        (1, 10),
        (2, None),
        (3, 10),
    ]
    assert tuple(view.frame().columns) == view.columns


@pytest.mark.parametrize("ask", [lambda c: SpaceView.of(c, "nb102"), lambda c: top(c, "nb102", "params")])
def test_unknown_space_names_the_stored_ones(small_catalog: Store, ask: object) -> None:
    with pytest.raises(UnknownSpaceError, match=r"no search space 'nb102'; stored are mine, nb201"):
        ask(small_catalog)  # type: ignore[operator]


def test_space_without_a_view_is_explained(small_catalog: Store) -> None:
    small_catalog.execute("DROP TABLE mine")
    with pytest.raises(UnknownSpaceError, match="holds no architecture of it"):
        SpaceView.of(small_catalog, "mine")


@pytest.mark.parametrize(
    ("wrong", "meant"), [("parms", "params"), ("PARAMS", "params"), ("latency", "edgegpu_latency"), ("zzz", "")]
)
def test_unknown_column_names_close_ones(small_catalog: Store, wrong: str, meant: str) -> None:
    with pytest.raises(UnknownColumnError, match=f"no column '{wrong}'.*{meant}.*DESCRIBE nb201"):
        top(small_catalog, "nb201", wrong)


@pytest.mark.parametrize(
    ("by", "ascending", "best"),
    [
        ("params", None, [0, 1, 3]),  # direction +1; architecture 2 has no value; 1 and 3 tie
        ("params", True, [1, 3, 0]),
        ("shortest_path", None, [1, 2, 3, 0]),  # direction -1
        ("edgegpu_latency", None, [2, 1, 0, 3]),  # a metric whose measure is lower
        ("accuracy (%)", None, [2, 1, 0]),
    ],
)
def test_top_knows_which_way_is_better(small_catalog: Store, by: str, ascending: bool | None, best: list[int]) -> None:
    assert top(small_catalog, "nb201", by, ascending=ascending).frame()["index"].to_list() == best


def test_top_shows_what_the_question_names(small_catalog: Store) -> None:
    found = top(small_catalog, "nb201", "params", k=1, where="shortest_path < 3 -- a comment").frame()
    assert found.rows(named=True) == [{"index": 1, "params": 10, "shortest_path": 1.0, "cell": CELLS[1]}]
    assert top(small_catalog, "nb201", "params", k=1, columns=["cell"]).answer().rows == [(CELLS[0],)]


def test_top_needs_a_positive_number(small_catalog: Store) -> None:
    with pytest.raises(UsageError, match="k is 0"):
        top(small_catalog, "nb201", "params", k=0)


@pytest.mark.parametrize(
    "where",
    [
        "1 = 1) UNION ALL (SELECT * FROM proxy WHERE (1 = 1",
        "1 = 1) ORDER BY (1",
        "1 = 1); DROP TABLE proxy; SELECT (1",
        "1 = 1) LIMIT (1",
        "1 = 1) GROUP BY (cell",
        "params, 2",
        "params AS p",
        "*",
        "",
        "/*",
        "'",
        "$$",
        "params = ?",
        "EXISTS (FROM read_csv('canary.csv'))",
        "EXISTS (FROM 'canary.csv')",
        "EXISTS (FROM main.csv)",
        "EXISTS (FROM query('SELECT 1'))",
        "current_setting('home_directory') = 'x'",
        "params < 1\0",
    ],
)
def test_hostile_conditions_are_refused(small_catalog: Store, where: str, tmp_path: Path) -> None:
    """Also where the small_catalog is open for writing, and SQL could touch files."""
    before = small_catalog.arrow("FROM proxy")
    with pytest.raises(QueryError):
        top(small_catalog, "nb201", "params", where=where).answer()
    with pytest.raises(QueryError):
        SpaceView.of(small_catalog, "nb201").frame(where=where)
    assert small_catalog.arrow("FROM proxy").equals(before)


def test_a_condition_that_is_judged_wrongly_still_cannot_write(
    small_catalog: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_sql, "FUNCTIONS", user_sql.FUNCTIONS | {"nextval"})
    small_catalog.execute("CREATE SEQUENCE s")
    with pytest.raises(ConditionError, match="does not exist"):
        top(small_catalog, "nb201", "params", where="nextval('s') > 0").answer()
    with pytest.raises(ConditionError, match="does not exist"):
        SpaceView.of(small_catalog, "nb201").frame(where="nextval('s') > 0")
    assert small_catalog.rows("SELECT nextval('s')") == [(1,)]


@pytest.mark.parametrize(
    "where",
    [
        "params = (SELECT max(params) FROM nb201) AND cell IN (SELECT native_id FROM architecture)",
        "PARAMS = (SELECT max(Params) FROM NB201) AND (SELECT count(*) FROM run) = 0",
        "params = (SELECT max(n.params) FROM nb201 AS n) AND 0 < (SELECT count(a) FROM architecture AS a)",
        "params = (WITH best AS (SELECT max(params) AS p FROM nb201) FROM best) AND COLUMNS('par.ms') > 0",
    ],
)
def test_conditions_may_ask_the_catalog(small_catalog: Store, where: str) -> None:
    assert top(small_catalog, "nb201", "params", where=where).frame()["index"].to_list() == [0]
    assert top(small_catalog, "nb201", "params", where=where).answer().rows[0][0] == 0
    with small_catalog.transaction():
        assert len(SpaceView.of(small_catalog, "nb201").arrow(["index"], where)) == 1
    small_catalog.close()
    with Store.open(small_catalog.path) as reading:
        assert top(reading, "nb201", "params", where=where).frame()["index"].to_list() == [0]
        assert top(reading, "nb201", "params", where=where).answer().rows[0][0] == 0


def test_a_condition_takes_no_more_than_it_may(small_catalog: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONDITION_LIMITS, "timeout", 0.5)
    for where, words in (
        ("len(range(3000000000 + params::BIGINT)) > 0", "ran out of memory: .*`catalog query`"),
        ("levenshtein(repeat('a', 200000), repeat(cell, 20000)) > 0", "stopped after 0.5 seconds.*`catalog query`"),
    ):
        with pytest.raises(ConditionError, match=words):
            SpaceView.of(small_catalog, "nb201").arrow(["index"], where)
        with pytest.raises(ConditionError, match=words):
            top(small_catalog, "nb201", "params", where=where).answer()


@pytest.mark.parametrize(
    "notation",
    [
        0,
        "0",
        CELLS[0],
        pa.array([0]).to_numpy()[0],
        # NASLib's tuple of index 0: by source node, operators skip, none, conv3x3, conv1x1, pool.
        (4, 3, 3, 0, 0, 0),
    ],
)
def test_lookup_takes_every_notation(small_catalog: Store, notation: object) -> None:
    assert lookup(small_catalog, [notation], space="nb201")["cell"].to_list() == [CELLS[0]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(order=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=30))
def test_lookup_keeps_order_and_repeats(small_catalog: Store, order: list[tuple[int, bool]]) -> None:
    ids = [CELLS[index] if as_text else index for index, as_text in order]
    found = lookup(small_catalog, ids, space="nb201", columns=["index", "params"])
    assert found["index"].to_list() == [index for index, _ in order]
    assert found.columns == ["index", "params"]


def test_lookup_finds_the_space_itself(small_catalog: Store) -> None:
    assert lookup(small_catalog, [CELLS[2]])["index"].to_list() == [2]
    assert lookup(small_catalog, ["second", "first"])["name"].to_list() == ["second", "first"]


@pytest.mark.parametrize(
    ("ids", "space", "words"),
    [
        (["x" * 500], "nb201", "1 of 1 identifiers name no architecture of nb201: 'xxx"),
        ([0, 15625], "nb201", "1 of 2 identifiers name no architecture of nb201: 15625"),
        ([0, 15624], "nb201", "1 of 2 identifiers name architectures of nb201 that .* does not hold: 15624"),
        (list(range(4, 20)), "nb201", "16 of 16 .*: 4, 5, 6, 7, 8 and 11 more"),
        (["third"], "mine", "'third'"),
        ([object()], "mine", "does not hold"),
        ([True], "nb201", "True"),
        (["third"], None, "fits none of the stored spaces: mine, nb201"),
        ([], None, "an empty list fits several spaces"),
    ],
)
def test_lookup_names_what_it_cannot_find(
    small_catalog: Store, ids: list[object], space: str | None, words: str
) -> None:
    with pytest.raises(IdentifierError, match=words):
        lookup(small_catalog, ids, space=space)


def test_lookup_in_an_empty_catalog(catalog_path: Path) -> None:
    with Store.open(catalog_path) as catalog, pytest.raises(UnknownSpaceError, match="holds no search space yet"):
        lookup(catalog, [1])


def test_a_number_is_looked_up_beside_a_space_whose_ids_are_texts(small_catalog: Store) -> None:
    assert lookup(small_catalog, [2])["index"].to_list() == [2]
    assert lookup(small_catalog, ["second"])["name"].to_list() == ["second"]


@pytest.mark.parametrize("column", ["cell", "canonical_digest", "is_connected"])
def test_texts_have_no_best(column: str, nb201: Store) -> None:
    with pytest.raises(UsageError, match=f"the column '{column}' of nb201 holds .*rank by a metric or a proxy"):
        top(nb201, "nb201", column)
