"""A stranger's predictor, as an installed package: trained, scored, searched with, judged, and reported."""

from __future__ import annotations

import hashlib
import importlib
import shutil
import tomllib
from pathlib import Path

import polars as pl
import pytest

import catalog
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
    with Store.open(database) as store:
        description, configuration = store.rows(
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


class Params(Predictor):
    """Takes the name of what is stored already."""

    name = "params"

    def score(self, given):
        return Scores(np.zeros(len(given)))


class Leaves(Predictor):
    """Ends the process."""

    name = "leaves"

    def score(self, given):
        raise SystemExit(0)


class Texts(Predictor):
    """Gives texts."""

    name = "texts"

    def score(self, given):
        return Scores(np.array(["1.5"] * len(given)))


class Complex(Predictor):
    """Gives complex numbers."""

    name = "complex_numbers"

    def score(self, given):
        return Scores(np.ones(len(given)) * 1j)


class Bare(Predictor):
    """Gives an array instead of scores."""

    name = "bare"

    def score(self, given):
        return np.zeros(len(given))


class Missing(Predictor):
    """Imports what is not there."""

    name = "missing"

    def score(self, given):
        import nothing_of_this_name


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
    reasons = {
        "Raises": "broken.py line 12: AttributeError",
        "Short": "shape (3,)",
        "Holes": "the value is nan",
        "Leaves": "SystemExit: 0",
        "Texts": "which are no real numbers",
        "Complex": "which are no real numbers",
        "Bare": "it gave a ndarray, not Scores",
        "Missing": "ModuleNotFoundError",
    }
    for name, reason in reasons.items():
        answer = run_catalog("score", "nb201", "--proxy", f"broken:{name}", database=database, cwd=tmp_path)
        assert answer.returncode == (0 if name == "Holes" else 1)
        assert reason in answer.stderr
        assert "Traceback" not in answer.stderr
    with Store.open(database) as store:
        assert store.rows("SELECT count(holes), count(tg_nas) FROM nb201") == [(1, 15625 - 341)]
        view = store.answer("FROM nb201 LIMIT 0").columns
        assert not {"raises", "short"} & set(view)  # a column that would hold nothing is not shown
        failed = (
            "SELECT count(*) FROM score JOIN proxy ON proxy.id = proxy_id WHERE name = 'raises' AND status = 'failed'"
        )
        assert store.rows(failed) == [(15625 - 341,)]
        ((digest,),) = store.rows("SELECT configuration->>'code_sha256' FROM proxy WHERE name = 'short'")
    assert len(digest) == 64


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--proxy", "broken:Params"), "takes the name 'params', which something else has"),
        (("--proxy", "broken:Bare", "--as", "TG_NAS"), "no plain name for a column; write it as 'tg_nas'"),
        (("--proxy", "broken:Bare", "--as", "tg_nas"), "choose another with --as"),
        (("--proxy", "gone:X"), "gone.py line 1: SystemExit: 0"),
        (("--proxy", "tg_nas", "--checkpoint", "nowhere"), "no checkpoint"),
        (("--proxy", "tg_nas", "--checkpoint", "broken.py"), "no checkpoint"),
    ],
)
def test_nothing_that_is_stored_is_taken_over(
    database: Path, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "gone.py").write_text("raise SystemExit(0)")
    with Store.open(database) as store:
        before = store.rows("SELECT sum(params), count(tg_nas), sum(tg_nas) FROM nb201")
    answer = run_catalog("score", "nb201", *words, database=database, cwd=tmp_path)
    assert answer.returncode in (1, 2)
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr
    with Store.open(database) as store:
        assert store.rows("SELECT sum(params), count(tg_nas), sum(tg_nas) FROM nb201") == before


def test_a_file_that_changed_is_loaded_anew(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one session: the digest that is stored is that of the code that ran."""
    monkeypatch.chdir(tmp_path)
    code = "import numpy as np\nfrom predictor.door import Predictor, Scores\n\n\nclass C(Predictor):\n"
    code += '    """A constant."""\n\n    name = "constant"\n\n    def score(self, given):\n'
    found = []
    with catalog.open(database, mode="write") as c:
        for value in (1.0, 22.0):
            (tmp_path / "changing.py").write_text(code + f"        return Scores(np.full(len(given), {value}))\n")
            c.score("nb201", "changing:C")
            found.append(c.query("SELECT max(constant) FROM nb201").item())
        (digest,) = c.query("SELECT configuration->>'code_sha256' FROM proxy WHERE name = 'constant' ORDER BY id")[
            -1
        ].row(0)
    assert found == [1.0, 22.0]
    assert digest == hashlib.sha256((tmp_path / "changing.py").read_bytes()).hexdigest()


def test_the_documentation_shows_this_package() -> None:
    page = (PACKAGE.parents[2] / "docs" / "own_predictors.md").read_text()
    assert f"```python\n{(PACKAGE / 'operator_ridge.py').read_text()}```" in page
