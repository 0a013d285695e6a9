"""Operators come back from the table as they went in, and older files learn the facts of the built-in ones."""

from __future__ import annotations

import json
from pathlib import Path

from catalog.architecture.operators import BUILT_IN, SHARED, Operator
from catalog.architecture.sizes import Size
from catalog.spaces.nats_sss import STAGE
from catalog.storage import migration
from catalog.storage.store import Store
from catalog.tables.doctor import examine
from catalog.tables.registration import ANY_SPACE
from catalog.tables.stored_operators import operator_rows, stored_operators
from catalog.tables.upgrading import upgrade
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.reading.job import ingest

TALL = Operator(
    "tall", "conv", "Tall", "Tall", "Tall", has_weights=True, generic="conv", size=Size(kernel=(7, 1), groups=2)
)


def by_name(operators: list[Operator] | tuple[Operator, ...]) -> list[Operator]:
    return sorted(operators, key=lambda operator: operator.name)


def test_operators_come_back_as_they_went_in(catalog_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as catalog:
        catalog.append("operator", operator_rows(ANY_SPACE, SHARED))
        catalog.append("operator", operator_rows("mine", [TALL]))
        assert stored_operators(catalog, ANY_SPACE) == by_name(SHARED)
        assert stored_operators(catalog, "mine") == [TALL]
        assert catalog.rows("SELECT generic, size FROM operator WHERE space = 'mine'") == [
            ("conv", '{"kernel":[7,1],"groups":2}')
        ]


def test_an_older_file_learns_the_facts_of_what_is_built_in(catalog_path: Path, tmp_path: Path) -> None:
    """A user's own operator stays as it was said: nothing is read from its words."""
    pool = Operator("pool5", "pool", "Max pooling 5 by 5", "Max pooling", "Max pooling", kernel=5)
    graphs = tmp_path / "mine.jsonl"
    chain = {"id": "a", "ops": ["input", "pool5", "output"], "edges": [[0, 1], [1, 2]]}
    graphs.write_text(json.dumps(chain) + "\n")
    with Store.open(catalog_path, mode="write") as catalog:
        ingest(catalog, GraphsJSONL("mine", [pool]), graphs)
        catalog.append("operator", operator_rows("nats-sss", [STAGE]))
    migration.downgrade(catalog_path, "0007")
    upgrade(catalog_path)
    with Store.open(catalog_path) as catalog:
        known = {operator.name: operator for operator in stored_operators(catalog, ANY_SPACE)}
        assert [known[operator.name] for operator in BUILT_IN] == list(BUILT_IN)
        assert stored_operators(catalog, "nats-sss") == [STAGE]
        assert stored_operators(catalog, "mine") == [pool]
        assert [one for one in examine(catalog) if one.result == "failed"] == []
