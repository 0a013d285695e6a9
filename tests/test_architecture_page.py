"""The map for contributors: its floors are those that the linter holds, and it names every room."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PAGE = (CHECKOUT / "docs/architecture.md").read_text()
PACKAGES = ("catalog", "ingest", "predictor")


def drawn_floors() -> list[list[str]]:
    """The rooms of each row of the drawing, as the eye reads them; what is a single file ends in ``.py``."""
    (drawing,) = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)
    rows = [re.findall(r"[\w/]+(?:\.py)?", row) for row in drawing.splitlines()]
    assert all((CHECKOUT / room).exists() for row in rows for room in row)
    rows = [[room.removesuffix(".py") for room in row] for row in rows]
    return [row for row in rows if row]


def linted_floors(title: str, package: str) -> list[list[str]]:
    """The rooms of each layer of a contract, as paths."""
    contracts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["name"] == title)
    return [[f"{package}/{name.strip()}" for name in layer.split("|")] for layer in layers]


def test_the_drawing_shows_the_layers_that_the_linter_holds() -> None:
    floors = drawn_floors()
    catalog = [[room for room in floor if room.startswith("catalog/")] for floor in floors]
    assert [floor for floor in catalog if floor] == linted_floors("The rooms of the catalog", "catalog")
    for title, package in (("The rooms of ingest", "ingest"), ("The rooms of the predictors", "predictor")):
        inner = [[room for room in floor if room.startswith(f"{package}/")] for floor in floors]
        assert [floor for floor in inner if floor] == linted_floors(title, package)


def test_ingest_and_predictor_stand_beside_the_questions() -> None:
    assert ["catalog/asking", "ingest", "predictor"] in drawn_floors()


def test_every_room_is_named_with_a_sentence() -> None:
    for package in PACKAGES:
        folders = [file.parent for file in (CHECKOUT / package).rglob("__init__.py")]
        modules = [file for file in (CHECKOUT / package).glob("*.py") if file.name != "__init__.py"]
        for room in [*folders, *modules]:
            if room != CHECKOUT / package:
                assert re.search(rf"^\| `{room.relative_to(CHECKOUT)}` \| .{{20,}}\. \|$", PAGE, re.MULTILINE), room


def test_every_name_that_the_recipes_mention_is_in_the_code() -> None:
    """Files and dotted names are checked on every page; these are names within a file."""
    recipes = PAGE.partition("## Where do I add")[2]
    code = "\n".join(file.read_text() for package in PACKAGES for file in (CHECKOUT / package).rglob("*.py"))
    missing = {name for name in re.findall(r"`([A-Za-z_]\w*)`", recipes) if not re.search(rf"\b{name}\b", code)}
    assert missing <= set(PACKAGES), missing
