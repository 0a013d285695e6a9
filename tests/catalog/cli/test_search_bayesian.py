"""A search that learns: any predictor with a spread, over what is stored or drawn, by stored labels or a command's."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from catalog.storage.store import Store
from tests.catalog.cli.commands import call_catalog
from tests.catalog.cli.searches import rows_of

PREDICTOR = """
from dataclasses import dataclass
import numpy as np
from predictor.door import Needs, Predictor, Scores

@dataclass(frozen=True)
class Options:
    penalty: float = 1.0

class Line(Predictor):
    '''A line through how often each operator occurs.'''
    name = "line"
    needs = Needs(labels=True, graphs=("native",))
    has_spread = True
    Options = Options

    def fit(self, sources, training):
        (source,) = sources
        known = np.flatnonzero(np.isfinite(source.require(5).labels))
        inputs = counted(source.given)[known]
        ridge = self.options.penalty * np.eye(inputs.shape[1])
        self.inverse = np.linalg.inv(inputs.T @ inputs + ridge)
        self.weights = self.inverse @ inputs.T @ source.labels[known]
        return self

    def score(self, given):
        inputs = counted(given)
        return Scores(inputs @ self.weights, np.sqrt(np.einsum("ij,jk,ik->i", inputs, self.inverse, inputs)))

class Sure(Line):
    '''The same without a spread.'''
    name = "sure"
    has_spread = False

class Broken(Line):
    '''The same, but it fails.'''
    name = "broken"
    def score(self, given):
        raise RuntimeError("no idea")

def counted(given):
    found = np.ones((len(given), 1 + 64))
    found[:, 1:] = 0
    for part in given.native.cells:
        for index in range(len(part.cells.vocabulary)):
            found[part.rows, 1 + index] += (part.cells.operators == index).sum(axis=1)
    return found
"""
TRAIN = """
import sys
with open(sys.argv[2], "a") as asked:
    asked.write(sys.argv[1] + "\\n")
print(sys.argv[1].count("nor_conv_3x3"))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine.py").write_text(PREDICTOR)
    (tmp_path / "train.py").write_text(TRAIN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command_of(folder: Path) -> str:
    return shlex.join([sys.executable, str(folder / "train.py"), "{id}", str(folder / "asked.log")])


@pytest.mark.parametrize("acquisition", ["ucb", "thompson"])
def test_a_strangers_predictor_finds_the_best_of_a_space_that_nobody_stored(folder: Path, acquisition: str) -> None:
    database = folder / "catalog.duckdb"
    arguments = ("--predictor", "mine:Line", "--set", "penalty=0.5", "--acquisition", acquisition, "--batch", "4")
    labels = ("--label-command", command_of(folder), "--workers", "2")
    answer = call_catalog("search", "nb201", *labels, *arguments, "--budget", "30", database=database)
    assert "bayesian, 30 evaluations" in answer.stderr  # the method that is usual for labels
    assert float(rows_of(answer)[0]["label"]) == 6.0
    asked = (folder / "asked.log").read_text().splitlines()
    assert len(asked) == len(set(asked)) <= 30
    longer = call_catalog("search", "nb201", "--resume", "1", *labels, "--budget", "34", database=database)
    assert "34 evaluations" in longer.stderr
    whole = folder / "whole.duckdb"
    fresh = call_catalog("search", "nb201", *labels, *arguments, "--budget", "34", database=whole)
    assert rows_of(fresh) == rows_of(longer)
    with Store.open(database) as catalog, Store.open(whole) as other:
        course = (
            'SELECT evaluation, canonical_digest, "values" FROM search_visit JOIN architecture ON id = architecture_id'
        )
        assert catalog.query(f"{course} ORDER BY 1").equals(other.query(f"{course} ORDER BY 1"))


def test_stored_labels_and_bounds(folder: Path, demo_folder: Path) -> None:
    database = folder / "catalog.duckdb"
    database.write_bytes((demo_folder / "catalog.duckdb").read_bytes())
    answer = call_catalog(
        *("search", "nb201", "--labels", "digits_test_accuracy", "--predictor", "mine:Line", "--budget", "25"),
        *("--max", "params=6e5", "--top", "25"),
        database=database,
    )
    rows = rows_of(answer)
    labelled = "SELECT canonical_digest FROM nb201 WHERE digits_test_accuracy IS NOT NULL"
    with Store.open(database) as catalog:
        fits = catalog.query(
            "SELECT count(DISTINCT canonical_digest) FROM search_visit JOIN nb201 USING (architecture_id) "
            f"WHERE params <= 6e5 AND canonical_digest IN ({labelled})"
        ).item()
    assert len(rows) == fits == 25


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--predictor", "mine:Sure"), "says of no score how uncertain it is"),
        (("--predictor", "az_nas"), "learns from no labels; --method bayesian needs both"),
        (("--predictor", "mine:Line", "--set", "penalty"), "write it as NAME=VALUE"),
        (("--predictor", "mine:Line", "--set", "width=3"), "has no option width"),
        (("--predictor", "mine:Line", "--acquisition", "ucbb"), "Did you mean ucb?"),
        (("--predictor", "mine:Line", "--batch", "0"), "--batch 0"),
        (("--method", "random", "--batch", "3"), "--batch is for --method bayesian"),
        (("--method", "random", "--predictor", "mine:Line"), "--predictor is for --method bayesian"),
    ],
)
def test_what_cannot_learn_is_refused_before_anything_is_asked(
    folder: Path, options: tuple[str, ...], words: str
) -> None:
    answer = call_catalog(
        *("search", "nb201", "--label-command", command_of(folder), "--budget", "20", *options),
        database=folder / "catalog.duckdb",
    )
    assert answer.returncode == 2, answer.stderr
    assert words in answer.stderr
    assert not (folder / "asked.log").exists()


def test_a_predictor_that_fails_is_told_and_the_labels_are_kept(folder: Path) -> None:
    database = folder / "catalog.duckdb"
    labels = ("--label-command", command_of(folder))
    answer = call_catalog("search", "nb201", *labels, "--budget", "20", "--predictor", "mine:Broken", database=database)
    assert answer.returncode == 1
    assert "gives no scores after training: mine.py line" in answer.stderr
    asked = (folder / "asked.log").read_text().splitlines()
    with Store.open(database) as catalog:
        assert catalog.query("SELECT count(label) FROM nb201").item() == len(asked) == 10
