"""The documentation as a site: it builds without a warning, asks no other server, and reads as it was written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make docs` builds it; pages that no section lists, and links and anchors into nothing, are errors."""
    pytest.importorskip("mkdocs", reason="the site is built by mkdocs-material, of the extra dev")
    folder = tmp_path_factory.mktemp("site")
    answer = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=CHECKOUT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return folder


class Loaded(HTMLParser):
    """What a browser gets by itself when it shows a page; a link is followed by its reader alone."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag != "a" and given.get("rel") != "canonical":
            self.addresses += [value for name in ("src", "href", "srcset", "data") if (value := given.get(name))]


def test_no_page_loads_anything_from_another_server(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert not [one for one in loaded.addresses if re.match(r"(https?:)?//", one)], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet.name


def test_lists_and_tables_are_lists_and_tables(site: Path) -> None:
    """What GitHub shows as a list or a table is a paragraph elsewhere if the empty line before it is missing."""
    for page in site.rglob("*.html"):
        for paragraph in re.findall(r"<p>(.*?)</p>", page.read_text(encoding="utf-8"), flags=re.DOTALL):
            assert not re.search(r"^(\* |- |\d+\. |\|)", paragraph, flags=re.MULTILINE), (page.name, paragraph[:200])
