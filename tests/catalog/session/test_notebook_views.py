"""What results show in a notebook: their drawings and tables, and nothing that a name might smuggle in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pyarrow
import pytest

import catalog
from catalog.errors import UsageError

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&"
OPERATOR = "<script>alert(2)</script>"
TARGET = "cifar10_test_accuracy"
IDS = [f"{HOSTILE}{number}" for number in range(30)]
HARMLESS = {
    *("p", "b", "br", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "div", "figure", "figcaption"),
    *("details", "summary", "svg", "g", "title", "text", "path", "rect", "circle"),
}
VIEWS = {
    "correlate": lambda c: c.correlate("mine", TARGET),
    "show": lambda c: c.show("mine", IDS[0]),
    "compare": lambda c: c.compare("mine", IDS[:2]),
    "search": lambda c: c.search("mine", "depth", top=3),
    "doctor": lambda c: c.doctor(),
    "report": lambda c: c.report("mine", TARGET),
}


class Reader(HTMLParser):
    """Collects tags, attributes and text; an element that is not closed in its place fails."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self._open += [] if tag == "br" else [tag]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[catalog.Catalog]:
    """A space of a user's own whose ids, operators and proxies try to break out of a page."""
    folder = tmp_path_factory.mktemp("hostile")
    random = np.random.default_rng(0)

    def line(native_id: str) -> dict[str, Any]:
        count = int(random.integers(1, 6))
        accuracy = {"dataset": "cifar10", "split": "test", "name": "accuracy", "value": 80 + count + random.random()}
        return {
            "id": native_id,
            "ops": ["input", *["conv3x3", OPERATOR] * count, "output"],
            "edges": [[node, node + 1] for node in range(2 * count + 1)],
            "metrics": [accuracy],
            "proxies": {"params": count, HOSTILE: {"value": random.random(), "direction": "higher"}},
        }

    (folder / "mine.jsonl").write_text("\n".join(json.dumps(line(native_id)) for native_id in IDS))
    described = {OPERATOR: {"kind": "attention", "weights": True, "description": HOSTILE}}
    (folder / "ops.json").write_text(json.dumps(described))
    with catalog.open(folder / "catalog.duckdb", mode="write") as c:
        c.ingest("graphs", folder / "mine.jsonl", space="mine", operators=folder / "ops.json")
        yield c


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_whole_and_harmless(view: str, hostile: catalog.Catalog) -> None:
    seen = Reader(VIEWS[view](hostile)._repr_html_())
    assert seen.tags <= HARMLESS
    assert not {name for name in seen.attributes if name.startswith("on") or name in ("src", "href")}


def test_a_correlation_shows_its_intervals(hostile: catalog.Catalog) -> None:
    found = hostile.correlate("mine", TARGET)
    told = hostile.correlate("mine", TARGET, intervals=True)
    assert "kendall_tau_low" not in found.frame.columns
    assert found.with_intervals.equals(told.frame)
    row = told.frame.row(0, named=True)
    seen = Reader(found._repr_html_())
    assert f"{row['kendall_tau']:.3f} [{row['kendall_tau_low']:.3f}, {row['kendall_tau_high']:.3f}]" in seen.text
    chosen = Reader(hostile.correlate("mine", TARGET, ["depth"], where="id < '<script>'")._repr_html_())
    assert "mine where id < '<script>': Kendall's tau-b with cifar10_test_accuracy" in chosen.text
    assert "script" not in chosen.tags


def test_rows_are_at_hand(hostile: catalog.Catalog) -> None:
    found = hostile.correlate("mine", TARGET)
    assert repr(found).splitlines()[0].startswith("proxy ")
    assert found["proxy"].to_list() == found.frame["proxy"].to_list()
    assert len(found) == found.frame.height > 2
    assert polars.DataFrame(found).equals(found.frame)
    assert pyarrow.table(found).column_names == found.frame.columns
    with pytest.raises(AttributeError, match=r"Correlations has no attribute 'filter'.*try \.frame\.filter"):
        found.filter("n > 3")  # type: ignore[attr-defined]


def test_architectures_are_drawn_beside_each_other(hostile: catalog.Catalog) -> None:
    beside = hostile.compare("mine", IDS[:3])
    assert beside._repr_html_().count("<svg") == 3
    assert all(native_id in Reader(beside._repr_html_()).text for native_id in IDS[:3])


def test_one_architecture_has_its_drawing_and_its_numbers(hostile: catalog.Catalog) -> None:
    shown = hostile.show("mine", IDS[4])
    assert shown._repr_svg_() in shown._repr_html_()
    text = Reader(shown._repr_html_()).text
    assert "metrics: 1" in text
    assert f"proxies: {shown.scores.height}" in text


def test_a_search_shows_whole_ids_and_what_was_done(hostile: catalog.Catalog) -> None:
    found = hostile.search("mine", "depth", top=2)
    text = Reader(found._repr_html_()).text
    assert all(sentence in text for sentence in (*found.summary, *found.remarks))
    assert all(native_id in text for native_id in found["id"])
    nothing = hostile.search("mine", "depth", max={"depth": -1})
    assert str(nothing.nothing_found) in Reader(nothing._repr_html_()).text


def test_a_report_says_what_was_found_and_how_to_keep_it(hostile: catalog.Catalog, tmp_path: Path) -> None:
    built = hostile.report("mine", TARGET)
    sentences = [line.strip() for line in built.summary.splitlines()]
    text = Reader(built._repr_html_()).text
    assert all(sentence in text for sentence in sentences)
    assert '.save("report.html")' in text
    assert '.save("report.html")' in repr(built)
    assert built.save(tmp_path / "report.html").read_text() == built.page()
    with pytest.raises(UsageError, match="no folder"):
        hostile.report("mine", TARGET, out=tmp_path / "nowhere" / "report.html")
