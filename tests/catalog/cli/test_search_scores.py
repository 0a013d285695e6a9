"""What `catalog search` ranks by: stored scores beside those that it computes."""

from __future__ import annotations

from pathlib import Path

from catalog.storage.store import Store
from tests.catalog.cli.commands import Answer, call_catalog


def test_scores_of_older_weights_are_not_ranked_beside_new_ones(tmp_path: Path) -> None:
    """Also where the present weights have scored another space of the same file."""
    database = tmp_path / "catalog.duckdb"

    def searched(space: str, budget: int) -> Answer:
        asked = ("search", space, "--by", "tg_nas", "--method", "random", "--budget", str(budget))
        return call_catalog(*asked, database=database)

    assert searched("darts", 20).returncode == 0
    with Store.open(database, mode="write") as catalog:
        catalog.execute("UPDATE proxy SET checkpoint_digest = 'older' WHERE name IN ('tg_nas', 'tg_nas_std')")
    assert searched("nb201", 20).returncode == 0
    refused = searched("darts", 40)
    assert refused.returncode == 2
    assert "was computed by another version or configuration" in refused.stderr
    assert "`catalog score darts --proxy tg_nas`" in refused.stderr
    assert call_catalog("score", "darts", "--proxy", "tg_nas", database=database).returncode == 0
    assert searched("darts", 40).returncode == 0
