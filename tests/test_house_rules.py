"""Rules that no linter knows: every room and every public name is explained."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from predictor.door import registry

PACKAGES = ("catalog", "ingest", "predictor")
CHECKOUT = Path(__file__).resolve().parent.parent


def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            parts = path.relative_to(CHECKOUT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@pytest.fixture(scope="module")
def promised() -> set[str]:
    """Methods that a protocol explains for all that follow it."""
    classes = [value for name in MODULES for value in vars(importlib.import_module(name)).values()]
    protocols = [value for value in classes if inspect.isclass(value) and getattr(value, "_is_protocol", False)]
    return {member for value in protocols for member, inner in vars(value).items() if inspect.getdoc(inner)}


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_explained(name, promised):
    """A method may inherit its explanation from the class or the protocol that promised it."""
    module = importlib.import_module(name)
    assert inspect.getdoc(module), f"{name} opens without a sentence"
    for label, value in vars(module).items():
        if label.startswith("_") or getattr(value, "__module__", None) != name:
            continue
        if inspect.isfunction(value) or inspect.isclass(value):
            assert value.__doc__, f"{name}.{label} has no docstring"
        if inspect.isclass(value):
            unexplained = {member for member in public_members(value) if not inspect.getdoc(getattr(value, member))}
            assert unexplained <= promised, f"{name}.{label} does not explain {sorted(unexplained - promised)}"


def public_members(value: type) -> Iterator[str]:
    for member, inner in vars(value).items():
        called = inner.__func__ if isinstance(inner, classmethod | staticmethod) else inner
        if not member.startswith("_") and (inspect.isfunction(called) or isinstance(called, property)):
            yield member


EXAMPLES = {"catalog/cli/demo.py", "catalog/cli/scoring.py"}
"""The demo tells the story of one predictor, and the example of `catalog train` needs one that learns."""


def test_only_its_own_room_quotes_a_predictor() -> None:
    """A name stands where the class states it; all others know predictors through the door."""
    quoted = re.compile(rf"""["'` ]({"|".join(registry.names())})["'`, .)=]""")
    homes = {name: registry.predictor_named(name).__module__.rpartition(".")[0] for name in registry.names()}
    for module, path in MODULES.items():
        if str(path.relative_to(CHECKOUT)) in EXAMPLES:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        found = {name for text in texts for name in quoted.findall(f" {text} ")}
        strange = {name for name in found if not module.startswith(homes[name])}
        assert not strange, f"{module} quotes {sorted(strange)}"
