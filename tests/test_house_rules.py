"""The rules that every file keeps: no import of a floor above, nothing printed, every public name explained."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest

PACKAGES = ("catalog", "ingest", "predictor")
CHECKOUT = Path(__file__).resolve().parent.parent

# What no file of a room may import, directly or where it is needed: the floors above it.
UPSTAIRS = {
    "catalog": ("catalog.cli", "ingest", "predictor"),
    "catalog.operators": ("catalog.graph", "catalog.spaces", "catalog.store"),
    "catalog.graph": ("catalog.spaces", "catalog.store", "catalog.schema"),
    "catalog.spaces": ("catalog.store", "catalog.views", "catalog.patterns", "catalog.analysis", "catalog.search"),
    "catalog.store": (
        "catalog.views",
        "catalog.patterns",
        "catalog.analysis",
        "catalog.search",
        "catalog.report",
        "catalog.serving",
    ),
    "catalog.analysis": ("catalog.search", "catalog.report", "catalog.serving"),
    "catalog.search": ("catalog.store", "catalog.views", "catalog.report", "catalog.serving"),
    "catalog.report": ("catalog.search", "catalog.serving"),
    "catalog.serving": ("catalog.search",),
    "ingest": ("catalog.cli", "catalog.search", "catalog.report", "catalog.serving", "predictor"),
    "predictor": ("catalog.cli", "catalog.search", "catalog.report", "catalog.serving", "ingest"),
}


def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            parts = path.relative_to(CHECKOUT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(tree: ast.AST, known: dict[str, Path]) -> Iterator[str]:
    """Our own modules that a file imports at run time, at its top or inside a function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in known or node.module in known:
                    yield inner if inner in known else node.module
        else:
            yield from imports(node, known)


def imported_by(name: str) -> set[str]:
    return set(imports(ast.parse(MODULES[name].read_text(encoding="utf-8")), MODULES)) - {name}


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


@pytest.mark.parametrize("room", UPSTAIRS)
def test_no_file_imports_a_floor_above(room):
    for name in MODULES:
        if not within(name, room) or within(name, "catalog.cli"):
            continue
        upwards = {other for other in imported_by(name) for above in UPSTAIRS[room] if within(other, above)}
        assert not upwards, f"{name} imports {sorted(upwards)}, a floor above {room}"


def test_imports_at_the_top_of_files_run_in_no_circle():
    graph = networkx.DiGraph()
    for name, path in MODULES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        top = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
        graph.add_edges_from((name, other) for other in imports(ast.Module(top, []), MODULES) if other != name)
    assert not list(networkx.simple_cycles(graph))


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
