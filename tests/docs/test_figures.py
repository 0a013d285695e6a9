"""A figure that a page quotes from another one stands there, and addresses are those of the registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingest.fetch.registry import OFFICIAL_FILES

CHECKOUT = Path(__file__).resolve().parents[2]
QUOTED = re.compile(r"\[([\d. and]+)\]\(([\w./]+\.md)#([\w-]+)\)")
"""Figures as the text of a link to where they were measured."""


def section(page: Path, anchor: str) -> str:
    """From a heading to the next one of its rank or above."""
    parts = re.split(r"^(#+) (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    rank, found = None, ""
    for marks, heading, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if rank is not None and len(marks) <= rank:
            break
        if re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") == anchor:
            rank = len(marks)
        found += text if rank is not None else ""
    return found


def quoted() -> list[tuple[str, str, str, str]]:
    return [
        (page.name, figure, target, anchor)
        for page in (
            CHECKOUT / "docs/predictors.md",
            CHECKOUT / "docs/history.md",
            *(CHECKOUT / "docs/tutorials").glob("*.md"),
        )
        for figures, target, anchor in QUOTED.findall(page.read_text(encoding="utf-8"))
        for figure in re.findall(r"\d*\.\d+", figures)
    ]


@pytest.mark.parametrize(("page", "figure", "target", "anchor"), quoted(), ids=lambda value: value)
def test_a_quoted_figure_stands_in_the_table_that_it_links_to(page: str, figure: str, target: str, anchor: str) -> None:
    folder = CHECKOUT / "docs/tutorials" if target.startswith("..") else CHECKOUT / "docs"
    text = section(folder / target, anchor)
    assert re.search(rf"(?<![\d.])0?{re.escape(figure.lstrip('0'))}(?!\d)", text), (
        f"{page} quotes {figure} of {target}#{anchor}"
    )


def test_figures_are_quoted_at_all() -> None:
    assert len(quoted()) > 15


def test_the_readme_lists_the_official_files_as_they_are_fetched() -> None:
    shown = re.findall(
        r"^\| `(.+?)` \| (.+?) \| (.+?) \| `(.+?)` \| <(.+?)> \|$",
        (CHECKOUT / "README.md").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    listed = {name: (file, page) for file, _, _, name, page in shown}
    assert listed == {name: (one.file_name, one.page) for name, one in OFFICIAL_FILES.items()}
    assert {name for _, _, digest, name, _ in shown if digest != "none"} == {
        name for name, one in OFFICIAL_FILES.items() if one.sha256 or one.md5_ending
    }
