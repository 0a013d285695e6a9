"""A user's own space: which names it may have, what its operators may say, and how it comes back from the tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.members import Members
from catalog.architecture.operators import VOCABULARY, Operator
from catalog.errors import IdentifierError, IngestError, UnknownSpaceError, UsageError
from catalog.spaces.nats_sss import NATSSize
from catalog.spaces.own import OwnSpace
from catalog.storage.store import Store
from catalog.tables import registration
from catalog.tables.stored_spaces import admitted, space_of

MIXER = Operator("mixer", "attention", "Token mixing", "Token mixing", "A token mixing operator", has_weights=True)
SPACE = OwnSpace("mine", [MIXER], "graphs for this test")


@pytest.fixture
def catalog(catalog_path: Path) -> Iterator[Store]:
    with Store.open(catalog_path, mode="write") as opened:
        yield opened


def store(catalog: Store, space: OwnSpace, native_id: str = "a", *middle: str) -> None:
    """Store one chain of operators."""
    names = ("input", *middle, "output")
    cell = CellGraph.build("cell", names, [(i, i + 1) for i in range(len(names) - 1)], vocabulary=space.vocabulary)
    registration.ensure_space(catalog, space, admitted(catalog, space))
    graph = ArchitectureGraph(space.name, (cell,), space.vocabulary)
    registration.enter(catalog, space, Members([native_id], graphs=[graph]), 1)


def test_a_stored_space_comes_back_with_its_operators(catalog: Store) -> None:
    store(catalog, SPACE, "a", "mixer")
    found = space_of(catalog, "mine")
    assert (found.name, found.description, found.native_id_name) == ("mine", "graphs for this test", "id")
    assert found.own_operators == (MIXER,)
    assert found.vocabulary["mixer"] == MIXER
    assert found.vocabulary["conv3x3"] == VOCABULARY["conv3x3"]


def test_built_in_spaces_come_back_as_they_are(catalog: Store) -> None:
    assert space_of(catalog, "nb201").size == 15_625
    assert isinstance(space_of(catalog, "nats-sss"), NATSSize)


def test_an_unknown_space_is_answered_with_the_known(catalog: Store) -> None:
    store(catalog, SPACE)
    with pytest.raises(UnknownSpaceError, match="'yours'; built in or stored are .*darts, .*mine, .*nb101, nb201"):
        space_of(catalog, "yours")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nb101", "built in"),
        ("darts", "built in"),
        ("score", "a table of that name"),
        ("architecture", "a table of that name"),
        ("alembic_version", "a table of that name"),
        ("duckdb_tables", "a table of that name"),
        ("sqlite_master", "a table of that name"),
        ("information_schema", "a table of that name"),
        ("select", "a word of SQL"),
        ("order", "a word of SQL"),
        ("left", "a word of SQL"),
        ("Mine", "lower-case"),
        ("my-space", "lower-case"),
        ("1st", "lower-case"),
        ("", "lower-case"),
        ("a" * 64, "lower-case"),
        ('x"; DROP TABLE score; --', "lower-case"),
        ("größe", "lower-case"),
    ],
)
def test_names_that_cannot_be_tables_of_their_own_are_refused(catalog: Store, name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        admitted(catalog, OwnSpace(name))


@pytest.mark.parametrize("name", ["mine", "a", "my_space_2", "input", "a" * 63])
def test_other_names_are_admitted_and_work_without_quotes(catalog: Store, name: str) -> None:
    assert admitted(catalog, OwnSpace(name)) == []
    catalog.execute(f"CREATE TABLE {name} (a INTEGER)")
    assert catalog.execute(f"INSERT INTO {name} VALUES (1)") == 1


def test_a_space_grows_by_the_operators_that_are_new(catalog: Store) -> None:
    store(catalog, SPACE)
    other = replace(MIXER, name="other")
    assert admitted(catalog, OwnSpace("mine", [MIXER, other])) == [other]
    store(catalog, OwnSpace("mine", [other]), "b", "other")
    assert space_of(catalog, "mine").own_operators == (MIXER, other)


@pytest.mark.parametrize("change", [{"kind": "conv"}, {"kernel": 5}, {"has_weights": False}, {"long": "another"}])
def test_a_stored_operator_keeps_its_facts(catalog: Store, change: dict[str, object]) -> None:
    store(catalog, SPACE)
    with pytest.raises(UsageError, match="operator 'mixer' is known in the space 'mine' with .* and not"):
        admitted(catalog, OwnSpace("mine", [replace(MIXER, **change)]))  # type: ignore[arg-type]


def test_a_built_in_operator_may_be_described_anew_but_not_changed(catalog: Store) -> None:
    described = replace(VOCABULARY["conv3x3"], long="a convolution alone")
    assert admitted(catalog, OwnSpace("mine", [described])) == [described]
    with pytest.raises(UsageError, match="known as a built-in operator with kernel 3"):
        admitted(catalog, OwnSpace("mine", [replace(described, kernel=5)]))


def test_one_id_is_one_graph(catalog: Store) -> None:
    """A user's ids say nothing of the graph, so the catalog watches over them."""
    store(catalog, SPACE, "a", "conv3x3")
    store(catalog, SPACE, "a", "skip_connect", "conv3x3")  # the same function
    with pytest.raises(IngestError, match="another graph under the id 'a'"):
        store(catalog, SPACE, "a", "conv1x1")
    assert catalog.next_id("architecture") == 2


def test_an_own_space_knows_its_ids_and_nothing_more() -> None:
    assert SPACE.locate("a17") == "a17"
    for refused in (lambda: SPACE.locate(7), lambda: SPACE.graph("a17")):
        with pytest.raises(IdentifierError):
            refused()
    for refused in (lambda: SPACE.sample(3, 0), lambda: SPACE.neighbours(None)):  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="no rule by which it could be"):
            refused()
