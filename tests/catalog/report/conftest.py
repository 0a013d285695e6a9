"""Two spaces of a user's own whose every name tries to break out, and the report about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from catalog.report.report import Report, build_report
from catalog.storage.store import Store
from tests.catalog.cli.commands import call_catalog

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = "</script><img src=x onerror=alert(1)>"
SPACES = ("many", "few")
COUNTS = {"many": 1700, "few": 120}
TARGETS = ("cifar10_test_accuracy", "cifar100_test_accuracy")
OPERATORS = ("conv1x1", "conv3x3", "maxpool3x3", "<script>alert(2)</script>")


def graphs(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Random cells whose accuracy follows their number of 3x3 convolutions, three trainings each."""
    random = np.random.default_rng(seed)
    for number in range(count):
        inner = int(random.integers(3, 6))
        operators = [OPERATORS[place] for place in random.integers(0, len(OPERATORS), inner)]
        edges = [[node, node + 1] for node in range(inner + 1)]
        edges += [[a, b] for a in range(inner) for b in range(a + 2, inner + 2) if random.random() < 0.2]
        quality = operators.count("conv3x3") - operators.count("maxpool3x3") / 2 + random.normal(0, 0.7)
        metrics = [
            {"dataset": dataset, "split": "test", "name": "accuracy", "epochs": 200, "seed": seed}
            | {"value": float(np.clip(base + 3 * quality + random.normal(0, 0.5), 1, 99))}
            for dataset, base in (("cifar10", 80), ("cifar100", 50))
            for seed in range(3)
        ]
        cost = float(operators.count("conv3x3") + random.random())
        metrics.append({"dataset": "cifar10", "name": "latency", "device": "edgegpu", "value": cost})
        proxies = {"params": float(operators.count("conv3x3") * 9 + operators.count("conv1x1") + random.random())}
        own = {"good": quality + random.normal(0, 0.5), "noise": random.normal(), HOSTILE: np.exp(3 * random.normal())}
        proxies |= {name: {"value": float(value), "direction": "higher"} for name, value in own.items()}
        native = f"{HOSTILE}={number}" if number % 2 else f"=HYPERLINK({number})"
        yield {"id": native, "ops": ["input", *operators, "output"], "edges": edges} | {
            "metrics": metrics,
            "proxies": proxies,
        }


@pytest.fixture(scope="session")
def hostile_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    database = folder / "catalog.duckdb"
    operators = {OPERATORS[-1]: {"kind": "attention", "weights": True, "description": f"{HOSTILE} attention"}}
    (folder / "ops.json").write_text(json.dumps(operators))
    for space in SPACES:
        lines = [json.dumps(graph) for graph in graphs(COUNTS[space], seed=len(space))]
        path = folder / f"<b>{space}&amp;.jsonl"
        path.write_text("\n".join(lines) + "\n")
        options = ("--space", space, "--operators", str(folder / "ops.json"))
        answer = call_catalog("ingest", "graphs", str(path), *options, database=database)
        assert answer.returncode == 0, answer.stderr
    return database


@pytest.fixture(scope="session")
def built(hostile_database: Path) -> Report:
    with Store.open(hostile_database) as catalog:
        return build_report(catalog, SPACES, TARGETS, command=f"catalog report '{HOSTILE}'")


@pytest.fixture(scope="session")
def page_file(built: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(built.page(), encoding="utf-8")
    return path


@pytest.fixture
def complaints() -> list[str]:
    """What a page said on its console, asked of the network, or showed as a dialogue."""
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """A new tab of a desktop browser; nothing may be complained about in the end."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    watch(tab, complaints)
    yield tab
    context.close()
    assert complaints == []


def watch(tab: Page, complaints: list[str]) -> None:
    tab.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
    tab.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    tab.on("dialog", lambda dialog: complaints.append(f"dialogue: {dialog.message}"))
    tab.on(
        "request",
        lambda asked: None if asked.url.startswith(("file:", "data:", "blob:")) else complaints.append(asked.url),
    )
