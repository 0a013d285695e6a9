"""`catalog score`: what it says, what it refuses, and proxies that other packages bring."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.cli.progress import rate_text
from catalog.storage.store import Store
from tests.catalog.cli.commands import call_catalog, run_catalog
from tests.predictor.scored_cells import CUT, POOL, database_of_cells

SMALL = ("--cells", "1", "--channels", "4", "--batch-size", "4", "--workers", "1")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database_of_cells(tmp_path_factory.mktemp("cells") / "catalog.duckdb")


def test_a_score_is_a_column_and_the_command_says_which(database: Path) -> None:
    answer = call_catalog("score", "nb201", "--proxy", "nwot", "--proxy", "params", *SMALL, database=database)
    assert (answer.returncode, answer.stdout) == (0, "")
    nwot, params = answer.stderr.splitlines()
    assert nwot.endswith(": 6 scores; 4 measured now, 2 shared with an equal function; 1 disconnected.")
    assert params.endswith(": 6 scores; 6 measured now, 0 shared with an equal function; 1 disconnected.")
    column = nwot.partition(":")[0]
    top = call_catalog("top", "nb201", "--by", column, "--format", "json", database=database)
    assert len(json.loads(top.stdout)) == 6
    again = call_catalog("score", "nb201", "--proxy", "nwot", *SMALL, database=database)
    assert again.stderr == f"{column}: 6 scores; all of them stored before; 1 disconnected.\n"


def test_a_proxy_of_a_pool_comes_with_its_components(database: Path) -> None:
    answer = call_catalog("score", "nb201", "--proxy", "te_nas", *SMALL, database=database)
    names = [line.partition(":")[0].rpartition("_")[0] for line in answer.stderr.splitlines()]
    assert names == ["ntk_cond", "linear_regions", "te_nas"]
    assert "ranked in their pool of 7" in answer.stderr


def test_a_proxy_that_measures_nothing_at_all_is_an_error(database: Path) -> None:
    """One image a minibatch: no two images of a class to compare."""
    options = ("--proxy", "epe_nas", "--where", f"cell = '{POOL}'", *SMALL, "--batch-size", "1")
    answer = call_catalog("score", "nb201", *options, database=database)
    assert answer.returncode == 1
    assert "1 failed (ProxyError: no class has two images in the minibatch; use a larger one)" in answer.stderr
    assert "not one architecture could be measured" in answer.stderr


def test_an_architecture_without_a_path_is_no_failure(database: Path) -> None:
    options = ("--proxy", "snip", "--where", f"cell = '{CUT}'", *SMALL)
    answer = call_catalog("score", "nb201", *options, database=database)
    assert answer.returncode == 0
    assert "0 scores" in answer.stderr
    assert "1 disconnected" in answer.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--proxy", "snipp"), "unknown proxy 'snipp'"),
        (("--proxy", "snip", "--input", "cats"), "allowed are photos, noise, digits, cifar10:DIR"),
        (("--proxy", "snip", "--input", "cifar10:/nowhere"), "/nowhere"),
        (("--proxy", "snip", "--where", "params <"), "one condition"),
        (("--proxy", "snip", "--where", "colour = 'red'"), "colour"),
        (("--proxy", "snip", "--device", "toaster"), "toaster"),
        (("--proxy", "snip", "--address", "auto"), "--engine ray"),
        (("--proxy", "snip", "--sample", "0"), "--sample"),
    ],
)
def test_mistakes_end_with_status_2(database: Path, options: tuple[str, ...], message: str) -> None:
    answer = call_catalog("score", "nb201", *options, database=database)
    assert answer.returncode == 2
    assert message in answer.stderr


PLUG_IN = '''
from predictor.zero_cost import Need, Proxy

class Sharpness(Proxy):
    """Sum of the first minibatch's logit gradients. Direction: lower is better. Cost: one forward."""

    name = "sharpness"
    needs = Need.FORWARD | Need.JACOBIAN
    direction = -1

    def measure(self, passes):
        return float(passes.loss.jacobian.abs().sum())

class Broken(Proxy):
    """Does not work. Direction: higher is better. Cost: none."""

    name = "broken"
    needs = Need.NOTHING

    def measure(self, passes):
        return None + 1
'''


def test_a_plug_in_is_found_by_its_entry_point(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package as `pip` leaves it: a module and its metadata, in the driver and in its workers."""
    metadata = tmp_path / "my_proxies-1.0.dist-info"
    metadata.mkdir()
    (tmp_path / "my_proxies.py").write_text(PLUG_IN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-proxies\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[catalog.proxies]\nsharpness = my_proxies:Sharpness\nbroken = my_proxies:Broken\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    options = ("--proxy", "sharpness", "--proxy", "broken", *SMALL[:-1], "2")
    answer = run_catalog("score", "nb201", *options, database=database)
    assert answer.returncode == 1
    column = answer.stderr.partition(":")[0]
    assert column.startswith("sharpness_")
    assert "6 failed (TypeError" in answer.stderr
    assert "Traceback" not in answer.stderr
    with Store.open(database) as catalog:
        assert catalog.query(f"SELECT count({column}) FROM nb201").item() == 6
        assert catalog.query("SELECT direction FROM proxy WHERE name = 'sharpness'").item() == -1


@pytest.mark.parametrize("group", ["catalog.proxies", "catalog.predictors"])
def test_a_plug_in_that_cannot_be_imported_is_named(
    group: str, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = tmp_path / "gone-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: gone\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{group}]\ngone = no_such_module:Gone\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    answer = run_catalog("score", "nb201", "--proxy", "nwot", "--sample", "1", database=database)
    assert answer.returncode == 2
    assert f"the entry point 'gone' of {group} names 'no_such_module:Gone', which cannot be imported" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_rates_read_as_numbers_above_one() -> None:
    assert [rate_text(speed) for speed in (12.34, 0.5, 0.01)] == ["12.3/s", "30.0/min", "36.0/h"]
