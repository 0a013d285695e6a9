"""A dry search finds what a search finds, beside others who read the catalog, and leaves no trace."""

from __future__ import annotations

from pathlib import Path

import pytest

import catalog
from catalog.errors import UsageError

BY = "live_params - 0.3*params"


def test_it_finds_the_same_and_stores_nothing(nb201_path: Path, tmp_path: Path) -> None:
    copied = tmp_path / "catalog.duckdb"
    copied.write_bytes(nb201_path.read_bytes())
    with catalog.open(copied) as other, catalog.open(copied) as c:
        asked = {"by": BY, "method": "regularized-evolution", "budget": 60, "max": {"params": 1e6}}
        dry = c.search("nb201", **asked, dry=True)
        assert other.query("SELECT count(*) AS n FROM search_visit")["n"][0] == 0
    assert dry.run_id is None
    assert "nothing was stored" in dry.summary[0]
    assert not any("--resume" in sentence for sentence in dry.summary)
    assert copied.read_bytes() == nb201_path.read_bytes()
    with catalog.open(copied, mode="write") as c:
        stored = c.search("nb201", **asked)
    assert dry.frame.equals(stored.frame)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"by": BY, "resume": 1}, "--resume goes on with what is stored"),
        ({"label_command": "echo {id}", "budget": 3}, "answers of a --label-command would be lost"),
    ],
)
def test_what_has_to_be_stored_is_refused(given: dict[str, object], told: str, nb201_path: Path) -> None:
    with catalog.open(nb201_path) as c, pytest.raises(UsageError, match=told):
        c.search("nb201", dry=True, **given)
