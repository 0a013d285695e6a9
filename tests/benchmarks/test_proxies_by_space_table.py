"""The table of proxies by space: truth that is lower-is-better is turned, and what has no value is said."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("torch", reason="needs torch, of the extra predict")

import benchmarks.proxies_by_space_table as page
import catalog
from benchmarks.proxies_by_space import HEADLINE, MEASURED
from catalog.spaces import space_named
from ingest.formats.proxies_by_space import spaces_of

GRAPHS = space_named("naap440").sample(12, seed=3)
IDS = list(dict.fromkeys(space_named("naap440").native_id(graph) for graph in GRAPHS))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scores of a few chains: each proxy is the place, but swap has no value; the truth is the place."""
    with catalog.open(tmp_path / "truth.duckdb", mode="write") as c:
        c.ingest("naap440")
    lines = [
        {
            "space": "naap440",
            "architecture": native_id,
            "proxy": proxy,
            "value": "" if proxy == "swap" else str(place),
            "status": "failed" if proxy == "swap" else "ok",
            "reason": "ProxyError: it has none" if proxy == "swap" else "",
            "seconds": "0.5",
        }
        for place, native_id in enumerate(IDS)
        for proxy in MEASURED
    ]
    pl.DataFrame(lines).write_csv(tmp_path / "scores.csv")
    (tmp_path / "proxies.md").write_text("before\n<!-- proxies by space: made -->\nold\n<!-- end -->\nafter\n")
    monkeypatch.setattr(page, "PAGE", tmp_path / "proxies.md")
    monkeypatch.setattr(page, "TABLE", tmp_path / "table.parquet")
    return tmp_path


@pytest.mark.parametrize("is_cost", [False, True])
def test_the_page_has_a_column_a_space(folder: Path, monkeypatch: pytest.MonkeyPatch, is_cost: bool) -> None:
    monkeypatch.setitem(HEADLINE, "naap440", "params")  # any column of the view will do
    monkeypatch.setattr(page, "is_cost", lambda *_: is_cost)
    page.write(folder)
    text = (folder / "proxies.md").read_text()
    assert text.startswith("before\n<!-- proxies by space: made -->\n\n| proxy | naap440 |\n")
    assert text.endswith("<!-- end -->\nafter\n")
    assert "old" not in text
    rows = dict(line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| "))
    assert rows["swap"] == "-"
    assert rows["naap440"] == f"`params` | {len(IDS)} | 9.00"
    assert f"* naap440: swap ({len(IDS)}): it has none." in text
    with catalog.open(folder / "truth.duckdb") as c:
        truth = dict(c.query("SELECT arch, params FROM naap440").rows())
    rising = sum(truth[b] > truth[a] for i, a in enumerate(IDS) for b in IDS[i + 1 :])
    falling = sum(truth[b] < truth[a] for i, a in enumerate(IDS) for b in IDS[i + 1 :])
    is_positive = (rising > falling) != is_cost
    assert rows["zen"].startswith("-") != is_positive
    assert spaces_of(folder / "table.parquet") == ["naap440"]
    assert "params" not in pl.read_parquet(folder / "table.parquet")["proxy"].to_list()
