"""A stranger's predictor, as an installed package: trained, scored, searched with, judged, and reported."""

from __future__ import annotations

import importlib
import shutil
import tomllib
from pathlib import Path

import polars as pl
import pytest

from catalog.storage.store import Store
from catalog.testing import check_predictor
from tests.catalog.cli.commands import run_catalog

PACKAGE = Path(__file__).resolve().parents[2] / "plugins" / "operator_ridge"


ON_DIGITS = ("--space", "nb201", "--target", "digits_test_accuracy", "--out", "weights")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `pip install` leaves of the package: its module, and metadata with its entry points."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    site = tmp_path / "site"
    metadata = site / f"operator_ridge-{project['version']}.dist-info"
    metadata.mkdir(parents=True)
    shutil.copy(PACKAGE / "operator_ridge.py", site)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: operator-ridge\nVersion: {project['version']}\n")
    groups = project["entry-points"].items()
    lines = [line for group, names in groups for line in (f"[{group}]", *(f"{a} = {b}" for a, b in names.items()))]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    return site


@pytest.fixture
def database(demo_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(demo_folder / "catalog.duckdb", tmp_path / "catalog.duckdb"))


def test_it_passes_the_common_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PACKAGE))
    check_predictor(importlib.import_module("operator_ridge").OperatorRidge)


def test_the_whole_way(installed: Path, database: Path, tmp_path: Path) -> None:
    labels = ("--space", "nb201", "--target", "digits_test_accuracy", "--sample", "50", "--seed", "1")
    weights = str(tmp_path / "ridge")
    steps = (
        ("train", "operator_ridge", *labels, "--set", "penalty=0.5", "--out", weights),
        ("score", "nb201", "--proxy", "operator_ridge", "--checkpoint", weights, "--as", "ridge_50"),
        ("search", "nb201", "--by", "ridge_50", "--max", "params=5e5", "--top", "3", "--format", "csv"),
        ("correlate", "nb201", "--target", "digits_test_accuracy", "--proxy", "ridge_50", "--format", "csv"),
        (
            "report",
            "nb201",
            "--target",
            "digits_test_accuracy",
            "--proxy",
            "ridge_50",
            "--proxy",
            "params",
            "--out",
            str(tmp_path / "report.html"),
        ),
    )
    answers = {}
    for words in steps:
        answers[words[0]] = run_catalog(*words, database=database)
        assert answers[words[0]].returncode == 0, answers[words[0]].stderr
    assert pl.read_csv(answers["search"].stdout.encode()).height == 3
    judged = pl.read_csv(answers["correlate"].stdout.encode()).row(0, named=True)
    assert judged["left_out"] >= 50  # what it was trained on is not what it is judged by
    assert "ridge_50" in (tmp_path / "report.html").read_text()
    with Store.open(database) as catalog:
        description, configuration = catalog.rows(
            "SELECT description, configuration FROM proxy WHERE \"column\" = 'ridge_50'"
        )[0]
    assert "trained on nb201 digits_test_accuracy" in description
    assert "0.5" in configuration


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("score", "nb201", "--proxy", "operator_ridge"), "has to be trained before it scores: catalog train"),
        (("score", "nb201", "--proxy", "operator_rigde"), "unknown proxy 'operator_rigde'"),
        (
            (
                "train",
                "operator_ridge",
                "--space",
                "nb201",
                "--target",
                "digits_test_accuracy",
                "--sample",
                "4",
                "--out",
                "w",
            ),
            "needs at least 5 labels",
        ),
        (
            (
                "train",
                "operator_ridge",
                "--space",
                "nb201",
                "--target",
                "digits_test_accuracy",
                "--set",
                "width=3",
                "--out",
                "w",
            ),
            "has no option width; it has penalty",
        ),
        (("train", "az_nas", "--space", "nb201", "--target", "digits_test_accuracy", "--out", "w"), "learns nothing"),
        (("score", "nb201", "--proxy", "tg_nas", "--as", "params"), "choose another with --as"),
    ],
)
def test_a_mistake_is_one_clear_message(
    installed: Path, database: Path, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    answer = run_catalog(*words, database=database, cwd=tmp_path)
    assert answer.returncode == 2
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr


BROKEN = '''
import numpy as np
from predictor.door import Predictor, Scores


class Raises(Predictor):
    """Cannot score."""

    name = "raises"

    def score(self, given):
        return Scores(np.zeros(len(given)) / given.nothing)


class Short(Predictor):
    """Loses rows."""

    name = "short"

    def score(self, given):
        return Scores(np.zeros(3))


class Holes(Predictor):
    """Has no value for most."""

    name = "holes"

    def score(self, given):
        values = np.full(len(given), np.nan)
        values[6111] = 1.0
        return Scores(values)
'''


def test_what_a_predictor_does_wrong_becomes_failed_scores(database: Path, tmp_path: Path) -> None:
    """A file in the current folder; nothing that was stored before is lost."""
    (tmp_path / "broken.py").write_text(BROKEN)
    reasons = {"Raises": "broken.py line 12: AttributeError", "Short": "shape (3,)", "Holes": "the value is nan"}
    for name, reason in reasons.items():
        answer = run_catalog("score", "nb201", "--proxy", f"broken:{name}", database=database, cwd=tmp_path)
        assert answer.returncode == (0 if name == "Holes" else 1)
        assert reason in answer.stderr
        assert "Traceback" not in answer.stderr
    with Store.open(database) as catalog:
        assert catalog.rows("SELECT count(holes), count(raises), count(short), count(tg_nas) FROM nb201") == [
            (1, 0, 0, 15625 - 341)
        ]
        ((digest,),) = catalog.rows("SELECT configuration->>'code_sha256' FROM proxy WHERE name = 'short'")
    assert len(digest) == 64


def test_the_documentation_shows_this_package() -> None:
    page = (PACKAGE.parents[2] / "docs" / "predictors.md").read_text()
    assert f"```python\n{(PACKAGE / 'operator_ridge.py').read_text()}```" in page
