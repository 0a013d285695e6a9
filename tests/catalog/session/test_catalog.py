"""The class that a Python user holds."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import catalog
from catalog.errors import CatalogError, LockedError, MissingDatabaseError, QueryError, StoreError, UsageError
from tests.catalog.processes import python
from tests.catalog.storage.test_locking import HOLD


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, catalog; print([name for name in sys.modules if name.startswith(('catalog', 'duckdb'))])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "['catalog']\n"
    assert catalog.__version__.count(".") == 2
    assert {"Catalog", "open"} <= set(dir(catalog))
    assert catalog.Catalog.open.__doc__ == catalog.open.__doc__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        catalog.nothing  # noqa: B018


def test_a_session_answers_in_frames(nb201_path: Path) -> None:
    with catalog.open(nb201_path) as c:
        assert repr(c) == f"Catalog({str(nb201_path)!r}, mode='read')"
        assert c.top("nb201", by="params", k=3)["index"].len() == 3
        assert c.lookup([6111])["index"].to_list() == [6111]
        assert c.query("SELECT count(*) AS n FROM nb201").item() == 15625
        assert c.top("nb201", by="params", k=1).height == 1  # the file is open again after a query
        assert c.match("nb201", "(nor_conv_3x3)", form="native", count=True).row(0) == (5**6 - 4**6, 6 * 5**5)
        assert c.spaces()["space"].to_list() == ["nb201"]


def test_one_name_is_as_good_as_a_list_of_one(nb201_path: Path) -> None:
    with catalog.open(nb201_path) as c:
        assert c.lookup(6111, columns="index").equals(c.lookup([6111], columns=["index", "index"]))
        assert c.top("nb201", by="params", k=1, columns="depth").columns == ["depth"]
        assert c.correlate("nb201", "depth", "params")["proxy"].to_list() == ["params"]


def test_an_architecture_draws_itself(nb201_path: Path) -> None:
    with catalog.open(nb201_path) as c:
        shown = c.show("nb201", 6111)
        beside = c.compare("nb201", [6111, 9930])
    assert shown._repr_svg_().startswith("<svg")
    assert "native graph" in repr(shown)
    assert beside.frame.columns == ["column", "6111", "9930"]
    assert "6111" in repr(beside)


def test_reading_does_not_write(nb201_path: Path) -> None:
    with catalog.open(nb201_path) as c, pytest.raises(UsageError, match='mode="write"'):
        c.ingest("nb201-digits")


def test_writing_makes_a_missing_file_only_by_filling_it(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    with pytest.raises(MissingDatabaseError):
        catalog.open(path)
    with catalog.open(path, mode="write") as c:
        with pytest.raises(MissingDatabaseError):
            c.top("nb201", by="params")
        assert not path.exists()
        (report,) = c.ingest("nb201-digits")
        assert report.records > 0
        assert c.top("nb201", by="digits_test_accuracy", k=1).height == 1


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda c: c.ingest("nasbench102", "a.csv"), "unknown benchmark 'nasbench102'; known are .*darts"),
        (
            lambda c: c.ingest("nasbench101", "a.csv", curves=True),
            "nasbench101 has no option curves; it knows epochs, source",
        ),
        (lambda c: c.ingest("graphs"), "name a file"),
        (lambda c: c.ingest("model", "a:b"), "with --space and --id"),
        (lambda c: c.search("nb201"), "a search needs a score"),
        (lambda c: c.train("tgnas", "nb201", "params", "out"), "unknown predictor 'tgnas'"),
        (lambda c: c.score("nb201", "snip", engine="slurm"), "unknown engine 'slurm'; allowed are local and ray"),
    ],
)
def test_mistakes_are_named(catalog_path: Path, ask, words: str) -> None:
    with catalog.open(catalog_path, mode="write") as c, pytest.raises(UsageError, match=words):
        ask(c)


def test_a_closed_session_says_so(catalog_path: Path) -> None:
    c = catalog.open(catalog_path)
    c.close()
    with pytest.raises(UsageError, match="is closed"):
        c.spaces()
    with pytest.raises(UsageError, match="unknown mode 'r'"):
        catalog.open(catalog_path, mode="r")


def test_errors_at_opening(tmp_path: Path, catalog_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("no database")
    with pytest.raises(StoreError):
        catalog.open(tmp_path / "text.duckdb")
    with python(HOLD, catalog_path, "write"), pytest.raises(LockedError):
        catalog.open(catalog_path)
    with catalog.open(catalog_path) as c, pytest.raises(QueryError, match="one name"):
        c.query("SELECT 1 AS a, 2 AS a")


def test_threads_share_a_session(nb201_path: Path) -> None:
    found: list[int] = []
    with catalog.open(nb201_path) as c:

        def ask(place: int) -> None:
            for _ in range(3):
                found.append(c.query(f"SELECT {place} AS n FROM nb201 LIMIT 1").item())
                found.append(c.lookup([place])["index"].item())

        threads = [threading.Thread(target=ask, args=(place,)) for place in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == sorted([place for place in range(4) for _ in range(6)])


@pytest.mark.parametrize("ids", [[2**63], [10**400], 2**70, ["9" * 6000], ["\udcff"], None, 1.5])
def test_odd_identifiers_are_refused_and_not_a_crash(nb201_path: Path, ids: object) -> None:
    with catalog.open(nb201_path) as c, pytest.raises(CatalogError):
        c.lookup(ids, "nb201")


def test_a_number_of_a_frame_is_an_identifier(nb201_path: Path) -> None:
    with catalog.open(nb201_path) as c:
        assert c.lookup(np.int64(3), "nb201")["index"].to_list() == [3]


def test_an_unknown_space_leaves_no_file_behind(tmp_path: Path) -> None:
    with catalog.open(tmp_path / "new.duckdb", mode="write") as c, pytest.raises(CatalogError, match="unknown search"):
        c.spaces(enumerate="zzz")
    assert not list(tmp_path.iterdir())


SCRIPT = """
import sys
import catalog

with catalog.open(sys.argv[1], mode="write") as c:
    print(*c.score("nb201", "snip", sample=4, workers=2, channels=4, cells=1, batch_size=4))
    print(c.evaluate("nb201", sample=2, epochs=1, seeds=1, channels=2, workers=2).trained, "trained")
"""


def test_a_plain_script_may_ask_for_workers(nb201_path: Path, tmp_path: Path) -> None:
    """It does its work at the top, without a guard; the workers must not run it again."""
    database = Path(shutil.copy(nb201_path, tmp_path / "catalog.duckdb"))
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "script.py"), str(database)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "2 trained"
