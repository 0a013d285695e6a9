"""Whether high is good of a column: one stored fact of its metric or proxy, never the sound of a name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.analysis.motifs import motifs
from catalog.analysis.pool import read_pool
from catalog.analysis.space_correlation import correlate_space
from catalog.asking.patterns import match
from catalog.asking.top import top
from catalog.errors import UsageError
from catalog.storage.store import Store
from catalog.tables.direction import is_cost
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.reading.job import ingest

CHAINS = [["input", *["conv3x3"] * count, "output"] for count in range(1, 7)]


@pytest.fixture
def mine(catalog_path: Path, tmp_path: Path) -> Iterator[Store]:
    """Six chains; the longest is the best by every metric, whatever its direction."""
    lines = [
        json.dumps(
            {
                "id": f"a{rank}",
                "ops": operators,
                "edges": [[node, node + 1] for node in range(len(operators) - 1)],
                "metrics": [
                    {"name": "accuracy", "value": 50.0 + rank},
                    {"name": "neg_loss", "value": rank - 9.0, "direction": "higher"},
                    {"name": "per", "value": 9.0 - rank, "direction": "lower"},
                    {"name": "perplexity", "value": 9.0 - rank},
                    {"name": "layers", "value": rank},
                ],
                "proxies": {"ntk_cond": 9.0 - rank, "shyness": {"value": 9.0 - rank, "direction": "lower"}},
            }
        )
        for rank, operators in enumerate(CHAINS)
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(lines))
    with Store.open(catalog_path, mode="write") as store:
        ingest(store, GraphsJSONL("mine"), path)
        yield store


COLUMNS = ["accuracy", "neg_loss", "per", "perplexity", "ntk_cond_published", "shyness_published"]


@pytest.mark.parametrize("column", COLUMNS)
def test_every_command_reads_the_one_fact(mine: Store, column: str) -> None:
    assert top(mine, "mine", column, k=1).frame()["id"].to_list() == ["a5"]
    assert match(mine, "mine", "(conv3x3)->(output)", by=column, limit=1).frame()["id"].to_list() == ["a5"]
    pool = read_pool(mine, "mine", column, ["conv_depth"])
    assert pool.native_ids.to_list()[int(pool.truth.argmax())] == "a5"
    (edge,) = (
        motifs(mine, "mine", column, share=0.2, shapes=["edge"]).filter(pattern="(conv3x3)->(conv3x3)").rows(named=True)
    )
    assert (edge["top_with"], edge["top_total"]) == (2, 2)


def test_settings_and_columns_of_the_graph_have_no_direction(mine: Store) -> None:
    assert [is_cost(mine, "mine", column) for column in ("layers", "nodes", "count_conv3x3")] == [False] * 3


def test_a_metric_of_which_nobody_said_it_is_not_ranked(mine: Store) -> None:
    mine.execute("UPDATE measure SET direction = NULL WHERE name = 'per'")
    with pytest.raises(UsageError, match=r"per are good is not known.*catalog measures --direction per="):
        top(mine, "mine", "per")
    assert top(mine, "mine", "per", k=1, ascending=False).frame()["id"].to_list() == ["a0"]


def test_a_metric_that_judges_another_one_is_turned_too(mine: Store) -> None:
    found = correlate_space(mine, "mine", "accuracy", ["perplexity", "neg_loss", "layers"]).frame
    assert found.select("direction", "kendall_tau").rows() == [(-1, 1.0), (1, 1.0), (1, 1.0)]
