"""Staged spaces: networks of stages and blocks, each space described by one small file.

`NAMES` are those that come with the catalog, one file of ``built_in`` each; docs/spaces.md tells how to write one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.spaces.staged.space import StagedSpace

FILES = Path(__file__).parent / "built_in"
"""The folder of their descriptions."""

NAMES = tuple(sorted(file.stem for file in FILES.glob("*.toml")))
"""The staged spaces that come with the catalog."""


def example(name: str) -> str:
    """How the public table of a staged space is read: what the first line of its file says, if it has one."""
    with (FILES / f"{name}.toml").open(encoding="utf-8") as file:
        return file.readline().removeprefix("# ").strip()


TABLES = tuple(name for name in NAMES if example(name).startswith("Example: "))
"""Those that have a public table."""


def built_in(name: str) -> StagedSpace:
    """The staged space of a file that comes with the catalog."""
    from catalog.spaces.staged.reading import read_description
    from catalog.spaces.staged.space import StagedSpace

    file = FILES / f"{name}.toml"
    return StagedSpace(read_description(file.read_text(encoding="utf-8"), file.name))
